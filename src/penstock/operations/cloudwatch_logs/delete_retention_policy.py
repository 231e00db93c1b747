"""DeleteRetentionPolicy: the lines of a log group are kept as long as those of others."""

from typing import Any

from penstock.operations.cloudwatch_logs import members
from penstock.operations.cloudwatch_logs.put_retention_policy import keep
from penstock.operations.operation import EMPTY_BODY, Context
from penstock.wire.shapes import Structure, required

SHAPE = Structure("DeleteRetentionPolicyRequest", logGroupName=required(members.GROUP_NAME))


async def run(context: Context, request: dict[str, Any]) -> Any:
    """Forget the days."""
    await keep(context, request["logGroupName"], None)
    return EMPTY_BODY
