"""TagResource: types of members, refusals with their texts, and what tags become."""

from collections.abc import Callable
from typing import Any

import pytest

from wire import wrong_json
from wire.refusal_texts import constraint

TAG = "TagResource"
INVALID = "One or more parameter values were invalid: "
ONE = [{"Key": "a", "Value": "1"}]
ACTIONS: dict[str, dict[str, Any]] = {
    "TagResource": {"Tags": ONE},
    "UntagResource": {"TagKeys": ["a"]},
    "ListTagsOfResource": {},
}


@pytest.fixture
def arn(ddb: Any, new_table: Callable[..., str]) -> str:
    """The ARN of a table without tags."""
    table: str = ddb.describe_table(TableName=new_table())["Table"]["TableArn"]
    return table


def tags(ddb: Any, arn: str) -> dict[str, str]:
    """Return the tags of a table."""
    listed = ddb.list_tags_of_resource(ResourceArn=arn)["Tags"]
    return {tag["Key"]: tag["Value"] for tag in listed}


# --- serialisation


def test_wrong_json_types(unreadable: Callable[..., str], arn: str) -> None:
    """A member of a wrong JSON type is a SerializationException, each with its text."""
    for member, wrong in (("ResourceArn", wrong_json.STRING), ("Tags", wrong_json.LIST)):
        for value, text in wrong:
            request = {"ResourceArn": arn, "Tags": ONE, member: value}
            assert unreadable(TAG, request) == text, value
    for value, text in wrong_json.structure("Tag"):
        assert unreadable(TAG, {"ResourceArn": arn, "Tags": [value]}) == text, value
    for inside in ("Key", "Value"):
        for value, text in wrong_json.STRING:
            assert unreadable(TAG, {"ResourceArn": arn, "Tags": [{inside: value}]}) == text, value


# --- validation


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"Tags": None}, constraint(None, "tags", "not be null")),
        ({"ResourceArn": None}, constraint(None, "resourceArn", "not be null")),
        (
            {"ResourceArn": ""},
            constraint("", "resourceArn", "have length greater than or equal to 1"),
        ),
        ({"Tags": [{"Key": "a"}]}, constraint(None, "tags.1.member.value", "not be null")),
        (
            {"Tags": [{"Key": "", "Value": ""}]},
            constraint("", "tags.1.member.key", "have length greater than or equal to 1"),
        ),
        (
            {"Tags": [{"Key": "k" * 129, "Value": ""}]},
            constraint("k" * 129, "tags.1.member.key", "have length less than or equal to 128"),
        ),
        (
            {"Tags": [{"Key": "k", "Value": "v" * 257}]},
            constraint("v" * 257, "tags.1.member.value", "have length less than or equal to 256"),
        ),
        ({"Tags": []}, f"{INVALID}List of Tags is empty"),
        (
            {"Tags": [{"Key": "AWS:x", "Value": ""}]},
            f"{INVALID}Tag keys beginning with aws: are reserved for AWS. Key: AWS:x",
        ),
        (
            {"Tags": [{"Key": "a!", "Value": ""}]},
            f"{INVALID}Tags hold letters, digits, spaces and _.:/=+-@ only. Key: a!",
        ),
        ({"Tags": ONE * 2}, f"{INVALID}Duplicate tag key: a"),
        (
            {"Tags": [{"Key": f"k{number}", "Value": ""} for number in range(51)]},
            f"{INVALID}A table has at most 50 tags",
        ),
    ],
)
def test_tags_that_are_none(
    invalid: Callable[..., str], ddb: Any, arn: str, given: dict[str, Any], text: str
) -> None:
    """Up to 50 tags, each with a key of its own, of some kinds of letters."""
    assert invalid(TAG, {"ResourceArn": arn, "Tags": ONE} | given) == text
    assert tags(ddb, arn) == {}


