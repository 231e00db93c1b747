"""DeleteTable: delete a table and its items; its stream stays readable for its 24 hours.

The items are gone when this answers, and the table itself after its delay.
"""

from typing import Any

from msgspec.structs import replace

from penstock.base.errors import dynamodb
from penstock.base.errors.tables import indexes_in_use, stream_in_use, table_in_use
from penstock.operations.dynamodb import members
from penstock.operations.dynamodb.table_description import read_counts, table_description
from penstock.operations.operation import Context
from penstock.tables import catalog
from penstock.tables.descriptor import Descriptor
from penstock.tables.state import entering, index_state, table_state
from penstock.tables.tables import until_current
from penstock.wire.shapes import Structure

SHAPE = Structure("DeleteTableInput", TableName=members.CONTROL_TABLE_NAME)


async def run(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Delete the table and answer with its description, DELETING."""
    tables, delay_ms = context.tables, context.services.table_delay_ms

    async def attempt() -> dict[str, Any]:
        table = members.existing_table(context, request)
        now_ms = tables.clock.now_ms()
        _check_settled(table.descriptor, now_ms)
        if table.descriptor.deletion_protection:
            raise dynamodb.validation(
                "Resource cannot be deleted as it is currently protected against deletion. Disable"
                " deletion protection first."
            )
        counts = tables.read(lambda reader: read_counts(reader, table))
        shown, _ = entering(table.descriptor, "DELETING", now_ms, delay_ms)
        last = catalog.table_of(replace(shown, stream=None, indexes=[])) if delay_ms else None
        await tables.engine.transact(
            lambda txn: catalog.delete_table(txn, table, last, now_ms), locks=table.locks
        )
        return {"TableDescription": table_description(shown, now_ms, counts)}

    return await until_current(attempt)


def _check_settled(descriptor: Descriptor, now_ms: int) -> None:
    """Raise ResourceInUseException where a change of the table is under way."""
    state = table_state(descriptor, now_ms)
    if state in {"CREATING", "DELETING"}:
        raise table_in_use(descriptor.name, str(state))
    if state == "UPDATING" and descriptor.stream_changing:
        raise stream_in_use()
    states = {index_state(descriptor, index, now_ms) for index in descriptor.indexes}
    if states - {"ACTIVE", None}:
        raise indexes_in_use()
    if state == "UPDATING":
        raise table_in_use(descriptor.name, "UPDATING")
