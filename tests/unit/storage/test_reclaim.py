"""When cleared space is given back: the budget, the room, failures, and who waits for whom."""

import logging
import threading
from typing import Any

import pytest

from penstock.base import limits
from penstock.base.errors.engine import EngineUnavailable
from penstock.storage.reclaim import (
    Budget,
    Reclaimer,
    Run,
    StoreFile,
    ThreadWorker,
    Weight,
    weigh,
)
from penstock.storage.waist import Span
from penstock.testing.clock import FakeClock

MB = 1024 * 1024
RUN_SECONDS_MAX = 30.0
"""How long a test waits for what must come."""


class HeldWorker:
    """A worker that runs only where the test calls `run`."""

    def __init__(self) -> None:
        self.woken = 0

    def wake(self, run: Run) -> None:
        self.woken += 1

    def stop(self) -> None:
        pass


class FakeCompactor:
    """Files that the test makes up; a compaction replaces them all by the next ones of `outcomes`.

    Without outcomes nothing changes. With `held`, it lasts until it is cancelled.
    """

    def __init__(self, *files: StoreFile) -> None:
        self.compacted: list[Span] = []
        self.outcomes: list[list[StoreFile] | Exception] = []
        self.room = 1024 * MB
        self.failed = 0
        self.fails = False
        self.held = False
        self.began = threading.Event()
        self.cancelled = threading.Event()
        self._files = list(files)

    def files(self) -> list[StoreFile]:
        return self._files

    def memory_bytes(self) -> int:
        return 0

    def room_bytes(self) -> int:
        return self.room

    def failures(self) -> int:
        return self.failed

    def compact(self, span: Span) -> None:
        self.compacted.append(span)
        self.began.set()
        if self.held:
            assert self.cancelled.wait(RUN_SECONDS_MAX)
        if self.fails:
            self.failed += 1
        elif self.outcomes:
            outcome = self.outcomes.pop(0)
            if isinstance(outcome, Exception):
                raise outcome
            self._files = outcome

    def cancel(self) -> None:
        self.cancelled.set()


def wide(name: str, size: int) -> StoreFile:
    """Return a file that reaches over all spans of these tests."""
    return StoreFile(name, 6, b"\x00", b"\xff", size)


def span(number: int) -> Span:
    return Span(b"k%04d" % (2 * number), b"k%04d" % (2 * number + 1))


def attached(compactor: FakeCompactor, clock: FakeClock | None = None) -> Reclaimer:
    reclaimer = Reclaimer(clock or FakeClock(), HeldWorker())
    reclaimer.attach(compactor, [])
    return reclaimer


def clear(reclaimer: Reclaimer, *spans: Span) -> None:
    reclaimer.write(spans)
    reclaimer.settle()


def test_what_is_cleared_is_compacted_once_the_oldest_first() -> None:
    """And then there is nothing more to do."""
    compactor = FakeCompactor()
    reclaimer = attached(compactor)
    clear(reclaimer, span(2))
    clear(reclaimer, span(1), span(3))
    assert reclaimer.run() is None
    assert compactor.compacted == [span(2), span(1), span(3)]
    assert reclaimer.run() is None
    assert len(compactor.compacted) == 3


def test_small_clears_gather_while_the_budget_is_used_up() -> None:
    """What rewrote much for little is waited for; the clears of that time are compacted at once."""
    clock = FakeClock()
    compactor = FakeCompactor(wide("a", 400 * MB))
    compactor.outcomes = [[wide("b", 399 * MB)], [wide("c", 395 * MB)]]
    reclaimer = attached(compactor, clock)
    clear(reclaimer, span(0))
    assert reclaimer.run() is None
    for number in range(1, 10):
        clear(reclaimer, Span(span(0).start, span(number).end))
        wait_ms = reclaimer.run()
        assert wait_ms == pytest.approx((398 - 256) * 1000)
    assert wait_ms is not None
    clock.advance(round(wait_ms))
    assert reclaimer.run() is None
    assert compactor.compacted == [span(0), Span(span(0).start, span(9).end)]


