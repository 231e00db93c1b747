"""The leases of jobs: what runs beside the requests runs once, on however many nodes share a store.

Every node asks for the leases of all jobs, again and again. The one that has a job's lease runs it;
the others let its time pass. A node that comes to a lease runs the job at once.
"""

import asyncio
import contextlib
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from penstock.base import limits
from penstock.base.background import Job
from penstock.base.errors.engine import EngineError
from penstock.storage.leases import Leases


class JobLeases:
    """The leases of one node's jobs."""

    def __init__(self, leases: Leases, jobs: Sequence[Job]) -> None:
        self._leases = leases
        self._alarms = {_lease_of(job): job.alarm for job in jobs}
        self.renewal = Job("leases", self.run, limits.lease_renewal_ms)
        """The job that asks for the leases: every node's own."""
        self.jobs = [replace(job, is_ours=partial(leases.holds, _lease_of(job))) for job in jobs]
        """The jobs, each only where its lease is."""

    async def run(self) -> None:
        """Renew what is held, take what is free, and wake the jobs that have become ours."""
        before = {name for name in self._alarms if self._leases.holds(name)}
        for name in await self._leases.take(self._alarms) - before:
            self._alarms[name].ring()

    async def release(self, seconds_max: float = limits.lease_release_seconds_max) -> None:
        """Let another node have all of it at once; when the jobs have stopped."""
        with contextlib.suppress(EngineError, TimeoutError):  # then it waits for the lease's end
            async with asyncio.timeout(seconds_max):
                await self._leases.release(self._alarms)


def _lease_of(job: Job) -> bytes:
    return b"job/" + job.name.encode()
