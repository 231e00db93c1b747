"""Reading a shard: where iterators begin, and that pages lose, repeat and reorder nothing."""

from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.base import limits
from penstock.base.errors.api import ApiError
from penstock.storage.waist import Reader, stamp_ms
from penstock.streams.read import Page, Place, read_page
from penstock.streams.sequence import sequence_number
from unit.noting_reader import NotingReader
from unit.streams.one_stream import OneStream

DAY_MS = limits.stream_retention_ms
PAGE_BYTES = 1000
FORMAT_BYTES = 1  # what a stored record has before its own bytes


def code_of(call: object, *arguments: object) -> str:
    assert callable(call)
    with pytest.raises(ApiError) as caught:
        call(*arguments)
    return caught.value.code


def everything(one: OneStream, place: Place | None, limit: int = 1000) -> list[bytes]:
    """Return all records from a place on, up to the shard's end or the first empty page."""
    found: list[bytes] = []
    while place is not None:
        page = one.read(place, limit)
        found += page.records
        place = page.next if page.records else None
    return found


# --- where iterators begin


def test_the_horizon_begins_before_everything_and_latest_after() -> None:
    with OneStream() as one:
        early = one.begin("LATEST")
        one.append(b"a", b"b")
        late = one.begin("LATEST")
        one.append(b"c")
        assert everything(one, one.begin("TRIM_HORIZON")) == [b"a", b"b", b"c"]
        assert everything(one, early) == [b"a", b"b", b"c"]
        assert everything(one, late) == [b"c"]


def test_a_number_begins_at_its_record_or_after_it() -> None:
    with OneStream() as one:
        records = [b"a", b"b", b"c"]
        for place, stamp in enumerate(one.append(*records)):
            number = sequence_number(stamp)
            assert everything(one, one.begin("AT_SEQUENCE_NUMBER", number)) == records[place:]
            after = one.begin("AFTER_SEQUENCE_NUMBER", number)
            assert everything(one, after) == records[place + 1 :]


def test_a_number_between_two_records_begins_at_the_second() -> None:
    with OneStream() as one:
        (first,) = one.append(b"a")
        one.clock.advance(5)
        one.append(b"b")
        number = sequence_number(first + 1)
        for kind in ("AT_SEQUENCE_NUMBER", "AFTER_SEQUENCE_NUMBER"):
            assert everything(one, one.begin(kind, number)) == [b"b"]


def test_only_numbers_from_the_start_to_the_last_record_are_places() -> None:
    with OneStream() as one:
        start = one.shards[0].start
        (stamp,) = one.append(b"a")
        for outside in (start - 1, stamp + 1):
            number = sequence_number(outside)
            assert code_of(one.begin, "AT_SEQUENCE_NUMBER", number) == "ValidationException"
        assert one.begin("AT_SEQUENCE_NUMBER", sequence_number(start)) == Place(start, True)


def test_the_start_is_a_place_for_ever_and_a_record_for_24_hours() -> None:
    with OneStream() as one:
        start = sequence_number(one.shards[0].start)
        one.clock.advance(1)
        number = sequence_number(one.append(b"a")[0])
        one.clock.advance(DAY_MS)
        assert everything(one, one.begin("AT_SEQUENCE_NUMBER", number)) == [b"a"]
        one.clock.advance(1)
        kinds = ("AT_SEQUENCE_NUMBER", "AFTER_SEQUENCE_NUMBER")
        assert {code_of(one.begin, kind, number) for kind in kinds} == {
            "TrimmedDataAccessException"
        }
        assert everything(one, one.begin("AT_SEQUENCE_NUMBER", start)) == []


# --- what is owed


