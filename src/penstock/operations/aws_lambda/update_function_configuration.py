"""UpdateFunctionConfiguration: other settings for a function."""

from typing import Any

import msgspec

from penstock.functions import catalog
from penstock.functions.function import Function
from penstock.operations.aws_lambda import configuration
from penstock.operations.aws_lambda.changes import change
from penstock.operations.aws_lambda.members import FUNCTION_NAME, refuse_lacking
from penstock.operations.aws_lambda.target import check_revision, target_of
from penstock.operations.operation import Context
from penstock.operations.rest import Route
from penstock.storage.waist import Transaction
from penstock.wire.shapes import String, Structure, required

ROUTE = Route("PUT", "/2015-03-31/functions/{FunctionName}/configuration")
SHAPE = Structure(
    "UpdateFunctionConfigurationRequest",
    FunctionName=required(FUNCTION_NAME),
    Role=configuration.ROLE,
    RevisionId=String(),
    **configuration.SETTINGS,
)


async def run(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Change them and answer with all of them."""
    refuse_lacking(request, configuration.LACKING)
    target = target_of(context, request, qualified=False)._replace(qualifier=None)
    now_ms, revision_id = context.tables.clock.now_ms(), context.tables.entropy.uuid()

    def work(txn: Transaction) -> Function:
        old = target.function(txn)
        check_revision(request.get("RevisionId"), old.revision_id)
        new = msgspec.structs.replace(
            configuration.changed(old, request), modified_ms=now_ms, revision_id=revision_id
        )
        catalog.store_function(txn, new)
        return new

    return configuration.shown(await change(context, target, work))
