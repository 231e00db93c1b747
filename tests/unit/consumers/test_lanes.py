"""ParallelizationFactor: several batches of a shard at once, and the order of each key kept."""

import asyncio
from typing import Any

import pytest

from penstock.functions.invoker import Outcome
from unit.consumers.world import World, answered, failed, in_world, keys_of


class Held:
    """A function whose calls are held until the test lets them go."""

    def __init__(self) -> None:
        self.under_way: list[list[str]] = []
        self.most_at_once = 0
        self._gates: list[asyncio.Event] = []

    async def answer(self, event: dict[str, Any]) -> Outcome:
        keys = keys_of(event)
        for others in self.under_way:
            assert not set(others) & set(keys), "one key is in two calls at once"
        gate = asyncio.Event()
        self.under_way.append(keys)
        self.most_at_once = max(self.most_at_once, len(self.under_way))
        self._gates.append(gate)
        await gate.wait()
        self.under_way.remove(keys)
        return answered()

    def release(self, number: int = 0) -> None:
        """Let the call that has been under way for longest, or a later one, go on."""
        self._gates.pop(number).set()


@pytest.mark.parametrize("lanes", [1, 2, 10])
def test_as_many_batches_are_under_way_as_the_mapping_says(lanes: int) -> None:
    async def test(world: World) -> None:
        held = Held()
        world.function.answer = held.answer
        await world.create(parallelization_factor=lanes, batch_size=2)
        keys = [f"{n}" for n in range(60)]
        await world.put(*keys, *keys)
        assert len(held.under_way) == lanes
        while held.under_way:
            held.release()
            await world.settle()
        assert held.most_at_once == lanes
        seen = [key for batch in world.function.batches for key in batch]
        assert sorted(seen) == sorted(keys * 2)

    in_world()(test)()


@in_world()
async def test_the_changes_of_a_key_keep_their_order(world: World) -> None:
    seen: dict[str, list[str]] = {}

    async def note(event: dict[str, Any]) -> Outcome:
        await asyncio.sleep(0)
        for record, key in zip(event["Records"], keys_of(event), strict=True):
            seen.setdefault(key, []).append(record["dynamodb"]["SequenceNumber"])
        return answered()

    world.function.answer = note
    await world.create(parallelization_factor=5, batch_size=3)
    await world.put(*(f"{n % 7}" for n in range(100)))
    await world.settle()
    assert sum(map(len, seen.values())) == 100
    assert all(numbers == sorted(numbers) for numbers in seen.values())


@in_world()
async def test_a_key_that_fails_holds_up_its_own_lane_only(world: World) -> None:
    world.function.answer = lambda event: failed() if "x" in keys_of(event) else answered()
    await world.create(parallelization_factor=10, batch_size=1)
    await world.put("x", *(f"{n}" for n in range(9)))
    await world.pass_retries(10)
    done = {key for batch in world.function.batches for key in batch}
    assert len(done) >= 8  # all but what shares the lane of "x"


@in_world()
async def test_the_checkpoint_is_what_is_finished_without_a_gap(world: World) -> None:
    held = Held()
    world.function.answer = held.answer
    await world.create(parallelization_factor=2, batch_size=1)
    await world.put(*(f"{n}" for n in range(6)))
    first = list(held.under_way)
    assert len(first) == 2
    held.release(1)  # what began later ends first
    await world.settle()
    world.function.events.clear()
    world.function.answer = lambda event: answered()
    await world.restart()
    again = [key for batch in world.function.batches for key in batch]
    assert set(first[0]) <= set(again)
    assert sorted(again) == [f"{n}" for n in range(6)]  # the first was not finished: all again


@in_world()
async def test_reading_goes_no_further_than_there_is_room(world: World) -> None:
    held = Held()
    world.function.answer = held.answer
    await world.put(*(f"{n}" for n in range(100)))
    await world.create(batch_size=5)
    (shown,) = world.engine.shown()
    assert (shown.counts.lag_records, shown.counts.is_behind) == (10, True)
    while held.under_way:
        held.release()
        await world.settle()
    assert shown.counts.polled == 100
    assert (shown.counts.lag_records, shown.counts.is_behind) == (0, False)
