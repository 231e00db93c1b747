"""UpdateFunctionEventInvokeConfig: what is given changes, the rest stays."""

from typing import Any


def test_the_rest_stays(functions: Any, new_function: Any) -> None:
    name = new_function()
    functions.put_function_event_invoke_config(
        FunctionName=name, MaximumRetryAttempts=1, MaximumEventAgeInSeconds=600
    )
    answer = functions.update_function_event_invoke_config(
        FunctionName=name, MaximumRetryAttempts=0
    )
    assert (answer["MaximumRetryAttempts"], answer["MaximumEventAgeInSeconds"]) == (0, 600)


def test_what_is_not_there(functions: Any, new_function: Any, refused: Any) -> None:
    text = refused(
        "ResourceNotFoundException",
        functions.update_function_event_invoke_config,
        FunctionName=new_function(),
        MaximumRetryAttempts=0,
    )
    assert text.endswith("doesn't have an EventInvokeConfig")
