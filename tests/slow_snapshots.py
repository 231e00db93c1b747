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
    waits = 0
    """How often snapshots have waited."""
    _reading = False

    def snapshot(self, work: Callable[[Reader], T]) -> T:
        assert in_fiber(), "a snapshot that may wait is asked for outside of a fiber"
        assert not self._reading, "a snapshot within another"
        self._wait()
        self._reading = True
        try:
            return super().snapshot(work)
        finally:
            self._reading = False
            self._wait()

    def _wait(self) -> None:
        self.waits += 1
        loop = asyncio.get_running_loop()
        turned = loop.create_future()
        loop.call_soon(_end, turned)
        wait_for(turned)


def _end(turned: "asyncio.Future[None]") -> None:
    if not turned.done():
        turned.set_result(None)
