"""The load of shards over several nodes: brought together, each node's by its own time."""

import asyncio

import pytest

from penstock.base import limits
from penstock.base.ids import Entropy
from penstock.storage.memory import MemoryEngine
from penstock.storage.prefixes import Prefix
from penstock.storage.waist import Span
from penstock.tables.load import Halves
from penstock.tables.shard_life import Pace, ShardLife
from penstock.tables.shared_load import SharedLoad
from penstock.tables.tables import Tables
from penstock.tables.transaction import transact
from penstock.testing.clock import FakeClock
from unit.tables.tables_in_memory import ACCOUNT, REGION, delete, make_table, put
from unit.tables.test_lineage import open_ids

SHARE_MS = int(limits.load_shared_interval_ms)
SAMPLE_MS = int(limits.shard_life_interval_ms)
ITEMS = [f"item-{number}" for number in range(40)]


class Node:
    """One node: its tables, and its part of the load."""

    def __init__(self, engine: MemoryEngine, clock: FakeClock, number: int) -> None:
        self.tables = Tables(engine, clock, Entropy(number), ACCOUNT)
        self.load = SharedLoad(engine, clock, self.tables.load, number)

    async def write(self, times: int) -> None:
        """Change each item twice so often, the second time by its deletion."""
        for value in range(times):
            await transact(self.tables, REGION, [put(name, f"{value}") for name in ITEMS])
            await transact(self.tables, REGION, [delete(name) for name in ITEMS])


class TwoNodes:
    """Two nodes over the table `abc`, the first of which judges the load."""

    def __init__(self, pace: Pace) -> None:
        self.clock = FakeClock()
        self.engine = MemoryEngine(self.clock, rehearse=True)
        self.one, self.other = (Node(self.engine, self.clock, n) for n in (1, 2))
        make_table(self.one.tables)
        self.job = ShardLife(self.one.tables, pace, self.one.load)

    async def sample(self, writes_of_one: int, writes_of_other: int) -> int:
        """Let a sample's time pass with so many writes; return how many shards are new."""
        before = open_ids(self.one.tables)
        for _ in range(SAMPLE_MS // SHARE_MS):
            await self.one.write(writes_of_one)
            await self.other.write(writes_of_other)
            self.clock.advance(SHARE_MS)
            await self.one.load.share()
            await self.other.load.share()
        await self.job.run()
        return len(open_ids(self.one.tables) - before)

    def rows(self) -> int:
        span = Span.of_prefix(Prefix.SHARD_LOAD.key)
        return len(self.engine.snapshot(lambda reader: reader.scan(span, 100)))


SAMPLES = 3
# A round is 2 changes of each of 40 items; 2 rounds in a sample of 10 s are some 4 changes a second
# and shard. Of both nodes 8.
PACE = Pace(roll_ms=0, split_writes_per_second=6, split_ms=SAMPLES * SAMPLE_MS)


def test_two_nodes_that_are_each_below_the_rate_split_a_shard_together() -> None:
    two = TwoNodes(PACE)

    async def check() -> None:
        new = [await two.sample(1, 1) for _ in range(SAMPLES)]
        assert new[:-1] == [0] * (SAMPLES - 1)
        assert new[-1] > 0
        assert two.rows() == 0, "what was taken is gone"

    asyncio.run(check())


@pytest.mark.parametrize(("one", "other"), [(1, 0), (0, 1)])
def test_one_of_them_alone_splits_nothing(one: int, other: int) -> None:
    two = TwoNodes(PACE)

    async def check() -> None:
        assert [await two.sample(one, other) for _ in range(2 * SAMPLES)] == [0] * (2 * SAMPLES)

    asyncio.run(check())


def test_load_that_pauses_on_all_nodes_splits_nothing() -> None:
    two = TwoNodes(PACE)

    async def check() -> None:
        for _ in range(3):
            for _ in range(SAMPLES - 1):
                assert await two.sample(1, 1) == 0
            assert await two.sample(0, 0) == 0

    asyncio.run(check())


def test_it_does_not_matter_how_often_a_node_was_heard_of() -> None:
    """One told its load once in that time, the other three times as long with as much a second."""
    two = TwoNodes(PACE)

    async def check() -> None:
        await two.one.write(1)
        two.clock.advance(SHARE_MS)
        await two.one.load.share()
        await two.other.write(3)
        two.clock.advance(2 * SHARE_MS)
        await two.other.load.share()
        taken = await two.one.load.take()
        assert taken.ms == 3 * SHARE_MS
        total = sum(halves.total for halves in taken.halves.values())
        assert total == pytest.approx(2 * len(ITEMS) * 3 * 2)
        assert await two.other.load.take() == (0.0, {})

    asyncio.run(check())


def test_who_judges_after_a_long_time_takes_no_sample_for_all_of_it() -> None:
    """A node whose turn it was not for hours comes to the lease."""
    two = TwoNodes(PACE)

    async def check() -> None:
        two.clock.advance(3600_000)
        await two.one.load.share()
        await two.other.load.share()
        assert await two.sample(1, 1) == 0

    asyncio.run(check())


def test_a_node_without_load_writes_nothing_but_once() -> None:
    two = TwoNodes(PACE)

    async def check() -> None:
        await two.sample(0, 0)
        assert two.rows() == 0
        await two.one.write(1)
        for wanted in (1, 1, 0, 0):
            two.clock.advance(SHARE_MS)
            await two.one.load.share()
            assert two.rows() == wanted
            await two.one.load.take()

    asyncio.run(check())


def test_what_is_told_twice_is_added_up() -> None:
    two = TwoNodes(PACE)

    async def check() -> None:
        for _ in range(2):
            await two.one.write(1)
            two.clock.advance(SHARE_MS)
            await two.one.load.share()
        assert two.rows() == 1
        taken = await two.other.load.take()
        assert taken.ms == 2 * SHARE_MS
        assert sum(halves.total for halves in taken.halves.values()) == 4 * len(ITEMS)
        assert all(min(halves) > 0 for halves in taken.halves.values())
        assert Halves(1, 2).plus(Halves(3, 4), 2) == (7, 10)

    asyncio.run(check())
