"""CreateEventSourceMapping: let a function have the records of a stream."""

from typing import Any

from penstock.functions.mapping import NO_RESULT, Mapping
from penstock.operations.aws_lambda import mapping_members as members
from penstock.operations.aws_lambda.mapping_changes import create_mapping
from penstock.operations.aws_lambda.mapping_function import mapped_function
from penstock.operations.aws_lambda.mapping_settings import settings_of, shown, with_settings
from penstock.operations.aws_lambda.mapping_source import check_stream, source_of
from penstock.operations.aws_lambda.members import TAGS, new_tags
from penstock.operations.operation import Context
from penstock.operations.rest import Route
from penstock.storage.waist import Reader
from penstock.wire.shapes import Structure, required

ROUTE = Route("POST", "/2015-03-31/event-source-mappings", 202)
SHAPE = Structure(
    "CreateEventSourceMappingRequest",
    EventSourceArn=members.SOURCE_ARN,
    FunctionName=required(members.FUNCTION_NAME),
    StartingPosition=members.STARTING_POSITION,
    Tags=TAGS,
    **members.SETTINGS,
    **members.FOREIGN_AT_FIRST,
)


async def run(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Store the mapping and answer with it, which is Creating."""
    members.refuse_foreign(request)
    source = source_of(request)
    settings = settings_of(request, context.services.destinations)
    tags = new_tags(request.get("Tags", {}))

    def read(reader: Reader) -> str:
        function = mapped_function(context, reader, request["FunctionName"])
        check_stream(context, reader, source)
        return function

    now_ms = context.tables.clock.now_ms()
    mapping = Mapping(
        uuid=context.tables.entropy.uuid(),
        region=context.region,
        source_arn=source,
        function_arn=context.tables.read(read),
        starting_position=request["StartingPosition"],
        created_ms=now_ms,
        modified_ms=now_ms,
        generation=1,
    )
    mapping = with_settings(mapping, settings)
    await create_mapping(context, mapping, tags)
    return shown(mapping, NO_RESULT)
