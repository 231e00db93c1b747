"""TrimShards: let nothing be read any more that a table's stream holds now."""

from typing import Any

from penstock.operations.control import members
from penstock.operations.control.members import ControlInput
from penstock.operations.operation import Context
from penstock.tables.lineage import trim_shards

SHAPE = ControlInput("TrimShardsInput", **members.SHARDS)


async def run(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Answer with the shards, or the one named, when what they held is no longer to be read."""
    shards = await trim_shards(
        context.tables, context.region, request["TableName"], request.get("ShardId")
    )
    return {"Shards": [shard.id for shard in shards]}
