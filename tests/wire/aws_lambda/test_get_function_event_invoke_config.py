"""GetFunctionEventInvokeConfig: each qualifier has its own."""

from typing import Any


def test_each_qualifier_has_its_own(functions: Any, new_function: Any) -> None:
    name = new_function(Publish=True)
    functions.put_function_event_invoke_config(FunctionName=name, MaximumRetryAttempts=0)
    functions.put_function_event_invoke_config(
        FunctionName=name, Qualifier="1", MaximumRetryAttempts=2
    )
    for qualifier, attempts in ((None, 0), ("$LATEST", 0), ("1", 2)):
        more = {} if qualifier is None else {"Qualifier": qualifier}
        shown = functions.get_function_event_invoke_config(FunctionName=name, **more)
        assert shown["MaximumRetryAttempts"] == attempts
        assert shown["LastModified"].year >= 2000


def test_what_is_not_there(functions: Any, new_function: Any, refused: Any) -> None:
    refused(
        "ResourceNotFoundException",
        functions.get_function_event_invoke_config,
        FunctionName=new_function(),
    )
