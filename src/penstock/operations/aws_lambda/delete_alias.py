"""DeleteAlias: take an alias away; one that is not there is no error."""

from typing import Any

import msgspec

from penstock.functions import catalog
from penstock.operations.aws_lambda.changes import change
from penstock.operations.aws_lambda.members import ALIAS, FUNCTION_NAME
from penstock.operations.aws_lambda.target import target_of
from penstock.operations.operation import EMPTY_BODY, Context
from penstock.operations.rest import Route
from penstock.storage.waist import Transaction
from penstock.wire.shapes import Structure, required

ROUTE = Route("DELETE", "/2015-03-31/functions/{FunctionName}/aliases/{Name}", 204)
SHAPE = Structure("DeleteAliasRequest", FunctionName=required(FUNCTION_NAME), Name=required(ALIAS))


async def run(context: Context, request: dict[str, Any]) -> msgspec.Raw:
    """Take it away and answer with an empty body."""
    target = target_of(context, request, qualified=False)

    def work(txn: Transaction) -> None:
        latest = target.function(txn)
        alias = catalog.find_alias(txn, target.region, target.name, request["Name"])
        if alias is not None:
            catalog.forget_alias(txn, latest, alias)

    await change(context, target, work)
    return EMPTY_BODY
