"""What the actions that write items share: conditions, and the shape of one item's write."""

from collections.abc import Callable, Coroutine, Mapping
from typing import Any

import msgspec

from penstock.base.errors import dynamodb
from penstock.base.errors.api import ApiError
from penstock.items.expressions import Condition
from penstock.items.values import Item
from penstock.operations.dynamodb import capacity
from penstock.operations.dynamodb.collection_metrics import collection_metrics
from penstock.operations.dynamodb.members import table_name
from penstock.operations.dynamodb.reads import check_scalar_keys
from penstock.operations.operation import Context
from penstock.tables.descriptor import Table
from penstock.tables.index import check_indexed
from penstock.tables.stored_item import StoredItem, stored_item
from penstock.tables.write import Change, Write


def check_condition(
    request: Mapping[str, Any], condition: Condition | None, old: StoredItem | None
) -> None:
    """Raise ConditionalCheckFailedException unless `condition` holds for the item as it is."""
    if condition is not None:
        check_item(request, condition, None if old is None else old.item())


def check_item(request: Mapping[str, Any], condition: Condition | None, old: Item | None) -> None:
    """Judge as `check_condition` does an item that is decoded already."""
    if condition is None or condition.holds(old):
        return
    shown = request.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD"
    raise dynamodb.condition_failed(old if shown else None)


def check_condition_keys(table: Table, condition: Condition | None) -> None:
    """Raise ValidationException where `condition` reads a part of a key attribute."""
    if condition is not None:
        check_scalar_keys(table, condition.nested)


def check_put(table: Table, item: Item, new: StoredItem) -> None:
    """Raise ValidationException where an index of `table` cannot take `item`, which is to be put.

    `new` is the item as it is stored.

    What puts a whole item is judged by it alone, before any condition.
    """
    if table.indexes:
        check_indexed(table.indexes, item, new.size)


def item_within_limit(item: Item, too_large: Callable[[], ApiError]) -> StoredItem:
    """Return `item` in the form that is stored; the error `too_large` over 400 KB."""
    stored = stored_item(item)
    if stored is None:
        raise too_large()
    return stored


def change_one(
    context: Context, request: Mapping[str, Any], prepare: Callable[[Table], Write]
) -> Coroutine[Any, Any, Change]:
    """Make the one write that `prepare` makes of the request's table, and return the change."""
    name = table_name(context, request["TableName"])
    return context.tables.change_one(context.region, name, prepare)


def put_answer(context: Context, request: Mapping[str, Any], change: Change) -> dict[str, Any]:
    """Return the answer to a Put or a Delete: what was there before and what it cost, as asked."""
    answer: dict[str, Any] = {}
    if change.old is not None and request.get("ReturnValues") == "ALL_OLD":
        answer["Attributes"] = msgspec.Raw(change.old.data)
    tell_cost(context, request, change, answer)
    return answer


def tell_cost(
    context: Context, request: Mapping[str, Any], change: Change, answer: dict[str, Any]
) -> None:
    """Charge one item's write, and tell in `answer` what it cost, as asked.

    That are the members ConsumedCapacity and ItemCollectionMetrics.
    """
    if capacity.counts(context, request):
        name = table_name(context, request["TableName"])
        units = capacity.of_write(change)
        capacity.charge(context, "write", [(name, units)])
        answer.update(capacity.consumed(request, name, units))
    answer.update(collection_metrics(request, change))
