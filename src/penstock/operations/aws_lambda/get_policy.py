"""GetPolicy: the policy of a function, version or alias."""

from typing import Any

from penstock.operations.aws_lambda.members import NAMESPACED_NAME, QUALIFIER
from penstock.operations.aws_lambda.policies import policy_of
from penstock.operations.aws_lambda.target import target_of
from penstock.operations.operation import Context
from penstock.operations.rest import Route
from penstock.wire.shapes import Structure, required

ROUTE = Route("GET", "/2015-03-31/functions/{FunctionName}/policy", query=("Qualifier",))
SHAPE = Structure("GetPolicyRequest", FunctionName=required(NAMESPACED_NAME), Qualifier=QUALIFIER)


async def run(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Answer with it as JSON."""
    target = target_of(context, request)
    policy = policy_of(target, context.tables.read(target.found).latest)
    listed = ",".join(policy.statements.values())
    return {
        "Policy": f'{{"Version":"2012-10-17","Id":"default","Statement":[{listed}]}}',
        "RevisionId": policy.revision_id,
    }
