"""TrimShards: types of members, refusals with their texts, and records that nobody reads again."""

from collections.abc import Callable
from typing import Any

import pytest

from wire.clients import iterator_of, records_from, stream_of
from wire.control.conftest import HOUR_MS, Controlled
from wire.control.consumers import closed_shard
from wire.control.shard_refusals import BROKEN, NO_SHARD, NOWHERE, WRONG_TYPES

TRIMMED = "TrimmedDataAccessException"


def names(server: Controlled, table: str) -> list[str]:
    """Return the keys of all records from the trim horizon of every shard on."""
    return sorted(
        record["dynamodb"]["Keys"]["pk"]["S"]
        for iterator in server.iterators(table).values()
        for record in records_from(server.streams, iterator)
    )


# --- serialisation


@pytest.mark.parametrize(("body", "text"), WRONG_TYPES)
def test_wrong_json_types(server: Controlled, body: dict[str, Any], text: str) -> None:
    assert server.refused("TrimShards", body) == ("SerializationException", text)


# --- validation


@pytest.mark.parametrize(("body", "text"), BROKEN)
def test_broken_constraints(server: Controlled, body: dict[str, Any], text: str) -> None:
    assert server.refused("TrimShards", body) == ("ValidationException", text)


def test_what_is_not_there(server: Controlled) -> None:
    plain, table = server.table(view_type=None), server.table()
    code, _ = server.refused("TrimShards", {"TableName": "nowhere"})
    assert code == "ResourceNotFoundException"
    assert server.refused("TrimShards", {"TableName": plain}) == (
        "ValidationException",
        f"Table has no enabled stream: TableName: {plain}",
    )
    code, text = server.refused("TrimShards", {"TableName": table, "ShardId": NOWHERE})
    assert (code, text) == ("ResourceNotFoundException", NO_SHARD)


# --- behaviour


def test_what_was_written_is_trimmed_and_what_comes_after_is_not(server: Controlled) -> None:
    table = server.table()
    server.put(table, *"abcd")
    assert names(server, table) == list("abcd")
    trimmed = server.call("TrimShards", TableName=table)["Shards"]
    assert trimmed == [shard["ShardId"] for shard in server.shards(table)]
    assert names(server, table) == []
    server.put(table, *"ef")
    assert names(server, table) == list("ef")


def test_a_reader_that_is_owed_what_was_trimmed_is_told(
    server: Controlled, refused: Callable[..., str]
) -> None:
    """One in the middle of a shard is; one at its end, or at the horizon, reads on."""
    table = server.table()
    server.put(table, "same")
    arn = stream_of(server.ddb, table)
    shard = next(
        shard
        for shard, iterator in server.iterators(table).items()
        if records_from(server.streams, iterator)
    )
    server.put(table, "same", "same")
    at_horizon = server.iterators(table)[shard]
    behind = server.streams.get_records(ShardIterator=at_horizon, Limit=1)
    number = behind["Records"][0]["dynamodb"]["SequenceNumber"]
    at_end = iterator_of(server.streams, arn, shard, "LATEST")
    server.call("TrimShards", TableName=table, ShardId=shard)
    owed = behind["NextShardIterator"]
    assert refused(TRIMMED, server.streams.get_records, ShardIterator=owed) == (
        "The data you are trying to access has been trimmed"
    )
    refused(
        TRIMMED,
        server.streams.get_shard_iterator,
        StreamArn=arn,
        ShardId=shard,
        ShardIteratorType="AT_SEQUENCE_NUMBER",
        SequenceNumber=number,
    )
    server.put(table, "same")
    for iterator in (at_horizon, at_end):
        assert len(records_from(server.streams, iterator)) == 1


def test_only_the_shard_that_is_named_is_trimmed(server: Controlled) -> None:
    table = server.table()
    server.put(table, *(f"item-{n}" for n in range(32)))
    counts = {
        shard: len(records_from(server.streams, iterator))
        for shard, iterator in server.iterators(table).items()
    }
    first = next(iter(counts))
    assert server.call("TrimShards", TableName=table, ShardId=first) == {"Shards": [first]}
    assert len(names(server, table)) == 32 - counts[first]
    assert counts[first] > 0


@pytest.mark.parametrize("action", ["RollShards", "SplitShard", "TrimShards", "ExpireIterators"])
def test_a_shard_that_has_expired_is_there_for_no_action(server: Controlled, action: str) -> None:
    """Though whoever holds an iterator of it may still be told of its end."""
    table = server.table()
    shard = closed_shard(server, table, "a")
    server.call("MoveClock", Milliseconds=24 * HOUR_MS + 1)
    assert server.refused(action, {"TableName": table, "ShardId": shard}) == (
        "ResourceNotFoundException",
        NO_SHARD,
    )
    listed = [each["ShardId"] for each in server.shards(table)]
    assert shard not in listed
    assert server.call("TrimShards", TableName=table) == {"Shards": listed}
