"""DeleteLogStream: a log stream with all its lines."""

from typing import Any

import msgspec

from penstock.functions.log_rows import Place, forget_stream, store_group
from penstock.operations.cloudwatch_logs import members
from penstock.operations.operation import EMPTY_BODY, Context
from penstock.storage.waist import Transaction
from penstock.wire.shapes import Structure, required

SHAPE = Structure(
    "DeleteLogStreamRequest",
    logGroupName=required(members.GROUP_NAME),
    logStreamName=required(members.STREAM_NAME),
)


async def run(context: Context, request: dict[str, Any]) -> Any:
    """Delete the stream."""
    place, name = Place(context.region, request["logGroupName"]), request["logStreamName"]

    def work(txn: Transaction) -> None:
        group = members.existing_group(txn, place)
        stream = members.existing_stream(txn, place, name)
        forget_stream(txn, place, name)
        left_bytes = group.kept_bytes - stream.kept_bytes
        store_group(txn, place, msgspec.structs.replace(group, kept_bytes=left_bytes))

    await members.change(context, place, work)
    return EMPTY_BODY
