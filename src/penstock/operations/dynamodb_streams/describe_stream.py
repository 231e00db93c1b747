"""DescribeStream: a stream and its shards, in the order of their ids.

Facts: AWS by Alternator's notes, 2026-10: LastEvaluatedShardId is the last shard of the page; an
unknown ExclusiveStartShardId gives an empty list.
"""

from collections.abc import Iterable
from itertools import islice
from typing import Any

from penstock.base import limits
from penstock.operations.dynamodb_streams import members
from penstock.operations.operation import Context
from penstock.storage.waist import Reader
from penstock.streams.sequence import sequence_number
from penstock.streams.stream import Shard, Stream, children_of, find_shard, shards_after
from penstock.wire.shapes import Integer, String, Structure, required

SHAPE = Structure(
    "DescribeStreamInput",
    StreamArn=required(members.STREAM_ARN),
    Limit=Integer(1, limits.describe_stream_shards_max),
    ExclusiveStartShardId=members.SHARD_ID,
    ShardFilter=Structure(
        "ShardFilter",
        Type=required(String(values=("CHILD_SHARDS",))),
        ShardId=required(members.SHARD_ID),
    ),
)


async def run(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Answer with the stream's description and one page of its shards."""
    members.admit(context, "DescribeStream")
    now_ms = context.tables.clock.now_ms()

    limit = request.get("Limit", limits.describe_stream_shards_max)

    def read(reader: Reader) -> tuple[Stream, list[Shard]]:
        stream = members.existing_stream(context, reader, request["StreamArn"])
        visible = (s for s in _chosen(reader, stream, request) if not s.has_expired(now_ms))
        return stream, list(islice(visible, limit + 1))

    stream, chosen = context.tables.read(read)
    description: dict[str, Any] = {
        "StreamArn": stream.arn,
        "StreamLabel": stream.label,
        "StreamStatus": stream.state(now_ms),
        "StreamViewType": stream.view_type,
        "CreationRequestDateTime": stream.created_ms / 1000,
        "TableName": stream.table_name,
        "KeySchema": stream.key_schema,
        "Shards": [_shown(shard) for shard in chosen[:limit]],
    }
    if len(chosen) > limit:
        description["LastEvaluatedShardId"] = chosen[limit - 1].id
    return {"StreamDescription": description}


def _chosen(reader: Reader, stream: Stream, request: dict[str, Any]) -> Iterable[Shard]:
    """Return the shards that the request asks for, before paging, expired ones among them.

    One that was listed by the page before, and has expired since, is still known.
    """
    after = request.get("ExclusiveStartShardId")
    if "ShardFilter" in request:
        children = children_of(reader, stream, request["ShardFilter"]["ShardId"])
        ids = [child.id for child in children]
        if after is None:
            return children
        return children[ids.index(after) + 1 :] if after in ids else ()
    if after is not None and find_shard(reader, stream, after) is None:
        return ()
    return shards_after(reader, stream, after or "")


def _shown(shard: Shard) -> dict[str, Any]:
    numbers = {"StartingSequenceNumber": sequence_number(shard.start)}
    if shard.end is not None:
        numbers["EndingSequenceNumber"] = sequence_number(shard.end)
    shown: dict[str, Any] = {"ShardId": shard.id, "SequenceNumberRange": numbers}
    return shown if shard.parent is None else shown | {"ParentShardId": shard.parent}
