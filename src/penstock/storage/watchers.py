"""Who waits for a log, by the key of its tip: what every engine's `watch` is made of."""

import asyncio
from collections.abc import Iterable
from functools import partial

Woken = asyncio.Future[None]


class Watchers:
    """Futures that are done once their log's tip is written, or their time is over."""

    def __init__(self) -> None:
        self._waiting: dict[bytes, set[Woken]] = {}

    def __len__(self) -> int:
        """Return how many logs somebody waits for."""
        return len(self._waiting)

    def add(self, tip: bytes, seconds_max: float) -> Woken:
        """Return a future that `wake(tip)` makes done, and `seconds_max` from now at the latest."""
        loop = asyncio.get_running_loop()
        woken: Woken = loop.create_future()
        limit = loop.call_later(seconds_max, wake, woken)
        self._waiting.setdefault(tip, set()).add(woken)
        woken.add_done_callback(partial(self._forget, tip, limit))
        return woken

    @property
    def tips(self) -> Iterable[bytes]:
        """The tips that somebody waits for."""
        return self._waiting.keys()

    def wake(self, written: Iterable[bytes]) -> None:
        """Wake who waits for one of the keys `written`."""
        for tip in self._waiting.keys() & written:
            for woken in self._waiting.pop(tip, ()):
                wake(woken)

    def wake_all(self) -> None:
        """Wake everybody: there may be something anywhere."""
        self.wake(list(self._waiting))

    def forget_all(self) -> None:
        """Forget everybody: their event loop is gone."""
        self._waiting.clear()

    def _forget(self, tip: bytes, limit: asyncio.TimerHandle, woken: Woken) -> None:
        """Forget a future that is done, however that came about."""
        limit.cancel()
        waiting = self._waiting.get(tip)
        if waiting is not None:
            waiting.discard(woken)
            if not waiting:
                del self._waiting[tip]


def wake(woken: Woken) -> None:
    """Make a future done that may be so already, or whose event loop may be gone."""
    if not woken.done() and not woken.get_loop().is_closed():
        woken.set_result(None)
