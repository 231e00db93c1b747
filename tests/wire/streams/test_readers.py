"""Two readers per shard and the documented rates, as boto3 sees them and as the server shows them.

The servers are of this process, so that no time passes in them but what a test lets pass; they do
not run against another URL.
"""

import json
import urllib.request
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from penstock.base.clock import Clock
from penstock.storage.rocksdb import RocksEngine
from penstock.testing.clock import FakeClock
from penstock.testing.server import RunningServer
from wire.clients import REGION, connect, iterator_of, shards_of, stream_of

READERS = "More than 2 processes are reading from the same streams shard at the same time."
RATE = "The stream is read at more than twice the write capacity of its table."

Refused = Callable[..., str]


class Counting(NamedTuple):
    """A server, its clock and clients of it."""

    url: str
    clock: FakeClock
    ddb: Any
    streams: Any

    def table(self, name: str, write_units: int | None = None) -> tuple[str, str]:
        """Make a table with a stream of one shard; return the stream's ARN and the shard's id."""
        capacity: dict[str, Any] = {"BillingMode": "PAY_PER_REQUEST"}
        if write_units is not None:
            units = {"ReadCapacityUnits": 1, "WriteCapacityUnits": write_units}
            capacity = {"ProvisionedThroughput": units}
        self.ddb.create_table(
            TableName=name,
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
            StreamSpecification={"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"},
            **capacity,
        )
        arn = stream_of(self.ddb, name)
        shard: str = shards_of(self.streams, arn)[0]["ShardId"]
        self.clock.advance(1000)  # so that no call before was too soon for those that follow
        return arn, shard

    def reader(self, arn: str, shard: str) -> "Following":
        """Return a new reader of that shard from its start."""
        return Following(self.streams, iterator_of(self.streams, arn, shard, "TRIM_HORIZON"))

    def page(self) -> dict[str, Any]:
        """Return what the server shows of its readers."""
        with urllib.request.urlopen(self.url + "/_penstock/readers", timeout=60) as answer:
            assert answer.headers["Content-Type"] == "application/json"
            shown: dict[str, Any] = json.load(answer)
            return shown

    def shown(self, arn: str) -> dict[str, Any]:
        """Return what it shows of the one shard of a stream."""
        (shown,) = (each for each in self.page()["Shards"] if each["StreamArn"] == arn)
        return dict(shown)


class Following:
    """A consumer that goes on from page to page."""

    def __init__(self, streams: Any, iterator: str) -> None:
        self._streams, self.iterator = streams, iterator

    def __call__(self, Limit: int = 1000) -> int:  # noqa: N803 - as the action has it
        """Read a page, and return how many records it has."""
        page = self._streams.get_records(ShardIterator=self.iterator, Limit=Limit)
        self.iterator = page["NextShardIterator"]
        return len(page["Records"])


def _serving(kind: str, throttling: bool, folder: Path) -> Iterator[Counting]:
    def rocks(clock: Clock) -> RocksEngine:
        return RocksEngine.open(folder / "store", clock)

    clock = FakeClock()
    make = rocks if kind == "rocksdb" else None
    with RunningServer(make, clock=clock, shards=1, throttling=throttling) as server:
        clients = (connect(server.url, name) for name in ("dynamodb", "dynamodbstreams"))
        yield Counting(server.url, clock, *clients)


@pytest.fixture(scope="module", params=["memory", "rocksdb"])
def throttled(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Counting]:
    """A server that throttles."""
    yield from _serving(request.param, True, tmp_path_factory.mktemp("throttled"))


@pytest.fixture(scope="module", params=["memory", "rocksdb"])
def free(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Counting]:
    """A server that does not throttle."""
    yield from _serving(request.param, False, tmp_path_factory.mktemp("free"))


def test_of_three_readers_two_go_on_and_the_third_is_refused(
    throttled: Counting, table_name: str, refused: Refused
) -> None:
    """It is let in once one of them has been away for two seconds."""
    arn, shard = throttled.table(table_name)
    first, second, third = (throttled.reader(arn, shard) for _ in range(3))
    for _ in range(3):
        assert (first(), second()) == (0, 0)
        assert refused("LimitExceededException", third) == READERS
        throttled.clock.advance(1000)
    assert throttled.shown(arn) == {
        "TableName": table_name,
        "StreamArn": arn,
        "ShardId": shard,
        "Readers": 2,
        "Calls": 9,
        "Records": 0,
        "Bytes": 0,
        "CallsBeyondReaders": 3,
        "CallsBeyondRate": 0,
        "CallsThrottled": 3,
    }
    assert second() == 0
    throttled.clock.advance(1000)
    assert third() == 0
    assert refused("LimitExceededException", first) == READERS


def test_readers_of_other_shards_are_not_in_the_way(throttled: Counting, table_name: str) -> None:
    for number in range(3):
        arn, shard = throttled.table(f"{table_name}.{number}")
        assert [throttled.reader(arn, shard)() for _ in range(2)] == [0, 0]


