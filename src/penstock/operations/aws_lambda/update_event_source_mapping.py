"""UpdateEventSourceMapping: change a mapping, which goes on from where it is.

Its source and its starting position are no members of the request: they never change.
"""

from typing import Any

from penstock.operations.aws_lambda import mapping_members as members
from penstock.operations.aws_lambda.mapping_changes import existing_mapping, update_mapping
from penstock.operations.aws_lambda.mapping_function import mapped_function
from penstock.operations.aws_lambda.mapping_settings import settings_of
from penstock.operations.operation import Context
from penstock.operations.rest import Route
from penstock.wire.shapes import Structure, required

ROUTE = Route("PUT", "/2015-03-31/event-source-mappings/{UUID}", 202)
SHAPE = Structure(
    "UpdateEventSourceMappingRequest",
    UUID=required(members.UUID),
    FunctionName=members.FUNCTION_NAME,
    **members.SETTINGS,
    **members.FOREIGN,
)


async def run(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Store the changes and answer with the mapping, which is Updating, Enabling or Disabling."""
    uuid = request["UUID"]
    context.tables.read(lambda reader: existing_mapping(context, reader, uuid))
    members.refuse_foreign(request)
    settings = settings_of(request, context.services.destinations)
    if "FunctionName" in request:
        settings["function_arn"] = context.tables.read(
            lambda reader: mapped_function(context, reader, request["FunctionName"])
        )
    return await update_mapping(context, uuid, settings)
