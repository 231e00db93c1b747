"""A flusher that a test holds: groups stay between written and durable until the test says.

It stands in for the disk of any `GroupCommitEngine`: hold it, let go of it, or have it fail.
"""

import asyncio

from penstock.storage.flusher import Done, Job


class HeldFlusher:
    """A `Flusher` that runs jobs at once, or while `hold` is on only at `release`.

    `jobs` counts what was submitted; `errors` are raised by the next jobs, in order, instead of
    running them.
    """

    def __init__(self, *, hold: bool = False) -> None:
        self.hold = hold
        self.jobs = 0
        self.errors: list[Exception] = []
        self._waiting: tuple[Job, Done] | None = None
        self._came = asyncio.Event()

    def submit(self, job: Job, done: Done, loop: asyncio.AbstractEventLoop) -> None:
        self.jobs += 1
        self._waiting = (job, done)
        self._came.set()
        if not self.hold:
            loop.call_soon(self.release)

    @property
    def is_holding(self) -> bool:
        """Say whether a job waits for its release."""
        return self._waiting is not None

    async def came(self) -> None:
        """Wait until a job is held."""
        while self._waiting is None:
            self._came.clear()
            await self._came.wait()

    def release(self) -> None:
        """Run the job that is held, on this thread; nothing if there is none."""
        if self._waiting is None:
            return
        (job, done), self._waiting = self._waiting, None
        error: Exception | None = None
        try:
            if self.errors:
                raise self.errors.pop(0)
            job()
        except Exception as failure:  # noqa: BLE001 - handed to the engine, as a thread would
            error = failure
        done(error)

    def drain(self, seconds_max: float) -> bool:
        self.release()
        return True

    def stop(self) -> None:
        self._waiting = None
