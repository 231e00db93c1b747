"""`penstock serve` as a process of its own: started, killed, stopped, and what it said."""

import os
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

READY = re.compile(r"is ready at http://(\S+):(\d+) ")
USUAL = re.compile(r"\S+ \S+ INFO ")
UNSYNCED = "PostgreSQL may lose what it acknowledged"
START_SECONDS_MAX = 60.0
STOP_SECONDS_MAX = 60.0
POLL_SECONDS = 0.002


def command(*arguments: str) -> list[str]:
    """Return the command line of `penstock` with these arguments."""
    return [sys.executable, "-m", "penstock", *arguments]


def clean_environment(**more: str) -> dict[str, str]:
    """Return this process's environment without settings of the server, and with `more`."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PENSTOCK_")}
    return kept | more


def seconds_denied(process_id: int) -> float:
    """Return how long a process was ready to run and had no processor; 0 where nobody tells.

    Linux does, of the main thread, while the process is there (proc_pid_schedstat).
    """
    try:
        return int(Path(f"/proc/{process_id}/schedstat").read_text().split()[1]) / 1e9
    except FileNotFoundError:
        return 0.0


class ServerProcess:
    """A server on a free port, its stderr in `log`; a context that leaves no process behind.

    `wrap` stands before the command.
    """

    def __init__(
        self,
        *arguments: str,
        log: Path,
        wrap: Sequence[str] = (),
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.log = log
        self.port = 0
        self.said = ""
        with log.open("wb") as stderr:
            self.process = subprocess.Popen(
                [*wrap, *command("serve", "--port", "0", *arguments)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=stderr,
                env=clean_environment(**(environment or {})),
            )
        self._denied = {os.getpid(): 0.0, self.process.pid: 0.0}

    @classmethod
    def on(cls, data: Path, *arguments: str) -> "ServerProcess":
        """Start a server over rocksdb in `data`, its log beside it, and wait until it is ready."""
        server = cls("--data", str(data), *arguments, log=data.with_suffix(".log"))
        server.await_ready()
        return server

    @classmethod
    def node(cls, store: str, log: Path, *arguments: str) -> "ServerProcess":
        """Start a server over the PostgreSQL of this URL, and wait until it is ready."""
        server = cls("--engine", store, *arguments, log=log)
        server.await_ready()
        return server

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.kill()

    def await_ready(self) -> None:
        """Wait until the server says where it is."""
        assert self.process.stdout is not None
        descriptor = self.process.stdout.fileno()
        deadline = time.monotonic() + START_SECONDS_MAX
        said = b""
        while not said.endswith(b"\n"):
            left = max(deadline - time.monotonic(), 0)
            ready, _, _ = select.select([descriptor], [], [], left)
            piece = os.read(descriptor, 4096) if ready else b""
            assert piece, f"the server is not ready: {said!r}\n{self.stderr}"
            said += piece
        self.said = said.decode()
        found = READY.search(self.said)
        assert found, said
        self.port = int(found[2])

    @property
    def url(self) -> str:
        """The endpoint URL for clients."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def stderr(self) -> str:
        """What the server has said on stderr."""
        return self.log.read_text("utf-8", "replace")

    @property
    def complaints(self) -> str:
        """What is amiss on stderr, but for the shared PostgreSQL's not syncing."""
        lines = self.stderr.splitlines(keepends=True)
        return "".join(line for line in lines if not USUAL.match(line) and UNSYNCED not in line)

    def kill(self) -> None:
        """End the process as a crash would, and wait until it is gone."""
        self.process.kill()
        self.process.wait()
        if self.process.stdout is not None:
            self.process.stdout.close()

    def send_signal(self, number: int) -> None:
        """Send a signal."""
        self.process.send_signal(number)

    def wait(self) -> int:
        """Wait for the end of the process and return its exit status."""
        deadline = time.monotonic() + STOP_SECONDS_MAX
        while self.process.poll() is None:
            assert time.monotonic() < deadline, f"the server does not end\n{self.stderr}"
            self.fair_seconds()  # while there is a process to ask about
            time.sleep(POLL_SECONDS)
        status: int = self.process.returncode
        return status

    def stop(self, number: int = signal.SIGTERM) -> None:
        """End the process as an operator would; it must exit 0."""
        self.send_signal(number)
        status = self.wait()
        assert status == 0, f"exit status {status}\n{self.stderr}"
        self.kill()

    def fair_seconds(self) -> float:
        """Return the time in seconds of a clock for tests of how quick the server is.

        It stands still while the machine has no processor for the server or its test.
        """
        for process_id in self._denied:
            self._denied[process_id] = max(self._denied[process_id], seconds_denied(process_id))
        return time.monotonic() - sum(self._denied.values())
