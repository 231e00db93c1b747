"""Counts: how many items or index entries there are and their bytes, kept for each partition.

They change with what they count, in its transaction, so that their sum is exact. One partition's
count alone means little: a split leaves what was counted where it was, and may so make it negative.
"""

import struct
from typing import NamedTuple

from penstock.base import limits
from penstock.storage.format import PLAIN, unpack
from penstock.storage.waist import Reader, Span, Transaction

_COUNT = struct.Struct(">qq")


class Count(NamedTuple):
    """How many items there are, and how many bytes they have."""

    items: int
    size: int


def add_to_count(txn: Transaction, key: bytes, items: int, size: int) -> None:
    """Add `items` items and `size` bytes to the count that is kept at `key`."""
    if not items and not size:
        return
    stored = txn.get(key)
    if stored is not None:
        items_before, size_before = _COUNT.unpack(unpack(stored))
        items, size = items_before + items, size_before + size
    txn.set(key, PLAIN + _COUNT.pack(items, size))


def sum_of_counts(reader: Reader, counts: Span) -> Count:
    """Return the sum of the counts of all partitions that are kept in `counts`."""
    rows = reader.scan(counts, limits.shards_per_table_max)
    each = [_COUNT.unpack(unpack(stored)) for _, stored in rows]
    return Count(sum(items for items, _ in each), sum(size for _, size in each))
