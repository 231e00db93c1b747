"""Destinations in files: one document on each line, on disk when it is delivered.

A file that would grow beyond `destination_file_bytes_max` is renamed first, to NAME.1, what has
that name to NAME.2 and so on; what would be the last but `destination_files_kept` is dropped.
Several processes may write to the same file: each holds a lock on it meanwhile.
"""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from penstock.base import limits
from penstock.consumers.deliverer import DeliveryFailed
from penstock.consumers.destinations import Delivery
from penstock.consumers.documents import encode_document
from penstock.functions.destination import Endpoints


class FileSender:
    """Delivers to files: those named without a directory in the server's own one."""

    def __init__(self, endpoints: Endpoints) -> None:
        self._failures = endpoints.failures

    def send(self, delivery: Delivery) -> None:
        name = delivery.destination.name
        line = encode_document(delivery.document, delivery.payload) + b"\n"
        path = Path(name)
        try:
            if not path.is_absolute():
                assert self._failures is not None  # `Endpoints.refusal`
                self._failures.mkdir(parents=True, exist_ok=True)
                path = self._failures / name
            append(path, line)
        except OSError as error:
            raise DeliveryFailed(
                f"{delivery.destination.text} did not take it: {error.strerror or error}: {path}"
            ) from error

    def close(self) -> None:
        """Hold nothing: each delivery opens its file anew."""


def append(path: Path, line: bytes) -> None:
    """Append a line to a file and wait until it is on disk; OSError, and then nothing was added."""
    with _locked(path) as file:
        size = os.fstat(file).st_size
        if not size or size + len(line) <= limits.destination_file_bytes_max:
            _write(file, size, line)
            if not size:
                _sync_directory(path.parent)
            return
        _rotate(path)
    append(path, line)


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[int]:
    """Open the file that has this name while its lock is held."""
    while True:
        file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(file, fcntl.LOCK_EX)
            if _is_at(path, file):
                yield file
                return
        finally:
            os.close(file)


def _is_at(path: Path, file: int) -> bool:
    """Say whether the open file still has this name: another process may have renamed it."""
    try:
        return os.path.samestat(path.stat(), os.fstat(file))
    except FileNotFoundError:
        return False


def _write(file: int, size: int, line: bytes) -> None:
    """Write a whole line, behind what a crash may have left of another; or nothing."""
    if size and os.pread(file, 1, size - 1) != b"\n":
        line = b"\n" + line
    try:
        left = memoryview(line)
        while left:
            left = left[os.write(file, left) :]
        os.fsync(file)
    except OSError:
        os.ftruncate(file, size)
        raise


def _rotate(path: Path) -> None:
    names = [
        path,
        *(Path(f"{path}.{number}") for number in range(1, limits.destination_files_kept)),
    ]
    for older, newer in reversed(list(zip(names[1:], names[:-1], strict=True))):
        with contextlib.suppress(FileNotFoundError):
            newer.replace(older)


def _sync_directory(directory: Path) -> None:
    file = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(file)
    finally:
        os.close(file)
