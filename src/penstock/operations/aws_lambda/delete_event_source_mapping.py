"""DeleteEventSourceMapping: a mapping ends, and its checkpoints are forgotten."""

from typing import Any

from penstock.operations.aws_lambda.mapping_changes import delete_mapping
from penstock.operations.aws_lambda.mapping_members import UUID
from penstock.operations.operation import Context
from penstock.operations.rest import Route
from penstock.wire.shapes import Structure, required

ROUTE = Route("DELETE", "/2015-03-31/event-source-mappings/{UUID}", 202)
SHAPE = Structure("DeleteEventSourceMappingRequest", UUID=required(UUID))


async def run(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Let the mapping go and answer with it, which is Deleting."""
    return await delete_mapping(context, request["UUID"])
