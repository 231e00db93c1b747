"""A look at the headers of RocksDB's logs (write-ahead logs, MANIFEST) before RocksDB reads them.

RocksDB 9.8 checks what it reads, but some damaged headers send its reader round for ever, in every
recovery mode, and the whole process with it (2026-11: type 11 and a length past the block's end).
A log is blocks of 32 KiB; a block holds records of checksum (4), length (2), type (1), payload; a
tail too short for a header is padding. We use neither recycling, compression nor timestamps, so any
type but whole, first, middle, last (and zero: room not yet written) is damage.
"""

from pathlib import Path

from penstock.base.errors.engine import StoreCorrupt

_BLOCK = 32 * 1024
_HEADER = 7
_UNWRITTEN = 0
_TYPES = range(1, 5)


def check_logs(folder: Path) -> None:
    """Raise StoreCorrupt if a log in `folder` has a header that no RocksDB of ours has written."""
    for path in sorted([*folder.glob("*.log"), *folder.glob("MANIFEST-*")]):
        with path.open("rb") as file:
            number = 0
            while block := file.read(_BLOCK):
                at = _damaged_header(block)
                if at is not None:
                    raise StoreCorrupt(f"{path} is damaged at byte {number * _BLOCK + at}")
                number += 1


def _damaged_header(block: bytes) -> int | None:
    """Return where in `block` a header is damaged, or None."""
    at = 0
    while at + _HEADER <= len(block):
        length = int.from_bytes(block[at + 4 : at + 6], "little")
        kind = block[at + 6]
        if kind == _UNWRITTEN and length == 0:
            return None
        end = at + _HEADER + length
        # Only a block cut off by the end of the file may end within a record.
        if kind not in _TYPES or (end > len(block) == _BLOCK) or end > _BLOCK:
            return at
        at = end
    return None
