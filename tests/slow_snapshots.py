"""An engine in memory whose snapshots wait, as those of an engine across a network do."""

import asyncio
from collections.abc import Callable

from penstock.storage.fibers import in_fiber, wait_for
from penstock.storage.memory import MemoryEngine
from penstock.storage.waist import Reader, T


class SlowSnapshots(MemoryEngine):
    """Every snapshot waits for the loop, before its view is taken and after it.

    So others run between what is read and the next line. Whoever asks must be in a fiber, and may
    not ask for a snapshot within the work of another.
    """

    snapshots_wait = True
    snapshots = 0
    """How many there were."""
    _held: "asyncio.Future[None] | None" = None
    _reading = False

    def hold_next(self) -> "asyncio.Future[None]":
        """Let the next snapshot take its view, and return when this future is done."""
        self._held = asyncio.get_running_loop().create_future()
        return self._held

    def snapshot(self, work: Callable[[Reader], T]) -> T:
        assert in_fiber(), "a snapshot that may wait is asked for outside of a fiber"
        assert not self._reading, "a snapshot within another"
        self.snapshots += 1
        held, self._held = self._held, None
        wait_for(_turn())
        self._reading = True
        try:
            return super().snapshot(work)
        finally:
            self._reading = False
            wait_for(held or _turn())


def _turn() -> "asyncio.Future[None]":
    """Return what is done on the loop's next turn."""
    loop = asyncio.get_running_loop()
    turned = loop.create_future()
    loop.call_soon(_end, turned)
    return turned


def _end(turned: "asyncio.Future[None]") -> None:
    if not turned.done():
        turned.set_result(None)
