"""GetRecords under test controls: pages as they are read, with the faults that tests asked for.

What a consumer has read is noted from where it comes back, before anything else may go wrong.
"""

from collections.abc import Callable
from typing import NamedTuple

from penstock.base import limits
from penstock.base.errors import streams
from penstock.base.errors.api import ApiError
from penstock.operations.control.controls import Controls
from penstock.operations.control.faults import OBSERVER, Read, Terms
from penstock.operations.operation import Context
from penstock.streams.read import Page, Place
from penstock.streams.stream import Shard, Stream
from penstock.wire.sigv4 import Caller
from penstock.wire.user_agent import application_id


class Call(NamedTuple):
    """A call of GetRecords: by whom, of which shard, from where in it, after its wait or not."""

    caller: Caller
    stream: Stream
    shard: Shard
    place: Place
    waited: bool = False


def consumer_name(caller: Caller) -> str:
    """Return the name by which tests know who calls: its application id, or its access key's.

    One that is longer than a test could say is cut off there.
    """
    return (application_id(caller.agent) or caller.access_key)[: limits.consumer_chars_max]


def is_observer(context: Context) -> bool:
    """Say whether it is the test itself that looks at a stream, and not one of its consumers."""
    return context.services.controls is not None and consumer_name(context.caller) == OBSERVER


def observed_page(
    controls: Controls, call: Call, found: Page | ApiError, read: Callable[[int], Page | ApiError]
) -> Page:
    """Return what was found for a call, changed by the fault that fires, if any does.

    An error that was found is raised before a fault's. `read` finds a page from the same place with
    so many records at most, one or more.
    """
    stream, shard = call.stream, call.shard
    consumer = consumer_name(call.caller)
    controls.progress.note(consumer, stream.arn, shard.id, call.place.position - 1)
    page = page_of(found)
    count = len(page.records)
    fault = controls.faults.fired(
        Read(call.caller.region, stream.table_name, shard.id, consumer, count, call.waited)
    )
    if fault is not None:
        page = _faulty(fault, page, call.place, read)
    if page.next is None and shard.end is not None:
        controls.progress.note(consumer, stream.arn, shard.id, shard.end)
    return page


def page_of(found: Page | ApiError) -> Page:
    """Return the page that was found, or raise the error that there was instead."""
    if isinstance(found, ApiError):
        raise found
    return found


def _faulty(fault: Terms, page: Page, place: Place, read: Callable[[int], Page | ApiError]) -> Page:
    """Return `page`, which began at `place`, as a fault leaves it, or raise the fault's error."""
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
            return page_of(read(fault.records)) if fault.records else Page([], place)
