"""DeleteLogGroup: a log group with all its streams and lines.

A function that goes on logging makes its group anew.
"""

from typing import Any

from penstock.functions.log_rows import Place, forget_group
from penstock.operations.cloudwatch_logs import members
from penstock.operations.operation import EMPTY_BODY, Context
from penstock.storage.waist import Transaction
from penstock.wire.shapes import Structure, required

SHAPE = Structure("DeleteLogGroupRequest", logGroupName=required(members.GROUP_NAME))


async def run(context: Context, request: dict[str, Any]) -> Any:
    """Delete the group."""
    place = Place(context.region, request["logGroupName"])

    def work(txn: Transaction) -> None:
        members.existing_group(txn, place)
        forget_group(txn, place)

    await members.change(context, place, work)
    return EMPTY_BODY
