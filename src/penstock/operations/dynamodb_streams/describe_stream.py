"""DescribeStream: a stream and its shards, in the order of their ids.

Facts: AWS by Alternator's notes, 2026-10: LastEvaluatedShardId is the last shard of the page; an
unknown ExclusiveStartShardId gives an empty list.
"""

from typing import Any

from penstock.base import limits
from penstock.operations.dynamodb_streams import members
from penstock.operations.operation import Context
from penstock.storage.waist import Reader
from penstock.streams.sequence import sequence_number
from penstock.streams.stream import Shard, Stream, shards_of, visible_shards
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

    def read(reader: Reader) -> tuple[Stream, list[Shard]]:
        stream = members.existing_stream(context, reader, request["StreamArn"])
        return stream, shards_of(reader, stream)

    stream, shards = context.tables.read(read)
    chosen = visible_shards(_chosen(request, shards), now_ms)
    limit = request.get("Limit", limits.describe_stream_shards_max)
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


def _chosen(request: dict[str, Any], shards: list[Shard]) -> list[Shard]:
    """Return the shards that the request asks for, before paging.

    `shards` are all that are stored: one that was listed by the page before, and has expired since,
    is still known.
    """
    if "ShardFilter" in request:
        parent = request["ShardFilter"]["ShardId"]
        shards = [shard for shard in shards if shard.parent == parent]
    after = request.get("ExclusiveStartShardId")
    if after is None:
        return shards
    if all(shard.id != after for shard in shards):
        return []
    return [shard for shard in shards if shard.id > after]


def _shown(shard: Shard) -> dict[str, Any]:
    numbers = {"StartingSequenceNumber": sequence_number(shard.start)}
    if shard.end is not None:
        numbers["EndingSequenceNumber"] = sequence_number(shard.end)
    shown: dict[str, Any] = {"ShardId": shard.id, "SequenceNumberRange": numbers}
    return shown if shard.parent is None else shown | {"ParentShardId": shard.parent}
