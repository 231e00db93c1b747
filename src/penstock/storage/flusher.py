"""Where a group is made durable: on a thread of its own, or on the loop's next turn.

A flusher has one job at a time. It runs the job, then calls `done` with its error or None on the
loop's thread. `drain` ends a job without the loop, for `close`; `done` may then be called twice.
"""

import asyncio
import contextlib
import queue
import threading
from collections.abc import Callable
from typing import Protocol

Job = Callable[[], None]
Done = Callable[[Exception | None], None]


class Flusher(Protocol):
    """Runs one job at a time and says when it is done."""

    def submit(self, job: Job, done: Done, loop: asyncio.AbstractEventLoop) -> None:
        """Run `job`, then call `done` on the thread of `loop` with the job's error or None."""
        ...

    def drain(self, seconds_max: float) -> bool:
        """Wait for the job under way and call its `done` here; False if it took too long."""
        ...

    def stop(self) -> None:
        """Take no more jobs."""
        ...


class LoopFlusher:
    """Runs the job on the loop's next turn, for stores without a disk to wait for."""

    def __init__(self) -> None:
        self._waiting: tuple[Job, Done] | None = None

    def submit(self, job: Job, done: Done, loop: asyncio.AbstractEventLoop) -> None:
        self._waiting = (job, done)
        loop.call_soon(self._run)

    def drain(self, seconds_max: float) -> bool:
        self._run()
        return True

    def stop(self) -> None:
        self._waiting = None

    def _run(self) -> None:
        if self._waiting is None:
            return
        (job, done), self._waiting = self._waiting, None
        done(_error_of(job))


class _Flight:
    """One job on the thread."""

    __slots__ = ("done", "error", "job", "landed", "loop")

    def __init__(self, job: Job, done: Done, loop: asyncio.AbstractEventLoop) -> None:
        self.job = job
        self.done = done
        self.loop = loop
        self.landed = threading.Event()
        self.error: Exception | None = None


class ThreadFlusher:
    """Runs jobs on one thread of its own, so that the loop goes on while the disk is waited for."""

    def __init__(self, name: str) -> None:
        self._flights: queue.SimpleQueue[_Flight | None] = queue.SimpleQueue()
        self._last: _Flight | None = None
        # A daemon, so that a disk that never answers cannot keep the process from ending.
        threading.Thread(target=self._run, name=name, daemon=True).start()

    def submit(self, job: Job, done: Done, loop: asyncio.AbstractEventLoop) -> None:
        self._last = _Flight(job, done, loop)
        self._flights.put(self._last)

    def drain(self, seconds_max: float) -> bool:
        flight = self._last
        if flight is None:
            return True
        if not flight.landed.wait(seconds_max):
            return False
        flight.done(flight.error)
        return True

    def stop(self) -> None:
        self._flights.put(None)

    def _run(self) -> None:
        while (flight := self._flights.get()) is not None:
            flight.error = _error_of(flight.job)
            flight.landed.set()
            # A loop that is closed has nobody left to tell; `drain` finds the result.
            with contextlib.suppress(RuntimeError):
                flight.loop.call_soon_threadsafe(flight.done, flight.error)


def _error_of(job: Job) -> Exception | None:
    try:
        job()
    except Exception as error:  # noqa: BLE001 - handed to `done`, which knows whom it concerns
        return error
    return None
