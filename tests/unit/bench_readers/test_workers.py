"""Functions in processes of their own."""

import time

import pytest

from bench.workers import Link, Worker, WorkFailed, run_together, start_together


def note_time(link: Link, name: str) -> tuple[str, float]:
    link.wait_for_start()
    return name, time.monotonic()


def wait_for_stop(link: Link) -> str:
    link.wait_for_start()
    return "stopped" if link.is_stopped(60) else "left alone"


def fail(link: Link) -> None:
    link.wait_for_start()
    raise ValueError("on purpose")


def test_what_each_returns_comes_in_their_order() -> None:
    first, second = Worker(note_time, "a"), Worker(note_time, "b")
    began = time.monotonic()
    results = run_together(first, second)
    assert [name for name, _ in results] == ["a", "b"]
    assert all(began < at < time.monotonic() for _, at in results)


def test_none_begins_before_it_is_told_to() -> None:
    with Worker(note_time, "a") as worker:
        worker.await_ready()
        ready = time.monotonic()
        worker.start()
        _, began = worker.result()
    assert began > ready


def test_one_is_told_to_stop() -> None:
    with Worker(wait_for_stop) as worker:
        start_together(worker)
        worker.stop()
        assert worker.result() == "stopped"


def test_one_that_has_ended_is_stopped_all_the_same() -> None:
    with Worker(note_time, "a") as worker:
        start_together(worker)
        worker._process.join(60)
        worker.stop()
        name, _ = worker.result()
    assert name == "a"


def test_what_it_raises_is_told_with_its_trace() -> None:
    with pytest.raises(WorkFailed, match="ValueError: on purpose"):
        run_together(Worker(fail))
