"""The start of a server until it is healthy, and what memory it idles in."""

import os
import socket
import subprocess
import sys

import pytest

from bench.starting import NotHealthy, is_healthy, resident_bytes, start_to_healthy
from unit.bench_readers.serving import HOST

MIB = 1024 * 1024


def free_port() -> int:
    with socket.create_server((HOST, 0)) as listener:
        port: int = listener.getsockname()[1]
    return port


def test_a_server_is_started_on_a_fresh_directory_and_stopped() -> None:
    port = free_port()
    command = [sys.executable, "-m", "penstock", "serve", "--port", str(port), "--data", "{data}"]
    started = start_to_healthy(command, port)
    assert 0 < started.seconds < 60
    assert 5 * MIB < started.idle_rss_bytes < 500 * MIB
    assert not is_healthy(HOST, port, 200)


def test_what_a_server_says_that_does_not_start_is_told() -> None:
    command = [sys.executable, "-c", "import sys; sys.exit('no store here')"]
    with pytest.raises(NotHealthy, match="no store here"):
        start_to_healthy(command, free_port())


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