def test_a_compaction_that_frees_what_it_rewrites_costs_next_to_nothing() -> None:
    """Large clears, one after the other, are compacted as they come."""
    compactor = FakeCompactor(wide("0", 400 * MB))
    compactor.outcomes = [[wide(str(n), (400 >> n) * MB)] for n in range(1, 5)]
    reclaimer = attached(compactor)
    for number in range(4):
        clear(reclaimer, span(number))
        assert reclaimer.run() is None
    assert len(compactor.compacted) == 4


def test_a_clear_of_whole_files_does_not_wait_for_the_budget() -> None:
    """Beside one that has to; it is dropped without rewriting as much."""
    whole = StoreFile("whole", 6, span(5).start, span(5).end, 300 * MB)
    deeper = StoreFile("first", 5, b"\x00", b"\x01", 1)
    compactor = FakeCompactor(wide("a", 290 * MB), whole, deeper)
    compactor.outcomes = [[wide("b", 290 * MB), whole, deeper]]
    reclaimer = attached(compactor)
    clear(reclaimer, span(0))
    reclaimer.run()
    clear(reclaimer, span(1), span(5))
    wait_ms = reclaimer.run()
    assert wait_ms is not None
    assert wait_ms > 0
    assert compactor.compacted == [span(0), span(5)]


def test_without_room_it_is_tried_again_later(caplog: Any) -> None:
    """A compaction writes before it frees, so it does not begin; the log tells that once."""
    compactor = FakeCompactor(wide("a", 100 * MB))
    compactor.room = 99 * MB
    reclaimer = attached(compactor)
    clear(reclaimer, span(0))
    with caplog.at_level(logging.INFO):
        for _ in range(3):
            assert reclaimer.run() == limits.reclaim_retry_ms
        assert compactor.compacted == []
        compactor.room = 100 * MB
        assert reclaimer.run() is None
    assert compactor.compacted == [span(0)]
    assert [record.getMessage() for record in caplog.records] == [
        "Cleared space could not be given back",
        "Cleared space is given back again",
    ]


def test_a_compaction_that_fails_is_tried_again_later(caplog: Any) -> None:
    """It is owed still, the rest waits too, and the log tells it once."""
    compactor = FakeCompactor()
    compactor.fails = True
    reclaimer = attached(compactor)
    clear(reclaimer, span(0), span(1))
    with caplog.at_level(logging.INFO):
        for _ in range(3):
            assert reclaimer.run() == limits.reclaim_retry_ms
        compactor.fails = False
        assert reclaimer.run() is None
    assert compactor.compacted == [span(0)] * 4 + [span(1)]
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]


@pytest.mark.parametrize("error", [EngineUnavailable("unreadable"), ValueError("a bug")])
def test_no_error_ends_the_thread(error: Exception, caplog: Any) -> None:
    """Whatever the compactor raises is logged, and it is tried again later."""
    compactor = FakeCompactor()
    compactor.outcomes = [error]
    reclaimer = attached(compactor)
    clear(reclaimer, span(0))
    assert reclaimer.run() == limits.reclaim_retry_ms
    assert len(caplog.records) == 1
    assert reclaimer.run() is None
    assert compactor.compacted == [span(0)] * 2


def test_detaching_cancels_what_is_under_way_and_keeps_it_owed() -> None:
    """The next store's rows say what is owed, and the compactor of the last is used no more."""
    compactor = FakeCompactor()
    compactor.held = True
    reclaimer = attached(compactor)
    rows = reclaimer.write([span(0), span(1)])
    reclaimer.settle()
    thread = threading.Thread(target=reclaimer.run)
    thread.start()
    assert compactor.began.wait(RUN_SECONDS_MAX)
    assert reclaimer.detach(RUN_SECONDS_MAX)
    thread.join(RUN_SECONDS_MAX)
    assert compactor.compacted == [span(0)]
    assert reclaimer.run() is None
    after = FakeCompactor()
    reclaimer.attach(after, [(key, value) for key, value in rows.items() if value is not None])
    assert reclaimer.run() is None
    assert after.compacted == [span(0), span(1)]


