"""GetAlias: an alias of a function."""

from typing import Any

from penstock.operations.aws_lambda.aliases import found_alias, shown_alias
from penstock.operations.aws_lambda.members import ALIAS, FUNCTION_NAME
from penstock.operations.aws_lambda.target import target_of
from penstock.operations.operation import Context
from penstock.operations.rest import Route
from penstock.wire.shapes import Structure, required

ROUTE = Route("GET", "/2015-03-31/functions/{FunctionName}/aliases/{Name}")
SHAPE = Structure("GetAliasRequest", FunctionName=required(FUNCTION_NAME), Name=required(ALIAS))


async def run(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Answer with it."""
    target = target_of(context, request, qualified=False)
    alias = context.tables.read(lambda reader: found_alias(reader, target, request["Name"]))
    return shown_alias(target, alias)
