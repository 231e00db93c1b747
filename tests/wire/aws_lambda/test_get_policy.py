"""GetPolicy: the policy of a function, and of each alias its own."""

import json
from typing import Any


def add(functions: Any, name: str, sid: str, **more: Any) -> None:
    functions.add_permission(
        FunctionName=name,
        StatementId=sid,
        Action="lambda:InvokeFunction",
        Principal="*",
        **more,
    )


def test_each_qualifier_has_its_own(functions: Any, new_function: Any) -> None:
    name = new_function(Publish=True)
    functions.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    add(functions, name, "one")
    add(functions, name, "two")
    add(functions, name, "three", Qualifier="live")
    answer = functions.get_policy(FunctionName=name)
    policy = json.loads(answer["Policy"])
    assert policy["Version"] == "2012-10-17"
    assert [each["Sid"] for each in policy["Statement"]] == ["one", "two"]
    assert len(answer["RevisionId"]) == 36
    of_alias = json.loads(functions.get_policy(FunctionName=name, Qualifier="live")["Policy"])
    assert [each["Sid"] for each in of_alias["Statement"]] == ["three"]
    assert of_alias["Statement"][0]["Resource"].endswith(f":{name}:live")


def test_without_a_policy_there_is_none(functions: Any, new_function: Any, refused: Any) -> None:
    text = refused("ResourceNotFoundException", functions.get_policy, FunctionName=new_function())
    assert text == "The resource you requested does not exist."
