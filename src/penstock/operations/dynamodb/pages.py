"""What Query and Scan share: what of the items is told, where a page goes on, and its answer."""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from penstock.base.errors import dynamodb
from penstock.base.errors.api import ApiError
from penstock.items.expressions import Prepared
from penstock.items.keys import ItemKey, item_key_for_lookup
from penstock.items.values import Item, canonical_item
from penstock.operations.dynamodb import capacity, members
from penstock.tables.descriptor import Table
from penstock.tables.read import ItemPage, key_of
from penstock.wire.shapes import (
    Boolean,
    Integer,
    ListOf,
    MapOf,
    Member,
    Shape,
    String,
    Structure,
    required,
)
from penstock.wire.shapes import later as refused

CONDITION_MAP = MapOf(Structure("Condition"))


def page_members(limit: Shape) -> dict[str, Shape | Member]:
    """Return the members that the requests of Query and Scan share."""
    return {
        "TableName": required(members.TABLE_NAME),
        "IndexName": refused("a secondary index (IndexName)", String()),
        "Select": members.SELECT,
        "Limit": limit,
        "ConsistentRead": Boolean(),
        "ExclusiveStartKey": members.KEY,
        "ReturnConsumedCapacity": members.RETURN_CONSUMED_CAPACITY,
        "ProjectionExpression": members.EXPRESSION,
        "FilterExpression": members.EXPRESSION,
        "ExpressionAttributeNames": members.NAMES,
        "ExpressionAttributeValues": members.VALUES,
        **members.legacy(
            AttributesToGet=ListOf(String(), low=1),
            ConditionalOperator=String(values=("OR", "AND")),
        ),
    }


def check_select(request: Mapping[str, Any]) -> None:
    """Raise ValidationException where Select does not go with the rest of the request."""
    select = request.get("Select")
    projected = "ProjectionExpression" in request
    if select == "ALL_PROJECTED_ATTRIBUTES":
        raise dynamodb.parameter_values_invalid(
            "ALL_PROJECTED_ATTRIBUTES can be used only when Querying using an IndexName"
        )
    if select == "SPECIFIC_ATTRIBUTES" and not projected:
        raise dynamodb.parameter_values_invalid(
            "Must specify the AttributesToGet or ProjectionExpression when choosing to get"
            " SPECIFIC_ATTRIBUTES"
        )
    if projected and select not in {None, "SPECIFIC_ATTRIBUTES"}:
        shown = {"COUNT": "only the Count", "ALL_ATTRIBUTES": "ALL_ATTRIBUTES"}[str(select)]
        raise dynamodb.validation(
            f"Cannot specify the ProjectionExpression when choosing to get {shown}"
        )


def start_key(request: Mapping[str, Any], table: Table) -> ItemKey | None:
    """Return the key that the page starts after; ValidationException where it is no key."""
    given = request.get("ExclusiveStartKey")
    if given is None:
        return None
    keys = canonical_item(given)
    try:
        return item_key_for_lookup(table.schema, keys)
    except ApiError as error:
        raise dynamodb.validation(
            f"The provided starting key is invalid: {error.message}"
        ) from None


def keep_by(prepared: Prepared) -> Callable[[Item], bool] | None:
    """Return what the filter keeps; None where there is no filter."""
    return None if prepared.filter is None else prepared.filter.holds


def answer(
    request: Mapping[str, Any], table: Table, page: ItemPage, prepared: Prepared
) -> dict[str, Any]:
    """Return the answer that shows `page`."""
    told: dict[str, Any] = {"Count": len(page.items), "ScannedCount": page.scanned}
    if request.get("Select") != "COUNT":
        projection = prepared.projection
        told["Items"] = [
            msgspec.Raw(item.data) if projection is None else projection.apply(item.item())
            for item in page.items
        ]
    if page.last is not None:
        told["LastEvaluatedKey"] = key_of(page.last, table.schema)
    units = capacity.read_units(page.size, request.get("ConsistentRead", False))
    return told | capacity.consumed(request, request["TableName"], units)


LIMIT = Integer(low=1)
