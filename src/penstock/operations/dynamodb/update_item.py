"""UpdateItem: change some attributes of an item, and make the item where there is none."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from penstock.base.errors.expressions import update_too_large
from penstock.items.expressions import Condition, Update
from penstock.items.keys import item_key_for_lookup
from penstock.items.legacy import Parameters
from penstock.items.values import Item, canonical_item, check_nesting
from penstock.operations.dynamodb import members
from penstock.operations.dynamodb.reads import check_scalar_keys
from penstock.operations.dynamodb.writes import (
    change_one,
    check_condition_keys,
    check_item,
    item_within_limit,
    tell_cost,
)
from penstock.operations.operation import Context
from penstock.tables.descriptor import Table
from penstock.tables.stored_item import StoredItem
from penstock.tables.write import Change, Write
from penstock.wire.shapes import Structure, alone, required

SHAPE = Structure(
    "UpdateItemInput",
    TableName=alone(members.TABLE_NAME, required=True),
    Key=required(members.KEY),
    ReturnValues=alone(members.RETURN_VALUES),
    ReturnConsumedCapacity=alone(members.RETURN_CONSUMED_CAPACITY),
    ReturnItemCollectionMetrics=alone(members.RETURN_ITEM_COLLECTION_METRICS),
    ReturnValuesOnConditionCheckFailure=alone(members.RETURN_ON_FAILURE),
    UpdateExpression=members.EXPRESSION,
    ConditionExpression=members.EXPRESSION,
    ExpressionAttributeNames=members.NAMES,
    ExpressionAttributeValues=members.VALUES,
    **members.legacy_condition(),
    AttributeUpdates=members.ATTRIBUTE_UPDATES,
)
_PARAMETERS = Parameters(
    ("UpdateExpression", "ConditionExpression"),
    ("AttributeUpdates", "Expected", "ConditionalOperator"),
)


class UpdateWrite(NamedTuple):
    """The key and the update of a request, and what makes its write."""

    keys: Item
    update: Update | None
    write: Callable[[Table], Write]


async def run(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Update the item and answer with the attributes that ReturnValues asks for."""
    keys, update, write = prepare_write(request)
    change = await change_one(context, request, write)
    answer: dict[str, Any] = {}
    asked = request.get("ReturnValues", "NONE")
    if asked != "NONE":
        attributes = attributes_of(asked, update, change, keys)
        if attributes:
            answer["Attributes"] = attributes
    tell_cost(context, request, change, answer)
    return answer


def prepare_write(request: Mapping[str, Any]) -> UpdateWrite:
    """Return what makes the write of `request`, also as an action of a transaction.

    ValidationException here for what is wrong without a table, there for what its table refuses.
    """
    _PARAMETERS.check_style(request)
    keys = canonical_item(request["Key"])
    prepared = _PARAMETERS.prepare(request)
    update, condition = prepared.update, prepared.condition

    def decide(old: StoredItem | None) -> StoredItem | None:
        return updated(request, condition, update, old, keys)

    def write(table: Table) -> Write:
        if update is not None:
            update.check_keys(table.schema)
            check_scalar_keys(table, update.nested)
        key = item_key_for_lookup(table.schema, keys)
        check_condition_keys(table, condition)
        return Write(table, key, keys, decide)

    return UpdateWrite(keys, update, write)


def updated(
    request: Mapping[str, Any],
    condition: Condition | None,
    update: Update | None,
    old: StoredItem | None,
    keys: Item,
) -> StoredItem | None:
    """Return what becomes of the item; without an expression, an item of its keys is made.

    Raises ConditionalCheckFailedException unless `condition` holds, and what `update` raises.
    """
    item = None if old is None else old.item()
    check_item(request, condition, item)
    if update is None:
        return old or item_within_limit(keys, update_too_large)
    new = update.apply(item, keys).new  # also of no item: its paths must have their parents
    if not update.creates(item):
        return None
    stored = item_within_limit(new, update_too_large)  # first: only then is it small enough to walk
    check_nesting(new)
    return stored


def attributes_of(asked: str, update: Update | None, change: Change, keys: Item) -> Item | None:
    """Return the attributes that ReturnValues asks for, None or empty where there are none."""
    old, new = (None if item is None else item.item() for item in (change.old, change.new))
    if asked == "ALL_OLD":
        return old
    if asked == "ALL_NEW":
        return new
    if update is None or new is None or asked == "NONE":
        return None
    made = update.apply(old, keys)
    return made.updated_old(old) if asked == "UPDATED_OLD" else made.updated_new()
