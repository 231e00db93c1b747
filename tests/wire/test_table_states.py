"""Tables and indexes while they are made, changed and removed, with a clock that the test moves.

The server is one of this process, so these tests do not run against another URL.
"""

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from penstock.testing.clock import FakeClock
from penstock.testing.server import RunningServer
from wire.clients import connect
from wire.dynamodb.tables_with_indexes import (
    UNITS,
    create,
    definitions,
    described,
    index,
    index_of,
    provisioned,
)

DELAY_MS = 1000
DAY_MS = 24 * 3600 * 1000
NOON_MS = 20_000 * DAY_MS + DAY_MS // 2
IN_USE = "Attempt to change a resource which is still in use: "
KEY = {"pk": {"S": "1"}, "sk": {"S": "1"}}
ITEM = {**KEY, "a": {"S": "x"}, "b": {"N": "1"}}
STREAM_ON = {"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"}
PLAIN = definitions(pk="S", sk="S")
NEW_INDEX = {
    "AttributeDefinitions": definitions(a="S", b="N"),
    "GlobalSecondaryIndexUpdates": [{"Create": index()}],
}
_SECONDS_MAX = 30.0

Refused = Callable[..., str]


@pytest.fixture(scope="module")
def clock() -> FakeClock:
    """The clock of the server: noon of a day."""
    return FakeClock(NOON_MS)


@pytest.fixture(scope="module")
def url(clock: FakeClock) -> Iterator[str]:
    """A server whose tables take a second for every change."""
    with RunningServer(clock=clock, table_delay_ms=DELAY_MS) as server:
        yield server.url


@pytest.fixture(scope="module")
def slow(url: str) -> Any:
    """A client of DynamoDB on that server."""
    return connect(url, "dynamodb")


@pytest.fixture
def table(slow: Any, clock: FakeClock, table_name: str) -> str:
    """An ACTIVE table with the global index `idx`."""
    slow.create_table(**create(table_name, GlobalSecondaryIndexes=[index()]))
    clock.advance(DELAY_MS)
    return table_name


def listed(ddb: Any, table: str) -> bool:
    """Say whether ListTables names the table."""
    return table in ddb.list_tables(ExclusiveStartTableName=table[:-1])["TableNames"]


def check_no_items(ddb: Any, table: str, refused: Refused) -> None:
    """Check that no action on items finds the table."""
    by_key: dict[str, Any] = {"TableName": table, "Key": KEY}
    calls: list[tuple[Any, dict[str, Any]]] = [
        (ddb.put_item, {"TableName": table, "Item": ITEM}),
        (ddb.get_item, by_key),
        (ddb.update_item, by_key),
        (ddb.delete_item, by_key),
        (ddb.scan, {"TableName": table}),
        (ddb.batch_get_item, {"RequestItems": {table: {"Keys": [KEY]}}}),
        (ddb.batch_write_item, {"RequestItems": {table: [{"PutRequest": {"Item": ITEM}}]}}),
        (
            ddb.query,
            {
                "TableName": table,
                "KeyConditionExpression": "pk = :p",
                "ExpressionAttributeValues": {":p": {"S": "1"}},
            },
        ),
    ]
    for call, request in calls:
        assert refused("ResourceNotFoundException", call, **request) == (
            "Requested resource not found"
        )


def check_in_use(ddb: Any, request: dict[str, Any], refused: Refused, what: str) -> None:
    """Check that the table of `request` can be neither made, changed nor removed."""
    name = request["TableName"]
    update: dict[str, Any] = {"TableName": name, "StreamSpecification": STREAM_ON}
    for call, given in (
        (ddb.create_table, request),
        (ddb.update_table, update),
        (ddb.update_table, {"TableName": name, "DeletionProtectionEnabled": True}),
        (ddb.delete_table, {"TableName": name}),
    ):
        assert refused("ResourceInUseException", call, **given) == IN_USE + what


def test_a_table_that_is_being_made(
    slow: Any, clock: FakeClock, table_name: str, refused: Refused
) -> None:
    """It is there for those who ask for it, and of no use until its time is over."""
    request = create(table_name, GlobalSecondaryIndexes=[index()])
    slow.create_table(**request)
    clock.advance(DELAY_MS - 1)
    shown = described(slow, table_name)
    assert (shown["TableStatus"], index_of(shown)["IndexStatus"]) == ("CREATING", "CREATING")
    assert "WarmThroughput" not in shown
    assert listed(slow, table_name)
    check_no_items(slow, table_name, refused)
    check_in_use(slow, request, refused, f"Table is being created: {table_name}")
    clock.advance(1)
    shown = described(slow, table_name)
    assert (shown["TableStatus"], index_of(shown)["IndexStatus"]) == ("ACTIVE", "ACTIVE")
    slow.put_item(TableName=table_name, Item=ITEM)
    assert refused("ResourceInUseException", slow.create_table, **request) == (
        f"Table already exists: {table_name}"
    )


