"""UntagResource: types of members, refusals with their texts, and what tags are left."""

from collections.abc import Callable
from typing import Any

import pytest

from wire import wrong_json
from wire.refusal_texts import constraint

UNTAG = "UntagResource"


@pytest.fixture
def arn(ddb: Any, new_table: Callable[..., str]) -> str:
    """The ARN of a table with the tags a and b."""
    tags = [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}]
    table: str = ddb.describe_table(TableName=new_table(Tags=tags))["Table"]["TableArn"]
    return table


# --- serialisation


def test_wrong_json_types(unreadable: Callable[..., str], arn: str) -> None:
    """A member of a wrong JSON type is a SerializationException, each with its text."""
    for member, wrong in (("ResourceArn", wrong_json.STRING), ("TagKeys", wrong_json.LIST)):
        for value, text in wrong:
            request = {"ResourceArn": arn, "TagKeys": ["a"], member: value}
            assert unreadable(UNTAG, request) == text, value
    for value, text in wrong_json.STRING:
        assert unreadable(UNTAG, {"ResourceArn": arn, "TagKeys": [value]}) == text, value


# --- validation


@pytest.mark.parametrize(
    ("keys", "text"),
    [
        (None, constraint(None, "tagKeys", "not be null")),
        ([""], constraint("", "tagKeys.1.member", "have length greater than or equal to 1")),
        (
            ["k" * 129],
            constraint("k" * 129, "tagKeys.1.member", "have length less than or equal to 128"),
        ),
        ([], "One or more parameter values were invalid: List of TagKeys is empty"),
    ],
)
def test_keys_that_are_none(
    invalid: Callable[..., str], arn: str, keys: list[str] | None, text: str
) -> None:
    """A key has from 1 to 128 characters, and there is one at least."""
    assert invalid(UNTAG, {"ResourceArn": arn, "TagKeys": keys}) == text


# --- behaviour


@pytest.mark.parametrize(
    ("keys", "left"),
    [(["a"], {"b": "2"}), (["a", "a", "b", "c"], {}), (["A"], {"a": "1", "b": "2"})],
)
def test_tags_that_are_left(ddb: Any, arn: str, keys: list[str], left: dict[str, str]) -> None:
    """What is named goes, what is not there does not matter, and case does."""
    ddb.untag_resource(ResourceArn=arn, TagKeys=keys)
    listed = ddb.list_tags_of_resource(ResourceArn=arn)["Tags"]
    assert {tag["Key"]: tag["Value"] for tag in listed} == left
