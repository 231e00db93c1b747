"""What a run is asked for, what it leaves out and why, and a whole one on tiny rounds."""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from bench.__main__ import main
from bench.measurements import Act
from bench.outcome import Outcome
from bench.plan import FULL, QUICK
from bench.run import Run
from bench.selection import Selection
from bench.servers import ENGINE, FLOOR, LOCAL_DISK, LOCAL_MEMORY, PENSTOCK
from unit.bench.outcomes import plan


def test_a_plan_takes_what_is_asked_for() -> None:
    asked = plan("--only", "put, get", "--rounds", "7", "--seconds", "1", "--connections", "8")
    assert (asked.kind, asked.only, asked.rounds) == ("part", ("put", "get"), 7)
    assert (asked.seconds, asked.other_seconds, asked.connections) == (1, 1, 8)
    assert plan() == FULL
    assert plan("--quick") == QUICK


@pytest.mark.parametrize(
    ("arguments", "kind"),
    [
        ("", "full"),
        ("--rounds 7 --seconds 5", "full"),
        ("--rounds 4", "part"),
        ("--seconds 3", "part"),
        ("--connections 65", "part"),
        ("--items 1000000", "part"),
        ("--quick --rounds 4", "quick"),
        ("--quick --only put", "part"),
    ],
)
def test_a_run_with_less_than_a_full_one_takes_is_a_part(arguments: str, kind: str) -> None:
    assert plan(*arguments.split()).kind == kind


