"""Tables: what is stored of one, and what follows from it for whoever reads and writes its items.

A table's items are spread over partitions by the hash of their partition key. Each partition owns a
range of hashes, is locked as one, and feeds one open shard of the table's stream.
"""

from bisect import bisect_right
from functools import cached_property
from typing import Literal

import msgspec

from penstock.items.keys import (
    HASH_BYTES,
    ItemKey,
    KeyAttribute,
    KeySchema,
    partition_prefix,
)
from penstock.storage.prefixes import Prefix
from penstock.storage.waist import Lock, Span
from penstock.streams.stream import ViewType, record_log, stream_lock
from penstock.tables.expiry import Expiry
from penstock.tables.index import Index, IndexDescriptor
from penstock.tables.provision import History, Maxima, Units
from penstock.tables.record import Recorder

BillingMode = Literal["PROVISIONED", "PAY_PER_REQUEST"]
TableClass = Literal["STANDARD", "STANDARD_INFREQUENT_ACCESS"]
TableStatus = Literal["CREATING", "UPDATING", "DELETING", "ACTIVE"]

_TABLE = Prefix.TABLE.key


class OpenStream(msgspec.Struct, frozen=True):
    """The stream that a table's changes go to now."""

    number: int
    arn: str
    view_type: ViewType
    shards: list[int]
    """The open shard of each partition, in their order."""


class TimeToLive(msgspec.Struct, frozen=True):
    """The attribute that tells when a table's items expire, and since when it does."""

    attribute: str
    enabled: bool
    changed_ms: int
    complete: bool = False
    """Whether the items that were there before are noted for their expiry too."""
    switches: int = 1
    """How often it was switched on or off: it tells one from the next of the same millisecond."""


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
    indexes: list[IndexDescriptor] = []
    """Local ones first, each kind in the order of making."""
    status: TableStatus = "ACTIVE"
    status_until_ms: int = 0
    """When `status` gives way: a table is then ACTIVE, or gone where it was DELETING."""
    time_to_live: TimeToLive | None = None
    stream_changing: bool = False
    """Whether the table is UPDATING because its stream was switched."""
    history: History = History()
    maxima: Maxima = Maxima()
    warm: Units | None = None
    """The warm throughput that was asked for."""
    on_demand_since_ms: int = 0
    """When the table was made on-demand last, by its creation or later; 0 for never."""
    on_demand_ms: list[int] = []
    """When the table was made on-demand after its creation, the latest of these times last."""
    class_ms: list[int] = []
    """When the table's class was changed, the latest of these times last."""
    protection_ms: int = 0
    """When the protection against deletion was changed."""

    @property
    def units(self) -> Units:
        """The provisioned throughput of the table; zero where it is on-demand."""
        return Units(self.read_units, self.write_units)

    def range_of(self, place: int) -> tuple[int, int]:
        """Return the range of hashes of a partition: the lowest one, and the first above."""
        low, *above = self.partitions[place : place + 2]
        return low, above[0] if above else 1 << (8 * HASH_BYTES)

    @property
    def key_schema(self) -> KeySchema:
        """The key of the table."""
        sort = () if self.sort_key is None else (self.sort_key,)
        return KeySchema((self.partition_key,), sort)


