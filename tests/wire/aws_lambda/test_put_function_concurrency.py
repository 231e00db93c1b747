"""PutFunctionConcurrency: what is reserved, and that enough is left for others."""

from typing import Any


def test_it_is_set_and_set_again(functions: Any, new_function: Any) -> None:
    name = new_function()
    for reserved in (5, 0):
        answer = functions.put_function_concurrency(
            FunctionName=name, ReservedConcurrentExecutions=reserved
        )
        assert answer["ReservedConcurrentExecutions"] == reserved
        shown = functions.get_function_concurrency(FunctionName=name)
        assert shown["ReservedConcurrentExecutions"] == reserved


def test_some_concurrency_stays_unreserved(functions: Any, new_function: Any, refused: Any) -> None:
    name = new_function()
    text = refused(
        "InvalidParameterValueException",
        functions.put_function_concurrency,
        FunctionName=name,
        ReservedConcurrentExecutions=901,
    )
    assert text == (
        "Specified ReservedConcurrentExecutions for function decreases account's"
        " UnreservedConcurrentExecution below its minimum value of [100]."
    )
    refused(
        "ValidationException",
        functions.put_function_concurrency,
        FunctionName=name,
        ReservedConcurrentExecutions=-1,
    )


def test_a_function_that_is_not_there(functions: Any, function_name: str, refused: Any) -> None:
    refused(
        "ResourceNotFoundException",
        functions.put_function_concurrency,
        FunctionName=function_name,
        ReservedConcurrentExecutions=1,
    )
