"""DeleteTable: types of members, refusals with their texts, and what goes and what stays."""

from collections.abc import Callable
from typing import Any

import pytest

from wire import wrong_json

DELETE = "DeleteTable"
KEYS: dict[str, Any] = {
    "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
    "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
    "BillingMode": "PAY_PER_REQUEST",
}


def make(ddb: Any, name: str, **more: Any) -> dict[str, Any]:
    """Create a table, wait for it, and return its description."""
    ddb.create_table(TableName=name, **KEYS, **more)
    ddb.get_waiter("table_exists").wait(TableName=name, WaiterConfig={"Delay": 1})
    description: dict[str, Any] = ddb.describe_table(TableName=name)["Table"]
    return description


def wait_until_gone(ddb: Any, name: str) -> None:
    """Wait until a deleted table is no longer there."""
    ddb.get_waiter("table_not_exists").wait(TableName=name, WaiterConfig={"Delay": 1})


# --- serialisation


def test_wrong_json_types(unreadable: Callable[..., str]) -> None:
    """The name is a text."""
    for value, text in wrong_json.STRING:
        assert unreadable(DELETE, {"TableName": value}) == text, value


# --- validation


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({}, "The parameter 'TableName' is required but was not present in the request"),
        (
            {"TableName": "a;"},
            "TableName must be at least 3 characters long and at most 255 characters long",
        ),
        (
            {"TableName": "abc;"},
            (
                "1 validation error detected: Value 'abc;' at 'tableName' failed to satisfy"
                " constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+"
            ),
        ),
    ],
)
def test_names_that_are_none(invalid: Callable[..., str], body: dict[str, Any], text: str) -> None:
    """A name is there, has 3 to 255 characters, and only such that names have."""
    assert invalid(DELETE, body) == text


def test_an_unknown_table(refusal: Callable[..., tuple[str, str]]) -> None:
    """The control plane names the table that it does not find."""
    assert refusal(DELETE, {"TableName": "no-such-table"}) == (
        "ResourceNotFoundException",
        "Requested resource not found: Table: no-such-table not found",
    )


def test_a_protected_table_stays(refused: Callable[..., str], ddb: Any, table_name: str) -> None:
    """A protected table goes only after its protection."""
    make(ddb, table_name, DeletionProtectionEnabled=True)
    ddb.put_item(TableName=table_name, Item={"pk": {"S": "a"}})
    assert refused("ValidationException", ddb.delete_table, TableName=table_name) == (
        "Resource cannot be deleted as it is currently protected against deletion. Disable deletion"
        " protection first."
    )
    assert ddb.scan(TableName=table_name)["Count"] == 1
    ddb.update_table(TableName=table_name, DeletionProtectionEnabled=False)
    ddb.delete_table(TableName=table_name)


# --- behaviour


def test_a_table_goes_with_its_items(
    refused: Callable[..., str], ddb: Any, table_name: str
) -> None:
    """The answer says DELETING; then neither plane knows the table, and the list does not."""
    before = make(ddb, table_name)
    ddb.put_item(TableName=table_name, Item={"pk": {"S": "a"}})
    answer = ddb.delete_table(TableName=table_name)["TableDescription"]
    assert (answer["TableStatus"], answer["TableId"]) == ("DELETING", before["TableId"])
    assert (answer["TableArn"], answer["ItemCount"]) == (before["TableArn"], 1)
    wait_until_gone(ddb, table_name)
    not_found = "Requested resource not found"
    for call in (ddb.describe_table, ddb.delete_table):
        assert refused("ResourceNotFoundException", call, TableName=table_name) == (
            f"{not_found}: Table: {table_name} not found"
        )
    item = {"pk": {"S": "a"}}
    for call, member in ((ddb.put_item, "Item"), (ddb.get_item, "Key")):
        request = {"TableName": table_name, member: item}
        assert refused("ResourceNotFoundException", call, **request) == not_found
    assert table_name not in ddb.list_tables(ExclusiveStartTableName=table_name[:-1])["TableNames"]


def test_a_new_table_of_the_name_is_empty(ddb: Any, table_name: str) -> None:
    """Nothing of the old table's items, counts or protection is in the new one."""
    first = make(ddb, table_name)
    for n in range(20):
        ddb.put_item(TableName=table_name, Item={"pk": {"S": str(n)}, "a": {"S": "x"}})
    ddb.delete_table(TableName=table_name)
    wait_until_gone(ddb, table_name)
    second = make(ddb, table_name)
    assert second["TableId"] != first["TableId"]
    assert (second["ItemCount"], second["TableSizeBytes"]) == (0, 0)
    assert ddb.scan(TableName=table_name)["Count"] == 0
    ddb.delete_table(TableName=table_name)


def test_a_table_goes_by_its_arn(ddb: Any, table_name: str) -> None:
    """An ARN stands for the name."""
    arn = make(ddb, table_name)["TableArn"]
    assert ddb.delete_table(TableName=arn)["TableDescription"]["TableName"] == table_name
    wait_until_gone(ddb, table_name)


def test_the_stream_stays_readable(ddb: Any, streams: Any, table_name: str) -> None:
    """The records of a deleted table can be read, also when its name is in use again."""
    on = {"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"}
    arn = make(ddb, table_name, StreamSpecification=on)["LatestStreamArn"]
    ddb.put_item(TableName=table_name, Item={"pk": {"S": "a"}})
    answer = ddb.delete_table(TableName=table_name)["TableDescription"]
    assert answer["LatestStreamArn"] == arn
    wait_until_gone(ddb, table_name)
    assert "LatestStreamArn" not in make(ddb, table_name)
    description = streams.describe_stream(StreamArn=arn)["StreamDescription"]
    assert description["StreamStatus"] == "DISABLED"
    assert all("EndingSequenceNumber" in s["SequenceNumberRange"] for s in description["Shards"])
    names = []
    for shard in description["Shards"]:
        iterator = streams.get_shard_iterator(
            StreamArn=arn, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
        )["ShardIterator"]
        names += [r["eventName"] for r in streams.get_records(ShardIterator=iterator)["Records"]]
    assert names == ["INSERT"], "the deletion of a table is no change of its items"
    listed = streams.list_streams(TableName=table_name)["Streams"]
    assert [stream["StreamArn"] for stream in listed] == [arn]
    ddb.delete_table(TableName=table_name)
