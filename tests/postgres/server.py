"""A PostgreSQL server of the test's own, without root: started, stopped, killed, paused.

Durable, unless its settings say otherwise: what it acknowledges is on disk, so that a fault test
means something.
"""

import atexit
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, LiteralString, Self

import psycopg

from postgres import keeper
from postgres.binaries import asked_version, clean_environment, identity, programs, run

USER = "penstock"
HOST = "127.0.0.1"
START_SECONDS_MAX = 60.0
STOP_SECONDS_MAX = 60.0
CONNECT_SECONDS_MAX = 20
POLL_SECONDS = 0.005
LOG_BYTES_SHOWN = 4000

# Below what Linux and macOS give to outgoing connections: a port out of those may be taken, while
# the server is down, by the very client that tries to reach it there.
PORTS = range(15_000, 32_000)
PORTS_TRIED_MAX = 20

SETTINGS: Mapping[str, str] = {
    "listen_addresses": HOST,
    "unix_socket_directories": "",
    "shared_buffers": "32MB",
    "max_connections": "200",
    # Files of the server's own directory, which go with it, whoever killed it.
    "dynamic_shared_memory_type": "mmap",
}

Made = Callable[[Path, Path], Sequence[str]]
"""Given the folder of the programs and where the data is to be: the command that makes it."""


def new_data(folder: Path, data: Path) -> Sequence[str]:
    """Return the command that makes the data of a new server."""
    how = ["--auth=trust", "--locale=C", "--encoding=UTF8", "--no-sync"]
    return [str(folder / "initdb"), "-D", str(data), "-U", USER, *how]


class PostgresServer:
    """A server on a loopback port that stays its own; a context that leaves nothing behind.

    `settings` are those of postgresql.conf, and hold from the next start. Its directory is made in
    `place`, or where temporary files are. Used as a context it starts; without one, `close` it.
    """

    def __init__(
        self,
        settings: Mapping[str, str] | None = None,
        *,
        version: int | None = None,
        place: Path | None = None,
        made_by: Made = new_data,
    ) -> None:
        self.settings = dict(SETTINGS) | dict(settings or {})
        self.port = 0
        self.process: subprocess.Popen[bytes] | None = None
        self.directory = Path(tempfile.mkdtemp(prefix="penstock-postgres-", dir=place))
        self.data = self.directory / "data"
        self.log = self.directory / "log"
        try:
            runs_as = identity()
            if runs_as:
                os.chown(self.directory, runs_as["user"], runs_as["group"])
            self.programs = programs(version or asked_version(), self.directory)
            run(made_by(self.programs, self.data), self.directory)
        except BaseException:
            keeper.remove(self.directory)
            raise

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def url(self) -> str:
        """The URL of its one database."""
        return f"postgresql://{USER}@{HOST}:{self.port}/postgres"

    def sql(self, statement: LiteralString, *parameters: Any) -> list[tuple[Any, ...]]:
        """Run one statement in a connection of its own; return the rows, if it has any."""
        with psycopg.connect(
            self.url, autocommit=True, connect_timeout=CONNECT_SECONDS_MAX
        ) as connection:
            cursor = connection.execute(statement, parameters or None)
            return cursor.fetchall() if cursor.description else []

    def start(self) -> None:
        """Start on the port that it has, or on a free one, and wait until it takes connections."""
        assert self.process is None, "it runs"
        if self.port:
            assert self._started(), self._last_words()
            return
        for _ in range(PORTS_TRIED_MAX):
            self.port = _free_port()
            if self._started():
                return
            assert "Address already in use" in self._last_words(), self._last_words()
        raise AssertionError("no port is free")

    def _started(self) -> bool:
        """Start; tell whether it takes connections, or has ended."""
        settings = self.settings | {"port": str(self.port)}
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [
                    str(self.programs / "postgres"),
                    *("-D", str(self.data)),
                    *(word for each in settings.items() for word in ("-c", "=".join(each))),
                ],
                cwd=self.directory,
                env=clean_environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # a Ctrl-C at the terminal is the tests' affair
                **identity(),
            )
        _keeper.tell(f"+{self.process.pid} {self.directory}")
        deadline = time.monotonic() + START_SECONDS_MAX
        while self._status() not in {"ready", "standby"}:
            if self.process.poll() is not None:
                self._note_end()
                return False
            assert time.monotonic() < deadline, self._last_words()
            time.sleep(POLL_SECONDS)
        return True

    def _status(self) -> str:
        """Return what the server says of itself in its file of the process."""
        assert self.process is not None
        try:
            lines = (self.data / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return ""
        is_own = len(lines) > 7 and lines[0] == str(self.process.pid)
        return lines[7].strip() if is_own else ""

    def stop(self) -> None:
        """End it as an operator would who does not wait for clients: no recovery follows."""
        assert self.process is not None, "it does not run"
        self.process.send_signal(signal.SIGINT)
        status = self.process.wait(STOP_SECONDS_MAX)
        self._note_end()
        assert status == 0, self._last_words()

    def kill(self) -> None:
        """End all its processes at one moment, as a loss of power would but for what is on disk."""
        assert self.process is not None, "it does not run"
        keeper.kill_all(self.process.pid)
        self.process.wait()
        self._note_end()

    def restart(self) -> None:
        """Stop it and start it again, on the same port, with the settings as they are now."""
        self.stop()
        self.start()

    def pause(self) -> None:
        """Stop all its processes where they are: connections stand, and nothing answers."""
        assert self.process is not None, "it does not run"
        keeper.stop_all(self.process.pid)

    def resume(self) -> None:
        """Let its processes go on after a pause."""
        assert self.process is not None, "it does not run"
        keeper.send(signal.SIGCONT, keeper.family(self.process.pid))

    def close(self) -> None:
        """End it for good, in whatever state it is, and remove its directory."""
        if self.process is not None:
            self.kill()
        keeper.remove(self.directory)

    def _note_end(self) -> None:
        assert self.process is not None
        _keeper.tell(f"-{self.process.pid}")
        self.process = None

    def _last_words(self) -> str:
        return self.log.read_bytes()[-LOG_BYTES_SHOWN:].decode("utf-8", "replace")


def _free_port() -> int:
    for port in random.SystemRandom().sample(PORTS, PORTS_TRIED_MAX):
        with socket.socket() as probe:
            try:
                probe.bind((HOST, port))
            except OSError:
                continue
            return port
    raise AssertionError("no port is free")


class _Keeper:
    """The process that outlives the run, started when there is something to tell it."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None

    def tell(self, line: str) -> None:
        """Say what has started or ended."""
        if self._process is None:
            self._process = subprocess.Popen(
                [sys.executable, "-E", "-S", keeper.__file__],
                stdin=subprocess.PIPE,
                text=True,
                start_new_session=True,  # what ends the run must not end it
            )
            atexit.register(self._dismiss, self._process)
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    def _dismiss(self, process: subprocess.Popen[str]) -> None:
        with process:  # closes its input, and waits for it
            pass


_keeper = _Keeper()
