"""A directory for as long as a server runs, where it keeps nothing: removed at its end.

A server that is killed leaves its own behind. It is locked while its server runs, which the system
sees to, so the next server tells what is left from what is used, and removes that: also processes
that functions have left, which know the directory.
"""

import contextlib
import fcntl
import os
import shutil
import stat
import tempfile
from pathlib import Path

from penstock.base import limits
from penstock.base.clock import SystemClock
from penstock.base.ids import Entropy
from penstock.functions.process_tree import kill_strays

_MACHINE = SystemClock()
_PREFIX = "penstock-"
_RANDOM_BITS = 64


class PassingFolder:
    """One directory among the machine's temporary ones, its owner's alone. All of it blocks."""

    def __init__(self, entropy: Entropy, among: Path | None = None) -> None:
        """It is not made yet, and may be where nothing can be."""
        self._among = among or _temporary()
        self.path = self._among / f"{_PREFIX}{entropy.bits(_RANDOM_BITS):016x}"
        self._lock: int | None = None

    def hold(self) -> None:
        """Make it, if nobody has, and keep others from removing it; OSError."""
        if self._lock is None:
            self.path.mkdir(mode=0o700, exist_ok=True)
            self.path.chmod(0o700)
            with contextlib.suppress(BlockingIOError):  # a name that another has too: it holds it
                self._lock = _locked(self.path)

    def remove(self) -> None:
        """Remove it; safe twice."""
        shutil.rmtree(self.path, ignore_errors=True)
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def remove_left(self) -> list[Path]:
        """Remove those of servers that are no more, and return them."""
        return [path for path in self._among.glob(f"{_PREFIX}*") if _remove_if_left(path)]


def _temporary() -> Path:
    """Return where temporary directories are, though there may be none that can be written to."""
    try:
        return Path(tempfile.gettempdir())
    except FileNotFoundError:
        return Path("/tmp")  # noqa: S108 - who makes anything there is told that it cannot


def _remove_if_left(path: Path) -> bool:
    """Remove a directory that is ours and that no server holds; say whether it was so."""
    if len(path.name) != len(_PREFIX) + _RANDOM_BITS // 4:
        return False
    try:
        status = path.lstat()
        is_new = _MACHINE.now_ms() / 1000 - status.st_mtime < limits.passing_folder_new_seconds
        if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.geteuid() or is_new:
            return False
        lock = _locked(path)
    except OSError:  # it has gone, or is held
        return False
    try:
        kill_strays([os.fsencode(path) + b"/"])
        shutil.rmtree(path, ignore_errors=True)
    finally:
        os.close(lock)
    return True


def _locked(path: Path) -> int:
    """Return a descriptor that locks a directory; OSError where another has done so."""
    with contextlib.ExitStack() as undo:
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        undo.callback(os.close, descriptor)
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        undo.pop_all()
    return descriptor
