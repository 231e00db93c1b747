"""ListFunctions: the functions of the region, with all of their versions where asked for."""

from collections.abc import Iterator
from typing import Any

from penstock.functions import catalog
from penstock.functions.function import LATEST, Function
from penstock.operations.aws_lambda.configuration import shown
from penstock.operations.aws_lambda.listing import after_of, page_of
from penstock.operations.aws_lambda.members import MARKER, MAX_ITEMS, lacking, refuse_lacking
from penstock.operations.operation import Context
from penstock.operations.rest import Route
from penstock.storage.waist import Reader
from penstock.wire.shapes import String, Structure

ROUTE = Route(
    "GET",
    "/2015-03-31/functions",
    query=("MasterRegion", "FunctionVersion", "Marker", "MaxItems"),
)
SHAPE = Structure(
    "ListFunctionsRequest",
    FunctionVersion=String(values=("ALL",)),
    Marker=MARKER,
    MaxItems=MAX_ITEMS,
    **lacking("MasterRegion"),
)


async def run(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Answer with one page of them."""
    refuse_lacking(request, ("MasterRegion",))
    after = after_of(request)
    every = "FunctionVersion" in request

    def work(reader: Reader) -> dict[str, Any]:
        if every:
            members = _with_versions(reader, context.region, after)
        else:
            members = catalog.functions(reader, context.region, after)
        return page_of(
            request,
            members,
            "Functions",
            lambda function: shown(function, function.version if every else None),
            lambda function: f"{function.name}:{function.version}" if every else function.name,
        )

    return context.tables.read(work)


def _with_versions(reader: Reader, region: str, after: str) -> Iterator[Function]:
    """Yield every function followed by its versions, behind `name:version`."""
    name, _, version = after.partition(":")
    if name:
        yield from catalog.versions(reader, region, name, "" if version == LATEST else version)
    for function in catalog.functions(reader, region, name):
        yield function
        yield from catalog.versions(reader, region, function.name)
