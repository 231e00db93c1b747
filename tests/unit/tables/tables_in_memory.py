"""Tables in a memory engine, and writes to them that need no request."""

import asyncio
from collections.abc import Callable
from typing import Any

from penstock.base.errors import dynamodb
from penstock.base.ids import Entropy
from penstock.items.keys import KeyAttribute, item_key_for_lookup
from penstock.items.values import Item
from penstock.storage.flusher import Flusher
from penstock.storage.memory import MemoryEngine
from penstock.storage.waist import Engine, Reader, log_span
from penstock.streams.stream import make_stream
from penstock.tables.catalog import create_table, table_of, with_stream
from penstock.tables.descriptor import Descriptor, Table, even_partitions
from penstock.tables.read import get_item
from penstock.tables.stored_item import StoredItem, stored_item
from penstock.tables.tables import Tables
from penstock.tables.transaction import Action
from penstock.tables.write import Write
from penstock.testing.clock import FakeClock

REGION = "us-east-1"
NAME = "abc"
ACCOUNT = "000000000000"
_RECORDS_MAX = 1000
Decide = Callable[[Item | None], Item | None]


def tables_in_memory(clock: FakeClock, flusher: Flusher | None = None) -> Tables:
    """Return a store in memory with the table of `make_table`."""
    tables = tables_over(MemoryEngine(clock, rehearse=True, flusher=flusher), clock)
    make_table(tables)
    return tables


def tables_over(engine: Engine, clock: FakeClock) -> Tables:
    """Return the tables that `engine` holds."""
    return Tables(engine, clock, Entropy(0), ACCOUNT)


def make_table(tables: Tables) -> None:
    """Make the table `abc` of four partitions, with a stream; its key is `pk` (S)."""
    now_ms = tables.clock.now_ms()
    arn = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{NAME}"
    descriptor = Descriptor(
        name=NAME,
        region=REGION,
        number=1,
        id="",
        arn=arn,
        created_ms=now_ms,
        partition_key=KeyAttribute("pk", "S"),
        sort_key=None,
        partitions=even_partitions(4),
        billing_mode="PAY_PER_REQUEST",
        read_units=0,
        write_units=0,
    )
    schema = [{"AttributeName": "pk", "KeyType": "HASH"}]
    stream = make_stream(2, arn, NAME, "NEW_AND_OLD_IMAGES", schema, now_ms)
    table = table_of(with_stream(descriptor, stream))
    asyncio.run(
        tables.engine.transact(lambda txn: create_table(txn, table, stream), locks=table.locks)
    )


def key_of(name: str) -> Item:
    """Return the key of an item."""
    return {"pk": {"S": name}}


def write_of(name: str, decide: Decide) -> Callable[[Table], Write]:
    """Return what makes the write of the item `name` that `decide` decides."""

    def decide_stored(old: StoredItem | None) -> StoredItem | None:
        new = decide(None if old is None else old.item())
        return None if new is None else stored_item(new)

    def prepare(table: Table) -> Write:
        key = item_key_for_lookup(table.schema, key_of(name))
        return Write(table, key, key_of(name), decide_stored)

    return prepare


def put(name: str, value: str = "1") -> Action:
    """Return the action that puts an item with `n`."""
    return Action(NAME, write_of(name, lambda _: {**key_of(name), "n": {"N": value}}))


def delete(name: str) -> Action:
    """Return the action that deletes an item."""
    return Action(NAME, write_of(name, lambda _: None))


def check(name: str, *, there: bool) -> Action:
    """Return the action that checks that an item is there, or is not, and leaves it as it is."""

    def decide(old: Item | None) -> Item | None:
        if (old is not None) != there:
            raise dynamodb.condition_failed(old)
        return old

    return Action(NAME, write_of(name, decide))


def number_of(tables: Tables, name: str) -> Any:
    """Return the `n` of an item that is durable, None where there is no item."""

    def read(reader: Reader) -> Any:
        table = tables.table(REGION, NAME)
        item = get_item(reader, table, item_key_for_lookup(table.schema, key_of(name)))
        return None if item is None else item.item()["n"]["N"]

    return tables.read(read)


def records_in(tables: Tables) -> int:
    """Return how many records the table's stream has."""
    table = tables.table(REGION, NAME)
    logs = [partition.log for partition in table.partitions if partition.log is not None]
    return tables.read(
        lambda reader: sum(len(reader.scan(log_span(log), _RECORDS_MAX)) for log in logs)
    )
