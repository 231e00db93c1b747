"""The health of a server: what of its store and its end a load balancer is told."""

from penstock.base.health import Health, Trouble
from penstock.testing.clock import FakeClock

SILENT_MS = 5000


def test_a_store_that_nobody_asks_after_is_never_out_of_reach() -> None:
    clock = FakeClock()
    health = Health(clock)
    clock.advance(10 * SILENT_MS)
    assert health.trouble() is None


def test_a_store_that_has_been_silent_for_too_long_is_out_of_reach() -> None:
    """As when its answer is on its way for ever, or this process was stopped for a minute."""
    clock = FakeClock()
    health = Health(clock, SILENT_MS)
    clock.advance(SILENT_MS)
    assert health.trouble() is None
    clock.advance(60_000)
    reason = "the store has not answered for 65.0 s"
    assert health.trouble() == Trouble("unavailable", reason)
    health.store_answers()
    assert health.trouble() is None


def test_a_store_that_fails_is_out_of_reach_at_once_until_it_answers() -> None:
    clock = FakeClock()
    health = Health(clock, SILENT_MS)
    clock.advance(200)
    health.store_fails()
    assert health.trouble() == Trouble("unavailable", "the store has not answered for 0.2 s")
    health.store_answers()
    assert health.trouble() is None


def test_a_server_that_stops_says_so_whatever_its_store_does() -> None:
    health = Health(FakeClock(), SILENT_MS)
    health.store_fails()
    health.stop()
    assert health.trouble() == Trouble("stopping", "the server is about to stop")
    health.store_answers()
    assert health.trouble() == Trouble("stopping", "the server is about to stop")
