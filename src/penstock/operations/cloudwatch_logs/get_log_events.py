"""GetLogEvents: the lines of one stream in the order of their times, a page at a time.

Its two tokens are one place each, from which reading goes on forward or back. Where nothing more is
there, the token that came is the one that goes.
"""

from typing import Any

from penstock.base import limits
from penstock.base.errors import logs
from penstock.functions.log_reading import Boundary, Event, Range, events
from penstock.operations.cloudwatch_logs import members
from penstock.operations.cloudwatch_logs.events_page import Page, event_page
from penstock.operations.operation import Context
from penstock.storage.waist import Reader
from penstock.wire.shapes import Structure, required

SHAPE = Structure(
    "GetLogEventsRequest",
    logGroupName=members.GROUP_NAME,
    logGroupIdentifier=members.GROUP_IDENTIFIER,
    logStreamName=required(members.STREAM_NAME),
    startTime=members.TIME,
    endTime=members.TIME,
    nextToken=members.TOKEN,
    limit=members.EVENTS_LIMIT,
    startFromHead=members.FLAG,
    unmask=members.FLAG,
)

_DIRECTIONS = {"f/": False, "b/": True}


async def run(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Answer with one page of lines."""
    place, name = members.asked_place(context, request), request["logStreamName"]
    backward, boundary = _begin(request)
    limit = request.get("limit", limits.log_page_events_max)
    asked_ms = members.time_asked(request, "startTime", 0)
    now_ms = context.tables.clock.now_ms()

    def look(reader: Reader) -> Page:
        group = members.existing_group(reader, place)
        stream = members.existing_stream(reader, place, name)
        since_ms = max(asked_ms, context.logs.keeping.since_ms(group, now_ms))
        until_ms = members.time_asked(request, "endTime", limits.clock_ms_max)
        wanted = Range(since_ms, until_ms, backward, boundary)
        found = events(reader, place, [(name, stream)], wanted)
        return event_page(found, limit, backward=backward)

    page = context.tables.read(look)
    found = page.events[::-1] if backward else page.events
    here = boundary or Boundary(asked_ms)
    before, behind = (found[0].before, found[-1].behind) if found else (here, here)
    return {
        "events": [shown(event) for event in found],
        "nextForwardToken": "f/" + members.told_token(*behind),
        "nextBackwardToken": "b/" + members.told_token(*before),
    }


def _begin(request: dict[str, Any]) -> tuple[bool, Boundary | None]:
    """Return whether reading goes back, and from where on."""
    token = request.get("nextToken")
    if token is None:
        return not request.get("startFromHead", False), None
    backward = _DIRECTIONS.get(token[:2])
    if backward is None:
        raise logs.bad_token()
    return backward, members.checked(members.read_token(token[2:], Boundary))


def shown(event: Event) -> dict[str, Any]:
    """Return a line as it is shown."""
    return {
        "timestamp": event.at_ms,
        "message": event.text.decode(),
        "ingestionTime": event.stored_ms,
    }
