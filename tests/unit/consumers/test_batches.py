"""What a batch is: its size, window, bytes and shard, and where it begins (facts: 2, 4)."""

import asyncio
import itertools
from typing import Any

import pytest

from penstock.base import limits
from penstock.functions.invoker import Outcome
from unit.consumers.world import World, answered, in_world, keys_of


@pytest.mark.parametrize(
    ("size", "written", "batches"),
    [
        (1, 3, [1, 1, 1]),
        (2, 5, [2, 2, 1]),
        (3, 3, [3]),
        (100, 5, [5]),
        (10_000, 1200, [1200]),
    ],
)
def test_a_batch_has_at_most_its_size(size: int, written: int, batches: list[int]) -> None:
    async def test(world: World) -> None:
        await world.put(*(f"{n:05d}" for n in range(written)))
        await world.create(batch_size=size)
        assert [len(batch) for batch in world.function.batches] == batches
        assert list(itertools.chain(*world.function.batches)) == [
            f"{n:05d}" for n in range(written)
        ]

    in_world()(test)()


@in_world()
async def test_without_a_window_what_was_read_is_sent_at_once(world: World) -> None:
    await world.create()
    for key in "abc":
        await world.put(key)
    assert world.function.batches == [["a"], ["b"], ["c"]]


@in_world()
async def test_a_window_gathers_until_it_is_over(world: World) -> None:
    await world.create(batching_window_seconds=10)
    await world.put("a")
    await world.pass_ms(5000)
    await world.put("b")
    await world.pass_ms(4999)
    assert world.function.batches == []
    await world.pass_ms(1)
    assert world.function.batches == [["a", "b"]]


@in_world()
async def test_a_window_ends_early_where_the_batch_is_full(world: World) -> None:
    await world.create(batching_window_seconds=300, batch_size=2)
    await world.put("a", "b", "c")
    assert world.function.batches == [["a", "b"]]
    await world.pass_ms(300_000)
    assert world.function.batches == [["a", "b"], ["c"]]


@in_world()
async def test_the_next_window_begins_when_the_invocation_ends(world: World) -> None:
    gate = asyncio.Event()

    async def slow(event: dict[str, Any]) -> Outcome:
        await gate.wait()
        return answered()

    world.function.answer = slow
    await world.create(batching_window_seconds=10)
    await world.put("a")
    await world.pass_ms(10_000)
    await world.put("b")
    await world.pass_ms(60_000)
    gate.set()
    await world.settle()
    await world.pass_ms(9999)
    assert world.function.batches == [["a"]]
    await world.pass_ms(1)
    assert world.function.batches == [["a"], ["b"]]


@in_world()
async def test_a_window_of_a_shard_that_has_ended_is_not_waited_for(world: World) -> None:
    await world.create(batching_window_seconds=300)
    await world.put("a")
    await world.roll(0, 1)
    assert world.function.batches == [["a"]]


@in_world()
async def test_an_event_has_at_most_six_megabytes(world: World) -> None:
    sizes = []

    def measure(event: dict[str, Any]) -> Outcome:
        sizes.append(len(event["Records"]))
        return answered()

    world.function.answer = measure
    await world.put(*map(str, range(24)), pad="x" * 300_000)
    await world.create(batch_size=10_000, batching_window_seconds=1)
    await world.pass_ms(1000)
    await world.pass_ms(1000)
    assert sum(sizes) == 24
    assert max(sizes) == limits.invocation_bytes_max // 300_700


@in_world(shards=3)
async def test_a_batch_is_of_one_shard(world: World) -> None:
    for shard in range(3):
        await world.put(f"{shard}a", f"{shard}b", shard=shard)
    await world.create()
    assert sorted(world.function.batches) == [["0a", "0b"], ["1a", "1b"], ["2a", "2b"]]


@in_world(shards=2)
async def test_shards_do_not_wait_for_each_other(world: World) -> None:
    gate = asyncio.Event()

    async def slow_on_a(event: dict[str, Any]) -> Outcome:
        if keys_of(event) == ["a"]:
            await gate.wait()
        return answered()

    world.function.answer = slow_on_a
    await world.create()
    await world.put("a")
    await world.put("b", shard=1)
    await world.put("c")
    await world.put("d", shard=1)
    assert world.function.batches == [["a"], ["b"], ["d"]]
    gate.set()
    await world.settle()
    assert world.function.batches[-1] == ["c"]


# --- where a mapping begins


@in_world()
async def test_at_the_trim_horizon_all_that_is_there_is_delivered(world: World) -> None:
    await world.put("a")
    await world.pass_ms(60_000)
    await world.put("b")
    await world.create(starting_position="TRIM_HORIZON")
    assert world.function.batches == [["a", "b"]]


@in_world(shards=2)
async def test_at_the_latest_what_was_there_before_is_not_delivered(world: World) -> None:
    await world.put("a")
    await world.put("b", shard=1)
    await world.pass_ms(1)
    await world.create(starting_position="LATEST")
    await world.put("c", shard=1)
    assert world.function.batches == [["c"]]


