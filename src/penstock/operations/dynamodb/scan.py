"""Scan: read all of a table or an index, or of one segment of it, in the order of hashes."""

from typing import Any

from penstock.base import limits
from penstock.base.errors import dynamodb
from penstock.items.legacy import Parameters
from penstock.items.values import Item
from penstock.operations.dynamodb import members, pages
from penstock.operations.dynamodb.reads import check_scalar_keys
from penstock.operations.operation import Context
from penstock.storage.waist import Span
from penstock.tables.read import beyond
from penstock.tables.source import Source
from penstock.wire.shapes import Integer, Structure

SHAPE = Structure(
    "ScanInput",
    **pages.page_members(members.POSITIVE),
    Segment=Integer(0, limits.scan_segments_max - 1),
    TotalSegments=Integer(1, limits.scan_segments_max),
    ScanFilter=members.CONDITIONS,
)
_PARAMETERS = Parameters(
    ("FilterExpression", "ProjectionExpression"),
    ("AttributesToGet", "ScanFilter", "ConditionalOperator"),
)


async def run(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Answer with one page of the table's or the segment's items."""
    _PARAMETERS.check_style(request)
    pages.check_select(request)
    start = pages.start_attributes(request)
    _check_segment(request)
    prepared = _PARAMETERS.prepare(request)
    table = context.tables.table(context.region, members.table_name(context, request["TableName"]))
    source = pages.source_of(table, request)
    span = _span(request, source, start)
    for expression in (prepared.projection, prepared.filter):
        if expression is not None:
            check_scalar_keys(table, expression.nested)
    return pages.answer(context, request, source, span, prepared)


def _check_segment(request: dict[str, Any]) -> None:
    segment, segments = request.get("Segment"), request.get("TotalSegments")
    if segment is None and segments is None:
        return
    if segments is None:
        raise dynamodb.validation(
            "The TotalSegments parameter is required but was not present in the request when"
            " Segment parameter is present"
        )
    if segment is None:
        raise dynamodb.validation(
            "The Segment parameter is required but was not present in the request when parameter"
            " TotalSegments is present"
        )
    if segment >= segments:
        raise dynamodb.validation(
            "The Segment parameter is zero-based and must be less than parameter TotalSegments:"
            f" Segment: {segment} is not less than TotalSegments: {segments}"
        )


def _span(request: dict[str, Any], source: Source, start: Item | None) -> Span:
    """Return the keys that the page may read: the segment's, after the starting key."""
    segments = request.get("TotalSegments")
    span = source.span if segments is None else source.segment(request["Segment"], segments)
    if start is None:
        return span
    with pages.invalid_start():
        place = source.prefix + source.place(start).suffix
        if not span.covers(place):
            raise dynamodb.validation(
                "Invalid ExclusiveStartKey. Please use ExclusiveStartKey with correct Segment."
                f" TotalSegments: {segments} Segment: {request['Segment']}"
            )
    return beyond(span, place, backward=False)