def test_a_reader_past_the_horizon_is_told_only_where_it_is_owed_something() -> None:
    with OneStream() as one:
        stamps = one.append(b"a", b"b")
        part = one.read(one.begin("TRIM_HORIZON"), 1).next
        whole = one.read(one.begin("TRIM_HORIZON")).next
        after_last = one.begin("AFTER_SEQUENCE_NUMBER", sequence_number(stamps[1]))
        assert part is not None
        assert whole is not None
        one.clock.advance(DAY_MS + 1)
        assert code_of(one.read, part) == "TrimmedDataAccessException"
        one.append(b"c")
        for place in (whole, after_last, one.begin("TRIM_HORIZON")):
            assert everything(one, place) == [b"c"]


def test_a_clock_that_was_ahead_for_a_while_hides_nothing_written_later() -> None:
    """A reader that polled while the horizon lay in the future sees what is written afterwards."""
    with OneStream() as one:
        now_ms = one.clock.now_ms()
        one.append(b"a")
        place = one.read(one.begin("TRIM_HORIZON")).next
        assert place is not None
        one.clock.set(now_ms + 3 * DAY_MS)
        place = one.read(place).next
        assert place is not None
        one.clock.set(now_ms)
        one.append(b"b")
        assert one.read(place).records == [b"b"]


def test_the_end_of_a_closed_shard() -> None:
    """Its last page has no next place, nor has any later one; also once its records expired."""
    with OneStream() as one:
        one.append(b"a", b"b")
        at_end = one.read(one.begin("TRIM_HORIZON")).next
        assert at_end is not None
        one.close()
        horizon = one.begin("TRIM_HORIZON")
        assert one.read(horizon) == Page([b"a", b"b"], None, 2)
        assert one.read(horizon, 2) == Page([b"a", b"b"], None, 2)
        first = one.read(horizon, 1)
        assert first.records == [b"a"]
        assert first.next is not None
        assert one.read(at_end) == one.read(one.begin("LATEST")) == Page([], None)
        one.clock.advance(DAY_MS + 1)
        assert one.read(horizon) == Page([], None)


def test_a_closed_shard_that_was_always_empty_ends_at_once() -> None:
    with OneStream() as one:
        one.close()
        assert one.read(one.begin("TRIM_HORIZON")) == Page([], None)


# --- pages


def test_a_page_holds_as_many_bytes_as_it_may_and_not_one_more() -> None:
    with OneStream() as one, patch.object(limits, "get_records_bytes_max", PAGE_BYTES):
        half = PAGE_BYTES // 2 - FORMAT_BYTES
        one.append(b"a" * half, b"b" * half, b"c" * half, b"d" * (half + 1), b"e" * 2 * PAGE_BYTES)
        pages = []
        place: Place | None = one.begin("TRIM_HORIZON")
        for _ in range(4):
            assert place is not None
            page = one.read(place)
            pages.append(b"".join(record[:1] for record in page.records))
            place = page.next
        assert pages == [b"ab", b"c", b"d", b"e"]


def test_a_page_never_asks_for_many_rows_at_once() -> None:
    """Small records say nothing of the size of those behind them."""
    with OneStream() as one:
        one.append(*(b"%d" % number for number in range(200)))
        place = one.begin("TRIM_HORIZON")
        asked: list[int] = []

        def read(reader: Reader) -> Page:
            noting = NotingReader(reader, asked)
            return read_page(noting, one.stream, one.shards[0], place, 1000, one.clock.now_ms())

        assert len(one.view(read).records) == 200
        assert max(asked) == limits.scan_rows_max


sizes = st.integers(0, 40) | st.integers(0, PAGE_BYTES + 300)
limit = st.integers(1, 30) | st.just(1000)


