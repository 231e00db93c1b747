"""ListTagsOfResource: types of members, refusals with their texts, and what is listed."""

from collections.abc import Callable
from typing import Any

from wire import wrong_json
from wire.refusal_texts import constraint

LIST = "ListTagsOfResource"


def arn_of(ddb: Any, table: str) -> str:
    """Return the ARN of a table."""
    arn: str = ddb.describe_table(TableName=table)["Table"]["TableArn"]
    return arn


# --- serialisation


def test_wrong_json_types(unreadable: Callable[..., str]) -> None:
    """ARN and token are texts."""
    for member in ("ResourceArn", "NextToken"):
        for value, text in wrong_json.STRING:
            assert unreadable(LIST, {member: value}) == text, value


# --- validation


def test_the_arn_is_required(invalid: Callable[..., str]) -> None:
    """There are no tags without a resource."""
    assert invalid(LIST, {}) == constraint(None, "resourceArn", "not be null")


def test_a_token_that_is_none(invalid: Callable[..., str], ddb: Any, plain: str) -> None:
    """No answer gives a token, so there is none to be taken."""
    for token in ("x", "YQ=="):
        assert invalid(LIST, {"ResourceArn": arn_of(ddb, plain), "NextToken": token}) == (
            f"One or more parameter values were invalid: Invalid NextToken: {token}"
        )


# --- behaviour


def test_a_table_without_tags(ddb: Any, plain: str) -> None:
    """The list is there and empty."""
    answer = ddb.list_tags_of_resource(ResourceArn=arn_of(ddb, plain))
    assert answer["Tags"] == []
    assert "NextToken" not in answer


def test_all_tags_are_in_one_answer(ddb: Any, new_table: Callable[..., str]) -> None:
    """As many as a table can have, and no token."""
    given = {f"key-{number:02}": str(number) for number in range(50)}
    tags = [{"Key": key, "Value": value} for key, value in given.items()]
    answer = ddb.list_tags_of_resource(ResourceArn=arn_of(ddb, new_table(Tags=tags)))
    assert {tag["Key"]: tag["Value"] for tag in answer["Tags"]} == given
    assert "NextToken" not in answer
