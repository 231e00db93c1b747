"""A mapping through a random life: whatever befalls it, each item's records come all and in order.

Seeded. Time is moved, so a life of minutes takes a moment.
"""

import asyncio
import json
import random
from collections import defaultdict
from typing import Any

import pytest

from penstock.functions.invoker import NotInvoked, Outcome
from penstock.functions.mapping import Mapping
from unit.consumers.world import World, answered, failed, in_world

SEEDS = range(16)
STEPS = 60
SHARDS = 2
KEYS = "abcdefgh"


class Handler:
    """A function that fails in all ways, and checks what it is given of each item.

    An item's records must begin with the first that it has not handled, or with one before it; and
    no two calls may have the same item at once. `wrong` is where that was not so.
    """

    def __init__(self, chance: random.Random) -> None:
        self.wrong: list[str] = []
        self.calls = 0
        self.is_well = False
        self.reports = False
        self.handled: defaultdict[str, int] = defaultdict(int)
        """How many records of each item are handled, from the first on."""
        self._chance = chance
        self._busy: set[str] = set()

    async def __call__(self, event: dict[str, Any]) -> Outcome:
        records = event["Records"]
        given: defaultdict[str, list[int]] = defaultdict(list)
        for record in records:
            image = record["dynamodb"]["NewImage"]
            given[image["pk"]["S"]].append(int(image["n"]["S"]))
        for key, numbers in given.items():
            if numbers != list(range(numbers[0], numbers[0] + len(numbers))):
                self.wrong.append(f"{key} has {numbers}")
            if numbers[0] > self.handled[key]:
                self.wrong.append(f"{key} is at {numbers[0]}, and has {self.handled[key]}")
            if key in self._busy:
                self.wrong.append(f"{key} is in two calls")
        self.calls += 1
        self._busy |= given.keys()
        try:
            for _ in range(self._chance.randrange(6)):
                await asyncio.sleep(0)
            return self._answer(records)
        finally:
            self._busy -= given.keys()

    def _answer(self, records: list[dict[str, Any]]) -> Outcome:
        mood = 1.0 if self.is_well else self._chance.random()
        if mood < 0.1:
            raise NotInvoked("throttled", "for the test")
        if mood < 0.2:
            return failed()
        done = len(records)
        if mood < 0.4 and self.reports:
            done = self._chance.randrange(len(records))
        for record in records[:done]:
            image = record["dynamodb"]["NewImage"]
            key, number = image["pk"]["S"], int(image["n"]["S"])
            self.handled[key] = max(self.handled[key], number + 1)
        if done == len(records):
            return answered()
        number = records[done]["dynamodb"]["SequenceNumber"]
        return Outcome(json.dumps({"batchItemFailures": [{"itemIdentifier": number}]}).encode())


class Life:
    """What befalls one mapping."""

    def __init__(self, world: World, seed: int) -> None:
        self.world = world
        self.chance = random.Random(seed)
        self.handler = Handler(self.chance)
        self.written: defaultdict[str, int] = defaultdict(int)
        self.shards = list(range(SHARDS))
        """The open shards; an item is in that of its key's place, and its children."""
        self._shards_made = SHARDS

    def options(self) -> dict[str, Any]:
        """Return options of a mapping; what is reported is asked for in all or none of a life."""
        chance = self.chance
        return {
            "batch_size": chance.choice([1, 2, 5, 100]),
            "parallelization_factor": chance.choice([1, 2, 4]),
            "batching_window_seconds": chance.choice([0, 0, 1, 5]),
            "bisects": chance.random() < 0.3,
            "reports_item_failures": self.handler.reports,
        }

    async def step(self, mapping: Mapping) -> None:
        """Let one thing happen; a mapping that is disabled is not so for long."""
        if self.world.state(mapping) == "Disabled" and self.chance.random() < 0.4:
            await self.toggle(mapping)
        what = self.chance.choices(
            [self.write, self.wait, self.roll, self.restart, self.change, self.toggle],
            [8, 6, 1, 1, 1, 1],
        )[0]
        await what(mapping)

    async def write(self, mapping: Mapping) -> None:
        for _ in range(self.chance.randint(1, 6)):
            key = self.chance.choice(KEYS)
            number, self.written[key] = self.written[key], self.written[key] + 1
            shard = self.shards[KEYS.index(key) % SHARDS]
            await self.world.put(key, shard=shard, n=f"{number}")

    async def wait(self, mapping: Mapping) -> None:
        await self.world.pass_ms(self.chance.choice([1, 100, 1000, 20_000]))

    async def roll(self, mapping: Mapping) -> None:
        place, child = self.chance.randrange(SHARDS), self._shards_made
        self._shards_made += 1
        await self.world.roll(self.shards[place], child)
        self.shards[place] = child

    async def restart(self, mapping: Mapping) -> None:
        await self.world.restart()

    async def change(self, mapping: Mapping) -> None:
        await self.world.change(mapping, **self.options())

    async def toggle(self, mapping: Mapping) -> None:
        stored = self.world.stored(mapping)
        assert stored is not None
        state = "Disabling" if stored.enabled else "Enabling"
        await self.world.change(mapping, enabled=not stored.enabled, state=state)


@pytest.mark.parametrize("seed", SEEDS)
def test_whatever_befalls_a_mapping_each_items_records_come_whole_and_in_order(seed: int) -> None:
    @in_world(SHARDS)
    async def test(world: World) -> None:
        life = Life(world, seed)
        life.handler.reports = seed % 2 == 0
        world.function.answer = life.handler
        mapping = await world.create(**life.options())
        for _ in range(STEPS):
            await life.step(mapping)
        life.handler.is_well = True
        await world.change(mapping, enabled=True)
        await world.pass_retries(120)
        assert life.handler.wrong == []
        assert life.handler.calls > 2
        assert dict(life.handler.handled) == dict(life.written)
        assert world.state(mapping) == "Enabled"
        assert world.result(mapping) == "OK"

    test()
