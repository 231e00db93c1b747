"""What is too old or too much goes, the oldest first, and what is known of the rest stays true."""

import msgspec
import pytest

from penstock.base import limits
from penstock.functions.log_rows import Line, store_group
from penstock.functions.log_trimming import Keeping
from penstock.storage.prefixes import Prefix
from penstock.storage.waist import Span
from unit.functions.one_log import DAY_MS, PLACE, OneLog, run


def at(log: OneLog, *ages_ms: int) -> list[Line]:
    """Return lines of these ages."""
    now_ms = log.clock.now_ms()
    return [Line(now_ms - age_ms, f"line of {age_ms}".encode()) for age_ms in ages_ms]


def ages(log: OneLog) -> list[int]:
    return [int(text.split()[2]) for text in log.texts()]


def test_lines_go_by_their_age_and_then_their_stream() -> None:
    async def test(log: OneLog) -> None:
        await log.add(at(log, DAY_MS, 0), "one")
        await log.add(at(log, DAY_MS), "other")
        log.clock.advance(6 * DAY_MS)
        await log.trim()
        assert len(log.events()) == 3, "they are exactly seven days old"
        log.clock.advance(1)
        await log.trim()
        assert ages(log) == [0]
        log.check_counts()
        assert list(log.streams) == ["one", "other"], "something was stored there of late"
        log.clock.advance(DAY_MS)
        await log.trim()
        assert log.streams == {}
        assert log.group.kept_bytes == 0

    run(test)


@pytest.mark.parametrize(("days", "kept"), [(1, 0), (30, 1)])
def test_a_group_has_a_retention_of_its_own(days: int, kept: int) -> None:
    async def test(log: OneLog) -> None:
        await log.add(at(log, 0))
        group = msgspec.structs.replace(log.group, retention_days=days)
        await log.engine.transact(lambda txn: store_group(txn, PLACE, group), locks=[PLACE.lock])
        log.clock.advance(DAY_MS + 1 if days == 1 else 29 * DAY_MS)
        await log.trim()
        assert len(log.events()) == kept
        assert log.group.retention_days == days

    run(test)


def test_of_too_many_bytes_the_oldest_lines_of_all_streams_go() -> None:
    async def test(log: OneLog) -> None:
        text = b"x" * (1024 - limits.log_event_extra_bytes)
        for number in range(100):
            now_ms = log.clock.now_ms()
            await log.add([Line(now_ms, text)], f"s{number % 3}")
            log.clock.advance(10)
        await log.trim()
        log.check_counts()
        assert log.group.kept_bytes == log.keeping.bytes
        times = [event.at_ms for event in log.events()]
        assert len(times) == 32
        assert min(times) == log.clock.now_ms() - 320, "the last 32 of 100"

    run(test, OneLog(Keeping(bytes=32 * 1024)))


def test_a_step_is_bounded_and_as_many_are_made_as_it_takes() -> None:
    """Each chunk is of a time of its own, so that there are many."""

    async def test(log: OneLog) -> None:
        count = 2 * limits.log_trim_chunks_max + 10
        ages_ms = [number * 2 * limits.log_chunk_ms_max for number in range(count, 0, -1)]
        await log.add(at(log, *ages_ms))
        span = Span.of_prefix(Prefix.LOG_EVENT.key)
        assert log.view(lambda reader: len(reader.scan(span, 10_000))) == count
        log.clock.advance(8 * DAY_MS)
        before = log.flusher.jobs
        await log.add(at(log, 0))  # or all of the stream would go at once
        await log.trim()
        assert ages(log) == [0]
        assert log.flusher.jobs >= before + 3
        log.check_counts()

    run(test)


def test_of_very_many_streams_the_latest_stay() -> None:
    async def test(log: OneLog) -> None:
        count = limits.log_streams_kept_max + 3
        for number in range(count):
            log.write("line", f"s{number:05}")
            if number < 5:
                await log.logs.flush()
                log.clock.advance(1)
        await log.logs.flush()
        await log.trim()
        assert len(log.streams) == limits.log_streams_kept_max
        assert not {"s00000", "s00001", "s00002"} & set(log.streams)
        log.check_counts()

    run(test)


def test_what_may_stay_is_left_alone() -> None:
    async def test(log: OneLog) -> None:
        await log.add(at(log, 3, 2, 1))
        before = log.flusher.jobs
        await log.trim()
        assert ages(log) == [3, 2, 1]
        assert log.flusher.jobs <= before + 1
        log.check_counts()

    run(test)
