"""GetItem: read the item of a key."""

from typing import Any

from penstock.items.keys import item_key_for_lookup
from penstock.items.legacy import Parameters
from penstock.items.values import canonical_item
from penstock.operations.dynamodb import capacity, members
from penstock.operations.dynamodb.reads import check_scalar_keys, shown
from penstock.operations.operation import Context
from penstock.tables.read import get_item
from penstock.wire.shapes import Structure, required

SHAPE = Structure(
    "GetItemInput",
    TableName=required(members.TABLE_NAME),
    Key=required(members.KEY),
    ReturnConsumedCapacity=members.RETURN_CONSUMED_CAPACITY,
    ConsistentRead=members.BOOLEAN,
    ProjectionExpression=members.EXPRESSION,
    ExpressionAttributeNames=members.NAMES,
    AttributesToGet=members.ATTRIBUTES_TO_GET,
)
_PARAMETERS = Parameters(("ProjectionExpression",), ("AttributesToGet",))


async def run(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Answer with the item, or without an Item member where there is none."""
    _PARAMETERS.check_style(request)
    keys = canonical_item(request["Key"])
    projection = _PARAMETERS.prepare(request).projection
    name = members.table_name(context, request["TableName"])
    table = context.tables.table(context.region, name)
    key = item_key_for_lookup(table.schema, keys)
    if projection is not None:
        check_scalar_keys(table, projection.nested)
    context.tables.check_read(table)
    found = context.tables.read(lambda reader: get_item(reader, table, key))
    answer: dict[str, Any] = {}
    if found is not None:
        answer["Item"] = shown(found, projection)
    if capacity.counts(context, request):
        units = capacity.of_item(found, consistent=request.get("ConsistentRead", False))
        capacity.charge(context, "read", [(table.name, units)])
        answer.update(capacity.consumed(request, table.name, units))
    return answer
