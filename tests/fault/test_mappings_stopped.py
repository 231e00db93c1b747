"""Mappings whose server is told to stop, whose disk is full, or whose functions leave processes."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from fault.journaled import Journaled, needs_workers, tree_of
from fault.lambda_client import LambdaClient
from fault.load import Writer, running, wait_until
from fault.mounts import fill, mounted
from fault.nodes import await_true
from fault.observer import KEY, create_table, stream_arn
from fault.promises import check_promises, writes_of
from fault.raw_client import RawClient
from penstock.base import limits
from server_process import ServerProcess

pytestmark = needs_workers

TABLE = "fault"
KEYS = [f"item-{number}" for number in range(8)]
STOP_SECONDS_MAX = 2.0
MB = 1024 * 1024


def begin(server: ServerProcess, journal: Path, environment: dict[str, str]) -> Journaled:
    """Make a table, and a mapping of its stream."""
    with RawClient(server.port) as client:
        create_table(client, TABLE)
        arn = stream_arn(client, TABLE)
    functions = LambdaClient(server.port)
    functions.create_function("f", journal, **environment)
    return Journaled("f", functions.create_mapping("f", arn, BatchSize=10), journal)


def put(server: ServerProcess, *keys: str) -> None:
    """Write new items."""
    with RawClient(server.port) as client:
        for key in keys:
            client.call("PutItem", TableName=TABLE, Item={KEY: {"S": key}})


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_server_stops_in_time_while_functions_run(tmp_path: Path, number: signal.Signals) -> None:
    """They are ended, and what they had is given to them again at the next start."""
    hold = tmp_path / "hold"
    hold.touch()
    with ServerProcess.on(tmp_path / "store", "--shards", "1") as server:
        mapping = begin(server, tmp_path / "journal", {"HOLD": str(hold)})
        put(server, "one")
        await_true(lambda: mapping.entries, 20.0, "the function runs")
        put(server, "two")
        before = server.fair_seconds()
        server.stop(number)
        assert server.fair_seconds() - before < STOP_SECONDS_MAX
        assert server.stderr == ""
        mapping.await_no_workers()
        mapping.look(tmp_path / "store")
    assert [(each.what, each.key) for each in mapping.entries] == [("seen", "one")]
    hold.unlink()
    with ServerProcess.on(tmp_path / "store", "--shards", "1") as server:
        tree = tree_of(server.port, TABLE)
        mapping.await_all(tree)
        server.stop()
    mapping.look(tmp_path / "store")
    audit = mapping.audit(tree)
    assert audit.wrong == []
    assert audit.cut_off == 1


def test_a_stop_lets_a_call_end_that_is_about_to(tmp_path: Path) -> None:
    """It is not repeated at the next start."""
    hold = tmp_path / "hold"
    hold.touch()
    with ServerProcess.on(tmp_path / "store", "--shards", "1") as server:
        mapping = begin(server, tmp_path / "journal", {"HOLD": str(hold)})
        put(server, "one")
        await_true(lambda: mapping.entries, 20.0, "the function runs")
        server.send_signal(signal.SIGTERM)
        hold.unlink()
        assert server.wait() == 0
        mapping.await_no_workers()
    with ServerProcess.on(tmp_path / "store", "--shards", "1") as server:
        put(server, "two")
        tree = tree_of(server.port, TABLE)
        mapping.await_all(tree)
        server.stop()
    assert [each.key for each in mapping.entries if each.what == "seen"] == ["one", "two"]
    assert mapping.audit(tree).wrong == []


def test_what_functions_started_goes_with_a_server_that_stops(tmp_path: Path) -> None:
    with ServerProcess.on(tmp_path / "store") as server:
        mapping = begin(server, tmp_path / "journal", {"CHILD": "600"})
        put(server, "one")
        await_true(lambda: len(list(mapping.workers())) == 2, 20.0, "a worker and its child")
        server.stop()
        mapping.await_no_workers()


def test_what_functions_started_and_a_kill_left_goes_when_workers_start_again(
    tmp_path: Path,
) -> None:
    """Linux ends the worker with its server; what that has started knows nothing of it."""
    with ServerProcess.on(tmp_path / "store", "--shards", "1") as server:
        mapping = begin(server, tmp_path / "journal", {"CHILD": "600"})
        put(server, "one")
        await_true(lambda: len(list(mapping.workers())) == 2, 20.0, "a worker and its child")
        before = set(mapping.workers())
        server.kill()
        await_true(lambda: len(list(mapping.workers())) == 1, 5.0, "the worker is gone")
    with ServerProcess.on(tmp_path / "store", "--shards", "1") as server:
        put(server, "two")
        await_true(lambda: not before & set(mapping.workers()), 20.0, "its child is gone")
        mapping.await_all(tree_of(server.port, TABLE))
        server.stop()
        mapping.await_no_workers()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system with little more room than the server wants to have free."""
    with mounted(tmp_path / "disk", limits.store_free_bytes_min + 48 * MB) as place:
        yield place


@pytest.mark.slow
def test_a_mapping_goes_on_after_the_disk_was_full(small_disk: Path, tmp_path: Path) -> None:
    """Neither its checkpoints can be stored then, nor can there be new workers."""
    log, data = tmp_path / "log", small_disk / "store"
    writers = [
        Writer(f"{n}", TABLE, KEYS, f"{n}", tolerant=True, pad_chars_max=2000, pause_seconds=0.02)
        for n in range(4)
    ]
    with ServerProcess("--data", str(data), "--shards", "2", log=log) as server:
        server.await_ready()
        moods = {"MOODS": "80,10,2,0,0,8", "DAWDLE_SECONDS": "0.1"}
        mapping = begin(server, tmp_path / "journal", moods)
        with running(server.port, *writers):
            wait_until(lambda: mapping.journal_bytes > 20_000, "at work")
            fill(small_disk / "other")
            refused = _refused(writers)
            wait_until(lambda: _refused(writers) > refused + 100, "refused")
            (small_disk / "other").unlink()
            done = _acknowledged(writers)
            wait_until(lambda: _acknowledged(writers) > done + 100, "at work again")
        tree = tree_of(server.port, TABLE)
        mapping.await_all(tree)
        check_promises(server.port, TABLE, writes_of(writers))
        server.stop()
        mapping.look(data)
        assert "by a bug" not in server.stderr
        assert "Traceback" not in server.stderr
    assert mapping.audit(tree).wrong == []


def _refused(writers: list[Writer]) -> int:
    return sum(not write.acknowledged for writer in writers for write in writer.writes)


def _acknowledged(writers: list[Writer]) -> int:
    return sum(write.acknowledged for writer in writers for write in writer.writes)
