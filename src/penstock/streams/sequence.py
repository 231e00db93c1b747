"""Sequence numbers: how a stamp is spelled on the wire.

A sequence number is a decimal string of 21 digits (the API allows 21 to 40) that grows as its
stamp.
"""

from penstock.storage.waist import STAMP_BYTES, Stamp

_BASE = 10**20
_STAMPS = 1 << (8 * STAMP_BYTES - 1)


def sequence_number(stamp: Stamp) -> str:
    """Return the sequence number of `stamp`: 21 decimal digits."""
    return str(_BASE + stamp)


def stamp_of_sequence(number: str) -> Stamp | None:
    """Return the stamp that a sequence number spells, or None where it spells none of ours."""
    stamp = int(number) - _BASE
    return stamp if 0 <= stamp < _STAMPS else None
