"""How functions are changed: in one transaction each, under the function's lock."""

from collections.abc import Callable
from typing import TypeVar

from penstock.base.errors import aws_lambda
from penstock.functions import catalog
from penstock.functions.code import CodeGone, keep_code, store_code
from penstock.functions.function import Function, function_key, function_lock
from penstock.functions.tags import tags_lock
from penstock.operations.aws_lambda.new_code import NewCode
from penstock.operations.aws_lambda.target import Target
from penstock.operations.operation import Context
from penstock.storage.waist import Transaction

T = TypeVar("T")


async def change(context: Context, target: Target, work: Callable[[Transaction], T]) -> T:
    """Run `work` in a transaction that may change all there is of a function."""
    locks = (
        function_lock(target.region, target.name),
        tags_lock(target._replace(qualifier=None).arn),
    )
    reads = (function_key(target.region, target.name),)
    return await context.tables.engine.transact(work, locks=locks, reads=reads)


async def change_with_code(
    context: Context, target: Target, code: NewCode, work: Callable[[Transaction], T]
) -> T:
    """Run such a `work` that stores a function with `code`, which is stored before it.

    ResourceConflictException where other requests change the function's code again and again.
    """
    for _ in range(_ATTEMPTS_MAX):
        if code.data is not None:
            engine = context.tables.engine
            await store_code(engine, target.region, target.name, code.code, code.data)
        try:
            return await change(context, target, work)
        except CodeGone:
            continue
    raise aws_lambda.update_in_progress(target.arn)


_ATTEMPTS_MAX = 8


def keep_used_code(txn: Transaction, function: Function) -> None:
    """Clear the code that neither `function` nor any of its versions has any more."""
    versions = catalog.versions(txn, function.region, function.name)
    keep_code(txn, function.region, function.name, [function, *versions])