@pytest.mark.parametrize("action", list(ACTIONS))
def test_arns_of_no_table(
    rejected: Callable[..., tuple[str, str | None]], arn: str, action: str
) -> None:
    """What is wrong in an ARN decides on the error, the same for all three actions."""
    root, _, name = arn.rpartition("/")
    region, account = arn.split(":")[3:5]
    unknown = f"{root}/no-such-table"
    other_account = arn.replace(account, "999999999999")
    elsewhere = arn.replace(region, "sa-east-1")
    refusals = {
        name: (
            "ValidationException",
            f"{INVALID}Invalid TableArn: ARNs must start with 'arn:': {name}",
        ),
        f"arn:aws:s3:::{name}": ("AccessDeniedException", None),
        f"{arn}/index/idx": (
            "ValidationException",
            f"{INVALID}Invalid TableArn: not a DynamoDB resource arn: {arn}/index/idx",
        ),
        other_account: ("AccessDeniedException", None),
        other_account.replace(region, "sa-east-1"): ("AccessDeniedException", None),
        elsewhere: (
            "ValidationException",
            f"{INVALID}Invalid TableArn: Invalid ResourceArn provided as input {elsewhere}",
        ),
        unknown: (
            "ResourceNotFoundException",
            f"Requested resource not found: ResourcArn: {unknown} not found",
        ),
    }
    for given, (code, text) in refusals.items():
        found = rejected(f"DynamoDB_20120810.{action}", {"ResourceArn": given, **ACTIONS[action]})
        assert found[0] == code, given
        denied = (
            f"User: arn:aws:iam::{account}:root is not authorized to perform: dynamodb:{action} on"
            f" resource: {given}"
        )
        assert found[1] == (denied if text is None else text)


# --- behaviour


def test_tags_are_set_and_replaced(ddb: Any, arn: str) -> None:
    """A tag takes the place of the one with its key, which is case-sensitive; others stay."""
    ddb.tag_resource(ResourceArn=arn, Tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": ""}])
    ddb.tag_resource(
        ResourceArn=arn, Tags=[{"Key": "A", "Value": "2"}, {"Key": "b", "Value": "é 3"}]
    )
    assert tags(ddb, arn) == {"a": "1", "A": "2", "b": "é 3"}


def test_the_answer_has_no_body(raw: Callable[..., Any], arn: str) -> None:
    """Not even an empty object."""
    for action in ("TagResource", "UntagResource"):
        answer = raw(f"DynamoDB_20120810.{action}", {"ResourceArn": arn, **ACTIONS[action]})
        assert (answer.status, answer.body, answer.headers["x-amz-crc32"]) == (200, b"", "0")


def test_the_fifty_first_tag(ddb: Any, refused: Callable[..., str], arn: str) -> None:
    """Fifty tags fit, over several calls; one of the same key is none more."""
    for start in (0, 25):
        some = [{"Key": f"k{start + number}", "Value": ""} for number in range(25)]
        ddb.tag_resource(ResourceArn=arn, Tags=some)
    ddb.tag_resource(ResourceArn=arn, Tags=[{"Key": "k7", "Value": "7"}])
    assert refused("ValidationException", ddb.tag_resource, ResourceArn=arn, Tags=ONE) == (
        f"{INVALID}A table has at most 50 tags"
    )


def test_tags_of_a_new_table(ddb: Any, new_table: Callable[..., str]) -> None:
    """Tags may come with a table; its description does not show them."""
    table = new_table(Tags=[{"Key": "team", "Value": "x"}])
    shown = ddb.describe_table(TableName=table)["Table"]
    assert "Tags" not in shown
    assert tags(ddb, shown["TableArn"]) == {"team": "x"}


def test_tags_of_a_new_table_that_are_none(invalid: Callable[..., str], table_name: str) -> None:
    """They are judged as those of TagResource are."""
    request = {
        "TableName": table_name,
        "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
        "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
        "BillingMode": "PAY_PER_REQUEST",
        "Tags": ONE * 2,
    }
    assert invalid("CreateTable", request) == f"{INVALID}Duplicate tag key: a"


def test_tags_go_with_their_table(ddb: Any, table_name: str) -> None:
    """A new table of the name has none of them."""
    request = {
        "TableName": table_name,
        "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
        "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
        "BillingMode": "PAY_PER_REQUEST",
    }
    arn = ddb.create_table(**request, Tags=ONE)["TableDescription"]["TableArn"]
    for _ in range(2):
        ddb.get_waiter("table_exists").wait(TableName=table_name, WaiterConfig={"Delay": 1})
        ddb.delete_table(TableName=table_name)
        ddb.get_waiter("table_not_exists").wait(TableName=table_name, WaiterConfig={"Delay": 1})
        ddb.create_table(**request)
        assert tags(ddb, arn) == {}
    ddb.delete_table(TableName=table_name)
