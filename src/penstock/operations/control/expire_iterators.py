"""ExpireIterators: make iterators expire that were issued so far, long before their 15 minutes."""

from typing import Any

from penstock.base import limits
from penstock.base.errors import control, streams
from penstock.operations.control import members
from penstock.operations.control.members import ControlInput
from penstock.operations.operation import Context
from penstock.streams.iterator import read_iterator
from penstock.streams.stream import find_shard
from penstock.wire.shapes import String

SHAPE = ControlInput(
    "ExpireIteratorsInput",
    ShardIterator=String(1, limits.iterator_chars_max),
    TableName=members.TABLE_NAME,
    Region=members.REGION,
    ShardId=members.SHARD_ID,
)


async def run(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Expire one iterator by its text, or all of a table's latest stream, or of one shard of it."""
    iterators = context.controls.iterators
    if "ShardIterator" in request:
        for name in ("TableName", "ShardId"):
            if name in request:
                raise control.not_together("ShardIterator", name)
        iterators.expire_one(read_iterator(request["ShardIterator"]))
        context.controls.look_again()
        return {}
    if "TableName" not in request:
        raise control.neither("ShardIterator", "TableName")
    stream = members.latest_stream(context, request["TableName"])
    shard_id = request.get("ShardId")
    if shard_id is not None:
        shard = context.tables.read(lambda reader: find_shard(reader, stream, shard_id))
        if shard is None or shard.has_expired(context.tables.clock.now_ms()):
            raise streams.shard_not_found()
    iterators.expire(stream.arn, shard_id)
    context.controls.look_again()
    return {}
