"""Zip files of code: what they may hold, and how they are unpacked and made.

A zip file is somebody else's: names that lead out of the directory, links that do, and files that
unpack to more than a function may have are refused before anything is written. Nothing here knows
of the store. All of it takes its time: callers run it on a thread.
"""

import lzma
import re
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from shutil import copyfileobj

from penstock.base import limits

_FILE_MODE = 0o644
_DIRECTORY_MODE = 0o755
_ENCRYPTED = 0x1
_NAME_BYTES_MAX = 255
_PATH_BYTES_MAX = 1024
"""So that it is a path everywhere, below whatever directory, and no deeper than can be made."""
_LINK_BYTES_MAX = 1024
_DRIVE = re.compile("[A-Za-z]:")
_Parts = tuple[str, ...]
_DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    EOFError,
    LookupError,
    OSError,
    OverflowError,
    RuntimeError,
    ValueError,
)
"""What the standard library raises for bytes that were spoiled, or packed as it cannot unpack."""


class BadArchive(Exception):
    """Bytes that are no zip file, or one that cannot be unpacked safely; the text says why."""


class EmptyArchive(Exception):
    """A zip file without any entry."""


class ArchiveTooLarge(Exception):
    """A zip file that holds more than a function may have."""


def check_archive(data: bytes) -> None:
    """Raise BadArchive, EmptyArchive or ArchiveTooLarge for what cannot be the code of a function.

    All of it is decompressed, so that what is accepted can be unpacked later.
    """
    with _opened(data) as archive:
        entries = archive.infolist()
        if not entries:
            raise EmptyArchive
        if len(entries) > limits.function_zip_entries_max:
            raise ArchiveTooLarge
        if sum(entry.file_size for entry in entries) > limits.function_unzipped_bytes_max:
            raise ArchiveTooLarge
        files = {_parts(entry) for entry in entries if not entry.is_dir()}
        try:
            for entry in entries:
                _check(archive, entry, files)
            damaged = archive.testzip()
        except _DAMAGE as error:
            raise BadArchive(str(error)) from None
        if damaged is not None:
            raise BadArchive(f"{damaged} is damaged")


def unpack_archive(data: bytes, directory: Path) -> None:
    """Unpack a zip file that was checked into `directory`, which is new and empty."""
    with _opened(data) as archive:
        for entry in archive.infolist():
            path = directory.joinpath(*_parts(entry))
            if entry.is_dir():
                path.mkdir(_DIRECTORY_MODE, parents=True, exist_ok=True)
                continue
            path.parent.mkdir(_DIRECTORY_MODE, parents=True, exist_ok=True)
            path.unlink(missing_ok=True)  # of two entries with one name the later holds
            if _is_link(entry):
                path.symlink_to(archive.read(entry).decode())
                continue
            with archive.open(entry) as packed, path.open("wb") as file:
                copyfileobj(packed, file)
            path.chmod(stat.S_IMODE(entry.external_attr >> 16) & 0o777 or _FILE_MODE)


def pack_directory(directory: Path) -> bytes:
    """Return a zip file of all that is in `directory`, the same for the same files.

    Raises ArchiveTooLarge where it holds more than a function may have; OSError.
    """
    packed, total_bytes = BytesIO(), 0
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for count, path in enumerate(files_of(directory)):
            status = path.stat()
            total_bytes += status.st_size
            if (
                count >= limits.function_zip_entries_max
                or total_bytes > limits.function_unzipped_bytes_max
            ):
                raise ArchiveTooLarge
            entry = zipfile.ZipInfo(path.relative_to(directory).as_posix())
            entry.external_attr = (stat.S_IFREG | stat.S_IMODE(status.st_mode)) << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, path.read_bytes())
    return packed.getvalue()


def files_of(directory: Path, above: frozenset[tuple[int, int]] = frozenset()) -> Iterator[Path]:
    """Yield the files below a directory in the order of their names, but what Python compiled.

    Links are followed, but not to `above`: the directories on the way.
    """
    own = directory.stat()
    place = (own.st_dev, own.st_ino)
    if place in above:
        return
    for path in sorted(directory.iterdir()):
        if path.is_dir():
            if path.name != "__pycache__":
                yield from files_of(path, above | {place})
        elif path.is_file() and path.suffix != ".pyc":
            yield path


def _opened(data: bytes) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(BytesIO(data))
    except _DAMAGE as error:
        raise BadArchive(str(error)) from None


def _is_link(entry: zipfile.ZipInfo) -> bool:
    return stat.S_ISLNK(entry.external_attr >> 16)


def _parts(entry: zipfile.ZipInfo) -> _Parts:
    return tuple(part for part in entry.filename.split("/") if part not in ("", "."))


def _check(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, files: set[_Parts]) -> None:
    """Raise BadArchive for an entry that is not to be unpacked.

    1. Its name stays below the directory. 2. It does not lie behind a file or a link. 3. A link
    leads to something below the directory: as nothing lies behind links, its own place is what its
    name says, and where `..` stand at its beginning only, no link on the way changes their meaning.
    """
    name, parts = entry.orig_filename, _parts(entry)
    outside = name.startswith("/") or ".." in parts or _DRIVE.match(name) is not None
    if outside or "\\" in name or "\0" in name:  # 1
        raise BadArchive(f"{name!r} leads out of the directory")
    lengths = [len(part.encode("utf-8", "replace")) for part in parts]
    if max(lengths, default=0) > _NAME_BYTES_MAX or sum(lengths) + len(parts) > _PATH_BYTES_MAX:
        raise BadArchive(f"{name!r} is too long")
    if not parts and not entry.is_dir():
        raise BadArchive(f"{name!r} is the directory itself")
    if entry.flag_bits & _ENCRYPTED:
        raise BadArchive(f"{name!r} is encrypted")
    if entry.is_dir() == (parts in files):
        raise BadArchive(f"{name!r} is a file and a directory")
    if any(parts[:depth] in files for depth in range(1, len(parts))):  # 2
        raise BadArchive(f"{name!r} lies behind what is no directory")
    if _is_link(entry):
        if entry.file_size > _LINK_BYTES_MAX:
            raise BadArchive(f"{name!r} links to a name that is too long")
        _check_link(name, parts, archive.read(entry))  # 3


def _check_link(name: str, parts: _Parts, target: bytes) -> None:
    try:
        text = target.decode()
    except UnicodeDecodeError:
        raise BadArchive(f"{name!r} links to what is no name") from None
    steps = [step for step in text.split("/") if step not in ("", ".")]
    ups = 0
    while ups < len(steps) and steps[ups] == "..":
        ups += 1
    if (
        not text
        or text.startswith("/")
        or "\\" in text
        or "\0" in text
        or ups >= len(parts)
        or ".." in steps[ups:]
    ):
        raise BadArchive(f"{name!r} links out of the directory")
