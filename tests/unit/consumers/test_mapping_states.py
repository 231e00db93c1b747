"""States of a mapping, its checkpoints over restarts, and what goes wrong beside the function."""

import asyncio
from typing import Any

from penstock.base.errors.engine import EngineUnavailable
from penstock.consumers.checkpoints import load_checkpoints
from penstock.consumers.local_source import LocalSource
from penstock.functions.invoker import Outcome
from penstock.functions.mapping import result_key
from unit.consumers.world import World, answered, failed, in_world


@in_world()
async def test_a_new_mapping_becomes_enabled(world: World) -> None:
    mapping = await world.create()
    assert world.state(mapping) == "Enabled"
    assert world.result(mapping) == "No records processed"


@in_world()
async def test_a_new_mapping_that_is_not_enabled_becomes_disabled(world: World) -> None:
    mapping = await world.create(enabled=False)
    await world.put("a")
    assert world.state(mapping) == "Disabled"
    assert world.function.events == []


@in_world()
async def test_a_disabled_mapping_keeps_its_checkpoint(world: World) -> None:
    mapping = await world.create()
    await world.put("a")
    await world.change(mapping, enabled=False, state="Disabling")
    assert world.state(mapping) == "Disabled"
    await world.put("b")
    assert world.function.batches == [["a"]]
    await world.change(mapping, enabled=True, state="Enabling")
    assert world.state(mapping) == "Enabled"
    assert world.function.batches == [["a"], ["b"]]


@in_world()
async def test_a_mapping_is_disabling_while_the_function_runs(world: World) -> None:
    gate = asyncio.Event()

    async def slow(event: dict[str, Any]) -> Outcome:
        await gate.wait()
        return answered()

    world.function.answer = slow
    mapping = await world.create(batch_size=1)
    await world.put("a", "b")
    await world.change(mapping, enabled=False, state="Disabling")
    assert world.state(mapping) == "Disabling"
    gate.set()
    await world.settle()
    assert world.state(mapping) == "Disabled"
    assert world.function.batches == [["a"]]
    await world.change(mapping, enabled=True, state="Enabling")
    assert world.function.batches == [["a"], ["b"]]


@in_world()
async def test_a_mapping_that_waits_to_try_again_is_disabled_at_once(world: World) -> None:
    world.function.answer = lambda event: failed()
    mapping = await world.create()
    await world.put("a")
    await world.pass_retries(20)
    calls = len(world.function.events)
    await world.change(mapping, enabled=False, state="Disabling")
    assert world.state(mapping) == "Disabled"
    await world.pass_retries(60)
    assert len(world.function.events) == calls


@in_world()
async def test_a_change_of_options_is_followed(world: World) -> None:
    mapping = await world.create(batch_size=1)
    await world.put("a", "b")
    await world.change(mapping, batch_size=2, batching_window_seconds=5)
    assert world.state(mapping) == "Enabled"
    await world.put("c", "d")
    assert world.function.batches == [["a"], ["b"], ["c", "d"]]


@in_world()
async def test_a_change_of_a_mapping_that_is_stuck_frees_it(world: World) -> None:
    world.function.answer = lambda event: failed()
    mapping = await world.create()
    await world.put("a", "b")
    await world.pass_retries(30)
    await world.change(mapping, retry_attempts_max=0)
    await world.pass_retries(5)
    (shown,) = world.engine.shown()
    assert shown.counts.dropped == 2


@in_world()
async def test_a_deleted_mapping_leaves_nothing(world: World) -> None:
    mapping = await world.create()
    await world.put("a")
    assert world.store.snapshot(lambda reader: load_checkpoints(reader, mapping.id))
    await world.change(mapping, state="Deleting")
    assert world.state(mapping) is None
    assert not world.store.snapshot(lambda reader: load_checkpoints(reader, mapping.id))
    assert world.store.snapshot(lambda reader: reader.get(result_key(mapping.id))) is None
    assert world.engine.shown() == []
    await world.put("b")
    assert world.function.batches == [["a"]]


@in_world(shards=2)
async def test_after_a_restart_it_goes_on_where_it_was(world: World) -> None:
    await world.create()
    await world.put("a", "b")
    await world.put("c", shard=1)
    await world.restart()
    await world.put("d", shard=1)
    assert sorted(world.function.batches) == [["a"], ["b"], ["c"], ["d"]]


@in_world()
async def test_what_was_under_way_at_a_restart_is_delivered_again(world: World) -> None:
    async def never(event: dict[str, Any]) -> Outcome:
        await asyncio.Event().wait()
        raise AssertionError

    world.function.answer = never
    await world.create()
    await world.put("a")
    world.function.answer = lambda event: answered()
    await world.restart()
    assert world.function.batches == [["a"], ["a"]]


@in_world()
async def test_a_finished_parent_is_not_read_again_after_a_restart(world: World) -> None:
    await world.create()
    await world.put("a")
    await world.roll(0, 1)
    await world.put("b", shard=1)
    await world.restart()
    await world.put("c", shard=1)
    assert world.function.batches == [["a"], ["b"], ["c"]]


@in_world()
async def test_checkpoints_of_shards_that_are_gone_go_too(world: World) -> None:
    mapping = await world.create()
    await world.put("a")
    await world.roll(0, 1)
    await world.put("b", shard=1)
    kept = world.store.snapshot(lambda reader: load_checkpoints(reader, mapping.id))
    assert len(kept) == 2
    await world.pass_ms(25 * 3600 * 1000)
    await world.pass_ms(11_000)
    kept = world.store.snapshot(lambda reader: load_checkpoints(reader, mapping.id))
    assert len(kept) == 1


@in_world()
async def test_a_store_that_fails_for_a_while_is_waited_for(world: World) -> None:
    mapping = await world.create()
    transact = world.store.transact

    async def fail(*arguments: Any, **more: Any) -> Any:
        raise EngineUnavailable("for the test")

    await world.put("a")
    world.store.transact = fail  # type: ignore[method-assign]
    await world.settle()
    world.store.transact = transact  # type: ignore[method-assign]
    await world.put("b")
    world.store.transact = fail  # type: ignore[method-assign]
    await world.pass_retries(3)
    world.store.transact = transact  # type: ignore[method-assign]
    await world.pass_retries(60)
    await world.put("c")
    assert [key for batch in world.function.batches for key in batch] == ["a", "b", "c"]
    await world.restart()
    assert world.function.batches[-1] == ["c"]  # the checkpoint was stored in the end
    assert world.result(mapping) == "OK"


@in_world()
async def test_a_stream_that_is_gone_is_told(world: World) -> None:
    mapping = await world.create()
    await world.put("a")
    world.clock.advance(1)
    engine = world.engine.source_of
    world.engine.source_of = lambda m: LocalSource(world.store, world.clock, m.source_arn + "x")
    await world.change(mapping, batch_size=7)
    await world.pass_retries(5)
    (shown,) = world.engine.shown()
    assert shown.counts.last_error == mapping.source_arn + "x"
    assert world.result(mapping) == "PROBLEM: Stream not found"
    world.engine.source_of = engine
    await world.change(mapping, batch_size=8)
    await world.put("b")
    assert world.function.batches == [["a"], ["b"]]
