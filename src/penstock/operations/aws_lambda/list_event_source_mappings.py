"""ListEventSourceMappings: the mappings of a region, or those of a source or a function.

A function is meant as it is written: without a version, the mappings of its versions and aliases
are not listed (unconfirmed).
"""

import base64
import binascii
from collections.abc import Iterator
from itertools import islice
from typing import Any

from penstock.base import limits
from penstock.base.errors import event_source_mappings as errors
from penstock.functions.mapping import Mapping, last_result, mappings
from penstock.operations.aws_lambda import mapping_members as members
from penstock.operations.aws_lambda.mapping_function import named_function
from penstock.operations.aws_lambda.mapping_settings import shown
from penstock.operations.operation import Context
from penstock.operations.rest import Route
from penstock.storage.waist import Reader
from penstock.wire.shapes import Integer, String, Structure

_NAMES = ("EventSourceArn", "FunctionName", "Marker", "MaxItems")
ROUTE = Route("GET", "/2015-03-31/event-source-mappings", query=_NAMES)
SHAPE = Structure(
    "ListEventSourceMappingsRequest",
    EventSourceArn=members.SOURCE_ARN,
    FunctionName=members.FUNCTION_NAME,
    Marker=String(),
    MaxItems=Integer(1, limits.mappings_listed_max),
)


async def run(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Answer with a page of mappings, in the order of their ids."""
    count = min(request.get("MaxItems", limits.mappings_page_max), limits.mappings_page_max)
    after = _after(request.get("Marker", ""))
    source = request.get("EventSourceArn")
    function = None
    if "FunctionName" in request:
        function = named_function(context, request["FunctionName"])

    def chosen(reader: Reader) -> Iterator[Mapping]:
        for mapping in mappings(reader, context.region, after):
            if source in (None, mapping.source_arn) and function in (None, mapping.function_arn):
                yield mapping

    def read(reader: Reader) -> tuple[list[Mapping], list[dict[str, Any]]]:
        found = list(islice(chosen(reader), count + 1))
        return found, [shown(each, last_result(reader, each)) for each in found[:count]]

    found, page = context.tables.read(read)
    answer: dict[str, Any] = {"EventSourceMappings": page}
    if len(found) > count:
        marker = base64.urlsafe_b64encode(found[count - 1].uuid.encode())
        answer["NextMarker"] = marker.decode()
    return answer


def _after(marker: str) -> str:
    """Return the id after which a page begins; InvalidParameterValueException for a bad marker."""
    try:
        return base64.b64decode(marker, altchars=b"-_", validate=True).decode("ascii")
    except (binascii.Error, ValueError):
        raise errors.invalid_marker() from None
