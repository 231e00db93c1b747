"""UpdateFunctionConfiguration: what is given changes, the rest stays."""

from typing import Any

import pytest


def test_what_is_given_changes(functions: Any, new_function: Any) -> None:
    name = new_function(Timeout=5, Description="old", Environment={"Variables": {"AB": "1"}})
    before = functions.get_function_configuration(FunctionName=name)
    answer = functions.update_function_configuration(
        FunctionName=name, Timeout=6, Handler="other.handler", Runtime="nodejs22.x"
    )
    assert (answer["Timeout"], answer["Handler"], answer["Runtime"]) == (
        6,
        "other.handler",
        "nodejs22.x",
    )
    assert answer["Description"] == "old"
    assert answer["Environment"] == {"Variables": {"AB": "1"}}
    assert answer["RevisionId"] != before["RevisionId"]
    assert answer["CodeSha256"] == before["CodeSha256"]


def test_an_environment_is_replaced_as_a_whole(functions: Any, new_function: Any) -> None:
    name = new_function(Environment={"Variables": {"AB": "1"}})
    answer = functions.update_function_configuration(
        FunctionName=name, Environment={"Variables": {"CD": "2"}}
    )
    assert answer["Environment"] == {"Variables": {"CD": "2"}}
    answer = functions.update_function_configuration(FunctionName=name, Environment={})
    assert "Environment" not in answer


def test_an_older_revision_is_refused(functions: Any, new_function: Any, refused: Any) -> None:
    refused(
        "PreconditionFailedException",
        functions.update_function_configuration,
        FunctionName=new_function(),
        Timeout=5,
        RevisionId="other",
    )


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"Timeout": 901}, "ValidationException"),
        ({"Runtime": "java21"}, "InvalidParameterValueException"),
        ({"Layers": ["arn"]}, "InvalidParameterValueException"),
        ({"Environment": {"Variables": {"AWS_REGION": "x"}}}, "InvalidParameterValueException"),
    ],
)
def test_what_is_refused_changes_nothing(
    functions: Any, new_function: Any, refused: Any, changed: dict[str, Any], code: str
) -> None:
    name = new_function()
    before = functions.get_function_configuration(FunctionName=name)["RevisionId"]
    refused(code, functions.update_function_configuration, FunctionName=name, **changed)
    assert functions.get_function_configuration(FunctionName=name)["RevisionId"] == before