def check_key_is_not_told(description: dict[str, Any]) -> None:
    """Check that the description is that of a table that is being deleted."""
    made_of = {"AttributeDefinitions", "KeySchema", "CreationDateTime", "GlobalSecondaryIndexes"}
    assert not made_of & description.keys()
    told = {"TableName", "TableArn", "ProvisionedThroughput", "TableSizeBytes"}
    assert told <= description.keys()


def stream_state(url: str, arn: str) -> str:
    """Return the state of a stream."""
    streams = connect(url, "dynamodbstreams")
    status: str = streams.describe_stream(StreamArn=arn)["StreamDescription"]["StreamStatus"]
    return status


def test_a_table_that_is_being_removed(
    slow: Any, url: str, clock: FakeClock, table: str, refused: Refused
) -> None:
    """Its items and its tags are gone and its stream is closed; its name is free a little later."""
    slow.update_table(TableName=table, StreamSpecification=STREAM_ON)
    clock.advance(DELAY_MS)
    before = described(slow, table)
    slow.tag_resource(ResourceArn=before["TableArn"], Tags=[{"Key": "a", "Value": ""}])
    slow.put_item(TableName=table, Item=ITEM)
    answer = slow.delete_table(TableName=table)["TableDescription"]
    assert (answer["TableStatus"], answer["ItemCount"]) == ("DELETING", 1)
    check_key_is_not_told(answer)
    clock.advance(DELAY_MS - 1)
    shown = described(slow, table)
    check_key_is_not_told(shown)
    assert (shown["TableStatus"], shown["ItemCount"]) == ("DELETING", 0)
    assert shown["TableId"] == before["TableId"]
    assert listed(slow, table)
    assert stream_state(url, before["LatestStreamArn"]) == "DISABLING"
    check_no_items(slow, table, refused)
    request = create(table, AttributeDefinitions=PLAIN)
    check_in_use(slow, request, refused, f"Table is being deleted: {table}")
    arn = {"ResourceArn": before["TableArn"]}
    assert refused("ResourceNotFoundException", slow.list_tags_of_resource, **arn)
    clock.advance(1)
    assert stream_state(url, before["LatestStreamArn"]) == "DISABLED"
    assert not listed(slow, table)
    assert refused("ResourceNotFoundException", slow.describe_table, TableName=table) == (
        f"Requested resource not found: Table: {table} not found"
    )
    check_no_items(slow, table, refused)
    assert slow.create_table(**request)["TableDescription"]["TableId"] != before["TableId"]
    assert slow.list_tags_of_resource(**arn)["Tags"] == []


def test_names_that_are_gone_are_left_out_of_pages(
    slow: Any, clock: FakeClock, table_name: str
) -> None:
    """A page of names is full, whatever was removed between them."""
    names = [f"{table_name}.{number}" for number in range(6)]
    for name in names:
        slow.create_table(**create(name, AttributeDefinitions=PLAIN))
    clock.advance(DELAY_MS)
    for name in names[:4]:
        slow.delete_table(TableName=name)
    clock.advance(DELAY_MS)
    page = slow.list_tables(ExclusiveStartTableName=table_name, Limit=1)
    assert page["TableNames"] == [names[4]]
    assert page["LastEvaluatedTableName"] == names[4]


def test_a_table_that_is_being_changed(
    slow: Any, clock: FakeClock, table: str, refused: Refused
) -> None:
    """Its items are there as ever; nothing else of it changes but its protection."""
    slow.update_table(TableName=table, TableClass="STANDARD_INFREQUENT_ACCESS")
    assert described(slow, table)["TableStatus"] == "UPDATING"
    slow.put_item(TableName=table, Item=ITEM)
    assert slow.get_item(TableName=table, Key=KEY)["Item"] == ITEM
    text = f"{IN_USE}Table is being updated: {table}"
    again = {"TableName": table, "TableClass": "STANDARD"}
    assert refused("ResourceInUseException", slow.update_table, **again) == text
    assert refused("ResourceInUseException", slow.delete_table, TableName=table) == text
    slow.update_table(TableName=table, DeletionProtectionEnabled=True)
    shown = described(slow, table)
    assert (shown["TableStatus"], shown["DeletionProtectionEnabled"]) == ("UPDATING", True)
    clock.advance(DELAY_MS)
    assert described(slow, table)["TableStatus"] == "ACTIVE"


