"""Streams and their shards: what is stored of them, and how they begin and end.

A stream is one log per shard. Every function here works inside a transaction or a snapshot of its
caller's. Nothing here knows of tables: a stream carries its table's name and key schema only to
show them.
"""

from collections.abc import Iterator, Sequence
from hashlib import blake2b
from typing import Literal, NamedTuple

import msgspec

from penstock.base import limits
from penstock.base.clock import iso_label
from penstock.storage.format import pack, unpack
from penstock.storage.prefixes import Prefix, tip_key
from penstock.storage.waist import (
    STAMP_BYTES,
    Lock,
    Reader,
    Span,
    Stamp,
    Transaction,
    last_stamp,
    stamp_at,
    stamp_ms,
    touch,
)
from penstock.streams.retention import horizon

ViewType = Literal["KEYS_ONLY", "NEW_IMAGE", "OLD_IMAGE", "NEW_AND_OLD_IMAGES"]
StreamStatus = Literal["ENABLING", "ENABLED", "DISABLING", "DISABLED"]
ShardNumber = int


class Shard(msgspec.Struct, frozen=True):
    """A shard: a log of records between two stamps.

    `start` lies below the first record's stamp. `end` is None while the shard is open, then the
    last record's stamp, or `start` where there never was one.
    """

    number: ShardNumber
    id: str
    start: Stamp
    parent: str | None = None
    end: Stamp | None = None
    closed_ms: int | None = None
    trimmed: Stamp = 0
    """Nothing at or below it may be read any more, however young it is."""

    def has_expired(self, now_ms: int) -> bool:
        """Say whether every record that this closed shard held is past the trim horizon.

        No shard expires before its parent, so that descent can be followed for as long as any of a
        line is left. One that never had a record has its start for that: the clock may have stood
        before it when the shard was closed.
        """
        if self.end is None or self.closed_ms is None:
            return False
        has_records = self.end > self.start
        last_ms = stamp_ms(self.end) if has_records else max(self.closed_ms, stamp_ms(self.start))
        return last_ms + limits.stream_retention_ms < now_ms


class Stream(msgspec.Struct, frozen=True):
    """A stream: the changes of one table from one enabling to the disabling after it."""

    number: int
    arn: str
    label: str
    table_name: str
    view_type: ViewType
    key_schema: list[dict[str, str]]
    created_ms: int
    status: StreamStatus = "ENABLED"
    status_until_ms: int = 0
    """When ENABLING or DISABLING gives way to ENABLED or DISABLED."""
    closed_ms: int | None = None
    """When its last shard closed, or the time of its last record where that is later."""

    def log(self, shard: ShardNumber) -> bytes:
        """Return the log that holds the records of a shard."""
        return record_log(self.number, shard)

    def state(self, now_ms: int) -> StreamStatus:
        """Return the state at `now_ms`: derived from the time, never changed by a job."""
        if self.status == "ENABLING" and now_ms >= self.status_until_ms:
            return "ENABLED"
        if self.status == "DISABLING" and now_ms >= self.status_until_ms:
            return "DISABLED"
        return self.status

    def has_expired(self, now_ms: int) -> bool:
        """Say whether this stream is closed and all that it held is past the trim horizon."""
        return self.closed_ms is not None and self.closed_ms + limits.stream_retention_ms < now_ms


class Succession(NamedTuple):
    """A shard that was closed, and the shards that its changes go to from then on."""

    parent: Shard
    children: tuple[Shard, ...]


_encode = msgspec.json.Encoder().encode
_decode_stream = msgspec.json.Decoder(Stream).decode
_decode_shard = msgspec.json.Decoder(Shard).decode


def record_log(stream_number: int, shard: ShardNumber) -> bytes:
    """Return the log of a shard's records."""
    return Prefix.STREAM_RECORD.key + stream_number.to_bytes(8, "big") + shard.to_bytes(4, "big")


def stream_lock(stream_number: int, arn: str) -> Lock:
    """Return the lock on the descriptors of a stream and its shards, not on their records.

    It is named by the ARN: another stream may have had that, where a clock has stepped back.
    """
    number = stream_number.to_bytes(8, "big")
    covers = (Span.of_key(_stream_key(arn)), Span.of_prefix(Prefix.SHARD.key + number))
    return Lock(b"stream/" + arn.encode(), covers)


