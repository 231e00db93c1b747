"""GetRecords: the records of a shard from an iterator's place on, as they were written."""

from typing import Any

import msgspec

from penstock.base import limits
from penstock.base.errors import streams
from penstock.operations.control.observed_pages import is_observer, observed_page
from penstock.operations.dynamodb_streams import members
from penstock.operations.dynamodb_streams.get_shard_iterator import iterator_text
from penstock.operations.operation import Context
from penstock.storage.waist import Reader
from penstock.streams.iterator import decode_iterator
from penstock.streams.read import Page, Place, read_page
from penstock.streams.stream import Shard, find_shard
from penstock.tables.catalog import provisioned_write_units
from penstock.wire.shapes import Integer, String, Structure, required

SHAPE = Structure(
    "GetRecordsInput",
    ShardIterator=required(String(1, limits.iterator_chars_max)),
    Limit=Integer(1, limits.get_records_max),
)


async def run(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Answer with a page of records; without NextShardIterator at the end of a closed shard."""
    clock = context.tables.clock
    now_ms, elapsed_ms = clock.now_ms(), clock.elapsed_ms()
    iterator = decode_iterator(request["ShardIterator"], now_ms)
    controls = context.services.controls
    if controls is not None and controls.iterators.has_expired(iterator):
        raise streams.expired_iterator()
    limit = request.get("Limit", limits.get_records_max)

    def read(reader: Reader) -> tuple[Shard, Page]:
        stream = members.existing_stream(context, reader, iterator.stream_arn)
        shard = find_shard(reader, stream, iterator.shard_id)
        if shard is None:
            raise streams.shard_not_found()
        admission = None
        if not is_observer(context):
            units = provisioned_write_units(reader, context.region, stream)
            admission = context.services.readers.admit(
                stream, shard, iterator.reader, units, elapsed_ms
            )
        place = Place(iterator.position, iterator.gapless)
        page = (
            read_page(reader, stream, shard, place, limit, now_ms)
            if controls is None
            else observed_page(
                controls, context.caller, reader, stream, shard, place, limit, now_ms
            )
        )
        if admission is not None:
            admission.deliver(page, elapsed_ms)
        return shard, page

    shard, page = context.tables.read(read)
    answer: dict[str, Any] = {"Records": [msgspec.Raw(record) for record in page.records]}
    if page.next is not None:
        following = iterator_text(context, iterator.stream_arn, shard, page.next, iterator.reader)
        answer["NextShardIterator"] = following
    return answer
