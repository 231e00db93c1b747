"""Drain: types of members, refusals with their texts, and when a consumer has read everything."""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from wire.control.conftest import HOUR_MS, Controlled
from wire.control.consumers import Consumer, closed_shard
from wire.refusal_texts import constraint

WAIT_SECONDS_MAX = 60.0

# --- serialisation


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({"TableName": 5}, "NUMBER_VALUE cannot be converted to String"),
        ({"Consumer": True}, "TRUE_VALUE cannot be converted to String"),
        ({"SecondsMax": "1"}, "The value at 'secondsMax' is not a number"),
    ],
)
def test_wrong_json_types(server: Controlled, body: dict[str, Any], text: str) -> None:
    assert server.refused("Drain", body) == ("SerializationException", text)


# --- validation


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({"Consumer": "x"}, constraint(None, "tableName", "not be null")),
        ({"TableName": "abc"}, constraint(None, "consumer", "not be null")),
        (
            {"TableName": "abc", "Consumer": "x", "SecondsMax": 300.5},
            constraint("300.5", "secondsMax", "have value from 0 to 300"),
        ),
        (
            {"TableName": "abc", "Consumer": "x", "Seconds": 3},
            "Unknown members: Seconds; there are: TableName, Region, Consumer, SecondsMax",
        ),
    ],
)
def test_what_is_refused(server: Controlled, body: dict[str, Any], text: str) -> None:
    assert server.refused("Drain", body) == ("ValidationException", text)


def test_a_table_that_is_not_there_and_one_without_a_stream(server: Controlled) -> None:
    plain = server.table(view_type=None)
    assert server.refused("Drain", {"TableName": "nowhere", "Consumer": "x"}) == (
        "ResourceNotFoundException",
        "Requested resource not found: Table: nowhere not found",
    )
    assert server.refused("Drain", {"TableName": plain, "Consumer": "x"}) == (
        "ValidationException",
        f"Table has no stream: TableName: {plain}",
    )


# --- behaviour


def behind(server: Controlled, table: str, consumer: str) -> dict[str, int]:
    """Return how many records a consumer is behind in each shard, as Drain tells at once."""
    answer = server.ask("Drain", {"TableName": table, "Consumer": consumer, "SecondsMax": 0})
    if answer.status == 200:
        assert answer.json == {}
        return {}
    assert answer.status == 400
    assert answer.json["__type"].endswith("#DrainTimeout")
    return {each["ShardId"]: each["RecordsBehind"] for each in answer.json["Shards"]}


def test_nothing_written_is_nothing_to_wait_for(server: Controlled) -> None:
    assert behind(server, server.table(), "anybody") == {}


def test_records_are_read_when_their_consumer_comes_back_for_more(server: Controlled) -> None:
    table = server.table()
    server.put(table, *["a"] * 3)
    (shard,) = behind(server, table, "anybody")
    consumer = Consumer(server, table, shard)
    left = []
    for _ in range(4):
        consumer.read(limit=1)
        left.append(behind(server, table, consumer.name).get(shard, 0))
    assert left == [3, 2, 1, 0]


def test_records_of_one_transaction_are_read_one_by_one(server: Controlled) -> None:
    """Their sequence numbers follow one another without a gap."""
    table = server.table()
    puts = [{"Put": {"TableName": table, "Item": {"pk": {"S": f"{n}"}}}} for n in range(40)]
    server.ddb.transact_write_items(TransactItems=puts)
    shard, count = max(behind(server, table, "anybody").items(), key=lambda each: each[1])
    consumer = Consumer(server, table, shard)
    left = []
    for _ in range(count + 1):
        consumer.read(limit=1)
        left.append(behind(server, table, consumer.name).get(shard, 0))
    assert left == list(range(count, -1, -1))
    assert count > 1


def test_the_last_page_of_a_closed_shard_is_read_when_it_is_given(server: Controlled) -> None:
    """Nobody comes back from there. A page that is to come twice is not the last."""
    table = server.table()
    shard = closed_shard(server, table, *["a"] * 3)
    consumer = Consumer(server, table, shard)
    server.call("PutFault", Kind="repeat", Consumer=consumer.name, Calls=1)
    assert len(consumer.read()) == 3
    assert behind(server, table, consumer.name) == {shard: 3}
    assert len(consumer.read()) == 3
    assert behind(server, table, consumer.name) == {}


