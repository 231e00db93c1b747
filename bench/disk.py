"""The disk that the stores lie on: whether it is one, and whether it has room."""

import re
import shutil
from pathlib import Path

from bench.measurements import CannotMeasure

BYTES_PER_ITEM = 2_000
"""What an item of 500 bytes may take for a while: its log, its tables, and their merging."""
IN_MEMORY = frozenset({"tmpfs", "ramfs"})
IN_MEMORY_TOLD = "the data directory is in memory"
_MOUNTS = Path("/proc/mounts")  # Linux has it, macOS not
_GB = 1_000_000_000


def file_system(data: Path) -> str | None:
    """Return the type of the file system that a directory is on, None where it is not told."""
    try:
        mounts = _MOUNTS.read_text("utf-8", "replace")
    except OSError:
        return None
    return file_system_of(mounts, data.resolve())


def file_system_of(mounts: str, path: Path) -> str | None:
    """Return the type of the innermost mount, of those in a text like /proc/mounts, over `path`."""
    found: str | None = None
    depth = 0
    for line in mounts.splitlines():
        _, place, kind, *_ = line.split()
        mount = Path(re.sub(r"\\(\d{3})", lambda octal: chr(int(octal[1], 8)), place))
        if path.is_relative_to(mount) and len(mount.parts) >= depth:  # a later one covers it
            found, depth = kind, len(mount.parts)
    return found


def need_room(data: Path, items: int, smaller: int | None) -> None:
    """Raise CannotMeasure where a table of `items` may not fit; `smaller` is the next size."""
    free, needed = shutil.disk_usage(data).free, items * BYTES_PER_ITEM
    if free < needed:
        remedy = f"; --items {smaller} leaves it out" if smaller is not None else ""
        raise CannotMeasure(f"needs {needed / _GB:g} GB free, has {free / _GB:.1f}{remedy}")
