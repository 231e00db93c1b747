"""When shards roll and split by themselves: by age, and by load that lasts and is spread."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from penstock.base import limits
from penstock.storage.waist import Engine, stamp_ms
from penstock.streams.stream import find_stream, shards_of
from penstock.tables import shard_life
from penstock.tables.catalog import delete_table, table_of, update_table, without_stream
from penstock.tables.descriptor import Descriptor
from penstock.tables.lineage import split_shard
from penstock.tables.load import Halves, Load
from penstock.tables.shard_life import Pace, ShardLife
from penstock.tables.tables import Tables
from penstock.tables.transaction import transact
from penstock.testing.clock import FakeClock
from unit.tables.tables_in_memory import (
    NAME,
    REGION,
    delete,
    key_of,
    put,
    tables_in_memory,
    write_of,
)
from unit.tables.test_lineage import open_ids, shards_in

HOUR_MS = 3600_000
SAMPLE_MS = 10_000
ROLL = Pace(roll_ms=4 * HOUR_MS, split_writes_per_second=0, split_ms=60_000)
SPLIT = Pace(roll_ms=0, split_writes_per_second=2, split_ms=60_000)
NEVER = Pace(roll_ms=0, split_writes_per_second=0, split_ms=60_000)


class Life:
    """The table, its job, and the time."""

    def __init__(self, pace: Pace) -> None:
        self.clock = FakeClock()
        self.tables = tables_in_memory(self.clock)
        self.job = ShardLife(self.tables, pace)

    def run(self, passed_ms: int) -> int:
        """Let time pass, run the job, and return how many shards are new since."""
        before = open_ids(self.tables)
        self.clock.advance(passed_ms)
        asyncio.run(self.job.run())
        return len(open_ids(self.tables) - before)

    def write(self, names: list[str], times: int) -> None:
        """Change each of the items so often."""

        async def change() -> None:
            for value in range(times):
                await transact(self.tables, REGION, [put(name, str(value)) for name in names])
                await transact(self.tables, REGION, [delete(name) for name in names])

        asyncio.run(change())


def test_shards_roll_when_they_are_four_hours_old() -> None:
    life = Life(ROLL)
    assert life.run(4 * HOUR_MS - 1) == 0
    assert life.run(1) == 4
    assert life.run(4 * HOUR_MS - 1) == 0
    assert life.run(1) == 4
    assert len(shards_in(life.tables)) == 12


def test_a_long_time_makes_one_generation_and_the_next_comes_in_its_time() -> None:
    life = Life(ROLL)
    assert life.run(100 * HOUR_MS) == 4
    assert life.run(0) == 0
    assert life.run(4 * HOUR_MS) == 4


def test_each_shard_rolls_by_its_own_age() -> None:
    """A split shard's children are younger than its neighbours."""
    life = Life(ROLL)
    life.clock.advance(HOUR_MS)
    asyncio.run(split_shard(life.tables, REGION, NAME))
    assert life.run(3 * HOUR_MS) == 3
    assert life.run(HOUR_MS) == 2
    ages = {life.clock.now_ms() - stamp_ms(shard.start) for shard in shards_in(life.tables)}
    assert min(ages) == 0


def test_nothing_rolls_or_splits_that_is_told_not_to() -> None:
    life = Life(NEVER)
    for _ in range(20):
        life.write(["a", "b", "c", "d", "e", "f"], 10)
        assert life.run(SAMPLE_MS) == 0
    assert life.run(1000 * HOUR_MS) == 0


def test_a_shard_splits_under_load_that_lasts() -> None:
    """All four take in enough; none of them before the time is over."""
    life = Life(SPLIT)
    names = [f"item-{number}" for number in range(40)]
    for _ in range(5):
        life.write(names, 2)
        assert life.run(SAMPLE_MS) == 0
    life.write(names, 2)
    assert life.run(SAMPLE_MS) == 8
    assert life.run(SAMPLE_MS) == 0


def test_where_there_is_no_room_for_all_some_split_and_the_others_roll_in_their_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(limits, "shards_per_table_max", 6)
    pace = Pace(roll_ms=HOUR_MS, split_writes_per_second=2, split_ms=SAMPLE_MS)
    life = Life(pace)
    names = [f"item-{number}" for number in range(60)]
    life.write(names, 2)
    assert life.run(SAMPLE_MS) == 4
    life.clock.advance(HOUR_MS - 2 * SAMPLE_MS)
    life.run(0)
    life.write(names, 2)
    assert life.run(SAMPLE_MS) == 2
    assert len(open_ids(life.tables)) == 6


