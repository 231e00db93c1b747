"""Turns: who was refused for want of room goes before who has just had some.

A mapping whose function is free again calls it at once, so another one that tries now and then
would never find it free: not for another shard where a function has few invocations at a time, nor
for another mapping or an event where all workers are busy. So whoever is done lets the one that has
waited for longest try first. One of another function, for which a worker has to end and another to
begin, has its turn once it has waited for a while.
"""

import asyncio
from typing import NamedTuple

from penstock.base import limits
from penstock.base.timers import Signal, Timers


class _Place(NamedTuple):
    """Which function one that waits is to call, and since when it waits."""

    function_arn: str
    since_ms: float


class Turns:
    """Those that wait for room to invoke their functions, of all mappings and events of a node."""

    def __init__(self) -> None:
        self._waiting: dict[asyncio.Future[None], _Place] = {}
        """In the order in which they came."""

    async def wait(self, function_arn: str, timers: Timers, stop: Signal, ms: float) -> bool:
        """Return after `ms`, or earlier with a turn or when `stop` is set; say whether it is."""
        future = stop.future()
        self._waiting[future] = _Place(function_arn, timers.clock.elapsed_ms())
        try:
            await timers.until(future, ms)
        finally:
            del self._waiting[future]
        return stop.is_set

    async def pass_on(self, function_arn: str, timers: Timers) -> None:
        """Let who has waited for longest try first, now that an invocation is over."""
        latest_ms = timers.clock.elapsed_ms() - limits.turn_after_ms
        for future, place in self._waiting.items():
            is_alike = place.function_arn == function_arn
            if not future.done() and (is_alike or place.since_ms <= latest_ms):
                future.set_result(None)
                await asyncio.sleep(0)
                return
