"""What goes wrong inside the engine of mappings: it goes on, at a pace, and harms nothing else."""

import asyncio
from typing import Any

import pytest

from penstock.base.errors.engine import EngineFull, EngineUnavailable
from penstock.functions.invoker import NotInvoked, Outcome
from penstock.streams.trimming import Trimming
from unit.consumers.world import FUNCTION_ARN, World, answered, failed, in_world, keys_of

HOUR_MS = 3_600_000


class Failing:
    """An answer that raises `error` while it `is_on`."""

    def __init__(self, error: Exception) -> None:
        self.is_on = True
        self.calls = 0
        self._error = error

    def __call__(self, event: dict[str, Any]) -> Outcome:
        self.calls += 1
        if self.is_on:
            raise self._error
        return answered()


@pytest.mark.parametrize("error", [RuntimeError("a bug"), EngineUnavailable("no store")])
def test_a_shard_that_fails_over_and_over_is_tried_again_at_a_pace(error: Exception) -> None:
    """Without one it would take all of the processor, and fill the log."""

    @in_world()
    async def test(world: World) -> None:
        fails = Failing(error)
        world.function.answer = fails
        await world.create()
        await world.put("a")
        for _ in range(20):
            await world.settle()
        assert fails.calls == 1
        await world.pass_retries(60)
        assert 5 <= fails.calls <= 12
        fails.is_on = False
        await world.pass_retries(60)
        await world.put("b")
        assert world.function.batches[-2:] == [["a"], ["b"]]

    test()


@in_world(shards=2)
async def test_a_shard_that_fails_leaves_the_others_alone(world: World) -> None:
    """Their calls are not begun again, even where the store cannot be read meanwhile."""
    gate, snapshot = asyncio.Event(), world.store.snapshot

    async def answer(event: dict[str, Any]) -> Outcome:
        if keys_of(event) != ["slow"]:
            world.store.snapshot = unavailable  # type: ignore[method-assign]
            raise RuntimeError("a bug")
        await gate.wait()
        return answered()

    def unavailable(work: Any) -> Any:
        raise EngineUnavailable("for the test")

    world.function.answer = answer
    await world.create()
    await world.put("slow")
    await world.put("fails", shard=1)
    world.store.snapshot = snapshot  # type: ignore[method-assign]
    world.function.answer = lambda event: answered()
    await world.pass_retries(5)
    gate.set()
    await world.put("b")
    assert world.function.batches == [["slow"], ["fails"], ["fails"], ["b"]]


@in_world()
async def test_a_record_that_waits_for_its_window_does_not_hold_up_other_lanes(
    world: World,
) -> None:
    """Its lane's batch is sent as it is once nothing more can be read for it."""
    await world.create(batch_size=10, batching_window_seconds=300, parallelization_factor=2)
    await world.put("a")
    await world.put(*["d"] * 100)  # all in the other lane
    assert [len(batch) for batch in world.function.batches] == [10, 10, 10, 1] + [10] * 7
    await world.pass_ms(300_000)


@in_world()
async def test_a_function_that_cannot_be_looked_up_is_called_later(world: World) -> None:
    """What other lanes have under way goes on."""
    gate = asyncio.Event()

    async def answer(event: dict[str, Any]) -> Outcome:
        if keys_of(event) != ["a"]:
            raise EngineUnavailable("for the test")
        await gate.wait()
        return answered()

    world.function.answer = answer
    await world.create(parallelization_factor=2)
    await world.put("a", "d")
    world.function.answer = lambda event: answered()
    await world.pass_retries(5)
    gate.set()
    await world.put("b")
    assert world.function.batches == [["a"], ["d"], ["d"], ["b"]]


@in_world()
async def test_a_checkpoint_that_cannot_be_stored_is_tried_at_a_pace(world: World) -> None:
    """The function goes on meanwhile; after all, the last one is stored."""
    mapping = await world.create(batch_size=1)
    transact, attempts = world.store.transact, 0
    await world.put("a", "b", "c")

    async def fail(*arguments: Any, **more: Any) -> Any:
        nonlocal attempts
        attempts += 1
        raise EngineFull("for the test")

    gate = asyncio.Event()

    async def slow(event: dict[str, Any]) -> Outcome:
        await gate.wait()
        return answered()

    world.function.answer = slow
    await world.put("d", "e")
    world.store.transact = fail  # type: ignore[method-assign]
    gate.set()
    await world.pass_retries(60)
    assert world.function.batches == [["a"], ["b"], ["c"], ["d"], ["e"]]
    assert 5 <= attempts <= 12
    world.store.transact = transact  # type: ignore[method-assign]
    await world.pass_retries(30)
    await world.restart()
    assert world.function.batches[5:] == []
    assert world.state(mapping) == "Enabled"


