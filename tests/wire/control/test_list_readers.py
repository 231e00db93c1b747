"""ListReaders: types of members, refusals with their texts, and what is told of who reads."""

from typing import Any

import pytest

from penstock.base import limits
from wire.clients import connect, number_of, stream_of
from wire.control.conftest import Controlled
from wire.control.consumers import Consumer, closed_shard
from wire.refusal_texts import constraint

NOBODY = {"Shards": [], "ShardsLeftOff": 0, "Consumers": [], "ConsumersLeftOff": 0}

# --- serialisation


def test_wrong_json_types(server: Controlled) -> None:
    text = "NUMBER_VALUE cannot be converted to String"
    assert server.refused("ListReaders", {"TableName": 5}) == ("SerializationException", text)


# --- validation


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (
            {"TableName": "a"},
            constraint("a", "tableName", "have length greater than or equal to 3"),
        ),
        ({"Consumer": "x"}, "Unknown members: Consumer; there are: TableName, Region"),
    ],
)
def test_what_is_refused(server: Controlled, body: dict[str, Any], text: str) -> None:
    assert server.refused("ListReaders", body) == ("ValidationException", text)


# --- behaviour


def test_readers_of_a_table_are_told_with_how_far_they_are(server: Controlled) -> None:
    """A record counts as read when its consumer has come back for more."""
    table = server.table()
    assert server.call("ListReaders", TableName=table) == NOBODY
    shard = closed_shard(server, table, "a", "a", "a")
    records = server.streams.get_records(ShardIterator=server.iterators(table)[shard])["Records"]
    consumer = Consumer(server, table, shard)
    consumer.read(limit=1)
    consumer.read(limit=1)
    told = server.call("ListReaders", TableName=table)
    (shown,) = (each for each in told["Shards"] if each["ShardId"] == shard)
    assert (shown["TableName"], shown["StreamArn"]) == (table, stream_of(server.ddb, table))
    assert shown["Calls"] >= 4
    (progress,) = (each for each in told["Consumers"] if each["Consumer"] == consumer.name)
    assert (progress["ShardId"], progress["StreamArn"]) == (shard, shown["StreamArn"])
    assert int(progress["ReadTo"]) == number_of(records[0])
    consumer.read()
    told = server.call("ListReaders", TableName=table)
    (progress,) = (each for each in told["Consumers"] if each["Consumer"] == consumer.name)
    assert int(progress["ReadTo"]) == number_of(records[2]), "the end of a closed shard"


def test_without_a_table_it_is_all_of_the_region(server: Controlled) -> None:
    tables = [server.table(), server.table()]
    for table in tables:
        Consumer(server, table).read()
    told = {each["TableName"] for each in server.call("ListReaders")["Shards"]}
    assert set(tables) <= told
    assert server.call("ListReaders", Region="eu-west-1") == NOBODY
    elsewhere = server.call("ListReaders", TableName=tables[0], Region="eu-west-1")
    assert elsewhere == NOBODY


def test_with_a_table_nobody_else_is_told_of(server: Controlled) -> None:
    """Also where the other's name begins as its own."""
    table = server.table()
    other = server.table(name=f"{table}-more")
    consumers = {each: Consumer(server, each) for each in (table, other)}
    for each, consumer in consumers.items():
        consumer.read()
        told = server.call("ListReaders", TableName=each)
        assert {row["TableName"] for row in told["Shards"]} == {each}
        assert [row["Consumer"] for row in told["Consumers"]] == [consumer.name]


def test_a_name_longer_than_a_test_can_say_is_cut_off(server: Controlled) -> None:
    table = server.table()
    name = "x" * limits.consumer_chars_max
    streams = connect(server.url, "dynamodbstreams", application=f"{name}yz")
    (iterator, *_) = server.iterators(table).values()
    streams.get_records(ShardIterator=iterator)
    (row,) = server.call("ListReaders", TableName=table)["Consumers"]
    assert row["Consumer"] == name
