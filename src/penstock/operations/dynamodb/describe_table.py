"""DescribeTable: show a table."""

from typing import Any

from penstock.operations.dynamodb import members
from penstock.operations.dynamodb.table_description import table_description
from penstock.operations.operation import Context
from penstock.tables.write import table_count
from penstock.wire.shapes import Structure

SHAPE = Structure("DescribeTableInput", TableName=members.CONTROL_TABLE_NAME)


async def run(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Answer with the table's description; its counts are exact, where AWS's are hours old."""
    table = members.existing_table(context, request)
    count = context.tables.read(lambda reader: table_count(reader, table))
    return {"Table": table_description(table.descriptor, "ACTIVE", count)}
