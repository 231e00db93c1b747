"""What transactions of tables decide by is protected by their locks, and where it is not is found.

The tables lie in an engine that finds it (`penstock.storage.protection`), so most of what is shown
here is that nothing is raised.
"""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from msgspec.structs import replace

from penstock.storage.protection import Unprotected
from penstock.storage.waist import Lock
from penstock.streams.stream import find_stream, stream_lock
from penstock.tables.catalog import (
    StaleTable,
    create_table,
    delete_table,
    replace_table,
    table_of,
    with_stream,
)
from penstock.tables.descriptor import Table
from penstock.tables.lineage import roll_shards, split_shard
from penstock.tables.tables import Tables
from penstock.testing.clock import FakeClock
from unit.tables.followers import change_table, check_indexes, create_index, put_item, table_in
from unit.tables.tables_in_memory import NAME, REGION, tables_in_memory, write_of

ITEMS = [f"item {number}" for number in range(12)]


async def make_other(tables: Tables) -> Table:
    """Make a table `other` like the first, without a stream."""
    first = table_in(tables).descriptor
    other = table_of(replace(first, name="other", number=9, stream=None))
    await tables.engine.transact(lambda txn: create_table(txn, other, None), locks=other.locks)
    return other


def test_a_table_that_nothing_is_written_to_is_not_looked_at() -> None:
    """As one in a batch without throughput left: no lock is held that keeps its row as it is."""
    tables = tables_in_memory(FakeClock())

    async def check() -> None:
        other = await make_other(tables)
        write = write_of("a", lambda _: {"pk": {"S": "a"}})
        await tables.change(REGION, [NAME, "other"], lambda found: [write(found[0])])
        new = table_of(replace(other.descriptor, deletion_protection=True))
        await tables.engine.transact(lambda txn: replace_table(txn, other, new), locks=other.locks)

    asyncio.run(check())


def test_partitions_that_a_split_has_moved_are_handed_over_by_their_table() -> None:
    """Counts are kept by the place of a partition, and another one has it after a split.

    The locks of the two have nothing in common, but who has that of the first finds the table
    changed.
    """
    tables = tables_in_memory(FakeClock())

    async def check() -> None:
        await create_index(tables)
        for _ in range(4):
            for name in ITEMS:
                await put_item(tables, name, {"by": {"S": name}})
                await put_item(tables, name, None)
            await split_shard(tables, REGION, NAME)
            for name in ITEMS:
                await put_item(tables, name, {"by": {"S": name}})
            await roll_shards(tables, REGION, NAME)

    asyncio.run(check())
    assert len(table_in(tables).partitions) == 8
    check_indexes(tables)


async def _change(tables: Tables) -> None:
    await change_table(tables, lambda found: replace(found, deletion_protection=True))


async def _split(tables: Tables) -> None:
    await split_shard(tables, REGION, NAME)


@pytest.mark.parametrize("act", [_change, _split])
def test_a_change_of_a_table_that_lacks_the_locks_of_partitions_is_found(
    act: Callable[[Tables], Awaitable[None]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Put in on purpose: those who write items could not be kept out of it."""
    tables = tables_in_memory(FakeClock())

    def wrong(table: Table) -> list[Lock]:
        """Return locks of other names, over the same keys."""
        return [Lock(b"wrong/" + part.lock.name, part.lock.covers) for part in table.partitions] + [
            table.lock,
            stream_lock(2, str(table.descriptor.latest_stream_arn)),
        ]

    async def check() -> None:
        for name in ITEMS:
            await put_item(tables, name, {})
        monkeypatch.setattr(Table, "locks", property(wrong))
        with pytest.raises(Unprotected, match="wrong/partition/"):
            await act(tables)

    asyncio.run(check())


def test_the_arn_of_a_stream_is_given_once_though_it_was_free_when_the_table_was_prepared() -> None:
    """Another node made a table of that name in the same millisecond, and deleted it."""
    clock = FakeClock()
    tables = tables_in_memory(clock)

    async def check() -> None:
        first = table_in(tables)
        arn = str(first.descriptor.latest_stream_arn)
        before = tables.read(lambda reader: find_stream(reader, arn))
        assert before is not None
        stream = replace(before, number=10)
        second = table_of(with_stream(replace(first.descriptor, number=9), stream))
        await tables.engine.transact(
            lambda txn: delete_table(txn, first, None, clock.now_ms()), locks=first.locks
        )
        with pytest.raises(StaleTable):
            await tables.engine.transact(
                lambda txn: create_table(txn, second, stream), locks=second.locks
            )
        after = tables.read(lambda reader: find_stream(reader, arn))
        assert after is not None
        assert (after.number, after.state(clock.now_ms())) == (before.number, "DISABLED")

    asyncio.run(check())
    assert tables.find(REGION, NAME) is None
