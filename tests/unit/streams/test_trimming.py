"""Trimming: what is out of sight goes, nothing that may be read does, and no writer is met."""

from collections.abc import Callable

import pytest

from penstock.base import limits
from penstock.base.clock import Clock
from penstock.storage.prefixes import Prefix
from penstock.storage.waist import Engine, Reader, Span, log_span
from penstock.streams.stream import find_shard, find_stream, forget_stream, stream_lock
from penstock.streams.trimming import Trimming
from unit.streams.one_stream import OneStream

DAY_MS = limits.stream_retention_ms
HOUR_MS = 3600_000
GRACE_MS = limits.iterator_life_ms


def records_in(one: OneStream, shard: int = 0) -> int:
    """Return how many records of a shard are still there, visible or not."""
    log = one.stream.log(shard)
    return one.view(lambda reader: len(reader.scan(log_span(log), 1000)))


def rows(one: OneStream, prefix: Prefix) -> int:
    """Return how many keys have that prefix."""

    def count(reader: Reader) -> int:
        return len(reader.scan(Span.of_prefix(prefix.key), 1000))

    return one.view(count)


def keeping(hours: int) -> Callable[[Engine, Clock], Trimming]:
    """Return what makes a job that keeps records so long."""
    return lambda engine, clock: Trimming(engine, clock, hours * HOUR_MS)


def test_records_go_when_they_can_no_longer_be_read_and_not_a_moment_sooner() -> None:
    with OneStream() as one:
        one.append(b"a", b"b")
        one.clock.advance(1)
        one.append(b"c")
        one.clock.advance(DAY_MS - 1)
        one.run_job(Trimming)
        assert records_in(one) == 3
        one.clock.advance(1)
        one.run_job(Trimming)
        assert records_in(one) == 1
        assert one.read(one.begin("TRIM_HORIZON")).records == [b"c"]
        one.clock.advance(1)
        one.run_job(Trimming)
        assert records_in(one) == 0
        (shard,) = one.shards
        assert shard.end is None, "an open shard stays, with its numbers"
        (stamp,) = one.append(b"d")
        assert stamp > shard.start
        assert one.read(one.begin("TRIM_HORIZON")).records == [b"d"]


def test_stamps_go_on_growing_after_a_log_was_trimmed_empty_and_the_clock_stepped_back() -> None:
    with OneStream() as one:
        (last,) = one.append(b"a")
        one.clock.advance(DAY_MS + 1)
        one.run_job(Trimming)
        assert records_in(one) == 0
        one.clock.set(one.clock.now_ms() - 2 * DAY_MS)
        (stamp,) = one.append(b"b")
        assert stamp == last + 1


def test_closed_shards_and_their_stream_go_after_the_life_of_an_iterator() -> None:
    """Until then, whoever holds an iterator is told of the end by the shard itself."""
    with OneStream(2) as one:
        one.append(b"a", shard=0)
        one.clock.advance(HOUR_MS)
        one.close()
        closed_ms = one.clock.now_ms()
        first, second = sorted(one.shards, key=lambda shard: shard.number)

        def left(now_ms: int) -> tuple[bool, bool, bool]:
            one.clock.set(now_ms)
            one.run_job(Trimming)
            return (
                one.view(find_shard, one.stream, first.id) is not None,
                one.view(find_shard, one.stream, second.id) is not None,
                one.view(find_stream, one.stream.arn) is not None,
            )

        expired_ms = closed_ms - HOUR_MS + DAY_MS
        assert left(expired_ms + GRACE_MS) == (True, True, True)
        assert left(expired_ms + GRACE_MS + 1) == (False, True, True)
        assert left(closed_ms + DAY_MS + GRACE_MS) == (False, True, True)
        assert left(closed_ms + DAY_MS + GRACE_MS + 1) == (False, False, False)
        for prefix in (Prefix.STREAM, Prefix.SHARD, Prefix.STREAM_RECORD, Prefix.LOG_TIP):
            assert rows(one, prefix) == 0, "nothing at all is left behind"


