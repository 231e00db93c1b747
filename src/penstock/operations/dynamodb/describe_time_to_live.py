"""DescribeTimeToLive: show the state of a table's time to live."""

from typing import Any

from penstock.base.errors import dynamodb
from penstock.operations.dynamodb import members
from penstock.operations.operation import Context
from penstock.tables.state import table_state
from penstock.tables.time_to_live import time_to_live_status
from penstock.wire.shapes import Structure

SHAPE = Structure("DescribeTimeToLiveInput", TableName=members.CONTROL_TABLE_NAME)


async def run(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Answer with the state, and with the attribute unless the time to live is off."""
    table = members.existing_table(context, request)
    now_ms = context.tables.clock.now_ms()
    state = table_state(table.descriptor, now_ms)
    if state in {"CREATING", "DELETING"}:
        raise dynamodb.validation(
            f"Cannot describe time to live while table is in {state} state: Current table state is"
            f" {state}"
        )
    time_to_live = table.descriptor.time_to_live
    status = time_to_live_status(time_to_live, now_ms, context.services.table_delay_ms)
    description: dict[str, str] = {"TimeToLiveStatus": status}
    if time_to_live is not None and status != "DISABLED":
        description["AttributeName"] = time_to_live.attribute
    return {"TimeToLiveDescription": description}
