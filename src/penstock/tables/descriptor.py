"""Tables: what is stored of one, and what follows from it for whoever reads and writes its items.

A table's items are spread over partitions by the hash of their partition key. Each partition owns a
range of hashes, is locked as one, and feeds one open shard of the table's stream.
"""

from bisect import bisect_right
from functools import cached_property
from typing import Literal

import msgspec

from penstock.items.keys import HASH_BYTES, ItemKey, KeyAttribute, KeySchema
from penstock.storage.prefixes import Prefix
from penstock.storage.waist import Lock, Span
from penstock.streams.stream import ViewType, record_log, stream_lock

BillingMode = Literal["PROVISIONED", "PAY_PER_REQUEST"]
TableClass = Literal["STANDARD", "STANDARD_INFREQUENT_ACCESS"]


class OpenStream(msgspec.Struct, frozen=True):
    """The stream that a table's changes go to now."""

    number: int
    arn: str
    view_type: ViewType
    shards: list[int]
    """The open shard of each partition, in their order."""


class Descriptor(msgspec.Struct, frozen=True, kw_only=True):
    """A table as it is stored."""

    name: str
    region: str
    number: int
    id: str
    arn: str
    created_ms: int
    partition_key: KeyAttribute
    sort_key: KeyAttribute | None
    partitions: list[int]
    """The lowest hash of each partition, as a number of 64 bits, ascending from 0."""
    billing_mode: BillingMode
    read_units: int
    write_units: int
    table_class: TableClass | None = None
    deletion_protection: bool = False
    stream: OpenStream | None = None
    latest_stream_arn: str | None = None
    latest_stream_label: str | None = None


class Partition:
    """A range of hashes of one table: what it is locked by, and where its changes go."""

    __slots__ = ("count_key", "items", "lock", "log")

    def __init__(self, descriptor: Descriptor, place: int) -> None:
        number = descriptor.number.to_bytes(8, "big")
        lows = [low.to_bytes(HASH_BYTES, "big") for low in descriptor.partitions[place:][:2]]
        items = Prefix.ITEM.key + number
        end = items + lows[1] if len(lows) > 1 else Span.of_prefix(items).end
        self.items = Span(items + lows[0], end)
        self.count_key = Prefix.TABLE_COUNT.key + number + place.to_bytes(4, "big")
        self.log: bytes | None = None
        covers = [self.items, Span.of_key(self.count_key)]
        if descriptor.stream is not None:
            self.log = record_log(descriptor.stream.number, descriptor.stream.shards[place])
            covers.append(Span.of_prefix(self.log))
        self.lock = Lock(b"partition/" + number + lows[0], tuple(covers))


class Table:
    """A table as its readers and writers see it: the descriptor and what follows from it.

    `stored` are the descriptor's bytes: a transaction compares them to be sure that what it decided
    from still holds.
    """

    def __init__(self, descriptor: Descriptor, stored: bytes) -> None:
        self.descriptor = descriptor
        self.stored = stored
        self.name = descriptor.name
        self.schema = KeySchema(descriptor.partition_key, descriptor.sort_key)
        self.key = table_key(descriptor.region, descriptor.name)
        self.item_prefix = Prefix.ITEM.key + descriptor.number.to_bytes(8, "big")
        self.partitions = [
            Partition(descriptor, place) for place in range(len(descriptor.partitions))
        ]

    def partition_of(self, key: ItemKey) -> Partition:
        """Return the partition that owns the item of `key`."""
        hashed = int.from_bytes(key.hash, "big")
        return self.partitions[bisect_right(self.descriptor.partitions, hashed) - 1]

    def item_key(self, key: ItemKey) -> bytes:
        """Return the key under which the item of `key` is stored."""
        return self.item_prefix + key.suffix

    @cached_property
    def items(self) -> Span:
        """The keys of all items, in the order of a scan."""
        return Span.of_prefix(self.item_prefix)

    @cached_property
    def counts(self) -> Span:
        """The keys of the partitions' counts."""
        number = self.descriptor.number.to_bytes(8, "big")
        return Span.of_prefix(Prefix.TABLE_COUNT.key + number)

    @cached_property
    def lock(self) -> Lock:
        """The lock on the table's descriptor."""
        return table_lock(self.descriptor.region, self.name)

    @cached_property
    def locks(self) -> tuple[Lock, ...]:
        """The locks on all there is of the table: its descriptor, partitions and open stream."""
        stream = self.descriptor.stream
        held = (self.lock, *(partition.lock for partition in self.partitions))
        return held if stream is None else (*held, stream_lock(stream.number, stream.arn))


def table_key(region: str, name: str) -> bytes:
    """Return the key under which the table's descriptor is stored."""
    return Prefix.TABLE.key + region.encode() + b"\x00" + name.encode()


def table_lock(region: str, name: str) -> Lock:
    """Return the lock on that table's descriptor, whether or not there is such a table."""
    key = table_key(region, name)
    return Lock(b"table/" + key[1:], (Span.of_key(key),))


def even_partitions(count: int) -> list[int]:
    """Return the lowest hashes of `count` partitions of the same width."""
    return [(place << (8 * HASH_BYTES)) // count for place in range(count)]
