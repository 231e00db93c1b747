"""The readers of a shard: who counts as one, who is beyond two, and what is counted of them."""

from typing import Any

import pytest

from penstock.base import limits
from penstock.base.errors.api import ApiError
from penstock.streams.read import Page
from penstock.streams.readers import Admission, Readers
from penstock.streams.stream import Shard, Stream, make_stream
from unit.streams.one_stream import TABLE_ARN

WINDOW_MS = limits.reader_window_ms
A, B, C, D = 1, 2, 3, 4


def stream(number: int = 1, table: str = "abc") -> Stream:
    """Return a stream of that table."""
    arn = TABLE_ARN.replace("abc", table)
    return make_stream(number, arn, table, "KEYS_ONLY", [], 1_790_000_000_000 + number)


def shard(number: int = 0) -> Shard:
    """Return an open shard."""
    return Shard(number, f"shardId-00000001790000000000-{number:08x}", 0)


STREAM, SHARD = stream(), shard()


def read(
    readers: Readers, reader: int, now_ms: float = 0.0, units: int | None = None, records: int = 0
) -> bool:
    """Call GetRecords once, which brings so many records; say whether it was let through."""
    try:
        admission = readers.admit(STREAM, SHARD, reader, units, now_ms)
    except ApiError as error:
        assert error.code == "LimitExceededException"
        return False
    admission.deliver(Page([b"record"] * records, None, 6 * records), now_ms)
    return True


def counts(readers: Readers, now_ms: float = 0.0) -> dict[str, Any]:
    """Return what is shown of the one shard, but for its names."""
    (shown,) = readers.shown(now_ms)
    return {name: value for name, value in shown.items() if isinstance(value, int)}


def test_a_third_reader_is_refused_and_the_first_two_go_on() -> None:
    readers = Readers(throttling=True)
    assert [read(readers, each) for each in (A, B, C, A, B, C, D, A)] == [
        True,
        True,
        False,
        True,
        True,
        False,
        False,
        True,
    ]
    assert counts(readers) == {
        "Readers": 2,
        "Calls": 8,
        "Records": 0,
        "Bytes": 0,
        "CallsBeyondReaders": 3,
        "CallsBeyondRate": 0,
        "CallsThrottled": 3,
    }


def test_without_throttling_a_third_reader_is_counted_only() -> None:
    readers = Readers()
    assert all(read(readers, each) for each in (A, B, C, A, C, B))
    assert counts(readers) == {
        "Readers": 3,
        "Calls": 6,
        "Records": 0,
        "Bytes": 0,
        "CallsBeyondReaders": 2,
        "CallsBeyondRate": 0,
        "CallsThrottled": 0,
    }


def test_a_reader_that_pauses_for_the_adapters_second_keeps_its_place() -> None:
    """Three consumers that call every 1,000 ms: the third never gets in."""
    readers = Readers(throttling=True)
    for second in range(10):
        at_ms = second * 1000.0
        assert [read(readers, each, at_ms + each) for each in (A, B, C)] == [True, True, False]


def test_a_reader_that_stays_away_for_the_window_makes_room() -> None:
    readers = Readers(throttling=True)
    assert read(readers, A)
    assert read(readers, B, 1.0)
    assert not read(readers, C, WINDOW_MS - 1)
    assert read(readers, C, WINDOW_MS)
    assert not read(readers, A, WINDOW_MS), "who comes back is a newcomer"
    assert counts(readers, WINDOW_MS)["Readers"] == 2
    assert counts(readers, 3 * WINDOW_MS)["Readers"] == 0


def test_a_refused_reader_does_not_count_as_reading() -> None:
    """Else one that asks again and again would keep its place once it had one."""
    readers = Readers(throttling=True)
    for each in (A, B, C):
        read(readers, each)
    assert read(readers, A, WINDOW_MS - 1)
    assert not any(read(readers, C, at_ms) for at_ms in (500.0, 1000.0, WINDOW_MS - 1))
    assert read(readers, D, WINDOW_MS), "B is gone, and C has no claim"


def test_a_new_iterator_for_every_call_is_a_new_reader_each_time() -> None:
    """One a second is never more than two at a time."""
    readers = Readers(throttling=True)
    assert all(read(readers, second, second * 1000.0) for second in range(20))
    assert not read(readers, 99, 19_000.0)


def test_shards_and_streams_have_readers_of_their_own() -> None:
    readers = Readers(throttling=True)
    places = [(stream(1), shard(0)), (stream(1), shard(1)), (stream(2), shard(0))]
    for of, part in places:
        for each in (A, B):
            readers.admit(of, part, each, None, 0.0)
    for of, part in places:
        with pytest.raises(ApiError):
            readers.admit(of, part, C, None, 0.0)


