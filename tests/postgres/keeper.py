"""Ends what a dead test run has left: `python keeper.py` is a process that outlives the run.

It is told on its standard input what there is: `+ID DIRECTORY` when a server has started with that
process id, `-ID` when it has ended. The kernel closes the input however the run ends; what is still
there then is killed, stopped processes too, and its directory removed. No signal of the kernel at
a parent's death does that: it reaches the first process alone, and none that is stopped.

Standard library only, so that it is there at once.
"""

import ctypes
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

GONE_SECONDS_MAX = 20.0
POLL_SECONDS = 0.002
PS_SECONDS_MAX = 20
_IPC_RMID = 0  # Linux, macOS


class Process(NamedTuple):
    """A process of this machine: its parent's id, and the letter of its state as ps has it."""

    parent: int
    state: str


def processes() -> dict[int, Process]:
    """Return all processes that have not ended, by their ids."""
    found = _told_by_proc() if Path("/proc/self/stat").exists() else _told_by_ps()
    return {number: process for number, process in found if process.state not in {"Z", "X"}}


def _told_by_proc() -> Iterator[tuple[int, Process]]:
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            # It may end while it is looked at.
            with suppress(FileNotFoundError, ProcessLookupError):
                # The name in front, in parentheses, may hold anything.
                state, parent = (entry / "stat").read_text().rpartition(")")[2].split()[:2]
                yield int(entry.name), Process(int(parent), state)


def _told_by_ps() -> Iterator[tuple[int, Process]]:
    command = ["ps", "-A", "-o", "pid=,ppid=,state="]
    told = subprocess.run(
        command, stdout=subprocess.PIPE, text=True, timeout=PS_SECONDS_MAX, check=True
    ).stdout
    for line in told.splitlines():
        number, parent, state = line.split()[:3]
        yield int(number), Process(int(parent), state[0])


def family(root: int) -> list[int]:
    """Return the ids of a process and all its descendants, parents first; empty if it has ended."""
    known = processes()
    members = [root] if root in known else []
    for member in members:  # grows
        members += [number for number, process in known.items() if process.parent == member]
    return members


def send(number: int, members: list[int]) -> None:
    """Send a signal to all processes that are still there."""
    for member in members:
        with suppress(ProcessLookupError):
            os.kill(member, number)


def stop_all(root: int) -> list[int]:
    """Stop a process and all its descendants; return their ids."""
    stopped: list[int] = []
    # Parents first, and each until it says so: one that still runs may make another child.
    while new := [member for member in family(root) if member not in stopped]:
        send(signal.SIGSTOP, new)
        deadline = time.monotonic() + GONE_SECONDS_MAX
        while _running(new):
            assert time.monotonic() < deadline, "processes do not stop"
            time.sleep(POLL_SECONDS)
        stopped += new
    return stopped


def _running(members: list[int]) -> bool:
    known = processes()
    return any(member in known and known[member].state not in {"T", "t"} for member in members)


def kill_all(root: int) -> None:
    """Kill a process and all its descendants at one moment, and wait until they are gone."""
    members = stop_all(root)
    send(signal.SIGKILL, members)
    deadline = time.monotonic() + GONE_SECONDS_MAX
    while not processes().keys().isdisjoint(members):
        assert time.monotonic() < deadline, "killed processes do not end"
        time.sleep(POLL_SECONDS)


def remove(directory: Path) -> None:
    """Remove a server's directory, and the shared memory that a killed one has left."""
    with suppress(FileNotFoundError, IndexError, ValueError):
        # The seventh line has the key and the id of a segment of System V.
        shared = int((directory / "data" / "postmaster.pid").read_text().splitlines()[6].split()[1])
        ctypes.CDLL(None).shmctl(shared, _IPC_RMID, None)
    shutil.rmtree(directory, ignore_errors=True)


def main() -> None:
    """Note what is there until the input ends, and clear it away."""
    there: dict[int, Path] = {}
    for line in sys.stdin:
        number, _, directory = line[1:].rstrip("\n").partition(" ")
        if line.startswith("+"):
            there[int(number)] = Path(directory)
        else:
            there.pop(int(number), None)
    for server, directory in there.items():
        kill_all(server)
        remove(directory)


if __name__ == "__main__":
    main()
