"""Logs as they are stored: groups, their streams, and chunks of lines.

Of a group, everything is under one lock: whoever writes to it, trims or deletes it shares that
lock's name. A chunk holds lines of one stream in the order of their times, of a bounded number of
bytes and a bounded time. Chunks that were written one after the other may overlap in time, so a
line's place is its time, its stream, the chunk's number, and its index in the chunk
(`penstock.functions.log_reading`). A chunk's number grows with each in its stream, and carries when
it was stored.

The bytes of a line are counted as the service counts them: those of its UTF-8, and 26 more.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import msgspec

from penstock.base import limits
from penstock.base.errors.engine import StoreCorrupt
from penstock.storage.format import pack, unpack
from penstock.storage.prefixes import Prefix
from penstock.storage.waist import Lock, Reader, Span, Transaction, next_stamp

_TIME_BYTES = 8
_NUMBER_BYTES = 8
_SIZE_BYTES = 4
_HEAD_BYTES = _TIME_BYTES + _SIZE_BYTES


class Line(NamedTuple):
    """A line of a log: epoch milliseconds, and its UTF-8."""

    at_ms: int
    text: bytes

    @property
    def counted_bytes(self) -> int:
        """Return how many bytes the line counts."""
        return len(self.text) + limits.log_event_extra_bytes


class LogGroup(msgspec.Struct, frozen=True):
    """What is known of a log group."""

    created_ms: int
    retention_days: int | None = None
    kept_bytes: int = 0


class LogStream(msgspec.Struct, frozen=True):
    """What is known of a log stream; without any line there are no times of lines."""

    created_ms: int
    first_ms: int | None = None
    last_ms: int | None = None
    stored_ms: int | None = None
    last_number: int = 0
    kept_bytes: int = 0

    @property
    def touched_ms(self) -> int:
        """Return when something was stored in it last."""
        return self.created_ms if self.stored_ms is None else self.stored_ms


class Chunk(NamedTuple):
    """Some lines of a stream; `head_bytes` of its row are told apart without reading the lines."""

    key: bytes
    row: bytes

    @property
    def first_ms(self) -> int:
        """Return the time of the first line."""
        return int.from_bytes(self.key[-_TIME_BYTES - _NUMBER_BYTES : -_NUMBER_BYTES], "big")

    @property
    def number(self) -> int:
        """Return the chunk's number."""
        return int.from_bytes(self.key[-_NUMBER_BYTES:], "big")

    @property
    def last_ms(self) -> int:
        """Return the time of the last line."""
        return int.from_bytes(unpack(self.row)[:_TIME_BYTES], "big")

    @property
    def counted_bytes(self) -> int:
        """Return how many bytes the lines count."""
        return int.from_bytes(unpack(self.row)[_TIME_BYTES:_HEAD_BYTES], "big")

    def lines(self) -> list[Line]:
        """Return the lines."""
        try:
            return _decode_lines(unpack(self.row)[_HEAD_BYTES:])
        except msgspec.MsgspecError as error:
            raise StoreCorrupt("lines of a log cannot be read") from error


class Place(NamedTuple):
    """A log group of a region, and where everything of it is stored."""

    region: str
    group: str

    @property
    def key(self) -> bytes:
        """Return the key of the group's row."""
        return Prefix.LOG_GROUP.key + _text(self.region) + b"\0" + _text(self.group)

    @property
    def streams(self) -> Span:
        """Return the keys of its streams' rows."""
        return Span.of_prefix(self._below(Prefix.LOG_STREAM))

    @property
    def chunks(self) -> Span:
        """Return the keys of all chunks."""
        return Span.of_prefix(self._below(Prefix.LOG_EVENT))

    @property
    def lock(self) -> Lock:
        """Return the lock on everything of the group."""
        covers = (Span.of_key(self.key), self.streams, self.chunks)
        return Lock(b"log/" + self.key[1:], covers)

    def stream_key(self, stream: str) -> bytes:
        """Return the key of a stream's row."""
        return self._below(Prefix.LOG_STREAM) + _text(stream)

    def stream_name(self, key: bytes) -> str:
        """Return the name of the stream whose row has that key."""
        return key[len(self._below(Prefix.LOG_STREAM)) :].decode("utf-8", "surrogatepass")

    def chunks_of(self, stream: str, since_ms: int = 0, until_ms: int | None = None) -> Span:
        """Return the keys of a stream's chunks whose first line is of that time."""
        whole = Span.of_prefix(self._below(Prefix.LOG_EVENT) + _text(stream) + b"\0")
        start = whole.start + since_ms.to_bytes(_TIME_BYTES, "big") if since_ms else whole.start
        if until_ms is None:
            return Span(start, whole.end)
        return Span(start, whole.start + until_ms.to_bytes(_TIME_BYTES, "big"))

    def _below(self, prefix: Prefix) -> bytes:
        return prefix.key + _text(self.region) + b"\0" + _text(self.group) + b"\0"


