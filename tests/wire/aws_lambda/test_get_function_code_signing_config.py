"""GetFunctionCodeSigningConfig: no function has any, and tools that ask are told so."""

from typing import Any


def test_no_function_has_any(functions: Any, new_function: Any) -> None:
    name = new_function()
    answer = functions.get_function_code_signing_config(FunctionName=name)
    assert (answer["FunctionName"], answer["CodeSigningConfigArn"]) == (name, "")


def test_a_function_that_is_not_there(functions: Any, function_name: str, refused: Any) -> None:
    refused(
        "ResourceNotFoundException",
        functions.get_function_code_signing_config,
        FunctionName=function_name,
    )