def make_stream(
    number: int,
    table_arn: str,
    table_name: str,
    view_type: ViewType,
    key_schema: list[dict[str, str]],
    now_ms: int,
) -> Stream:
    """Return a new stream of the table; its label is the time of enabling."""
    label = iso_label(now_ms)
    arn = f"{table_arn}/stream/{label}"
    return Stream(number, arn, label, table_name, view_type, key_schema, now_ms)


def open_stream(txn: Transaction, stream: Stream, shards: int, enabled_ms: int = 0) -> None:
    """Store a new stream with `shards` open shards, numbered from 0.

    It is ENABLING until `enabled_ms`, where that is after its creation; changes are taken at once.
    """
    if enabled_ms > stream.created_ms:
        stream = msgspec.structs.replace(stream, status="ENABLING", status_until_ms=enabled_ms)
    _store_stream(txn, stream)
    for number in range(shards):
        _open_shard(txn, stream, number, stamp_at(stream.created_ms))


def close_stream(txn: Transaction, stream: Stream, now_ms: int, disabled_ms: int = 0) -> Stream:
    """Close the open shards of `stream` and disable it; its records stay readable.

    It is DISABLING until `disabled_ms`, where that is after `now_ms`. Who writes to its shards must
    be kept out meanwhile, by the locks of their logs.
    """
    closed_ms = now_ms
    for shard in shards_of(txn, stream):
        if shard.end is None:
            closed = _close_shard(txn, stream, shard, now_ms)
            closed_ms = max(closed_ms, stamp_ms(closed.end or 0))
    status: StreamStatus = "DISABLING" if disabled_ms > now_ms else "DISABLED"
    disabled = msgspec.structs.replace(
        stream, status=status, status_until_ms=disabled_ms, closed_ms=closed_ms
    )
    _store_stream(txn, disabled)
    return disabled


def succeed(
    txn: Transaction, stream: Stream, shard: Shard, numbers: Sequence[ShardNumber], now_ms: int
) -> Succession:
    """Close an open shard and open a child of it for each of `numbers`, which are new.

    Children start above their parent's end, so that an item's sequence numbers grow over the
    generations, and are made at least a millisecond after it, so that their ids stand behind its.
    Who writes to the shard must be kept out meanwhile, by the locks of its log.
    """
    closed = _close_shard(txn, stream, shard, now_ms)
    assert closed.end is not None
    made_ms = max(now_ms, stamp_ms(shard.start) + 1)
    start = max(closed.end + 1, stamp_at(made_ms))
    children = (_open_shard(txn, stream, number, start, shard.id) for number in numbers)
    return Succession(closed, tuple(children))


def trim_shard(txn: Transaction, stream: Stream, shard: Shard) -> Shard:
    """Let nothing that `shard` holds now be read any more."""
    trimmed = msgspec.structs.replace(shard, trimmed=_last(txn, stream, shard))
    _store_shard(txn, stream, trimmed)
    return trimmed


def forget_shard(txn: Transaction, stream: Stream, shard: Shard) -> None:
    """Take away a closed shard with its records; needs the locks of the stream and of its log."""
    log = stream.log(shard.number)
    txn.clear(Span.of_prefix(log))
    txn.set(tip_key(log), None)
    txn.set(_shard_prefix(stream) + shard.id.encode(), None)


def settle_stream(txn: Transaction, arn: str, now_ms: int) -> None:
    """Store the state that a stream has at `now_ms`, so that it keeps it; needs its lock."""
    stream = find_stream(txn, arn)
    if stream is not None and stream.status != stream.state(now_ms):
        _store_stream(txn, msgspec.structs.replace(stream, status=stream.state(now_ms)))


def forget_stream(txn: Transaction, stream: Stream) -> None:
    """Take away a closed stream that has no shards any more, if it is there; needs its lock."""
    stored = find_stream(txn, stream.arn)
    if stored is not None and stored.number == stream.number:
        txn.set(_stream_key(stream.arn), None)


def decode_stream(stored: bytes) -> Stream:
    """Return the stream that is stored so."""
    return _decode_stream(unpack(stored))


def find_stream(reader: Reader, arn: str) -> Stream | None:
    """Return the stream of that ARN, or None."""
    stored = reader.get(_stream_key(arn))
    return None if stored is None else decode_stream(stored)


