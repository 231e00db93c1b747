"""CreateLogStream: an empty log stream in a group that is there."""

from typing import Any

from penstock.base.errors import logs
from penstock.functions.log_rows import LogStream, Place, find_stream, store_stream
from penstock.operations.cloudwatch_logs import members
from penstock.operations.operation import EMPTY_BODY, Context
from penstock.storage.waist import Transaction
from penstock.wire.shapes import Structure, required

SHAPE = Structure(
    "CreateLogStreamRequest",
    logGroupName=required(members.GROUP_NAME),
    logStreamName=required(members.STREAM_NAME),
)


async def run(context: Context, request: dict[str, Any]) -> Any:
    """Make a stream; ResourceAlreadyExistsException where there is one of that name."""
    place, name = Place(context.region, request["logGroupName"]), request["logStreamName"]
    if "\0" in name:
        raise logs.nul_in_name()
    now_ms = context.tables.clock.now_ms()

    def work(txn: Transaction) -> None:
        members.existing_group(txn, place)
        if find_stream(txn, place, name) is not None:
            raise logs.stream_exists()
        store_stream(txn, place, name, LogStream(now_ms))

    await members.change(context, place, work)
    return EMPTY_BODY
