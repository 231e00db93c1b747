"""DeleteFunction: take a function away, or one of its versions."""

from typing import Any

import msgspec

from penstock.base.errors import aws_lambda
from penstock.functions import catalog
from penstock.functions.function import LATEST
from penstock.functions.tags import write_tags
from penstock.operations.aws_lambda.changes import change, keep_used_code
from penstock.operations.aws_lambda.members import NAMESPACED_NAME, QUALIFIER
from penstock.operations.aws_lambda.target import Target, target_of
from penstock.operations.operation import EMPTY_BODY, Context
from penstock.operations.rest import Route
from penstock.storage.waist import Transaction
from penstock.wire.shapes import Structure, required

ROUTE = Route("DELETE", "/2015-03-31/functions/{FunctionName}", 204, query=("Qualifier",))
SHAPE = Structure(
    "DeleteFunctionRequest", FunctionName=required(NAMESPACED_NAME), Qualifier=QUALIFIER
)


async def run(context: Context, request: dict[str, Any]) -> msgspec.Raw:
    """Take it away and answer with an empty body."""
    target = target_of(context, request)
    if target.qualifier == LATEST:
        raise aws_lambda.invalid_parameter(
            "$LATEST version cannot be deleted without deleting the function."
        )

    def work(txn: Transaction) -> None:
        if target.qualifier is not None:
            _delete_version(txn, target)
            return
        function = target.function(txn)
        catalog.forget_function(txn, target.region, target.name)
        write_tags(txn, function.arn, {})

    await change(context, target, work)
    if target.qualifier is None:
        context.functions.retire(target.name)
    return EMPTY_BODY


def _delete_version(txn: Transaction, target: Target) -> None:
    """Take a version away; ResourceConflictException where aliases name it."""
    found = target.found(txn)
    if found.alias is not None:
        raise aws_lambda.invalid_parameter(
            "Deletion of aliases is not currently supported by this API: use DeleteAlias"
        )
    named_by = [
        alias.name
        for alias in catalog.aliases(txn, target.region, target.name)
        if alias.version == found.version.version
    ]
    if named_by:
        raise aws_lambda.resource_conflict(
            "Unable to delete version because the following aliases reference it: "
            f"[{', '.join(named_by)}]"
        )
    catalog.forget_version(txn, found.latest, found.version)
    keep_used_code(txn, found.latest)
