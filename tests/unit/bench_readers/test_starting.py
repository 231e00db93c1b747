"""The start of a server until it is healthy, and what memory it idles in."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from bench.servers import Start, find_penstock
from bench.starting import NotHealthy, is_healthy, resident_bytes, start_to_healthy
from unit.bench_readers.serving import HOST

MIB = 1024 * 1024


def free_port() -> int:
    with socket.create_server((HOST, 0)) as listener:
        port: int = listener.getsockname()[1]
    return port


def test_a_server_is_started_on_a_fresh_directory_and_stopped() -> None:
    port = free_port()
    started = start_to_healthy(find_penstock("--engine", "rocksdb"), port)
    assert 0 < started.seconds < 60
    assert 5 * MIB < started.idle_rss_bytes < 500 * MIB
    assert not is_healthy(HOST, port, 200)


def test_what_a_server_says_that_does_not_start_is_told() -> None:
    with pytest.raises(NotHealthy, match="it ended before it was healthy") as told:
        start_to_healthy(running("sys.exit('no store here')"), free_port())
    assert told.value.detail == "no store here"


def test_a_server_gets_a_directory_and_its_environment_and_no_settings_of_the_user(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PENSTOCK_PORT", "1")
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    program = (
        "print(os.path.isdir(sys.argv[1]), os.environ['GIVEN'],"
        " [name for name in os.environ if name.startswith(('PENSTOCK_', 'PYTHONDONT'))])"
    )
    with pytest.raises(NotHealthy) as told:
        start_to_healthy(running(program, GIVEN="this"), free_port(), root=tmp_path)
    assert told.value.detail == "True this []"
    assert list(tmp_path.iterdir()) == []


def running(program: str, **environment: str) -> Start:
    """Return how a server is started that runs this."""
    command = [sys.executable, "-c", f"import os, sys; {program}"]
    return Start("1", lambda port, data: [*command, str(data)], lambda port, data: environment)


def test_another_answer_is_not_healthy(port: int) -> None:
    assert is_healthy(HOST, port, 200)
    assert not is_healthy(HOST, port, 400)


def test_the_memory_of_a_process_counts_what_it_started() -> None:
    program = "import sys; held = bytearray(b'x') * 30_000_000; print(len(held), flush=True);"
    waiting = f"{program} sys.stdin.read()"
    before = resident_bytes(os.getpid())
    with subprocess.Popen(
        [sys.executable, "-c", waiting], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline()
        assert resident_bytes(child.pid) > 30_000_000
        assert resident_bytes(os.getpid()) > before + 25_000_000
        child.communicate()
