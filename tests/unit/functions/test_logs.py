"""What functions print comes into the store in order, costs no memory without end, or is counted.

Nothing here waits for the moment in which lines are gathered: `flush` is called.
"""

import asyncio
import logging
import re

import pytest

from penstock.base import limits
from penstock.base.errors.engine import EngineUnavailable
from penstock.functions.log_rows import Place
from penstock.functions.log_trimming import Keeping
from penstock.storage.prefixes import Prefix
from penstock.storage.waist import Span
from unit.functions.one_log import GROUP, REGION, OneLog, run

MISSING = re.compile(r"PENSTOCK: (\d+) lines of (\d+) bytes are missing here: .*")
SOON_SECONDS = 30


def test_lines_are_stored_in_their_order_and_make_their_group_and_stream() -> None:
    async def test(log: OneLog) -> None:
        for number in range(1000):
            log.write(f"line {number}")
        await log.logs.flush()
        assert log.texts() == [f"line {number}" for number in range(1000)]
        assert list(log.streams) == ["s"]
        assert log.group.created_ms == log.clock.now_ms()
        log.check_counts()
        assert log.logs.held_bytes == 0

    run(test)


def test_lines_are_stored_by_themselves_a_moment_later() -> None:
    async def test(log: OneLog) -> None:
        log.flusher.hold = True
        log.write("one")
        log.write("two")
        await asyncio.wait_for(log.flusher.came(), SOON_SECONDS)
        log.flusher.hold = False
        log.flusher.release()
        await log.logs.flush()
        assert log.texts() == ["one", "two"]
        assert log.flusher.jobs == 1, "together"

    run(test)


def test_where_no_function_logs_there_is_no_task_no_row_and_no_memory() -> None:
    async def test(log: OneLog) -> None:
        await log.trim()
        await log.logs.stop()
        assert asyncio.all_tasks() == {asyncio.current_task()}
        assert log.flusher.jobs == 0
        assert log.logs.held_bytes == 0

    run(test)


def test_the_task_ends_when_all_is_stored_and_begins_again() -> None:
    async def test(log: OneLog) -> None:
        for text in ("one", "two"):
            log.write(text)
            (writer,) = asyncio.all_tasks() - {asyncio.current_task()}
            await asyncio.wait_for(writer, SOON_SECONDS)
        assert log.texts() == ["one", "two"]

    run(test)


def test_groups_regions_and_streams_are_kept_apart() -> None:
    async def test(log: OneLog) -> None:
        log.write("a", "s1")
        log.write("b", "s2")
        log.write("c", "s1", "/aws/lambda/f2")
        log.logs.write("eu-west-1", GROUP, "s1", log.clock.now_ms(), "d")
        await log.logs.flush()
        assert log.texts() == ["a", "b"]
        assert log.texts("/aws/lambda/f2") == ["c"]
        elsewhere = log.events(place=Place("eu-west-1", GROUP))
        assert [event.text for event in elsewhere] == [b"d"]

    run(test)


def test_memory_is_bounded_and_what_is_dropped_is_counted_where_it_is_missing() -> None:
    """A stalled disk, and functions that print 20 MB meanwhile; then the disk goes on."""

    async def test(log: OneLog) -> None:
        log.flusher.hold = True
        text = "x" * 10_000
        for number in range(2000):
            log.write(f"{number} {text}", f"s{number % 10}")
        assert log.logs.held_bytes <= limits.log_buffer_bytes_max
        assert log.logs.held_bytes > limits.log_buffer_bytes_max * 0.9
        log.flusher.hold = False
        log.flusher.release()
        await log.logs.flush()
        assert log.logs.held_bytes == 0
        for number in range(10):
            log.write("after", f"s{number}")
        await log.logs.flush()
        missing = 0
        for name in log.streams:
            lines = [event.text.decode() for event in log.events() if event.stream == name]
            *kept, notice, after = lines
            found = MISSING.fullmatch(notice)
            assert found is not None, notice
            missing += int(found[1])
            assert after == "after"
            first = int(name[1:])
            wanted = [str(first + 10 * at) for at in range(len(kept))]
            assert [line.split()[0] for line in kept] == wanted, "without a gap before the notice"
        assert missing + len(log.events()) - 20 == 2000

    run(test)


