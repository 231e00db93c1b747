"""The processes of one worker, as Linux shows them: which there are, what memory they hold.

A worker's process adopts whatever below it loses its parent (see `launcher`), so all that it has
started is its tree, until it ends itself. Where there is no /proc, as on macOS, its process group
is all that is known.
"""

import contextlib
import os
import signal
from collections.abc import Callable, Sequence

from penstock.base import limits

_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
_KILL_ROUNDS = 4


def descendants(pid: int) -> list[int]:
    """Return the processes below `pid`, as many as are looked at; none where it has gone."""
    found: list[int] = []
    waiting = [pid]
    while waiting and len(found) < limits.worker_processes_watched_max:
        children = _children(waiting.pop())
        found += children
        waiting += children
    return found


def _children(pid: int) -> list[int]:
    children: list[int] = []
    try:
        threads = os.listdir(f"/proc/{pid}/task")  # noqa: PTH208 - names alone, often
    except OSError:
        return children
    for thread in threads:  # a child is its thread's
        children += map(int, _read(f"/proc/{pid}/task/{thread}/children").split())
    return children


def resident_bytes(pid: int, *, alone: bool = False) -> int:
    """Return what memory a worker's process holds, and unless `alone` those below it.

    What they share with it is counted once. 0 where that can not be seen.
    """
    held = _resident(pid, own_alone=False)
    return (
        held if alone else held + sum(_resident(each, own_alone=True) for each in descendants(pid))
    )


def _resident(pid: int, *, own_alone: bool) -> int:
    fields = _read(f"/proc/{pid}/statm").split()
    if not fields:
        return 0
    pages = int(fields[1]) - (int(fields[2]) if own_alone else 0)
    return pages * _PAGE_BYTES


def kill_tree(pid: int, has_ended: Callable[[], bool]) -> None:
    """Kill a worker's process, its group, and whatever else is below it. Safe where it has ended.

    `has_ended` says whether the process was waited for, so that its number may be another's.

    1. It is stopped, so that it starts nothing more.
    2. What is below it is killed, until there is nothing new.
    3. Its group is killed, and with it itself.
    """
    if has_ended():
        return
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, signal.SIGSTOP)  # 1
    killed: set[int] = set()
    for _ in range(_KILL_ROUNDS):  # 2
        below = descendants(pid)
        new = [each for each in below if each not in killed]
        if not new:
            break
        killed.update(new)
        family = {pid, *below}
        for each in new:
            _kill(each, lambda it: _parent(it) in family)  # noqa: B023 - called at once
    for kill in (os.killpg, os.kill):  # 3: it may have left its own group
        with contextlib.suppress(ProcessLookupError, PermissionError):
            kill(pid, signal.SIGKILL)


def kill_strays(marks: Sequence[bytes]) -> None:
    """Kill what has `marks` in its environment: what a worker started and was lost with its end."""
    assert marks  # what has none of them is everything

    def is_stray(pid: int) -> bool:
        told = _read(f"/proc/{pid}/environ")
        return all(mark in told for mark in marks)

    for pid in _processes():
        if is_stray(pid):
            _kill(pid, is_stray)


def _kill(pid: int, is_still: Callable[[int], bool]) -> None:
    """Kill a process that is not our child, if it `is_still` the one that was seen.

    A number is given to another process as soon as it is free. Held by a descriptor, it is not
    mistaken: where the number has changed hands since, the signal reaches nobody.
    """
    with contextlib.suppress(OSError):
        held = os.pidfd_open(pid)
        try:
            if is_still(pid):
                signal.pidfd_send_signal(held, signal.SIGKILL)
        finally:
            os.close(held)


def _parent(pid: int) -> int | None:
    # The name before the fields may hold anything, and ends with the last parenthesis.
    fields = _read(f"/proc/{pid}/stat").rpartition(b")")[2].split()
    return int(fields[1]) if len(fields) > 1 else None


def _read(path: str) -> bytes:
    try:
        with open(path, "rb") as file:  # noqa: PTH123 - often
            return file.read()
    except OSError:  # it has gone, or is another user's
        return b""


def _processes() -> list[int]:
    try:
        return [int(name) for name in os.listdir("/proc") if name.isdigit()]  # noqa: PTH208
    except OSError:
        return []
