"""The backfill: whatever happens meanwhile, an index ends as the projection of its table."""

import asyncio
import random

import pytest
from msgspec.structs import replace

from penstock.base import limits
from penstock.items.values import Item
from penstock.storage.waist import Span
from penstock.tables.backfill import Backfill
from penstock.tables.catalog import delete_table, table_of
from penstock.tables.tables import Tables
from penstock.testing.clock import FakeClock
from unit.tables.followers import (
    change_table,
    check_indexes,
    create_index,
    drop_indexes,
    in_status,
    put_item,
    rows_in,
    statuses,
    table_in,
)
from unit.tables.tables_in_memory import NAME, REGION, tables_in_memory

ITEMS = 400
DELAY_MS = 2_000


def random_item(chance: random.Random) -> Item:
    """Return an item that may or may not be in an index on `by`."""
    item: Item = {"n": {"N": str(chance.randrange(100))}, "other": {"S": "x"}}
    if chance.random() < 0.7:
        item["by"] = {"S": f"group {chance.randrange(5)}"}
    return item


async def fill_table(tables: Tables, items: int = ITEMS, seed: int = 1) -> None:
    """Put items, some of which have the index's key, and one that has it in a wrong type."""
    chance = random.Random(seed)
    await asyncio.gather(
        *(put_item(tables, f"item {n}", random_item(chance)) for n in range(items)),
        put_item(tables, "wrong", {"by": {"N": "1"}}),
    )


async def write_on(tables: Tables, seed: int, writes: int = ITEMS) -> None:
    """Put and delete items, one after the other."""
    chance = random.Random(seed)
    for _ in range(writes):
        name = f"item {chance.randrange(2 * ITEMS)}"
        await put_item(tables, name, None if chance.random() < 0.3 else random_item(chance))


def test_an_index_is_filled_and_then_active() -> None:
    async def check() -> None:
        tables = tables_in_memory_filled
        await create_index(tables)
        assert await Backfill(tables).run() is None
        assert statuses(tables) == {"by-77": "ACTIVE"}

    tables_in_memory_filled = tables_in_memory(FakeClock())
    asyncio.run(fill_table(tables_in_memory_filled))
    asyncio.run(check())
    check_indexes(tables_in_memory_filled)


@pytest.mark.parametrize("seed", range(6))
def test_writes_that_go_on_meanwhile_are_in_the_index(
    monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    """Writers put and delete before, at and behind the place that the backfill has come to."""
    monkeypatch.setattr(limits, "backfill_rows_max", 4)
    tables = tables_in_memory(FakeClock())

    async def check() -> None:
        await fill_table(tables, seed=seed)
        await create_index(tables)
        backfill = asyncio.create_task(Backfill(tables).run())
        await asyncio.gather(*(write_on(tables, seed * 10 + n, 100) for n in range(4)))
        assert statuses(tables) == {"by-77": "CREATING"} or backfill.done()
        await backfill
        assert statuses(tables) == {"by-77": "ACTIVE"}

    asyncio.run(check())
    check_indexes(tables)


@pytest.mark.parametrize("steps", [1, 7, 30, 60])
def test_a_backfill_that_was_interrupted_ends_after_the_next_start(
    monkeypatch: pytest.MonkeyPatch, steps: int
) -> None:
    """Nothing that the first had filled is counted twice."""
    monkeypatch.setattr(limits, "backfill_rows_max", 4)
    tables = tables_in_memory(FakeClock())

    async def check() -> None:
        await fill_table(tables)
        await create_index(tables, 77)
        await create_index(tables, 78, "ALL")
        first = asyncio.create_task(Backfill(tables).run())
        await write_on(tables, 3, steps)
        assert not first.done()
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)
        assert set(statuses(tables).values()) == {"CREATING"}
        await write_on(tables, 4, steps)
        await Backfill(tables).run()
        assert set(statuses(tables).values()) == {"ACTIVE"}

    asyncio.run(check())
    check_indexes(tables)


def test_a_table_that_changes_meanwhile_is_looked_at_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """The backfill goes on where it was, and keeps what others have changed."""
    monkeypatch.setattr(limits, "backfill_rows_max", 4)
    tables = tables_in_memory(FakeClock())

    async def check() -> None:
        await fill_table(tables)
        await create_index(tables)
        backfill = asyncio.create_task(Backfill(tables).run())
        for units in range(1, 10):
            await change_table(tables, lambda d, units=units: replace(d, read_units=units))  # type: ignore[misc]
        assert not backfill.done()
        await backfill

    asyncio.run(check())
    assert statuses(tables) == {"by-77": "ACTIVE"}
    assert table_in(tables).descriptor.read_units == 9
    check_indexes(tables)


