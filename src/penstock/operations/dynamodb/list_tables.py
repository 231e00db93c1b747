"""ListTables: the names of the caller's tables in the region, in byte order."""

from typing import Any

from penstock.base import limits
from penstock.operations.dynamodb import members
from penstock.operations.operation import Context
from penstock.tables.catalog import list_tables
from penstock.wire.shapes import Integer, String, Structure

SHAPE = Structure(
    "ListTablesInput",
    ExclusiveStartTableName=String(
        limits.table_name_chars_min, limits.table_name_chars_max, members.NAME_PATTERN
    ),
    Limit=Integer(1, limits.list_tables_max),
)


async def run(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Answer with one page of names."""
    limit = request.get("Limit", limits.list_tables_max)
    after = request.get("ExclusiveStartTableName")
    now_ms = context.tables.clock.now_ms()
    names, more = context.tables.read(
        lambda reader: list_tables(reader, context.region, after, limit, now_ms)
    )
    answer: dict[str, Any] = {"TableNames": names}
    return answer | ({"LastEvaluatedTableName": names[-1]} if more else {})
