"""DeleteFunctionConcurrency: nothing is reserved any more."""

from typing import Any


def test_nothing_is_reserved_any_more(functions: Any, new_function: Any) -> None:
    name = new_function()
    functions.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=5)
    answer = functions.delete_function_concurrency(FunctionName=name)
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 204
    assert "Concurrency" not in functions.get_function(FunctionName=name)


def test_a_function_that_is_not_there(functions: Any, function_name: str, refused: Any) -> None:
    refused(
        "ResourceNotFoundException",
        functions.delete_function_concurrency,
        FunctionName=function_name,
    )
