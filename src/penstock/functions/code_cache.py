"""Where the code of functions lies on this node: zip files unpacked, and local directories.

A zip file is unpacked when it is first needed, beside its place, and moved there when it is
complete: what is there is whole. A local directory is used as it is; a stamp of its tree, taken
anew no more than once a second, tells when it has changed.
"""

import asyncio
import contextlib
import hashlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from penstock.base import limits
from penstock.base.clock import Clock
from penstock.base.ids import Entropy
from penstock.functions.archive import unpack_archive
from penstock.functions.code import CodeGone, read_code
from penstock.functions.function import Function
from penstock.storage.waist import Engine


class Directory(NamedTuple):
    """Where a version's code lies, and a text that is another one when it has changed."""

    path: Path
    stamp: str


class _Seen(NamedTuple):
    stamp: str
    at_ms: float


class CodeCache:
    """The code of this node, below `root`, which is its own.

    What is unpacked is not forced to disk. `boot` names the time since the machine was switched on:
    what was unpacked before that may be in pieces, and is unpacked anew.
    """

    def __init__(
        self, engine: Engine, clock: Clock, entropy: Entropy, root: Path, boot: str = ""
    ) -> None:
        self._engine, self._clock, self._entropy = engine, clock, entropy
        self._root = root
        self._suffix = f"-{boot}" if boot else ""
        self._used_ms: dict[str, float] = {}
        """When each directory of unpacked code was used last, by its name."""
        self._unpacking: dict[str, asyncio.Lock] = {}
        self._looking: dict[str, asyncio.Lock] = {}
        self._seen: dict[str, _Seen] = {}

    async def directory(self, function: Function) -> Directory:
        """Return where the code of a version lies, unpacked if it was not.

        CodeGone where there is none, with a text that says why.
        """
        if function.code.directory is not None:
            return await self._local(function.code.directory)
        name = function.code.digest + self._suffix
        if name not in self._used_ms:
            await self._unpack(function, name)
        self._used_ms[name] = self._clock.elapsed_ms()
        return Directory(self._root / name, "")

    async def _local(self, name: str) -> Directory:
        if (seen := self._fresh(name)) is None:
            async with self._looking.setdefault(name, asyncio.Lock()):  # one look for all who ask
                seen = self._fresh(name) or await self._look(name)
        return Directory(Path(name), seen.stamp)

    def _fresh(self, name: str) -> _Seen | None:
        seen = self._seen.get(name)
        if seen is None:
            return None
        age_ms = self._clock.elapsed_ms() - seen.at_ms
        return seen if age_ms < limits.function_directory_look_ms else None

    async def _look(self, name: str) -> _Seen:
        now_ms = self._clock.elapsed_ms()
        try:
            stamp = await asyncio.to_thread(stamp_of, Path(name))
        except OSError as error:
            raise CodeGone(f"{name} cannot be read: {error.strerror or error}") from error
        seen = self._seen[name] = _Seen(stamp, now_ms)
        return seen

    async def _unpack(self, function: Function, name: str) -> None:
        lock = self._unpacking.setdefault(name, asyncio.Lock())
        async with lock:
            path = self._root / name
            if name in self._used_ms or path.is_dir():
                return
            digest = bytes.fromhex(function.code.digest)
            data = await read_code(self._engine, function.region, function.name, digest)
            unfinished = self._root / f"{name}.{self._entropy.bits(64):016x}.new"
            try:
                await asyncio.to_thread(_unpack, data, unfinished, path)
            except OSError as error:
                raise CodeGone(f"its code cannot be unpacked: {error}") from error
        self._unpacking.pop(name, None)

    def forget_unused(self, age_ms: float) -> list[Path]:
        """Move what was not used for so long out of the way; return where to, to be removed.

        What an earlier run of the server has left counts from the first look at it.
        """
        now_ms = self._clock.elapsed_ms()
        for path in _children(self._root):
            self._used_ms.setdefault(path.name, now_ms)
        over = [name for name, at_ms in self._used_ms.items() if now_ms - at_ms > age_ms]
        for name in over:
            del self._used_ms[name]
        moved = [self._moved(self._root / name) for name in over]
        return [place for place in moved if place is not None]

    def _moved(self, path: Path) -> Path | None:
        gone = path.with_name(f"{self._entropy.bits(64):016x}.gone")
        try:  # in one step: nobody finds half of it
            return path.rename(gone)
        except OSError:
            return None


def stamp_of(directory: Path) -> str:
    """Return a digest of the names, sizes and times of what is in a directory; OSError.

    Of a very large one what comes first counts. What Python compiled does not.
    """
    digest = hashlib.sha256()
    for count, line in enumerate(_lines_of(directory, "")):
        if count >= limits.function_directory_entries_max:
            break
        digest.update(line.encode("utf-8", "surrogateescape"))
    return digest.hexdigest()


def _lines_of(
    directory: Path, below: str, above: frozenset[tuple[int, int]] = frozenset()
) -> Iterator[str]:
    """Yield a line for each file; `above` are the directories on the way, which links may lead to.

    Links are followed, as whoever runs the code does.
    """
    own = directory.stat()
    place = (own.st_dev, own.st_ino)
    if place in above:
        return
    with os.scandir(directory) as found:
        entries = sorted(found, key=lambda entry: entry.name)
    for entry in entries:
        if entry.name == "__pycache__" or entry.name.endswith(".pyc"):
            continue
        name = below + entry.name
        if entry.is_dir():
            yield from _lines_of(Path(entry.path), name + "/", above | {place})
        else:
            with contextlib.suppress(FileNotFoundError):  # a link to nothing, or just removed
                status = entry.stat()
                yield f"{name}\0{status.st_size}\0{status.st_mtime_ns}\0{status.st_mode}\n"


def _children(root: Path) -> list[Path]:
    return list(root.iterdir()) if root.is_dir() else []


def _unpack(data: bytes, unfinished: Path, path: Path) -> None:
    unfinished.mkdir(parents=True)
    try:
        unpack_archive(data, unfinished)
        unfinished.rename(path)
    except OSError:
        shutil.rmtree(unfinished, ignore_errors=True)
        if not path.is_dir():  # another node of this machine may have been first
            raise
