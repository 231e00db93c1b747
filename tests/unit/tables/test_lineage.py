"""How a table's shards succeed one another, beside those who write to it."""

import asyncio
import contextlib
import itertools
import random
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from penstock.base import limits
from penstock.base.errors.api import ApiError
from penstock.storage.format import unpack
from penstock.storage.waist import Reader, Span, log_span
from penstock.streams.stream import Shard, find_stream, shards_of
from penstock.tables.descriptor import Table
from penstock.tables.lineage import roll_shards, split_shard, trim_shards
from penstock.tables.tables import Tables
from penstock.tables.transaction import transact
from penstock.tables.write import table_count
from penstock.testing.clock import FakeClock
from unit.tables.tables_in_memory import NAME, REGION, delete, number_of, put, tables_in_memory

NAMES = [f"item-{number}" for number in range(40)]


def shards_in(tables: Tables) -> list[Shard]:
    """Return all shards of the table's stream in the order of their ids."""
    arn = tables.table(REGION, NAME).descriptor.latest_stream_arn
    assert arn is not None
    stream = tables.read(lambda reader: find_stream(reader, arn))
    assert stream is not None
    return tables.read(lambda reader: shards_of(reader, stream))


def open_ids(tables: Tables) -> set[str]:
    """Return the ids of the open shards."""
    return {shard.id for shard in shards_in(tables) if shard.end is None}


def values_by_item(tables: Tables) -> dict[str, list[tuple[str, str]]]:
    """Return the shard and the value of each record of each item, shard by shard in their order."""
    arn = tables.table(REGION, NAME).descriptor.latest_stream_arn
    assert arn is not None
    stream = tables.read(lambda reader: find_stream(reader, arn))
    assert stream is not None
    found = defaultdict(list)
    for shard in shards_in(tables):
        span = log_span(stream.log(shard.number))
        for _, stored in tables.read(lambda reader, span=span: reader.scan(span, 10_000)):  # type: ignore[misc]
            body = msgspec.json.decode(unpack(stored))["dynamodb"]
            found[body["Keys"]["pk"]["S"]].append((shard.id, body["NewImage"]["n"]["N"]))
    return found


async def write_all(tables: Tables, value: int) -> None:
    """Put every item, at once."""
    await asyncio.gather(*(transact(tables, REGION, [put(name, str(value))]) for name in NAMES))


def test_rolling_gives_each_open_shard_one_child() -> None:
    tables = tables_in_memory(FakeClock())
    before = open_ids(tables)
    done = asyncio.run(roll_shards(tables, REGION, NAME))
    assert {each.parent.id for each in done} == before
    assert all(len(each.children) == 1 for each in done)
    assert open_ids(tables) == {child.id for each in done for child in each.children}
    assert len(tables.table(REGION, NAME).partitions) == 4


def test_one_shard_is_rolled_by_its_id() -> None:
    tables = tables_in_memory(FakeClock())
    chosen = sorted(open_ids(tables))[2]
    (done,) = asyncio.run(roll_shards(tables, REGION, NAME, chosen))
    assert (done.parent.id, len(done.children)) == (chosen, 1)
    assert len(open_ids(tables)) == 4


