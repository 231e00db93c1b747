"""UntagResource: take tags from a function or a mapping; those that are not there are no error."""

from typing import Any

import msgspec

from penstock.operations.aws_lambda.members import TAG_KEYS
from penstock.operations.aws_lambda.tagged import RESOURCE, change_tags
from penstock.operations.operation import EMPTY_BODY, Context
from penstock.operations.rest import Route
from penstock.wire.shapes import Structure, required

ROUTE = Route("DELETE", "/2017-03-31/tags/{Resource}", 204, query=("tagKeys",))
SHAPE = Structure("UntagResourceRequest", Resource=required(RESOURCE), tagKeys=required(TAG_KEYS))


async def run(context: Context, request: dict[str, Any]) -> msgspec.Raw:
    """Take them and answer with an empty body."""
    await change_tags(context, request["Resource"], dict.fromkeys(request["tagKeys"]))
    return EMPTY_BODY
