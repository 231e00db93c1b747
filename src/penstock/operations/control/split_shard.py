"""SplitShard: close an open shard of a table's stream now, with two children of half its items."""

from typing import Any

from penstock.operations.control import members
from penstock.operations.control.members import ControlInput
from penstock.operations.operation import Context
from penstock.tables.lineage import split_shard

SHAPE = ControlInput("SplitShardInput", **members.SHARDS)


async def run(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Answer with the shard and its two children; without ShardId it is one of the widest."""
    succession = await split_shard(
        context.tables, context.region, request["TableName"], request.get("ShardId")
    )
    return {"Successions": [members.shown_succession(succession)]}
