"""ListVersionsByFunction: $LATEST and the published versions of a function, in their order."""

from itertools import chain
from typing import Any

from penstock.functions import catalog
from penstock.functions.function import LATEST
from penstock.operations.aws_lambda.configuration import shown
from penstock.operations.aws_lambda.listing import after_of, page_of
from penstock.operations.aws_lambda.members import MARKER, MAX_ITEMS, NAMESPACED_NAME
from penstock.operations.aws_lambda.target import target_of
from penstock.operations.operation import Context
from penstock.operations.rest import Route
from penstock.storage.waist import Reader
from penstock.wire.shapes import Structure, required

ROUTE = Route("GET", "/2015-03-31/functions/{FunctionName}/versions", query=("Marker", "MaxItems"))
SHAPE = Structure(
    "ListVersionsByFunctionRequest",
    FunctionName=required(NAMESPACED_NAME),
    Marker=MARKER,
    MaxItems=MAX_ITEMS,
)


async def run(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Answer with one page of them."""
    target = target_of(context, request)
    after = after_of(request)

    def work(reader: Reader) -> dict[str, Any]:
        latest = target.function(reader)
        behind = "" if after == LATEST else after
        members = catalog.versions(reader, target.region, target.name, behind)
        return page_of(
            request,
            members if after else chain((latest,), members),
            "Versions",
            lambda function: shown(function, function.version),
            lambda function: function.version,
        )

    return context.tables.read(work)
