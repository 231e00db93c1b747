"""What goes wrong in a run costs what it happens to, and nothing else."""

import io
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.console import Console

from bench import draining, report
from bench.latency import Latencies
from bench.load import Load
from bench.measurements import Act, Course, Lone, Measurement, Quantity
from bench.plan import Plan
from bench.raw_client import ServerError
from bench.register import MEASUREMENTS
from bench.remarks import remarks
from bench.run import Run
from bench.servers import FLOOR, LOCAL_MEMORY, PENSTOCK, SERVERS, Running, Server
from bench.stream_measurements import RECEIPT
from unit.bench.outcomes import plan, whole_run
from unit.bench.standing import standing


def said_of(run: Run) -> str:
    """Return what the terminal shows of a run."""
    console = Console(record=True, width=100, file=io.StringIO())
    report.show(console, run.plan.kind, run.outcome)
    return console.export_text()


def run_of(asked: Plan) -> Run:
    """Return a run that tells nobody."""
    return Run(asked, lambda text: None, lambda text, done, count: None)


def measuring(name: str, work: Callable[[], float]) -> Measurement:
    """Return a measurement of Penstock and moto."""

    def measure(running: Running, course: Course) -> tuple[float, ...]:
        return (work(),)

    def prepare(running: Running, course: Course) -> None:
        pass

    servers = frozenset({PENSTOCK, "moto"})
    return Measurement(name, (Quantity(name, name, "1/s"),), measure, prepare, name, servers)


