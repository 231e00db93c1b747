"""PublishVersion: keep a function as it is now under a number."""

from base64 import b64encode
from typing import Any

from penstock.base.errors import aws_lambda
from penstock.functions.function import Function
from penstock.operations.aws_lambda.changes import change_with_code, keep_used_code
from penstock.operations.aws_lambda.configuration import shown
from penstock.operations.aws_lambda.members import (
    DESCRIPTION,
    FUNCTION_NAME,
    lacking,
    refuse_lacking,
)
from penstock.operations.aws_lambda.new_code import NewCode
from penstock.operations.aws_lambda.publishing import frozen_code, publish
from penstock.operations.aws_lambda.target import check_revision, target_of
from penstock.operations.operation import Context
from penstock.operations.rest import Route
from penstock.storage.waist import Transaction
from penstock.wire.shapes import String, Structure, required

ROUTE = Route("POST", "/2015-03-31/functions/{FunctionName}/versions", 201)
SHAPE = Structure(
    "PublishVersionRequest",
    FunctionName=required(FUNCTION_NAME),
    CodeSha256=String(),
    Description=DESCRIPTION,
    RevisionId=String(),
    **lacking("PublishTo"),
)


async def run(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Publish it and answer with its settings; of a local directory a zip file is kept."""
    refuse_lacking(request, ("PublishTo",))
    target = target_of(context, request, qualified=False)._replace(qualifier=None)
    revision_id = context.tables.entropy.uuid()
    before = context.tables.read(target.function)
    code = await frozen_code(NewCode(before.code, None))
    wanted = request.get("CodeSha256")
    if wanted is not None and wanted != (own := _sha256(code.code.digest)):
        raise aws_lambda.invalid_parameter(
            f"CodeSHA256 ({wanted}) is different from current CodeSHA256 in $LATEST ({own}). "
            "Please try again with the CodeSHA256 in $LATEST."
        )

    def work(txn: Transaction) -> Function:
        function = target.function(txn)
        check_revision(request.get("RevisionId"), function.revision_id)
        if function.code != before.code:
            raise aws_lambda.update_in_progress(target.arn)
        latest, version = publish(txn, function, code, revision_id, request.get("Description"))
        keep_used_code(txn, latest)
        return version

    return shown(await change_with_code(context, target, code, work))


def _sha256(digest: str) -> str:
    return b64encode(bytes.fromhex(digest)).decode()
