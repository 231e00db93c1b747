"""Turns: who was refused for want of room goes before who has just had some.

A lane whose function is free again calls it at once, so another one that tries now and then would
never find it free: not for another shard where a function has few invocations at a time, nor for
another mapping where all workers are busy. So whoever is done lets the one that has waited for
longest try first, if that has waited for a while.
"""

import asyncio

from penstock.base import limits
from penstock.base.timers import Signal, Timers


class Turns:
    """Those that wait for room to invoke their functions, of all mappings of a node."""

    def __init__(self) -> None:
        self._waiting: dict[asyncio.Future[None], float] = {}
        """Since when each waits, in their order."""

    async def wait(self, timers: Timers, stop: Signal, ms: float) -> bool:
        """Return after `ms`, or earlier with a turn or when `stop` is set; say whether it is."""
        future = stop.future()
        self._waiting[future] = timers.clock.elapsed_ms()
        try:
            await timers.until(future, ms)
        finally:
            del self._waiting[future]
        return stop.is_set

    async def pass_on(self, timers: Timers) -> None:
        """Let who has waited for longest try first, now that an invocation is over."""
        future = next((each for each in self._waiting if not each.done()), None)
        if future is None:
            return
        if timers.clock.elapsed_ms() - self._waiting[future] >= limits.turn_after_ms:
            future.set_result(None)
            await asyncio.sleep(0)
