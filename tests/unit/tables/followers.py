"""Changes of a table that give the background something to do, and what must be true after it."""

from collections.abc import Callable

from msgspec.structs import replace

from penstock.items.index_keys import index_key
from penstock.items.keys import ItemKey, KeyAttribute
from penstock.items.sizes import item_bytes
from penstock.items.values import Item
from penstock.storage.prefixes import Prefix
from penstock.storage.waist import Reader, Span, Transaction
from penstock.tables.catalog import clear_index, replace_table, table_of
from penstock.tables.count import Count
from penstock.tables.descriptor import Descriptor, Table, TableStatus
from penstock.tables.index import Index, IndexDescriptor, ProjectionType
from penstock.tables.state import settled
from penstock.tables.stored_item import unpack_item
from penstock.tables.tables import Tables, until_current
from penstock.tables.time_to_live import switch_time_to_live, switched
from penstock.tables.write import index_count
from unit.tables.tables_in_memory import NAME, REGION, key_of, write_of

ROWS_MAX = 100_000


def table_in(tables: Tables) -> Table:
    """Return the table as it is stored now."""
    return tables.table(REGION, NAME)


def in_status(descriptor: Descriptor, status: TableStatus, until_ms: int) -> Descriptor:
    """Return the table in that status until then."""
    return replace(descriptor, status=status, status_until_ms=until_ms)


async def change_table(
    tables: Tables, change: Callable[[Descriptor], Descriptor], delay_ms: int = 0
) -> None:
    """Replace the table's descriptor by what `change` makes of it, UPDATING for a while."""

    async def attempt() -> None:
        old = table_in(tables)
        now_ms = tables.clock.now_ms()
        changed = change(settled(old.descriptor, now_ms))
        new = table_of(in_status(changed, "UPDATING", now_ms + delay_ms))

        def work(txn: Transaction) -> None:
            replace_table(txn, old, new)
            for name in old.indexes.keys() - new.indexes.keys():
                clear_index(txn, old.indexes[name])

        await tables.engine.transact(work, locks=old.locks)

    await until_current(attempt)


async def put_item(tables: Tables, name: str, item: Item | None, table_name: str = NAME) -> None:
    """Put an item of that key, or delete it."""
    whole = None if item is None else {**item, **key_of(name)}
    write = write_of(name, lambda _: whole)
    await tables.change(REGION, [table_name], lambda found: [write(found[0])])


async def create_index(
    tables: Tables,
    number: int = 77,
    projection: ProjectionType = "INCLUDE",
    delay_ms: int = 0,
) -> None:
    """Give the table an index on `by` (S) that is empty and waits to be filled."""
    index = IndexDescriptor(
        name=f"by-{number}",
        number=number,
        kind="GLOBAL",
        arn="",
        partition_key=[KeyAttribute("by", "S")],
        sort_key=[],
        projection=projection,
        non_key_attributes=["n"] if projection == "INCLUDE" else [],
        status="CREATING",
        status_ms=tables.clock.now_ms(),
    )
    await change_table(tables, lambda d: replace(d, indexes=[*d.indexes, index]), delay_ms)


async def drop_indexes(tables: Tables, delay_ms: int = 0) -> None:
    """Clear every index and say that it is being deleted."""
    now_ms = tables.clock.now_ms()
    await change_table(
        tables,
        lambda d: replace(
            d, indexes=[replace(i, status="DELETING", status_ms=now_ms) for i in d.indexes]
        ),
        delay_ms,
    )


async def switch(tables: Tables, attribute: str, *, enabled: bool) -> None:
    """Switch the table's time to live on or off."""

    async def attempt() -> None:
        old = table_in(tables)
        new = table_of(switched(old.descriptor, attribute, enabled, tables.clock.now_ms(), 0))
        await tables.engine.transact(
            lambda txn: switch_time_to_live(txn, old, new), locks=old.locks
        )

    await until_current(attempt)


def statuses(tables: Tables) -> dict[str, str]:
    """Return the status of each index by its name."""
    return {index.name: index.status for index in table_in(tables).descriptor.indexes}


def items_of(reader: Reader, table: Table) -> dict[ItemKey, Item]:
    """Return every item of the table by its key."""
    rows = reader.scan(table.items, ROWS_MAX)
    return {
        ItemKey.of_suffix(key.removeprefix(table.item_prefix)): unpack_item(stored).item()
        for key, stored in rows
    }


def check_indexes(tables: Tables) -> None:
    """Assert that every index is the projection of a scan of the whole table, counts included."""

    def check(reader: Reader) -> None:
        table = table_in(tables)
        items = items_of(reader, table)
        for index in table.indexes.values():
            wanted = dict(
                _projected(index, key, item)
                for key, item in items.items()
                if "S" in item.get("by", {})
            )
            rows = reader.scan(index.entries, ROWS_MAX)
            assert {key: unpack_item(stored).item() for key, stored in rows} == wanted
            size = sum(item_bytes(entry) for entry in wanted.values())
            assert index_count(reader, index) == Count(len(wanted), size)

    tables.read(check)


def check_expiry(tables: Tables, attribute: str) -> None:
    """Assert that there is a row for each item that expires, and no other."""

    def check(reader: Reader) -> None:
        table = table_in(tables)
        prefix = Prefix.EXPIRY.key + table.descriptor.number.to_bytes(8, "big")
        wanted = {
            prefix + int(float(item[attribute]["N"])).to_bytes(8, "big") + key.suffix
            for key, item in items_of(reader, table).items()
            if "N" in item.get(attribute, {}) and float(item[attribute]["N"]) >= 0
        }
        rows = reader.scan(Span.of_prefix(prefix), ROWS_MAX)
        assert {key for key, _ in rows} == (wanted if table.expiry is not None else set())

    tables.read(check)


def _projected(index: Index, key: ItemKey, item: Item) -> tuple[bytes, Item]:
    kept = {"pk", "by", *index.descriptor.non_key_attributes}
    at = index_key(index.schema, item)
    assert at is not None
    entry = item
    if index.descriptor.projection != "ALL":
        entry = {name: value for name, value in item.items() if name in kept}
    return index.entry_key(at, key), entry


def rows_in(tables: Tables, span: Span) -> list[tuple[bytes, bytes]]:
    """Return all that is stored in `span`."""
    return tables.read(lambda reader: reader.scan(span, ROWS_MAX))
