"""GetFunctionConfiguration: the settings of a function, a version, an alias."""

from typing import Any


def test_a_version_keeps_its_settings(functions: Any, new_function: Any) -> None:
    name = new_function(Timeout=5, Publish=True)
    functions.update_function_configuration(FunctionName=name, Timeout=9)
    functions.create_alias(FunctionName=name, Name="live", FunctionVersion="1")

    def timeout(qualifier: str) -> tuple[int, str, str]:
        shown = functions.get_function_configuration(FunctionName=name, Qualifier=qualifier)
        return shown["Timeout"], shown["Version"], shown["FunctionArn"].rpartition(":")[2]

    assert timeout("$LATEST") == (9, "$LATEST", "$LATEST")
    assert timeout("1") == (5, "1", "1")
    assert timeout("live") == (5, "1", "live")


def test_what_is_not_there(functions: Any, new_function: Any, refused: Any) -> None:
    name = new_function()
    text = refused(
        "ResourceNotFoundException",
        functions.get_function_configuration,
        FunctionName=name,
        Qualifier="7",
    )
    assert text.endswith(f":function:{name}:7")
