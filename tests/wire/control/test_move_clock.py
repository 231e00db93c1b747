"""MoveClock: types of members, refusals with their texts, and what a moved clock brings about."""

import time
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from penstock.app.control_client import ControlClient
from penstock.base import limits
from penstock.testing.clock import FakeClock
from penstock.testing.server import RunningServer
from wire.clients import connect, records_from, stored, stream_of
from wire.control.conftest import HOUR_MS, Controlled
from wire.refusal_texts import constraint

YEAR_MS = 365 * 24 * HOUR_MS


# --- serialisation


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'"x"', b"5", b"\xff"])
def test_a_body_that_is_no_json_object(server: Controlled, body: bytes) -> None:
    assert server.refused("MoveClock", body) == ("SerializationException", None)


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({"Milliseconds": "5"}, "STRING_VALUE cannot be converted to Long"),
        ({"Milliseconds": True}, "TRUE_VALUE cannot be converted to Long"),
        ({"Milliseconds": []}, "Unrecognized collection type class java.lang.Long"),
        ({"Milliseconds": 1.5}, "DECIMAL_VALUE at 'milliseconds' is not a whole number"),
        ({"To": {}}, "Start of structure or map found where not expected"),
        ({"To": "2026-11-01"}, "STRING_VALUE cannot be converted to Long"),
        ({"To": 1.79e12 + 0.5}, "DECIMAL_VALUE at 'to' is not a whole number"),
    ],
)
def test_wrong_json_types(server: Controlled, body: dict[str, Any], text: str) -> None:
    assert server.refused("MoveClock", body) == ("SerializationException", text)


# --- validation


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (
            {"Milliseconds": -1},
            constraint("-1", "milliseconds", "have value greater than or equal to 0"),
        ),
        (
            {"To": limits.clock_ms_min - 1},
            constraint(
                str(limits.clock_ms_min - 1),
                "to",
                f"have value greater than or equal to {limits.clock_ms_min}",
            ),
        ),
        (
            {"To": limits.clock_ms_max + 1},
            constraint(
                str(limits.clock_ms_max + 1),
                "to",
                f"have value less than or equal to {limits.clock_ms_max}",
            ),
        ),
        (
            {"Milliseconds": limits.clock_ms_max},
            f"The clock cannot be moved beyond {limits.clock_ms_max}",
        ),
        (
            {"Milliseconds": 1, "To": limits.clock_ms_min},
            "Milliseconds and To cannot be given together",
        ),
        (
            {"milliseconds": 1, "Minutes": 2},
            "Unknown members: Minutes, milliseconds; there are: Milliseconds, To",
        ),
    ],
)
def test_what_is_refused_leaves_the_clock_alone(
    server: Controlled, body: dict[str, Any], text: str
) -> None:
    before_ms = server.call("MoveClock")["Now"]
    assert server.refused("MoveClock", body) == ("ValidationException", text)
    assert before_ms <= server.call("MoveClock")["Now"] < before_ms + HOUR_MS


def test_an_unknown_action_is_an_unknown_operation(server: Controlled) -> None:
    assert server.refused("StopTime", {}) == ("UnknownOperationException", None)
    assert server.refused("", {}) == ("UnknownOperationException", None)


# --- behaviour


def test_time_passes_by_what_was_asked_and_by_itself(server: Controlled) -> None:
    began = time.monotonic()
    before_ms = server.call("MoveClock")["Now"]
    after_ms = server.call("MoveClock", Milliseconds=HOUR_MS)["Now"]
    between_ms = (time.monotonic() - began) * 1000
    assert HOUR_MS <= after_ms - before_ms <= HOUR_MS + between_ms + 1


@pytest.mark.parametrize("step_ms", [-YEAR_MS, YEAR_MS])
def test_the_clock_steps_to_any_time(server: Controlled, step_ms: int) -> None:
    """What the server writes then carries that time, and so do its answers."""
    before_ms = server.call("MoveClock")["Now"]
    to_ms = before_ms + step_ms
    assert to_ms <= server.call("MoveClock", To=to_ms)["Now"] < to_ms + HOUR_MS
    table = server.table()
    described = server.ddb.describe_table(TableName=table)
    created_ms = described["Table"]["CreationDateTime"].timestamp() * 1000
    assert to_ms - 1 <= created_ms < to_ms + HOUR_MS
    date = parsedate_to_datetime(described["ResponseMetadata"]["HTTPHeaders"]["date"])
    assert to_ms - 1000 <= date.timestamp() * 1000 < to_ms + HOUR_MS
    server.call("MoveClock", To=before_ms)


def test_an_iterator_expires_after_15_minutes(server: Controlled) -> None:
    table = server.table()
    server.put(table, "a")
    iterators = server.iterators(table)
    server.call("MoveClock", Milliseconds=limits.iterator_life_ms - 60_000)
    pages = [server.streams.get_records(ShardIterator=text) for text in iterators.values()]
    assert sum(len(page["Records"]) for page in pages) == 1
    server.call("MoveClock", Milliseconds=60_001)
    for text in iterators.values():
        with pytest.raises(ClientError) as caught:
            server.streams.get_records(ShardIterator=text)
        assert caught.value.response["Error"] == {
            "Code": "ExpiredIteratorException",
            "Message": "Shard iterator has expired",
        }
    for page in pages:
        server.streams.get_records(ShardIterator=page["NextShardIterator"])


