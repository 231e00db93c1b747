"""The names of functions: how requests may write them, and the ARNs that they stand for."""

import re
from typing import NamedTuple

from penstock.base import limits

NAME_PATTERN = (
    r"(arn:(aws[a-zA-Z-]*)?:lambda:[a-z0-9-]+:\d{12}:function:|\d{12}:function:|\d{12}:|function:)?"
    r"([a-zA-Z0-9-_]+)(:(\$LATEST|[a-zA-Z0-9-_]+))?"
)
"""What a function may be called in a request. AWS's own regions only are AWS's pattern; here any
well-formed name of a region will do."""

_NAME = re.compile(
    r"(?:arn:(?:aws[a-zA-Z-]*)?:lambda:(?P<region>[a-z0-9-]+):(?P<owner>\d{12}):function:"
    r"|(?P<account>\d{12}):(?:function:)?|function:)?"
    r"(?P<name>[a-zA-Z0-9-_]+)(?::(?P<qualifier>\$LATEST|[a-zA-Z0-9-_]+))?",
    re.ASCII,
)


class FunctionName(NamedTuple):
    """What a request says of a function; None for what it leaves open."""

    region: str | None
    account: str | None
    name: str
    qualifier: str | None


def parse_function_name(text: str) -> FunctionName | None:
    """Return what a name, partial ARN or ARN says; None where it is none of them."""
    found = _NAME.fullmatch(text)
    if found is None or len(found["name"]) > limits.function_name_chars_max:
        return None
    account = found["owner"] or found["account"]
    return FunctionName(found["region"], account, found["name"], found["qualifier"])


def partition_of(region: str) -> str:
    """Return the partition of AWS that ARNs of a region name."""
    if region.startswith("cn-"):
        return "aws-cn"
    return "aws-us-gov" if region.startswith("us-gov-") else "aws"


def function_arn(region: str, account: str, name: str, qualifier: str | None = None) -> str:
    """Return the ARN of a function, or of one of its versions or aliases."""
    arn = f"arn:{partition_of(region)}:lambda:{region}:{account}:function:{name}"
    return arn if qualifier is None else f"{arn}:{qualifier}"
