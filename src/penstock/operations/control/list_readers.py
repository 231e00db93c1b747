"""ListReaders: who reads the streams now, how much, and how far each consumer is."""

from typing import Any

from penstock.operations.control import members
from penstock.operations.control.members import ControlInput
from penstock.operations.operation import Context

SHAPE = ControlInput("ListReadersInput", TableName=members.TABLE_NAME, Region=members.REGION)


async def run(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Answer for the streams of one table, or without TableName for those of the region."""
    prefix = context.arn_prefix
    if "TableName" in request:
        prefix += f"{request['TableName']}/stream/"
    now_ms = context.tables.clock.elapsed_ms()
    return {
        "Shards": context.services.readers.shown(now_ms, prefix),
        "Consumers": context.controls.progress.shown(prefix),
    }
