"""DeleteItem: delete the item of a key, if there is one."""

from collections.abc import Callable, Mapping
from typing import Any

from penstock.base.errors import dynamodb
from penstock.items.keys import item_key_for_lookup
from penstock.items.legacy import Parameters
from penstock.items.values import canonical_item
from penstock.operations.dynamodb import members
from penstock.operations.dynamodb.writes import (
    change_one,
    check_condition,
    check_condition_keys,
    put_answer,
)
from penstock.operations.operation import Context
from penstock.tables.descriptor import Table
from penstock.tables.stored_item import StoredItem
from penstock.tables.write import Write
from penstock.wire.shapes import Structure, required

SHAPE = Structure(
    "DeleteItemInput",
    TableName=required(members.TABLE_NAME),
    Key=required(members.KEY),
    ReturnConsumedCapacity=members.RETURN_CONSUMED_CAPACITY,
    ReturnItemCollectionMetrics=members.RETURN_ITEM_COLLECTION_METRICS,
    ReturnValues=members.RETURN_VALUES,
    ReturnValuesOnConditionCheckFailure=members.RETURN_ON_FAILURE,
    ConditionExpression=members.EXPRESSION,
    ExpressionAttributeNames=members.NAMES,
    ExpressionAttributeValues=members.VALUES,
    **members.legacy_condition(),
)
_PARAMETERS = Parameters(("ConditionExpression",), ("Expected", "ConditionalOperator"))


async def run(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Delete the item and answer with what it was where that was asked for."""
    change = await change_one(context, request, prepare_write(request))
    return put_answer(context, request, change)


def prepare_write(request: Mapping[str, Any]) -> Callable[[Table], Write]:
    """Return what makes the write of `request`, also as an action of a transaction.

    ValidationException here for what is wrong without a table, there for what its table refuses.
    """
    _PARAMETERS.check_style(request)
    keys = canonical_item(request["Key"])
    if request.get("ReturnValues", "NONE") not in {"NONE", "ALL_OLD"}:
        raise dynamodb.validation("ReturnValues can only be ALL_OLD or NONE")
    condition = _PARAMETERS.prepare(request).condition

    def decide(old: StoredItem | None) -> None:
        check_condition(request, condition, old)

    def write(table: Table) -> Write:
        key = item_key_for_lookup(table.schema, keys)
        check_condition_keys(table, condition)
        return Write(table, key, keys, decide)

    return write
