"""ListStreams: the streams of the caller's region by ARN, or those of one table.

Facts: AWS by Alternator's notes, 2026-10: streams of deleted tables are listed for as long as they
can be read, and an ExclusiveStartStreamArn need not name a stream that still is.
"""

from typing import Any

from penstock.base import limits
from penstock.operations.dynamodb_streams import members
from penstock.operations.operation import Context
from penstock.streams.stream import list_streams
from penstock.wire.shapes import Integer, Structure

SHAPE = Structure(
    "ListStreamsInput",
    TableName=members.TABLE_NAME,
    Limit=Integer(1, limits.list_streams_max),
    ExclusiveStartStreamArn=members.STREAM_ARN,
)


async def run(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Answer with one page of streams; an unknown table has none."""
    members.admit(context, "ListStreams")
    after = request.get("ExclusiveStartStreamArn")
    if after is not None:
        members.check_arn(after)
    prefix = context.arn_prefix
    if "TableName" in request:
        prefix += f"{request['TableName']}/stream/"
    limit = request.get("Limit", limits.list_streams_max)
    now_ms = context.tables.clock.now_ms()
    streams, more = context.tables.read(
        lambda reader: list_streams(reader, prefix, after, limit, now_ms)
    )
    answer: dict[str, Any] = {
        "Streams": [
            {"StreamArn": s.arn, "TableName": s.table_name, "StreamLabel": s.label} for s in streams
        ]
    }
    return answer | ({"LastEvaluatedStreamArn": streams[-1].arn} if more else {})