@in_world()
async def test_the_latest_is_when_the_mapping_was_created_not_when_it_is_run(world: World) -> None:
    await world.put("a")
    await world.pass_ms(1)
    run, world.engine.run = world.engine.run, world.settle  # type: ignore[method-assign]
    await world.create(starting_position="LATEST")
    await world.put("b")
    await world.roll(0, 1, 2)
    await world.put("c", shard=2)
    assert world.function.batches == []
    world.engine.run = run  # type: ignore[method-assign]
    await world.look()
    assert world.function.batches == [["b"], ["c"]]


@in_world()
async def test_at_the_latest_a_shard_that_ended_before_is_passed_over(world: World) -> None:
    await world.put("a")
    await world.roll(0, 1)
    await world.put("b", shard=1)
    await world.pass_ms(10)
    await world.create(starting_position="LATEST")
    await world.put("c", shard=1)
    assert world.function.batches == [["c"]]


@in_world()
async def test_what_is_past_the_horizon_is_not_delivered(world: World) -> None:
    await world.put("a")
    await world.pass_ms(limits.stream_retention_ms + 1000)
    await world.put("b")
    await world.create()
    assert world.function.batches == [["b"]]


# --- parents and children


@in_world()
async def test_a_parent_is_finished_before_its_children_begin(world: World) -> None:
    gate = asyncio.Event()

    async def slow_on_b(event: dict[str, Any]) -> Outcome:
        if "b" in keys_of(event):
            await gate.wait()
        return answered()

    world.function.answer = slow_on_b
    await world.put("a", "b")
    await world.roll(0, 1, 2)
    await world.put("c", shard=1)
    await world.put("d", shard=2)
    await world.roll(1, 3)
    await world.put("e", shard=3)
    await world.create(batch_size=1)
    assert world.function.batches == [["a"], ["b"]]
    gate.set()
    await world.settle()
    batches = world.function.batches
    assert sorted(batches[2:4]) == [["c"], ["d"]]
    assert batches[4:] == [["e"]]


@in_world()
async def test_the_children_of_a_shard_that_ends_are_followed_at_once(world: World) -> None:
    await world.create()
    shard = 0
    for child in range(1, 6):
        await world.put(f"{shard}", shard=shard)
        await world.roll(shard, child)
        shard = child
    assert world.function.batches == [[f"{n}"] for n in range(5)]


# --- filters


@in_world()
async def test_only_what_a_filter_lets_through_is_delivered(world: World) -> None:
    pattern = '{"dynamodb":{"Keys":{"pk":{"S":[{"prefix":"x"}]}}}}'
    mapping = await world.create(patterns=(pattern, '{"eventName":["REMOVE"]}'))
    await world.put("a", "xa", "b", "xb")
    assert list(itertools.chain(*world.function.batches)) == ["xa", "xb"]
    (shown,) = world.engine.shown()
    assert (shown.counts.polled, shown.counts.filtered, shown.counts.invoked) == (4, 2, 2)
    assert world.result(mapping) == "OK"


@in_world()
async def test_where_nothing_is_let_through_the_checkpoint_moves_all_the_same(world: World) -> None:
    mapping = await world.create(patterns=('{"eventName":["REMOVE"]}',))
    await world.put("a", "b")
    assert world.function.events == []
    assert world.result(mapping) == "No records processed"
    await world.change(mapping, patterns=())
    await world.put("c")
    assert world.function.batches == [["c"]]  # what was filtered out is gone for this mapping


# --- several mappings


@in_world()
async def test_others_run_while_much_is_read_of_which_nothing_is_wanted(world: World) -> None:
    """A backlog of which a filter drops everything would hold up all requests else."""
    pages = 4
    await world.put(*(str(number) for number in range(pages * limits.get_records_max)))
    read: set[int] = set()

    async def look_on() -> None:
        while True:
            read.update(each.counts.polled for each in world.engine.shown())
            await asyncio.sleep(0)

    looking = asyncio.create_task(look_on())
    await world.create(batch_size=1000, patterns=('{"eventName":["REMOVE"]}',))
    looking.cancel()
    assert read == {number * limits.get_records_max for number in range(pages + 1)}


@in_world()
async def test_mappings_of_one_stream_do_not_disturb_each_other(world: World) -> None:
    gate = asyncio.Event()

    async def slow_at_first(event: dict[str, Any]) -> Outcome:
        if len(world.function.events) == 1:
            await gate.wait()
        return answered()

    world.function.answer = slow_at_first
    await world.create(batch_size=1)
    await world.put("a")
    await world.create(batch_size=2)
    await world.put("b")
    await world.put("c")
    assert world.function.batches == [["a"], ["a"], ["b"], ["c"]]
    gate.set()
    await world.settle()
    assert world.function.batches[4:] == [["b"], ["c"]]
