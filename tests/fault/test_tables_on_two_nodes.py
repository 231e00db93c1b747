"""What one node does to a table holds on another one at once: nothing is written or read stale.

The other node is busy with the same table meanwhile, so it has at hand whatever it may keep of it.
"""

import random
import threading
import time
from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import pytest

from fault.load import Writer, running, wait_until
from fault.nodes import Nodes
from fault.observer import (
    KEY,
    MARK,
    all_items,
    all_records,
    all_shards,
    create_table,
    shard_ids,
    stream_arn,
)
from fault.promises import writes_of
from fault.raw_client import RawClient, Refused
from fault.reading import Reading
from fault.surgery import Surgery, wrong_lines, wrong_ranges
from penstock.testing.checkers import lost_writes, wrong_fold, wrong_records
from postgres.schemas import Schemas

TABLE = "fault"
KEYS = [f"item-{number}" for number in range(36)]
ROUNDS = 12
BUSY = 3
WRITERS = 16
SPLITS, ROLLS = 6, 6
NOT_THERE = "ResourceNotFoundException"


@pytest.fixture
def nodes(postgres_schemas: Schemas, tmp_path: Path) -> Iterator[Nodes]:
    """Two nodes, whose time and shards a test may move."""
    with Nodes(postgres_schemas.new_url(), tmp_path, "--test-controls", "on") as made:
        made.start("a")
        made.start("b")
        yield made


class Busy:
    """Writes to a table and describes it without end, and takes it that it is not there.

    `ended` says when the answer to a write came, by its mark.
    """

    def __init__(self, name: str) -> None:
        self.began: dict[str, float] = {}
        self.ended: dict[str, float] = {}
        self._name = name

    def run(self, port: int, stop: threading.Event) -> None:
        """Work until `stop` is set."""
        with RawClient(port) as client:
            while not stop.is_set():
                mark = f"{self._name}-{len(self.began)}"
                self.began[mark] = time.monotonic()
                try:
                    put(client, f"busy-{self._name}", mark)
                    client.call("DescribeTable", TableName=TABLE)
                except Refused as refused:
                    assert refused.code == NOT_THERE, refused
                finally:
                    self.ended[mark] = time.monotonic()


def put(client: RawClient, key: str, mark: str) -> None:
    client.call("PutItem", TableName=TABLE, Item={KEY: {"S": key}, MARK: {"S": mark}})


def refusal_of(call: Callable[..., Any], *arguments: Any, **parameters: Any) -> str:
    """Return the code of the error that a call gives, nothing where it gives none."""
    try:
        call(*arguments, **parameters)
    except Refused as refused:
        return refused.code
    return ""


@pytest.mark.slow
def test_a_table_that_was_deleted_and_made_again_is_another_one_everywhere(nodes: Nodes) -> None:
    """No write lands in the old one, and nothing of that is seen in the new one."""
    busy = [Busy(f"{n}") for n in range(BUSY)]
    one, other = RawClient(nodes.port("a")), RawClient(nodes.port("b"))
    with one, other, running(nodes.port("b"), *busy):
        for turn in range(ROUNDS):
            create_began = time.monotonic()
            create_table(one, TABLE)
            put(other, "own", f"own-{turn}")
            found = {item[KEY]["S"]: item[MARK]["S"] for item in all_items(other, TABLE)}
            assert found.pop("own") == f"own-{turn}"
            for mark in found.values():
                asked = next(each for each in busy if mark in each.began)
                assert asked.ended.get(mark, create_began) >= create_began
            time.sleep(0.02 * (turn % 3))
            one.call("DeleteTable", TableName=TABLE)
            key = {KEY: {"S": "own"}}
            codes = [
                refusal_of(other.call, "GetItem", TableName=TABLE, Key=key, ConsistentRead=True),
                refusal_of(put, other, "own", "late"),
                refusal_of(other.call, "DescribeTable", TableName=TABLE),
            ]
            assert codes == [NOT_THERE] * 3
            assert other.call("ListTables")["TableNames"] == []
    assert all(len(each.ended) > ROUNDS for each in busy)


