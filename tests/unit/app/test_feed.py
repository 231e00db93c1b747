"""A feed reads every shard in lineage order, once, and goes on after each kind of failure."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError, ReadTimeoutError

from penstock.app.feed import Change, Feed, FeedError, Pace, Start
from penstock.base import limits
from penstock.base.ids import Entropy
from penstock.testing.clock import FakeClock
from unit.app.fake_stream import ARN, FakeShard, FakeStop, FakeStream, service_error

A, B, C = "shardId-a", "shardId-b", "shardId-c"


class Reading:
    """A feed over `stream` with a clock that moves by waiting only."""

    def __init__(
        self,
        stream: FakeStream,
        start: Start = "TRIM_HORIZON",
        waits: int = 3,
        script: Mapping[int, Callable[[], None]] | None = None,
        pace: Pace | None = None,
    ) -> None:
        self.clock = FakeClock()
        self.stop = FakeStop(self.clock, waits, script)
        self.notices: list[str] = []
        self.feed = Feed(
            stream,
            ARN,
            clock=self.clock,
            start=start,
            pace=pace,
            stop=self.stop,
            on_notice=self.notices.append,
            entropy=Entropy(1),
        )

    def numbers(self) -> list[int]:
        return [_number(change) for change in self.feed.changes()]


def _number(change: Change) -> int:
    return int(change.record["dynamodb"]["SequenceNumber"])


def _family() -> FakeStream:
    """Return a stream in which A was closed and split into B and C."""
    stream = FakeStream(
        FakeShard(A, closed=True), FakeShard(B, parent_id=A), FakeShard(C, parent_id=A)
    )
    stream.shards[A].add(1, 2)
    stream.shards[B].add(3)
    stream.shards[C].add(4)
    return stream


def test_a_parent_is_read_to_its_end_before_its_children_begin() -> None:
    assert Reading(_family()).numbers() == [1, 2, 3, 4]


def test_a_child_does_not_begin_while_its_parent_cannot_be_read() -> None:
    stream = _family()
    stream.fail("get_records", service_error("ThrottlingException"))
    assert Reading(stream, waits=200).numbers() == [1, 2, 3, 4]


def test_latest_gives_only_what_is_written_after_opening_and_leaves_closed_shards_alone() -> None:
    stream = _family()
    reading = Reading(stream, "LATEST", script={1: lambda: stream.shards[B].add(5)})
    reading.feed.open()
    stream.shards[C].add(6)
    assert sorted(reading.numbers()) == [5, 6]
    assert reading.feed.shards_read == {B, C}


def test_latest_reads_whole_a_child_born_between_two_pages_of_the_first_look() -> None:
    stream = FakeStream(FakeShard(A), FakeShard(B, parent_id=A))
    stream.shards[B].add(2)
    reading = Reading(stream, "LATEST", waits=300)
    reading.feed.open()
    stream.shards[A].add(1)
    stream.shards[A].closed = True
    assert reading.numbers() == [1, 2]


def test_latest_reads_whole_a_child_that_was_born_and_closed_during_the_first_look() -> None:
    stream = FakeStream(FakeShard(A), FakeShard(B, parent_id=A, closed=True), FakeShard(C, B))
    stream.shards[B].add(2)
    stream.shards[C].add(3)
    reading = Reading(stream, "LATEST", waits=300)
    reading.feed.open()
    stream.shards[A].add(1)
    stream.shards[A].closed = True
    assert reading.numbers() == [1, 2, 3]


def test_all_pages_of_shards_are_listed() -> None:
    stream = FakeStream(*(FakeShard(f"shardId-{at}") for at in range(5)), page=2)
    for at, shard in enumerate(stream.shards.values()):
        shard.add(at)
    assert Reading(stream).numbers() == [0, 1, 2, 3, 4]
    assert stream.count("describe_stream") == 3


def test_more_shards_than_one_thread_reads_are_all_read() -> None:
    count = limits.feed_serial_shards_max + 3
    stream = FakeStream(*(FakeShard(f"shardId-{at:02}") for at in range(count)))
    for at, shard in enumerate(stream.shards.values()):
        shard.add(at)
    assert sorted(Reading(stream).numbers()) == list(range(count))


def test_children_are_found_as_soon_as_their_parent_ends() -> None:
    stream = FakeStream(FakeShard(A))
    stream.shards[A].add(1)

    def split() -> None:
        stream.shards[A].closed = True
        stream.add(FakeShard(B, parent_id=A))
        stream.shards[B].add(2)

    reading = Reading(stream, waits=4, script={1: split})
    assert reading.numbers() == [1, 2]
    assert sum(reading.stop.waited_ms) < limits.feed_discovery_ms_max


def test_children_that_appear_late_are_looked_for_with_growing_waits() -> None:
    stream = FakeStream(FakeShard(A, closed=True), FakeShard(C))

    def appear() -> None:
        stream.add(FakeShard(B, parent_id=A))
        stream.shards[B].add(7)

    reading = Reading(stream, waits=60, script={20: appear})
    assert reading.numbers() == [7]
    assert 3 < stream.count("describe_stream") < 12


def test_a_disabled_stream_ends_the_feed_after_its_last_record() -> None:
    stream = FakeStream(FakeShard(A, closed=True))
    stream.shards[A].add(1, 2)
    stream.status = "DISABLED"
    reading = Reading(stream, waits=1000)
    assert reading.numbers() == [1, 2]
    assert reading.feed.ended
    assert not reading.stop.is_set()


def test_an_expired_iterator_goes_on_after_the_last_number_seen() -> None:
    stream = FakeStream(FakeShard(A))
    stream.shards[A].add(1)

    def expire() -> None:
        stream.shards[A].add(2)
        stream.fail("get_records", service_error("ExpiredIteratorException"))

    assert Reading(stream, waits=100, script={1: expire}).numbers() == [1, 2]
    renewed = [call for action, call in stream.calls if action == "get_shard_iterator"][-1]
    assert renewed["ShardIteratorType"] == "AFTER_SEQUENCE_NUMBER"
    assert int(renewed["SequenceNumber"]) == 1


def test_a_latest_iterator_that_expires_unused_loses_nothing_and_repeats_nothing_old() -> None:
    stream = FakeStream(FakeShard(A))
    reading = Reading(stream, "LATEST", waits=100)
    stream.shards[A].add(1)
    stream.shards[A].records[0]["dynamodb"]["ApproximateCreationDateTime"] = _ago(reading.clock)
    reading.feed.open()
    stream.shards[A].add(2)
    stream.fail("get_records", service_error("ExpiredIteratorException"))
    assert reading.numbers() == [2]


def test_trimmed_records_are_told_and_reading_goes_on_at_the_horizon() -> None:
    stream = FakeStream(FakeShard(A))
    stream.shards[A].add(1)

    def trim() -> None:
        stream.shards[A].records.clear()
        stream.shards[A].add(9)
        stream.fail("get_records", service_error("TrimmedDataAccessException"))

    reading = Reading(stream, waits=100, script={1: trim})
    assert reading.numbers() == [1, 9]
    assert reading.notices == [f"records of {A} were trimmed before they were read"]


@pytest.mark.parametrize(
    "failure",
    [
        service_error("ThrottlingException"),
        service_error("LimitExceededException"),
        service_error("ProvisionedThroughputExceededException"),
        service_error("InternalServerError", 500),
        ReadTimeoutError(endpoint_url="http://127.0.0.1:1"),
        EndpointConnectionError(endpoint_url="http://127.0.0.1:1"),
    ],
)
def test_a_failure_that_may_pass_is_tried_again_with_growing_waits(failure: Exception) -> None:
    stream = FakeStream(FakeShard(A))
    stream.shards[A].add(1)
    stream.fail("get_records", *[failure] * 5)
    reading = Reading(stream, waits=100)
    assert reading.numbers() == [1]
    waits = [ms for ms in reading.stop.waited_ms[:5] if ms >= limits.feed_backoff_ms_min / 2]
    assert waits == sorted(waits)
    assert len(waits) == 5
    told, recovered = reading.notices
    assert told.endswith("; trying again")
    assert recovered == "reading again"


def test_each_outage_is_told_and_its_end_only_once_nothing_fails() -> None:
    stream = FakeStream(FakeShard(A), FakeShard(B))
    gone = EndpointConnectionError(endpoint_url="http://127.0.0.1:1")

    def fail() -> None:
        stream.fail("get_records", gone, gone, gone)

    reading = Reading(stream, waits=400, script={3: fail, 200: fail})
    assert reading.numbers() == []
    outage = [f"{gone}; trying again", "reading again"]
    assert reading.notices == outage * 2


def test_a_failure_that_does_not_pass_ends_the_feed_after_its_time() -> None:
    stream = FakeStream(FakeShard(A))
    stream.fail("get_records", *[service_error("ThrottlingException")] * 1000)
    reading = Reading(stream, waits=1000)
    with pytest.raises(FeedError, match="ThrottlingException"):
        reading.numbers()
    assert limits.feed_trouble_ms_max < reading.clock.elapsed_ms() < limits.feed_trouble_ms_max * 2


def test_a_refused_request_ends_the_feed_at_once() -> None:
    stream = FakeStream(FakeShard(A))
    stream.fail("get_records", service_error("AccessDeniedException"))
    with pytest.raises(FeedError, match="AccessDeniedException: as asked"):
        Reading(stream).numbers()


def test_a_stream_that_cannot_be_described_is_told_when_the_feed_opens() -> None:
    stream = FakeStream()
    stream.fail("describe_stream", service_error("ThrottlingException"))
    with pytest.raises(FeedError, match="ThrottlingException"):
        Reading(stream).feed.open()


def test_discovery_that_fails_later_is_tried_again() -> None:
    stream = FakeStream(FakeShard(A))

    def close() -> None:
        stream.shards[A].closed = True
        stream.add(FakeShard(B, parent_id=A))
        stream.shards[B].add(2)
        stream.fail("describe_stream", service_error("ThrottlingException"))

    assert Reading(stream, waits=100, script={2: close}).numbers() == [2]


def test_a_shard_that_left_the_stream_lets_its_children_begin() -> None:
    stream = FakeStream(FakeShard(A), FakeShard(B, parent_id=A))
    stream.shards[B].add(2)
    reading = Reading(stream, waits=10, script={1: lambda: stream.remove(A)})
    assert reading.numbers() == [2]
    assert reading.notices == [f"{A} is gone from the stream"]


def test_empty_reads_wait_longer_and_longer_up_to_the_limit_and_records_reset_it() -> None:
    stream = FakeStream(FakeShard(A))
    pace = Pace(idle_ms_min=2, idle_ms_max=16)
    script = {6: lambda: stream.shards[A].add(1)}
    reading = Reading(stream, waits=9, script=script, pace=pace)
    reading.numbers()
    assert reading.stop.waited_ms == [2, 4, 8, 16, 16, 16, 2, 4, 8]


def test_a_round_that_took_long_is_followed_by_a_rest_of_its_share() -> None:
    stream = FakeStream(FakeShard(A))
    pace = Pace(idle_ms_min=1, idle_ms_max=50, rest_share=0.5)
    reading = Reading(stream, waits=1, pace=pace)

    def slow(**parameters: Any) -> Mapping[str, Any]:
        reading.clock.advance(20)
        return FakeStream.get_records(stream, **parameters)

    stream.get_records = slow  # type: ignore[method-assign]
    reading.numbers()
    assert reading.stop.waited_ms == [10]


def _ago(clock: FakeClock) -> datetime:
    return datetime.fromtimestamp(clock.now_ms() / 1000 - 60, UTC)


def test_what_is_present_is_given_once_and_later_only_what_is_new() -> None:
    stream = _family()
    feed = Reading(stream, waits=100).feed
    assert [_number(change) for change in feed.present(60)] == [1, 2, 3, 4]
    assert feed.present(60) == []
    stream.shards[C].add(5)
    assert [_number(change) for change in feed.present(60)] == [5]


def test_the_children_of_a_shard_that_closed_meanwhile_are_present_too() -> None:
    stream = FakeStream(FakeShard(A))
    feed = Reading(stream, waits=100).feed
    assert feed.present(60) == []
    stream.shards[A].add(1)
    stream.shards[A].closed = True
    stream.add(FakeShard(B, parent_id=A))
    stream.shards[B].add(2)
    assert [_number(change) for change in feed.present(60)] == [1, 2]


def test_failures_that_pass_hide_nothing_that_is_present() -> None:
    stream = _family()
    stream.fail("get_records", service_error("ThrottlingException"))
    stream.fail("get_records", service_error("ExpiredIteratorException"))
    feed = Reading(stream, waits=100).feed
    feed.open()
    stream.fail("describe_stream", service_error("ThrottlingException"))
    assert [_number(change) for change in feed.present(60)] == [1, 2, 3, 4]


def test_a_stream_whose_end_is_not_reached_in_time_is_no_stream_without_changes() -> None:
    stream = FakeStream(FakeShard(A))
    stream.fail("get_records", *[service_error("ThrottlingException")] * 1000)
    with pytest.raises(FeedError, match=r"was not read to its end within 0\.5 s"):
        Reading(stream, waits=1000).feed.present(0.5)
