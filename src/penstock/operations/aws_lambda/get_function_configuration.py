"""GetFunctionConfiguration: the settings of a function, or of one of its versions."""

from typing import Any

from penstock.operations.aws_lambda.configuration import shown
from penstock.operations.aws_lambda.members import NAMESPACED_NAME, QUALIFIER
from penstock.operations.aws_lambda.target import target_of
from penstock.operations.operation import Context
from penstock.operations.rest import Route
from penstock.wire.shapes import Structure, required

ROUTE = Route("GET", "/2015-03-31/functions/{FunctionName}/configuration", query=("Qualifier",))
SHAPE = Structure(
    "GetFunctionConfigurationRequest",
    FunctionName=required(NAMESPACED_NAME),
    Qualifier=QUALIFIER,
)


async def run(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Answer with them."""
    target = target_of(context, request)
    return shown(context.tables.read(target.found).version, target.qualifier)