@in_world()
async def test_what_is_tried_again_until_it_leaves_the_stream_lets_the_rest_come(
    world: World,
) -> None:
    """Its shard is gone by then, and those of its child's records that are too old as well."""
    world.function.answer = lambda event: failed() if "a" in keys_of(event) else answered()
    await world.create(batch_size=2)
    await world.put("a", "b", "x")
    await world.roll(0, 1)
    await world.put("c", shard=1)
    for _ in range(20):
        await world.pass_ms(HOUR_MS)
    await world.put("d", shard=1)
    trimming = Trimming(world.store, world.clock)
    for _ in range(6):
        await trimming.run()
        await world.pass_ms(HOUR_MS)
    await world.pass_retries(60)
    await world.put("e", shard=1)
    assert world.function.batches[-2:] == [["d"], ["e"]]


@in_world()
async def test_what_was_trimmed_while_the_function_ran_does_not_hold_up_the_rest(
    world: World,
) -> None:
    gate = asyncio.Event()

    async def slow(event: dict[str, Any]) -> Outcome:
        if keys_of(event) == ["a"]:
            await gate.wait()
        return answered()

    world.function.answer = slow
    await world.create(batch_size=1)
    await world.put("a", "b", "c", "d")
    await world.roll(0, 1)
    trimming = Trimming(world.store, world.clock)
    for _ in range(30):
        await world.pass_ms(HOUR_MS)
        await trimming.run()
    await world.put("e", shard=1)
    gate.set()
    await world.pass_retries(60)
    await world.put("f", shard=1)
    assert world.function.batches == [["a"], ["b"], ["e"], ["f"]]  # b was at hand


class OnePlace:
    """An answer of a function that runs once at a time, until it is let go."""

    def __init__(self) -> None:
        self.is_busy = False
        self.go = asyncio.Event()
        self.keys: list[str] = []
        """Of the records of the calls that ran."""

    async def __call__(self, event: dict[str, Any]) -> Outcome:
        if self.is_busy:
            raise NotInvoked("throttled", "one is running")
        self.is_busy = True
        self.keys += keys_of(event)
        await self.go.wait()
        self.go.clear()
        self.is_busy = False
        return answered()


@pytest.mark.parametrize("of_another_mapping", [False, True])
def test_a_shard_without_end_leaves_others_a_turn(of_another_mapping: bool) -> None:
    """Its next call comes as soon as one is over: who looks now and then never finds room."""

    @in_world(shards=2)
    async def test(world: World) -> None:
        place = OnePlace()
        world.function.answer = place
        mine = '{"dynamodb":{"Keys":{"pk":{"S":[{"prefix":"busy"}]}}}}'
        other = '{"dynamodb":{"Keys":{"pk":{"S":[{"prefix":"other"}]}}}}'
        busy = [f"busy-{number:02}" for number in range(40)]
        await world.put(*busy)
        await world.put("other-1", "other-2", shard=1)
        if of_another_mapping:
            await world.create(batch_size=1, patterns=(mine,))
            another = FUNCTION_ARN + "2"
            await world.create(batch_size=1, patterns=(other,), function_arn=another)
        else:
            await world.create(batch_size=1)
        while len(place.keys) < 30:
            await world.pass_ms(500)
            place.go.set()
            await world.settle()
        assert {"other-1", "other-2"} < set(place.keys)
        assert [key for key in place.keys if key in busy] == busy[: len(place.keys) - 2]

    test()


@in_world(shards=3)
async def test_room_for_a_function_is_taken_by_who_waits_for_it_without_a_pause(
    world: World,
) -> None:
    """Else its place would stay empty for as long as all others of its lanes wait."""
    place = OnePlace()
    world.function.answer = place
    for shard in range(3):
        await world.put(f"{shard}", shard=shard)
    await world.create(batch_size=1)
    for _ in range(3):
        place.go.set()
        await world.settle()
    assert sorted(place.keys) == ["0", "1", "2"]


@in_world(shards=2)
async def test_a_function_that_cannot_run_is_not_tried_sooner_for_what_others_do(
    world: World,
) -> None:
    """A turn is of use to who found no room; others wait for as long as they would alone."""
    tries: list[int] = []

    def answer(event: dict[str, Any]) -> Outcome:
        if keys_of(event)[0] == "lost":
            tries.append(world.clock.now_ms())
            raise NotInvoked("missing", "no such function")
        return answered()

    world.function.answer = answer
    await world.put("lost", shard=1)
    await world.create(batch_size=1)
    for number in range(120):
        await world.pass_ms(1000)
        await world.put(f"{number}")
    assert len(tries) <= 14
