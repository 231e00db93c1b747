"""DescribeLogStreams: the streams of a log group, by their names or by their last lines."""

from typing import Any

from penstock.base import limits
from penstock.base.errors import logs
from penstock.functions.log_rows import LogStream, Place, streams_of
from penstock.operations.cloudwatch_logs import members
from penstock.operations.operation import Context
from penstock.storage.waist import Reader
from penstock.wire.shapes import String, Structure

SHAPE = Structure(
    "DescribeLogStreamsRequest",
    logGroupName=members.GROUP_NAME,
    logGroupIdentifier=members.GROUP_IDENTIFIER,
    logStreamNamePrefix=members.STREAM_NAME,
    orderBy=String(values=("LogStreamName", "LastEventTime")),
    descending=members.FLAG,
    nextToken=members.TOKEN,
    limit=members.DESCRIBE_LIMIT,
)

_Found = tuple[int, str, LogStream]
"""The time of the last line where that is the order, or else 0; the stream's name; itself."""


async def run(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Answer with one page of streams."""
    place = members.asked_place(context, request)
    by_time = request.get("orderBy") == "LastEventTime"
    prefix = request.get("logStreamNamePrefix", "")
    if by_time and prefix:
        raise logs.invalid_parameter("Cannot order by LastEventTime with a logStreamNamePrefix.")
    descending = request.get("descending", False)
    token = request.get("nextToken")
    after = None if token is None else members.read_token(token, tuple[int, str])

    def look(reader: Reader) -> list[_Found]:
        members.existing_group(reader, place)
        return [
            (_last_ms(stream) if by_time else 0, name, stream)
            for name, stream in streams_of(reader, place)
            if name.startswith(prefix)
        ]

    found = context.tables.read(look)
    found.sort(key=lambda each: each[:2], reverse=descending)
    if after is not None:
        found = [each for each in found if (each[:2] < after if descending else each[:2] > after)]
    limit = request.get("limit", limits.log_describe_max)
    answer: dict[str, Any] = {
        "logStreams": [_shown(context, place, name, stream) for _, name, stream in found[:limit]]
    }
    if len(found) > limit:
        answer["nextToken"] = members.told_token(*found[limit - 1][:2])
    return answer


def _last_ms(stream: LogStream) -> int:
    return -1 if stream.last_ms is None else stream.last_ms


def _shown(context: Context, place: Place, name: str, stream: LogStream) -> dict[str, Any]:
    times = {
        "firstEventTimestamp": stream.first_ms,
        "lastEventTimestamp": stream.last_ms,
        "lastIngestionTime": stream.stored_ms,
    }
    return {
        "logStreamName": name,
        "creationTime": stream.created_ms,
        **{member: at_ms for member, at_ms in times.items() if at_ms is not None},
        "arn": f"{members.group_arn(context, place.group)}:log-stream:{name}",
        "storedBytes": 0,  # of a stream it is always that, on AWS since 2019
    }
