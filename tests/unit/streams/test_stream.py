"""Streams and shards: how they begin and end, what is listed, and for how long."""

import pytest

from penstock.base import limits
from penstock.storage.waist import last_stamp, stamp_at, stamp_ms
from penstock.streams.stream import (
    event_id_stem,
    find_shard,
    find_stream,
    list_streams,
    oldest_readable,
    visible_shards,
)
from unit.streams.one_stream import TABLE_ARN, OneStream

HOUR_MS = 3600_000


def test_a_stream_is_found_by_its_arn_which_ends_in_its_label() -> None:
    with OneStream() as one:
        arn = one.stream.arn
        assert one.view(find_stream, arn) == one.stream
        assert arn == f"{TABLE_ARN}/stream/{one.stream.label}"
        assert one.stream.label == "2026-09-21T14:13:20.000"
        assert one.view(find_stream, arn + "0") is None


@pytest.mark.parametrize("count", [1, 4, 7, 100, 101, 256])
def test_shards_are_read_in_the_order_of_their_ids(count: int) -> None:
    with OneStream(count) as one:
        shards = one.shards
        assert [shard.id for shard in shards] == sorted({shard.id for shard in shards})
        assert {shard.number for shard in shards} == set(range(count))
        for shard in shards:
            assert one.view(find_shard, one.stream, shard.id) == shard
            assert (shard.parent, shard.end, shard.closed_ms) == (None, None, None)
            assert stamp_ms(shard.start) == one.clock.now_ms()
        assert one.view(find_shard, one.stream, "shardId") is None


def test_records_lie_above_the_start_of_their_shard() -> None:
    """Also where the clock has stepped back since the shard was opened."""
    with OneStream() as one:
        (shard,) = one.shards
        one.clock.set(one.clock.now_ms() - HOUR_MS)
        first, second = one.append(b"a", b"b")
        assert shard.start < first < second
        assert one.view(last_stamp, one.stream.log(0)) == second


def test_closing_shows_the_last_record_or_the_start() -> None:
    with OneStream(2) as one:
        (stamp,) = one.append(b"a", shard=1)
        before = {shard.number: shard for shard in one.shards}
        one.clock.advance(5)
        one.close()
        after = {shard.number: shard for shard in one.shards}
        assert after[0].end == before[0].start
        assert after[1].end == stamp
        assert {shard.closed_ms for shard in after.values()} == {one.clock.now_ms()}
        assert one.stream.status == "DISABLED"
        assert one.view(find_stream, one.stream.arn) == one.stream


def test_closing_again_changes_nothing() -> None:
    with OneStream() as one:
        one.append(b"a")
        one.close()
        shards = one.shards
        one.clock.advance(HOUR_MS)
        one.close()
        assert one.shards == shards


def test_a_closed_shard_is_visible_until_its_last_record_expires() -> None:
    with OneStream(2) as one:
        one.append(b"a", shard=0)
        recorded_ms = one.clock.now_ms()
        one.clock.advance(HOUR_MS)
        one.close()
        closed_ms = one.clock.now_ms()

        def visible(now_ms: int) -> set[int]:
            return {shard.number for shard in visible_shards(one.shards, now_ms)}

        day_ms = limits.stream_retention_ms
        assert visible(recorded_ms + day_ms) == {0, 1}
        assert visible(recorded_ms + day_ms + 1) == {1}
        assert visible(closed_ms + day_ms) == {1}
        assert visible(closed_ms + day_ms + 1) == set()


def test_an_open_shard_and_an_open_stream_never_expire() -> None:
    with OneStream() as one:
        one.append(b"a")
        late_ms = one.clock.now_ms() + 100 * limits.stream_retention_ms
        assert visible_shards(one.shards, late_ms) == one.shards
        assert not one.stream.has_expired(late_ms)


def test_a_closed_stream_expires_24_hours_after_its_end() -> None:
    with OneStream() as one:
        one.append(b"a")
        one.clock.set(one.clock.now_ms() - HOUR_MS)  # the record is later than the closing
        last_ms = one.clock.now_ms() + HOUR_MS
        one.close()
        assert not one.stream.has_expired(last_ms + limits.stream_retention_ms)
        assert one.stream.has_expired(last_ms + limits.stream_retention_ms + 1)


def test_the_oldest_readable_stamp_is_above_the_start_and_not_past_the_horizon() -> None:
    with OneStream() as one:
        (shard,) = one.shards
        now_ms = one.clock.now_ms()
        assert oldest_readable(shard, now_ms) == shard.start + 1
        late_ms = now_ms + limits.stream_retention_ms + 7
        assert oldest_readable(shard, late_ms) == stamp_at(now_ms + 7)


def test_streams_are_listed_by_prefix_after_an_arn_and_up_to_a_limit() -> None:
    with OneStream() as one:
        for number, name in enumerate(["abc", "abcd", "xyz"], 2):
            one.clock.advance(1)
            one.open(one.make(number, TABLE_ARN.replace("abc", name)))
        root = TABLE_ARN.removesuffix("abc")
        now_ms = one.clock.now_ms()

        def listed(prefix: str, after: str | None, limit: int) -> tuple[list[int], bool]:
            streams, more = one.view(list_streams, root + prefix, after, limit, now_ms)
            return [stream.number for stream in streams], more

        assert listed("", None, 100) == ([1, 2, 3, 4], False)
        assert listed("", None, 4) == ([1, 2, 3, 4], False)
        assert listed("", None, 3) == ([1, 2, 3], True)
        assert listed("abc/stream/", None, 1) == ([1], True)
        assert listed("abc/stream/", one.stream.arn, 1) == ([2], False)
        assert listed("", root + "abcd/", 1) == ([3], True)
        assert listed("", root + "zzz", 1) == ([], False)
        assert listed("b", None, 9) == ([], False)
        assert listed("xyz", TABLE_ARN, 9) == ([4], False)
        assert listed("abc", root + "xyz", 9) == ([], False)


def test_expired_streams_leave_no_gap_in_a_list() -> None:
    with OneStream() as one:
        one.close()
        for number in range(2, 9):
            one.stream = one.make(number)
            one.clock.advance(1)
            one.stream = one.make(number)
            one.open(one.stream)
            if number % 4:
                one.close()
        late_ms = one.clock.now_ms() + limits.stream_retention_ms + 1
        streams, more = one.view(list_streams, TABLE_ARN, None, 1, late_ms)
        assert ([stream.number for stream in streams], more) == ([4], True)
        streams, more = one.view(list_streams, TABLE_ARN, streams[0].arn, 1, late_ms)
        assert ([stream.number for stream in streams], more) == ([8], False)


def test_the_event_ids_of_each_log_begin_with_digits_of_its_own() -> None:
    with OneStream() as one:
        made = {event_id_stem(one.stream.log(shard)) for shard in range(99)}
        assert len(made) == 99
        assert all(len(each) == 16 and int(each, 16) >= 0 for each in made)