def test_seconds_are_whole(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--seconds", "1.5"])
    assert "invalid int value: '1.5'" in capsys.readouterr().err


def test_a_value_error_is_no_bad_argument(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def fail(run: Run) -> Outcome:
        raise ValueError("odd thing")

    monkeypatch.setattr("bench.__main__.Run.go", fail)
    with pytest.raises(ValueError, match="odd thing"):
        main(["--only", "get", "--results", str(tmp_path)])


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--rounds", "2"], "a median needs 3 rounds or more"),
        (["--seconds", "0"], "seconds and connections are 1 or more"),
        (["--connections", "1", "--threads", "2"], "no more than connections"),
        (["--only", "putt"], "no such measurement: putt; there are put, "),
        (["--servers", "mongo"], "no such server: mongo; there are penstock, "),
    ],
)
def test_arguments_that_make_no_sense_are_told(
    arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    assert told in capsys.readouterr().err


def test_a_machine_without_wrk_says_so_of_each_quantity_that_needs_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    outcome = Outcome()
    selection = Selection(plan("--servers", PENSTOCK), outcome)
    assert "apt-get install wrk" in outcome.why(PENSTOCK, "put")
    assert "brew install wrk" in outcome.why(FLOOR, "get")
    assert [each.name for each in selection.of(PENSTOCK, Act.STREAMS)] == [
        "drain-1",
        "drain-4",
        "receipt",
    ]
    assert Act.REQUESTS not in selection.acts()


def test_stand_ins_are_left_out_where_dynamodb_local_is(monkeypatch: pytest.MonkeyPatch) -> None:
    _have_wrk(monkeypatch)
    selection = Selection(plan("--quick"), Outcome())
    assert selection.stands_in("ministack", [PENSTOCK, LOCAL_MEMORY])
    assert not selection.stands_in("ministack", [PENSTOCK])
    assert not selection.stands_in(LOCAL_DISK, [PENSTOCK, LOCAL_DISK])
    asked = Selection(plan("--quick", "--servers", "ministack"), Outcome())
    assert not asked.stands_in("ministack", [LOCAL_MEMORY])


def test_a_quick_run_measures_of_each_server_what_its_rows_need(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _have_wrk(monkeypatch)
    selection = Selection(plan("--quick"), Outcome())
    names = {
        server: [each.name for each in selection.of(server, Act.REQUESTS)]
        for server in (PENSTOCK, LOCAL_DISK, LOCAL_MEMORY)
    }
    assert names == {
        PENSTOCK: ["put", "put-plain", "get", "batch"],
        LOCAL_DISK: ["put"],
        LOCAL_MEMORY: ["put", "get"],
    }
    assert selection.acts() == [Act.REQUESTS]
    assert selection.lone() == []


def test_larger_tables_than_asked_for_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    _have_wrk(monkeypatch)
    selection = Selection(plan("--items", "1000000"), Outcome())
    servers = [server.name for server in selection.servers(Act.SCALE)]
    assert servers == ["penstock-100000", "penstock-1000000"]


def _have_wrk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bench.measurements.need_program", lambda name, remedy: f"/bin/{name}")


def test_a_failed_request_fails_its_measurement_and_the_run(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wrk = tmp_path / "wrk"
    told = '{"requests":9,"microseconds":9,"refused":2,"connect":0,"read":0,"write":0,"timeout":0}'
    wrk.write_text(f"#!/bin/sh\necho 'told {told}'\n")
    wrk.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    status = main(["--only", "put", "--servers", PENSTOCK, "--results", str(tmp_path / "results")])
    assert status == 1
    assert "FAILED: Penstock, put: of 9 requests failed: 2 refused" in capsys.readouterr().out
    (path,) = (tmp_path / "results").iterdir()
    assert json.loads(path.read_text())["values"] == {}


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("wrk") is None, reason="wrk is absent")
@pytest.mark.timeout(600)
def test_a_whole_run_of_penstock_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names = "put,get,query,batch,transact,drain-4,put-while-draining"
    asked = f"--only {names},commits,start-penstock --servers {PENSTOCK},{FLOOR},{ENGINE}"
    sizes = f"--records 5000 --rounds 3 --seconds 1 --connections 16 --results {tmp_path}"
    status = main([*asked.split(), *sizes.split()])
    said = capsys.readouterr().out
    assert status == 0, said
    (path,) = tmp_path.iterdir()
    kept = json.loads(path.read_text())
    assert kept["failures"] == [], said
    measured = kept["values"]
    expected = {*names.split(","), "drain-4-readers", "put-undisturbed", "start", "idle-memory"}
    assert measured[PENSTOCK].keys() == expected
    assert measured[FLOOR].keys() == set(names.split(",")[:5])
    assert measured.keys() == {PENSTOCK, FLOOR, ENGINE}
    for quantities in measured.values():
        for each in quantities.values():
            assert len(each["rounds"]) == 3
            assert each["median"] == sorted(each["rounds"])[1] > 0
    assert 0 < kept["shares"]["get"][FLOOR] < 1


def test_a_run_without_anything_to_measure_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bench.selection.MEASUREMENTS", {})
    steps: list[str] = []
    run = Run(plan("--quick"), lambda text: None, lambda text, done, count: steps.append(text))
    assert run.go().values == {}
    assert steps == []


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("wrk") is None, reason="wrk is absent")
@pytest.mark.usefixtures("hears_sighup")
@pytest.mark.parametrize(
    ("number", "status"),
    [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 143)],
    ids=["SIGINT", "SIGTERM", "SIGHUP"],
)
def test_an_interrupted_run_stores_what_it_has_and_leaves_no_process_and_no_directory(
    number: signal.Signals, status: int, tmp_path: Path
) -> None:
    temporary, data, kept = (tmp_path / name for name in ("temporary", "data", "results"))
    temporary.mkdir()
    asked = f"--only put --servers {PENSTOCK} --seconds 1 --data {data} --results {kept}"
    command = [sys.executable, "-u", "-m", "bench", *asked.split()]
    environment = os.environ | {"TMPDIR": str(temporary), "BENCH_TEST": str(tmp_path)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as bench:
        assert bench.stdout is not None
        while "round 2" not in bench.stdout.readline():
            assert bench.poll() is None
        assert _processes_with(f"BENCH_TEST={tmp_path}") >= {bench.pid}
        for _ in range(2):  # the second one comes while it cleans up
            bench.send_signal(number)
        assert bench.wait(60) == status
    assert _processes_with(f"BENCH_TEST={tmp_path}") == set()
    assert [*temporary.iterdir(), *data.iterdir()] == []
    (path,) = kept.iterdir()
    stored = json.loads(path.read_text())
    assert (stored["kind"], stored["ended"]) == ("part", "interrupted")
    assert path.name.startswith("part-")
    assert len(stored["values"][PENSTOCK]["put"]["rounds"]) == 1


def _processes_with(setting: str) -> set[int]:
    """Return the processes that have this in their environment."""
    listed = subprocess.run(
        ["ps", "axeww", "-o", "pid=,command="], capture_output=True, text=True, check=True
    )
    return {int(line.split()[0]) for line in listed.stdout.splitlines() if setting in line}


def test_a_quick_run_on_a_busy_machine_has_short_rounds_at_its_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _have_wrk(monkeypatch)
    now = [0.0]
    monkeypatch.setattr("bench.run.time.monotonic", lambda: now[0])
    told: list[str] = []
    run = Run(plan("--quick"), told.append, lambda text, done, count: None)
    now[0] = 50.0
    run._look_at_the_time(25.0, 1)
    assert run._course.seconds_of(PENSTOCK) == 2
    run._look_at_the_time(20.0, 2)
    assert run._course.seconds_of(PENSTOCK) == 1
    assert told == ["this machine is slow or busy: 2 rounds of 1 s are left"]
