"""DescribeStream: types of members, refusals with their texts, the stream and its shards."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from penstock.base import limits
from wire.clients import all_records, number_of, records_by_shard, shards_of, stream_of
from wire.refusal_texts import constraint
from wire.streams.conftest import Own

DESCRIBE_STREAM = "DynamoDBStreams_20120810.DescribeStream"
VALIDATION = "ValidationException"
TABLE_ARN = "arn:aws:dynamodb:us-east-1:000000000000:table/abc"
ARN = f"{TABLE_ARN}/stream/2026-10-01T00:00:00.000"
SHARD = "shardId-00000001790000000000-0123abcd"


def described(streams: Any, arn: str, **more: Any) -> dict[str, Any]:
    description: dict[str, Any] = streams.describe_stream(StreamArn=arn, **more)[
        "StreamDescription"
    ]
    return description


def ids(description: dict[str, Any]) -> list[str]:
    return [shard["ShardId"] for shard in description["Shards"]]


# --- serialisation


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({"StreamArn": 5}, "NUMBER_VALUE cannot be converted to String"),
        ({"StreamArn": ARN, "Limit": "1"}, "STRING_VALUE cannot be converted to Integer"),
        (
            {"StreamArn": ARN, "ExclusiveStartShardId": {}},
            "Start of structure or map found where not expected",
        ),
        ({"StreamArn": ARN, "ShardFilter": "CHILD_SHARDS"}, "Unexpected field type"),
        (
            {"StreamArn": ARN, "ShardFilter": {"Type": False}},
            "FALSE_VALUE cannot be converted to String",
        ),
    ],
)
def test_wrong_json_types(rejected: Callable[..., Any], body: dict[str, Any], text: str) -> None:
    assert rejected(DESCRIBE_STREAM, body) == ("SerializationException", text)


# --- validation


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({}, constraint(None, "streamArn", "not be null")),
        ({"StreamArn": None}, constraint(None, "streamArn", "not be null")),
        (
            {"StreamArn": "short"},
            constraint("short", "streamArn", "have length greater than or equal to 37"),
        ),
        (
            {"StreamArn": "x" * 1025},
            constraint("x" * 1025, "streamArn", "have length less than or equal to 1024"),
        ),
        (
            {"StreamArn": ARN, "Limit": 0},
            constraint("0", "limit", "have value greater than or equal to 1"),
        ),
        (
            {"StreamArn": ARN, "Limit": 101},
            constraint("101", "limit", "have value less than or equal to 100"),
        ),
        (
            {"StreamArn": ARN, "ExclusiveStartShardId": "shardId"},
            constraint(
                "shardId", "exclusiveStartShardId", "have length greater than or equal to 28"
            ),
        ),
        (
            {"StreamArn": ARN, "ShardFilter": {"Type": "CHILD_SHARDS"}},
            constraint(None, "shardFilter.shardId", "not be null"),
        ),
        (
            {"StreamArn": ARN, "ShardFilter": {"Type": "CHILD_SHARDS", "ShardId": "s"}},
            constraint("s", "shardFilter.shardId", "have length greater than or equal to 28"),
        ),
        (
            {"StreamArn": ARN, "ShardFilter": {"ShardId": SHARD}},
            constraint(None, "shardFilter.type", "not be null"),
        ),
        (
            {"StreamArn": ARN, "ShardFilter": {"Type": "SHARDS", "ShardId": SHARD}},
            constraint("SHARDS", "shardFilter.type", "satisfy enum value set: [CHILD_SHARDS]"),
        ),
        ({"StreamArn": "x" * 40}, "Invalid StreamArn: " + "x" * 40),
        ({"StreamArn": ARN + "\n"}, f"Invalid StreamArn: {ARN}\n"),
        ({"StreamArn": TABLE_ARN}, f"Invalid StreamArn: {TABLE_ARN}"),
    ],
)
def test_refusals(rejected: Callable[..., Any], body: dict[str, Any], text: str) -> None:
    assert rejected(DESCRIBE_STREAM, body) == (VALIDATION, text)


@pytest.mark.parametrize(
    ("was", "instead"),
    [
        ("us-east-1", "eu-west-1"),
        ("000000000000", "111111111111"),
        ("arn:aws:", "arn:aws-cn:"),
        ("table/", "table/x"),
        ("/stream/20", "/stream/19"),
    ],
)
def test_a_stream_that_is_not_the_callers(
    ddb: Any,
    streams: Any,
    refused: Callable[..., str],
    new_table: Callable[..., str],
    was: str,
    instead: str,
) -> None:
    """Another region, account, partition, table or label: an ARN with one part changed."""
    arn = stream_of(ddb, new_table(view_type="KEYS_ONLY")).replace(was, instead)
    message = refused("ResourceNotFoundException", streams.describe_stream, StreamArn=arn)
    assert message == f"Requested resource not found: Stream: {arn} not found"


def test_another_region_cannot_describe_a_stream(
    ddb: Any,
    make_client: Callable[..., Any],
    refused: Callable[..., str],
    new_table: Callable[..., str],
) -> None:
    arn = stream_of(ddb, new_table(view_type="KEYS_ONLY"))
    elsewhere = make_client("dynamodbstreams", "eu-west-1")
    message = refused("ResourceNotFoundException", elsewhere.describe_stream, StreamArn=arn)
    assert message == f"Requested resource not found: Stream: {arn} not found"


# --- behaviour


@pytest.mark.parametrize("view_type", ["KEYS_ONLY", "NEW_IMAGE", "OLD_IMAGE", "NEW_AND_OLD_IMAGES"])
def test_the_description_of_a_new_stream(
    ddb: Any, streams: Any, new_table: Callable[..., str], view_type: str
) -> None:
    name = new_table(sort="N", view_type=view_type)
    table = ddb.describe_table(TableName=name)["Table"]
    arn = table["LatestStreamArn"]
    description = described(streams, arn)
    shards = description.pop("Shards")
    created = description.pop("CreationRequestDateTime")
    label = table["LatestStreamLabel"]
    assert description == {
        "StreamArn": arn,
        "StreamLabel": label,
        "StreamStatus": "ENABLED",
        "StreamViewType": view_type,
        "TableName": name,
        "KeySchema": table["KeySchema"],
    }
    assert arn == f"{table['TableArn']}/stream/{label}"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}", label)
    assert created == datetime.fromisoformat(label).replace(tzinfo=UTC)
    assert len(shards) >= 1
    for shard in shards:
        assert re.fullmatch(r"shardId-\d{20}-[0-9a-f]{8}", shard["ShardId"])
        assert int(shard["ShardId"].split("-")[1]) == int(created.timestamp() * 1000)
        assert shard.keys() == {"ShardId", "SequenceNumberRange"}
        assert shard["SequenceNumberRange"].keys() == {"StartingSequenceNumber"}
        assert re.fullmatch(r"\d{21,40}", shard["SequenceNumberRange"]["StartingSequenceNumber"])


@pytest.mark.parametrize("shards", [1, 4, 7, 130])
def test_the_setting_decides_how_many_shards_and_every_limit_gives_the_same(
    own_with: Callable[[int], Own], shards: int
) -> None:
    """Shards come in the order of their ids; a page with more to come names its own last."""
    own = own_with(shards)
    _, arn = own.table()
    whole: list[str] = []
    for limit in (None, 1, 2, 3, 7, 99, 100):
        more: dict[str, Any] = {} if limit is None else {"Limit": limit}
        found: list[str] = []
        while True:
            page = described(own.streams, arn, **more)
            found += ids(page)
            assert 0 < len(page["Shards"]) <= (limit or limits.describe_stream_shards_max)
            if "LastEvaluatedShardId" not in page:
                break
            assert page["LastEvaluatedShardId"] == ids(page)[-1]
            more["ExclusiveStartShardId"] = page["LastEvaluatedShardId"]
        whole = whole or found
        assert found == whole
    assert whole == sorted(set(whole))
    assert len(whole) == shards


def test_starting_after_the_last_shard_or_an_unknown_one_gives_none(
    ddb: Any, streams: Any, new_table: Callable[..., str]
) -> None:
    arn = stream_of(ddb, new_table(view_type="KEYS_ONLY"))
    last = ids(described(streams, arn))[-1]
    for start in (last, SHARD, "x" * 65):
        description = described(streams, arn, ExclusiveStartShardId=start)
        assert description["Shards"] == []
        assert "LastEvaluatedShardId" not in description


def test_a_shard_that_never_rolled_has_no_children(
    ddb: Any, streams: Any, new_table: Callable[..., str]
) -> None:
    arn = stream_of(ddb, new_table(view_type="KEYS_ONLY"))
    for shard in (ids(described(streams, arn))[0], SHARD):
        answer = described(streams, arn, ShardFilter={"Type": "CHILD_SHARDS", "ShardId": shard})
        assert answer["Shards"] == []
        assert answer["StreamStatus"] == "ENABLED"


def test_records_lie_between_the_numbers_of_their_closed_shard(
    ddb: Any, streams: Any, new_table: Callable[..., str]
) -> None:
    """A closed shard shows its end: its last record, or its start where it never had one."""
    table = new_table(view_type="KEYS_ONLY")
    arn = stream_of(ddb, table)
    for n in range(3):
        ddb.put_item(TableName=table, Item={"pk": {"S": str(n)}})
    before = {shard["ShardId"]: shard for shard in shards_of(streams, arn)}
    ddb.update_table(TableName=table, StreamSpecification={"StreamEnabled": False})
    description = described(streams, arn)
    assert description["StreamStatus"] == "DISABLED"
    records = records_by_shard(streams, arn)
    for shard in description["Shards"]:
        numbers = shard["SequenceNumberRange"]
        start, end = (int(numbers[f"{name}SequenceNumber"]) for name in ("Starting", "Ending"))
        open_numbers = before[shard["ShardId"]]["SequenceNumberRange"]
        assert open_numbers == {"StartingSequenceNumber": numbers["StartingSequenceNumber"]}
        held = [number_of(record) for record in records[shard["ShardId"]]]
        assert held == sorted(held)
        assert all(start < number for number in held)
        assert end == max(held, default=start)


def test_a_stream_of_a_deleted_table_is_described_as_disabled(
    ddb: Any, streams: Any, new_table: Callable[..., str], table_name: str
) -> None:
    ddb.create_table(
        TableName=table_name,
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"},
    )
    arn = stream_of(ddb, table_name)
    ddb.put_item(TableName=table_name, Item={"pk": {"S": "a"}})
    ddb.delete_table(TableName=table_name)
    description = described(streams, arn)
    assert (description["StreamStatus"], description["TableName"]) == ("DISABLED", table_name)
    assert all("EndingSequenceNumber" in s["SequenceNumberRange"] for s in description["Shards"])
    assert len(all_records(streams, arn)) == 1


def test_a_new_stream_has_an_arn_of_its_own_and_leaves_the_old_one_as_it_was(
    ddb: Any, streams: Any, new_table: Callable[..., str]
) -> None:
    """The table forgets the old stream; who knows its ARN still reads it."""
    table = new_table(view_type="NEW_IMAGE")
    old = stream_of(ddb, table)
    ddb.put_item(TableName=table, Item={"pk": {"S": "before"}})
    ddb.update_table(TableName=table, StreamSpecification={"StreamEnabled": False})
    ddb.put_item(TableName=table, Item={"pk": {"S": "between"}})
    assert stream_of(ddb, table) == old
    ddb.update_table(
        TableName=table,
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"},
    )
    new = stream_of(ddb, table)
    ddb.put_item(TableName=table, Item={"pk": {"S": "after"}})
    assert new > old
    for arn, status, view_type, name in (
        (old, "DISABLED", "NEW_IMAGE", "before"),
        (new, "ENABLED", "KEYS_ONLY", "after"),
    ):
        description = described(streams, arn)
        assert description["StreamStatus"] == status
        assert description["StreamViewType"] == view_type
        (record,) = all_records(streams, arn)
        assert record["dynamodb"]["Keys"] == {"pk": {"S": name}}


def test_closed_shards_and_then_their_stream_go_after_24_hours(
    own: Own, refused: Callable[..., str]
) -> None:
    """A shard goes when its last record has expired, the stream 24 hours after it was closed."""
    table, arn = own.table()
    own.put(table, "a")
    own.clock.advance(3600_000)
    own.ddb.update_table(TableName=table, StreamSpecification={"StreamEnabled": False})
    own.clock.advance(limits.stream_retention_ms - 3600_000)
    assert len(shards_of(own.streams, arn)) == 1
    own.clock.advance(1)
    assert shards_of(own.streams, arn) == []
    own.clock.advance(3600_000 - 1)
    assert described(own.streams, arn)["StreamStatus"] == "DISABLED"
    own.clock.advance(1)
    message = refused("ResourceNotFoundException", own.streams.describe_stream, StreamArn=arn)
    assert message == f"Requested resource not found: Stream: {arn} not found"


def test_an_open_shard_stays_however_old_it_is(own: Own) -> None:
    table, arn = own.table()
    own.put(table, "a")
    own.clock.advance(3 * limits.stream_retention_ms)
    (shard,) = shards_of(own.streams, arn)
    assert "EndingSequenceNumber" not in shard["SequenceNumberRange"]
