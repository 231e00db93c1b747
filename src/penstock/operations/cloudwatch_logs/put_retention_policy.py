"""PutRetentionPolicy: how many days the lines of a log group are kept."""

from typing import Any

import msgspec

from penstock.base.errors import logs
from penstock.functions.log_rows import Place, store_group
from penstock.operations.cloudwatch_logs import members
from penstock.operations.operation import EMPTY_BODY, Context
from penstock.storage.waist import Transaction
from penstock.wire.shapes import Integer, Structure, required

SHAPE = Structure(
    "PutRetentionPolicyRequest",
    logGroupName=required(members.GROUP_NAME),
    retentionInDays=required(Integer()),
)

DAYS = (
    *(1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731),
    *(1096, 1827, 2192, 2557, 2922, 3288, 3653),
)
"""Those that AWS allows (botocore 1.43 model, 2026-11)."""


async def run(context: Context, request: dict[str, Any]) -> Any:
    """Set the days."""
    days = request["retentionInDays"]
    if days not in DAYS:
        raise logs.invalid_parameter(
            f"Invalid retention value. Valid values are: {', '.join(map(str, DAYS))}"
        )
    await keep(context, request["logGroupName"], days)
    return EMPTY_BODY


async def keep(context: Context, name: str, days: int | None) -> None:
    """Let the lines of a group be kept for so many days, or as long as others."""
    place = Place(context.region, name)

    def work(txn: Transaction) -> None:
        group = members.existing_group(txn, place)
        store_group(txn, place, msgspec.structs.replace(group, retention_days=days))

    await members.change(context, place, work)
