"""Signals: the first ends the run, later ones change nothing, and no child is left."""

import signal
import sys
from pathlib import Path

import pytest

from bench.interrupts import Ended, Shield, heard
from bench.processes import Child, stop_all


@pytest.mark.usefixtures("hears_sighup")
@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 143)]
)
def test_a_signal_ends_a_run_once(number: signal.Signals, status: int) -> None:
    before = signal.getsignal(number)
    with heard():
        with pytest.raises(Ended) as ended:
            signal.raise_signal(number)
        signal.raise_signal(signal.SIGINT)  # during the clean-up: nothing
    assert ended.value.status == status
    assert signal.getsignal(number) == before


def test_a_signal_waits_for_the_end_of_a_shield() -> None:
    steps = []
    with heard(), pytest.raises(Ended), Shield():
        with Shield():
            signal.raise_signal(signal.SIGTERM)
        steps.append("whole")
    assert steps == ["whole"]


def test_who_had_sighup_ignored_keeps_it_so() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with heard():
            signal.raise_signal(signal.SIGHUP)
    finally:
        signal.signal(signal.SIGHUP, before)


def test_ctrl_c_while_a_child_is_ended_does_not_leave_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    child = Child([sys.executable, "-c", "import time; time.sleep(600)"], tmp_path / "log")
    wait = child._process.wait

    def interrupted(seconds_max: float | None = None) -> int:
        for _ in range(2):
            signal.raise_signal(signal.SIGINT)
        return wait(seconds_max)

    monkeypatch.setattr(child._process, "wait", interrupted)
    with heard(), pytest.raises(Ended):
        child.stop()
    assert child.has_ended()


def test_what_nobody_ended_is_ended_at_last(tmp_path: Path) -> None:
    child = Child([sys.executable, "-c", "import time; time.sleep(600)"], tmp_path / "log")
    stop_all()
    assert child.has_ended()