class Partition:
    """A range of hashes of one table: what it is locked by, and where its changes go.

    `middle` is the lowest hash of its upper half, where it would be split.
    """

    __slots__ = ("count_key", "items", "lock", "locks", "log", "middle", "place", "recorder")

    def __init__(
        self, descriptor: Descriptor, place: int, followers: tuple[Span, ...] = ()
    ) -> None:
        """`followers` are the keys of what follows the items, whatever their partition."""
        self.place = place
        number = descriptor.number.to_bytes(8, "big")
        self.middle = (sum(descriptor.range_of(place)) // 2).to_bytes(HASH_BYTES, "big")
        lows = [low.to_bytes(HASH_BYTES, "big") for low in descriptor.partitions[place:][:2]]
        items = Prefix.ITEM.key + number
        end = items + lows[1] if len(lows) > 1 else Span.of_prefix(items).end
        self.items = Span(items + lows[0], end)
        self.count_key = Prefix.TABLE_COUNT.key + number + place.to_bytes(4, "big")
        self.log: bytes | None = None
        self.recorder: Recorder | None = None
        covers = [self.items, Span.of_key(self.count_key), *followers]
        stream = descriptor.stream
        if stream is not None:
            self.log = record_log(stream.number, stream.shards[place])
            self.recorder = Recorder(self.log, descriptor.region, stream.view_type)
            covers.append(Span.of_prefix(self.log))
        self.lock = Lock(b"partition/" + number + lows[0], tuple(covers))
        self.locks = (self.lock,)


class Table:
    """A table as its readers and writers see it: the descriptor and what follows from it.

    `stored` are the descriptor's bytes: a transaction compares them to be sure that what it decided
    from still holds.
    """

    def __init__(self, descriptor: Descriptor, stored: bytes) -> None:
        self.descriptor = descriptor
        self.stored = stored
        self.name = descriptor.name
        self.schema = descriptor.key_schema
        # What is being deleted is empty already, and nothing follows it any more.
        self.indexes = {
            index.name: Index(index, self.schema)
            for index in descriptor.indexes
            if index.status != "DELETING"
        }
        self.expiry = _expiry(descriptor)
        self.has_collections = any(index.is_local for index in self.indexes.values())
        self.key = table_key(descriptor.region, descriptor.name)
        self.item_prefix = Prefix.ITEM.key + descriptor.number.to_bytes(8, "big")
        self.partitions = [
            Partition(descriptor, place, self.followers)
            for place in range(len(descriptor.partitions))
        ]

    def partition_of(self, key: ItemKey) -> Partition:
        """Return the partition that owns the item of `key`."""
        hashed = int.from_bytes(key.hash, "big")
        return self.partitions[bisect_right(self.descriptor.partitions, hashed) - 1]

    def item_key(self, key: ItemKey) -> bytes:
        """Return the key under which the item of `key` is stored."""
        return self.item_prefix + key.suffix

    def collection_key(self, key: ItemKey) -> bytes:
        """Return the key of the size of the item collection that the item of `key` belongs to."""
        number = self.descriptor.number.to_bytes(8, "big")
        return Prefix.COLLECTION_SIZE.key + number + partition_prefix(key.hash, key.partition)

    @property
    def followers(self) -> tuple[Span, ...]:
        """The keys of what follows the items: index entries and counts, collections, expiry."""
        spans = [span for index in self.indexes.values() for span in index.spans]
        if self.has_collections:
            number = self.descriptor.number.to_bytes(8, "big")
            spans.append(Span.of_prefix(Prefix.COLLECTION_SIZE.key + number))
        if self.expiry is not None:
            spans.append(self.expiry.rows)
        return tuple(spans)

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
        """The lock on the table's descriptor and tags."""
        tags = Span.of_key(tags_key(self.descriptor.arn))
        return Lock(b"table/" + self.key[1:], (Span.of_key(self.key), tags))

    @cached_property
    def locks(self) -> tuple[Lock, ...]:
        """The locks on all there is of the table: its descriptor, partitions and open stream."""
        stream = self.descriptor.stream
        held = (self.lock, *(partition.lock for partition in self.partitions))
        return held if stream is None else (*held, stream_lock(stream.number, stream.arn))


def _expiry(descriptor: Descriptor) -> Expiry | None:
    time_to_live = descriptor.time_to_live
    if time_to_live is None or not time_to_live.enabled:
        return None
    return Expiry(descriptor.number, time_to_live.attribute)


def table_key(region: str, name: str) -> bytes:
    """Return the key under which the table's descriptor is stored."""
    return _TABLE + f"{region}\x00{name}".encode()


def tags_key(arn: str) -> bytes:
    """Return the key under which the tags of the table of that ARN are stored."""
    return Prefix.TAGS.key + arn.encode()


def even_partitions(count: int) -> list[int]:
    """Return the lowest hashes of `count` partitions of the same width."""
    return [(place << (8 * HASH_BYTES)) // count for place in range(count)]