@settings(max_examples=60)
@given(lengths=st.lists(sizes, max_size=60), asked=st.lists(limit, min_size=1))
def test_pages_with_any_limits_are_every_record_once_in_order(
    lengths: list[int], asked: list[int]
) -> None:
    """And each page is as full as its limits let it be."""
    records = [b"%04d" % n + b"x" * length for n, length in enumerate(lengths)]
    with OneStream() as one, patch.object(limits, "get_records_bytes_max", PAGE_BYTES):
        one.append(*records)
        one.close()
        place: Place | None = one.begin("TRIM_HORIZON")
        left = list(records)
        turn = 0
        while place is not None:
            most = asked[turn % len(asked)]
            page = one.read(place, most)
            count = len(page.records)
            assert page.records == left[:count]
            assert count <= most
            assert count <= 1 or _stored(left[:count]) <= PAGE_BYTES
            full = count == most or _stored(left[: count + 1]) > PAGE_BYTES
            assert full or count == len(left)
            left, place, turn = left[count:], page.next, turn + 1
        assert left == []


def _stored(records: list[bytes]) -> int:
    return sum(len(record) + FORMAT_BYTES for record in records)


class Follower:
    """A reader that keeps its place for 15 minutes, and then begins after what it last read."""

    def __init__(self, one: OneStream, kind: str) -> None:
        self._one = one
        self._written: list[tuple[bytes, int]] = []
        self._read = 0
        self._go_to(one.begin(kind))

    def append(self, count: int) -> None:
        fresh = [b"%d" % (len(self._written) + n) for n in range(count)]
        self._written += zip(fresh, self._one.append(*fresh), strict=True)

    def read(self, count: int) -> Place | None:
        """Read a page and check that nothing is missing, but what it was told or began without."""
        now_ms = self._one.clock.now_ms()
        trimmed = sum(stamp_ms(stamp) < now_ms - DAY_MS for _, stamp in self._written)
        told = False
        try:
            if now_ms - self._issued_ms > limits.iterator_life_ms:
                self._resume()
            page = self._one.read(self._place, count)
        except ApiError as error:
            assert error.code == "TrimmedDataAccessException"
            told = True
            page = self._one.read(self._one.begin("TRIM_HORIZON"), count)
        assert told or self._read == 0 or self._read >= trimmed
        start = max(self._read, trimmed)
        assert page.records == [record for record, _ in self._written[start : start + count]]
        self._read = start + len(page.records)
        if page.next is not None:
            self._go_to(page.next)
        return page.next

    @property
    def has_read_everything(self) -> bool:
        return self._read == len(self._written)

    def _resume(self) -> None:
        if self._read == 0:
            self._go_to(self._one.begin("TRIM_HORIZON"))
        else:
            number = sequence_number(self._written[self._read - 1][1])
            self._go_to(self._one.begin("AFTER_SEQUENCE_NUMBER", number))

    def _go_to(self, place: Place) -> None:
        self._place = place
        self._issued_ms = self._one.clock.now_ms()


waits = st.sampled_from([0, 1, limits.iterator_life_ms, limits.iterator_life_ms + 1, DAY_MS])
steps = st.one_of(
    st.tuples(st.just("append"), st.integers(1, 5)),
    st.tuples(st.just("read"), st.integers(1, 7)),
    st.tuples(st.just("wait"), waits | st.integers(0, DAY_MS)),
    st.tuples(st.just("step back"), st.integers(0, 60_000) | st.integers(0, 3 * DAY_MS)),
)


@settings(max_examples=100)
@given(kind=st.sampled_from(["TRIM_HORIZON", "LATEST"]), taken=st.lists(steps, max_size=25))
def test_a_reader_that_follows_misses_nothing_without_being_told(
    kind: str, taken: list[tuple[str, int]]
) -> None:
    """Writing, reading and waiting by turns, at last to the end of the closed shard."""
    with OneStream() as one:
        follower = Follower(one, kind)
        for step, count in taken:
            if step == "append":
                follower.append(count)
            elif step == "read":
                assert follower.read(count) is not None
            elif step == "wait":
                one.clock.advance(count)
            else:
                one.clock.set(one.clock.now_ms() - count)
        one.close()
        assert follower.read(1000) is None
        assert follower.has_read_everything
