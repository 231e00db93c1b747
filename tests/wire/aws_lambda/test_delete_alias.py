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


def test_what_was_set_for_it_goes_with_it(functions: Any, new_function: Any, refused: Any) -> None:
    name = new_function(Publish=True)
    live = {"FunctionName": name, "Qualifier": "live"}
    functions.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    functions.add_permission(**live, StatementId="s", Action="lambda:InvokeFunction", Principal="*")
    functions.put_function_event_invoke_config(**live, MaximumRetryAttempts=0)
    functions.put_function_event_invoke_config(FunctionName=name, MaximumRetryAttempts=1)
    functions.delete_alias(FunctionName=name, Name="live")
    functions.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    refused("ResourceNotFoundException", functions.get_policy, **live)
    refused("ResourceNotFoundException", functions.get_function_event_invoke_config, **live)
    kept = functions.get_function_event_invoke_config(FunctionName=name)
    assert kept["MaximumRetryAttempts"] == 1
