"""DeleteTable: delete a table and its items; its stream stays readable for its 24 hours."""

from typing import Any

from penstock.base.errors import dynamodb
from penstock.operations.dynamodb import members
from penstock.operations.dynamodb.table_description import table_description
from penstock.operations.operation import Context
from penstock.tables import catalog
from penstock.tables.tables import until_current
from penstock.tables.write import table_count
from penstock.wire.shapes import Structure

SHAPE = Structure("DeleteTableInput", TableName=members.CONTROL_TABLE_NAME)


async def run(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Delete the table and answer with its description, DELETING."""

    async def attempt() -> dict[str, Any]:
        table = members.existing_table(context, request)
        if table.descriptor.deletion_protection:
            raise dynamodb.validation(
                "Resource cannot be deleted as it is currently protected against deletion. Disable"
                " deletion protection first."
            )
        count = context.tables.read(lambda reader: table_count(reader, table))
        now_ms = context.tables.clock.now_ms()
        await context.tables.engine.transact(
            lambda txn: catalog.delete_table(txn, table, None, now_ms), locks=table.locks
        )
        return {"TableDescription": table_description(table.descriptor, "DELETING", count)}

    return await until_current(attempt)
