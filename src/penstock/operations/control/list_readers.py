"""ListReaders: who reads the streams now, how much, and how far each consumer is."""

from typing import Any

from penstock.base import limits
from penstock.operations.control import members
from penstock.operations.control.members import ControlInput
from penstock.operations.operation import Context

SHAPE = ControlInput("ListReadersInput", TableName=members.TABLE_NAME, Region=members.REGION)


async def run(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Answer for the streams of one table, or without TableName for those of the region.

    Of each list no more than the first rows are given; the numbers say how many were left off.
    """
    prefix = context.arn_prefix
    if "TableName" in request:
        prefix += f"{request['TableName']}/stream/"
    most = limits.listed_readers_max
    shards = context.services.readers.shown(context.tables.clock.elapsed_ms(), prefix)
    consumers, consumers_left_off = context.controls.progress.shown(prefix, most)
    return {
        "Shards": shards[:most],
        "ShardsLeftOff": max(0, len(shards) - most),
        "Consumers": consumers,
        "ConsumersLeftOff": consumers_left_off,
    }
