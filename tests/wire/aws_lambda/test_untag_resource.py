"""UntagResource, on functions: tags go by key."""

from typing import Any


def test_tags_go_by_key(functions: Any, new_function: Any) -> None:
    name = new_function(Tags={"a": "1", "b": "2", "c": "3"})
    arn = functions.get_function_configuration(FunctionName=name)["FunctionArn"]
    answer = functions.untag_resource(Resource=arn, TagKeys=["a", "c", "none"])
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 204
    assert functions.list_tags(Resource=arn)["Tags"] == {"b": "2"}


def test_keys_are_required(functions: Any, new_function: Any, refused: Any) -> None:
    name = new_function()
    arn = functions.get_function_configuration(FunctionName=name)["FunctionArn"]
    refused("ValidationException", functions.untag_resource, Resource=arn, TagKeys=[])
