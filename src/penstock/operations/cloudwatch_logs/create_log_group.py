"""CreateLogGroup: an empty log group, in which functions or clients then make streams."""

from typing import Any

from penstock.base.errors import logs
from penstock.functions.log_rows import LogGroup, Place, find_group, store_group
from penstock.operations.cloudwatch_logs import members
from penstock.operations.operation import EMPTY_BODY, Context
from penstock.storage.waist import Transaction
from penstock.wire.shapes import MapOf, String, Structure, required

SHAPE = Structure(
    "CreateLogGroupRequest",
    logGroupName=required(members.GROUP_NAME),
    kmsKeyId=members.refused("kmsKeyId", String()),
    tags=members.refused("tags", MapOf(String(), "java.lang.String")),
    logGroupClass=String(values=("STANDARD",)),
    deletionProtectionEnabled=members.refused("deletionProtectionEnabled", members.FLAG),
)


async def run(context: Context, request: dict[str, Any]) -> Any:
    """Make a group; ResourceAlreadyExistsException where there is one of that name."""
    place = Place(context.region, request["logGroupName"])
    now_ms = context.tables.clock.now_ms()

    def work(txn: Transaction) -> None:
        if find_group(txn, place) is not None:
            raise logs.group_exists()
        store_group(txn, place, LogGroup(now_ms))

    await members.change(context, place, work)
    return EMPTY_BODY
