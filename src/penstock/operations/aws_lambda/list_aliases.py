"""ListAliases: the aliases of a function, or of one of its versions."""

from typing import Any

from penstock.functions import catalog
from penstock.operations.aws_lambda.aliases import shown_alias
from penstock.operations.aws_lambda.listing import after_of, page_of
from penstock.operations.aws_lambda.members import FUNCTION_NAME, MARKER, MAX_ITEMS, VERSION
from penstock.operations.aws_lambda.target import target_of
from penstock.operations.operation import Context
from penstock.operations.rest import Route
from penstock.storage.waist import Reader
from penstock.wire.shapes import Structure, required

ROUTE = Route(
    "GET",
    "/2015-03-31/functions/{FunctionName}/aliases",
    query=("FunctionVersion", "Marker", "MaxItems"),
)
SHAPE = Structure(
    "ListAliasesRequest",
    FunctionName=required(FUNCTION_NAME),
    FunctionVersion=VERSION,
    Marker=MARKER,
    MaxItems=MAX_ITEMS,
)


async def run(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Answer with one page of them."""
    target = target_of(context, request, qualified=False)
    after, wanted = after_of(request), request.get("FunctionVersion")

    def work(reader: Reader) -> dict[str, Any]:
        target.function(reader)
        members = (
            alias
            for alias in catalog.aliases(reader, target.region, target.name, after)
            if wanted in (None, alias.version)
        )
        return page_of(
            request,
            members,
            "Aliases",
            lambda alias: shown_alias(target, alias),
            lambda alias: alias.name,
        )

    return context.tables.read(work)
