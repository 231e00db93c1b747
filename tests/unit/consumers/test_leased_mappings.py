"""Mappings on several nodes of one store: each is run by the node that has its lease."""

import asyncio
from typing import Any

import msgspec

from penstock.base import limits
from penstock.base.errors.engine import EngineUnavailable
from penstock.base.ids import Entropy
from penstock.base.timers import Timers
from penstock.consumers.checkpoints import load_checkpoints
from penstock.consumers.engine import MappingEngine, lease_of
from penstock.consumers.local_source import LocalSource
from penstock.functions.invoker import Outcome
from penstock.functions.mapping import MAPPINGS_LOCK, Mapping, store_mapping
from penstock.storage.leases import Leases, lease_key
from unit.consumers.world import FakeFunction, World, answered, in_world


class Node:
    """One node of several over a world's store, with a function of its own that tells it apart."""

    def __init__(self, world: World, number: int) -> None:
        self.function = FakeFunction()
        self.leases = Leases(world.store, world.clock, number)
        self.engine = MappingEngine(
            world.store,
            Timers(world.clock),
            Entropy(number),
            self.function,
            world.destination,
            lambda mapping: LocalSource(world.store, world.clock, mapping.source_arn),
            self.leases,
        )
        self._world = world

    async def look(self) -> None:
        """Do what its jobs do: ask for leases, and look at the mappings."""
        await self.engine.lease()
        await self.engine.run()
        await self._world.settle()


async def take_over(world: World, node: Node) -> None:
    """Let time pass until `node` has what another one has ceased to renew."""
    await node.look()
    for _ in range(int(limits.lease_ms / limits.lease_renewal_ms) + 1):
        world.clock.advance(int(limits.lease_renewal_ms))
        await node.look()


class Gate:
    """An answer that comes when the test opens the gate."""

    def __init__(self) -> None:
        self.open = asyncio.Event()

    async def __call__(self, event: dict[str, Any]) -> Outcome:
        await self.open.wait()
        return answered()


@in_world()
async def test_a_mapping_is_run_by_one_node_and_taken_over_where_it_stopped(world: World) -> None:
    one, two = Node(world, 1), Node(world, 2)
    await world.create()
    await world.engine.stop()
    await one.look()
    await two.look()
    await world.put("a")
    assert (one.function.batches, two.function.batches) == ([["a"]], [])
    await one.engine.stop()  # which gives the lease up
    await two.look()
    await world.put("b")
    assert (one.function.batches, two.function.batches) == ([["a"]], [["b"]])
    await two.engine.stop()


@in_world()
async def test_a_new_mapping_is_run_by_the_first_node_that_sees_it_at_once(world: World) -> None:
    """Not when leases are renewed, which is seconds later."""
    one, two = Node(world, 1), Node(world, 2)
    for node in (one, two):
        await node.look()
    mapping = await world.create(state="Creating")
    await world.engine.stop()
    await one.engine.run()
    await two.engine.run()
    await world.put("a")
    assert (one.function.batches, two.function.batches) == ([["a"]], [])
    await one.engine.stop()
    await two.engine.run()
    await world.put("b")
    assert two.function.batches == [], "what another node had is asked for at the renewals"
    await two.look()
    assert two.function.batches == [["b"]]
    assert world.state(mapping) == "Enabled"
    await two.engine.stop()


@in_world()
async def test_a_lease_of_a_new_mapping_is_asked_for_again_where_the_store_could_not_say(
    world: World,
) -> None:
    one = Node(world, 1)
    await world.create()
    await world.engine.stop()
    transact = world.store.transact

    def unavailable(*arguments: Any, **more: Any) -> Any:
        raise EngineUnavailable("for the test")

    world.store.transact = unavailable  # type: ignore[method-assign]
    await one.engine.run()
    assert one.engine.shown() == []
    world.store.transact = transact  # type: ignore[method-assign]
    await one.engine.run()
    await world.put("a")
    assert one.function.batches == [["a"]]
    await one.engine.stop()


@in_world()
async def test_a_node_that_was_stopped_and_wakes_late_calls_and_stores_nothing(
    world: World,
) -> None:
    """It has records at hand that the other node has long been through."""
    one, two = Node(world, 1), Node(world, 2)
    mapping = await world.create(batch_size=1)
    await world.engine.stop()
    gate = Gate()
    one.function.answer = gate
    await one.look()
    await world.put("a", "b", "c")
    assert one.function.batches == [["a"]]
    await take_over(world, two)
    await world.put("d")
    assert two.function.batches == [["a"], ["b"], ["c"], ["d"]]
    before = _checkpoints(world, mapping)
    gate.open.set()
    await world.settle()  # before it has looked at anything
    assert one.function.batches == [["a"]]
    assert _checkpoints(world, mapping) == before
    await one.look()
    assert one.engine.shown() == []
    await one.engine.stop()
    await two.engine.stop()


@in_world()
async def test_a_node_that_cannot_reach_the_store_calls_nothing_after_its_lease(
    world: World,
) -> None:
    one = Node(world, 1)
    await world.create(batch_size=1)
    await world.engine.stop()
    gate = Gate()
    one.function.answer = gate
    await one.look()
    await world.put("a", "b")
    snapshot, transact = world.store.snapshot, world.store.transact

    def unavailable(*arguments: Any, **more: Any) -> Any:
        raise EngineUnavailable("for the test")

    world.store.snapshot = unavailable  # type: ignore[method-assign]
    world.store.transact = unavailable  # type: ignore[method-assign]
    world.clock.advance(int(limits.lease_ms))
    gate.open.set()
    await world.settle()
    assert one.function.batches == [["a"]]
    world.store.snapshot, world.store.transact = snapshot, transact  # type: ignore[method-assign]
    await one.look()
    await world.settle()
    assert one.function.batches == [["a"], ["a"], ["b"]]  # its checkpoint was never stored
    await one.engine.stop()


def _checkpoints(world: World, mapping: Mapping) -> Any:
    return world.store.snapshot(lambda reader: load_checkpoints(reader, mapping.id))


@in_world()
async def test_a_deleted_mapping_leaves_no_lease(world: World) -> None:
    one = Node(world, 1)
    mapping = await world.create()
    await world.engine.stop()
    await one.look()
    assert world.store.snapshot(lambda reader: reader.get(lease_key(lease_of(mapping))))
    stored = world.stored(mapping)
    assert stored is not None
    changed = msgspec.structs.replace(stored, state="Deleting", generation=stored.generation + 1)
    await world.transact(lambda txn: store_mapping(txn, changed), MAPPINGS_LOCK)
    await one.look()
    assert world.state(mapping) is None
    assert not world.store.snapshot(lambda reader: reader.get(lease_key(lease_of(mapping))))
    await one.engine.stop()
