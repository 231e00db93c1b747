"""AddPermission: a statement in a function's policy, as the policy shows it."""

import json
from typing import Any

import pytest


def test_the_statement_is_as_on_aws(functions: Any, new_function: Any) -> None:
    name = new_function()
    answer = functions.add_permission(
        FunctionName=name,
        StatementId="s3",
        Action="lambda:InvokeFunction",
        Principal="s3.amazonaws.com",
        SourceArn="arn:aws:s3:::bucket",
        SourceAccount="123456789012",
    )
    arn = f"arn:aws:lambda:us-east-1:000000000000:function:{name}"
    assert json.loads(answer["Statement"]) == {
        "Sid": "s3",
        "Effect": "Allow",
        "Principal": {"Service": "s3.amazonaws.com"},
        "Action": "lambda:InvokeFunction",
        "Resource": arn,
        "Condition": {
            "StringEquals": {"AWS:SourceAccount": "123456789012"},
            "ArnLike": {"AWS:SourceArn": "arn:aws:s3:::bucket"},
        },
    }


@pytest.mark.parametrize(
    ("principal", "shown"),
    [
        ("*", "*"),
        ("123456789012", {"AWS": "arn:aws:iam::123456789012:root"}),
        ("arn:aws:iam::123456789012:user/u", {"AWS": "arn:aws:iam::123456789012:user/u"}),
    ],
)
def test_principals(functions: Any, new_function: Any, principal: str, shown: Any) -> None:
    answer = functions.add_permission(
        FunctionName=new_function(),
        StatementId="s",
        Action="lambda:InvokeFunction",
        Principal=principal,
    )
    assert json.loads(answer["Statement"])["Principal"] == shown


def test_a_statement_is_there_once(functions: Any, new_function: Any, refused: Any) -> None:
    given = {
        "FunctionName": new_function(),
        "StatementId": "s",
        "Action": "lambda:InvokeFunction",
        "Principal": "*",
    }
    functions.add_permission(**given)
    text = refused("ResourceConflictException", functions.add_permission, **given)
    assert text.startswith("The statement id (s) provided already exists.")


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"FunctionName": "nothing-here"}, "ResourceNotFoundException"),
        ({"Qualifier": "7"}, "ResourceNotFoundException"),
        ({"StatementId": "no id"}, "ValidationException"),
        ({"Action": "s3:Get"}, "ValidationException"),
        ({"RevisionId": "other"}, "PreconditionFailedException"),
        ({"FunctionUrlAuthType": "NONE"}, "InvalidParameterValueException"),
        ({"Principal": "x" * 2049}, "ValidationException"),
    ],
)
def test_bad_parameters(
    functions: Any, new_function: Any, refused: Any, changed: dict[str, Any], code: str
) -> None:
    given = {
        "FunctionName": new_function(),
        "StatementId": "s",
        "Action": "lambda:InvokeFunction",
        "Principal": "*",
    }
    refused(code, functions.add_permission, **{**given, **changed})


def test_a_policy_has_a_length(functions: Any, new_function: Any, refused: Any) -> None:
    name = new_function()
    given = {"FunctionName": name, "Action": "lambda:InvokeFunction", "Principal": "x" * 2000}
    for number in range(9):
        functions.add_permission(StatementId=f"s{number}", **given)
    refused("PolicyLengthExceededException", functions.add_permission, StatementId="last", **given)
