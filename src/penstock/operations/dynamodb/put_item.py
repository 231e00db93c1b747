"""PutItem: put an item in the place of whatever has its key."""

from collections.abc import Callable, Mapping
from typing import Any

from penstock.base.errors import dynamodb
from penstock.items.keys import item_key_for_put
from penstock.items.legacy import Parameters
from penstock.items.values import canonical_item
from penstock.operations.dynamodb import members
from penstock.operations.dynamodb.writes import (
    change_one,
    check_condition,
    check_condition_keys,
    check_put,
    item_within_limit,
    put_answer,
)
from penstock.operations.operation import Context
from penstock.tables.descriptor import Table
from penstock.tables.stored_item import StoredItem
from penstock.tables.write import Write
from penstock.wire.shapes import Structure, alone, required

SHAPE = Structure(
    "PutItemInput",
    TableName=alone(members.TABLE_NAME, required=True),
    Item=required(members.ITEM),
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
    """Put the item and answer with the old one where that was asked for."""
    change = await change_one(context, request, prepare_write(request))
    return put_answer(context, request, change)


def prepare_write(request: Mapping[str, Any]) -> Callable[[Table], Write]:
    """Return what makes the write of `request`, also as an action of a transaction.

    ValidationException here for what is wrong without a table, there for what its table refuses.
    """
    _PARAMETERS.check_style(request)
    item = canonical_item(request["Item"])
    if request.get("ReturnValues", "NONE") not in {"NONE", "ALL_OLD"}:
        raise dynamodb.validation("ReturnValues can only be ALL_OLD or NONE")
    new = item_within_limit(item, dynamodb.item_too_large)
    condition = _PARAMETERS.prepare(request).condition

    def decide(old: StoredItem | None) -> StoredItem:
        check_condition(request, condition, old)
        return new

    def write(table: Table) -> Write:
        key = item_key_for_put(table.schema, item)
        check_put(table, item, new)
        check_condition_keys(table, condition)
        return Write(table, key, table.schema.key_of(item), decide)

    return write
