"""What Query and Scan share: what of the items is told, where a page goes on, and its answer."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from penstock.base.errors import dynamodb
from penstock.base.errors.api import ApiError
from penstock.items.expressions import Prepared
from penstock.items.values import Item, canonical_item
from penstock.operations.dynamodb import capacity, members
from penstock.operations.dynamodb.reads import shown
from penstock.tables.descriptor import Table
from penstock.tables.read import ItemPage
from penstock.wire.shapes import (
    JAVA,
    Boolean,
    ListOf,
    MapOf,
    Member,
    Shape,
    String,
    Structure,
    required,
)
from penstock.wire.shapes import later as refused

CONDITION_MAP = MapOf(Structure("Condition"), f"{JAVA}Condition")
INVALID_START = "The provided starting key is invalid"


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


def check_select(request: Mapping[str, Any], envelope: str = "") -> None:
    """Raise ValidationException where Select does not go with the rest of the request.

    `envelope` stands before the texts: Query has one and Scan has none. Texts and order: AWS,
    2026-06, as quoted in public issues.
    """
    select = request.get("Select")
    projected = "ProjectionExpression" in request
    if projected and select not in {None, "SPECIFIC_ATTRIBUTES"}:
        wanted = "only the Count" if select == "COUNT" else select
        raise dynamodb.validation(
            f"{envelope}Cannot specify the ProjectionExpression when choosing to get {wanted}"
        )
    if select == "SPECIFIC_ATTRIBUTES" and not projected:
        raise dynamodb.validation(
            f"{envelope}Must specify the AttributesToGet or ProjectionExpression when choosing to"
            " get SPECIFIC_ATTRIBUTES"
        )
    if select == "ALL_PROJECTED_ATTRIBUTES":
        raise dynamodb.validation(
            f"{envelope}ALL_PROJECTED_ATTRIBUTES can be used only when Querying using an IndexName"
        )


def start_attributes(request: Mapping[str, Any]) -> Item | None:
    """Return the canonical attributes of the key that the page starts after, of any schema."""
    given = request.get("ExclusiveStartKey")
    if given is None:
        return None
    with invalid_start():
        return canonical_item(given)


@contextmanager
def invalid_start() -> Iterator[None]:
    """Say of every error inside that it lies in the starting key."""
    try:
        yield
    except ApiError as error:
        raise dynamodb.validation(f"{INVALID_START}: {error.message}") from None


def keep_by(prepared: Prepared) -> Callable[[Item], bool] | None:
    """Return what the filter keeps; None where there is no filter."""
    return None if prepared.filter is None else prepared.filter.holds


def answer(
    request: Mapping[str, Any], table: Table, page: ItemPage, prepared: Prepared
) -> dict[str, Any]:
    """Return the answer that shows `page`."""
    told: dict[str, Any] = {"Count": len(page.items), "ScannedCount": page.scanned}
    if request.get("Select") != "COUNT":
        told["Items"] = [shown(item, prepared.projection) for item in page.items]
    if page.last is not None:
        told["LastEvaluatedKey"] = table.schema.key_of(page.last.item())
    units = capacity.read_units(page.size, request.get("ConsistentRead", False))
    return told | capacity.consumed(request, table.name, units)
