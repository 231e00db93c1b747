"""Query: read the items of one partition key, in the order of the sort key.

Texts and the order of the checks: AWS, 2026-06, and dynalite, checked against AWS.
"""

from typing import Any

from penstock.base.errors import dynamodb
from penstock.items.expressions import KeyRange
from penstock.items.keys import KeySchema
from penstock.items.legacy import Parameters
from penstock.items.values import Item
from penstock.operations.dynamodb import members, pages
from penstock.operations.dynamodb.reads import check_scalar_keys
from penstock.operations.operation import Context
from penstock.storage.waist import Span
from penstock.tables.read import beyond
from penstock.tables.source import Place, Source
from penstock.wire.shapes import Boolean, Integer, Structure

SHAPE = Structure(
    "QueryInput",
    **pages.page_members(Integer()),
    ScanIndexForward=Boolean(),
    KeyConditionExpression=members.EXPRESSION,
    KeyConditions=members.CONDITIONS,
    QueryFilter=members.CONDITIONS,
)
_PARAMETERS = Parameters(
    ("FilterExpression", "ProjectionExpression", "KeyConditionExpression"),
    ("AttributesToGet", "QueryFilter", "ConditionalOperator", "KeyConditions"),
)

# Query is checked by a framework of its own, whose texts differ from Scan's.
_ENVELOPE = "1 validation error detected: "


async def run(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Answer with one page of the items that the key condition chooses."""
    limit = request.get("Limit")
    if limit is not None and limit < 1:
        raise dynamodb.validation(
            f"{_ENVELOPE}Value at 'Limit' failed to satisfy constraint: Member must have value"
            " greater than or equal to 1"
        )
    _PARAMETERS.check_style(request)
    pages.check_select(request, _ENVELOPE)
    start = pages.start_attributes(request)
    prepared = _PARAMETERS.prepare(request)
    if prepared.key_condition is None:
        raise dynamodb.validation(
            "Either the KeyConditions or KeyConditionExpression parameter must be specified in the"
            " request."
        )
    table = context.tables.table(context.region, members.table_name(context, request["TableName"]))
    source = pages.source_of(table, request)
    place = None if start is None else _start_place(source, start)
    key_range = prepared.key_condition.bind(source.schema, request.get("IndexName"))
    span = _span(source, key_range, place, backward=not request.get("ScanIndexForward", True))
    if prepared.projection is not None:
        check_scalar_keys(table, prepared.projection.nested)
    if prepared.filter is not None:
        _check_filter(request, prepared.filter.names, source.schema)
        check_scalar_keys(table, prepared.filter.nested)
    return pages.answer(context, request, source, span, prepared)


def _start_place(source: Source, start: Item) -> Place:
    """Return the place that the page starts after; ValidationException where it is none."""
    if start.keys() != set(source.place_names):
        raise dynamodb.validation(pages.INVALID_START)
    return source.place(start)


def _check_filter(request: dict[str, Any], names: frozenset[str], schema: KeySchema) -> None:
    what = "QueryFilter" if "QueryFilter" in request else "Filter Expression"
    for name in schema.names:
        if name in names:
            raise dynamodb.validation(
                f"{what} can only contain non-primary key attributes: Primary key attribute: {name}"
            )


def _span(source: Source, asked: KeyRange, start: Place | None, *, backward: bool) -> Span:
    """Return the keys that the page may read: the condition's, after the starting key."""
    span = source.query(asked)
    if start is None:
        return span
    elsewhere = start.key.partition != source.partition_bytes(asked.partition)
    if asked.operator is None and not asked.equal:
        if elsewhere:
            raise dynamodb.validation(
                "The provided starting key is outside query boundaries based on provided conditions"
            )
    else:
        partition = source.partition(asked.partition)
        if not span.covers(partition.start + start.key.sort + start.item):
            raise dynamodb.validation(
                "The provided starting key does not match the range key predicate"
            )
        if elsewhere:
            raise dynamodb.validation(
                "The query can return at most one row and cannot be restarted"
            )
    return beyond(span, source.prefix + start.suffix, backward)