def test_without_throttling_a_third_reader_goes_on_and_is_counted(
    free: Counting, table_name: str
) -> None:
    arn, shard = free.table(table_name)
    for number in range(3):
        free.ddb.put_item(TableName=table_name, Item={"pk": {"S": str(number)}})
    assert [free.reader(arn, shard)() for _ in range(3)] == [3, 3, 3]
    shown = free.shown(arn)
    assert (shown["Readers"], shown["Records"], shown["CallsBeyondReaders"]) == (3, 9, 1)
    assert shown["CallsThrottled"] == 0
    assert shown["Bytes"] > 9 * 100


def test_what_answers_with_an_error_is_a_call_that_brought_nothing(
    free: Counting, table_name: str, refused: Refused
) -> None:
    """An iterator that is none reaches no shard, and is not counted."""
    arn, shard = free.table(table_name)
    reader = free.reader(arn, shard)
    refused("ValidationException", free.streams.get_records, ShardIterator="garbage")
    refused("ValidationException", reader, Limit=1001)
    assert [each for each in free.page()["Shards"] if each["StreamArn"] == arn] == []
    assert reader() == 0
    assert free.shown(arn)["Calls"] == 1


def test_a_provisioned_tables_stream_is_read_at_twice_its_write_capacity(
    throttled: Counting, table_name: str, refused: Refused
) -> None:
    """One unit is two records a second; five minutes of them are there at first."""
    arn, shard = throttled.table(table_name, write_units=1)
    throttled.clock.advance(300_000)
    throttled.ddb.batch_write_item(RequestItems={table_name: puts(25)})
    start = {"ShardIterator": throttled.reader(arn, shard).iterator}
    read = throttled.streams.get_records
    for _ in range(600 // 25):
        assert len(read(**start)["Records"]) == 25
    assert refused("LimitExceededException", read, **start) == RATE
    throttled.clock.advance(1)
    assert len(read(**start)["Records"]) == 25
    throttled.clock.advance(12_000)
    assert refused("LimitExceededException", read, **start) == RATE
    throttled.clock.advance(1000)
    assert len(read(**start)["Records"]) == 25
    shown = throttled.shown(arn)
    assert (shown["Calls"], shown["Records"]) == (28, 26 * 25)
    assert (shown["CallsBeyondRate"], shown["CallsThrottled"]) == (2, 2)


@pytest.mark.parametrize("end", ["deleted", "disabled", "another"])
def test_a_stream_that_its_table_has_no_more_has_no_rate(
    throttled: Counting, table_name: str, end: str
) -> None:
    """Nobody writes to it: what it holds is read as fast as may be."""
    arn, shard = throttled.table(table_name, write_units=1)
    throttled.clock.advance(300_000)
    throttled.ddb.batch_write_item(RequestItems={table_name: puts(25)})
    start = {"ShardIterator": throttled.reader(arn, shard).iterator}
    if end == "deleted":
        throttled.ddb.delete_table(TableName=table_name)
    else:
        switch = partial(throttled.ddb.update_table, TableName=table_name)
        switch(StreamSpecification={"StreamEnabled": False})
        if end == "another":
            switch(StreamSpecification={"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"})
    for _ in range(2 * 600 // 25):
        assert len(throttled.streams.get_records(**start)["Records"]) == 25


@pytest.mark.parametrize(("action", "rate"), [("ListStreams", 5), ("DescribeStream", 10)])
def test_calls_beyond_the_documented_rate_are_refused(
    throttled: Counting, table_name: str, refused: Refused, action: str, rate: int
) -> None:
    """Those of another region are not touched by it."""
    arn, _ = throttled.table(table_name)
    calls: dict[str, Callable[[Any], Any]] = {
        "ListStreams": lambda streams: streams.list_streams(TableName=table_name),
        "DescribeStream": lambda streams: streams.describe_stream(StreamArn=arn),
    }
    call = calls[action]
    before = action_shown(throttled, action)
    for _ in range(rate):
        call(throttled.streams)
    assert refused("ThrottlingException", lambda: call(throttled.streams)) == "Rate exceeded"
    connect(throttled.url, "dynamodbstreams", "eu-west-1").list_streams()
    throttled.clock.advance(1000 // rate)
    call(throttled.streams)
    after = action_shown(throttled, action)
    assert {name: after[name] - before[name] for name in after} == {
        "Calls": rate + 2,
        "CallsBeyondRate": 1,
        "CallsThrottled": 1,
    }


def test_without_throttling_calls_beyond_the_rate_are_counted_only(
    free: Counting, table_name: str
) -> None:
    before = action_shown(free, "ListStreams")
    free.clock.advance(1000)
    for _ in range(7):
        free.streams.list_streams(TableName=table_name)
    after = action_shown(free, "ListStreams")
    assert after["Calls"] == before["Calls"] + 7
    assert after["CallsBeyondRate"] == before["CallsBeyondRate"] + 2
    assert after["CallsThrottled"] == 0


def action_shown(server: Counting, action: str) -> dict[str, int]:
    """Return what the server shows of an action in the tests' region."""
    counts = {"Calls": 0, "CallsBeyondRate": 0, "CallsThrottled": 0}
    for each in server.page()["Actions"]:
        if (each["Action"], each["Region"]) == (action, REGION):
            counts = {name: each[name] for name in counts}
    return counts


def puts(count: int) -> list[dict[str, Any]]:
    """Return so many puts of a batch."""
    return [{"PutRequest": {"Item": {"pk": {"S": str(number)}}}} for number in range(count)]