def list_streams(
    reader: Reader, arn_prefix: str, after_arn: str | None, limit: int, now_ms: int
) -> tuple[list[Stream], bool]:
    """Return at most `limit` streams by ARN with that prefix, and whether there are more.

    Expired ones are left out.
    """
    span = Span.of_prefix(_stream_key(arn_prefix))
    if after_arn is not None:
        span = Span(max(span.start, _stream_key(after_arn) + b"\x00"), span.end)
    found: list[Stream] = []
    while len(found) <= limit and span.start < span.end:
        rows = reader.scan(span, limit + 1)
        streams = [decode_stream(stored) for _, stored in rows]
        found += [stream for stream in streams if not stream.has_expired(now_ms)]
        if len(rows) <= limit:
            break
        span = Span(rows[-1][0] + b"\x00", span.end)
    return found[:limit], len(found) > limit


def shards_of(reader: Reader, stream: Stream) -> list[Shard]:
    """Return all shards of `stream` in the order of their ids, expired ones among them."""
    return list(shards_after(reader, stream, ""))


def shards_after(reader: Reader, stream: Stream, shard_id: str) -> Iterator[Shard]:
    """Yield the shards of `stream` with ids above `shard_id`, in their order, as they are wanted.

    `reader` is asked while that goes on.
    """
    whole = Span.of_prefix(_shard_prefix(stream))
    span = Span(whole.start + shard_id.encode() + b"\x00", whole.end)
    while rows := reader.scan(span, limits.describe_stream_shards_max):
        for _, stored in rows:
            yield _decode_shard(unpack(stored))
        span = Span(rows[-1][0] + b"\x00", span.end)


def children_of(reader: Reader, stream: Stream, shard_id: str) -> list[Shard]:
    """Return the children of the shard of that id, also where it is gone itself.

    Children were made in one millisecond, after their parent, and ids begin with that.
    """
    children: list[Shard] = []
    for shard in shards_after(reader, stream, shard_id):
        if shard.parent == shard_id:
            children.append(shard)
        elif children and stamp_ms(shard.start) > stamp_ms(children[0].start):
            break
    return children


def find_shard(reader: Reader, stream: Stream, shard_id: str) -> Shard | None:
    """Return the shard of that id, or None."""
    stored = reader.get(_shard_prefix(stream) + shard_id.encode())
    return None if stored is None else _decode_shard(unpack(stored))


def visible_shards(shards: Sequence[Shard], now_ms: int) -> list[Shard]:
    """Return the shards that DescribeStream still shows."""
    return [shard for shard in shards if not shard.has_expired(now_ms)]


def event_id_stem(log: bytes) -> str:
    """Return the first half of the event ids of a log's records, 16 hexadecimal digits.

    A record's stamp is the other half, in 16 more.
    """
    return blake2b(log, digest_size=8).hexdigest()


def oldest_readable(shard: Shard, now_ms: int) -> Stamp:
    """Return the smallest stamp of `shard` that may still be read."""
    return max(shard.start + 1, shard.trimmed + 1, horizon(now_ms))


def _open_shard(
    txn: Transaction,
    stream: Stream,
    number: ShardNumber,
    start: Stamp,
    parent: str | None = None,
) -> Shard:
    """Store a new open shard whose records will lie above `start`."""
    hashed = blake2b(stream.log(number), digest_size=4).hexdigest()
    shard = Shard(number, f"shardId-{stamp_ms(start):020d}-{hashed}", start, parent)
    _store_shard(txn, stream, shard)
    txn.set(tip_key(stream.log(number)), pack(start.to_bytes(STAMP_BYTES, "big")))
    return shard


def _close_shard(txn: Transaction, stream: Stream, shard: Shard, now_ms: int) -> Shard:
    closed = msgspec.structs.replace(shard, end=_last(txn, stream, shard), closed_ms=now_ms)
    _store_shard(txn, stream, closed)
    touch(txn, stream.log(shard.number))  # who waits for a record looks again, and finds the end
    return closed


def _last(reader: Reader, stream: Stream, shard: Shard) -> Stamp:
    """Return the stamp of a shard's last record, or its start where it never had one."""
    return max(last_stamp(reader, stream.log(shard.number)), shard.start)


def _store_stream(txn: Transaction, stream: Stream) -> None:
    txn.set(_stream_key(stream.arn), pack(_encode(stream)))


def _store_shard(txn: Transaction, stream: Stream, shard: Shard) -> None:
    txn.set(_shard_prefix(stream) + shard.id.encode(), pack(_encode(shard)))


def _stream_key(arn: str) -> bytes:
    return Prefix.STREAM.key + arn.encode()


def _shard_prefix(stream: Stream) -> bytes:
    return Prefix.SHARD.key + stream.number.to_bytes(8, "big")
