"""The directory of a store on disk: whose it is, who holds it, and what the machine says of it.

A store's directory holds `penstock.lock` and one folder with the engine's files and
`PENSTOCK-FORMAT`. The folder is built under another name and renamed when it is complete, so a
folder that is there was once complete: whatever is missing from it later was lost, and is never
quietly made anew.
"""

import contextlib
import errno
import fcntl
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from penstock.base.errors.engine import (
    EngineError,
    EngineFull,
    EngineUnavailable,
    StoreIncompatible,
    StoreLocked,
)

_LOCK = "penstock.lock"
_FORMAT = "PENSTOCK-FORMAT"
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT)
_PASSING = (errno.EIO, errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EAGAIN, errno.EINTR)


@contextlib.contextmanager
def os_errors(what: str) -> Iterator[None]:
    """Raise what the operating system refuses as an `EngineError` that begins with `what`."""
    try:
        yield
    except OSError as error:
        raise _engine_error(what, error) from error


def free_bytes(path: Path) -> int:
    """Return the bytes that this process can still write where `path` is."""
    with os_errors(f"{path} cannot be measured"):
        room = os.statvfs(path)
        return room.f_bavail * room.f_frsize


def complaint(path: Path) -> EngineError | None:
    """Return what the operating system has against a small write in `path`; None if nothing.

    A driver says only that it failed. This is how a full or forbidden disk is told from bad bytes.
    """
    try:
        with os_errors(f"{path} cannot be written"), tempfile.TemporaryFile(dir=path) as probe:
            probe.write(bytes(64 * 1024))
            probe.flush()
            os.fsync(probe.fileno())
            for file in path.iterdir():
                if not os.access(file, os.R_OK | os.W_OK):
                    return EngineError(f"{file} cannot be read and written: no permission")
    except EngineError as error:
        return error
    return None


def _engine_error(what: str, error: OSError) -> EngineError:
    text = f"{what}: {error.strerror or error}"
    if error.errno in _NO_ROOM:
        return EngineFull(text)
    if error.errno in _PASSING:
        return EngineUnavailable(text)
    return EngineError(text)


class StoreDirectory:
    """A directory held by this process until `release`.

    Raises StoreLocked where another holds it, StoreIncompatible where it holds what is not a store,
    EngineError where the operating system refuses; nothing that is there is changed.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        with os_errors(f"{path} cannot be used"):
            if path.exists() and not path.is_dir():
                raise EngineError(f"{path} is not a directory")
            path.mkdir(parents=True, exist_ok=True)
            _check_is_ours(path)
            self._lock: int | None = os.open(path / _LOCK, os.O_RDWR | os.O_CREAT, 0o644)
            try:
                fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                self.release()
                raise StoreLocked(f"{path} is in use by another server") from error

    def release(self) -> None:
        """Let others hold the directory; safe to call twice."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def folder(self, name: str, form: str, build: Callable[[Path], None]) -> Path:
        """Return the engine's folder, made by `build` on the first time.

        `form` names the engine and the version of its files; StoreIncompatible if the folder there
        has another.
        """
        folder = self.path / name
        with os_errors(f"{folder} cannot be used"):
            if not folder.exists():
                self._make(folder, form, build)
            found = _read_form(folder)
        if found != form:
            raise StoreIncompatible(
                f"{folder} has the format {found or 'of no known version'}, not {form}"
            )
        return folder

    def _make(self, folder: Path, form: str, build: Callable[[Path], None]) -> None:
        unfinished = folder.with_name(folder.name + ".new")
        if unfinished.exists():  # cut short earlier, so nothing in it was ever acknowledged
            shutil.rmtree(unfinished)
        unfinished.mkdir()
        build(unfinished)
        with (unfinished / _FORMAT).open("w", encoding="ascii") as file:
            file.write(form + "\n")
            file.flush()
            os.fsync(file.fileno())
        _sync_directory(unfinished)
        unfinished.rename(folder)
        _sync_directory(self.path)
        with contextlib.suppress(PermissionError):  # one may write to a directory, yet not read it
            _sync_directory(self.path.parent)


def _check_is_ours(path: Path) -> None:
    names = os.listdir(path)  # noqa: PTH208 - names are all that is needed
    if names and _LOCK not in names:
        raise StoreIncompatible(f"{path} is not a store and is not empty: it holds {min(names)}")


def _read_form(folder: Path) -> str:
    try:
        return (folder / _FORMAT).read_text(encoding="ascii", errors="replace").strip()
    except FileNotFoundError:
        return ""


def _sync_directory(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
