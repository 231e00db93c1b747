"""What a node does beside the requests: all of a store's jobs, or its part of them in a cluster."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import replace
from typing import Any, ParamSpec, TypeVar

from penstock.app.bell import Bell
from penstock.app.job_leases import JobLeases
from penstock.app.jobs import jobs
from penstock.app.settings import Settings
from penstock.app.store_check import StoreCheck
from penstock.base import limits
from penstock.base.background import Background, Job
from penstock.base.clock import Clock, SystemClock
from penstock.base.health import Health
from penstock.base.ids import Entropy
from penstock.consumers.engine import MappingEngine, MappingShown
from penstock.operations.operation import Services
from penstock.storage.fibers import in_fibers
from penstock.storage.leases import HOLDER_BITS, Leases
from penstock.storage.waist import Engine
from penstock.tables.shared_load import SharedLoad

P = ParamSpec("P")
T = TypeVar("T")


class Beside:
    """What runs beside the requests of one node, and what its health page tells."""

    def __init__(
        self,
        background: Background,
        health: Health,
        leases: JobLeases | None = None,
        bells: Sequence[Bell] = (),
        mappings: MappingEngine | None = None,
    ) -> None:
        self.background = background
        self.health = health
        self.mappings = mappings
        self._leases = leases
        self._bells = bells

    def shown_mappings(self) -> Sequence[MappingShown]:
        """Return what is shown of the mappings that are run here."""
        return () if self.mappings is None else self.mappings.shown()

    async def start(self) -> None:
        """Let everything run, until `stop`."""
        for bell in self._bells:
            bell.start()
        await self.background.start()

    async def stop(self) -> None:
        """Stop all jobs, and let other nodes have them; safe twice."""
        for bell in self._bells:
            bell.stop()
        await self.background.stop()
        stops = [] if self.mappings is None else [self.mappings.stop()]
        if self._leases is not None:
            stops.append(self._leases.release())
        await asyncio.gather(*stops)


def beside(
    services: Services,
    settings: Settings,
    entropy: Entropy,
    machine: Clock | None = None,
    *,
    every_node: Sequence[Job] = (),
    mappings_of: Callable[[Leases | None], MappingEngine] | None = None,
) -> Beside:
    """Return what runs beside the requests of a node that is made of `services`.

    Where the store is its own, that is every job. Where nodes share it, each job runs where its
    lease is, and each node tells what load it has and finds out whether it can reach the store.
    `machine` is the machine's time, which no test moves: others rely on it. The jobs of
    `every_node` run on each. `mappings_of` makes the engine that runs the mappings of which this
    node has the lease, or all of them.
    """
    machine = machine or SystemClock()
    tables = services.tables
    engine = tables.engine
    if not settings.is_shared:
        mappings = None if mappings_of is None else mappings_of(None)
        every = [*jobs(services, settings), *every_node]
        if mappings is not None:
            every.append(mappings.job)
        return Beside(_background(engine, every), Health(machine), mappings=mappings)
    node = entropy.bits(HOLDER_BITS)
    held = Leases(engine, machine, node)
    mappings = None if mappings_of is None else mappings_of(held)
    load = SharedLoad(engine, tables.clock, tables.load, node)
    health = Health(machine, limits.store_silent_ms_max)
    leases = JobLeases(held, jobs(services, settings, load))
    own = [
        Job("shared load", load.share, limits.load_shared_interval_ms),  # before it is judged
        StoreCheck(engine, health).job,
        leases.renewal,
        *every_node,
    ]
    if mappings is not None:
        own += [mappings.lease_job, mappings.job]
    heard = [services.work]
    if services.functions is not None:
        heard.append(services.functions.events.alarm)
    bells = {
        job.name: Bell(engine, job.name, job.alarm, job.is_ours)
        for job in leases.jobs
        if job.alarm in heard
    }
    leased = [
        replace(job, pass_on=bells[job.name].ring) if job.name in bells else job
        for job in leases.jobs
    ]
    background = _background(engine, [*own, *leased])
    return Beside(background, health, leases, list(bells.values()), mappings)


def for_engine(
    engine: Engine, run: Callable[P, Coroutine[Any, Any, T]]
) -> Callable[P, Coroutine[Any, Any, T]]:
    """Return `run`, in fibers where that is what snapshots of `engine` need in order to wait."""
    return in_fibers(run) if engine.snapshots_wait else run


def _background(engine: Engine, given: Sequence[Job]) -> Background:
    return Background([replace(job, run=for_engine(engine, job.run)) for job in given])
