"""ListTags, of functions."""

from typing import Any


def test_a_function_without_tags_has_none(functions: Any, new_function: Any) -> None:
    arn = functions.get_function_configuration(FunctionName=new_function())["FunctionArn"]
    assert functions.list_tags(Resource=arn)["Tags"] == {}


def test_a_function_that_is_not_there(functions: Any, refused: Any) -> None:
    arn = "arn:aws:lambda:us-east-1:000000000000:function:none"
    refused("ResourceNotFoundException", functions.list_tags, Resource=arn)
