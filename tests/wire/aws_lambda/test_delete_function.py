"""DeleteFunction: the function with all there is of it, or one version."""

from typing import Any

from wire.aws_lambda.code import parameters


def test_it_is_gone_with_versions_aliases_and_tags(
    functions: Any, new_function: Any, refused: Any
) -> None:
    name = new_function(Publish=True, Tags={"a": "b"})
    functions.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    answer = functions.delete_function(FunctionName=name)
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 204
    for more in ({}, {"Qualifier": "1"}, {"Qualifier": "live"}):
        refused("ResourceNotFoundException", functions.get_function, FunctionName=name, **more)
    functions.create_function(**parameters(name))
    assert "Tags" not in functions.get_function(FunctionName=name)
    assert functions.list_aliases(FunctionName=name)["Aliases"] == []
    assert len(functions.list_versions_by_function(FunctionName=name)["Versions"]) == 1


def test_one_version_can_go(functions: Any, new_function: Any, refused: Any) -> None:
    name = new_function(Publish=True)
    functions.delete_function(FunctionName=name, Qualifier="1")
    refused("ResourceNotFoundException", functions.get_function, FunctionName=name, Qualifier="1")
    assert functions.get_function(FunctionName=name)["Configuration"]["Version"] == "$LATEST"
    functions.update_function_configuration(FunctionName=name, Timeout=9)
    assert functions.publish_version(FunctionName=name)["Version"] == "2"


def test_a_version_that_an_alias_names_stays(
    functions: Any, new_function: Any, refused: Any
) -> None:
    name = new_function(Publish=True)
    functions.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    text = refused(
        "ResourceConflictException",
        functions.delete_function,
        FunctionName=name,
        Qualifier="1",
    )
    assert text == ("Unable to delete version because the following aliases reference it: [live]")


def test_latest_goes_with_the_function_only(
    functions: Any, new_function: Any, refused: Any
) -> None:
    name = new_function()
    for form in (
        {"FunctionName": name, "Qualifier": "$LATEST"},
        {"FunctionName": f"{name}:$LATEST"},
    ):
        text = refused("InvalidParameterValueException", functions.delete_function, **form)
        assert text == "$LATEST version cannot be deleted without deleting the function."


def test_a_function_that_is_not_there(functions: Any, function_name: str, refused: Any) -> None:
    refused("ResourceNotFoundException", functions.delete_function, FunctionName=function_name)
