"""GetRecords: the records of a shard from an iterator's place on, as they were written."""

from typing import Any, NamedTuple

import msgspec

from penstock.base import limits
from penstock.base.errors import streams
from penstock.base.errors.api import ApiError
from penstock.operations.control.observed_pages import Call, is_observer, observed_page, page_of
from penstock.operations.dynamodb_streams import members
from penstock.operations.dynamodb_streams.get_shard_iterator import iterator_text
from penstock.operations.operation import Context
from penstock.storage.waist import Reader
from penstock.streams.iterator import decode_iterator
from penstock.streams.read import Page, Place, read_page
from penstock.streams.stream import Shard, Stream, find_shard
from penstock.tables.catalog import provisioned_write_units
from penstock.wire.shapes import Integer, String, Structure, required

SHAPE = Structure(
    "GetRecordsInput",
    ShardIterator=required(String(1, limits.iterator_chars_max)),
    Limit=Integer(1, limits.get_records_max),
)


class Found(NamedTuple):
    """What one snapshot holds of an iterator's shard: its page, or the error there is instead.

    `write_units` is the provisioned write capacity of the stream's table, None where it has none.
    """

    stream: Stream
    shard: Shard
    write_units: int | None
    page: Page | ApiError


async def run(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Answer with a page of records; without NextShardIterator at the end of a closed shard.

    All is read first, in one snapshot whose work may run again; what counts the call, or refuses
    it, comes after. So a call that is refused has read a page for nothing.
    """
    clock = context.tables.clock
    now_ms, elapsed_ms = clock.now_ms(), clock.elapsed_ms()
    iterator = decode_iterator(request["ShardIterator"], now_ms)
    controls = context.services.controls
    if controls is not None and controls.iterators.has_expired(iterator):
        raise streams.expired_iterator()
    place = Place(iterator.position, iterator.gapless)

    def read(limit: int) -> Found:
        def work(reader: Reader) -> Found:
            stream = members.existing_stream(context, reader, iterator.stream_arn)
            shard = find_shard(reader, stream, iterator.shard_id)
            if shard is None:
                raise streams.shard_not_found()
            units = provisioned_write_units(reader, context.region, stream)
            page = _page_or_error(reader, stream, shard, place, limit, now_ms)
            return Found(stream, shard, units, page)

        return context.tables.read(work)

    found = read(request.get("Limit", limits.get_records_max))
    admission = None
    if not is_observer(context):
        admission = context.services.readers.admit(
            found.stream, found.shard, iterator.reader, found.write_units, elapsed_ms
        )
    if controls is None:
        page = page_of(found.page)
    else:
        call = Call(context.caller, found.stream, found.shard, place)
        page = observed_page(controls, call, found.page, lambda limit: read(limit).page)
    if admission is not None:
        admission.deliver(page, elapsed_ms)
    answer: dict[str, Any] = {"Records": [msgspec.Raw(record) for record in page.records]}
    if page.next is not None:
        following = iterator_text(
            context, iterator.stream_arn, found.shard, page.next, iterator.reader
        )
        answer["NextShardIterator"] = following
    return answer


def _page_or_error(
    reader: Reader, stream: Stream, shard: Shard, place: Place, limit: int, now_ms: int
) -> Page | ApiError:
    """Return what `read_page` returns or raises: the call is counted either way."""
    try:
        return read_page(reader, stream, shard, place, limit, now_ms)
    except ApiError as error:
        return error
