"""The demo's processes: a signal ends the demo and them at any moment, and none alone."""

import os
import signal
import subprocess
from collections.abc import Iterator
from multiprocessing.context import SpawnProcess
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from penstock.app.demo_server import DemoServer
from penstock.app.demo_writer import Assignment
from penstock.app.demo_writer_process import WriterError, WriterProcess
from penstock.base.clock import SystemClock

_SECONDS_MAX = 60


def _assignment() -> Assignment:
    """Return one that has nothing to write."""
    return Assignment("http://127.0.0.1:9", "t", {}, SystemClock().elapsed_ms())


class _Ended(Exception):
    """What the handler of SIGTERM raises, as the demo's own does."""


@pytest.fixture
def raising_on_sigterm() -> Iterator[None]:
    def end(_number: int, _frame: FrameType | None) -> None:
        raise _Ended

    before = signal.signal(signal.SIGTERM, end)
    yield
    signal.signal(signal.SIGTERM, before)


_ENDINGS = pytest.mark.parametrize(
    ("number", "raised"),
    [(signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, _Ended)],
    ids=["SIGINT", "SIGTERM"],
)


@pytest.mark.usefixtures("interruptible", "raising_on_sigterm")
@_ENDINGS
def test_a_signal_while_the_writer_starts_is_not_lost_and_ends_it(
    number: signal.Signals, raised: type[BaseException], monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[SpawnProcess] = []
    start = SpawnProcess.start

    def interrupted(process: SpawnProcess) -> None:
        os.kill(os.getpid(), number)
        start(process)
        started.append(process)

    monkeypatch.setattr(SpawnProcess, "start", interrupted)
    with pytest.raises(raised), WriterProcess(_assignment()):
        pytest.fail("the signal was lost")
    (process,) = started
    assert process.exitcode == -signal.SIGKILL


@pytest.mark.usefixtures("interruptible", "raising_on_sigterm")
@_ENDINGS
def test_a_signal_while_the_server_starts_is_not_lost_and_ends_it(
    number: signal.Signals,
    raised: type[BaseException],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    started: list[subprocess.Popen[bytes]] = []

    class Interrupted(subprocess.Popen[bytes]):
        def __init__(self, *arguments: Any, **named: Any) -> None:
            super().__init__(*arguments, **named)
            os.kill(os.getpid(), number)
            started.append(self)

    monkeypatch.setattr(subprocess, "Popen", Interrupted)
    server = DemoServer(tmp_path, "memory", tmp_path / "log", SystemClock())
    with pytest.raises(raised), server:
        pytest.fail("the signal was lost")
    (process,) = started
    assert process.returncode == -signal.SIGKILL


@pytest.mark.usefixtures("interruptible")
def test_an_interrupt_of_the_writer_itself_does_nothing() -> None:
    with WriterProcess(_assignment()) as writer:
        assert writer._process.pid is not None
        os.kill(writer._process.pid, signal.SIGINT)
        while not writer.collect(_SECONDS_MAX):
            pass
    assert writer._process.exitcode == 0


def test_a_writer_that_died_is_told() -> None:
    with pytest.raises(WriterError, match="ended by itself"), WriterProcess(_assignment()) as one:
        one._process.kill()
        while not one.collect(_SECONDS_MAX):
            pass
