"""ListFunctionEventInvokeConfigs: how events of a function and of its versions are tried."""

from typing import Any

from penstock.base import limits
from penstock.operations.aws_lambda.event_configs import PATH, shown_config
from penstock.operations.aws_lambda.listing import after_of, page_of
from penstock.operations.aws_lambda.members import MARKER, NAMESPACED_NAME
from penstock.operations.aws_lambda.target import target_of
from penstock.operations.operation import Context
from penstock.operations.rest import Route
from penstock.wire.shapes import Integer, Structure, required

ROUTE = Route("GET", f"{PATH}/list", query=("Marker", "MaxItems"))
SHAPE = Structure(
    "ListFunctionEventInvokeConfigsRequest",
    FunctionName=required(NAMESPACED_NAME),
    Marker=MARKER,
    MaxItems=Integer(1, limits.function_list_page_max),
)


async def run(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Answer with one page of them, in the order of their qualifiers."""
    target, after = target_of(context, request), after_of(request)
    configs = context.tables.read(target.function).event_configs
    return page_of(
        request,
        (qualifier for qualifier in sorted(configs) if qualifier > after),
        "FunctionEventInvokeConfigs",
        lambda qualifier: shown_config(target._replace(qualifier=qualifier), configs[qualifier]),
        lambda qualifier: qualifier,
    )
