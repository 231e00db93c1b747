"""GetFunctionConcurrency: how many executions of a function there may be at a time."""

from typing import Any

from penstock.operations.aws_lambda.members import FUNCTION_NAME
from penstock.operations.aws_lambda.target import target_of
from penstock.operations.operation import Context
from penstock.operations.rest import Route
from penstock.wire.shapes import Structure, required

ROUTE = Route("GET", "/2019-09-30/functions/{FunctionName}/concurrency")
SHAPE = Structure("GetFunctionConcurrencyRequest", FunctionName=required(FUNCTION_NAME))


async def run(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Answer with it, or with nothing where none are reserved."""
    target = target_of(context, request, qualified=False)
    reserved = context.tables.read(target.function).concurrency_max
    return {} if reserved is None else {"ReservedConcurrentExecutions": reserved}
