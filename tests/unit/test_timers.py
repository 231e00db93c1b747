"""Timers follow a clock that is moved; signals wake whoever waits."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from penstock.base.clock import SystemClock
from penstock.base.timers import Signal, Timers
from penstock.testing.clock import FakeClock

_TURNS = 5


async def _turns() -> None:
    for _ in range(_TURNS):
        await asyncio.sleep(0)


def _run(test: Callable[[Timers, FakeClock], Awaitable[None]]) -> None:
    async def run() -> None:
        clock = FakeClock()
        async with asyncio.timeout(30):
            await test(Timers(clock), clock)

    asyncio.run(run())


def test_a_sleep_ends_when_the_clock_has_been_moved_far_enough() -> None:
    async def test(timers: Timers, clock: FakeClock) -> None:
        sleeping = asyncio.create_task(timers.sleep(3_600_000))
        await _turns()
        clock.advance(3_599_999)
        timers.moved()
        await _turns()
        assert not sleeping.done()
        clock.advance(1)
        timers.moved()
        await _turns()
        assert sleeping.done()

    _run(test)


def test_a_sleep_of_no_time_ends_at_once() -> None:
    async def test(timers: Timers, clock: FakeClock) -> None:
        await timers.sleep(0)

    _run(test)


def test_a_clock_that_runs_needs_nobody_to_say_so() -> None:
    async def run() -> None:
        async with asyncio.timeout(30):
            await Timers(SystemClock()).sleep(20)

    asyncio.run(run())


def test_a_wait_ends_by_its_signal_or_by_the_time() -> None:
    async def test(timers: Timers, clock: FakeClock) -> None:
        signal = Signal()
        waits = [asyncio.create_task(timers.wait(signal, ms)) for ms in (1000, 5000, None)]
        await _turns()
        clock.advance(1000)
        timers.moved()
        await _turns()
        assert [wait.done() for wait in waits] == [True, False, False]
        assert waits[0].result() is False
        signal.set()
        await _turns()
        assert [wait.result() for wait in waits] == [False, True, True]
        assert await timers.wait(signal, 1000)  # it stays set
        signal.clear()
        late = asyncio.create_task(timers.wait(signal))
        await _turns()
        assert not late.done()
        late.cancel()

    _run(test)


def test_who_gives_up_leaves_nothing_behind() -> None:
    async def test(timers: Timers, clock: FakeClock) -> None:
        signal = Signal()
        waits = [asyncio.create_task(timers.wait(signal, 1000)) for _ in range(10)]
        await _turns()
        for wait in waits:
            wait.cancel()
        await asyncio.wait(waits)
        assert not timers.waiting
        signal.set()

    _run(test)


@pytest.mark.parametrize("ms", [-1, 0])
def test_what_is_due_already_is_not_waited_for(ms: int) -> None:
    async def test(timers: Timers, clock: FakeClock) -> None:
        assert not await timers.wait(Signal(), ms)

    _run(test)
