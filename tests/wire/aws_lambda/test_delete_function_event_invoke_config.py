"""DeleteFunctionEventInvokeConfig: events are tried as those of any function."""

from typing import Any


def test_it_goes_once(functions: Any, new_function: Any, refused: Any) -> None:
    name = new_function()
    functions.put_function_event_invoke_config(FunctionName=name, MaximumRetryAttempts=0)
    answer = functions.delete_function_event_invoke_config(FunctionName=name)
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 204
    for action in ("get", "delete"):
        call = getattr(functions, f"{action}_function_event_invoke_config")
        refused("ResourceNotFoundException", call, FunctionName=name)
