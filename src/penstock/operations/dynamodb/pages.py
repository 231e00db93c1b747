"""What Query and Scan share: what of the items is told, where a page goes on, and its answer."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any

from penstock.base.errors import dynamodb
from penstock.base.errors.api import ApiError
from penstock.items.expressions import Prepared
from penstock.items.values import Item, canonical_item
from penstock.operations.dynamodb import capacity, members
from penstock.operations.dynamodb.reads import shown
from penstock.operations.operation import Context
from penstock.storage.waist import Reader, Span
from penstock.tables.descriptor import Table
from penstock.tables.read import ItemPage, read_page
from penstock.tables.source import Source
from penstock.wire.shapes import Boolean, Member, Shape, required

_PROJECTING = ("ProjectionExpression", "AttributesToGet")
INVALID_START = "The provided starting key is invalid"


def page_members(limit: Shape) -> dict[str, Shape | Member]:
    """Return the members that the requests of Query and Scan share."""
    return {
        "TableName": required(members.TABLE_NAME),
        "IndexName": members.INDEX_NAME,
        "Select": members.SELECT,
        "Limit": limit,
        "ConsistentRead": Boolean(),
        "ExclusiveStartKey": members.KEY,
        "ReturnConsumedCapacity": members.RETURN_CONSUMED_CAPACITY,
        "ProjectionExpression": members.EXPRESSION,
        "FilterExpression": members.EXPRESSION,
        "ExpressionAttributeNames": members.NAMES,
        "ExpressionAttributeValues": members.VALUES,
        "AttributesToGet": members.ATTRIBUTES_TO_GET,
        "ConditionalOperator": members.CONDITIONAL_OPERATOR,
    }


def check_select(request: Mapping[str, Any], envelope: str = "") -> None:
    """Raise ValidationException where Select does not go with the rest of the request.

    `envelope` stands before the texts: Query has one and Scan has none. Texts and order: AWS,
    2026-06, as quoted in public issues.
    """
    select = request.get("Select")
    projecting = next((name for name in _PROJECTING if name in request), None)
    if projecting is not None and select not in {None, "SPECIFIC_ATTRIBUTES"}:
        wanted = "only the Count" if select == "COUNT" else select
        raise dynamodb.validation(
            f"{envelope}Cannot specify the {projecting} when choosing to get {wanted}"
        )
    if select == "SPECIFIC_ATTRIBUTES" and projecting is None:
        raise dynamodb.validation(
            f"{envelope}Must specify the AttributesToGet or ProjectionExpression when choosing to"
            " get SPECIFIC_ATTRIBUTES"
        )
    if select == "ALL_PROJECTED_ATTRIBUTES" and "IndexName" not in request:
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


def source_of(table: Table, request: Mapping[str, Any]) -> Source:
    """Return what the request reads: the table, or the index that it names.

    ValidationException for an index that there is not, or that cannot be read as asked.
    """
    name = request.get("IndexName")
    if name is None:
        return Source(table)
    index = table.indexes.get(name)
    if index is None:
        raise dynamodb.index_not_found(name)
    if not index.is_local and request.get("ConsistentRead", False):
        raise dynamodb.index_read_consistent()
    if index.descriptor.status == "CREATING":
        raise dynamodb.index_backfilling(name)
    return Source(table, index)


def needs_items(source: Source, select: str | None, prepared: Prepared) -> bool:
    """Say whether the items themselves must be read for what the index does not hold of them.

    ValidationException where the index is global: it has nothing but what it holds. Nor can any
    index be filtered by what it does not hold.
    """
    index = source.index
    if index is None:
        return False
    if prepared.filter is not None and (lacking := index.lacks(prepared.filter.names)):
        raise dynamodb.index_without_filter_attributes(index.name, lacking)
    if select == "ALL_ATTRIBUTES" and index.projected is not None:
        if not index.is_local:
            raise dynamodb.index_without_all(index.name)
        return True
    if prepared.projection is not None and (lacking := index.lacks(prepared.projection.names)):
        if not index.is_local:
            raise dynamodb.index_without_attributes(index.name, lacking)
        return True
    return False


def answer(
    context: Context,
    request: Mapping[str, Any],
    source: Source,
    span: Span,
    prepared: Prepared,
) -> dict[str, Any]:
    """Read a page of `span`, and return the answer that shows it."""
    select = request.get("Select")
    fetching = needs_items(source, select, prepared)

    def read(reader: Reader) -> ItemPage:
        return read_page(
            reader,
            span,
            request.get("Limit"),
            backward=not request.get("ScanIndexForward", True),
            keep=None if prepared.filter is None else prepared.filter.holds,
            fetch=partial(source.fetch, reader) if fetching else None,
        )

    context.tables.check_read(source.table, source.index)
    page = context.tables.read(read)
    told: dict[str, Any] = {"Count": len(page.items), "ScannedCount": page.scanned}
    if select != "COUNT":
        told["Items"] = [shown(item, prepared.projection) for item in page.items]
    if page.last is not None:
        last = page.last.item()
        told["LastEvaluatedKey"] = {name: last[name] for name in source.place_names}
    units = capacity.of_page(source, page, consistent=request.get("ConsistentRead", False))
    capacity.charge(context, "read", [(source.table.name, units)])
    return told | capacity.consumed(request, source.table.name, units)
