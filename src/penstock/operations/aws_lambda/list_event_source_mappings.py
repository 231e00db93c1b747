"""ListEventSourceMappings: the mappings of a region, or those of a source or a function.

A function is meant as it is written: without a version, the mappings of its versions and aliases
are not listed (unconfirmed).
"""

from collections.abc import Iterator
from typing import Any

from penstock.base import limits
from penstock.functions.mapping import Mapping, last_result, mappings
from penstock.operations.aws_lambda import mapping_members as members
from penstock.operations.aws_lambda.listing import after_of, page_of
from penstock.operations.aws_lambda.mapping_function import named_function
from penstock.operations.aws_lambda.mapping_settings import shown
from penstock.operations.aws_lambda.members import MARKER, MAX_ITEMS
from penstock.operations.operation import Context
from penstock.operations.rest import Route
from penstock.storage.waist import Reader
from penstock.wire.shapes import Structure

_NAMES = ("EventSourceArn", "FunctionName", "Marker", "MaxItems")
ROUTE = Route("GET", "/2015-03-31/event-source-mappings", query=_NAMES)
SHAPE = Structure(
    "ListEventSourceMappingsRequest",
    EventSourceArn=members.SOURCE_ARN,
    FunctionName=members.FUNCTION_NAME,
    Marker=MARKER,
    MaxItems=MAX_ITEMS,
)


async def run(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Answer with a page of mappings, in the order of their ids."""
    source = request.get("EventSourceArn")
    function = None
    if "FunctionName" in request:
        function = named_function(context, request["FunctionName"])

    def chosen(reader: Reader) -> Iterator[Mapping]:
        for mapping in mappings(reader, context.region, after_of(request)):
            if source in (None, mapping.source_arn) and function in (None, mapping.function_arn):
                yield mapping

    return context.tables.read(
        lambda reader: page_of(
            request,
            chosen(reader),
            "EventSourceMappings",
            lambda mapping: shown(mapping, last_result(reader, mapping)),
            lambda mapping: mapping.uuid,
            limits.mappings_page_max,
        )
    )
