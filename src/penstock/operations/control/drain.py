"""Drain: wait until a consumer has read all that was written before."""

import asyncio
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from penstock.base import limits
from penstock.base.errors import control, dynamodb
from penstock.operations.control import members
from penstock.operations.control.members import ControlInput
from penstock.operations.operation import Context
from penstock.storage.waist import Reader, Span, Stamp, last_stamp, log_span, stamp_of
from penstock.streams.stream import (
    find_shard,
    find_stream,
    list_streams,
    oldest_readable,
    shards_of,
)
from penstock.tables.catalog import find_table
from penstock.tables.state import is_gone
from penstock.wire.shapes import required

SHAPE = ControlInput(
    "DrainInput",
    **members.TABLE,
    Consumer=required(members.CONSUMER),
    SecondsMax=members.Number(0, limits.drain_seconds_max),
)


class Owed(NamedTuple):
    """What a consumer was owed of one shard when the call came: the records up to `last`."""

    stream_arn: str
    shard_id: str
    last: Stamp


async def run(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Answer when the consumer has read what it is owed of every stream that the table had.

    Waits in real time, whatever is done to the clock. Raises DrainTimeout where it takes longer
    than SecondsMax, ServiceUnavailable where the server stops meanwhile.
    """
    name, consumer = request["TableName"], request["Consumer"]
    seconds_max = request.get("SecondsMax", limits.drain_seconds_default)
    owed = context.tables.read(lambda reader: list(_owed(context, reader, name)))
    if not owed:
        raise _nothing_to_read(context, name)
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds_max
    progress = context.controls.progress
    while True:
        moves = progress.moves  # before looking, while which others may run
        owed = list(_unread(context, consumer, owed, records_max=1))
        if not owed:
            return {}
        if context.controls.is_stopping:
            raise control.stopping()
        seconds = end - loop.time()
        if seconds <= 0:
            raise _timeout(context, request, owed, seconds_max)
        await progress.moved(moves, seconds)


def _owed(context: Context, reader: Reader, table_name: str) -> Iterator[Owed]:
    """Yield what is owed of every shard of every stream of a table that can still be read.

    The streams of an earlier table of that name count where there is no table of it now.
    """
    now_ms = context.tables.clock.now_ms()
    table = find_table(reader, context.region, table_name)
    if table is not None and is_gone(table.descriptor, now_ms):
        table = None
    number = 0 if table is None else table.descriptor.number  # its streams' are higher
    prefix = f"{context.arn_prefix}{table_name}/stream/"
    after, more = None, True
    while more:
        streams, more = list_streams(reader, prefix, after, limits.list_streams_max, now_ms)
        for stream in streams:
            after = stream.arn
            if stream.number < number:
                continue
            for shard in shards_of(reader, stream):
                yield Owed(stream.arn, shard.id, last_stamp(reader, stream.log(shard.number)))


def _nothing_to_read(context: Context, table_name: str) -> Exception:
    if context.tables.find(context.region, table_name) is None:
        return dynamodb.table_not_found(table_name)
    return control.table_without_stream(table_name)


def _unread(
    context: Context, consumer: str, owed: Iterable[Owed], records_max: int
) -> dict[Owed, int]:
    """Return what of `owed` the consumer has not read, with how many records are to be read yet.

    No more than `records_max` are counted of each.
    """
    now_ms, progress = context.tables.clock.now_ms(), context.controls.progress

    def read(reader: Reader) -> dict[Owed, int]:
        counted = {
            each: _count(
                reader,
                each,
                progress.read_to(consumer, each.stream_arn, each.shard_id),
                now_ms,
                records_max,
            )
            for each in owed
        }
        return {each: records for each, records in counted.items() if records}

    return context.tables.read(read)


def _count(reader: Reader, owed: Owed, read_to: Stamp, now_ms: int, records_max: int) -> int:
    """Return how many records above `read_to` are owed and can still be read."""
    stream = find_stream(reader, owed.stream_arn)
    shard = None if stream is None else find_shard(reader, stream, owed.shard_id)
    if stream is None or shard is None or stream.has_expired(now_ms):
        return 0
    span = log_span(stream.log(shard.number), max(read_to, oldest_readable(shard, now_ms) - 1))
    count = 0
    while count < records_max:
        asked = min(limits.scan_rows_max, records_max - count)
        keys = [key for key, _ in reader.scan(span, asked)]
        owing = sum(stamp_of(key) <= owed.last for key in keys)
        count += owing
        if owing < asked:
            break
        span = Span(keys[-1] + b"\x00", span.end)
    return count


def _timeout(
    context: Context, request: dict[str, Any], owed: Iterable[Owed], seconds_max: float
) -> Exception:
    consumer, most = request["Consumer"], limits.drain_records_counted_max
    behind = [
        (each.stream_arn, each.shard_id, records)
        for each, records in _unread(context, consumer, owed, most).items()
    ]
    known = context.controls.progress.consumers
    return control.drain_timeout(consumer, request["TableName"], seconds_max, behind, most, known)
