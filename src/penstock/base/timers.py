"""Waiting by a clock that tests may move: timers, and signals to be waited for with a limit."""

import asyncio
from functools import partial

from penstock.base.clock import Clock

_LOOK_MS_MIN = 1.0


class Signal:
    """Is set or not; whoever waits for it is woken when it is set. Of one event loop."""

    def __init__(self) -> None:
        self.is_set = False
        self._waiting: list[asyncio.Future[None]] = []

    def set(self) -> None:
        """Wake all who wait, and let nobody wait until it is cleared."""
        self.is_set = True
        waiting, self._waiting = self._waiting, []
        for future in waiting:
            if not future.done():
                future.set_result(None)

    def clear(self) -> None:
        """Let those who come wait again."""
        self.is_set = False

    def future(self) -> asyncio.Future[None]:
        """Return what is done once it is set; who waits no longer cancels or finishes it."""
        future = asyncio.get_running_loop().create_future()
        if self.is_set:
            future.set_result(None)
        else:
            self._waiting = [each for each in self._waiting if not each.done()]
            self._waiting.append(future)
        return future


class Timers:
    """Waits that end when `clock` says so. After a move of the clock, `moved` is to be called."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self._due: dict[asyncio.Future[None], float] = {}
        self._handles: dict[asyncio.Future[None], asyncio.TimerHandle] = {}

    @property
    def waiting(self) -> int:
        """How many wait for a time."""
        return len(self._due)

    async def sleep(self, ms: float) -> None:
        """Return once `ms` milliseconds of the clock have passed."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._watch(future, ms)
        await future

    async def wait(self, signal: Signal, ms: float | None = None) -> bool:
        """Return once `signal` is set, or `ms` milliseconds have passed; say whether it is set."""
        if not signal.is_set:
            await self.until(signal.future(), ms)
        return signal.is_set

    async def until(self, future: asyncio.Future[None], ms: float | None = None) -> None:
        """Return once `future` is done, which it is after `ms` milliseconds at the latest."""
        if ms is not None:
            self._watch(future, ms)
        await future

    def moved(self) -> None:
        """Look at the clock again."""
        for future in list(self._due):
            self._look(future)

    def _watch(self, future: asyncio.Future[None], ms: float) -> None:
        self._due[future] = self.clock.elapsed_ms() + ms
        future.add_done_callback(self._forget)
        self._look(future)

    def _look(self, future: asyncio.Future[None]) -> None:
        if future.done():
            return
        left_ms = self._due[future] - self.clock.elapsed_ms()
        if left_ms <= 0:
            future.set_result(None)
            return
        self._cancel(future)
        seconds = max(left_ms, _LOOK_MS_MIN) / 1000
        loop = asyncio.get_running_loop()
        self._handles[future] = loop.call_later(seconds, partial(self._look, future))

    def _forget(self, future: asyncio.Future[None]) -> None:
        self._due.pop(future, None)
        self._cancel(future)

    def _cancel(self, future: asyncio.Future[None]) -> None:
        handle = self._handles.pop(future, None)
        if handle is not None:
            handle.cancel()