def test_a_table_whose_stream_is_being_switched(
    slow: Any, clock: FakeClock, table: str, refused: Refused
) -> None:
    """It cannot be removed, which has a text of its own."""
    for specification in (STREAM_ON, {"StreamEnabled": False}):
        slow.update_table(TableName=table, StreamSpecification=specification)
        assert refused("ResourceInUseException", slow.delete_table, TableName=table) == (
            f"{IN_USE}Cannot delete table while stream is being enabled/disabled."
        )
        clock.advance(DELAY_MS)
    slow.delete_table(TableName=table)


def test_an_index_that_is_being_made(
    slow: Any, clock: FakeClock, table_name: str, refused: Refused
) -> None:
    """It waits for its table, takes in the items, and until then the table cannot be removed."""
    slow.create_table(**create(table_name, AttributeDefinitions=PLAIN))
    clock.advance(DELAY_MS)
    slow.put_item(TableName=table_name, Item=ITEM)
    slow.update_table(TableName=table_name, **NEW_INDEX)
    shown = described(slow, table_name)
    found = index_of(shown)
    assert (shown["TableStatus"], found["IndexStatus"]) == ("UPDATING", "CREATING")
    assert found["Backfilling"] is False
    assert refused("ResourceInUseException", slow.delete_table, TableName=table_name) == (
        f"{IN_USE}Cannot delete table while indexes are being created, updated, or deleted."
    )
    clock.advance(DELAY_MS)
    deadline = time.monotonic() + _SECONDS_MAX
    while (found := index_of(described(slow, table_name)))["IndexStatus"] != "ACTIVE":
        assert (found["IndexStatus"], found["Backfilling"]) == ("CREATING", True)
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert found["ItemCount"] == 1


def test_an_index_that_is_being_removed(
    slow: Any, clock: FakeClock, table: str, refused: Refused
) -> None:
    """It is empty at once and told for a while; nothing that is written meanwhile is in it."""
    slow.put_item(TableName=table, Item=ITEM)
    slow.update_table(
        TableName=table, GlobalSecondaryIndexUpdates=[{"Delete": {"IndexName": "idx"}}]
    )
    slow.put_item(TableName=table, Item={**ITEM, "b": {"N": "2"}})
    slow.delete_item(TableName=table, Key=KEY)
    slow.put_item(TableName=table, Item=ITEM)
    shown = described(slow, table)
    found = index_of(shown)
    assert (shown["TableStatus"], found["IndexStatus"]) == ("UPDATING", "DELETING")
    assert (found["ItemCount"], shown["ItemCount"]) == (0, 1)
    assert "Projection" not in found
    assert refused("ResourceInUseException", slow.delete_table, TableName=table) == (
        f"{IN_USE}Cannot delete table while indexes are being created, updated, or deleted."
    )
    clock.advance(DELAY_MS)
    assert "GlobalSecondaryIndexes" not in described(slow, table)
    slow.update_table(TableName=table, **NEW_INDEX)
    found = index_of(described(slow, table))
    assert found["IndexStatus"] == "CREATING"


def test_an_index_whose_throughput_changes(slow: Any, clock: FakeClock, table_name: str) -> None:
    """It is UPDATING as long as its table is, and not because of a later change."""
    given = index(ProvisionedThroughput=UNITS)
    slow.create_table(**provisioned(table_name, GlobalSecondaryIndexes=[given]))
    clock.advance(DELAY_MS)
    units = {"ReadCapacityUnits": 2, "WriteCapacityUnits": 2}
    update = {"Update": {"IndexName": "idx", "ProvisionedThroughput": units}}
    slow.update_table(TableName=table_name, GlobalSecondaryIndexUpdates=[update])
    assert index_of(described(slow, table_name))["IndexStatus"] == "UPDATING"
    clock.advance(DELAY_MS)
    assert index_of(described(slow, table_name))["IndexStatus"] == "ACTIVE"
    slow.update_table(TableName=table_name, TableClass="STANDARD_INFREQUENT_ACCESS")
    shown = described(slow, table_name)
    assert (shown["TableStatus"], index_of(shown)["IndexStatus"]) == ("UPDATING", "ACTIVE")


