"""GetRecords under test controls: pages as they are read, with the faults that tests asked for.

What a consumer has read is noted from where it comes back, before anything else may go wrong.
"""

from collections.abc import Callable

from penstock.base import limits
from penstock.base.errors import streams
from penstock.operations.control.controls import Controls
from penstock.operations.control.faults import OBSERVER, Read, Terms
from penstock.operations.operation import Context
from penstock.storage.waist import Reader
from penstock.streams.read import Page, Place, read_page
from penstock.streams.stream import Shard, Stream
from penstock.wire.sigv4 import Caller
from penstock.wire.user_agent import application_id


def consumer_name(caller: Caller) -> str:
    """Return the name by which tests know who calls: its application id, or its access key's.

    One that is longer than a test could say is cut off there.
    """
    return (application_id(caller.agent) or caller.access_key)[: limits.consumer_chars_max]


def is_observer(context: Context) -> bool:
    """Say whether it is the test itself that looks at a stream, and not one of its consumers."""
    return context.services.controls is not None and consumer_name(context.caller) == OBSERVER


def observed_page(
    controls: Controls,
    caller: Caller,
    reader: Reader,
    stream: Stream,
    shard: Shard,
    place: Place,
    limit: int,
    now_ms: int,
) -> Page:
    """Return what `read_page` returns, changed by the fault that fires, if any does.

    Raises what that raises, and before a fault's error the real one.
    """
    consumer = consumer_name(caller)
    controls.progress.note(consumer, stream.arn, shard.id, place.position - 1)

    def read(records_max: int) -> Page:
        return read_page(reader, stream, shard, place, records_max, now_ms)

    page = read(limit)
    count = len(page.records)
    fault = controls.faults.fired(Read(caller.region, stream.table_name, shard.id, consumer, count))
    if fault is not None:
        page = _faulty(fault, page, place, read)
    if page.next is None and shard.end is not None:
        controls.progress.note(consumer, stream.arn, shard.id, shard.end)
    return page


def _faulty(fault: Terms, page: Page, place: Place, read: Callable[[int], Page]) -> Page:
    """Return `page`, which began at `place`, as a fault leaves it, or raise the fault's error.

    `read` returns a page from there with so many records at most, one or more.
    """
    match fault.kind:
        case "throttle":
            raise streams.too_many_readers()
        case "expired":
            raise streams.expired_iterator()
        case "trimmed":
            raise streams.trimmed()
        case "repeat":
            return page._replace(next=place)
        case "fewer":
            return read(fault.records) if fault.records else Page([], place)
