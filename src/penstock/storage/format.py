"""The first byte of every stored value: the version of its format.

Version 1 is the value in clear. A later version can seal values (encrypt them) without rewriting a
store.
"""

from penstock.base.errors.engine import StoreIncompatible

PLAIN = b"\x01"


def pack(value: bytes) -> bytes:
    """Return `value` as it is stored."""
    return PLAIN + value


def unpack(stored: bytes) -> bytes:
    """Return the value in `stored`; StoreIncompatible for a version that is not ours."""
    if not stored.startswith(PLAIN):
        check_format(stored)
    return stored[1:]


def check_format(stored: bytes) -> None:
    """Raise StoreIncompatible where `stored` is of a version that is not ours."""
    if not stored.startswith(PLAIN):
        raise StoreIncompatible(f"a value is stored in format {stored[:1].hex() or 'none'}")