def test_tags_that_are_being_changed(
    slow: Any, clock: FakeClock, table: str, refused: Refused
) -> None:
    """A change that had an effect keeps the next one out for a while."""
    arn = described(slow, table)["TableArn"]
    tag = {"ResourceArn": arn, "Tags": [{"Key": "a", "Value": "1"}]}
    slow.tag_resource(**tag)
    text = f"Subscriber limit exceeded: Table tags are being updated: {table}"
    assert refused("LimitExceededException", slow.tag_resource, **tag) == text
    untag = {"ResourceArn": arn, "TagKeys": ["a"]}
    assert refused("LimitExceededException", slow.untag_resource, **untag) == text
    clock.advance(DELAY_MS)
    slow.tag_resource(**tag)
    slow.untag_resource(**untag)


def test_the_protection_waits_for_15_seconds(
    slow: Any, clock: FakeClock, table: str, refused: Refused
) -> None:
    """It cannot be changed again before, and the text tells when it can."""
    slow.update_table(TableName=table, DeletionProtectionEnabled=True)
    again_ms = clock.now_ms() + 15_000
    clock.advance(14_999)
    off = {"TableName": table, "DeletionProtectionEnabled": False}
    at = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(again_ms / 1000))
    assert refused("ThrottlingException", slow.update_table, **off) == (
        f"Deletion protection setting for table {table} modified within the previous 15000"
        f" milliseconds. Please try again after {at}.{again_ms % 1000:03}Z"
    )
    clock.advance(1)
    slow.update_table(**off)
    assert described(slow, table)["DeletionProtectionEnabled"] is False


def test_throughput_is_lowered_four_times_a_day_and_then_once_an_hour(
    slow: Any, clock: FakeClock, table_name: str, refused: Refused
) -> None:
    """The day is that of UTC; what raises is not limited."""
    clock.set((clock.now_ms() // DAY_MS + 1) * DAY_MS + DAY_MS // 2)

    def to(read: int) -> dict[str, Any]:
        units = {"ReadCapacityUnits": read, "WriteCapacityUnits": 1}
        return {"TableName": table_name, "ProvisionedThroughput": units}

    slow.create_table(**provisioned(table_name, AttributeDefinitions=PLAIN))
    clock.advance(DELAY_MS)
    for read in (9, 8, 7, 6, 5):
        slow.update_table(**to(read))
        last_ms = clock.now_ms()
        clock.advance(DELAY_MS)
    message = refused("LimitExceededException", slow.update_table, **to(4))
    last, following = (
        time.strftime("%A, %B %d, %Y at %I:%M:%S %p", time.gmtime(ms / 1000)).replace(" 0", " ")
        for ms in (last_ms, last_ms + 3_600_000)
    )
    assert message.replace("at 0", "at ") == (
        "Subscriber limit exceeded: Provisioned throughput decreases are limited within a given UTC"
        " day. After the first 4 decreases, each subsequent decrease in the same UTC day can be"
        " performed at most once every 3600 seconds. Number of decreases today: 4. Last decrease at"
        f" {last} Coordinated Universal Time. Next decrease can be made at {following} Coordinated"
        " Universal Time"
    )
    slow.update_table(**to(6))
    clock.advance(3_600_000)
    slow.update_table(**to(5))
    shown = described(slow, table_name)["ProvisionedThroughput"]
    assert shown["NumberOfDecreasesToday"] == 5
    clock.advance(DAY_MS)
    shown = described(slow, table_name)["ProvisionedThroughput"]
    assert shown["NumberOfDecreasesToday"] == 0
    slow.update_table(**to(4))


def test_a_table_is_made_on_demand_four_times_a_day(
    slow: Any, clock: FakeClock, table_name: str, refused: Refused
) -> None:
    """In any 24 hours; it is provisioned again at any time."""
    slow.create_table(**provisioned(table_name, AttributeDefinitions=PLAIN))
    clock.advance(DELAY_MS)
    on_demand = {"TableName": table_name, "BillingMode": "PAY_PER_REQUEST"}
    for _ in range(4):
        slow.update_table(**on_demand)
        clock.advance(DELAY_MS)
        slow.update_table(
            TableName=table_name, BillingMode="PROVISIONED", ProvisionedThroughput=UNITS
        )
        clock.advance(DELAY_MS)
    assert refused("LimitExceededException", slow.update_table, **on_demand) == (
        "Subscriber limit exceeded: Update to PayPerRequest mode are limited to 4 times in 1"
        " day(s)."
    )
    clock.advance(DAY_MS - 8 * DELAY_MS)
    slow.update_table(**on_demand)