def test_what_is_delivered_is_counted_in_records_and_bytes() -> None:
    readers = Readers()
    admission = readers.admit(STREAM, SHARD, A, None, 0.0)
    admission.deliver(Page([b"12345", b"123"], None, 8), 0.0)
    admission.deliver(Page([], None), 0.0)
    assert (counts(readers)["Records"], counts(readers)["Bytes"]) == (2, 8)


def test_a_provisioned_tables_stream_is_read_at_twice_its_write_capacity() -> None:
    """Five minutes of it are there to begin with; records are taken when they were delivered."""
    readers = Readers(throttling=True)
    full = 2 * 3 * limits.throughput_burst_seconds
    assert read(readers, A, 0.0, 3, records=full - 1)
    assert read(readers, A, 0.0, 3, records=1 + 12)
    assert not read(readers, A, 2000.0, 3), "two seconds bring the 12 back, and no more"
    assert read(readers, A, 2001.0, 3)
    assert counts(readers, 2001.0)["CallsBeyondRate"] == 1
    assert counts(readers, 2001.0)["CallsThrottled"] == 1


def test_a_reader_that_is_refused_for_the_rate_keeps_its_place() -> None:
    readers = Readers(throttling=True)
    read(readers, A, 0.0, 1, records=100_000)
    assert not any(read(readers, A, at_ms, 1) for at_ms in (1000.0, 2000.0, 3000.0))
    assert counts(readers, 3000.0)["Readers"] == 1


def test_without_throttling_calls_beyond_the_rate_are_counted_and_take_nothing() -> None:
    """The count is of the calls that throttling would have refused."""
    readers = Readers()
    over = 2 * limits.throughput_burst_seconds + 4
    assert read(readers, A, 0.0, 1, records=over)
    assert read(readers, A, 1000.0, 1, records=1_000_000)
    assert read(readers, A, 2001.0, 1)
    assert counts(readers, 2001.0)["CallsBeyondRate"] == 1


def test_a_table_without_provisioned_capacity_has_no_rate() -> None:
    readers = Readers(throttling=True)
    assert all(read(readers, A, 0.0, None, records=1000) for _ in range(1000))


def test_the_rate_is_of_all_shards_of_a_stream() -> None:
    readers = Readers(throttling=True)
    most = 2 * limits.throughput_burst_seconds
    readers.admit(STREAM, shard(0), A, 1, 0.0).deliver(Page([b""] * most, None), 0.0)
    with pytest.raises(ApiError, match="write capacity"):
        readers.admit(STREAM, shard(1), B, 1, 0.0)
    assert isinstance(readers.admit(stream(2), shard(0), A, 1, 0.0), Admission)


def test_no_more_shards_are_remembered_than_the_limit_says() -> None:
    """The one that was not read for longest is forgotten, with its rate."""
    readers = Readers()
    readers.admit(stream(0), SHARD, A, 1, 0.0)
    for number in range(1, limits.shards_remembered_max + 2):
        readers.admit(stream(number), SHARD, A, 1, 0.0)
        readers.admit(stream(0), SHARD, A, 1, 0.0)
    remembered = readers._readings
    assert len(remembered) == limits.shards_remembered_max
    assert len(readers._rates) == limits.throughput_buckets_max
    assert {(0, 0), (3, 0)} <= remembered.keys()
    assert not {(1, 0), (2, 0)} & remembered.keys()


def test_no_more_readers_of_one_shard_are_remembered_than_the_limit_says() -> None:
    """All of them go on, and are beyond two."""
    readers = Readers()
    asking = limits.shard_readers_remembered_max + 10
    assert all(read(readers, each) for each in range(asking))
    assert counts(readers)["Readers"] == limits.shard_readers_remembered_max
    assert counts(readers)["CallsBeyondReaders"] == asking - 2


def test_shards_are_shown_in_order_and_by_stream() -> None:
    readers = Readers()
    for of, part in [(stream(2, "def"), shard(0)), (STREAM, shard(1)), (STREAM, shard(0))]:
        readers.admit(of, part, A, None, 0.0)
    shown = [(each["TableName"], each["ShardId"][-1]) for each in readers.shown(0.0)]
    assert shown == [("abc", "0"), ("abc", "1"), ("def", "0")]
    assert [each["ShardId"][-1] for each in readers.shown(0.0, f"{TABLE_ARN}/stream/")] == [
        "0",
        "1",
    ]
    assert readers.shown(0.0, f"{TABLE_ARN}d/stream/") == []
