"""A server that is killed in the middle of its background work finishes it in a later life.

The writers of `fault.load` go on meanwhile. Seeded as in `test_kill`.
"""

import os
import random
import time
from collections import Counter
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from fault.load import Writer, running, wait_for_writes, wait_until
from fault.observer import KEY, MARK, all_items, all_records, create_table
from fault.raw_client import RawClient
from server_process import ServerProcess

SEED = int(os.environ.get("PENSTOCK_SEED", "20261001"))
TABLE = "fault"
INDEX = "by-mark"
ITEMS = 5000
KILLS = 3
LOOK = ("--ttl-interval-seconds", "1")
SERVICE = {"PrincipalId": "dynamodb.amazonaws.com", "Type": "Service"}


def fill(client: RawClient, **more: Any) -> None:
    """Put the items that are there before; the writers know some of them."""
    names = [f"item-{number}" for number in range(ITEMS)]
    for start in range(0, ITEMS, 25):
        puts = [
            {"PutRequest": {"Item": {KEY: {"S": name}, MARK: {"S": f"old-{name}"}, **more}}}
            for name in names[start : start + 25]
        ]
        client.call("BatchWriteItem", RequestItems={TABLE: puts})


def create_index(client: RawClient) -> None:
    """Have an index on the writers' marks made."""
    create = {
        "IndexName": INDEX,
        "KeySchema": [{"AttributeName": MARK, "KeyType": "HASH"}],
        "Projection": {"ProjectionType": "ALL"},
    }
    client.call(
        "UpdateTable",
        TableName=TABLE,
        AttributeDefinitions=[{"AttributeName": MARK, "AttributeType": "S"}],
        GlobalSecondaryIndexUpdates=[{"Create": create}],
    )


def index_shown(client: RawClient) -> dict[str, Any]:
    """Return the index's description."""
    table = client.call("DescribeTable", TableName=TABLE)["Table"]
    (index,) = table["GlobalSecondaryIndexes"]
    shown: dict[str, Any] = index
    return shown


def in_index(client: RawClient) -> list[dict[str, Any]]:
    """Return all entries of the index."""
    entries: list[dict[str, Any]] = []
    start: dict[str, Any] = {}
    while True:
        page = client.call("Scan", TableName=TABLE, IndexName=INDEX, **start)
        entries += page["Items"]
        if "LastEvaluatedKey" not in page:
            return entries
        start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}


def by_key(items: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return items by their keys, each of which is there once."""
    found = {item[KEY]["S"]: item for item in items}
    assert len(found) == len(items)
    return found


@pytest.mark.slow
def test_an_index_is_whole_after_kills_while_it_was_filled(tmp_path: Path) -> None:
    """Whatever was filled, written or deleted in which life: it is the table in another order."""
    print(f"seed {SEED}")
    chance = random.Random(SEED)
    data = tmp_path / "store"
    keys = [f"item-{number}" for number in range(0, ITEMS, ITEMS // 20)]
    statuses = []
    with ServerProcess.on(data) as server, RawClient(server.port) as client:
        create_table(client, TABLE)
        fill(client)
        server.kill()
    for life in range(KILLS + 1):
        writers = [Writer(f"{life}.{n}", TABLE, keys, f"{chance.random()}") for n in range(4)]
        with (
            ServerProcess.on(data) as server,
            RawClient(server.port) as client,
            running(server.port, *writers),
        ):
            if life == 0:
                create_index(client)
            if life < KILLS:
                wait_for_writes(writers, chance.randint(5, 60))
                statuses.append(index_shown(client)["IndexStatus"])
                server.kill()
            else:
                wait_until(lambda: index_shown(client)["IndexStatus"] == "ACTIVE", "ACTIVE")
        assert [writer.failures for writer in writers] == [[], [], [], []]
    assert "CREATING" in statuses, "no kill came before the index was filled"
    with ServerProcess.on(data) as server, RawClient(server.port) as client:
        items = by_key(all_items(client, TABLE))
        assert by_key(in_index(client)) == items
        assert index_shown(client)["ItemCount"] == len(items)
        server.stop()
        assert server.stderr == ""


def _holds_less(client: RawClient, items: int) -> bool:
    return len(all_items(client, TABLE)) < items


@pytest.mark.slow
def test_what_expires_goes_once_whatever_kills_there_are(tmp_path: Path) -> None:
    """Each expired item has one record of its end, by the service; the others are left alone."""
    data = tmp_path / "store"
    past = {"ends": {"N": str(int(time.time()) - 60)}}
    lasting = {KEY: {"S": "lasting"}, "ends": {"N": str(int(time.time()) + 86_400)}}
    counts = []
    with ServerProcess.on(data, *LOOK) as server, RawClient(server.port) as client:
        create_table(client, TABLE)
        fill(client, **past)
        client.call("PutItem", TableName=TABLE, Item=lasting)
        specification = {"Enabled": True, "AttributeName": "ends"}
        client.call("UpdateTimeToLive", TableName=TABLE, TimeToLiveSpecification=specification)
        server.kill()
    for left in (ITEMS, ITEMS * 3 // 4, ITEMS // 2, 2):
        with ServerProcess.on(data, *LOOK) as server, RawClient(server.port) as client:
            wait_until(partial(_holds_less, client, left), f"below {left}")
            counts.append(len(all_items(client, TABLE)))
            server.kill()
    assert any(1 < count < ITEMS for count in counts), "no kill came between two deletes"
    with ServerProcess.on(data) as server, RawClient(server.port) as client:
        assert all_items(client, TABLE) == [lasting]
        records = [r for shard in all_records(client, TABLE).values() for r in shard]
        removed = Counter(
            record["dynamodb"]["Keys"][KEY]["S"]
            for record in records
            if record["eventName"] == "REMOVE" and record["userIdentity"] == SERVICE
        )
        assert removed == Counter(f"item-{number}" for number in range(ITEMS))
        server.stop()
        assert server.stderr == ""
