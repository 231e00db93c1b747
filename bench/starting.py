"""How long a server takes from its start to its first healthy answer, and what memory it idles in.

Its memory is what is resident of its process and all below it. The first start of a server in
Python may compile all of its sources, which takes as long as the rest. So the median of several
starts is what to tell.
"""

import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from bench.processes import Child
from bench.servers import Start
from bench.trouble import Trouble

_PROC = Path("/proc")  # Linux has it, macOS not
_POLL_SECONDS = 0.002
_START_SECONDS_MAX = 60.0
_QUIET_SECONDS = 1.0
_REQUEST = b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
_STATUS_LINE_BYTES = 12


class NotHealthy(Trouble):
    """The server ended, or was not healthy in time; the detail is what it said."""


class Started(NamedTuple):
    """One start of a server."""

    seconds: float
    idle_rss_bytes: int


def start_to_healthy(
    found: Start, port: int, *, host: str = "127.0.0.1", status: int = 200, root: Path | None = None
) -> Started:
    """Start a server on a fresh directory, in `root`, measure it, and stop it.

    It is healthy when it answers `GET /` with `status`. Raises NotHealthy.
    """
    with tempfile.TemporaryDirectory(
        prefix="penstock-bench-", dir=root, ignore_cleanup_errors=True
    ) as folder:
        data = Path(folder) / "store"
        data.mkdir()
        command, environment = found.command(port, data), found.environment(port, data)
        began = time.monotonic()
        child = Child(command, Path(folder) / "log", environment)
        try:
            while not is_healthy(host, port, status):
                if child.has_ended():
                    raise NotHealthy("it ended before it was healthy", child.said())
                if time.monotonic() > began + _START_SECONDS_MAX:
                    told = f"it was not healthy after {_START_SECONDS_MAX:.0f} s"
                    raise NotHealthy(told, child.said())
                time.sleep(_POLL_SECONDS)
            seconds = time.monotonic() - began
            time.sleep(_QUIET_SECONDS)
            return Started(seconds, resident_bytes(child.process_id))
        finally:
            child.stop()


def is_healthy(host: str, port: int, status: int) -> bool:
    """Say whether a server answers `GET /` with `status` now."""
    try:
        with socket.create_connection((host, port), _START_SECONDS_MAX) as connection:
            connection.sendall(_REQUEST)
            line = b""
            while len(line) < _STATUS_LINE_BYTES:
                piece = connection.recv(_STATUS_LINE_BYTES - len(line))
                if not piece:
                    return False
                line += piece
    except OSError:
        return False
    return line[9:12] == b"%d" % status


def resident_bytes(process_id: int) -> int:
    """Return the resident memory of a process and of all below it."""
    processes = _processes()
    below = [process_id]
    for parent in below:  # grows while it is gone through
        below += [each for each, (above, _) in processes.items() if above == parent]
    return sum(processes[each][1] for each in below)


def _processes() -> dict[int, tuple[int, int]]:
    """Return parent and resident bytes of every process, by its id."""
    if _PROC.is_dir():
        return _processes_of_proc()
    listed = subprocess.run(
        ["ps", "-A", "-o", "pid=,ppid=,rss="], check=True, capture_output=True, text=True
    )
    rows = (line.split() for line in listed.stdout.splitlines())
    return {int(pid): (int(parent), int(kib) * 1024) for pid, parent, kib in rows}


def _processes_of_proc() -> dict[int, tuple[int, int]]:
    found = {}
    for path in _PROC.glob("[0-9]*/status"):
        try:
            lines = path.read_text().splitlines()
        except OSError:  # it has ended
            continue
        fields = dict(line.split(":", 1) for line in lines)
        kib = fields.get("VmRSS", "0 kB").split()[0]  # a process that is ending has none
        found[int(path.parent.name)] = (int(fields["PPid"]), int(kib) * 1024)
    return found