def test_load_that_pauses_splits_nothing() -> None:
    life = Life(SPLIT)
    names = [f"item-{number}" for number in range(40)]
    for _ in range(4):
        for _ in range(5):
            life.write(names, 2)
            assert life.run(SAMPLE_MS) == 0
        assert life.run(SAMPLE_MS) == 0


def test_load_below_the_threshold_splits_nothing() -> None:
    life = Life(SPLIT)
    for _ in range(10):
        life.write(["a"], 9)  # 18 changes in 10 seconds, and 20 would be enough
        assert life.run(SAMPLE_MS) == 0


def test_a_hot_item_alone_splits_nothing() -> None:
    """One half would take in all that its parent did, and so on without an end."""
    life = Life(SPLIT)
    for _ in range(20):
        life.write(["a"], 20)
        assert life.run(SAMPLE_MS) == 0


def test_the_load_of_too_short_a_time_is_not_judged_and_not_forgotten() -> None:
    life = Life(Pace(roll_ms=0, split_writes_per_second=20, split_ms=1000))
    names = [f"item-{number}" for number in range(40)]
    short_ms = int(limits.shard_load_ms_min) - 1
    life.write(names, 2)
    assert life.run(short_ms) == 0, "however high the rate"
    assert life.run(1) == 8


@pytest.mark.parametrize("state", ["deleted", "without a stream"])
def test_a_table_that_goes_meanwhile_is_passed_by(
    monkeypatch: pytest.MonkeyPatch, state: str
) -> None:
    """The job has seen it with its stream."""
    life = Life(ROLL)
    table = life.tables.table(REGION, NAME)

    async def seen_before(_engine: Engine) -> AsyncIterator[Descriptor]:
        yield table.descriptor

    monkeypatch.setattr(shard_life, "all_tables", seen_before)
    plain = table_of(without_stream(table.descriptor))
    now_ms = life.clock.now_ms()

    async def go() -> None:
        if state == "deleted":
            await life.tables.engine.transact(
                lambda txn: delete_table(txn, table, None, now_ms), locks=table.locks
            )
        else:
            await life.tables.engine.transact(
                lambda txn: update_table(txn, table, plain, None, now_ms), locks=table.locks
            )

    asyncio.run(go())
    life.clock.advance(5 * HOUR_MS)
    asyncio.run(life.job.run())  # and does not fail
    stream = table.descriptor.stream
    assert stream is not None
    found = life.tables.read(lambda reader: find_stream(reader, stream.arn))
    assert found is not None
    assert len(life.tables.read(lambda reader: shards_of(reader, found))) == 4


def test_load_counts_what_changed_by_the_half_that_it_fell_to() -> None:
    life = Life(NEVER)
    life.write([f"item-{number}" for number in range(40)], 1)
    counted = life.tables.load.take()
    assert sum(halves.total for halves in counted.values()) == 80
    assert len(counted) == 4
    assert all(halves.lower and halves.upper for halves in counted.values())
    assert life.tables.load.take() == {}


def test_load_counts_what_is_written_without_a_transaction_too() -> None:
    life = Life(NEVER)
    tables = life.tables
    new = {**key_of("a"), "n": {"N": "1"}}
    write = write_of("a", lambda _: new)
    for _ in range(2):  # of which the second changes nothing
        asyncio.run(tables.change(REGION, [NAME], lambda found: [write(found[0])]))
    assert sum(halves.total for halves in tables.load.take().values()) == 1


def test_load_does_not_count_what_changes_nothing() -> None:
    life = Life(NEVER)

    async def write(tables: Tables) -> None:
        await transact(tables, REGION, [delete("nobody")])
        await transact(tables, REGION, [put("a", "1")])
        await transact(tables, REGION, [put("a", "1")])

    asyncio.run(write(life.tables))
    assert sum(halves.total for halves in life.tables.load.take().values()) == 1
    assert Load().take() == {}
    assert Halves(1, 2).total == 3
