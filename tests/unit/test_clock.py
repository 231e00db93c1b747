"""A shifted clock goes on from wherever it was moved to, and leaves the clock below alone."""

import pytest

from penstock.base.clock import MovableClock, ShiftedClock, SystemClock
from penstock.testing.clock import FakeClock

NOW_MS = 1_790_000_000_000


def test_before_it_is_moved_it_tells_what_the_clock_below_tells() -> None:
    below = FakeClock(NOW_MS)
    clock = ShiftedClock(below)
    below.advance(5)
    assert (clock.now_ms(), clock.elapsed_ms()) == (NOW_MS + 5, 5.0)


def test_advancing_moves_both_times_and_both_go_on_from_there() -> None:
    below = FakeClock(NOW_MS)
    clock = ShiftedClock(below)
    clock.advance(1000)
    clock.advance(0)
    assert (clock.now_ms(), clock.elapsed_ms()) == (NOW_MS + 1000, 1000.0)
    below.advance(7)
    assert (clock.now_ms(), clock.elapsed_ms()) == (NOW_MS + 1007, 1007.0)
    assert (below.now_ms(), below.elapsed_ms()) == (NOW_MS + 7, 7.0)


def test_time_does_not_pass_backwards() -> None:
    clock = ShiftedClock(FakeClock(NOW_MS))
    with pytest.raises(ValueError, match="backwards"):
        clock.advance(-1)
    assert (clock.now_ms(), clock.elapsed_ms()) == (NOW_MS, 0.0)


@pytest.mark.parametrize("step_ms", [-86_400_000, -1, 0, 1, 86_400_000])
def test_setting_steps_the_wall_clock_only(step_ms: int) -> None:
    below = FakeClock(NOW_MS)
    clock = ShiftedClock(below)
    clock.advance(10)
    clock.set(NOW_MS + step_ms)
    assert (clock.now_ms(), clock.elapsed_ms()) == (NOW_MS + step_ms, 10.0)
    below.advance(3)
    assert (clock.now_ms(), clock.elapsed_ms()) == (NOW_MS + step_ms + 3, 13.0)


def test_what_can_be_moved_is_told_from_what_cannot() -> None:
    below = FakeClock()
    assert isinstance(below, MovableClock)
    assert isinstance(ShiftedClock(below), MovableClock)
    assert not isinstance(SystemClock(), MovableClock)
