"""The jobs of a cluster: each runs on one node, and on another when that one is gone."""

import asyncio

from penstock.app.job_leases import JobLeases
from penstock.base import limits
from penstock.base.background import Background, Job
from penstock.storage.leases import Leases
from penstock.storage.memory import MemoryEngine
from penstock.storage.prefixes import Prefix
from penstock.storage.waist import Span
from penstock.testing.clock import FakeClock

FOR_EVER_MS = 1e9
DEADLINE_SECONDS = 60.0


class Node:
    """A node with one job that is the cluster's, and tells when it runs."""

    def __init__(self, engine: MemoryEngine, clock: FakeClock, number: int) -> None:
        self.runs = 0
        self.may_end = asyncio.Event()
        self.may_end.set()
        self._more = asyncio.Event()
        job = Job("work", self._run, FOR_EVER_MS)
        self.leases = JobLeases(Leases(engine, clock, number), [job])
        self.background = Background([self.leases.renewal, *self.leases.jobs])

    async def _run(self) -> None:
        self.runs += 1
        self._more.set()
        await self.may_end.wait()

    async def until(self, runs: int) -> None:
        """Wait until the job has been begun that often."""
        async with asyncio.timeout(DEADLINE_SECONDS):
            while self.runs < runs:
                self._more.clear()
                await self._more.wait()

    async def stop(self) -> None:
        await self.background.stop()
        await self.leases.release()


def test_a_job_runs_on_one_node_and_on_the_next_when_that_stops() -> None:
    """At once, without waiting for the lease's end: the first gives it up."""

    async def check() -> None:
        clock = FakeClock()
        engine = MemoryEngine(clock)
        one, other = Node(engine, clock, 1), Node(engine, clock, 2)
        await one.background.start()
        await one.until(1)
        await other.background.start()
        for _ in range(3):
            await other.leases.run()
        assert other.runs == 0
        await one.stop()
        await other.leases.run()
        await other.until(1)
        assert (one.runs, other.runs) == (1, 1)
        await other.stop()
        assert engine.snapshot(lambda r: r.scan(Span.of_prefix(Prefix.LEASE.key), 9)) == []

    asyncio.run(check())


def test_a_node_that_is_gone_is_followed_when_its_lease_is_over() -> None:
    async def check() -> None:
        clock = FakeClock()
        engine = MemoryEngine(clock)
        gone, other = Node(engine, clock, 1), Node(engine, clock, 2)
        await gone.leases.run()
        await other.background.start()
        await other.leases.run()
        clock.advance(int(limits.lease_ms) - 1)
        await other.leases.run()
        assert other.runs == 0
        clock.advance(1)
        await other.leases.run()
        await other.until(1)
        await other.stop()

    asyncio.run(check())


def test_a_job_that_takes_longer_than_its_lease_keeps_it() -> None:
    """The lease is renewed beside it."""

    async def check() -> None:
        clock = FakeClock()
        engine = MemoryEngine(clock)
        one, other = Node(engine, clock, 1), Node(engine, clock, 2)
        one.may_end.clear()
        await one.background.start()
        await one.until(1)
        await other.background.start()
        for _ in range(20):
            clock.advance(int(limits.lease_renewal_ms))
            await one.leases.run()
            await other.leases.run()
        assert (one.runs, other.runs) == (1, 0)
        await one.stop()
        await other.stop()

    asyncio.run(check())


def test_a_job_rests_where_the_lease_is_lost_and_runs_where_it_comes_back() -> None:
    async def check() -> None:
        clock = FakeClock()
        engine = MemoryEngine(clock)
        one, other = Node(engine, clock, 1), Node(engine, clock, 2)
        (job,) = one.leases.jobs
        await one.leases.run()
        await other.leases.run()
        assert job.is_ours()
        clock.advance(int(limits.lease_ms))
        assert not job.is_ours(), "it was not renewed in time"
        await other.leases.run()
        await one.leases.run()
        assert not job.is_ours()
        await other.leases.release()
        await one.leases.run()
        assert job.is_ours()

    asyncio.run(check())


def test_a_store_that_cannot_answer_does_not_hold_up_the_stop() -> None:
    async def check() -> None:
        clock = FakeClock()
        engine = MemoryEngine(clock)
        node = Node(engine, clock, 1)
        await node.leases.run()
        engine.close()
        await node.leases.release()

    asyncio.run(check())
