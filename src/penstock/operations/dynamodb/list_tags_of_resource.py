"""ListTagsOfResource: the tags of a table, all of them, by their keys.

Fact: AWS, 2024-07, in aws-sdk issue 583: the answer is never cut into pages, as tags are few.
"""

from typing import Any

from penstock.base.errors import dynamodb
from penstock.operations.dynamodb.tag_specification import RESOURCE_ARN, tagged_table
from penstock.operations.operation import Context
from penstock.tables.tags import read_tags
from penstock.wire.shapes import String, Structure, required

SHAPE = Structure("ListTagsOfResourceInput", ResourceArn=required(RESOURCE_ARN), NextToken=String())


async def run(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Answer with all tags; no answer gives a token, so none can be taken."""
    if "NextToken" in request:
        raise dynamodb.parameter_values_invalid(f"Invalid NextToken: {request['NextToken']}")
    table = tagged_table(context, "ListTagsOfResource", request["ResourceArn"])
    tags = context.tables.read(lambda reader: read_tags(reader, table.descriptor.arn)).values
    return {"Tags": [{"Key": key, "Value": tags[key]} for key in sorted(tags)]}
