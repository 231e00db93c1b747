"""The one write path: the only function that changes items.

Whatever changes an item calls `change_item`, so that every change reaches the table's stream in the
same transaction, and a write that changes nothing leaves no trace.
"""

from collections.abc import Callable
from typing import NamedTuple

from penstock.base import limits
from penstock.base.errors import dynamodb
from penstock.items.keys import ItemKey
from penstock.items.values import Item
from penstock.storage.format import pack, unpack
from penstock.storage.waist import Reader, Span, Transaction
from penstock.tables.catalog import check_current
from penstock.tables.count import Count, add_to_count, sum_of_counts
from penstock.tables.descriptor import Table
from penstock.tables.index import Image, Index, IndexChange, check_indexed
from penstock.tables.stored_item import StoredItem, pack_item, unpack_item

Decide = Callable[[StoredItem | None], StoredItem | None]


class ItemCollection(NamedTuple):
    """The items of one partition key and their local index entries: the key, and their bytes."""

    key: Item
    size: int


class Change(NamedTuple):
    """What an item was and what it is, equal where nothing changed, and what followed it."""

    old: StoredItem | None
    new: StoredItem | None
    indexes: tuple[IndexChange, ...] = ()
    """What changed in the table's indexes, for each in which anything did."""
    collection: ItemCollection | None = None
    """The item's collection afterwards; None where the table keeps no collections."""


class Write:
    """One item to be changed: where it is, and the pure decision what becomes of it.

    `decide` takes the item as it is (None where there is none) and returns the item as it shall be
    (None to delete it), or raises to refuse. `keys` are the key's attributes. `by_service` marks
    the record of a change that no client asked for.
    """

    __slots__ = ("by_service", "decide", "key", "keys", "partition", "place", "table")

    def __init__(
        self, table: Table, key: ItemKey, keys: Item, decide: Decide, by_service: bool = False
    ) -> None:
        self.table = table
        self.key = key
        self.keys = keys
        self.decide = decide
        self.by_service = by_service
        self.partition = table.partition_of(key)
        """The partition that owns the item: whoever makes the write holds its lock."""
        self.place = table.item_key(key)
        """The key under which the item is stored."""

    def alone(self, txn: Transaction) -> Change:
        """Make this write, as all of a transaction; StaleTable where its table has changed."""
        check_current(txn, self.table)
        return change_item(txn, self)


def change_item(txn: Transaction, write: Write) -> Change:
    """Change one item as `write` says, and record the change.

    Raises what the decision raises, ValidationException for an item that an index of the table
    cannot take (in the text for updates: who puts a whole item calls `check_indexed` before), and
    ItemCollectionSizeLimitExceededException.

    The caller holds the lock of the item's partition.
    """
    table, partition = write.table, write.partition
    # 1. Decide from the item as it is.
    stored = txn.get(write.place)
    old = None if stored is None else unpack_item(stored)
    new = write.decide(old)
    # 2. Unchanged by value is unchanged: nothing is written, no record appears.
    if new == old:
        return Change(old, old, (), _collection(txn, write))
    # 3. The item, what follows it, and the record, in the caller's transaction.
    txn.set(write.place, None if new is None else pack_item(new))
    growth = (0 if new is None else new.size) - (0 if old is None else old.size)
    add_to_count(txn, partition.count_key, (new is not None) - (old is not None), growth)
    change = Change(old, new)
    if table.indexes:
        indexes = _follow(txn, write, change)
        if table.has_collections:
            growth += sum(each.growth for each in indexes if each.index.is_local)
            _grow_collection(txn, table, write.key, growth)
        change = Change(old, new, indexes, _collection(txn, write))
    if table.expiry is not None:
        table.expiry.update(txn, write.key, old, new)
    recorder = partition.recorder
    if recorder is not None:
        keys, by_service = write.keys, write.by_service
        txn.append(recorder.log, lambda stamp: recorder.record(stamp, keys, old, new, by_service))
    return change


def table_count(reader: Reader, table: Table) -> Count:
    """Return how many items `table` has now, and their bytes."""
    return sum_of_counts(reader, table.counts)


def index_count(reader: Reader, index: Index) -> Count:
    """Return how many entries `index` has now, and their bytes."""
    return sum_of_counts(reader, Span.of_prefix(index.counts_prefix))


def _follow(txn: Transaction, write: Write, change: Change) -> tuple[IndexChange, ...]:
    """Let the table's indexes follow `change`, and return what changed in them."""
    indexes = write.table.indexes
    old, new = (None if item is None else Image.of(item) for item in change[:2])
    if new is not None:
        check_indexed(indexes, new.item, new.stored.size, updated=True)
    followed = (
        index.update(txn, write.partition.place, write.key, old, new) for index in indexes.values()
    )
    return tuple(change for change in followed if change is not None)


def _grow_collection(txn: Transaction, table: Table, key: ItemKey, growth: int) -> None:
    """Add `growth` bytes to the item collection of `key`.

    Fact: AWS, 2026-10: what makes a collection smaller is taken however large it is.
    """
    size = _collection_size(txn, table, key) + growth
    if growth > 0 and size > limits.item_collection_bytes_max:
        raise dynamodb.item_collection_too_large()
    place = table.collection_key(key)
    txn.set(place, pack(size.to_bytes(8, "big")) if size else None)


def _collection(reader: Reader, write: Write) -> ItemCollection | None:
    """Return the collection of the item of `write`."""
    table = write.table
    if not table.has_collections:
        return None
    name = table.descriptor.partition_key.name
    return ItemCollection({name: write.keys[name]}, _collection_size(reader, table, write.key))


def _collection_size(reader: Reader, table: Table, key: ItemKey) -> int:
    stored = reader.get(table.collection_key(key))
    return 0 if stored is None else int.from_bytes(unpack(stored), "big")
