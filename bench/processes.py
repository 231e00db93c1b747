"""Child processes that are started within a limit, stand still while others are measured, and end.

Each is the leader of a session of its own: a Ctrl-C reaches the benchmark alone, which then ends
them, with all that they started. They get nothing of the user's own settings of Penstock.
"""

import contextlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from bench.interrupts import Shield
from bench.trouble import Trouble

STOP_SECONDS_MAX = 10.0
GONE_SECONDS_MAX = 2.0
POLL_SECONDS = 0.01
_PROC = Path("/proc")
TOLD_BYTES_MAX = 1500
NOT_PASSED_ON = ("PENSTOCK_", "PYTHONDONTWRITEBYTECODE")
"""How variables begin that no child gets: a server in Python may keep its bytecode, which an
installed one has from the start."""


class ChildFailed(Trouble):
    """A child process ended that should not have, or ended badly; the detail is what it said."""


def free_port() -> int:
    """Return a port of 127.0.0.1 that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Child:
    """A process and its descendants; what it says goes into `log`."""

    def __init__(
        self, command: Sequence[str], log: Path, environment: Mapping[str, str] | None = None
    ) -> None:
        self.log = log
        kept = {name: v for name, v in os.environ.items() if not name.startswith(NOT_PASSED_ON)}
        with Shield(), log.open("wb") as output:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=kept | dict(environment or {}),
                start_new_session=True,
            )
            _alive.add(self)

    @property
    def process_id(self) -> int:
        """The process id, which is also that of its group."""
        return self._process.pid

    def has_ended(self) -> bool:
        """Say whether the process is gone."""
        return self._process.poll() is not None

    def said(self) -> str:
        """Return the end of what it said."""
        return self.log.read_bytes()[-TOLD_BYTES_MAX:].decode(errors="replace").strip()

    def pause(self) -> None:
        """Let it stand still."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on."""
        self._signal(signal.SIGCONT)

    def stop(self) -> None:
        """End it and all that it started, kindly at first; safe to call twice."""
        with Shield():
            if self not in _alive:
                return
            self.resume()
            self._signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(STOP_SECONDS_MAX)
            self._signal(signal.SIGKILL)
            self._process.wait()
            self._await_descendants()
            _alive.discard(self)

    def wait(self, seconds_max: float) -> str:
        """Return all that it said once it has ended well. Raises ChildFailed."""
        try:
            status = self._process.wait(seconds_max)
        except subprocess.TimeoutExpired:
            raise ChildFailed(f"did not end in {seconds_max:.0f} s", self.said()) from None
        if status != 0:
            raise ChildFailed(f"ended with {status}", self.said())
        return self.log.read_text("utf-8", "replace")

    def _await_descendants(self) -> None:
        """Wait until those that were killed with it are gone: they are not ours to be told of."""
        deadline = time.monotonic() + GONE_SECONDS_MAX
        with contextlib.suppress(ProcessLookupError, PermissionError):
            while time.monotonic() < deadline:
                os.killpg(self._process.pid, 0)
                time.sleep(POLL_SECONDS)

    def _signal(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, number)
        if number in (signal.SIGSTOP, signal.SIGCONT):
            # Descendants too that have left the group, as PostgreSQL's do. Others end with it.
            for process_id in descendants(self._process.pid):
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.kill(process_id, number)


def descendants(process_id: int) -> list[int]:
    """Return the ids of all that a process has started; nothing where that is not told."""
    parents = dict(_parents())
    found = [process_id]
    for each in found:  # grows
        found += [child for child, parent in parents.items() if parent == each]
    return found[1:]


def _parents() -> Iterator[tuple[int, int]]:
    """Yield each process's id and its parent's; Linux tells, macOS does not."""
    for path in _PROC.glob("[0-9]*/stat"):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            # Its name, in parentheses, may hold anything.
            yield int(path.parent.name), int(path.read_text().rpartition(")")[2].split()[1])


_alive: set[Child] = set()


def stop_all() -> None:
    """End every child that is still there."""
    with Shield():
        for child in list(_alive):
            child.stop()


def run(
    command: Sequence[str],
    log: Path,
    seconds_max: float,
    environment: Mapping[str, str] | None = None,
) -> str:
    """Run a command to its end and return what it said. Raises ChildFailed."""
    child = Child(command, log, environment)
    try:
        return child.wait(seconds_max)
    finally:
        child.stop()
