"""GetFunctionEventInvokeConfig: how events of a function, version or alias are tried."""

from typing import Any

from penstock.operations.aws_lambda.event_configs import PATH, found_config, shown_config
from penstock.operations.aws_lambda.members import NAMESPACED_NAME, QUALIFIER
from penstock.operations.aws_lambda.target import target_of
from penstock.operations.operation import Context
from penstock.operations.rest import Route
from penstock.wire.shapes import Structure, required

ROUTE = Route("GET", PATH, query=("Qualifier",))
SHAPE = Structure(
    "GetFunctionEventInvokeConfigRequest",
    FunctionName=required(NAMESPACED_NAME),
    Qualifier=QUALIFIER,
)


async def run(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Answer with it."""
    target = target_of(context, request)
    function = context.tables.read(target.found).latest
    return shown_config(target, found_config(target, function))
