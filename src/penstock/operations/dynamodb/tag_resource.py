"""TagResource: give a table tags, each in the place of one with the same key."""

from typing import Any

from penstock.base.errors import dynamodb
from penstock.operations.dynamodb.tag_specification import (
    RESOURCE_ARN,
    TAGS,
    change_tags,
    new_tags,
)
from penstock.operations.operation import EMPTY_BODY, Context
from penstock.wire.shapes import Structure, required

SHAPE = Structure("TagResourceInput", ResourceArn=required(RESOURCE_ARN), Tags=required(TAGS))


async def run(context: Context, request: dict[str, Any]) -> Any:
    """Set the tags and answer with an empty body."""
    if not request["Tags"]:
        raise dynamodb.parameter_values_invalid("List of Tags is empty")
    tags = new_tags(request["Tags"])
    await change_tags(context, "TagResource", request["ResourceArn"], tags)
    return EMPTY_BODY