def test_detaching_waits_no_longer_than_it_is_told_to() -> None:
    """A compaction that does not end is told of, so that the store is left to it."""
    compactor = FakeCompactor()
    compactor.held = True
    compactor.cancel = lambda: None  # type: ignore[method-assign]
    reclaimer = attached(compactor)
    clear(reclaimer, span(0))
    thread = threading.Thread(target=reclaimer.run)
    thread.start()
    assert compactor.began.wait(RUN_SECONDS_MAX)
    assert not reclaimer.detach(0.0)
    compactor.cancelled.set()
    thread.join(RUN_SECONDS_MAX)
    assert reclaimer.detach(0.0)


def test_the_worker_is_woken_by_clears_alone() -> None:
    """And by what a store owes when it is opened; not by other groups."""
    worker = HeldWorker()
    reclaimer = Reclaimer(FakeClock(), worker)
    reclaimer.attach(FakeCompactor(), [])
    reclaimer.write([])
    reclaimer.settle()
    assert worker.woken == 0
    rows = reclaimer.write([span(0)])
    assert worker.woken == 0
    reclaimer.settle()
    assert worker.woken == 1
    reclaimer.attach(FakeCompactor(), [(key, value) for key, value in rows.items() if value])
    assert worker.woken == 2


def test_the_thread_runs_when_woken_and_as_it_asked_to() -> None:
    """It begins with the first wake, comes back by itself after the wait, and ends at `stop`."""
    worker = ThreadWorker("reclaim-test", gather_ms=0.0)
    runs: list[threading.Thread] = []
    third = threading.Event()

    def run() -> float | None:
        runs.append(threading.current_thread())
        if len(runs) == 3:
            third.set()
            return None
        return 1.0

    worker.wake(run)
    assert third.wait(RUN_SECONDS_MAX)
    worker.stop()
    runs[0].join(RUN_SECONDS_MAX)
    assert not runs[0].is_alive()
    assert [thread.name for thread in runs] == ["reclaim-test"] * 3


def test_a_worker_that_is_stopped_runs_nothing() -> None:
    """Also one that never ran."""
    worker = ThreadWorker("reclaim-test")
    worker.stop()
    runs: list[None] = []
    worker.wake(lambda: runs.append(None))
    for thread in threading.enumerate():
        if thread.name == "reclaim-test":
            thread.join(RUN_SECONDS_MAX)
    assert runs == []


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ([], Weight(0, 7)),
        ([(6, b"c", b"d", 10)], Weight(10, 7)),
        ([(6, b"b", b"e", 10)], Weight(10, 7)),
        ([(6, b"a", b"d", 10)], Weight(0, 17)),
        ([(6, b"x", b"y", 10)], Weight(0, 17)),
        ([(0, b"x", b"y", 10), (5, b"x", b"y", 20), (6, b"x", b"y", 40)], Weight(0, 37)),
        ([(5, b"c", b"d", 20), (6, b"a", b"c", 40), (6, b"c", b"f", 80)], Weight(20, 127)),
    ],
)
def test_the_weight_of_a_compaction(files: Any, expected: Weight) -> None:
    """Files within the span are dropped; those across its ends, and those on top, are rewritten."""
    named = [StoreFile(str(number), *file) for number, file in enumerate(files)]
    assert weigh(Span(b"b", b"e"), named, 7) == expected


def test_the_budget_fills_with_time_and_no_further_than_its_limit() -> None:
    """Each compaction costs something, so that they never follow each other without end."""
    clock = FakeClock()
    budget = Budget(clock)
    clock.advance(10**9)
    for _ in range(limits.reclaim_budget_bytes // limits.reclaim_run_bytes_min):
        assert budget.wait_ms == 0
        budget.spend(0)
    budget.spend(3 * MB)
    assert budget.wait_ms == pytest.approx(3000)
    clock.advance(2000)
    assert budget.wait_ms == pytest.approx(1000)
    clock.advance(1000)
    assert budget.wait_ms == 0
