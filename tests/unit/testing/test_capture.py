"""A capture follows one table's stream through all that becomes of it."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest

from penstock.operations.control.faults import OBSERVER
from penstock.testing import inserted, modified, removed
from penstock.testing.capture import Capture
from penstock.testing.local_server import LocalServer
from penstock.testing.stream_tables import StreamTables

UNITS = {"ReadCapacityUnits": 10, "WriteCapacityUnits": 10}


class Ground(NamedTuple):
    """A server, a table of it, and a capture of that."""

    server: LocalServer
    table: Any
    capture: Capture

    def put(self, *numbers: int) -> None:
        for n in numbers:
            self.table.put_item(Item={"id": "a", "n": n})

    def numbers(self) -> list[Any]:
        return [change.image["n"] for change in self.capture.changes()]

    def enable(self, enabled: bool) -> None:
        view = {"StreamViewType": "NEW_AND_OLD_IMAGES"} if enabled else {}
        self.table.update(StreamSpecification={"StreamEnabled": enabled, **view})


@pytest.fixture(scope="module")
def server() -> Iterator[LocalServer]:
    with LocalServer() as server:
        yield server


@pytest.fixture
def ground(server: LocalServer, request: pytest.FixtureRequest) -> Iterator[Ground]:
    tables = StreamTables(server.resource(), request.node.name)
    table = tables.make()
    streams = server.client("dynamodbstreams", consumer=OBSERVER)
    yield Ground(server, table, Capture(server.client(), streams, table.name))
    tables.delete_all()


def test_it_reads_on_each_time_and_keeps_what_it_has_read(ground: Ground) -> None:
    assert ground.numbers() == []
    ground.put(1)
    assert ground.numbers() == [1]
    ground.put(2, 3)
    assert ground.numbers() == [1, 2, 3]
    ground.server.control.trim(ground.table.name)
    ground.put(4)
    assert ground.numbers() == [1, 2, 3, 4]


def test_it_follows_an_item_through_rolls_and_splits(ground: Ground) -> None:
    for n in range(0, 9, 3):
        ground.put(n)
        ground.server.control.split(ground.table.name)
        ground.put(n + 1)
        ground.server.control.roll(ground.table.name)
        ground.put(n + 2)
    assert ground.numbers() == list(range(9))


def test_clearing_leaves_out_what_came_so_far(ground: Ground) -> None:
    ground.put(1)
    ground.capture.clear()
    ground.put(2)
    ground.capture.assert_changes([modified({"id": "a", "n": 1}, {"id": "a", "n": 2})])


def test_it_goes_on_with_the_stream_that_comes_after_a_disabled_one(ground: Ground) -> None:
    ground.put(1)
    ground.enable(False)
    ground.put(2)
    ground.enable(True)
    ground.put(3)
    assert ground.numbers() == [1, 3]
    ground.enable(False)
    ground.enable(True)
    ground.put(4)
    assert ground.numbers() == [1, 3, 4]


def test_it_goes_on_with_a_stream_of_an_earlier_label(ground: Ground) -> None:
    """As one has that was enabled after the clock was stepped back."""
    control = ground.server.control
    now_ms = control.now_ms()
    ground.put(1)
    ground.enable(False)
    control.set_clock(now_ms - 3600_000)
    ground.enable(True)
    ground.put(2)
    assert ground.numbers() == [1, 2]
    control.set_clock(now_ms)


def test_of_two_streams_since_the_last_look_the_later_comes_last_whatever_its_label(
    ground: Ground,
) -> None:
    control = ground.server.control
    now_ms = control.now_ms()
    assert ground.numbers() == []
    ground.enable(False)
    ground.enable(True)
    ground.put(1)
    ground.enable(False)
    control.set_clock(now_ms - 3600_000)
    ground.enable(True)
    ground.put(2)
    assert ground.numbers() == [1, 2]
    control.set_clock(now_ms)


def test_it_reads_two_streams_of_a_table_that_is_gone(ground: Ground) -> None:
    for number in (1, 2):
        ground.enable(False)
        ground.enable(True)
        ground.put(number)
    ground.table.delete()
    assert ground.numbers() == [1, 2]


def test_it_begins_with_the_latest_stream_and_reads_no_earlier_one(ground: Ground) -> None:
    ground.put(1)
    ground.enable(False)
    ground.enable(True)
    streams = ground.server.client("dynamodbstreams", consumer=OBSERVER)
    later = Capture(ground.server.client(), streams, ground.table.name)
    ground.put(2)
    assert [change.image["n"] for change in later.changes()] == [2]


@pytest.mark.parametrize("read_before", [True, False])
def test_it_keeps_what_it_has_read_of_a_stream_that_is_gone(
    server: LocalServer, ground: Ground, read_before: bool
) -> None:
    """Where nobody looked in between, a failure tells of it."""
    ground.put(1)
    assert ground.numbers() == [1]
    ground.enable(False)
    if read_before:
        ground.numbers()
    server.control.advance(25 * 3600_000)
    assert ground.numbers() == [1]
    with pytest.raises(AssertionError) as caught:
        ground.capture.assert_changes([])
    assert ("is gone after its 24 hours" in str(caught.value)) is not read_before


def test_it_reads_what_a_deleted_table_leaves(ground: Ground) -> None:
    ground.put(1)
    ground.table.delete()
    assert ground.numbers() == [1]


def test_what_was_trimmed_before_it_was_read_is_told_with_the_failure(ground: Ground) -> None:
    ground.put(1)
    ground.capture.clear()
    ground.put(2)
    ground.server.control.trim(ground.table.name)
    ground.put(3)
    with pytest.raises(AssertionError, match="1 change expected, 1 found") as caught:
        ground.capture.assert_changes([removed({"id": "a", "n": 3})])
    assert "while reading the stream: records of shardId-" in str(caught.value)


def test_more_than_one_page_of_records_is_read(ground: Ground) -> None:
    expected = []
    with ground.table.batch_writer() as batch:
        for n in range(1100):
            expected.append(inserted({"id": f"{n}", "n": n}))
            batch.put_item(Item={"id": f"{n}", "n": n})
    ground.capture.assert_changes(expected)


def test_it_is_no_reader_of_the_stream() -> None:
    """Two consumers read on beside it, though a third reader is refused, as is a sixth list."""
    with LocalServer(throttling=True, shards=1) as server:
        tables = StreamTables(server.resource(), "observed")
        table = tables.make(BillingMode="PROVISIONED", ProvisionedThroughput=UNITS)
        capture = Capture(
            server.client(), server.client("dynamodbstreams", consumer=OBSERVER), table.name
        )
        streams = server.client("dynamodbstreams", retries={"total_max_attempts": 1})
        (shard,) = streams.describe_stream(StreamArn=table.latest_stream_arn)["StreamDescription"][
            "Shards"
        ]
        iterators = [
            streams.get_shard_iterator(
                StreamArn=table.latest_stream_arn,
                ShardId=shard["ShardId"],
                ShardIteratorType="TRIM_HORIZON",
            )["ShardIterator"]
            for _ in range(3)
        ]
        table.put_item(Item={"id": "a"})
        for _ in range(20):
            capture.assert_changes([inserted({"id": "a"})])
        streams.list_streams(TableName=table.name)
        streams.describe_stream(StreamArn=table.latest_stream_arn)
        for iterator in iterators[:2]:
            assert len(streams.get_records(ShardIterator=iterator)["Records"]) == 1
        with pytest.raises(streams.exceptions.LimitExceededException):
            streams.get_records(ShardIterator=iterators[2])
        capture.assert_changes([inserted({"id": "a"})])