def test_streams_without_end_cost_no_more_memory_and_what_is_lost_is_told(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def test(log: OneLog) -> None:
        log.flusher.hold = True
        count = limits.log_buffer_bytes_max // limits.log_stream_extra_bytes
        for number in range(2 * count):
            log.write("line", f"s{number}")
        assert log.logs.held_bytes <= limits.log_buffer_bytes_max
        held = sum(map(len, log.logs._buffers.values()))
        assert held < count
        log.flusher.hold = False
        log.flusher.release()
        await log.logs.flush()
        assert log.logs.held_bytes == 0
        (told,) = [each for each in caplog.records if "for want of room" in each.message]
        assert vars(told)["lines"] == 2 * count - held

    run(test, OneLog(Keeping(bytes=64 * 1024 * 1024)))


def test_what_is_dropped_while_the_store_fails_again_and_again_is_one_line(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def gone(*_: object, **__: object) -> None:
        raise EngineUnavailable("the disk is gone")

    async def test(log: OneLog) -> None:
        log.write("first")
        held = "x" * 10_000
        while log.logs.held_bytes + 2 * len(held) < limits.log_stream_buffer_bytes_max:
            log.write(held)
        for _ in range(50):
            log.write(held * 3)
            with monkeypatch.context() as patch:
                patch.setattr(log.engine, "transact", gone)
                with pytest.raises(EngineUnavailable):
                    await log.logs.flush()
        await log.logs.flush()
        first, *_, last = log.texts()
        assert first == "first"
        found = MISSING.fullmatch(last)
        assert found is not None
        assert int(found[1]) == 50
        assert len([text for text in log.texts() if MISSING.fullmatch(text)]) == 1

    run(test)


def test_one_stream_cannot_take_all_the_room() -> None:
    async def test(log: OneLog) -> None:
        log.flusher.hold = True
        for _ in range(2000):
            log.write("x" * 10_000, "loud")
        assert log.logs.held_bytes <= limits.log_stream_buffer_bytes_max
        log.write("me too", "quiet")
        log.flusher.hold = False
        log.flusher.release()
        await log.logs.flush()
        assert [e.text for e in log.events() if e.stream == "quiet"] == [b"me too"]

    run(test)


def test_a_line_that_is_too_long_goes_on_in_the_next_event_and_no_character_is_split() -> None:
    async def test(log: OneLog) -> None:
        line = "é€😀" * (limits.log_line_bytes_max // 4)
        log.write(line)
        log.write("next")
        await log.logs.flush()
        *pieces, last = log.texts()
        assert last == "next"
        assert len(pieces) > 1
        assert "".join(pieces) == line
        for piece in pieces:
            assert len(piece.encode()) <= limits.log_line_bytes_max

    run(test)


def test_text_that_is_no_unicode_is_kept_as_far_as_it_is() -> None:
    async def test(log: OneLog) -> None:
        log.write("a\ud800b\0c")
        log.write("")
        await log.logs.flush()
        assert log.texts() == ["a?b\0c", ""]

    run(test)


def test_lines_wait_while_the_store_fails_and_are_stored_once() -> None:
    async def test(log: OneLog) -> None:
        log.flusher.errors.append(EngineUnavailable("the disk is gone"))
        log.write("one")
        with pytest.raises(EngineUnavailable):
            await log.logs.flush()
        assert log.logs.held_bytes > 0
        log.clock.advance(int(limits.store_reopen_ms_min) + 1)
        log.write("two")
        await log.logs.flush()
        assert log.texts() == ["one", "two"]
        assert log.logs.held_bytes == 0

    run(test)


def test_the_end_stores_what_is_held_and_nothing_is_taken_after_it() -> None:
    async def test(log: OneLog) -> None:
        log.write("one")
        await log.logs.stop()
        assert log.texts() == ["one"]
        log.write("two")
        await log.logs.stop()
        assert log.texts() == ["one"]
        assert asyncio.all_tasks() == {asyncio.current_task()}

    run(test)


def test_the_end_does_not_wait_for_a_store_that_stands_still(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def test(log: OneLog) -> None:
        log.flusher.hold = True
        log.write("one")
        with caplog.at_level(logging.WARNING):
            await asyncio.wait_for(log.logs.stop(0.01), SOON_SECONDS)
        assert "could not be stored before the end" in caplog.text

    run(test)


def test_a_bug_costs_the_lines_and_not_the_function_and_is_told(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def test(log: OneLog) -> None:
        def broken(*_: object) -> None:
            raise ZeroDivisionError

        with monkeypatch.context() as patched:
            patched.setattr("penstock.functions.logs.add_lines", broken)
            log.write("one")
            await log.logs.flush()
        assert "could not be stored" in caplog.text
        assert log.logs.held_bytes == 0
        log.write("two")
        await log.logs.flush()
        assert log.texts() == ["two"]

    run(test)


def test_a_function_that_prints_without_end_keeps_no_more_than_its_group_may() -> None:
    """Not even until the job runs: who writes also trims."""

    async def test(log: OneLog) -> None:
        for _ in range(20):
            for number in range(100):
                log.write(f"{number} " + "x" * 5000)
            await log.logs.flush()
            log.clock.advance(100)
            assert log.group.kept_bytes <= log.keeping.excess_bytes
        log.check_counts()
        assert log.texts()[-1].startswith("99 ")
        rows = log.view(lambda r: r.scan(Span.of_prefix(Prefix.LOG_EVENT.key), 1000))
        assert sum(len(row) for _, row in rows) < 2 * log.keeping.bytes

    run(test, OneLog(Keeping(bytes=1024 * 1024)))


def test_very_many_groups_are_written_in_one_go() -> None:
    async def test(log: OneLog) -> None:
        count = 3 * limits.log_groups_written_max
        for number in range(count):
            log.write("line", group=f"g{number}")
        await log.logs.flush()
        for number in range(count):
            assert log.texts(f"g{number}") == ["line"]

    run(test)


def test_two_nodes_write_to_one_group() -> None:
    async def test(log: OneLog) -> None:
        other = type(log.logs)(log.engine, log.clock)
        for number in range(50):
            log.write(f"line {number}", "of one")
            other.write(REGION, GROUP, "of the other", log.clock.now_ms(), f"line {number}")
            await asyncio.gather(log.logs.flush(), other.flush())
        assert len(log.events()) == 100
        log.check_counts()
        await other.stop()

    run(test)
