"""RollShards: close the open shards of a table's stream now, each with one child after it."""

from typing import Any

from penstock.operations.control import members
from penstock.operations.control.members import ControlInput
from penstock.operations.operation import Context
from penstock.tables.lineage import roll_shards

SHAPE = ControlInput("RollShardsInput", **members.SHARDS)


async def run(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Answer with the shards that were open, or the one named, and the child of each."""
    successions = await roll_shards(
        context.tables, context.region, request["TableName"], request.get("ShardId")
    )
    return {"Successions": [members.shown_succession(each) for each in successions]}
