"""RemovePermission: take a statement out of the policy of a function."""

from typing import Any

import msgspec

from penstock.base.errors import aws_lambda
from penstock.functions import catalog
from penstock.functions.function import Policy
from penstock.operations.aws_lambda.changes import change
from penstock.operations.aws_lambda.members import NAMESPACED_NAME, QUALIFIER
from penstock.operations.aws_lambda.policies import policy_of, with_policy
from penstock.operations.aws_lambda.target import check_revision, target_of
from penstock.operations.operation import EMPTY_BODY, Context
from penstock.operations.rest import Route
from penstock.storage.waist import Transaction
from penstock.wire.shapes import String, Structure, required

ROUTE = Route(
    "DELETE",
    "/2015-03-31/functions/{FunctionName}/policy/{StatementId}",
    204,
    query=("Qualifier", "RevisionId"),
)
SHAPE = Structure(
    "RemovePermissionRequest",
    FunctionName=required(NAMESPACED_NAME),
    StatementId=required(String(1, 100, r"([a-zA-Z0-9-_.]+)")),
    Qualifier=QUALIFIER,
    RevisionId=String(),
)


async def run(context: Context, request: dict[str, Any]) -> msgspec.Raw:
    """Take it out and answer with an empty body."""
    target, sid = target_of(context, request), request["StatementId"]
    revision_id = context.tables.entropy.uuid()

    def work(txn: Transaction) -> None:
        function = target.found(txn).latest
        old = policy_of(target, function)
        check_revision(request.get("RevisionId"), old.revision_id)
        if sid not in old.statements:
            raise aws_lambda.resource_not_found(f"Statement {sid} is not found in resource policy.")
        left = {name: text for name, text in old.statements.items() if name != sid}
        catalog.store_function(txn, with_policy(target, function, Policy(revision_id, left)))

    await change(context, target, work)
    return EMPTY_BODY
