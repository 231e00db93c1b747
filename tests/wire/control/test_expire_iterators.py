"""ExpireIterators: types of members, refusals with their texts, and which iterators expire."""

from collections.abc import Callable
from typing import Any

import pytest

from wire.clients import connect, iterator_of, stream_of
from wire.control.conftest import HOUR_MS, Controlled
from wire.refusal_texts import constraint

EXPIRED = "ExpiredIteratorException"
NO_SHARD = "Requested resource not found: Shard does not exist"


def lives(server: Controlled, iterator: str) -> bool:
    """Say whether an iterator can be read from; where it cannot it has expired."""
    try:
        server.streams.get_records(ShardIterator=iterator)
    except server.streams.exceptions.ExpiredIteratorException as error:
        assert error.response["Error"]["Message"] == "Shard iterator has expired"
        return False
    return True


# --- serialisation


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({"ShardIterator": 5}, "NUMBER_VALUE cannot be converted to String"),
        ({"TableName": []}, "Unrecognized collection type class java.lang.String"),
        ({"ShardId": {}}, "Start of structure or map found where not expected"),
        ({"Region": True}, "TRUE_VALUE cannot be converted to String"),
    ],
)
def test_wrong_json_types(server: Controlled, body: dict[str, Any], text: str) -> None:
    assert server.refused("ExpireIterators", body) == ("SerializationException", text)


# --- validation


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({}, "Either ShardIterator or TableName has to be given"),
        ({"ShardId": "shardId-" + "0" * 20}, "Either ShardIterator or TableName has to be given"),
        (
            {"ShardIterator": "x", "TableName": "abc"},
            "ShardIterator and TableName cannot be given together",
        ),
        (
            {"ShardIterator": "x", "ShardId": "shardId-" + "0" * 20},
            "ShardIterator and ShardId cannot be given together",
        ),
        ({"ShardIterator": "x"}, "Invalid ShardIterator"),
        (
            {"TableName": "a"},
            constraint("a", "tableName", "have length greater than or equal to 3"),
        ),
        (
            {"TableName": "abc", "ShardId": "short"},
            constraint("short", "shardId", "have length greater than or equal to 28"),
        ),
        (
            {"TableName": "abc", "Region": "US"},
            constraint(
                "US",
                "region",
                "satisfy regular expression pattern: [a-z][a-z0-9]*(-[a-z0-9]+)*",
            ),
        ),
        (
            {"Table": "abc"},
            "Unknown members: Table; there are: ShardIterator, TableName, Region, ShardId",
        ),
    ],
)
def test_what_is_refused(server: Controlled, body: dict[str, Any], text: str) -> None:
    assert server.refused("ExpireIterators", body) == ("ValidationException", text)


def test_a_table_that_is_not_there(server: Controlled) -> None:
    assert server.refused("ExpireIterators", {"TableName": "nowhere"}) == (
        "ResourceNotFoundException",
        "Requested resource not found: Table: nowhere not found",
    )


def test_a_table_without_a_stream_and_a_shard_that_is_not_there(server: Controlled) -> None:
    plain, table = server.table(view_type=None), server.table()
    assert server.refused("ExpireIterators", {"TableName": plain}) == (
        "ValidationException",
        f"Table has no stream: TableName: {plain}",
    )
    nowhere = {"TableName": table, "ShardId": "shardId-" + "0" * 20 + "-00000000"}
    code, text = server.refused("ExpireIterators", nowhere)
    assert (code, text) == ("ResourceNotFoundException", NO_SHARD)


# --- behaviour


def test_all_iterators_of_a_table_expire_and_later_ones_live(server: Controlled) -> None:
    table, other = server.table(), server.table()
    old, others = server.iterators(table), server.iterators(other)
    pages = [server.streams.get_records(ShardIterator=text) for text in old.values()]
    assert server.call("ExpireIterators", TableName=table) == {}
    for text in [*old.values(), *(page["NextShardIterator"] for page in pages)]:
        assert not lives(server, text)
    for text in [*others.values(), *server.iterators(table).values()]:
        assert lives(server, text)


def test_the_iterators_of_one_shard_expire(server: Controlled) -> None:
    table = server.table()
    old = server.iterators(table)
    first, *rest = old
    assert server.call("ExpireIterators", TableName=table, ShardId=first) == {}
    assert [lives(server, old[shard]) for shard in (first, *rest)] == [False, *([True] * len(rest))]
    assert lives(server, server.iterators(table)[first])


def test_one_iterator_expires_alone(server: Controlled) -> None:
    table = server.table()
    arn = stream_of(server.ddb, table)
    shard = server.shards(table)[0]["ShardId"]
    one, other = (iterator_of(server.streams, arn, shard, "TRIM_HORIZON") for _ in range(2))
    assert server.call("ExpireIterators", ShardIterator=one) == {}
    assert (lives(server, one), lives(server, other)) == (False, True)
    assert server.call("ExpireIterators", ShardIterator=one) == {}


def test_stepping_the_clock_revives_none_and_expires_none(server: Controlled) -> None:
    """What was issued before a call and what after it does not hang on what time it was."""
    table = server.table()
    old = server.iterators(table)
    server.call("ExpireIterators", TableName=table)
    now_ms = server.call("MoveClock")["Now"]
    server.call("MoveClock", To=now_ms - HOUR_MS)
    new = server.iterators(table)
    assert not any(lives(server, text) for text in old.values())
    assert all(lives(server, text) for text in new.values())
    server.call("MoveClock", To=now_ms)


def test_the_stream_of_a_disabled_table_and_a_table_of_another_region(
    server: Controlled, refused: Callable[..., str]
) -> None:
    table = server.table()
    old = server.iterators(table)
    server.ddb.update_table(TableName=table, StreamSpecification={"StreamEnabled": False})
    server.call("ExpireIterators", TableName=table)
    assert not any(lives(server, text) for text in old.values())

    there = server.table(region="eu-west-1")
    streams = connect(server.url, "dynamodbstreams", "eu-west-1")
    arn = stream_of(connect(server.url, "dynamodb", "eu-west-1"), there)
    shard = streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"][0]["ShardId"]
    iterator = iterator_of(streams, arn, shard, "LATEST")
    code, _ = server.refused("ExpireIterators", {"TableName": there})
    assert code == "ResourceNotFoundException"
    server.call("ExpireIterators", TableName=there, Region="eu-west-1")
    refused(EXPIRED, streams.get_records, ShardIterator=iterator)
