"""ListTags: the tags of a function or a mapping."""

from typing import Any

from penstock.functions.tags import read_tags
from penstock.operations.aws_lambda.tagged import RESOURCE, tagged_of
from penstock.operations.operation import Context
from penstock.operations.rest import Route
from penstock.storage.waist import Reader
from penstock.wire.shapes import Structure, required

ROUTE = Route("GET", "/2017-03-31/tags/{Resource}")
SHAPE = Structure("ListTagsRequest", Resource=required(RESOURCE))


async def run(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Answer with them."""
    tagged = tagged_of(context, request["Resource"])

    def work(reader: Reader) -> dict[str, str]:
        tagged.check(reader)
        return read_tags(reader, tagged.arn)

    return {"Tags": context.tables.read(work)}
