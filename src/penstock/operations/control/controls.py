"""What the test controls keep, all of it in memory: one object for the whole server.

It is there only where the server was started with test controls; nothing asks it otherwise.
"""

import asyncio

from penstock.base import limits
from penstock.base.background import Background, JobsFailed
from penstock.base.clock import MovableClock
from penstock.base.errors import control
from penstock.base.ids import Entropy
from penstock.base.wait import Wait
from penstock.operations.control.faults import Faults
from penstock.operations.control.issued_iterators import IssuedIterators
from penstock.operations.control.progress import Progress
from penstock.streams.iterator import NONCE_BITS


class Controls:
    """The clock that tests move, and what else they have asked for."""

    def __init__(self, clock: MovableClock, entropy: Entropy) -> None:
        self.clock = clock
        """The clock of the whole server."""
        self.iterators = IssuedIterators(entropy.bits(NONCE_BITS))
        self.faults = Faults()
        self.progress = Progress()
        self.waits: set[Wait] = set()
        """The reads that are held while there is nothing to read."""
        self._background: Background | None = None
        self._stopping = asyncio.Event()

    @property
    def is_stopping(self) -> bool:
        """Say whether the server stops, so that nobody may wait any more."""
        return self._stopping.is_set()

    def stop(self) -> None:
        """Let every action that waits, or would, fail with ServiceUnavailable; safe twice.

        On the loop's thread, before the edge stops, which waits for the answers.
        """
        self._stopping.set()
        self.progress.wake()

    def look_again(self) -> None:
        """Let the reads that are held find out whether time or a test has ended their iterators."""
        for wait in self.waits:
            wait.wake()

    def follow(self, background: Background) -> None:
        """Have `catch_up` wait for the jobs of `background`, which is made after this object."""
        self._background = background

    async def catch_up(self, seconds_max: float = limits.catch_up_seconds_max) -> None:
        """Return when every background job has seen the time that the clock tells now.

        Raises CatchUpTimeout after `seconds_max`, CatchUpFailed where jobs have failed; they go on
        by themselves then. Raises ServiceUnavailable where the server stops meanwhile.
        """
        if self._background is None:
            return
        # Not `asyncio.timeout`: an action's first steps are outside any task.
        caught_up = asyncio.ensure_future(self._background.catch_up())
        stopping = asyncio.ensure_future(self._stopping.wait())
        try:
            done, _ = await asyncio.wait(
                {caught_up, stopping}, timeout=seconds_max, return_when=asyncio.FIRST_COMPLETED
            )
        finally:
            caught_up.cancel()
            stopping.cancel()
        if caught_up not in done:
            raise control.stopping() if done else control.catch_up_timeout(seconds_max)
        try:
            caught_up.result()
        except JobsFailed as failed:
            raise control.catch_up_failed(failed.failures) from failed
