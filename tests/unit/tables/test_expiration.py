"""Expiration: what has expired goes, once, and nothing that was refreshed goes with it."""

import asyncio
import random

import pytest
from msgspec.structs import replace

from penstock.base import limits
from penstock.items.values import Item
from penstock.storage.waist import log_span
from penstock.tables.backfill import Backfill
from penstock.tables.catalog import create_table, delete_table, table_of
from penstock.tables.expiration import Expiration
from penstock.tables.tables import Tables
from penstock.tables.write import table_count
from penstock.testing.clock import FakeClock
from unit.tables.followers import (
    ROWS_MAX,
    check_expiry,
    check_indexes,
    create_index,
    items_of,
    put_item,
    switch,
    table_in,
)
from unit.tables.tables_in_memory import REGION, records_in, tables_in_memory

DAY_S = 24 * 3600


def names_in(tables: Tables, name: str = "abc") -> set[str]:
    """Return the names of a table's items."""
    table = tables.table(REGION, name)
    items = tables.read(lambda reader: items_of(reader, table))
    return {item["pk"]["S"] for item in items.values()}


def ending(tables: Tables, seconds: int) -> Item:
    """Return an item that ends in so many seconds."""
    return {"ends": {"N": str(tables.clock.now_ms() // 1000 + seconds)}, "by": {"S": "all"}}


async def switched_on(tables: Tables) -> None:
    """Switch the time to live on, and wait for its backfill."""
    await switch(tables, "ends", enabled=True)
    await Backfill(tables).run()


def test_an_item_is_not_deleted_that_is_refreshed_at_that_moment() -> None:
    """The row says expired, and so does all that is durable; the transaction sees more."""
    tables = tables_in_memory(FakeClock())

    async def check() -> None:
        await switched_on(tables)
        for name in ("refreshed", "left"):
            await put_item(tables, name, ending(tables, -1))
        refresh = asyncio.create_task(put_item(tables, "refreshed", ending(tables, DAY_S)))
        await asyncio.sleep(0)  # it is applied now, and not durable
        assert not refresh.done()
        await Expiration(tables).run()
        await refresh

    asyncio.run(check())
    assert names_in(tables) == {"refreshed"}
    check_expiry(tables, "ends")


@pytest.mark.parametrize("seed", range(4))
def test_items_that_are_refreshed_all_the_time_stay(seed: int) -> None:
    """Each is moved on before it ends, while the job runs without a pause and time passes."""
    clock = FakeClock()
    tables = tables_in_memory(clock)
    written: set[str] = set()
    done = asyncio.Event()

    async def refresh(number: int) -> None:
        chance = random.Random(seed * 100 + number)
        for turn in range(20):
            await put_item(tables, f"kept {number}", ending(tables, 2))
            await put_item(tables, f"left {number} {turn}", ending(tables, -chance.randrange(1, 9)))
            clock.advance(100)  # ten writers: a second in each of their turns

    async def expire() -> None:
        job = Expiration(tables)
        while not done.is_set():
            await job.run()
            written.update(names_in(tables))
            await asyncio.sleep(0)
            assert {f"kept {number}" for number in range(10)} <= names_in(tables)

    async def check() -> None:
        await create_index(tables)
        await switched_on(tables)
        for number in range(10):
            await put_item(tables, f"kept {number}", ending(tables, 2))
        expiring = asyncio.create_task(expire())
        await asyncio.gather(*(refresh(number) for number in range(10)))
        done.set()
        await expiring
        await Expiration(tables).run()

    asyncio.run(check())
    assert names_in(tables) == {f"kept {number}" for number in range(10)}
    check_expiry(tables, "ends")
    check_indexes(tables)


def test_every_expired_item_goes_with_one_record_of_the_service() -> None:
    """Index entries and counts go with them; a second round finds nothing."""
    tables = tables_in_memory(FakeClock())

    async def check() -> None:
        await create_index(tables)
        await switched_on(tables)
        items = range(3 * limits.expiry_deletes_max + 1)
        await asyncio.gather(
            *(put_item(tables, f"item {n}", ending(tables, -1 - n % 7)) for n in items),
            put_item(tables, "last", ending(tables, 0)),
        )
        before = records_in(tables)
        await Expiration(tables).run()
        await Expiration(tables).run()
        assert records_in(tables) == before + len(items)

    asyncio.run(check())
    assert names_in(tables) == {"last"}
    table = table_in(tables)
    assert tables.read(lambda reader: table_count(reader, table)).items == 1
    check_indexes(tables)
    check_expiry(tables, "ends")
    records = [
        stored
        for partition in table.partitions
        if partition.log is not None
        for _, stored in tables.read(
            lambda reader, log=partition.log: reader.scan(log_span(log), ROWS_MAX)  # type: ignore[misc]
        )
    ]
    removes = [record for record in records if b'"REMOVE"' in record]
    identity = b'"userIdentity":{"PrincipalId":"dynamodb.amazonaws.com","Type":"Service"}'
    assert removes
    assert all(identity in record for record in removes)


def test_nothing_goes_before_the_backfill_is_through() -> None:
    """Which items were there before is not known until then; all of them go together."""
    tables = tables_in_memory(FakeClock())

    async def check() -> None:
        await put_item(tables, "before", ending(tables, -1))
        await switch(tables, "ends", enabled=True)
        await put_item(tables, "after", ending(tables, -1))
        await Expiration(tables).run()
        assert names_in(tables) == {"before", "after"}
        await Backfill(tables).run()
        await Expiration(tables).run()

    asyncio.run(check())
    assert names_in(tables) == set()


def test_what_is_switched_off_meanwhile_deletes_nothing_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Also where it is on again by another attribute."""
    monkeypatch.setattr(limits, "expiry_deletes_max", 2)
    tables = tables_in_memory(FakeClock())

    async def check() -> int:
        await switched_on(tables)
        for number in range(10):
            await put_item(tables, f"item {number}", ending(tables, -1))
        job = asyncio.create_task(Expiration(tables).run())
        while len(names_in(tables)) > 8:
            await asyncio.sleep(0)
        await switch(tables, "ends", enabled=False)
        left = len(names_in(tables))
        await switch(tables, "other", enabled=True)
        await Backfill(tables).run()
        await job
        return left

    left = asyncio.run(check())
    assert 0 < left <= 8
    assert len(names_in(tables)) == left


def test_a_table_that_goes_away_meanwhile_leaves_the_others_their_turn(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Tables take turns: the few items of one do not wait for the many of another."""
    monkeypatch.setattr(limits, "expiry_deletes_max", 2)
    tables = tables_in_memory(FakeClock())

    async def check() -> None:
        await switched_on(tables)
        first = table_in(tables)
        other = table_of(replace(first.descriptor, name="other", number=9, stream=None))
        await tables.engine.transact(lambda txn: create_table(txn, other, None), locks=other.locks)
        for number in range(20):
            await put_item(tables, f"item {number}", ending(tables, -1))
        await put_item(tables, "few", ending(tables, -1), "other")
        job = asyncio.create_task(Expiration(tables).run())
        while names_in(tables, "other"):
            await asyncio.sleep(0)
        assert len(names_in(tables)) >= 16
        await tables.engine.transact(
            lambda txn: delete_table(txn, first, None, 0), locks=first.locks
        )
        await job

    asyncio.run(check())
    assert tables.find(REGION, "abc") is None


def test_a_row_without_its_item_is_passed_by() -> None:
    """Nothing of ours leaves one; if one were left, the job would not stumble over it."""
    tables = tables_in_memory(FakeClock())

    async def check() -> None:
        await switched_on(tables)
        for name in ("a", "b"):
            await put_item(tables, name, ending(tables, -1))
        table = table_in(tables)
        items = tables.read(lambda reader: items_of(reader, table))
        key = next(key for key, item in items.items() if item["pk"] == {"S": "a"})
        await tables.engine.transact(
            lambda txn: txn.set(table.item_key(key), None), locks=table.locks
        )
        await Expiration(tables).run()

    asyncio.run(check())
    assert names_in(tables) == set()
