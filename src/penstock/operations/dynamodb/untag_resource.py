"""UntagResource: take tags off a table; a key that it does not have is no error."""

from typing import Any

from penstock.base.errors import dynamodb
from penstock.operations.dynamodb.tag_specification import (
    RESOURCE_ARN,
    TAG_KEY,
    change_tags,
)
from penstock.operations.operation import EMPTY_BODY, Context
from penstock.wire.shapes import ListOf, Structure, required

SHAPE = Structure(
    "UntagResourceInput",
    ResourceArn=required(RESOURCE_ARN),
    TagKeys=required(ListOf(TAG_KEY)),
)


async def run(context: Context, request: dict[str, Any]) -> Any:
    """Remove the tags and answer with an empty body."""
    if not request["TagKeys"]:
        raise dynamodb.parameter_values_invalid("List of TagKeys is empty")
    tags = dict.fromkeys(request["TagKeys"])
    await change_tags(context, "UntagResource", request["ResourceArn"], tags)
    return EMPTY_BODY
