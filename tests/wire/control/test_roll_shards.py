"""RollShards: types of members, refusals with their texts, and shards that succeed one another."""

from typing import Any

import pytest

from wire.clients import connect, records_from
from wire.control.conftest import HOUR_MS, Controlled
from wire.control.shard_refusals import BROKEN, NO_SHARD, NOWHERE, WRONG_TYPES

# --- serialisation


@pytest.mark.parametrize(("body", "text"), WRONG_TYPES)
def test_wrong_json_types(server: Controlled, body: dict[str, Any], text: str) -> None:
    assert server.refused("RollShards", body) == ("SerializationException", text)


# --- validation


@pytest.mark.parametrize(("body", "text"), BROKEN)
def test_broken_constraints(server: Controlled, body: dict[str, Any], text: str) -> None:
    assert server.refused("RollShards", body) == ("ValidationException", text)


def test_what_is_not_there_or_closed(server: Controlled) -> None:
    plain, table = server.table(view_type=None), server.table()
    assert server.refused("RollShards", {"TableName": "nowhere"}) == (
        "ResourceNotFoundException",
        "Requested resource not found: Table: nowhere not found",
    )
    assert server.refused("RollShards", {"TableName": plain}) == (
        "ValidationException",
        f"Table has no enabled stream: TableName: {plain}",
    )
    code, text = server.refused("RollShards", {"TableName": table, "ShardId": NOWHERE})
    assert (code, text) == ("ResourceNotFoundException", NO_SHARD)
    closed = server.call("RollShards", TableName=table)["Successions"][0]["Parent"]
    assert server.refused("RollShards", {"TableName": table, "ShardId": closed}) == (
        "ValidationException",
        f"The shard is closed: {closed}",
    )


# --- behaviour


def test_every_open_shard_has_one_child_after_it(server: Controlled) -> None:
    """What was written before is in the parents, what comes after in their children."""
    table = server.table()
    server.put(table, *"abcdefgh")
    parents = server.shards(table)
    successions = server.call("RollShards", TableName=table)["Successions"]
    assert [each["Parent"] for each in successions] == [shard["ShardId"] for shard in parents]
    children = {each["Children"][0]: each["Parent"] for each in successions}
    shown = {shard["ShardId"]: shard for shard in server.shards(table)}
    assert shown.keys() == {*children, *children.values()}
    for child, parent in children.items():
        assert shown[child]["ParentShardId"] == parent
        assert "EndingSequenceNumber" in shown[parent]["SequenceNumberRange"]
        assert "EndingSequenceNumber" not in shown[child]["SequenceNumberRange"]
    server.put(table, *"abcdefgh")
    read = {
        shard: [r["eventName"] for r in records_from(server.streams, iterator)]
        for shard, iterator in server.iterators(table).items()
    }
    for child, parent in children.items():
        assert read[parent] == ["INSERT"] * len(read[parent])
        assert read[child] == ["MODIFY"] * len(read[parent])
    assert sum(len(read[child]) for child in children) == 8


def test_one_shard_rolls_alone(server: Controlled) -> None:
    table = server.table()
    ids = [shard["ShardId"] for shard in server.shards(table)]
    (succession,) = server.call("RollShards", TableName=table, ShardId=ids[1])["Successions"]
    assert succession["Parent"] == ids[1]
    assert [shard["ShardId"] for shard in server.shards(table)] == sorted(
        [*ids, *succession["Children"]]
    )


def test_a_table_of_another_region_is_named_with_it(server: Controlled) -> None:
    table = server.table(region="eu-west-1")
    successions = server.call("RollShards", TableName=table, Region="eu-west-1")["Successions"]
    ddb = connect(server.url, "dynamodb", "eu-west-1")
    streams = connect(server.url, "dynamodbstreams", "eu-west-1")
    arn = ddb.describe_table(TableName=table)["Table"]["LatestStreamArn"]
    shards = streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]
    assert len(shards) == 2 * len(successions)


def test_a_shard_that_has_rolled_can_roll_on(server: Controlled) -> None:
    """Ten times at the same moment: ids and numbers stay in order."""
    table = server.table()
    for _ in range(10):
        server.call("RollShards", TableName=table)
    shards = server.shards(table)
    by_parent = {shard.get("ParentShardId"): shard for shard in shards}
    assert len(shards) == 11 * 4
    assert len({shard["ShardId"] for shard in shards}) == len(shards)
    lineage = [shard for shard in shards if "ParentShardId" not in shard][:1]
    while lineage[-1]["ShardId"] in by_parent:
        lineage.append(by_parent[lineage[-1]["ShardId"]])
    assert len(lineage) == 11
    starts = [int(s["SequenceNumberRange"]["StartingSequenceNumber"]) for s in lineage]
    assert starts == sorted(starts)
    server.call("MoveClock", Milliseconds=HOUR_MS)
    assert len(server.shards(table)) == len(shards)
