"""DeleteAlias: an alias goes, its version stays."""

from typing import Any


def test_it_is_gone_and_its_version_stays(functions: Any, new_function: Any, refused: Any) -> None:
    name = new_function(Publish=True)
    functions.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    for _ in range(2):  # one that is not there is no error
        answer = functions.delete_alias(FunctionName=name, Name="live")
        assert answer["ResponseMetadata"]["HTTPStatusCode"] == 204
    refused("ResourceNotFoundException", functions.get_alias, FunctionName=name, Name="live")
    assert functions.get_function(FunctionName=name, Qualifier="1")
