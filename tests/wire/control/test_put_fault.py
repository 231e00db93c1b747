"""PutFault: types of members, refusals with their texts, and what goes wrong with GetRecords."""

from collections.abc import Iterator
from typing import Any

import pytest

from penstock.base import limits
from wire.control.conftest import Controlled
from wire.control.consumers import Consumer, closed_shard
from wire.refusal_texts import constraint

MEMBERS = (
    *("Kind", "TableName", "Region", "ShardId", "Consumer"),
    *("Calls", "Probability", "Seed", "Records"),
)


@pytest.fixture(autouse=True)
def cleared(server: Controlled) -> Iterator[None]:
    """Leave no fault to the test after this one."""
    yield
    server.call("ClearFaults")


# --- serialisation


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({"Kind": 5}, "NUMBER_VALUE cannot be converted to String"),
        ({"TableName": []}, "Unrecognized collection type class java.lang.String"),
        ({"Calls": "3"}, "STRING_VALUE cannot be converted to Integer"),
        ({"Calls": 1.5}, "DECIMAL_VALUE at 'calls' is not a whole number"),
        ({"Probability": "1"}, "The value at 'probability' is not a number"),
        ({"Probability": True}, "The value at 'probability' is not a number"),
        ({"Seed": 1.5}, "DECIMAL_VALUE at 'seed' is not a whole number"),
        ({"Records": {}}, "Start of structure or map found where not expected"),
    ],
)
def test_wrong_json_types(server: Controlled, body: dict[str, Any], text: str) -> None:
    assert server.refused("PutFault", body) == ("SerializationException", text)


# --- validation


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({"Calls": 1}, constraint(None, "kind", "not be null")),
        (
            {"Kind": "Throttle", "Calls": 1},
            constraint(
                "Throttle",
                "kind",
                "satisfy enum value set: [throttle, fewer, expired, trimmed, repeat]",
            ),
        ),
        (
            {"Kind": "throttle", "Calls": 0},
            constraint("0", "calls", "have value greater than or equal to 1"),
        ),
        (
            {"Kind": "throttle", "Probability": 1.5},
            constraint("1.5", "probability", "have value from 0 to 1"),
        ),
        (
            {"Kind": "throttle", "Probability": -1},
            constraint("-1", "probability", "have value from 0 to 1"),
        ),
        (
            {"Kind": "fewer", "Calls": 1, "Records": limits.get_records_max + 1},
            constraint("1001", "records", "have value less than or equal to 1000"),
        ),
        (
            {"Kind": "throttle", "Calls": 1, "Consumer": ""},
            constraint("", "consumer", "have length greater than or equal to 1"),
        ),
        (
            {"Kind": "throttle", "Calls": 1, "ShardId": "short"},
            constraint("short", "shardId", "have length greater than or equal to 28"),
        ),
        ({"Kind": "throttle"}, "Either Calls or Probability has to be given"),
        ({"Kind": "throttle", "Calls": 1, "Seed": 1}, "Seed can only be given with Probability"),
        (
            {"Kind": "repeat", "Calls": 1, "Records": 1},
            "Records can only be given with Kind fewer",
        ),
        ({"Kind": "repeat", "Call": 1}, f"Unknown members: Call; there are: {', '.join(MEMBERS)}"),
    ],
)
def test_what_is_refused(server: Controlled, body: dict[str, Any], text: str) -> None:
    assert server.refused("PutFault", body) == ("ValidationException", text)


# --- behaviour


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("throttle", "LimitExceededException"),
        ("expired", "ExpiredIteratorException"),
        ("trimmed", "TrimmedDataAccessException"),
    ],
)
def test_the_next_calls_fail_and_nothing_is_lost(server: Controlled, kind: str, code: str) -> None:
    """The same iterator gives afterwards what it would have given at once."""
    table = server.table()
    shard = closed_shard(server, table, "a")
    consumer = Consumer(server, table, shard)
    server.call("PutFault", Kind=kind, TableName=table, Calls=2)
    assert [consumer.fails(), consumer.fails()] == [code, code]
    assert consumer.read() == ["a"]


def test_fewer_records_come_and_the_rest_with_the_next_page(server: Controlled) -> None:
    table = server.table()
    shard = closed_shard(server, table, *["a"] * 5)
    consumer = Consumer(server, table, shard)
    server.call("PutFault", Kind="fewer", TableName=table, Calls=1, Records=2)
    server.call("PutFault", Kind="fewer", TableName=table, Calls=2)
    pages = [len(consumer.read()) for _ in range(4)]
    assert pages == [2, 0, 0, 3]
    assert consumer.iterator is None


