"""ListAliases: the aliases of a function, or of a version."""

from typing import Any


def test_aliases_are_listed_in_pages_and_by_version(functions: Any, new_function: Any) -> None:
    name = new_function(Publish=True)
    for alias, version in (("b", "1"), ("a", "$LATEST"), ("c", "1")):
        functions.create_alias(FunctionName=name, Name=alias, FunctionVersion=version)
    first = functions.list_aliases(FunctionName=name, MaxItems=2)
    assert [each["Name"] for each in first["Aliases"]] == ["a", "b"]
    rest = functions.list_aliases(FunctionName=name, Marker=first["NextMarker"])
    assert [each["Name"] for each in rest["Aliases"]] == ["c"]
    assert "NextMarker" not in rest
    of_one = functions.list_aliases(FunctionName=name, FunctionVersion="1")
    assert [each["Name"] for each in of_one["Aliases"]] == ["b", "c"]


def test_a_function_that_is_not_there(functions: Any, function_name: str, refused: Any) -> None:
    refused("ResourceNotFoundException", functions.list_aliases, FunctionName=function_name)
