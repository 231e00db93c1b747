"""How shards succeed one another: what a child knows of its parent, and how all stand in order."""

import pytest

from penstock.base import limits
from penstock.base.errors.api import ApiError
from penstock.streams.read import Page, read_page
from penstock.streams.sequence import sequence_number
from penstock.streams.stream import children_of, find_shard
from penstock.streams.trimming import Trimming
from unit.streams.one_stream import OneStream

HOUR_MS = 3600_000


@pytest.mark.parametrize("passed_ms", [0, 1, HOUR_MS, -HOUR_MS])
@pytest.mark.parametrize("records", [0, 3])
@pytest.mark.parametrize("children", [1, 2])
def test_children_stand_above_their_parent(passed_ms: int, records: int, children: int) -> None:
    """Whatever the clock did meanwhile, and whether or not the parent ever had a record."""
    with OneStream() as one:
        (shard,) = one.shards
        one.clock.advance(10)  # so that its records are younger than itself
        stamps = one.append(*[b"a"] * records)
        one.clock.set(one.clock.now_ms() + passed_ms)
        parent, opened = one.succeed(shard, *range(1, 1 + children))
        assert parent.end == (stamps[-1] if stamps else shard.start)
        assert parent.closed_ms == one.clock.now_ms()
        assert one.shards == sorted([parent, *opened], key=lambda each: each.id)
        assert one.shards[0] == parent, "a parent's id stands before its children's"
        assert len(opened) == children == len({child.id for child in opened})
        for child in opened:
            assert (child.parent, child.end) == (parent.id, None)
            assert child.start > parent.end
            (stamp,) = one.append(b"b", shard=child.number)
            assert stamp > child.start


def test_generations_stand_in_their_order_also_within_a_millisecond() -> None:
    with OneStream() as one:
        (shard,) = one.shards
        ids = [shard.id]
        for number in range(1, 20):
            (shard,) = one.succeed(shard, number).children
            ids.append(shard.id)
        assert [each.id for each in one.shards] == ids == sorted(set(ids))


@pytest.mark.parametrize("passed_ms", [0, 1, HOUR_MS, -HOUR_MS])
@pytest.mark.parametrize("records", [0, 3])
def test_no_child_expires_before_its_parent(passed_ms: int, records: int) -> None:
    """Also one without a record, closed by a clock that has stepped back since its parent was."""
    with OneStream() as one:
        (shard,) = one.shards
        one.append(*[b"a"] * records)
        parent, (child,) = one.succeed(shard, 1)
        one.clock.set(one.clock.now_ms() + passed_ms)
        closed, _ = one.succeed(child, 2)
        assert parent.closed_ms is not None
        last_ms = parent.closed_ms + limits.stream_retention_ms
        assert not parent.has_expired(last_ms)
        assert not closed.has_expired(last_ms)
        assert closed.has_expired(last_ms + HOUR_MS + 2)


def test_children_are_found_by_their_parent_also_among_many_and_when_it_is_gone() -> None:
    """Others are made in the same millisecond, before and after theirs."""
    with OneStream(60) as one:
        expected = {}
        for number, shard in enumerate(one.shards):
            children = range(100 + 2 * number, 101 + 2 * number + number % 2)
            expected[shard.id] = {child.id for child in one.succeed(shard, *children).children}
            if number % 7 == 0:
                one.clock.advance(1)
        for parent, ids in expected.items():
            found = one.view(children_of, one.stream, parent)
            assert {child.id for child in found} == ids
            for child in found:
                assert one.view(children_of, one.stream, child.id) == []
        one.clock.advance(limits.stream_retention_ms + limits.iterator_life_ms + 1)
        one.run_job(Trimming)
        for parent, ids in expected.items():
            assert one.view(find_shard, one.stream, parent) is None
            assert {child.id for child in one.view(children_of, one.stream, parent)} == ids


def test_the_parent_is_read_to_its_end_and_its_end_is_told_with_its_last_record() -> None:
    with OneStream() as one:
        (shard,) = one.shards
        one.append(b"a", b"b")
        place = one.begin("TRIM_HORIZON")
        tip = one.begin("LATEST")
        parent, _ = one.succeed(shard, 1)
        page = one.view(read_page, one.stream, parent, place, 1000, one.clock.now_ms())
        assert page[:2] == ([b"a", b"b"], None)
        page = one.view(read_page, one.stream, parent, tip, 1000, one.clock.now_ms())
        assert page == Page([], None)


def test_nothing_is_read_of_what_was_trimmed_by_command() -> None:
    with OneStream() as one:
        first, second = one.append(b"a", b"b")
        begun = one.begin("TRIM_HORIZON")
        after_first = one.begin("AFTER_SEQUENCE_NUMBER", sequence_number(first))
        at_tip = one.begin("LATEST")
        one.append(b"c")
        one.trim(one.shards[0])
        one.append(b"d")
        assert one.read(begun).records == [b"d"], "the trim horizon is above"
        assert one.read(one.begin("TRIM_HORIZON")).records == [b"d"]
        for place in (after_first, at_tip):
            with pytest.raises(ApiError, match="TrimmedDataAccessException"):
                one.read(place)
        for kind in ("AT_SEQUENCE_NUMBER", "AFTER_SEQUENCE_NUMBER"):
            with pytest.raises(ApiError, match="TrimmedDataAccessException"):
                one.begin(kind, sequence_number(second))


def test_trimming_costs_a_reader_nothing_who_has_read_all() -> None:
    with OneStream() as one:
        one.append(b"a")
        at_tip = one.begin("LATEST")
        one.trim(one.shards[0])
        assert one.read(at_tip).records == []
        one.append(b"b")
        assert one.read(at_tip).records == [b"b"]


def test_trimming_an_empty_shard_trims_nothing() -> None:
    with OneStream() as one:
        at_tip, begun = one.begin("LATEST"), one.begin("TRIM_HORIZON")
        one.trim(one.shards[0])
        one.append(b"a")
        assert one.read(at_tip).records == one.read(begun).records == [b"a"]


def test_a_closed_shard_that_was_trimmed_is_at_its_end_and_listed_for_its_24_hours() -> None:
    with OneStream() as one:
        (shard,) = one.shards
        one.append(b"a")
        after = one.begin("LATEST")
        parent, _ = one.succeed(shard, 1)
        trimmed = one.trim(parent)
        assert one.read(one.begin("TRIM_HORIZON")) == Page([], None)
        assert one.read(after) == Page([], None)
        now_ms = one.clock.now_ms()
        assert not trimmed.has_expired(now_ms + limits.stream_retention_ms)
        assert trimmed.has_expired(now_ms + limits.stream_retention_ms + 1)
