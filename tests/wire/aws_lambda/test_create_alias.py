"""CreateAlias: a name for a version."""

from typing import Any

import pytest


def test_the_answer_shows_it(functions: Any, new_function: Any) -> None:
    name = new_function(Publish=True)
    answer = functions.create_alias(
        FunctionName=name, Name="live", FunctionVersion="1", Description="what runs"
    )
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 201
    assert answer["AliasArn"].endswith(f":function:{name}:live")
    assert (answer["Name"], answer["FunctionVersion"]) == ("live", "1")
    assert answer["Description"] == "what runs"
    assert len(answer["RevisionId"]) == 36


def test_an_alias_may_name_latest(functions: Any, new_function: Any) -> None:
    name = new_function()
    functions.create_alias(FunctionName=name, Name="dev", FunctionVersion="$LATEST")
    assert functions.get_function(FunctionName=f"{name}:dev")["Configuration"]["Version"] == (
        "$LATEST"
    )


def test_a_name_is_taken_once(functions: Any, new_function: Any, refused: Any) -> None:
    given = {"FunctionName": new_function(), "Name": "live", "FunctionVersion": "$LATEST"}
    functions.create_alias(**given)
    text = refused("ResourceConflictException", functions.create_alias, **given)
    assert text.startswith("Alias already exists: arn:aws:lambda:")


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"FunctionVersion": "7"}, "ResourceNotFoundException"),
        ({"FunctionName": "nothing-here"}, "ResourceNotFoundException"),
        ({"Name": "12"}, "ValidationException"),
        ({"Name": "no name"}, "ValidationException"),
        ({"FunctionVersion": "live"}, "ValidationException"),
        (
            {"RoutingConfig": {"AdditionalVersionWeights": {"1": 0.5}}},
            "InvalidParameterValueException",
        ),
    ],
)
def test_bad_parameters(
    functions: Any, new_function: Any, refused: Any, changed: dict[str, Any], code: str
) -> None:
    given = {"FunctionName": new_function(), "Name": "live", "FunctionVersion": "$LATEST"}
    refused(code, functions.create_alias, **{**given, **changed})
