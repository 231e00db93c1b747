"""PutFunctionEventInvokeConfig: how often and how long events are tried."""

from typing import Any

import pytest


def test_it_replaces_what_there_was(functions: Any, new_function: Any) -> None:
    name = new_function()
    answer = functions.put_function_event_invoke_config(
        FunctionName=name, MaximumRetryAttempts=1, MaximumEventAgeInSeconds=600
    )
    assert answer["FunctionArn"].endswith(f":function:{name}:$LATEST")
    assert (answer["MaximumRetryAttempts"], answer["MaximumEventAgeInSeconds"]) == (1, 600)
    assert answer["DestinationConfig"] == {"OnSuccess": {}, "OnFailure": {}}
    answer = functions.put_function_event_invoke_config(FunctionName=name, MaximumRetryAttempts=0)
    assert answer["MaximumRetryAttempts"] == 0
    assert "MaximumEventAgeInSeconds" not in answer


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"MaximumRetryAttempts": 3}, "ValidationException"),
        ({"MaximumEventAgeInSeconds": 59}, "ValidationException"),
        ({"MaximumEventAgeInSeconds": 21_601}, "ValidationException"),
        ({"Qualifier": "7"}, "ResourceNotFoundException"),
        (
            {"DestinationConfig": {"OnFailure": {"Destination": "arn:aws:sqs:x:0:q"}}},
            "InvalidParameterValueException",
        ),
    ],
)
def test_bad_parameters(
    functions: Any, new_function: Any, refused: Any, changed: dict[str, Any], code: str
) -> None:
    refused(
        code, functions.put_function_event_invoke_config, FunctionName=new_function(), **changed
    )
