"""Reading a shard: where an iterator of each kind begins, and the pages from there on.

Everything is read from one snapshot, so a reader sees only what is durable, in the order of stamps.
"""

from typing import NamedTuple

from penstock.base import limits
from penstock.base.errors import dynamodb, streams
from penstock.storage.format import unpack
from penstock.storage.waist import Reader, Span, Stamp, last_stamp, log_span, stamp_of
from penstock.streams.sequence import stamp_of_sequence
from penstock.streams.stream import Shard, Stream, oldest_readable

_FIRST_CHUNK_ROWS = 8


class Place(NamedTuple):
    """A place in a shard: the smallest stamp not yet read, and whether nothing below it is owed."""

    position: Stamp
    gapless: bool


class Page(NamedTuple):
    """Records as they are stored, the place after them (None where a closed shard ends), and their
    bytes.
    """

    records: list[bytes]
    next: Place | None
    size: int = 0


def begin(
    reader: Reader, stream: Stream, shard: Shard, kind: str, number: str | None, now_ms: int
) -> Place:
    """Return where an iterator of `kind` begins in `shard`.

    `number` is the sequence number that AT_ and AFTER_SEQUENCE_NUMBER name. Raises
    TrimmedDataAccessException where that is past the horizon, ValidationException where the shard
    never gave it out.
    """
    if kind == "TRIM_HORIZON":
        return Place(shard.start, gapless=True)
    last = max(last_stamp(reader, stream.log(shard.number)), shard.start)
    if kind == "LATEST":
        return Place(last + 1, gapless=True)
    stamp = stamp_of_sequence(number or "")
    if stamp is None or not shard.start <= stamp <= last:
        raise dynamodb.validation(f"Invalid SequenceNumber: {number}")
    if stamp == shard.start:
        return Place(stamp, gapless=True)
    if stamp < oldest_readable(shard, now_ms):
        raise streams.trimmed()
    position = stamp if kind == "AT_SEQUENCE_NUMBER" else stamp + 1
    return Place(position, gapless=position > last)


def read_page(
    reader: Reader, stream: Stream, shard: Shard, place: Place, limit: int, now_ms: int
) -> Page:
    """Return the records of `shard` from `place` on: at most `limit`, and at most 1 MB or one.

    Raises TrimmedDataAccessException where records that the place still owes are past the horizon.
    """
    log = stream.log(shard.number)
    oldest = oldest_readable(shard, now_ms)
    if place.position < oldest and (not place.gapless or _lost_by_trimming(shard, place)):
        raise streams.trimmed()
    start = max(place.position, oldest)
    tip = last_stamp(reader, log)
    keys, records, stored_bytes = _read(reader, log_span(log, start - 1), limit)
    size = stored_bytes - len(records)  # without the byte of their format
    # Never beyond the tip: a clock that is ahead for a while may not move it past what comes after.
    position = stamp_of(keys[-1]) + 1 if keys else max(place.position, tip + 1)
    if shard.end is not None and position > shard.end:
        return Page(records, None, size)
    return Page(records, Place(position, gapless=position > tip), size)


def _lost_by_trimming(shard: Shard, place: Place) -> bool:
    """Say whether records came after `place` and were trimmed by command.

    What is trimmed so ends with a record. Whoever begins at the trim horizon has lost nothing.
    """
    return shard.start < place.position <= shard.trimmed


def _read(reader: Reader, span: Span, limit: int) -> tuple[list[bytes], list[bytes], int]:
    """Return keys, records and the bytes stored of them, from the start of `span`, as a page may.

    The rows are asked for in chunks that follow their size, so that a page of large records does
    not read a thousand of them to drop most.
    """
    keys: list[bytes] = []
    records: list[bytes] = []
    size = 0
    chunk = _FIRST_CHUNK_ROWS
    while len(records) < limit:
        asked = min(chunk, limit - len(records))
        rows = reader.scan(span, asked)
        for key, stored in rows:
            size += len(stored)
            if size > limits.get_records_bytes_max and records:
                return keys, records, size - len(stored)
            keys.append(key)
            records.append(unpack(stored))
        if len(rows) < asked:
            break
        span = Span(keys[-1] + b"\x00", span.end)
        fitting = (limits.get_records_bytes_max - size) * len(records) // max(size, 1) + 1
        chunk = min(max(1, fitting), limits.scan_rows_max)
    return keys, records, size
