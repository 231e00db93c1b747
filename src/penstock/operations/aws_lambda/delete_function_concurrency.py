"""DeleteFunctionConcurrency: let a function have of the concurrency that is not reserved."""

from typing import Any

import msgspec

from penstock.functions import catalog
from penstock.operations.aws_lambda.changes import change
from penstock.operations.aws_lambda.members import FUNCTION_NAME
from penstock.operations.aws_lambda.target import target_of
from penstock.operations.operation import EMPTY_BODY, Context
from penstock.operations.rest import Route
from penstock.storage.waist import Transaction
from penstock.wire.shapes import Structure, required

ROUTE = Route("DELETE", "/2017-10-31/functions/{FunctionName}/concurrency", 204)
SHAPE = Structure("DeleteFunctionConcurrencyRequest", FunctionName=required(FUNCTION_NAME))


async def run(context: Context, request: dict[str, Any]) -> msgspec.Raw:
    """Do so and answer with an empty body."""
    target = target_of(context, request, qualified=False)

    def work(txn: Transaction) -> None:
        old = target.function(txn)
        catalog.store_function(txn, msgspec.structs.replace(old, concurrency_max=None))

    await change(context, target, work)
    return EMPTY_BODY
