"""UpdateFunctionCode: other code for a function."""

from typing import Any

import msgspec

from penstock.functions import catalog
from penstock.functions.function import Function
from penstock.operations.aws_lambda.changes import change_with_code, keep_used_code
from penstock.operations.aws_lambda.configuration import ARCHITECTURES, shown
from penstock.operations.aws_lambda.members import FUNCTION_NAME, lacking, refuse_lacking
from penstock.operations.aws_lambda.new_code import CODE, new_code
from penstock.operations.aws_lambda.publishing import frozen_code, publish
from penstock.operations.aws_lambda.target import check_revision, target_of
from penstock.operations.operation import Context
from penstock.operations.rest import Route
from penstock.storage.waist import Transaction
from penstock.wire.shapes import Boolean, String, Structure, required

ROUTE = Route("PUT", "/2015-03-31/functions/{FunctionName}/code")
SHAPE = Structure(
    "UpdateFunctionCodeRequest",
    FunctionName=required(FUNCTION_NAME),
    Publish=Boolean(),
    DryRun=Boolean(),
    RevisionId=String(),
    Architectures=ARCHITECTURES,
    **CODE,
    **lacking("PublishTo"),
)


async def run(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Change the code and answer with the settings; with DryRun they would be those."""
    refuse_lacking(request, ("PublishTo",))
    target = target_of(context, request, qualified=False)._replace(qualifier=None)
    context.tables.read(target.function)
    code = await new_code(context, request)
    now_ms, entropy = context.tables.clock.now_ms(), context.tables.entropy
    revision_id, version_revision_id = entropy.uuid(), entropy.uuid()

    def updated(old: Function) -> Function:
        check_revision(request.get("RevisionId"), old.revision_id)
        architecture = request.get("Architectures", [old.architecture])[0]
        return msgspec.structs.replace(
            old,
            code=code.code,
            architecture=architecture,
            modified_ms=now_ms,
            revision_id=revision_id,
        )

    old = context.tables.read(target.function)
    if request.get("DryRun"):
        return shown(updated(old))
    frozen = await frozen_code(code) if request.get("Publish") else None

    def work(txn: Transaction) -> Function:
        latest = made = updated(target.function(txn))
        catalog.store_function(txn, latest)
        if frozen is not None:
            latest, made = publish(txn, latest, frozen, version_revision_id)
        keep_used_code(txn, latest)
        return made

    return shown(await change_with_code(context, target, frozen or code, work))
