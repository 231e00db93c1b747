"""Secondary indexes: what is stored of one, and how it follows the items of its table.

An index has one entry for each item that has all of the index's key attributes. Entries change in
the item's own transaction, through `Index.update` and nothing else.

An entry's key ends with the item's own key. So nobody but the holder of the item's partition writes
it, and the locks of several partitions may cover one index.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

import msgspec

from penstock.base.errors.dynamodb import item_too_large
from penstock.base.errors.expressions import update_too_large
from penstock.base.limits import item_bytes_max
from penstock.items.canonical import encode_item
from penstock.items.index_keys import check_index_key, index_key
from penstock.items.keys import ItemKey, KeyAttribute, KeySchema
from penstock.items.sizes import item_bytes
from penstock.items.values import Item
from penstock.storage.prefixes import Prefix
from penstock.storage.waist import Span, Transaction
from penstock.tables.count import add_to_count
from penstock.tables.provision import History, Maxima, Units
from penstock.tables.stored_item import StoredItem, pack_item, unpack_item

IndexKind = Literal["GLOBAL", "LOCAL"]
ProjectionType = Literal["ALL", "KEYS_ONLY", "INCLUDE"]
IndexStatus = Literal["CREATING", "UPDATING", "DELETING", "ACTIVE"]


class IndexDescriptor(msgspec.Struct, frozen=True, kw_only=True):
    """An index as it is stored, within its table."""

    name: str
    number: int
    kind: IndexKind
    arn: str
    partition_key: list[KeyAttribute]
    sort_key: list[KeyAttribute]
    projection: ProjectionType
    non_key_attributes: list[str] = []
    read_units: int = 0
    write_units: int = 0
    status: IndexStatus = "ACTIVE"
    """CREATING while the items that were there before it are read in, DELETING until it is gone."""
    status_ms: int = 0
    """When `status` began."""
    history: History = History()
    maxima: Maxima = Maxima()
    warm: Units | None = None
    """The warm throughput that was asked for."""

    @property
    def key_schema(self) -> KeySchema:
        """The key of the index."""
        return KeySchema(tuple(self.partition_key), tuple(self.sort_key))

    @property
    def units(self) -> Units:
        """The provisioned throughput of the index; zero where there is none."""
        return Units(self.read_units, self.write_units)


@dataclass(frozen=True, slots=True)
class IndexChange:
    """What one change of an item did to one index: the bytes of its entry before and after.

    None where there was, or is, no entry. `moved` says that the entry's key changed, so that there
    was a delete and an insert.
    """

    index: "Index"
    old_size: int | None
    new_size: int | None
    moved: bool

    @property
    def growth(self) -> int:
        """By how many bytes the index grew."""
        return (self.new_size or 0) - (self.old_size or 0)


class Index:
    """An index as its readers and writers see it."""

    __slots__ = ("_projected", "descriptor", "entries", "name", "prefix", "schema")

    def __init__(self, descriptor: IndexDescriptor, table_schema: KeySchema) -> None:
        self.descriptor = descriptor
        self.name = descriptor.name
        self.schema = descriptor.key_schema
        self.prefix = Prefix.INDEX_ENTRY.key + descriptor.number.to_bytes(8, "big")
        self.entries = Span.of_prefix(self.prefix)
        self._projected: frozenset[str] | None = None
        if descriptor.projection != "ALL":
            self._projected = frozenset(
                (*self.schema.names, *table_schema.names, *descriptor.non_key_attributes)
            )

    @property
    def _is_unfilled(self) -> bool:
        """Whether items of the table may lack their entries yet."""
        return self.descriptor.status == "CREATING"

    @property
    def is_local(self) -> bool:
        """Whether the index shares its table's partition key and is part of item collections."""
        return self.descriptor.kind == "LOCAL"

    def lacks(self, names: Iterable[str]) -> frozenset[str]:
        """Return those of `names` that the index does not hold."""
        return frozenset() if self._projected is None else frozenset(names) - self._projected

    @property
    def projected(self) -> frozenset[str] | None:
        """The names of the attributes that the index holds; None for all."""
        return self._projected

    def count_key(self, place: int) -> bytes:
        """Return the key of the count of the entries of one of the table's partitions."""
        return self.counts_prefix + place.to_bytes(4, "big")

    @property
    def counts_prefix(self) -> bytes:
        """What the keys of all counts of the index begin with."""
        return Prefix.INDEX_COUNT.key + self.descriptor.number.to_bytes(8, "big")

    @property
    def spans(self) -> tuple[Span, Span]:
        """The keys of all that is kept for the index: its entries and their counts."""
        return self.entries, Span.of_prefix(self.counts_prefix)

    def entry_key(self, in_index: ItemKey, key: ItemKey) -> bytes:
        """Return the key of the entry, at `in_index`, of the item of `key`."""
        return self.prefix + in_index.suffix + key.suffix

    def is_changed(self, key: ItemKey, old: StoredItem | None, new: StoredItem | None) -> bool:
        """Say whether the change from `old` to `new` of the item of `key` changes the index."""
        images = (None if each is None else Image.of(each) for each in (old, new))
        was, now = (self._entry(key, image) for image in images)
        return was != now

    def update(
        self, txn: Transaction, place: int, key: ItemKey, old: "Image | None", new: "Image | None"
    ) -> IndexChange | None:
        """Let the index follow the change from `old` to `new` of the item of `key`.

        `place` is the number of the item's partition. Returns None where the index stays as it is.
        """
        was, now = self._entry(key, old), self._entry(key, new)
        if was == now:
            return None
        if was is not None and self._is_unfilled and txn.get(was.key) is None:
            if now is None:
                return None
            was = None  # the backfill had not come to it yet
        moved = was is not None and now is not None and was.key != now.key
        if was is not None and (now is None or moved):
            txn.set(was.key, None)
        new_size = None
        if now is not None:
            held = self._held(now)
            txn.set(now.key, pack_item(held))
            new_size = held.size
        old_size = None if was is None else self._size(was)
        change = IndexChange(self, old_size, new_size, moved)
        add_to_count(
            txn, self.count_key(place), (now is not None) - (was is not None), change.growth
        )
        return change

    def fill(self, txn: Transaction, place: int, key: ItemKey, stored: bytes) -> None:
        """Add the entry of an item that is stored already, unless it is there.

        An item that has a wrong type where the index has a key stays outside, as AWS has it.
        """
        now = self._entry(key, Image.of(unpack_item(stored)))
        if now is not None and txn.get(now.key) is None:
            held = self._held(now)
            txn.set(now.key, pack_item(held))
            add_to_count(txn, self.count_key(place), 1, held.size)

    def entry_size(self, item: Item) -> int:
        """Return how many bytes the entry of `item` has, 0 where there is none."""
        if index_key(self.schema, item) is None:
            return 0
        return item_bytes(self._projection_of(item))

    def _projection_of(self, item: Item) -> Item:
        if self._projected is None:
            return item
        return {name: value for name, value in item.items() if name in self._projected}

    def _entry(self, key: ItemKey, image: "Image | None") -> "_Entry | None":
        """Return the index's entry of an item, None for no entry."""
        in_index = None if image is None else index_key(self.schema, image.item)
        if image is None or in_index is None:
            return None
        whole = image.stored if self._projected is None else None
        return _Entry(self.entry_key(in_index, key), self._projection_of(image.item), whole)

    def _held(self, entry: "_Entry") -> StoredItem:
        """Return an entry in the form that is stored."""
        return entry.whole or StoredItem(item_bytes(entry.item), encode_item(entry.item))

    def _size(self, entry: "_Entry") -> int:
        return item_bytes(entry.item) if entry.whole is None else entry.whole.size


class Image(NamedTuple):
    """An item at one moment: as it is stored, and decoded."""

    stored: StoredItem
    item: Item

    @classmethod
    def of(cls, stored: StoredItem) -> "Image":
        """Return the image of a stored item."""
        return cls(stored, stored.item())


class _Entry(NamedTuple):
    """An entry: where it is, what it shows, and the item as it is stored where that is the same."""

    key: bytes
    item: Item
    whole: StoredItem | None


def check_indexed(
    indexes: Mapping[str, Index], item: Item, size: int, *, updated: bool = False
) -> None:
    """Raise ValidationException where `item`, of `size` bytes, cannot be in one of `indexes`.

    `updated` says that an update made it, which is told in other texts. Facts: where several
    indexes refuse it, the error names the first by name (AWS, 2026-06); an item and its entry in a
    local index have 400 KB together (AWS, quotas, 2026-10).
    """
    for name in sorted(indexes):
        check_index_key(name, indexes[name].schema, item, updated=updated)
    if 2 * size <= item_bytes_max:  # no entry is larger than its item
        return
    for index in indexes.values():
        if index.is_local and size + index.entry_size(item) > item_bytes_max:
            raise update_too_large() if updated else item_too_large()
