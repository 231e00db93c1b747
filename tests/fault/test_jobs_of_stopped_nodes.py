"""What runs beside the requests while the node that does it is stopped, and when it wakes again.

A lease ends by itself, so another node takes the jobs over. For a moment after it wakes the first
one may still believe that they are its own; whatever both do is done once.
"""

import signal
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from fault.load import wait_until
from fault.nodes import Nodes, await_true
from fault.observer import KEY, all_items, all_records, create_table
from fault.raw_client import RawClient
from penstock.base import limits
from postgres.schemas import Schemas

TABLE = "fault"
ITEMS = 40
INDEXED = 400
TURNS = 3
TAKEN_OVER_SECONDS_MAX = limits.lease_ms / 1000 * 2 + 10.0


@pytest.fixture
def nodes(postgres_schemas: Schemas, tmp_path: Path) -> Iterator[Nodes]:
    """Two nodes that look for items whose time is over every second."""
    with Nodes(postgres_schemas.new_url(), tmp_path, "--ttl-interval-seconds", "1") as made:
        made.start("a")
        made.start("b")
        yield made


@pytest.mark.slow
def test_items_whose_time_is_over_go_once_whichever_node_is_stopped(nodes: Nodes) -> None:
    """Each has one removal in the stream, though two nodes may remove at once."""
    put: set[str] = set()
    names = ["a", "b"]
    with RawClient(nodes.port("a")) as client:
        create_table(client, TABLE)
        live = {"Enabled": True, "AttributeName": "ends"}
        client.call("UpdateTimeToLive", TableName=TABLE, TimeToLiveSpecification=live)
    for turn in range(TURNS):
        stopped, other = names[turn % 2], names[(turn + 1) % 2]
        nodes.running[stopped].send_signal(signal.SIGSTOP)
        with RawClient(nodes.port(other)) as client:
            for n in range(ITEMS):
                key = f"{turn}-{n}"
                ends = int(time.time()) + n % 5
                item = {KEY: {"S": key}, "ends": {"N": str(ends)}}
                client.call("PutItem", TableName=TABLE, Item=item)
                put.add(key)
            await_true(
                lambda: not all_items(client, TABLE),
                TAKEN_OVER_SECONDS_MAX,
                "all items are gone",
            )
            for n in range(ITEMS):  # and some to be found by whoever is quicker
                key = f"{turn}+{n}"
                item = {KEY: {"S": key}, "ends": {"N": str(int(time.time()) - 1)}}
                client.call("PutItem", TableName=TABLE, Item=item)
                put.add(key)
            nodes.running[stopped].send_signal(signal.SIGCONT)
    with RawClient(nodes.port("b")) as client:
        wait_until(lambda: not all_items(client, TABLE), "all items to go")
        records = [each for shard in all_records(client, TABLE).values() for each in shard]
    removed = [record for record in records if record["eventName"] == "REMOVE"]
    counts = Counter(record["dynamodb"]["Keys"][KEY]["S"] for record in removed)
    assert counts == dict.fromkeys(put, 1)
    assert all(record["userIdentity"]["Type"] == "Service" for record in removed)


@pytest.mark.slow
def test_an_index_is_filled_though_each_node_is_stopped_or_killed_meanwhile(nodes: Nodes) -> None:
    """Every item is in it once, with what it holds in the end."""
    with RawClient(nodes.port("a")) as client:
        create_table(client, TABLE)
        for n in range(INDEXED):
            put_indexed(client, n, "before")
        create = {
            "IndexName": "by_kind",
            "KeySchema": [{"AttributeName": "kind", "KeyType": "HASH"}],
            "Projection": {"ProjectionType": "ALL"},
        }
        client.call(
            "UpdateTable",
            TableName=TABLE,
            AttributeDefinitions=[{"AttributeName": "kind", "AttributeType": "S"}],
            GlobalSecondaryIndexUpdates=[{"Create": create}],
        )
    nodes.running["a"].send_signal(signal.SIGSTOP)
    with RawClient(nodes.port("b")) as client:
        for n in range(0, INDEXED, 5):
            put_indexed(client, n, "after")
        nodes.running["a"].send_signal(signal.SIGCONT)
        nodes.kill("a")
        nodes.start("a")
        await_true(lambda: index_status(client) == "ACTIVE", TAKEN_OVER_SECONDS_MAX, "it is filled")
        found = {kind: queried(client, kind) for kind in ("before", "after")}
    after = {f"{n}" for n in range(0, INDEXED, 5)}
    assert found["after"] == sorted(after)
    assert found["before"] == sorted({f"{n}" for n in range(INDEXED)} - after)


def put_indexed(client: RawClient, number: int, kind: str) -> None:
    item = {KEY: {"S": f"{number}"}, "kind": {"S": kind}}
    client.call("PutItem", TableName=TABLE, Item=item)


def index_status(client: RawClient) -> str:
    shown = client.call("DescribeTable", TableName=TABLE)["Table"]["GlobalSecondaryIndexes"]
    status: str = shown[0]["IndexStatus"]
    return status


def queried(client: RawClient, kind: str) -> list[str]:
    """Return the keys of the items that an index has of a kind, sorted."""
    answer = client.call(
        "Query",
        TableName=TABLE,
        IndexName="by_kind",
        KeyConditionExpression="kind = :k",
        ExpressionAttributeValues={":k": {"S": kind}},
    )
    assert "LastEvaluatedKey" not in answer
    return sorted(item[KEY]["S"] for item in answer["Items"])