def test_parents_and_children_are_all_waited_for(server: Controlled) -> None:
    table = server.table()
    parent = closed_shard(server, table, "a")
    server.put(table, "a")
    assert len(behind(server, table, "anybody")) == 2
    consumer = Consumer(server, table, parent)
    consumer.read()
    (child,) = behind(server, table, consumer.name)
    (shown,) = (each for each in server.shards(table) if each["ShardId"] == child)
    assert shown["ParentShardId"] == parent


def test_what_was_trimmed_counts_as_read(server: Controlled) -> None:
    table = server.table()
    server.put(table, "a", "b", "c")
    assert sum(behind(server, table, "anybody").values()) == 3
    server.call("TrimShards", TableName=table)
    assert behind(server, table, "anybody") == {}
    server.put(table, "a")
    assert sum(behind(server, table, "anybody").values()) == 1
    server.call("MoveClock", Milliseconds=25 * HOUR_MS)
    assert behind(server, table, "anybody") == {}


def test_a_stream_that_was_disabled_is_waited_for_too(server: Controlled) -> None:
    table = server.table()
    server.put(table, "a")
    server.ddb.update_table(TableName=table, StreamSpecification={"StreamEnabled": False})
    (shard,) = behind(server, table, "anybody")
    consumer = Consumer(server, table, shard)
    consumer.read()
    assert behind(server, table, consumer.name) == {}
    server.ddb.delete_table(TableName=table)
    assert behind(server, table, "anybody") == {shard: 1}


def test_an_earlier_table_of_that_name_is_not_waited_for(server: Controlled) -> None:
    """A name that several tests use; whatever the clock says of which was first."""
    table = server.table()
    server.put(table, "a")
    server.ddb.delete_table(TableName=table)
    (old,) = behind(server, table, "anybody")
    now_ms = server.call("MoveClock")["Now"]
    server.call("MoveClock", To=now_ms - HOUR_MS)
    server.table(name=table)
    server.call("MoveClock", To=now_ms)
    assert behind(server, table, "anybody") == {}
    server.put(table, "a")
    assert list(behind(server, table, "anybody").values()) == [1]
    server.ddb.delete_table(TableName=table)
    assert sorted(behind(server, table, "anybody").values()) == [1, 1]
    assert old in behind(server, table, "anybody")


def test_who_is_behind_is_told_with_shards_and_records(server: Controlled) -> None:
    table = server.table()
    server.put(table, *["a"] * 5)
    (shard,) = behind(server, table, "anybody")
    consumer = Consumer(server, table, shard)
    consumer.read(limit=2)
    consumer.read(limit=2)
    body = {"TableName": table, "Consumer": consumer.name, "SecondsMax": 0.05}
    text = f"Consumer {consumer.name} is behind in table {table} after 0.05 s"
    told = f"{text}, in records: {shard} by 3"
    assert server.refused("Drain", body) == ("DrainTimeout", told)


def test_no_more_than_a_thousand_records_of_a_shard_are_counted(server: Controlled) -> None:
    table = server.table()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: server.put(table, *["a"] * 126), range(8)))
    (shard,) = behind(server, table, "anybody")
    _, text = server.refused("Drain", {"TableName": table, "Consumer": "x", "SecondsMax": 0})
    assert text is not None
    assert text.endswith(f"in records: {shard} by at least 1000")


def test_a_consumer_that_never_called_is_told_so(server: Controlled) -> None:
    table = server.table()
    server.put(table, "a")
    body = {"TableName": table, "Consumer": "misspelt", "SecondsMax": 0}
    _, text = server.refused("Drain", body)
    assert text is not None
    assert text.startswith("No consumer misspelt has called GetRecords (")


def test_it_answers_as_soon_as_the_consumer_has_read(server: Controlled) -> None:
    """What is written after the call came is not waited for."""
    table = server.table()
    server.put(table, *["a"] * 10)
    (shard,) = behind(server, table, "anybody")
    consumer = Consumer(server, table, shard)
    asked = threading.Event()

    def drain() -> dict[str, Any]:
        asked.set()
        return server.call("Drain", TableName=table, Consumer=consumer.name)

    with ThreadPoolExecutor(1) as pool:
        drained = pool.submit(drain)
        assert asked.wait(WAIT_SECONDS_MAX)
        while not drained.done():
            server.put(table, "a")
            consumer.read(limit=5)
        assert drained.result(WAIT_SECONDS_MAX) == {}
    assert behind(server, table, consumer.name) != {}