def test_parents_go_and_their_children_stay() -> None:
    with OneStream() as one:
        (shard,) = one.shards
        one.append(b"a")
        _, (child,) = one.succeed(shard, 1)
        one.clock.advance(DAY_MS + GRACE_MS + 1)
        one.append(b"b", shard=1)
        one.run_job(Trimming)
        assert one.shards == [child]
        assert (records_in(one, 0), records_in(one, 1)) == (0, 1)
        assert rows(one, Prefix.STREAM) == 1


def test_records_stay_longer_for_other_readers_and_cannot_be_seen_through_the_api() -> None:
    with OneStream() as one:
        one.append(b"a")
        one.close()
        one.clock.advance(2 * DAY_MS)
        one.run_job(keeping(48))
        assert (records_in(one), len(one.shards)) == (1, 1)
        assert one.shards[0].has_expired(one.clock.now_ms())
        assert one.read(one.begin("TRIM_HORIZON")).records == []
        one.clock.advance(1)
        one.run_job(keeping(48))
        assert (records_in(one), len(one.shards), rows(one, Prefix.STREAM)) == (0, 0, 0)


@pytest.mark.parametrize("hours", [24, 48])
def test_what_was_trimmed_by_command_goes_at_once(hours: int) -> None:
    with OneStream() as one:
        one.append(b"a", b"b")
        one.trim(one.shards[0])
        one.append(b"c")
        one.run_job(keeping(hours))
        assert records_in(one) == 1
        assert one.read(one.begin("TRIM_HORIZON")).records == [b"c"]


def test_many_shards_are_trimmed_in_more_than_one_transaction() -> None:
    count = limits.trim_shards_max * 2 + 1
    with OneStream(count) as one:
        for shard in range(count):
            one.append(b"a", shard=shard)
        one.close()
        one.clock.advance(DAY_MS + 1)
        one.run_job(Trimming)
        assert rows(one, Prefix.STREAM_RECORD) == 0
        one.clock.advance(GRACE_MS)
        one.run_job(Trimming)
        assert rows(one, Prefix.SHARD) == rows(one, Prefix.STREAM) == 0


def test_trimming_twice_changes_nothing_more() -> None:
    with OneStream() as one:
        one.append(b"a")
        one.clock.advance(DAY_MS + 1)
        one.run_job(Trimming)
        before = one.view(lambda reader: reader.scan(Span(b"\x00", b"\xfe"), 1000))
        one.run_job(Trimming)
        assert one.view(lambda reader: reader.scan(Span(b"\x00", b"\xfe"), 1000)) == before


@pytest.mark.parametrize(("closed", "state"), [(False, "ENABLED"), (True, "DISABLED")])
def test_a_state_that_is_over_stays_over_when_the_clock_steps_back(
    closed: bool, state: str
) -> None:
    with OneStream() as one:
        now_ms = one.clock.now_ms()
        one.stream = one.make(2)
        one.open(one.stream, changed_ms=now_ms + 1000)
        if closed:
            one.close(now_ms + 1000)

        def stored_state() -> str:
            stream = one.view(find_stream, one.stream.arn)
            assert stream is not None
            told: str = stream.state(one.clock.now_ms())
            return told

        transitional = {"ENABLED": "ENABLING", "DISABLED": "DISABLING"}[state]
        one.clock.advance(999)
        one.run_job(Trimming)
        assert stored_state() == transitional
        one.clock.advance(1)
        assert stored_state() == state
        one.run_job(Trimming)
        one.clock.set(now_ms)
        assert stored_state() == state


def test_a_stream_that_has_the_arn_of_one_before_it_is_kept_apart_from_its_trimming() -> None:
    """A clock that was a day ahead gives a label anew: the lock is of the ARN, not of the number.

    The engine raises where two write one key under different locks.
    """
    with OneStream() as one:
        made_ms, first = one.clock.now_ms(), one.stream
        one.close()
        one.clock.advance(DAY_MS + GRACE_MS + 1)
        one.run_job(Trimming)
        one.clock.set(made_ms)
        second = one.make(2)
        assert second.arn == first.arn
        one.open(second)
        one.transact(
            lambda txn: forget_stream(txn, first), stream_lock(first.number, first.arn)
        )  # by a job that had listed the first one and was slow
        assert one.view(find_stream, second.arn) == second
