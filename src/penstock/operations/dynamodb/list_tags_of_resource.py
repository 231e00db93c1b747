"""ListTagsOfResource: the tags of a table, ten a page, by their keys."""

from base64 import b64decode, b64encode
from typing import Any

from penstock.base import limits
from penstock.base.errors import dynamodb
from penstock.operations.dynamodb.tag_specification import RESOURCE_ARN, tagged_table
from penstock.operations.operation import Context
from penstock.tables.tags import read_tags
from penstock.wire.shapes import String, Structure, required

SHAPE = Structure("ListTagsOfResourceInput", ResourceArn=required(RESOURCE_ARN), NextToken=String())


async def run(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Answer with one page of tags."""
    table = tagged_table(context, "ListTagsOfResource", request["ResourceArn"])
    after = _key_of(request.get("NextToken"))
    tags = context.tables.read(lambda reader: read_tags(reader, table.descriptor.arn)).values
    keys = sorted(key for key in tags if key > after)
    page = keys[: limits.list_tags_max]
    answer: dict[str, Any] = {"Tags": [{"Key": key, "Value": tags[key]} for key in page]}
    return answer | ({"NextToken": _token_of(page[-1])} if len(keys) > len(page) else {})


def _token_of(key: str) -> str:
    """Return the token of the page that begins after `key`."""
    return b64encode(key.encode()).decode()


def _key_of(token: str | None) -> str:
    """Return the key that a page begins after; ValidationException for what is no token."""
    if token is None:
        return ""
    try:
        return b64decode(token.encode(), validate=True).decode()
    except ValueError:
        raise dynamodb.parameter_values_invalid(f"Invalid NextToken: {token}") from None
