"""AddPermission: a statement in the policy of a function."""

from typing import Any

from penstock.base.errors import aws_lambda
from penstock.functions import catalog
from penstock.functions.function import Policy
from penstock.operations.aws_lambda.changes import change
from penstock.operations.aws_lambda.members import (
    NAMESPACED_NAME,
    QUALIFIER,
    lacking,
    refuse_lacking,
)
from penstock.operations.aws_lambda.policies import statement_of, with_policy
from penstock.operations.aws_lambda.target import check_revision, target_of
from penstock.operations.operation import Context
from penstock.operations.rest import Route
from penstock.storage.waist import Transaction
from penstock.wire.shapes import String, Structure, required

_LACKING = ("FunctionUrlAuthType", "InvokedViaFunctionUrl")

ROUTE = Route("POST", "/2015-03-31/functions/{FunctionName}/policy", 201, query=("Qualifier",))
SHAPE = Structure(
    "AddPermissionRequest",
    FunctionName=required(NAMESPACED_NAME),
    StatementId=required(String(1, 100, r"([a-zA-Z0-9-_]+)")),
    Action=required(String(0, 10_000, r"(lambda:[*]|lambda:[a-zA-Z]+|[*])")),
    Principal=required(String(0, 2048, r"[^\s]+")),
    SourceArn=String(0, 10_000, r"arn:.*"),
    SourceAccount=String(0, 12, r"\d{12}"),
    EventSourceToken=String(0, 256, r"[a-zA-Z0-9._\-]+"),
    PrincipalOrgID=String(12, 34, r"o-[a-z0-9]{10,32}"),
    Qualifier=QUALIFIER,
    RevisionId=String(),
    **lacking(*_LACKING),
)


async def run(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Add it and answer with it."""
    refuse_lacking(request, _LACKING)
    target = target_of(context, request)
    statement, sid = statement_of(target, request), request["StatementId"]
    revision_id = context.tables.entropy.uuid()

    def work(txn: Transaction) -> None:
        function = target.found(txn).latest
        old = function.policies.get(target.qualifier or "", Policy(function.revision_id))
        check_revision(request.get("RevisionId"), old.revision_id)
        if sid in old.statements:
            raise aws_lambda.resource_conflict(
                f"The statement id ({sid}) provided already exists. Please provide a new statement"
                " id, or remove the existing statement."
            )
        policy = Policy(revision_id, old.statements | {sid: statement})
        catalog.store_function(txn, with_policy(target, function, policy))

    await change(context, target, work)
    return {"Statement": statement}
