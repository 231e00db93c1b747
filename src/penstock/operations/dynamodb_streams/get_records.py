"""GetRecords: the records of a shard from an iterator's place on, as they were written.

A client may have the answer held while there is nothing to read: decision 0016.
"""

import asyncio
import re
from collections.abc import Callable
from typing import Any, NamedTuple

import msgspec

from penstock.base import limits
from penstock.base.errors import streams
from penstock.base.errors.api import ApiError
from penstock.base.wait import Wait
from penstock.operations.control.observed_pages import Call, is_observer, observed_page, page_of
from penstock.operations.dynamodb_streams import members
from penstock.operations.dynamodb_streams.get_shard_iterator import iterator_text
from penstock.operations.operation import Context
from penstock.storage.waist import Reader
from penstock.streams.iterator import Iterator, decode_iterator
from penstock.streams.read import Page, Place, read_page
from penstock.streams.stream import Shard, Stream, find_shard
from penstock.tables.catalog import provisioned_write_units
from penstock.wire.shapes import Integer, String, Structure, required

SHAPE = Structure(
    "GetRecordsInput",
    ShardIterator=required(String(1, limits.iterator_chars_max)),
    Limit=Integer(1, limits.get_records_max),
)

_WAIT_MS = re.compile(rb"[0-9]{1,5}")


class Found(NamedTuple):
    """What one snapshot holds of an iterator's shard: its page, or the error there is instead.

    `write_units` is the provisioned write capacity of the stream's table, None where it has none.
    """

    stream: Stream
    shard: Shard
    write_units: int | None
    page: Page | ApiError

    @property
    def is_empty(self) -> bool:
        """Say whether there is nothing to read now, and may be later."""
        page = self.page
        return isinstance(page, Page) and not page.records and page.next is not None


async def run(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Answer with a page of records; without NextShardIterator at the end of a closed shard.

    All is read first, in one snapshot whose work may run again; what counts the call, or refuses
    it, comes after. So a call that is refused has read a page for nothing. One that waits is
    counted once, before that; then all is read anew.
    """
    clock, wait = context.tables.clock, context.caller.wait
    wait_ms = 0 if wait is None else _wait_ms(wait)
    iterator = _live_iterator(context, request)
    controls = context.services.controls
    place = Place(iterator.position, iterator.gapless)

    def read(limit: int) -> Found:
        now_ms = clock.now_ms()

        def work(reader: Reader) -> Found:
            stream = members.existing_stream(context, reader, iterator.stream_arn)
            shard = find_shard(reader, stream, iterator.shard_id)
            if shard is None:
                raise streams.shard_not_found()
            units = provisioned_write_units(reader, context.region, stream)
            page = _page_or_error(reader, stream, shard, place, limit, now_ms)
            return Found(stream, shard, units, page)

        return context.tables.read(work)

    limit = request.get("Limit", limits.get_records_max)
    found = read(limit)
    elapsed_ms = clock.elapsed_ms()  # not before the read: others may be counted meanwhile
    admission = None
    if not is_observer(context):
        admission = context.services.readers.admit(
            found.stream, found.shard, iterator.reader, found.write_units, elapsed_ms
        )

    def page_found(waited: bool) -> Page:
        if controls is None:
            return page_of(found.page)
        call = Call(context.caller, found.stream, found.shard, place, waited)
        return observed_page(controls, call, found.page, lambda limit: read(limit).page)

    page = page_found(waited=False)
    if wait is not None and wait_ms and found.is_empty and page is found.page:
        if admission is not None:
            admission.note(elapsed_ms + wait_ms)
        try:
            found = await _waited(context, wait, wait_ms, found, lambda: read(limit), request)
        finally:
            if admission is not None:
                admission.note(clock.elapsed_ms())
        page = page_found(waited=True)
    if admission is not None:
        admission.deliver(page, clock.elapsed_ms())
    return _answer(context, iterator, found.shard, page)


def _answer(context: Context, iterator: Iterator, shard: Shard, page: Page) -> dict[str, Any]:
    """Return the answer that shows `page` to whoever holds `iterator`."""
    answer: dict[str, Any] = {"Records": [msgspec.Raw(record) for record in page.records]}
    if page.next is not None:
        answer["NextShardIterator"] = iterator_text(
            context, iterator.stream_arn, shard, page.next, iterator.reader
        )
    return answer


def _wait_ms(wait: Wait) -> int:
    """Return for how long the answer may be held; ValidationException where that is no time."""
    if _WAIT_MS.fullmatch(wait.asked) is None or int(wait.asked) > limits.get_records_wait_ms_max:
        raise streams.wait_out_of_range(limits.get_records_wait_ms_max)
    return int(wait.asked)


def _live_iterator(context: Context, request: dict[str, Any]) -> Iterator:
    """Return the request's iterator; ExpiredIteratorException for one whose life is over."""
    iterator = decode_iterator(request["ShardIterator"], context.tables.clock.now_ms())
    controls = context.services.controls
    if controls is not None and controls.iterators.has_expired(iterator):
        raise streams.expired_iterator()
    return iterator


async def _waited(
    context: Context,
    wait: Wait,
    wait_ms: int,
    found: Found,
    read: Callable[[], Found],
    request: dict[str, Any],
) -> Found:
    """Return what `read` finds when the shard that was `found` empty is so no more.

    Or when `wait_ms` have passed, in real time, or `wait` is over, or at once where as many calls
    wait already as may. Nothing of the store is held meanwhile. Under test controls an iterator's
    life may end meanwhile too, and is judged again.
    """
    loop = asyncio.get_running_loop()
    end = loop.time() + wait_ms / 1000
    controls, engine = context.services.controls, context.tables.engine
    readers = context.services.readers

    def look() -> Found:
        if controls is not None:
            _live_iterator(context, request)
        return read()

    if readers.waiting >= limits.held_reads_max:
        return found
    readers.waiting += 1
    if controls is not None:
        controls.waits.add(wait)
    try:
        while found.is_empty and not wait.is_over and (seconds := end - loop.time()) > 0:
            assert isinstance(found.page, Page)  # `is_empty`
            assert found.page.next is not None
            log, seen = found.stream.log(found.shard.number), found.page.next.position - 1
            woken = wait.woken_by(engine.watch(log, seen, seconds))
            try:
                if engine.snapshots_wait:  # what came while the last one did has woken nobody
                    found = look()
                if found.is_empty:
                    await woken
                    found = look()
            finally:
                woken.cancel()
    finally:
        readers.waiting -= 1
        if controls is not None:
            controls.waits.discard(wait)
    return found


def _page_or_error(
    reader: Reader, stream: Stream, shard: Shard, place: Place, limit: int, now_ms: int
) -> Page | ApiError:
    """Return what `read_page` returns or raises: the call is counted either way."""
    try:
        return read_page(reader, stream, shard, place, limit, now_ms)
    except ApiError as error:
        return error
