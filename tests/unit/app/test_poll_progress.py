"""What `penstock poll` shows while it runs."""

import asyncio
import io

import pytest

from penstock.app.poll_progress import PollProgress
from penstock.base import limits
from penstock.consumers.counts import MappingCounts
from penstock.testing.clock import FakeClock
from unit.app.shown_mappings import NOW_MS, Lag, busy


def progress(counts: MappingCounts | None, output: io.StringIO | None = None) -> PollProgress:
    return PollProgress(lambda: counts, FakeClock(NOW_MS), output or io.StringIO())


def test_what_is_not_worth_telling_is_left_out() -> None:
    counts = MappingCounts(polled=1234, invoked=1200, shards={"a": Lag()})
    assert progress(counts).text() == "1,234 records read, 1,200 handed over, 0 behind"


def test_all_that_happens_is_told() -> None:
    assert progress(busy().counts).text() == (
        "50 records read, 70 handed over, 6 filtered out, 1,234+ behind (15.2 s), 13 in flight, "
        "4 retries, 19 given up, last error 95 s ago: it broke"
    )


def test_a_mapping_that_does_not_run_yet_is_starting() -> None:
    assert progress(None).text() == "starting"


def test_without_a_terminal_a_line_is_written_when_there_is_news(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(limits, "poll_report_seconds", 0.005)
    counts, output = MappingCounts(shards={"a": Lag()}), io.StringIO()

    async def work() -> None:
        stop = asyncio.Event()
        showing = asyncio.create_task(progress(counts, output).show_until(stop))
        for polled in (1, 2):
            counts.polled = polled
            while f"{polled} records read" not in output.getvalue():
                await asyncio.sleep(0.001)
        await asyncio.sleep(0.02)
        stop.set()
        await showing

    asyncio.run(work())
    assert [line[0] for line in output.getvalue().splitlines()[-2:]] == ["1", "2"]


def test_what_an_error_says_cannot_move_the_cursor() -> None:
    output = io.StringIO()
    progress(None, output).say("\x1b[2Jgone")
    assert "\x1b" not in output.getvalue()
