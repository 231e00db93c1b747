"""PutFunctionConcurrency: how many executions of a function there may be at a time."""

from typing import Any

import msgspec

from penstock.base import limits
from penstock.base.errors import aws_lambda
from penstock.functions import catalog
from penstock.operations.aws_lambda.changes import change
from penstock.operations.aws_lambda.members import FUNCTION_NAME
from penstock.operations.aws_lambda.target import Target, target_of
from penstock.operations.operation import Context
from penstock.operations.rest import Route
from penstock.storage.waist import Reader, Transaction
from penstock.wire.shapes import Integer, Structure, required

ROUTE = Route("PUT", "/2017-10-31/functions/{FunctionName}/concurrency")
SHAPE = Structure(
    "PutFunctionConcurrencyRequest",
    FunctionName=required(FUNCTION_NAME),
    ReservedConcurrentExecutions=required(Integer(0)),
)


async def run(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Set it and answer with it."""
    target = target_of(context, request, qualified=False)._replace(qualifier=None)
    reserved = request["ReservedConcurrentExecutions"]
    context.tables.read(lambda reader: _check_unreserved(reader, target, reserved))

    def work(txn: Transaction) -> None:
        old = target.function(txn)
        catalog.store_function(txn, msgspec.structs.replace(old, concurrency_max=reserved))

    await change(context, target, work)
    return {"ReservedConcurrentExecutions": reserved}


def _check_unreserved(reader: Reader, target: Target, reserved: int) -> None:
    """Raise the error for reserving so much that other functions have too little.

    In a view before the change: two changes at a time may together reserve a little more.
    """
    target.function(reader)
    others = sum(
        function.concurrency_max or 0
        for function in catalog.functions(reader, target.region)
        if function.name != target.name
    )
    unreserved = limits.function_concurrency_max - others - reserved
    if reserved and unreserved < limits.function_unreserved_concurrency_min:
        raise aws_lambda.too_much_reserved()
