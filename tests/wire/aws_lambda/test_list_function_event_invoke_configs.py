"""ListFunctionEventInvokeConfigs: those of a function and of its versions, in pages."""

from typing import Any


def test_they_are_listed_in_pages(functions: Any, new_function: Any) -> None:
    name = new_function(Publish=True)
    for qualifier in ("$LATEST", "1"):
        functions.put_function_event_invoke_config(
            FunctionName=name, Qualifier=qualifier, MaximumRetryAttempts=0
        )
    first = functions.list_function_event_invoke_configs(FunctionName=name, MaxItems=1)
    rest = functions.list_function_event_invoke_configs(
        FunctionName=name, Marker=first["NextMarker"]
    )
    listed = first["FunctionEventInvokeConfigs"] + rest["FunctionEventInvokeConfigs"]
    assert [each["FunctionArn"].rpartition(":")[2] for each in listed] == ["$LATEST", "1"]
    assert "NextMarker" not in rest


def test_a_function_that_is_not_there(functions: Any, function_name: str, refused: Any) -> None:
    refused(
        "ResourceNotFoundException",
        functions.list_function_event_invoke_configs,
        FunctionName=function_name,
    )
