"""Expiry rows: which items have one, and that they follow their items whatever happens."""

import asyncio
import random

import pytest

from penstock.base import limits
from penstock.items.keys import ItemKey
from penstock.items.values import Item, Value
from penstock.storage.waist import Span, Transaction
from penstock.tables.backfill import Backfill
from penstock.tables.catalog import delete_table, table_of
from penstock.tables.expiry import Expiry, expiry_second
from penstock.tables.stored_item import StoredItem, stored_item
from penstock.tables.tables import Tables
from penstock.tables.time_to_live import switch_time_to_live, switched
from penstock.testing.clock import FakeClock
from unit.tables.followers import check_expiry, put_item, rows_in, switch, table_in
from unit.tables.tables_in_memory import tables_in_memory

ITEMS = 200
NOW_S = 1_790_000_000
YEARS_5_S = limits.expiry_age_seconds_max
EXPIRY = Expiry(1, "ends")
KEY = ItemKey(b"01234567", b"a", b"")


def of(value: Value | None) -> StoredItem:
    """Return an item that has that value as `ends`."""
    item: Item = {"pk": {"S": "a"}, "text": {"S": '"ends"'}}
    stored = stored_item(item if value is None else {**item, "ends": value})
    assert stored is not None
    return stored


@pytest.mark.parametrize(
    ("value", "second"),
    [
        ({"N": "12"}, 12),
        ({"N": "12.999"}, 12),
        ({"N": "0"}, 0),
        ({"N": "0.5"}, 0),
        ({"N": "9" * 18}, 10**18 - 1),
        ({"N": "1" + "0" * 18}, None),
        ({"N": "1" + "0" * 125}, None),
        ({"N": "-0.5"}, None),
        ({"N": "-12"}, None),
        ({"S": "12"}, None),
        ({"NS": ["12"]}, None),
        ({"L": [{"N": "12"}]}, None),
        ({"M": {"ends": {"N": "12"}}}, None),
    ],
)
def test_what_is_a_time(value: Value, second: int | None) -> None:
    assert expiry_second({"ends": value}, "ends") == second
    assert expiry_second({"other": value}, "ends") is None


@pytest.mark.parametrize(
    ("offset", "expired"),
    [(0, False), (1, False), (-1, True), (1 - YEARS_5_S, True), (-YEARS_5_S, False)],
)
def test_the_range_and_the_item_agree_on_what_has_expired(offset: int, expired: bool) -> None:
    """Before this second, and not by five years: at both ends of the range."""
    item = of({"N": str(NOW_S + offset)})
    row = EXPIRY._row(KEY, item)
    assert row is not None
    assert EXPIRY.expired(NOW_S).covers(row) == expired
    assert EXPIRY.has_expired(item, NOW_S) == expired
    assert EXPIRY.key_of(row) == KEY


def test_a_name_that_only_looks_like_the_attribute_is_none() -> None:
    assert not EXPIRY.has_expired(of(None), NOW_S)


def test_an_attribute_of_any_name_is_found() -> None:
    """Its name is looked for in bytes that escape some characters."""
    for name in ('"', "\\", "é\n\u2028", "\U0001f600", "a b", "\x7f"):
        item = stored_item({name: {"N": "5"}})
        assert item is not None
        assert Expiry(1, name).has_expired(item, 6)


def test_five_years_ago_may_lie_before_the_epoch() -> None:
    start = EXPIRY.rows.start
    assert EXPIRY.expired(5) == Span(start + bytes(8), start + bytes(7) + b"\5")


async def write_on(tables: Tables, seed: int, writes: int) -> None:
    """Put, change and delete items with and without a time."""
    chance = random.Random(seed)
    values: list[Item | None] = [None, {"ends": {"S": "12"}}, {}, {"ends": {"N": "-5"}}]
    for _ in range(writes):
        timed: Item = {"ends": {"N": f"{chance.randrange(50)}.{chance.randrange(2)}"}}
        item = timed if chance.random() < 0.6 else chance.choice(values)
        await put_item(tables, f"item {chance.randrange(ITEMS)}", item)


@pytest.mark.parametrize("seed", range(5))
def test_rows_follow_their_items_while_a_time_to_live_goes_on_off_and_on(
    monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    """Writers go on all the while, and the backfill runs where it likes."""
    monkeypatch.setattr(limits, "backfill_rows_max", 4)
    tables = tables_in_memory(FakeClock())

    async def check() -> None:
        backfill = Backfill(tables)
        await write_on(tables, seed, ITEMS)
        writers = [asyncio.create_task(write_on(tables, seed * 9 + n, 60)) for n in range(3)]
        await switch(tables, "ends", enabled=True)
        first = asyncio.create_task(backfill.run())
        await write_on(tables, seed + 100, 3 * seed)
        await switch(tables, "ends", enabled=False)
        await first
        check_expiry(tables, "ends")
        await switch(tables, "ends", enabled=True)
        await asyncio.gather(backfill.run(), *writers)
        settings = table_in(tables).descriptor.time_to_live
        assert settings is not None
        assert settings.complete

    asyncio.run(check())
    check_expiry(tables, "ends")
    assert rows_in(tables, EXPIRY.rows)


def test_a_backfill_of_one_switching_on_does_not_complete_the_next(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What it had noted was cleared meanwhile, be it within one millisecond."""
    monkeypatch.setattr(limits, "backfill_rows_max", 4)
    tables = tables_in_memory(FakeClock())

    async def check() -> None:
        await write_on(tables, 1, ITEMS)
        await switch(tables, "ends", enabled=True)
        first = asyncio.create_task(Backfill(tables).run())
        while not rows_in(tables, EXPIRY.rows):
            await asyncio.sleep(0)
        on = table_in(tables)
        off = table_of(switched(on.descriptor, "ends", False, tables.clock.now_ms(), 0))
        again = table_of(switched(off.descriptor, "ends", True, tables.clock.now_ms(), 0))

        def off_and_on(txn: Transaction) -> None:
            switch_time_to_live(txn, on, off)
            switch_time_to_live(txn, off, again)

        await tables.engine.transact(off_and_on, locks=on.locks)
        assert not first.done()
        await first
        settings = table_in(tables).descriptor.time_to_live
        assert settings is not None
        assert not settings.complete
        await Backfill(tables).run()

    asyncio.run(check())
    check_expiry(tables, "ends")


def test_another_attribute_begins_from_the_start() -> None:
    """A backfill of the first attribute does not complete the second."""
    tables = tables_in_memory(FakeClock())

    async def check() -> None:
        await put_item(tables, "a", {"ends": {"N": "5"}, "other": {"N": "7"}})
        await switch(tables, "ends", enabled=True)
        await Backfill(tables).run()
        check_expiry(tables, "ends")
        await switch(tables, "ends", enabled=False)
        await switch(tables, "other", enabled=True)
        settings = table_in(tables).descriptor.time_to_live
        assert settings is not None
        assert not settings.complete
        await Backfill(tables).run()

    asyncio.run(check())
    check_expiry(tables, "other")


def test_no_row_outlives_its_table() -> None:
    tables = tables_in_memory(FakeClock())

    async def check() -> None:
        await switch(tables, "ends", enabled=True)
        await put_item(tables, "a", {"ends": {"N": "5"}})
        assert rows_in(tables, EXPIRY.rows)
        table = table_in(tables)
        await tables.engine.transact(
            lambda txn: delete_table(txn, table, None, 0), locks=table.locks
        )

    asyncio.run(check())
    assert rows_in(tables, EXPIRY.rows) == []
