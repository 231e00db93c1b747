"""Query: read the items of one partition key, in the order of the sort key."""

from typing import Any

from penstock.base.errors import dynamodb
from penstock.items.expressions import KeyRange, prepare
from penstock.items.keys import KeySchema, key_part_bytes
from penstock.operations.dynamodb import members, pages
from penstock.operations.operation import Context
from penstock.storage.waist import Span
from penstock.tables.descriptor import Table
from penstock.tables.read import beyond, query_span, read_page
from penstock.wire.shapes import Boolean, Integer, Structure

SHAPE = Structure(
    "QueryInput",
    **pages.page_members(Integer()),
    ScanIndexForward=Boolean(),
    KeyConditionExpression=members.EXPRESSION,
    **members.legacy(KeyConditions=pages.CONDITION_MAP, QueryFilter=pages.CONDITION_MAP),
)


async def run(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Answer with one page of the items that the key condition chooses."""
    limit = request.get("Limit")
    if limit is not None and limit < 1:
        # Query's own framework: no value and a capital letter; AWS, 2026-10.
        raise dynamodb.validation(
            "1 validation error detected: Value at 'Limit' failed to satisfy constraint: Member"
            " must have value greater than or equal to 1"
        )
    pages.check_select(request)
    prepared = prepare(
        request, ("FilterExpression", "ProjectionExpression", "KeyConditionExpression")
    )
    if prepared.key_condition is None:
        raise dynamodb.validation(
            "Either the KeyConditions or KeyConditionExpression parameter must be specified in the"
            " request."
        )
    table = context.tables.table(context.region, members.table_name(context, request["TableName"]))
    key_range = prepared.key_condition.bind(table.schema)
    if prepared.filter is not None:
        _check_filter(prepared.filter.names, table.schema)
    backward = not request.get("ScanIndexForward", True)
    span = _span(request, table, key_range, backward)
    page = context.tables.read(
        lambda reader: read_page(
            reader, span, limit, backward=backward, keep=pages.keep_by(prepared)
        )
    )
    return pages.answer(request, table, page, prepared)


def _check_filter(names: frozenset[str], schema: KeySchema) -> None:
    for name in schema.names:
        if name in names:
            raise dynamodb.validation(
                "Filter Expression can only contain non-primary key attributes: Primary key"
                f" attribute: {name}"
            )


def _span(request: dict[str, Any], table: Table, key_range: KeyRange, backward: bool) -> Span:
    """Return the keys that the page may read: the condition's, after the starting key."""
    span = query_span(table, key_range)
    start = pages.start_key(request, table)
    if start is None:
        return span
    if start.partition != key_part_bytes(key_range.partition):
        raise dynamodb.validation(
            "The provided starting key is outside query boundaries based on provided conditions"
        )
    place = table.item_key(start)
    if key_range.operator is not None and not span.covers(place):
        raise dynamodb.validation(
            "The provided starting key does not match the range key predicate"
        )
    return beyond(span, place, backward)
