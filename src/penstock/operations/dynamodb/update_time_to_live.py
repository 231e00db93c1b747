"""UpdateTimeToLive: switch a table's time to live on or off.

Writes keep the expiry of their items as soon as this answers. It is ENABLED once the items that
were there before are noted too.
"""

from typing import Any

from penstock.base import limits
from penstock.base.errors.tables import table_in_use
from penstock.operations.dynamodb import members
from penstock.operations.operation import Context
from penstock.tables.catalog import table_of
from penstock.tables.state import table_state
from penstock.tables.tables import until_current
from penstock.tables.time_to_live import switch_time_to_live, switched
from penstock.wire.shapes import Boolean, String, Structure, required

SHAPE = Structure(
    "UpdateTimeToLiveInput",
    TableName=members.CONTROL_TABLE_NAME,
    TimeToLiveSpecification=required(
        Structure(
            "TimeToLiveSpecification",
            Enabled=required(Boolean()),
            AttributeName=required(String(1, limits.time_to_live_name_chars_max)),
        )
    ),
)


async def run(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Make the change and answer with what was asked for."""
    specification = request["TimeToLiveSpecification"]
    name, enabled = specification["AttributeName"], specification["Enabled"]
    tables = context.tables

    async def attempt() -> None:
        table, now_ms = members.existing_table(context, request), tables.clock.now_ms()
        state = table_state(table.descriptor, now_ms)
        if state in {"CREATING", "DELETING"}:
            raise table_in_use(table.name, state)
        interval_ms = context.services.ttl_change_ms
        new = table_of(switched(table.descriptor, name, enabled, now_ms, interval_ms))
        await tables.engine.transact(
            lambda txn: switch_time_to_live(txn, table, new), locks=table.locks
        )

    await until_current(attempt)
    context.services.work.ring()
    return {"TimeToLiveSpecification": {"AttributeName": name, "Enabled": enabled}}
