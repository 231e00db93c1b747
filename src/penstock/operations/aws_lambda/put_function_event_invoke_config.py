"""PutFunctionEventInvokeConfig: how often and how long events of a function are tried."""

from typing import Any

from penstock.operations.aws_lambda.event_configs import PATH, PUT_SHAPE, store_config
from penstock.operations.operation import Context
from penstock.operations.rest import Route

ROUTE = Route("PUT", PATH, query=("Qualifier",))
SHAPE = PUT_SHAPE


async def run(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Store it in place of what there was, and answer with it."""
    return await store_config(context, request, anew=True)
