"""DescribeTable: types of members, refusals with their texts, and what is shown of a table."""

from collections.abc import Callable
from typing import Any

import pytest

from wire import wrong_json

DESCRIBE = "DescribeTable"


def described(ddb: Any, table: str) -> dict[str, Any]:
    """Return a table's description."""
    description: dict[str, Any] = ddb.describe_table(TableName=table)["Table"]
    return description


def counts(ddb: Any, table: str) -> tuple[int, int]:
    """Return how many items and bytes a table is said to hold."""
    description = described(ddb, table)
    return description["ItemCount"], description["TableSizeBytes"]


# --- serialisation


def test_wrong_json_types(unreadable: Callable[..., str]) -> None:
    """The name is a text."""
    for value, text in wrong_json.STRING:
        assert unreadable(DESCRIBE, {"TableName": value}) == text, value


# --- validation


@pytest.mark.parametrize("body", [{}, {"TableName": None}, {"tableName": "abc"}])
def test_the_name_is_missed(invalid: Callable[..., str], body: dict[str, Any]) -> None:
    """There is no table without a name, and members are case-sensitive."""
    assert invalid(DESCRIBE, body) == (
        "The parameter 'TableName' is required but was not present in the request"
    )


@pytest.mark.parametrize("name", ["", "ab", "a;", "a" * 256])
def test_names_of_a_wrong_length(invalid: Callable[..., str], name: str) -> None:
    """The length is judged before the characters."""
    assert invalid(DESCRIBE, {"TableName": name}) == (
        "TableName must be at least 3 characters long and at most 255 characters long"
    )


@pytest.mark.parametrize("name", ["abc;", "a b c", "naïve", "arn:aws:dynamodb", "abc/stream"])
def test_names_of_wrong_characters(invalid: Callable[..., str], name: str) -> None:
    """Letters, digits, underscore, dot and dash make a name."""
    assert invalid(DESCRIBE, {"TableName": name}) == (
        f"1 validation error detected: Value '{name}' at 'tableName' failed to satisfy constraint:"
        " Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+"
    )


def test_an_unknown_table(refusal: Callable[..., tuple[str, str]], ddb: Any, plain: str) -> None:
    """The control plane names the table that it does not find, also one of an ARN."""
    arn = described(ddb, plain)["TableArn"]
    region, account = arn.split(":")[3:5]
    for given, name in (
        ("no-such-table", "no-such-table"),
        (plain.upper(), plain.upper()),
        (f"{arn}.more", f"{plain}.more"),
        (arn.replace(region, "sa-east-1"), plain),
        (arn.replace(account, "999999999999"), plain),
    ):
        assert refusal(DESCRIBE, {"TableName": given}) == (
            "ResourceNotFoundException",
            f"Requested resource not found: Table: {name} not found",
        )


# --- behaviour


def test_the_whole_description(ddb: Any, new_table: Callable[..., str]) -> None:
    """An active table shows its keys, its mode, its counts, and its warm throughput."""
    table = new_table("B", "N")
    description = described(ddb, table)
    assert description.pop("TableArn").endswith(f":table/{table}")
    assert description.pop("TableId")
    created = description.pop("CreationDateTime")
    assert description.pop("BillingModeSummary") == {
        "BillingMode": "PAY_PER_REQUEST",
        "LastUpdateToPayPerRequestDateTime": created,
    }
    assert description == {
        "TableName": table,
        "TableStatus": "ACTIVE",
        "KeySchema": [
            {"AttributeName": "pk", "KeyType": "HASH"},
            {"AttributeName": "sk", "KeyType": "RANGE"},
        ],
        "AttributeDefinitions": [
            {"AttributeName": "pk", "AttributeType": "B"},
            {"AttributeName": "sk", "AttributeType": "N"},
        ],
        "ProvisionedThroughput": {
            "NumberOfDecreasesToday": 0,
            "ReadCapacityUnits": 0,
            "WriteCapacityUnits": 0,
        },
        "WarmThroughput": {
            "ReadUnitsPerSecond": 12_000,
            "WriteUnitsPerSecond": 4_000,
            "Status": "ACTIVE",
        },
        "ItemCount": 0,
        "TableSizeBytes": 0,
        "DeletionProtectionEnabled": False,
    }


def test_a_provisioned_table(ddb: Any, new_table: Callable[..., str]) -> None:
    """Throughput is shown, and the billing mode is not."""
    units = {"ReadCapacityUnits": 7, "WriteCapacityUnits": 9}
    table = new_table(BillingMode="PROVISIONED", ProvisionedThroughput=units)
    description = described(ddb, table)
    assert description["ProvisionedThroughput"] == {"NumberOfDecreasesToday": 0, **units}
    assert description["WarmThroughput"]["ReadUnitsPerSecond"] == 7
    assert "BillingModeSummary" not in description


def test_counts_follow_every_write(ddb: Any, new_table: Callable[..., str]) -> None:
    """ItemCount and TableSizeBytes are exact at once: names and values of all items."""
    table = new_table()
    one, two = {"pk": {"S": "1"}}, {"pk": {"S": "2"}}
    assert counts(ddb, table) == (0, 0)
    ddb.put_item(TableName=table, Item={**one, "a": {"S": "x" * 10}})  # 3 + 11
    assert counts(ddb, table) == (1, 14)
    ddb.update_item(TableName=table, Key=two)  # 3
    assert counts(ddb, table) == (2, 17)
    ddb.put_item(TableName=table, Item={**one, "a": {"S": "x"}})  # 3 + 2
    assert counts(ddb, table) == (2, 8)
    ddb.put_item(TableName=table, Item={**one, "a": {"S": "x"}})
    ddb.delete_item(TableName=table, Key={"pk": {"S": "3"}})
    assert counts(ddb, table) == (2, 8)
    put = {"PutRequest": {"Item": {"pk": {"S": "4"}}}}
    ddb.batch_write_item(RequestItems={table: [put, {"DeleteRequest": {"Key": one}}]})
    assert counts(ddb, table) == (2, 6)
    ddb.delete_item(TableName=table, Key=two)
    ddb.delete_item(TableName=table, Key={"pk": {"S": "4"}})
    assert counts(ddb, table) == (0, 0)


def test_by_arn(ddb: Any, plain: str) -> None:
    """An ARN stands for the name; the answer shows the name."""
    description = described(ddb, plain)
    assert described(ddb, description["TableArn"]) == description