def fail() -> float:
    raise ValueError("odd thing in /srv/x\nand more")


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have a run know two measurements, one of which fails, and start nothing."""
    found = {each.name: each for each in (measuring("bad", fail), measuring("good", lambda: 7.0))}
    monkeypatch.setattr("bench.selection.MEASUREMENTS", found)
    monkeypatch.setattr("bench.run.start", lambda server, *given: standing(server))
    monkeypatch.setattr("bench.servers.python_packages", lambda: Path("python"))


def test_a_machine_without_wrk_hears_of_it_in_a_quick_run(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    run = run_of(plan("--quick"))
    run.go()
    told = " ".join(said_of(run).split())
    assert "not measured: wrk is not on this machine: install it (`apt-get install wrk`" in told
    assert "PutItem with stream ÷ without stream" in told


@pytest.mark.usefixtures("known")
def test_what_nobody_expected_costs_its_measurement_alone() -> None:
    run = run_of(plan("--servers", PENSTOCK, "--rounds", "3", "--only", "bad,good"))
    outcome = run.go()
    assert outcome.values == {PENSTOCK: {"good": [7.0] * 3}}
    assert outcome.reasons[PENSTOCK] == {"bad": "failed: ValueError: odd thing in (path)"}
    assert outcome.failures == ["Penstock, bad: ValueError: odd thing in (path)"]
    assert "/srv/x" in "".join(outcome.asides)


@pytest.mark.usefixtures("known")
def test_what_nobody_expected_costs_a_server_its_start_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def start(server: Server, *given: object) -> Running:
        if server.name == "moto":
            raise RuntimeError("odd")
        return standing(server)

    monkeypatch.setattr("bench.run.start", start)
    outcome = run_of(plan("--servers", f"moto,{PENSTOCK}", "--only", "good")).go()
    assert outcome.values == {PENSTOCK: {"good": [7.0] * 5}}
    assert outcome.absent["moto"] == "did not start: RuntimeError: odd"
    assert outcome.failures == ["moto, in memory, did not start: RuntimeError: odd"]


def test_what_nobody_expected_costs_a_lone_measurement_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def break_down(asked: Plan) -> tuple[float, ...]:
        return (fail(),)

    gives = (Quantity("alone", "alone", "s"),)
    lone = Lone("alone", PENSTOCK, gives, break_down)
    monkeypatch.setattr("bench.selection.MEASUREMENTS", {})
    monkeypatch.setattr("bench.selection.LONE", {"alone": lone})
    outcome = run_of(plan("--servers", PENSTOCK)).go()
    assert outcome.failures == ["Penstock, alone: ValueError: odd thing in (path)"]


def floor_run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> Run:
    """Return a run in which Penstock stands, and what writes its answers to a file does nothing."""
    monkeypatch.setattr("bench.measurements.need_program", lambda name, remedy: f"/bin/{name}")
    run = run_of(plan("--only", "get", *arguments))
    run._running[PENSTOCK] = standing(SERVERS[PENSTOCK])
    monkeypatch.setattr(run, "_write_answers", lambda penstock, work, answers: None)
    monkeypatch.setattr("bench.run.start", lambda server, *given: standing(server))
    return run


def test_a_floor_that_does_not_start_costs_itself_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run = floor_run(monkeypatch)
    monkeypatch.setattr("bench.run.start", lambda *given: fail())
    run._start_floor(Path("answers"))
    assert run.outcome.absent[FLOOR] == "did not start: ValueError: odd thing in (path)"
    assert len(run.outcome.failures) == 1


def test_threads_that_cannot_be_chosen_are_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run = floor_run(monkeypatch)
    monkeypatch.setattr("bench.run.drive", lambda *given: fail())
    run._start_floor(Path("answers"))
    assert run.threads == 1
    assert FLOOR in run._running
    assert "choosing the threads of wrk: ValueError" in run.outcome.failures[-1]


def test_one_connection_has_one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[int] = []

    def drive(host: str, port: int, workload: object, load: Load, value: int) -> None:
        tried.append(load.threads)
        fail()

    run = floor_run(monkeypatch, "--connections", "1")
    monkeypatch.setattr("bench.run.THREAD_CHOICES", (2, 1))
    monkeypatch.setattr("bench.run.drive", drive)
    run._start_floor(Path("answers"))
    assert tried == [1]


def test_an_act_that_breaks_off_does_not_lose_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    played: list[Act] = []

    def play(act: Act, lone: list[Lone]) -> None:
        played.append(act)
        fail()

    monkeypatch.setattr("bench.measurements.need_program", lambda name, remedy: f"/bin/{name}")
    run = run_of(plan())
    monkeypatch.setattr(run, "_play", play)
    run.go()
    assert played == list(Act)
    assert len(run.outcome.failures) == len(played)


def test_a_stream_that_could_not_be_filled_gives_its_first_cause_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    causes = iter([ServerError("the disk is full"), ServerError("ResourceInUseException")])

    def fill(*given: object) -> str:
        raise next(causes)

    monkeypatch.setattr(draining, "fill", fill)
    running = standing(SERVERS[PENSTOCK])
    for name in ("drain-1", "drain-4", "put-while-draining"):
        with pytest.raises(ServerError, match="the disk is full"):
            MEASUREMENTS[name].prepare(running, Course(plan()))


def test_a_pace_that_is_not_reached_is_measured_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    paces = iter([700.0, 900.0, 800.0])
    monkeypatch.setattr(
        "bench.latency.measure", lambda *given: Latencies(2.0, 9.0, 100, 0.25, next(paces))
    )
    running = standing(SERVERS[PENSTOCK])
    assert RECEIPT.run(running, Course(plan())) == (2.0, 9.0, 900.0, 25.0)


def test_what_is_to_be_said_beside_the_figures_is_said() -> None:
    outcome = whole_run()
    assert list(remarks(outcome)) == []
    for server, readers in ((PENSTOCK, 4), (LOCAL_MEMORY, 1)):
        outcome.add(server, "drain-4-readers", readers)
    outcome.add(PENSTOCK, "receipt-pace", 998.7)
    outcome.add(PENSTOCK, "receipt-early", 12.3)
    of_readers, of_receipt = remarks(outcome)
    assert "Draining with 4 readers: there were 1 on DynamoDB Local, in memory" in of_readers
    assert "999 writes/s were reached, and 12.3 % of the records" in of_receipt
