"""Background: what runs beside the requests, a loop for each job, from `start` to `stop`.

A `Job` does what there is to do in steps that each take little of the loop's time, and can be
driven by a test alone: `await job.run()`. Here is only when it runs: at the start, when its alarm
rings, and otherwise when it asked to, or after its interval. Whatever a job fails with is logged
and it runs again; it never ends the server.

Where several servers share a store, a job may be one server's at a time: then its time passes here
without it, until its alarm tells that it is ours. That saves work and nothing else: at any moment
two servers may run the same job, so each step of a job is a transaction that checks for itself.

Waiting is in real time. Who moves a clock by hand calls `catch_up` to have the jobs look again, and
is told which of them failed. Every job runs then, whose turn it is or not: no other server has seen
that time.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any

from penstock.base import limits
from penstock.base.errors.engine import EngineError

log = logging.getLogger(__name__)


class Alarm:
    """Rings where there is work for a job; it stays rung until the job hears it."""

    def __init__(self) -> None:
        self._rung = asyncio.Event()

    def ring(self) -> None:
        """Wake the job, or have it run once more where it runs now. On the loop's thread."""
        self._rung.set()

    async def wait(self, ms_max: float) -> bool:
        """Return once it has rung since the last call, `ms_max` milliseconds later at most.

        Says whether it has.
        """
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(ms_max / 1000):
                await self._rung.wait()
        has_rung = self._rung.is_set()
        self._rung.clear()
        return has_rung


def _always() -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Job:
    """Something to be done again and again.

    `run` returns the milliseconds after which it wants to run again, or None for `interval_ms`.
    `is_ours` says, whenever it would run, whether that is for this server to do. Where its alarm
    rings and it is not, `pass_on` tells the server that has it.
    """

    name: str
    run: Callable[[], Coroutine[Any, Any, float | None]]
    interval_ms: float
    alarm: Alarm = field(default_factory=Alarm)
    is_ours: Callable[[], bool] = _always
    pass_on: Callable[[], Coroutine[Any, Any, None]] | None = None


class JobsFailed(Exception):
    """Jobs have run and failed; `failures` are their names and what each failed with."""

    def __init__(self, failures: Sequence[tuple[str, Exception]]) -> None:
        super().__init__("; ".join(f"{name}: {error!r}" for name, error in failures))
        self.failures = failures


class Background:
    """The jobs of one server."""

    def __init__(self, jobs: Sequence[Job]) -> None:
        self._loops = [_JobLoop(job) for job in jobs]
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Let every job run for the first time as soon as the loop comes to it."""
        self._tasks = [
            asyncio.create_task(each.run_until_cancelled(), name=each.job.name)
            for each in self._loops
        ]

    async def catch_up(self) -> None:
        """Let every job run from its beginning once more, one after the other in their order.

        So each finds what those before it have left. Only between `start` and `stop`. Raises
        JobsFailed where any failed, after the others have run all the same.
        """
        failures = []
        for each in self._loops:
            failure = await each.run_again()
            if failure is not None:
                failures.append((each.job.name, failure))
        if failures:
            raise JobsFailed(failures)

    async def stop(self, seconds_max: float = limits.background_stop_seconds_max) -> None:
        """Stop every job where it waits, within `seconds_max`; safe twice.

        What a job had not finished it begins again at the next start.
        """
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=seconds_max)


class _JobLoop:
    def __init__(self, job: Job) -> None:
        self.job = job
        self._awaiting_end: list[asyncio.Future[Exception | None]] = []
        self._trouble: str | None = None

    async def run_until_cancelled(self) -> None:
        has_rung = False
        while True:
            ended, self._awaiting_end = self._awaiting_end, []
            wait_ms, failure = None, None
            if ended or self.job.is_ours():
                wait_ms, failure = await self._run(self.job.run)
            elif has_rung and self.job.pass_on is not None:
                await self._run(self.job.pass_on)
            for future in ended:
                if not future.done():
                    future.set_result(failure)
            has_rung = await self.job.alarm.wait(
                self.job.interval_ms if wait_ms is None else wait_ms
            )

    async def run_again(self) -> Exception | None:
        """Return when the job has run once more, with what it failed with, if it did."""
        end: asyncio.Future[Exception | None] = asyncio.get_running_loop().create_future()
        self._awaiting_end.append(end)
        self.job.alarm.ring()
        return await end

    async def _run(
        self, run: Callable[[], Coroutine[Any, Any, float | None]]
    ) -> tuple[float | None, Exception | None]:
        """Run the job, or what passes it on; the one place where one is run.

        Returns when it wants to run again, and what it failed with.
        """
        try:
            wait_ms = await run()
        except EngineError as error:
            self._note(repr(error))
            return None, error
        except Exception as error:  # a bug of ours ends one run, never the server
            log.exception("A background job failed", extra={"job": self.job.name})
            return None, error
        self._note(None)
        return wait_ms, None

    def _note(self, trouble: str | None) -> None:
        """Tell the log when the store begins or ceases to refuse the job, not at every run."""
        if trouble is not None and trouble != self._trouble:
            log.warning(
                "A background job could not use the store",
                extra={"job": self.job.name, "error": trouble},
            )
        elif trouble is None and self._trouble is not None:
            log.info("A background job can use the store again", extra={"job": self.job.name})
        self._trouble = trouble
