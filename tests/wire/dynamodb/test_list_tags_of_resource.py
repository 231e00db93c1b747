"""ListTagsOfResource: types of members, refusals with their texts, and the pages."""

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
    """Only what an answer gave is a token."""
    for token in ("x", "é", "!!!"):
        assert invalid(LIST, {"ResourceArn": arn_of(ddb, plain), "NextToken": token}) == (
            f"One or more parameter values were invalid: Invalid NextToken: {token}"
        )


# --- behaviour


def test_a_table_without_tags(ddb: Any, plain: str) -> None:
    """The list is there and empty."""
    answer = ddb.list_tags_of_resource(ResourceArn=arn_of(ddb, plain))
    assert answer["Tags"] == []
    assert "NextToken" not in answer


def test_pages(ddb: Any, new_table: Callable[..., str]) -> None:
    """Ten tags make a page; the token leads to the next, and the last page has none."""
    given = {f"key-{number:02}": str(number) for number in range(20)}
    tags = [{"Key": key, "Value": value} for key, value in given.items()]
    arn = arn_of(ddb, new_table(Tags=tags))
    pages = list(ddb.get_paginator("list_tags_of_resource").paginate(ResourceArn=arn))
    assert [len(page["Tags"]) for page in pages] == [10, 10]
    assert {tag["Key"]: tag["Value"] for page in pages for tag in page["Tags"]} == given