_encode = msgspec.json.Encoder().encode
_decode_group = msgspec.json.Decoder(LogGroup).decode
_decode_stream = msgspec.json.Decoder(LogStream).decode
_encode_lines = msgspec.msgpack.Encoder().encode
_decode_lines = msgspec.msgpack.Decoder(list[Line]).decode


def _text(name: str) -> bytes:
    return name.encode("utf-8", "surrogatepass")


def find_group(reader: Reader, place: Place) -> LogGroup | None:
    """Return what is known of a group, or None where there is none."""
    stored = reader.get(place.key)
    return None if stored is None else _decode_group(unpack(stored))


def store_group(txn: Transaction, place: Place, group: LogGroup) -> None:
    """Write a group's row; needs its lock."""
    txn.set(place.key, pack(_encode(group)))


def forget_group(txn: Transaction, place: Place) -> None:
    """Take a group away with all that is in it; needs its lock."""
    txn.set(place.key, None)
    txn.clear(place.streams)
    txn.clear(place.chunks)


def groups(reader: Reader, region: str, after: str = "") -> Iterator[tuple[str, LogGroup]]:
    """Yield the groups of a region with names above `after`, in the order of their names."""
    whole = Span.of_prefix(Prefix.LOG_GROUP.key + _text(region) + b"\0")
    start = whole.start + _text(after) + b"\0" if after else whole.start
    for key, stored in _rows(reader, Span(start, whole.end)):
        name = key[len(whole.start) :].decode("utf-8", "surrogatepass")
        yield name, _decode_group(unpack(stored))


def place_of(group_key: bytes) -> Place:
    """Return the place of the group whose row has that key."""
    region, _, name = group_key[1:].partition(b"\0")
    return Place(region.decode(), name.decode("utf-8", "surrogatepass"))


def find_stream(reader: Reader, place: Place, name: str) -> LogStream | None:
    """Return what is known of a stream, or None where there is none."""
    stored = reader.get(place.stream_key(name))
    return None if stored is None else _decode_stream(unpack(stored))


def store_stream(txn: Transaction, place: Place, name: str, stream: LogStream) -> None:
    """Write a stream's row; needs the group's lock."""
    txn.set(place.stream_key(name), pack(_encode(stream)))


def forget_stream(txn: Transaction, place: Place, name: str) -> None:
    """Take a stream's row and lines away; needs the group's lock, and leaves the group's row."""
    txn.set(place.stream_key(name), None)
    txn.clear(place.chunks_of(name))


def streams_of(reader: Reader, place: Place) -> Iterator[tuple[str, LogStream]]:
    """Yield the streams of a group, in the order of their names."""
    for key, stored in _rows(reader, place.streams):
        yield place.stream_name(key), _decode_stream(unpack(stored))


def _rows(reader: Reader, span: Span) -> Iterator[tuple[bytes, bytes]]:
    while rows := reader.scan(span, limits.scan_rows_max):
        yield from rows
        if len(rows) < limits.scan_rows_max:
            return
        span = Span(rows[-1][0] + b"\0", span.end)


def add_lines(
    txn: Transaction, place: Place, name: str, lines: Iterable[Line], now_ms: int
) -> LogGroup:
    """Store lines in a stream, which is made where there is none, as the group is.

    Needs the group's lock. Returns the group as it is then.
    """
    group = find_group(txn, place) or LogGroup(now_ms)
    stream = find_stream(txn, place, name) or LogStream(now_ms)
    ordered = sorted(lines, key=_time)
    if not ordered:
        return group
    start = place.chunks_of(name).start
    number, added = stream.last_number, 0
    for chunk in _chunked(ordered):
        number = next_stamp(number, now_ms)
        size = sum(line.counted_bytes for line in chunk)
        added += size
        at = chunk[0].at_ms.to_bytes(_TIME_BYTES, "big") + number.to_bytes(_NUMBER_BYTES, "big")
        head = chunk[-1].at_ms.to_bytes(_TIME_BYTES, "big") + size.to_bytes(_SIZE_BYTES, "big")
        txn.set(start + at, pack(head + _encode_lines(chunk)))
    first_ms, last_ms = ordered[0].at_ms, ordered[-1].at_ms
    stream = LogStream(
        stream.created_ms,
        first_ms if stream.first_ms is None else min(first_ms, stream.first_ms),
        last_ms if stream.last_ms is None else max(last_ms, stream.last_ms),
        now_ms,
        number,
        stream.kept_bytes + added,
    )
    store_stream(txn, place, name, stream)
    group = msgspec.structs.replace(group, kept_bytes=group.kept_bytes + added)
    store_group(txn, place, group)
    return group


def _time(line: Line) -> int:
    return line.at_ms


def _chunked(lines: Sequence[Line]) -> Iterator[Sequence[Line]]:
    """Yield ordered lines in pieces of the size and time of a chunk."""
    begin = size = 0
    for at, line in enumerate(lines):
        too_long = line.at_ms - lines[begin].at_ms > limits.log_chunk_ms_max
        if at > begin and (too_long or size + line.counted_bytes > limits.log_chunk_bytes_max):
            yield lines[begin:at]
            begin, size = at, 0
        size += line.counted_bytes
    yield lines[begin:]
