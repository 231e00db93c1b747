"""RemovePermission: a statement goes, the others stay."""

from typing import Any


def test_a_statement_goes(functions: Any, new_function: Any, refused: Any) -> None:
    name = new_function()
    given = {"FunctionName": name, "Action": "lambda:InvokeFunction", "Principal": "*"}
    for sid in ("one", "two"):
        functions.add_permission(StatementId=sid, **given)
    revision = functions.get_policy(FunctionName=name)["RevisionId"]
    answer = functions.remove_permission(FunctionName=name, StatementId="one", RevisionId=revision)
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 204
    assert '"one"' not in functions.get_policy(FunctionName=name)["Policy"]
    refused(
        "PreconditionFailedException",
        functions.remove_permission,
        FunctionName=name,
        StatementId="two",
        RevisionId=revision,
    )
    text = refused(
        "ResourceNotFoundException",
        functions.remove_permission,
        FunctionName=name,
        StatementId="one",
    )
    assert text == "Statement one is not found in resource policy."