def test_it_stops_where_the_table_goes_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "backfill_rows_max", 4)
    tables = tables_in_memory(FakeClock())

    async def check() -> None:
        await fill_table(tables)
        await create_index(tables)
        backfill = asyncio.create_task(Backfill(tables).run())
        await put_item(tables, "more", {"by": {"S": "x"}})
        table = table_in(tables)
        await tables.engine.transact(
            lambda txn: delete_table(txn, table, None, 0), locks=table.locks
        )
        assert await backfill is None
        for span in (table.items, *table.followers):
            assert rows_in(tables, span) == []

    asyncio.run(check())
    assert tables.find(REGION, NAME) is None


def test_it_stops_where_the_index_goes_away(monkeypatch: pytest.MonkeyPatch) -> None:
    """The entries of an index that is deleted while it is filled do not come back."""
    monkeypatch.setattr(limits, "backfill_rows_max", 4)
    tables = tables_in_memory(FakeClock())

    async def check() -> tuple[Span, ...]:
        await fill_table(tables)
        await create_index(tables)
        spans = table_in(tables).followers
        backfill = Backfill(tables)
        task = asyncio.create_task(backfill.run())
        await put_item(tables, "more", {"by": {"S": "x"}})
        assert rows_in(tables, spans[0])
        await drop_indexes(tables)
        await task
        assert statuses(tables) == {"by-77": "DELETING"}
        await backfill.run()
        return spans

    assert [rows_in(tables, span) for span in asyncio.run(check())] == [[], []]
    assert statuses(tables) == {}


def test_an_index_is_filled_once_its_table_is_no_longer_updating() -> None:
    clock = FakeClock()
    tables = tables_in_memory(clock)
    backfill = Backfill(tables)

    async def check() -> None:
        await fill_table(tables, 5)
        await create_index(tables, delay_ms=DELAY_MS)
        assert await backfill.run() == DELAY_MS
        clock.advance(DELAY_MS - 500)
        assert await backfill.run() == 500
        assert statuses(tables) == {"by-77": "CREATING"}
        clock.advance(500)
        assert await backfill.run() is None
        assert statuses(tables) == {"by-77": "ACTIVE"}
        assert table_in(tables).descriptor.status == "ACTIVE"

    asyncio.run(check())
    check_indexes(tables)


def test_what_is_gone_by_its_time_is_taken_out_of_the_catalogue() -> None:
    """First an index, and then the table itself."""
    clock = FakeClock()
    tables = tables_in_memory(clock)
    backfill = Backfill(tables)

    async def check() -> None:
        await create_index(tables)
        await drop_indexes(tables, DELAY_MS)
        assert await backfill.run() == DELAY_MS
        assert statuses(tables) == {"by-77": "DELETING"}
        clock.advance(DELAY_MS)
        assert await backfill.run() is None
        assert statuses(tables) == {}
        table = table_in(tables)
        last = table_of(in_status(table.descriptor, "DELETING", clock.now_ms() + DELAY_MS))
        await tables.engine.transact(
            lambda txn: delete_table(txn, table, last, clock.now_ms()), locks=table.locks
        )
        assert await backfill.run() == DELAY_MS
        assert rows_in(tables, Span.of_key(table.key))
        clock.advance(DELAY_MS)
        assert await backfill.run() is None
        assert rows_in(tables, Span.of_key(table.key)) == []

    asyncio.run(check())


def test_a_long_delay_is_looked_at_now_and_then() -> None:
    """The wall clock may step, and a job waits by another one."""
    clock = FakeClock()
    tables = tables_in_memory(clock)

    async def check() -> None:
        await create_index(tables, delay_ms=DELAY_MS)
        clock.set(clock.now_ms() - 10**9)
        assert await Backfill(tables).run() == limits.backfill_interval_ms

    asyncio.run(check())


def test_a_step_ends_with_the_rows_that_take_it_over_its_bytes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Large items make for small steps: requests wait for no more than some bytes."""
    monkeypatch.setattr(limits, "backfill_bytes_max", 1)
    tables = tables_in_memory(FakeClock())

    async def check() -> None:
        await fill_table(tables, 100)
        await create_index(tables)
        backfill = asyncio.create_task(Backfill(tables).run())
        for _ in range(8):  # at 4 items a step there are 25 steps at least
            await put_item(tables, "other", {"n": {"N": "1"}})
        assert not backfill.done()
        await backfill

    asyncio.run(check())
    check_indexes(tables)
