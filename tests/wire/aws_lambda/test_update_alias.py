"""UpdateAlias: another version, another description."""

from typing import Any


def test_it_names_another_version(functions: Any, new_function: Any) -> None:
    name = new_function(Publish=True)
    functions.create_alias(
        FunctionName=name, Name="live", FunctionVersion="$LATEST", Description="kept"
    )
    answer = functions.update_alias(FunctionName=name, Name="live", FunctionVersion="1")
    assert (answer["FunctionVersion"], answer["Description"]) == ("1", "kept")
    answer = functions.update_alias(FunctionName=name, Name="live", Description="other")
    assert (answer["FunctionVersion"], answer["Description"]) == ("1", "other")


def test_an_older_revision_is_refused(functions: Any, new_function: Any, refused: Any) -> None:
    name = new_function()
    made = functions.create_alias(FunctionName=name, Name="live", FunctionVersion="$LATEST")
    given = {"FunctionName": name, "Name": "live", "RevisionId": made["RevisionId"]}
    functions.update_alias(**given, Description="other")
    refused("PreconditionFailedException", functions.update_alias, **given, Description="third")


def test_what_is_not_there(functions: Any, new_function: Any, refused: Any) -> None:
    name = new_function()
    text = refused(
        "ResourceNotFoundException", functions.update_alias, FunctionName=name, Name="live"
    )
    assert text.startswith("Cannot find alias arn: arn:aws:lambda:")
    functions.create_alias(FunctionName=name, Name="live", FunctionVersion="$LATEST")
    refused(
        "ResourceNotFoundException",
        functions.update_alias,
        FunctionName=name,
        Name="live",
        FunctionVersion="7",
    )