def test_a_split_cuts_the_widest_partition_in_its_middle() -> None:
    tables = tables_in_memory(FakeClock())
    quarter = 1 << 62
    for expected in (
        [0, quarter // 2, quarter, 2 * quarter, 3 * quarter],
        [0, quarter // 2, quarter, 3 * quarter // 2, 2 * quarter, 3 * quarter],
    ):
        done = asyncio.run(split_shard(tables, REGION, NAME))
        assert len(done.children) == 2
        assert tables.table(REGION, NAME).descriptor.partitions == expected
    assert len(open_ids(tables)) == 6


def test_one_shard_is_split_by_its_id() -> None:
    tables = tables_in_memory(FakeClock())
    for _ in range(5):
        chosen = random.Random(5).choice(sorted(open_ids(tables)))
        assert asyncio.run(split_shard(tables, REGION, NAME, chosen)).parent.id == chosen


def test_an_items_changes_go_down_one_line_in_their_order_under_writers() -> None:
    """Rolls and splits come between writes that are under way; none is lost, doubled or moved."""
    tables = tables_in_memory(FakeClock())
    drawn = random.Random(11)

    async def run() -> None:
        for value in range(12):
            writing = asyncio.create_task(write_all(tables, value))
            for _ in range(drawn.randrange(4)):
                await asyncio.sleep(0)
            if drawn.random() < 0.5:
                await roll_shards(tables, REGION, NAME)
            else:
                await split_shard(tables, REGION, NAME, drawn.choice(sorted(open_ids(tables))))
            await writing

    asyncio.run(run())
    parents = {shard.id: shard.parent for shard in shards_in(tables)}
    found = values_by_item(tables)
    assert set(found) == set(NAMES)
    for name, records in found.items():
        assert [value for _, value in records] == [str(value) for value in range(12)], name
        for (before, _), (after, _) in itertools.pairwise(records):
            line = [after]
            while (parent := parents[line[-1]]) is not None:
                line.append(parent)
            assert before in line, f"{name} went from {before} to {after}"


def test_counts_stay_exact_over_splits_also_when_their_partition_has_given_items_away() -> None:
    tables = tables_in_memory(FakeClock())

    async def run() -> None:
        await write_all(tables, 1)
        for _ in range(8):
            await split_shard(tables, REGION, NAME)
        await asyncio.gather(*(transact(tables, REGION, [delete(name)]) for name in NAMES[1:]))

    asyncio.run(run())
    table = tables.table(REGION, NAME)
    assert tables.read(lambda reader: table_count(reader, table)).items == 1
    assert number_of(tables, NAMES[0]) == "1"


def test_what_cannot_be_rolled_or_split_is_refused() -> None:
    tables = tables_in_memory(FakeClock())
    chosen = min(open_ids(tables))
    asyncio.run(roll_shards(tables, REGION, NAME, chosen))
    for act in (roll_shards, split_shard):
        for name, shard_id, told in (
            ("nothing", None, "ResourceNotFoundException: .*Table: nothing not found"),
            (NAME, "shardId-x", "ResourceNotFoundException: .*Shard does not exist"),
            (NAME, chosen, f"ValidationException: The shard is closed: {chosen}"),
        ):
            with pytest.raises(ApiError, match=told):
                asyncio.run(act(tables, REGION, name, shard_id))
    with pytest.raises(ApiError, match="Shard does not exist"):
        asyncio.run(trim_shards(tables, REGION, NAME, "shardId-x"))


def test_a_table_has_at_most_so_many_open_shards() -> None:
    tables = tables_in_memory(FakeClock())

    async def run() -> None:
        for _ in range(limits.shards_per_table_max - 4):
            await split_shard(tables, REGION, NAME)
        with pytest.raises(ApiError, match="at most 256 open shards"):
            await split_shard(tables, REGION, NAME)
        await roll_shards(tables, REGION, NAME)
        await write_all(tables, 1)

    asyncio.run(run())
    assert len(open_ids(tables)) == limits.shards_per_table_max
    assert number_of(tables, NAMES[-1]) == "1"


def test_trimming_names_what_it_trimmed_and_spares_what_comes_later() -> None:
    tables = tables_in_memory(FakeClock())

    async def run() -> list[Shard]:
        await write_all(tables, 1)
        await roll_shards(tables, REGION, NAME)
        return await trim_shards(tables, REGION, NAME)

    trimmed = asyncio.run(run())
    assert [shard.id for shard in trimmed] == [shard.id for shard in shards_in(tables)]
    assert all(shard.trimmed >= (shard.end or shard.start) for shard in trimmed)


def test_a_shard_that_a_node_knows_and_whose_table_it_has_read_before_can_be_rolled(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As a node of many may, the engine gives a table's row, where it is all that is read, as it
    was a moment ago: the shards of a stream are looked for in one view with their table."""
    tables = tables_in_memory(FakeClock())
    before = tables.table(REGION, NAME)
    snapshot = tables.engine.snapshot

    def late(work: Callable[[Reader], Any]) -> Any:
        def view(reader: Reader) -> Any:
            with contextlib.suppress(_ReadsMore):
                return work(_OldTable(before))
            return work(reader)

        return snapshot(view)

    async def check() -> None:
        _, child = (await split_shard(tables, REGION, NAME)).children
        monkeypatch.setattr(tables.engine, "snapshot", late)
        (rolled,) = await roll_shards(tables, REGION, NAME, child.id)
        assert rolled.parent.id == child.id

    asyncio.run(check())


class _ReadsMore(Exception):
    """A work reads more than a table's row."""


class _OldTable(Reader):
    """A reader of one table's row as it was."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def get(self, key: bytes) -> bytes | None:
        if key != self._table.key:
            raise _ReadsMore
        return self._table.stored

    def scan(self, span: Span, limit: int, backward: bool = False) -> list[tuple[bytes, bytes]]:
        raise _ReadsMore
