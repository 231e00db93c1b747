"""FilterLogEvents: the lines of a group that match, of all streams or some, by their times."""

import zlib
from typing import Any

from penstock.base import limits
from penstock.base.errors import logs
from penstock.functions.log_patterns import line_filter
from penstock.functions.log_reading import Boundary, Event, Range, events
from penstock.functions.log_rows import LogStream, Place, find_stream, streams_of
from penstock.operations.cloudwatch_logs import members
from penstock.operations.cloudwatch_logs.events_page import Page, event_page
from penstock.operations.cloudwatch_logs.get_log_events import shown
from penstock.operations.operation import Context
from penstock.storage.waist import Reader
from penstock.wire.shapes import ListOf, String, Structure

SHAPE = Structure(
    "FilterLogEventsRequest",
    logGroupName=members.GROUP_NAME,
    logGroupIdentifier=members.GROUP_IDENTIFIER,
    logStreamNames=ListOf(members.STREAM_NAME, 1, limits.log_stream_names_max),
    logStreamNamePrefix=members.STREAM_NAME,
    startTime=members.TIME,
    endTime=members.TIME,
    filterPattern=String(0, limits.log_filter_chars_max),
    nextToken=members.TOKEN,
    limit=members.EVENTS_LIMIT,
    startFromHead=members.FLAG,
    interleaved=members.FLAG,
    unmask=members.FLAG,
)

_ID_DIGITS = 56


async def run(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Answer with one page of lines, which may be empty and yet not the last."""
    if "logStreamNames" in request and "logStreamNamePrefix" in request:
        raise logs.not_together("logStreamNames", "logStreamNamePrefix")
    place = members.asked_place(context, request)
    matches = line_filter(request.get("filterPattern", ""))
    backward, boundary = not request.get("startFromHead", True), None
    if "nextToken" in request:
        backward, boundary = members.read_token(request["nextToken"], tuple[bool, Boundary])
        members.checked(boundary)
    limit = request.get("limit", limits.log_page_events_max)
    asked_ms = members.time_asked(request, "startTime", 0)
    now_ms = context.tables.clock.now_ms()

    def look(reader: Reader) -> Page:
        group = members.existing_group(reader, place)
        since_ms = max(asked_ms, context.logs.keeping.since_ms(group, now_ms))
        until_ms = members.time_asked(request, "endTime", limits.clock_ms_max) + 1
        wanted = Range(since_ms, until_ms, backward, boundary)
        found = events(reader, place, _streams(reader, place, request), wanted)
        return event_page(found, limit, backward=backward, matches=matches)

    page = context.tables.read(look)
    answer: dict[str, Any] = {
        "events": [
            {"logStreamName": event.stream, **shown(event), "eventId": _event_id(event)}
            for event in page.events
        ],
        "searchedLogStreams": [],
    }
    if not page.is_last and page.behind is not None:
        answer["nextToken"] = members.told_token(backward, page.behind)
    return answer


def _streams(reader: Reader, place: Place, request: dict[str, Any]) -> list[tuple[str, LogStream]]:
    """Return the streams that are searched, in the order of their names."""
    names = request.get("logStreamNames")
    if names is None:
        prefix = request.get("logStreamNamePrefix", "")
        return [each for each in streams_of(reader, place) if each[0].startswith(prefix)]
    found = []
    for name in sorted(set(names)):
        stream = find_stream(reader, place, name)
        if stream is None:
            raise logs.stream_not_found()
        found.append((name, stream))
    return found


def _event_id(event: Event) -> str:
    """Return what tells a line from all others: digits that grow with its time."""
    of_stream = zlib.crc32(event.stream.encode("utf-8", "surrogatepass"))
    number = (event.at_ms << 128) | (event.number << 64) | (of_stream << 32) | event.nth
    return f"{number:0{_ID_DIGITS}d}"
