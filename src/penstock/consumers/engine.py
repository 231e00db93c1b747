"""The mapping engine: runs the mappings of a store that are this node's to run.

It looks at the stored mappings when its alarm rings and every second, starts and stops what runs
accordingly, and moves their states on. A mapping is run by one node at a time, by a lease; a node
that loses it stops at once, and its checkpoints are refused.
"""

import asyncio
import contextlib
from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from typing import Any, NamedTuple

import msgspec

from penstock.base import limits
from penstock.base.background import Alarm, Job
from penstock.base.errors.engine import EngineError
from penstock.base.ids import Entropy
from penstock.base.timers import Signal, Timers
from penstock.consumers.checkpoints import (
    Checkpoints,
    Fence,
    LeaseLost,
    checkpoints_lock,
    forget_all,
)
from penstock.consumers.context import MappingContext, log
from penstock.consumers.counts import MappingCounts
from penstock.consumers.deliverer import Deliverer
from penstock.consumers.delivery import backoff_ms
from penstock.consumers.runner import MappingRunner
from penstock.consumers.source import Source
from penstock.functions.filters import compile_filters
from penstock.functions.invoker import Invoker
from penstock.functions.mapping import (
    MAPPINGS_LOCK,
    Mapping,
    find_mapping,
    forget_mapping,
    mappings,
    store_mapping,
)
from penstock.functions.turns import Turns
from penstock.storage.fibers import in_fibers
from penstock.storage.leases import Leases, lease_key, lease_lock
from penstock.storage.waist import Engine, Transaction

_CHANGING = frozenset({"Creating", "Enabling", "Disabling", "Updating"})


class MappingShown(NamedTuple):
    """What is shown of a mapping that is run here."""

    mapping: Mapping
    counts: MappingCounts


class MappingEngine:
    """Runs mappings: `job` is to be run beside the requests, and `stop` called at the end.

    `source_of` opens what a mapping reads. Without `leases` every mapping is this node's.
    """

    def __init__(
        self,
        store: Engine,
        timers: Timers,
        entropy: Entropy,
        invoker: Invoker,
        failures: Deliverer,
        source_of: Callable[[Mapping], Source],
        leases: Leases | None = None,
        alarm: Alarm | None = None,
        turns: Turns | None = None,
    ) -> None:
        self.store = store
        self.timers = timers
        self.entropy = entropy
        self.invoker = invoker
        self.failures = failures
        self.source_of = source_of
        self.turns = turns or Turns()
        self._leases = leases
        self._asked: set[bytes] = set()
        """The leases that have been asked for, of the mappings that there were at the last look."""
        self._mappings: dict[str, _Supervised] = {}
        self.job = Job("mappings", self.run, limits.mapping_look_interval_ms, alarm or Alarm())

    def shown(self) -> list[MappingShown]:
        """Return what is shown of the mappings that are run here, by their ids."""
        ordered = sorted(self._mappings.items())
        return [MappingShown(each.mapping, each.counts) for _, each in ordered if not each.is_over]

    async def run(self) -> None:
        """Look at the clock and at the stored mappings, and let each be run as it is stored."""
        self.timers.moved()
        stored = self.store.snapshot(lambda reader: list(mappings(reader)))
        await self._ask_for_new(stored)
        ours = {each.uuid: each for each in stored if self.is_ours(each)}
        for mapping_uuid in [each for each in self._mappings if each not in ours]:
            self._mappings.pop(mapping_uuid).abandon()
        for mapping_uuid, mapping in ours.items():
            supervised = self._mappings.get(mapping_uuid)
            if supervised is None or supervised.is_over:
                self._mappings[mapping_uuid] = _Supervised(self, mapping)
            else:
                supervised.follow(mapping)

    async def _ask_for_new(self, stored: Sequence[Mapping]) -> None:
        """Ask for the leases of mappings not seen before: the job that renews them comes later."""
        if self._leases is None:
            return
        names = {lease_of(each) for each in stored}
        new = names - self._asked
        self._asked &= names
        if new:
            with contextlib.suppress(EngineError):  # then at the next look
                await self._leases.take(new)
                self._asked |= new

    @property
    def lease_job(self) -> Job:
        """The job that asks for the leases, on each node of several that share a store."""
        return Job("mapping leases", self.lease, limits.lease_renewal_ms)

    async def lease(self) -> None:
        """Renew the leases of the mappings that are run here, ask for those that are free."""
        assert self._leases is not None  # a job of nodes that share a store
        stored = self.store.snapshot(lambda reader: list(mappings(reader)))
        names = [lease_of(each) for each in stored]
        before = {name for name in names if self._leases.holds(name)}
        if names and await self._leases.take(names) != before:
            self.job.alarm.ring()

    async def stop(
        self,
        seconds_max: float = limits.functions_stop_seconds_max,
        cut_seconds_max: float = limits.background_stop_seconds_max,
    ) -> None:
        """Begin no call any more, wait for those under way for `seconds_max`; safe twice.

        What is not done by then is cut, and begins again at the next start, from the checkpoints.
        """
        supervised, self._mappings = list(self._mappings.values()), {}
        ending = [runner for each in supervised if (runner := each.finish()) is not None]
        if ending:
            await asyncio.wait(ending, timeout=seconds_max)
        tasks = [task for each in supervised for task in each.abandon()]
        if tasks:
            await asyncio.wait(tasks, timeout=cut_seconds_max)
        await self.give_up([each.mapping for each in supervised])

    async def give_up(self, given: Sequence[Mapping]) -> None:
        """Let another node have the leases of mappings that do not run here any more."""
        if self._leases is not None and given:
            with contextlib.suppress(EngineError, TimeoutError):  # then they wait for their end
                async with asyncio.timeout(limits.mapping_release_seconds_max):
                    await self._leases.release(map(lease_of, given))

    def fence(self, mapping: Mapping) -> Fence:
        """Return what makes sure that a checkpoint is written by the mapping's node alone."""
        leases = self._leases
        if leases is None:
            return Fence()
        name = lease_of(mapping)

        def is_held(txn: Transaction) -> bool:
            return leases.is_held_in(txn, name)

        return Fence([lease_lock(name)], [lease_key(name)], is_held)

    def spawn(self, work: Callable[[], Coroutine[Any, Any, None]]) -> asyncio.Task[None]:
        """Begin a task, in a fiber where that is what snapshots of the store need."""
        return asyncio.create_task(in_fibers(work)() if self.store.snapshots_wait else work())

    def is_ours(self, mapping: Mapping) -> bool:
        """Say whether a mapping is this node's to run, at this moment."""
        return self._leases is None or self._leases.holds(lease_of(mapping))


