"""Large tables: that there is room for them, what is put, and that their store is quiet before."""

import json
import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from bench import quiet, scale
from bench.disk import file_system, file_system_of
from bench.measurements import CannotMeasure, Course
from bench.register import MEASUREMENTS
from bench.scale_measurements import put_over
from bench.servers import SERVERS
from bench.work import bodies
from unit.bench.outcomes import plan
from unit.bench.standing import standing

MOUNTS = r"""/dev/a / ext4 rw 0 0
tmpfs /tmp tmpfs rw 0 0
/dev/b /tmp/with\040blank xfs rw 0 0
/dev/c /tmp/with\040blank btrfs rw 0 0
"""


@pytest.mark.parametrize(
    ("path", "kind"),
    [("/srv/x", "ext4"), ("/tmp/x", "tmpfs"), ("/tmpx", "ext4"), ("/tmp/with blank/x", "btrfs")],
)
def test_a_directory_is_on_the_innermost_file_system(path: str, kind: str) -> None:
    assert file_system_of(MOUNTS, Path(path)) == kind


def test_where_mounts_are_not_told_the_file_system_is_not(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("bench.disk._MOUNTS", tmp_path / "none")
    assert file_system(tmp_path) is None


def test_a_table_that_does_not_fit_is_left_out_before_it_is_filled(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=3_210_000_000))
    filled: list[int] = []
    monkeypatch.setattr(scale, "fill", lambda *given, progress: filled.append(given[-1]))
    running = standing(SERVERS["penstock"])
    with pytest.raises(CannotMeasure) as told:
        MEASUREMENTS["put-at-10000000"].prepare(running, Course(plan()))
    assert str(told.value) == "needs 20 GB free, has 3.2; --items 1000000 leaves it out"
    assert filled == []


def test_a_second_pass_never_writes_what_the_first_wrote() -> None:
    requests = [json.loads(body)["Item"] for body in bodies(put_over(1000, 5), 7)]
    written: dict[str, object] = {}
    for item in [*requests, *requests]:  # wrk begins again
        key = item["pk"]["S"]
        assert written.get(key) != item
        written[key] = item
    assert len(written) == 1000


def read(*seconds: float | None) -> Callable[[int], float | None]:
    """Return what tells these times of a process, one after the other."""
    times = iter(seconds)
    return lambda process_id: next(times)


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Return how long was slept, on a clock that only sleeping moves."""
    slept: list[float] = []
    monkeypatch.setattr("bench.quiet.time.sleep", slept.append)
    monkeypatch.setattr("bench.quiet.time.monotonic", lambda: sum(slept))
    return slept


def test_a_store_is_quiet_when_it_takes_next_to_no_time(
    monkeypatch: pytest.MonkeyPatch, slept: list[float]
) -> None:
    monkeypatch.setattr(quiet, "processor_seconds", read(5.0, 6.1, 6.2, 6.22))
    assert quiet.await_quiet(1)
    assert slept == [1.0] * 3


def test_a_store_that_never_is_is_waited_for_a_minute(
    monkeypatch: pytest.MonkeyPatch, slept: list[float]
) -> None:
    monkeypatch.setattr(quiet, "processor_seconds", read(*range(100)))
    assert not quiet.await_quiet(1)
    assert len(slept) == 60


def test_where_times_are_not_told_it_is_waited_ten_seconds(
    monkeypatch: pytest.MonkeyPatch, slept: list[float]
) -> None:
    monkeypatch.setattr(quiet, "processor_seconds", read(None))
    assert quiet.await_quiet(1)
    assert slept == [10.0]


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="there is no /proc")
def test_the_time_of_a_process_is_what_it_took() -> None:
    told = quiet.processor_seconds(os.getpid())
    assert told == pytest.approx(time.process_time(), abs=1.0)
    assert quiet.processor_seconds(2**22 + 1) is None
