"""Members that many actions of Lambda have: their shapes, and what of them this release lacks.

Shapes: botocore's model and AWS documentation, 2026-11. Where a member is kept without a meaning,
docs/functions.md says so; what would mean something that we do not do is refused by its name.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from penstock.base import limits
from penstock.base.errors import aws_lambda
from penstock.functions.names import NAME_PATTERN
from penstock.wire.shapes import Failures, Integer, ListOf, MapOf, Place, String

FUNCTION_NAME = String(1, limits.function_arn_chars_max, NAME_PATTERN)
NAMESPACED_NAME = String(1, limits.function_long_arn_chars_max, NAME_PATTERN)
QUALIFIER = String(1, limits.function_qualifier_chars_max, r"\$LATEST|[a-zA-Z0-9-_$]+")
VERSION = String(1, 1024, r"\$LATEST|[0-9]+")
ALIAS = String(1, limits.function_qualifier_chars_max, r"(?!^[0-9]+$)([a-zA-Z0-9-_]+)")
DESCRIPTION = String(0, limits.function_description_chars_max)
MARKER = String()
MAX_ITEMS = Integer(1, limits.function_list_items_max)
TAG_KEY = String(1, limits.tag_key_chars_max)
TAGS = MapOf(String(0, limits.tag_value_chars_max), "java.lang.String")
TAG_KEYS = ListOf(TAG_KEY)


class Anything:
    """What is not read, as it is refused or judged elsewhere."""

    def read(self, value: Any, path: Place, failures: Failures) -> Any:
        return value

    def text(self, value: Any) -> str:
        return str(value)


ANYTHING = Anything()

_HARMLESS: Mapping[str, Any] = {
    "VpcConfig": ({}, {"SubnetIds": [], "SecurityGroupIds": []}),
    "DeadLetterConfig": ({}, {"TargetArn": ""}),
    "KMSKeyArn": ("",),
    "SourceKMSKeyArn": ("",),
    "TracingConfig": ({}, {"Mode": "PassThrough"}),
    "Layers": ([],),
    "FileSystemConfigs": ([],),
    "ImageConfig": ({},),
    "SnapStart": ({}, {"ApplyOn": "None"}),
    "PackageType": ("Zip",),
    "RoutingConfig": ({}, {"AdditionalVersionWeights": {}}),
    "DestinationConfig": (
        {},
        {"OnSuccess": {}},
        {"OnFailure": {}},
        {"OnSuccess": {}, "OnFailure": {}},
    ),
    "S3ObjectStorageMode": ("COPY",),
}
"""Values that ask for nothing, of members that this release lacks otherwise."""


def lacking(*names: str) -> dict[str, Anything]:
    """Return the shapes of members that `refuse_lacking` judges."""
    return dict.fromkeys(names, ANYTHING)


def refuse_lacking(request: Mapping[str, Any], names: Iterable[str]) -> None:
    """Raise InvalidParameterValueException for a member that asks for what this release lacks."""
    for name in names:
        if name in request and request[name] not in _HARMLESS.get(name, ()):
            raise aws_lambda.not_yet(name)


def new_tags(given: Mapping[str, str]) -> dict[str, str]:
    """Return the tags that a request gives; the error for what cannot be one."""
    for key, value in given.items():
        if key.lower().startswith("aws:"):
            raise aws_lambda.invalid_parameter(
                f"Tag keys beginning with aws: are reserved for AWS. Key: {key}"
            )
        if not 1 <= len(key) <= limits.tag_key_chars_max:
            raise aws_lambda.invalid_parameter(
                f"A tag's key has 1 to {limits.tag_key_chars_max} characters. Key: {key}"
            )
        if not all(_is_allowed(letter) for letter in key + value):
            raise aws_lambda.invalid_parameter(
                f"Tags hold letters, digits, spaces and _.:/=+-@ only. Key: {key}"
            )
    check_tag_count(given)
    return dict(given)


def check_tag_count(tags: Mapping[str, str]) -> None:
    """Raise the error of a resource with too many tags."""
    if len(tags) > limits.tags_per_resource_max:
        raise aws_lambda.invalid_parameter(
            f"A resource has at most {limits.tags_per_resource_max} tags"
        )


def _is_allowed(letter: str) -> bool:
    return letter.isalnum() or letter.isspace() or letter in "_.:/=+-@"