def test_a_page_that_is_short_anyway_is_no_hit(server: Controlled) -> None:
    """Its fault waits for a page with more."""
    table = server.table()
    shard = closed_shard(server, table, *["a"] * 5)
    consumer = Consumer(server, table, shard)
    fault = server.call("PutFault", Kind="fewer", TableName=table, Calls=1, Records=2)["FaultId"]
    assert len(consumer.read(limit=2)) == 2
    assert hits(server, fault) == 0
    assert [len(consumer.read()), len(consumer.read())] == [2, 1]
    assert hits(server, fault) == 1


def test_a_page_comes_twice_also_at_the_end_of_a_closed_shard(server: Controlled) -> None:
    table = server.table()
    shard = closed_shard(server, table, *["a"] * 3)
    consumer = Consumer(server, table, shard)
    server.call("PutFault", Kind="repeat", TableName=table, Calls=2)
    assert [len(consumer.read(limit=2)), len(consumer.read(limit=2))] == [2, 2]
    assert consumer.iterator is not None
    assert consumer.read() == ["a"] * 3
    assert consumer.iterator is None


def test_an_empty_page_does_not_use_up_a_repetition(server: Controlled) -> None:
    table = server.table()
    consumers = [Consumer(server, table, shard["ShardId"]) for shard in server.shards(table)]
    server.call("PutFault", Kind="repeat", TableName=table, Calls=1)
    assert [consumer.read() for consumer in consumers] == [[], [], [], []]
    server.put(table, "a")
    twice = [consumer.read() + consumer.read() + consumer.read() for consumer in consumers]
    assert sorted(twice) == [[], [], [], ["a", "a"]]


def test_a_fault_is_for_the_table_shard_and_consumer_that_it_names(server: Controlled) -> None:
    table, other = server.table(), server.table()
    first, second = (shard["ShardId"] for shard in server.shards(table)[:2])
    one, two = Consumer(server, table, first), Consumer(server, table, first)
    elsewhere = Consumer(server, table, second)
    server.call("PutFault", Kind="throttle", TableName=other, Calls=1)
    server.call("PutFault", Kind="throttle", TableName=table, Region="eu-west-1", Calls=1)
    server.call("PutFault", Kind="expired", ShardId=first, Consumer=one.name, Calls=1)
    assert elsewhere.read() == []
    assert two.read() == []
    assert one.fails() == "ExpiredIteratorException"
    assert one.read() == []
    assert Consumer(server, other).fails() == "LimitExceededException"


def test_who_names_no_application_is_known_by_its_access_key(server: Controlled) -> None:
    table = server.table()
    server.call("PutFault", Kind="throttle", TableName=table, Consumer="AKIDEXAMPLE", Calls=1)
    named = Consumer(server, table)
    assert named.read() == []
    iterator = server.iterators(table)[named.shard_id]
    with pytest.raises(server.streams.exceptions.LimitExceededException):
        server.streams.get_records(ShardIterator=iterator)


def test_a_seed_repeats_what_goes_wrong(server: Controlled) -> None:
    table = server.table()
    consumer = Consumer(server, table)

    def failures(**seed: int) -> tuple[list[bool], int]:
        server.call("PutFault", Kind="throttle", TableName=table, Probability=0.5, **seed)
        failed = [consumed_or_failed(consumer) for _ in range(40)]
        (shown,) = server.call("ListFaults")["Faults"]
        server.call("ClearFaults")
        return failed, shown["Seed"]

    failed, seed = failures()
    assert True in failed
    assert False in failed
    assert failures(Seed=seed) == (failed, seed)
    assert failures(Seed=seed + 1)[0] != failed


def consumed_or_failed(consumer: Consumer) -> bool:
    """Read a page, and say whether that failed."""
    try:
        consumer.read()
    except Exception as error:  # noqa: BLE001 - boto3 makes its classes at run time
        assert type(error).__name__ == "LimitExceededException"
        return True
    return False


def hits(server: Controlled, fault_id: str) -> int:
    """Return how often a fault has fired."""
    faults = {fault["FaultId"]: fault for fault in server.call("ListFaults")["Faults"]}
    count: int = faults[fault_id]["Hits"]
    return count
