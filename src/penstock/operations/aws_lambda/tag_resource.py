"""TagResource: give a function or a mapping tags, each in the place of one with the same key."""

from typing import Any

import msgspec

from penstock.operations.aws_lambda.members import TAGS, new_tags
from penstock.operations.aws_lambda.tagged import RESOURCE, change_tags
from penstock.operations.operation import EMPTY_BODY, Context
from penstock.operations.rest import Route
from penstock.wire.shapes import Structure, required

ROUTE = Route("POST", "/2017-03-31/tags/{Resource}", 204)
SHAPE = Structure("TagResourceRequest", Resource=required(RESOURCE), Tags=required(TAGS))


async def run(context: Context, request: dict[str, Any]) -> msgspec.Raw:
    """Set the tags and answer with an empty body."""
    await change_tags(context, request["Resource"], new_tags(request["Tags"]))
    return EMPTY_BODY
