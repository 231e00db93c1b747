"""GetFunctionConcurrency: nothing where none is reserved."""

from typing import Any


def test_nothing_is_reserved_at_first(functions: Any, new_function: Any) -> None:
    answer = functions.get_function_concurrency(FunctionName=new_function())
    assert "ReservedConcurrentExecutions" not in answer


def test_a_function_that_is_not_there(functions: Any, function_name: str, refused: Any) -> None:
    refused(
        "ResourceNotFoundException",
        functions.get_function_concurrency,
        FunctionName=function_name,
    )
