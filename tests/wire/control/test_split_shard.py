"""SplitShard: types of members, refusals with their texts, and shards with two children."""

from typing import Any

import pytest

from wire.clients import records_from
from wire.control.conftest import Controlled
from wire.control.shard_refusals import BROKEN, NO_SHARD, NOWHERE, WRONG_TYPES

# --- serialisation


@pytest.mark.parametrize(("body", "text"), WRONG_TYPES)
def test_wrong_json_types(server: Controlled, body: dict[str, Any], text: str) -> None:
    assert server.refused("SplitShard", body) == ("SerializationException", text)


# --- validation


@pytest.mark.parametrize(("body", "text"), BROKEN)
def test_broken_constraints(server: Controlled, body: dict[str, Any], text: str) -> None:
    assert server.refused("SplitShard", body) == ("ValidationException", text)


def test_what_is_not_there_or_closed(server: Controlled) -> None:
    plain, table = server.table(view_type=None), server.table()
    code, _ = server.refused("SplitShard", {"TableName": "nowhere"})
    assert code == "ResourceNotFoundException"
    assert server.refused("SplitShard", {"TableName": plain}) == (
        "ValidationException",
        f"Table has no enabled stream: TableName: {plain}",
    )
    code, text = server.refused("SplitShard", {"TableName": table, "ShardId": NOWHERE})
    assert (code, text) == ("ResourceNotFoundException", NO_SHARD)
    closed = server.call("SplitShard", TableName=table)["Successions"][0]["Parent"]
    assert server.refused("SplitShard", {"TableName": table, "ShardId": closed}) == (
        "ValidationException",
        f"The shard is closed: {closed}",
    )


# --- behaviour


def test_a_shard_has_two_children_that_share_its_items(server: Controlled) -> None:
    table = server.table()
    names = [f"item-{n}" for n in range(64)]
    server.put(table, *names)
    before = {
        shard: {r["dynamodb"]["Keys"]["pk"]["S"] for r in records_from(server.streams, iterator)}
        for shard, iterator in server.iterators(table).items()
    }
    (split,) = server.call("SplitShard", TableName=table)["Successions"]
    assert split["Parent"] in before
    assert len(split["Children"]) == 2
    server.put(table, *names)
    after = {
        shard: [r["dynamodb"]["Keys"]["pk"]["S"] for r in records_from(server.streams, iterator)]
        for shard, iterator in server.iterators(table).items()
    }
    left, right = (after[child] for child in split["Children"])
    assert left
    assert right
    assert sorted(left + right) == sorted(before[split["Parent"]])


def test_without_a_name_it_is_one_of_the_widest(server: Controlled) -> None:
    """So four splits split each of the four shards that there were."""
    table = server.table()
    ids = [shard["ShardId"] for shard in server.shards(table)]
    parents = [server.call("SplitShard", TableName=table)["Successions"][0]["Parent"] for _ in ids]
    assert sorted(parents) == ids


def test_the_shard_that_is_named_splits(server: Controlled) -> None:
    table = server.table()
    last = server.shards(table)[-1]["ShardId"]
    (split,) = server.call("SplitShard", TableName=table, ShardId=last)["Successions"]
    assert split["Parent"] == last
    (again,) = server.call("SplitShard", TableName=table, ShardId=split["Children"][1])[
        "Successions"
    ]
    shown = {shard["ShardId"]: shard for shard in server.shards(table)}
    assert [shown[child]["ParentShardId"] for child in again["Children"]] == (
        [split["Children"][1]] * 2
    )
