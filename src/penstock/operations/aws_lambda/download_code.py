"""The zip file of a function's code, at the URL that GetFunction tells; nobody signs for it."""

from typing import Any

from penstock.base.errors import aws_lambda
from penstock.functions.code import CodeGone, read_code
from penstock.operations.operation import Context
from penstock.operations.rest import RestAnswer, Route
from penstock.wire.shapes import String, Structure, required

ROUTE = Route("GET", "/_penstock/functions/{Region}/{Name}/{File}", signed=False)
SHAPE = Structure(
    "DownloadCode",
    Region=required(String()),
    Name=required(String()),
    File=required(String(pattern=r"[0-9a-f]{64}\.zip")),
)


async def run(context: Context, request: dict[str, Any]) -> RestAnswer:
    """Answer with its bytes."""
    digest = bytes.fromhex(request["File"].removesuffix(".zip"))
    try:
        data = await read_code(context.tables.engine, request["Region"], request["Name"], digest)
    except CodeGone:
        raise aws_lambda.resource_not_found("There is no such code") from None
    return RestAnswer(200, {"Content-Type": "application/zip"}, data)
