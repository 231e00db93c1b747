"""GetEventSourceMapping: a mapping as it is now."""

from typing import Any

from penstock.functions.mapping import last_result
from penstock.operations.aws_lambda.mapping_changes import existing_mapping
from penstock.operations.aws_lambda.mapping_members import UUID
from penstock.operations.aws_lambda.mapping_settings import shown
from penstock.operations.operation import Context
from penstock.operations.rest import Route
from penstock.storage.waist import Reader
from penstock.wire.shapes import Structure, required

ROUTE = Route("GET", "/2015-03-31/event-source-mappings/{UUID}")
SHAPE = Structure("GetEventSourceMappingRequest", UUID=required(UUID))


async def run(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Answer with the mapping."""

    def read(reader: Reader) -> dict[str, Any]:
        mapping = existing_mapping(context, reader, request["UUID"])
        return shown(mapping, last_result(reader, mapping))

    return context.tables.read(read)
