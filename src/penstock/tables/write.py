"""The one write path: the only function that changes items.

Whatever changes an item calls `change_item`, so that every change reaches the table's stream in the
same transaction, and a write that changes nothing leaves no trace.
"""

import struct
from collections.abc import Callable
from typing import NamedTuple

from penstock.items.keys import ItemKey
from penstock.items.values import Item
from penstock.storage.format import pack, unpack
from penstock.storage.waist import Reader, Transaction
from penstock.tables.descriptor import Partition, Table
from penstock.tables.record import record
from penstock.tables.stored_item import StoredItem, pack_item, unpack_item

Decide = Callable[[StoredItem | None], StoredItem | None]
_COUNT = struct.Struct(">QQ")


class Change(NamedTuple):
    """What an item was and what it is: equal where nothing changed."""

    old: StoredItem | None
    new: StoredItem | None


class Count(NamedTuple):
    """How many items there are, and how many bytes they have."""

    items: int
    size: int


def change_item(txn: Transaction, table: Table, key: ItemKey, keys: Item, decide: Decide) -> Change:
    """Change the item of `key` to what `decide` makes of it, and record the change.

    `decide` is pure: it takes the item as it is (None where there is none) and returns the item as
    it shall be (None to delete it), or raises to refuse. `keys` are the key's attributes.

    The caller holds the lock of the item's partition.
    """
    partition = table.partition_of(key)
    place = table.item_key(key)
    # 1. Decide from the item as it is.
    stored = txn.get(place)
    old = None if stored is None else unpack_item(stored)
    new = decide(old)
    # 2. Unchanged by value is unchanged: nothing is written, no record appears.
    if new == old:
        return Change(old, old)
    # 3. The item, the count and the record, in the caller's transaction.
    txn.set(place, None if new is None else pack_item(new))
    _add_to_count(txn, partition, old, new)
    stream = table.descriptor.stream
    if stream is not None and (log := partition.log) is not None:
        region, view_type = table.descriptor.region, stream.view_type
        txn.append(log, lambda stamp: record(stamp, log, region, view_type, keys, old, new))
    return Change(old, new)


def table_count(reader: Reader, table: Table) -> Count:
    """Return how many items `table` has now, and their bytes."""
    rows = reader.scan(table.counts, len(table.partitions))
    counts = [_COUNT.unpack(unpack(stored)) for _, stored in rows]
    return Count(sum(items for items, _ in counts), sum(size for _, size in counts))


def _add_to_count(
    txn: Transaction, partition: Partition, old: StoredItem | None, new: StoredItem | None
) -> None:
    stored = txn.get(partition.count_key)
    items, size = (0, 0) if stored is None else _COUNT.unpack(unpack(stored))
    items += (new is not None) - (old is not None)
    size += (0 if new is None else new.size) - (0 if old is None else old.size)
    txn.set(partition.count_key, pack(_COUNT.pack(items, size)))
