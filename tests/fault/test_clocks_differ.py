"""Nodes whose clocks differ by seconds, and step meanwhile: nobody notices in what is promised."""

import random
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fault.cluster_load import TABLE, ClusterLoad
from fault.load import StreamReader, running, wait_until
from fault.nodes import Nodes
from fault.observer import KEY, MARK, all_records, create_table, first_iterator, stream_arn
from fault.raw_client import RawClient
from penstock.app.control_client import ControlClient
from postgres.schemas import Schemas

SHIFTS_S = {"a": 0, "b": 25, "c": -17}
STEPS = 8
STEP_S = (-30, 30)
STAMPS_AHEAD_MIN_S = 10


@pytest.fixture
def nodes(postgres_schemas: Schemas, tmp_path: Path) -> Iterator[Nodes]:
    """Three nodes, of which two have the wrong time."""
    with Nodes(postgres_schemas.new_url(), tmp_path, "--test-controls", "on") as made:
        for name, shift_s in SHIFTS_S.items():
            made.start(name)
            set_clock(made, name, shift_s)
        yield made


def set_clock(nodes: Nodes, name: str, shift_s: float) -> None:
    """Step a node's clock to so many seconds from the true time."""
    control = ControlClient(f"http://127.0.0.1:{nodes.port(name)}")
    control.set_clock(int((time.time() + shift_s) * 1000))


class Hopping:
    """Has a reader of a stream go to another node for every page."""

    def __init__(self, reader: StreamReader, nodes: Nodes) -> None:
        self.reader = reader
        self._nodes = nodes

    def run(self, port: int, stop: threading.Event) -> None:
        """Read until `stop` is set; `port` says nothing here."""
        clients = [RawClient(each) for each in self._nodes.ports]
        begun = threading.Event()
        begun.set()
        self.reader.run(self._nodes.ports[0], begun)  # it has its iterators, and stops
        while not stop.is_set():
            for client in clients:
                self.reader.read_once(client)
        for client in clients:
            client.close()


@pytest.mark.slow
def test_clocks_that_differ_and_step_break_no_promise(nodes: Nodes) -> None:
    """Writers, readers and witnesses are at three nodes; some readers use an iterator on all."""
    chance = random.Random(20261001)
    load = ClusterLoad(nodes, writers=18)
    hopping = [Hopping(StreamReader(TABLE), nodes) for _ in range(2)]
    with load.running(), running(0, *hopping):
        load.let_write(200)
        for _ in range(STEPS):
            set_clock(nodes, chance.choice("abc"), chance.uniform(*STEP_S))
            load.let_write(60)
        seen = [reader.watch.records_seen for reader in load.readers]
        wait_until(
            lambda: all(h.reader.watch.records_seen >= max(seen) for h in hopping),
            "readers of all nodes to be as far",
        )
    assert load.doubtful == 0
    load.readers += [each.reader for each in hopping]
    load.check()


@pytest.mark.slow
def test_what_a_node_ahead_has_made_is_there_for_one_behind(nodes: Nodes) -> None:
    """A table, a stream, a record and an iterator, of a time that is yet to come there."""
    with RawClient(nodes.port("b")) as ahead, RawClient(nodes.port("c")) as behind:
        create_table(ahead, TABLE)
        assert status(behind) == "ACTIVE"
        arn = stream_arn(behind, TABLE)
        for n, client in enumerate((ahead, behind, ahead, behind)):
            put(client, f"{n}")
        for client in (ahead, behind):
            (records,) = [found for found in all_records(client, TABLE).values() if found]
            assert [mark_of(record) for record in records] == ["0", "1", "2", "3"]
            numbers = [int(record["dynamodb"]["SequenceNumber"]) for record in records]
            assert numbers == sorted(numbers)
            created_s = [r["dynamodb"]["ApproximateCreationDateTime"] for r in records]
            assert created_s == sorted(created_s)
            assert created_s[0] > time.time() + STAMPS_AHEAD_MIN_S
        shown = behind.call("DescribeStream", StreamArn=arn)["StreamDescription"]
        assert shown["StreamStatus"] == "ENABLED"
        for shard in shown["Shards"]:
            iterator = first_iterator(ahead, arn, shard["ShardId"])
            behind.call("GetRecords", ShardIterator=iterator)
        off = {"StreamEnabled": False}
        ahead.call("UpdateTable", TableName=TABLE, StreamSpecification=off)
        shown = behind.call("DescribeStream", StreamArn=arn)["StreamDescription"]
        assert shown["StreamStatus"] == "DISABLED"
        ahead.call("DeleteTable", TableName=TABLE)
        assert behind.call("ListTables")["TableNames"] == []
        create_table(behind, TABLE)
        assert status(ahead) == "ACTIVE"
        assert stream_arn(ahead, TABLE) != arn


def status(client: RawClient) -> str:
    shown: str = client.call("DescribeTable", TableName=TABLE)["Table"]["TableStatus"]
    return shown


def put(client: RawClient, mark: str) -> None:
    client.call("PutItem", TableName=TABLE, Item={KEY: {"S": "one"}, MARK: {"S": mark}})


def mark_of(record: dict[str, Any]) -> str:
    mark: str = record["dynamodb"]["NewImage"][MARK]["S"]
    return mark