class _Supervised:
    """A mapping that is this node's: run as it is stored, and its states moved on."""

    def __init__(self, engine: MappingEngine, mapping: Mapping) -> None:
        self._engine = engine
        self.mapping = mapping
        self.counts = MappingCounts()
        self._changed = Signal()
        self._context: MappingContext | None = None
        self._runner: asyncio.Task[None] | None = None
        self._failures = 0
        self._task = engine.spawn(self._supervise)

    @property
    def is_over(self) -> bool:
        """Whether it has ended: the mapping is no more, or is another node's."""
        return self._task.done()

    def follow(self, mapping: Mapping) -> None:
        """Take in how the mapping is stored now."""
        if mapping != self.mapping:
            self.mapping = mapping
            self._changed.set()

    def finish(self) -> asyncio.Task[None] | None:
        """Begin no call any more; return the task that ends with the last one under way."""
        self._task.cancel()
        if self._context is not None:
            self._context.stop.set()
        return self._runner

    def abandon(self) -> list[asyncio.Task[None]]:
        """Stop at once; return the tasks that are to end by that."""
        tasks = [task for task in (self._task, self._runner) if task is not None]
        for task in tasks:
            task.cancel()
        return tasks

    async def _supervise(self) -> None:
        while True:
            self._changed.clear()
            try:
                if await self._step():
                    return
                self._failures = 0
                await self._engine.timers.wait(self._changed)
            except LeaseLost:
                return
            except EngineError as error:
                await self._after(error)
            except Exception as error:  # noqa: BLE001 - a bug of ours ends one step, not the server
                told = {"mapping": self.mapping.uuid}
                log.error("A mapping failed by a bug", extra=told, exc_info=error)
                await self._after(error)

    async def _after(self, error: Exception) -> None:
        self._failures += 1
        log.warning(
            "A mapping could not be moved on",
            extra={"mapping": self.mapping.uuid, "error": repr(error)},
        )
        await self._engine.timers.sleep(backoff_ms(self._failures))

    async def _step(self) -> bool:
        """Run the mapping as it is stored now; say whether it is no more."""
        mapping = self.mapping
        if self._runner is not None and self._runner.done():
            runner, self._runner, self._context = self._runner, None, None
            runner.result()
        runs = mapping.enabled and mapping.state not in ("Deleting", "Disabling")
        context = self._context
        if context is not None and not (runs and context.mapping.generation == mapping.generation):
            await self._stop_runner(context)
        if mapping.state == "Deleting":
            await _remove(self._engine.store, mapping)
            await self._engine.give_up([mapping])
            return True
        if runs and self._runner is None:
            self._start_runner(mapping)
        if mapping.state in _CHANGING:
            settled = await _settle(self._engine.store, mapping)
            if settled is not None:
                self.mapping = settled
        return False

    def _start_runner(self, mapping: Mapping) -> None:
        engine = self._engine
        context = MappingContext(
            mapping,
            engine.source_of(mapping),
            engine.invoker,
            Checkpoints(engine.store, mapping.id, engine.fence(mapping)),
            engine.failures,
            engine.timers,
            engine.entropy,
            compile_filters(mapping.patterns) if mapping.patterns else None,
            self.counts,
            is_ours=partial(engine.is_ours, mapping),
            turns=engine.turns,
        )
        self._context = context
        self._runner = engine.spawn(MappingRunner(context).run)
        self._runner.add_done_callback(lambda _: self._changed.set())

    async def _stop_runner(self, context: MappingContext) -> None:
        """Let what is under way end, and begin nothing any more."""
        runner = self._runner
        assert runner is not None  # it has a context
        context.stop.set()
        await asyncio.wait([runner])
        self._runner, self._context = None, None
        runner.result()


def lease_of(mapping: Mapping) -> bytes:
    """Return the name of the lease of whoever runs a mapping."""
    return b"mapping/" + mapping.id


async def _settle(store: Engine, mapping: Mapping) -> Mapping | None:
    """Store that a mapping is Enabled or Disabled; None where it has changed meanwhile."""
    settled = msgspec.structs.replace(mapping, state="Enabled" if mapping.enabled else "Disabled")

    def work(txn: Transaction) -> Mapping | None:
        if find_mapping(txn, mapping.region, mapping.uuid) != mapping:
            return None
        store_mapping(txn, settled)
        return settled

    return await store.transact(work, locks=[MAPPINGS_LOCK])


async def _remove(store: Engine, mapping: Mapping) -> None:
    """Take a mapping away with all that it has stored."""

    def work(txn: Transaction) -> None:
        forget_mapping(txn, mapping)
        forget_all(txn, mapping.id)

    await store.transact(work, locks=[MAPPINGS_LOCK, checkpoints_lock(mapping.id)])