def test_items_whose_time_has_ended_are_gone_when_it_answers(server: Controlled) -> None:
    """Though the server looks for them once a minute of real time only."""
    table = server.table()
    server.ddb.update_time_to_live(
        TableName=table, TimeToLiveSpecification={"Enabled": True, "AttributeName": "until"}
    )
    now_ms = server.call("MoveClock")["Now"]
    for hours in (1, 24):
        until = {"N": str(now_ms // 1000 + hours * 3600)}
        server.ddb.put_item(TableName=table, Item={"pk": {"S": f"{hours}"}, "until": until})
    assert stored(server.ddb, table, {"pk": {"S": "1"}}) is not None
    server.call("MoveClock", Milliseconds=HOUR_MS + 1000)
    assert stored(server.ddb, table, {"pk": {"S": "1"}}) is None
    assert stored(server.ddb, table, {"pk": {"S": "24"}}) is not None
    server.call("MoveClock", Milliseconds=23 * HOUR_MS)
    assert stored(server.ddb, table, {"pk": {"S": "24"}}) is None


def test_shards_roll_after_4_hours(server: Controlled) -> None:
    """Every shard has its child when the call is answered, and none has one before it is time."""
    table = server.table()
    server.put(table, *"abcdef")
    parents = [shard["ShardId"] for shard in server.shards(table)]
    server.call("MoveClock", Milliseconds=4 * HOUR_MS - 60_000)
    assert [shard["ShardId"] for shard in server.shards(table)] == parents
    server.call("MoveClock", Milliseconds=60_000)
    shards = server.shards(table)
    children = [shard for shard in shards if "ParentShardId" in shard]
    assert sorted(child["ParentShardId"] for child in children) == parents
    ends = [shard["SequenceNumberRange"].get("EndingSequenceNumber") for shard in shards]
    assert [end is None for end in ends] == [shard in children for shard in shards]
    iterators = server.iterators(table)
    read = [record for it in iterators.values() for record in records_from(server.streams, it)]
    assert len(read) == 6


def test_24_hours_and_a_second_trim_everything(
    server: Controlled, refused: Callable[..., str]
) -> None:
    """An item that expires on the way is in a shard that is rolled already, and can be read."""
    table = server.table()
    arn = stream_of(server.ddb, table)
    server.ddb.update_time_to_live(
        TableName=table, TimeToLiveSpecification={"Enabled": True, "AttributeName": "until"}
    )
    names = [f"item-{n}" for n in range(64)]
    server.put(table, *names)
    now_ms = server.call("MoveClock")["Now"]
    until = {"N": str(now_ms // 1000 + 12 * 3600)}
    server.ddb.put_item(TableName=table, Item={"pk": {"S": "expiring"}, "until": until})
    old = server.shards(table)
    read = {
        shard: records_from(server.streams, text) for shard, text in server.iterators(table).items()
    }
    assert all(read.values())

    server.call("MoveClock", Milliseconds=24 * HOUR_MS + 1000)
    shards = server.shards(table)
    assert len(shards) == len(old)
    assert {shard["ParentShardId"] for shard in shards} == {shard["ShardId"] for shard in old}
    for shard, records in read.items():
        refused(
            "ResourceNotFoundException",
            server.streams.get_shard_iterator,
            StreamArn=arn,
            ShardId=shard,
            ShardIteratorType="AT_SEQUENCE_NUMBER",
            SequenceNumber=records[0]["dynamodb"]["SequenceNumber"],
        )
    (left,) = [
        record
        for text in server.iterators(table).values()
        for record in records_from(server.streams, text)
    ]
    assert left["eventName"] == "REMOVE"
    assert left["dynamodb"]["Keys"] == {"pk": {"S": "expiring"}}
    assert left["userIdentity"] == {"Type": "Service", "PrincipalId": "dynamodb.amazonaws.com"}
    assert stored(server.ddb, table, {"pk": {"S": "expiring"}}) is None
    assert stored(server.ddb, table, {"pk": {"S": names[0]}}) is not None


def test_a_step_back_does_not_bring_back_a_state_that_was_over() -> None:
    """Also where it ended since the jobs looked last."""
    clock = FakeClock()
    with RunningServer(clock=clock, test_controls=True, table_delay_ms=1000) as running:
        ddb, streams = (connect(running.url, name) for name in ("dynamodb", "dynamodbstreams"))
        ddb.create_table(
            TableName="abc",
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
            StreamSpecification={"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"},
        )
        began_ms = clock.now_ms()
        clock.advance(1000)
        ControlClient(running.url).set_clock(began_ms)
        table = ddb.describe_table(TableName="abc")["Table"]
        stream = streams.describe_stream(StreamArn=table["LatestStreamArn"])["StreamDescription"]
        assert (table["TableStatus"], stream["StreamStatus"]) == ("ACTIVE", "ENABLED")
