"""TagResource, on functions: tags are set by key."""

import uuid
from typing import Any

import pytest


def arn_of(functions: Any, name: str) -> str:
    arn: str = functions.get_function_configuration(FunctionName=name)["FunctionArn"]
    return arn


def test_tags_are_set_by_key(functions: Any, new_function: Any) -> None:
    arn = arn_of(functions, new_function(Tags={"a": "1"}))
    answer = functions.tag_resource(Resource=arn, Tags={"a": "2", "b c": "é"})
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 204
    assert functions.list_tags(Resource=arn)["Tags"] == {"a": "2", "b c": "é"}


@pytest.mark.parametrize(
    ("tags", "code"),
    [
        ({"aws:x": "1"}, "InvalidParameterValueException"),
        ({"": "1"}, "InvalidParameterValueException"),
        ({"k" * 129: "1"}, "InvalidParameterValueException"),
        ({"k": "v" * 257}, "ValidationException"),
        ({"k": "<"}, "InvalidParameterValueException"),
        ({f"k{n}": "" for n in range(51)}, "InvalidParameterValueException"),
    ],
)
def test_bad_tags(
    functions: Any, new_function: Any, refused: Any, tags: dict[str, str], code: str
) -> None:
    arn = arn_of(functions, new_function())
    refused(code, functions.tag_resource, Resource=arn, Tags=tags)


@pytest.mark.parametrize(
    ("arn", "code"),
    [
        ("no arn", "InvalidParameterValueException"),
        ("arn:aws:lambda:us-east-1:000000000000:function:none", "ResourceNotFoundException"),
        ("arn:aws:lambda:eu-west-1:000000000000:function:none", "ResourceNotFoundException"),
        ("arn:aws:lambda:us-east-1:111111111111:function:none", "ResourceNotFoundException"),
        ("arn:aws:lambda:us-east-1:000000000000:function:f:1", "InvalidParameterValueException"),
        ("arn:aws:lambda:us-east-1:000000000000:layer:l", "InvalidParameterValueException"),
        (
            f"arn:aws:lambda:us-east-1:000000000000:event-source-mapping:{uuid.UUID(int=0)}",
            "ResourceNotFoundException",
        ),
    ],
)
def test_what_has_no_tags(functions: Any, refused: Any, arn: str, code: str) -> None:
    refused(code, functions.tag_resource, Resource=arn, Tags={"a": "b"})
