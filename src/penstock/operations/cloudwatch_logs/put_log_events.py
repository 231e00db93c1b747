"""PutLogEvents: lines of a client's own, in a stream that is there."""

from itertools import pairwise
from typing import Any

from penstock.base import limits
from penstock.base.errors import logs
from penstock.functions.log_rows import Line, Place, add_lines
from penstock.functions.log_trimming import trim_log
from penstock.operations.cloudwatch_logs import members
from penstock.operations.operation import Context
from penstock.storage.waist import Transaction
from penstock.wire.shapes import ListOf, MapOf, String, Structure, required

_EVENT = Structure("InputLogEvent", timestamp=required(members.TIME), message=required(String(1)))
_ENTITY = Structure(
    "Entity",
    keyAttributes=MapOf(String(), "java.lang.String"),
    attributes=MapOf(String(), "java.lang.String"),
)
SHAPE = Structure(
    "PutLogEventsRequest",
    logGroupName=required(members.GROUP_NAME),
    logStreamName=required(members.STREAM_NAME),
    logEvents=required(ListOf(_EVENT, 1, limits.log_put_events_max)),
    sequenceToken=String(1),
    entity=members.refused("entity", _ENTITY),
)


async def run(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Store the lines; those too old or too far in the future are told, and left out."""
    place, name = Place(context.region, request["logGroupName"]), request["logStreamName"]
    lines = [
        Line(event["timestamp"], event["message"].encode("utf-8", "replace"))
        for event in request["logEvents"]
    ]
    _check(lines)
    now_ms = context.tables.clock.now_ms()
    keeping = context.logs.keeping

    def work(txn: Transaction) -> tuple[dict[str, int], int]:
        group = members.existing_group(txn, place)
        members.existing_stream(txn, place, name)
        taken, rejected = _sorted_out(lines, now_ms, keeping.since_ms(group, now_ms))
        group = add_lines(txn, place, name, taken, now_ms)
        return rejected, group.kept_bytes

    rejected, kept_bytes = await members.change(context, place, work)
    if kept_bytes > keeping.excess_bytes:
        await trim_log(context.tables.engine, place, keeping, now_ms)
    answer: dict[str, Any] = {"nextSequenceToken": str(now_ms)}
    return answer | ({"rejectedLogEventsInfo": rejected} if rejected else {})


def _check(lines: list[Line]) -> None:
    """Raise InvalidParameterException for lines that cannot come together."""
    for line in lines:
        if line.counted_bytes > limits.log_event_bytes_max:
            raise logs.event_too_large(line.counted_bytes, limits.log_event_bytes_max)
    together = sum(line.counted_bytes for line in lines)
    if together > limits.log_put_bytes_max:
        raise logs.upload_too_large(together, limits.log_put_bytes_max)
    if any(one.at_ms > other.at_ms for one, other in pairwise(lines)):
        raise logs.not_in_order()
    if lines[-1].at_ms - lines[0].at_ms > limits.log_put_span_ms_max:
        raise logs.span_too_long()


def _sorted_out(lines: list[Line], now_ms: int, since_ms: int) -> tuple[list[Line], dict[str, int]]:
    """Return the lines that are taken, and which of the others end or begin where."""
    too_old = sum(line.at_ms < now_ms - limits.log_put_past_ms_max for line in lines)
    expired = sum(line.at_ms < since_ms for line in lines)
    fresh = sum(line.at_ms <= now_ms + limits.log_put_future_ms_max for line in lines)
    rejected = {
        "tooOldLogEventEndIndex": too_old,
        "expiredLogEventEndIndex": expired if expired > too_old else 0,
    }
    told = {member: end for member, end in rejected.items() if end}
    if fresh < len(lines):
        told["tooNewLogEventStartIndex"] = fresh
    return lines[max(too_old, expired) : fresh], told