@pytest.mark.slow
def test_a_stream_that_is_turned_on_has_every_write_after_that_by_any_node(nodes: Nodes) -> None:
    """And none after it was turned off."""
    busy = [Busy(f"{n}") for n in range(BUSY)]
    one, other = RawClient(nodes.port("a")), RawClient(nodes.port("b"))
    with one, other:
        create_table(one, TABLE, streamed=False)
        with running(nodes.port("b"), *busy):
            for turn in range(ROUNDS):
                on = {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}
                one.call("UpdateTable", TableName=TABLE, StreamSpecification=on)
                put(other, "own", f"in-{turn}")
                one.call(
                    "UpdateTable", TableName=TABLE, StreamSpecification={"StreamEnabled": False}
                )
                put(other, "own", f"out-{turn}")
                marks = [
                    record["dynamodb"]["NewImage"][MARK]["S"]
                    for record in chain.from_iterable(all_records(other, TABLE).values())
                    if record["dynamodb"]["Keys"][KEY]["S"] == "own"
                ]
                assert marks == [f"in-{turn}"]


@pytest.mark.slow
def test_what_is_changed_of_a_table_is_shown_by_every_node_at_once(nodes: Nodes) -> None:
    """Whatever a node has read of it a moment ago."""
    one, other = RawClient(nodes.port("a")), RawClient(nodes.port("b"))
    with one, other:
        create_table(one, TABLE, streamed=False)
        busy = [Busy(f"{n}") for n in range(BUSY)]
        with running(nodes.port("b"), *busy):
            for turn in range(ROUNDS):
                view = ["KEYS_ONLY", "NEW_IMAGE"][turn % 2]
                on = {"StreamEnabled": True, "StreamViewType": view}
                one.call("UpdateTable", TableName=TABLE, StreamSpecification=on)
                assert table_shown(other)["StreamSpecification"] == on
                off = {"StreamEnabled": False}
                one.call("UpdateTable", TableName=TABLE, StreamSpecification=off)
                assert "StreamSpecification" not in table_shown(other)


def table_shown(client: RawClient) -> dict[str, Any]:
    """Return what a node shows of the table."""
    shown: dict[str, Any] = client.call("DescribeTable", TableName=TABLE)["Table"]
    return shown


@pytest.mark.slow
def test_splits_and_rolls_by_one_node_lose_nothing_that_the_other_writes(nodes: Nodes) -> None:
    """Read by each node, to the end of every shard, parents before children."""
    chance = random.Random(20261001)
    ports = [nodes.port("a"), nodes.port("b")]
    with RawClient(ports[0]) as client:
        create_table(client, TABLE)
        arn = stream_arn(client, TABLE)
        first = shard_ids(client, arn)
    surgery = Surgery(TABLE, arn, f"{chance.random()}", splits=SPLITS, rolls=ROLLS)
    writers = [
        Writer(f"w{n}", TABLE, KEYS, f"{chance.random()}", transactions=True)
        for n in range(WRITERS)
    ]
    readings = [Reading(arn, f"{n}", follow_children=bool(n)) for n in range(2)]
    with running(ports[0], readings[0]), running(ports[1], readings[1]):
        with running(ports[0], *writers[::4]), running(ports[1], *writers[1::4], *writers[2::4]):
            while surgery.kinds:
                surgery.perform(ports[len(surgery.kinds) % 4 == 0], writers, 1)
        with RawClient(ports[0]) as client:
            off = {"StreamEnabled": False}
            client.call("UpdateTable", TableName=TABLE, StreamSpecification=off)
        wait_until(lambda: all(reading.ended for reading in readings), "read to the end")
    writes = writes_of(writers)
    for port, reading in zip(ports, readings, strict=True):
        with RawClient(port) as client:
            items, shards = all_items(client, TABLE), all_shards(client, arn)
        records = list(chain.from_iterable(page.records for page in reading.pages))
        assert reading.lost == []
        assert lost_writes(writes, items, [KEY], MARK) == []
        assert wrong_records(writes, records, MARK) == []
        assert wrong_fold(records, items, [KEY]) == []
        assert wrong_lines(reading.pages, shards) == []
        assert wrong_ranges(shards) == []
        assert len(shards) > len(first) + SPLITS + ROLLS
