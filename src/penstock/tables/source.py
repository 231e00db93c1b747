"""What Query and Scan read: the items of a table or the entries of an index, as ranges of keys.

Both are stored by a hash, the key that they are queried by, and what is left of the item's own key,
so one set of rules serves both. A range holds exactly what a condition asks for: nothing in it has
to be looked at twice.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from penstock.items.expressions import KeyRange
from penstock.items.index_keys import (
    check_index_key_size,
    index_key,
    index_partition_bytes,
    index_sort_bytes,
    index_sort_prefix,
)
from penstock.items.keys import (
    HASH_BYTES,
    ItemKey,
    KeySchema,
    item_key_for_lookup,
    key_part_bytes,
    partition_hash,
    partition_key_bytes,
    partition_prefix,
    schema_mismatch,
    sort_key_bytes,
)
from penstock.items.values import Item, Value
from penstock.storage.waist import Reader, Span, after_prefix
from penstock.tables.descriptor import Table
from penstock.tables.index import Index
from penstock.tables.read import get_item
from penstock.tables.stored_item import StoredItem

Values = Sequence[Value]


class Place(NamedTuple):
    """Where something stands: the key that it is queried by, and what tells it from its equals.

    `item` is the suffix of the item's own key, empty in a table, whose keys are unique.
    """

    key: ItemKey
    item: bytes = b""

    @property
    def suffix(self) -> bytes:
        """What of the storage key follows the table's or the index's prefix."""
        return self.key.suffix + self.item


@dataclass(frozen=True, slots=True)
class Source:
    """A table, or one of its indexes, to be read."""

    table: Table
    index: Index | None = None

    @property
    def schema(self) -> KeySchema:
        """The key by which it is queried."""
        return self.table.schema if self.index is None else self.index.schema

    @property
    def place_names(self) -> tuple[str, ...]:
        """The attributes that tell a place from all others: of the key, and then of the item's."""
        if self.index is None:
            return self.table.schema.names
        return tuple(dict.fromkeys((*self.index.schema.names, *self.table.schema.names)))

    @property
    def prefix(self) -> bytes:
        """What the storage keys of all that is read begin with; a hash follows it."""
        return self.table.item_prefix if self.index is None else self.index.prefix

    @property
    def span(self) -> Span:
        """The storage keys of all that is read, in the order of a scan."""
        return self.table.items if self.index is None else self.index.entries

    def segment(self, segment: int, segments: int) -> Span:
        """Return the storage keys of one of `segments` parts, equal by hash."""
        width = 8 * HASH_BYTES
        low = -(-(segment << width) // segments)
        high = -(-((segment + 1) << width) // segments)
        start = self.prefix + low.to_bytes(HASH_BYTES, "big")
        if segment + 1 == segments:
            return Span(start, self.span.end)
        return Span(start, self.prefix + high.to_bytes(HASH_BYTES, "big"))

    def partition(self, values: Values) -> Span:
        """Return the storage keys of all that has these values of the partition key.

        ValidationException where no partition key can be that large.
        """
        return Span.of_prefix(self.prefix + self._partition_prefix(values))

    def query(self, asked: KeyRange) -> Span:
        """Return the storage keys of what a key condition chooses.

        ValidationException where no partition or sort key can be that large.
        """
        base = self.prefix + self._partition_prefix(asked.partition)
        whole = self._equal(base, asked.equal)
        if asked.operator is None:
            return whole
        assert asked.low is not None  # KeyRange: every operator has one
        low = self._equal(base, (*asked.equal, asked.low))
        match asked.operator:
            case "<":
                return Span(whole.start, low.start)
            case "<=":
                return Span(whole.start, low.end)
            case ">":
                return Span(low.end, whole.end)
            case ">=":
                return Span(low.start, whole.end)
            case "begins_with":
                return Span.of_prefix(base + self._beginning(asked.equal, asked.low))
            case "BETWEEN":
                assert asked.high is not None  # KeyRange: of this operator
                return Span(low.start, self._equal(base, (*asked.equal, asked.high)).end)

    def place(self, names: Item) -> Place:
        """Return the place of what has the attributes `place_names`; nothing need be there.

        ValidationException where `names`, canonical, are not just these, of the right types, or
        one is empty or too large.
        """
        if self.index is None:
            return Place(item_key_for_lookup(self.table.schema, names))
        of_table = {name: names[name] for name in self.table.schema.names if name in names}
        item = item_key_for_lookup(self.table.schema, of_table)
        in_index = index_key(self.index.schema, names)
        if in_index is None or len(names) != len(self.place_names):
            raise schema_mismatch()
        return Place(in_index, item.suffix)

    def fetch(self, reader: Reader, entry: StoredItem) -> StoredItem:
        """Return the whole item of an entry of the index, from the same view of the store."""
        key = item_key_for_lookup(self.table.schema, self.table.schema.key_of(entry.item()))
        item = get_item(reader, self.table, key)
        assert item is not None  # an entry changes in the transaction of its item
        return item

    def partition_bytes(self, values: Values) -> bytes:
        """Return the bytes of a partition key, as they stand in `Place.key`."""
        if self.index is None:
            return key_part_bytes(values[0])
        return index_partition_bytes(values)

    def _partition_prefix(self, values: Values) -> bytes:
        if self.index is None:
            partition = partition_key_bytes(values[0])
        else:
            check_index_key_size(values, partition=True)
            partition = index_partition_bytes(values)
        return partition_prefix(partition_hash(partition), partition)

    def _equal(self, base: bytes, values: Values) -> Span:
        """Return the storage keys of one partition's whose sort keys begin with these values."""
        if not values:
            return Span.of_prefix(base)
        if self.index is None:
            return Span.of_key(base + sort_key_bytes(values[0]))
        check_index_key_size(values, partition=False)
        start = base + index_sort_bytes(values)
        return Span(start, after_prefix(start))

    def _beginning(self, values: Values, beginning: Value) -> bytes:
        return (
            sort_key_bytes(beginning)
            if self.index is None
            else index_sort_prefix(values, beginning)
        )
