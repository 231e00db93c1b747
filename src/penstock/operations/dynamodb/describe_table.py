"""DescribeTable: show a table."""

from typing import Any

from penstock.operations.dynamodb import members
from penstock.operations.dynamodb.table_description import read_counts, table_description
from penstock.operations.operation import Context
from penstock.wire.shapes import Structure

SHAPE = Structure("DescribeTableInput", TableName=members.CONTROL_TABLE_NAME)


async def run(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Answer with the table's description; its counts are exact, where AWS's are hours old."""
    table = members.existing_table(context, request)
    counts = context.tables.read(lambda reader: read_counts(reader, table))
    now_ms = context.tables.clock.now_ms()
    return {"Table": table_description(table.descriptor, now_ms, counts)}
