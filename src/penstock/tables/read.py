"""Reads of items: one by its key, and pages of many in key order.

A page ends after `limit` items were looked at, or with the item that takes the bytes looked at over
1 MB (that item is part of the page: AWS charges 128.5 units for a full page read eventually).
"""

from collections.abc import Callable
from typing import NamedTuple

from penstock.base import limits
from penstock.items.expressions import KeyRange
from penstock.items.keys import (
    HASH_BYTES,
    ItemKey,
    KeySchema,
    partition_hash,
    partition_key_bytes,
    sort_key_bytes,
)
from penstock.items.values import Item
from penstock.storage.waist import Reader, Span, after_prefix
from penstock.tables.descriptor import Table
from penstock.tables.stored_item import StoredItem, unpack_item

_FIRST_CHUNK_ROWS = 8


class ItemPage(NamedTuple):
    """A page of items: those kept, how many were looked at, their bytes, and where to go on."""

    items: list[StoredItem]
    scanned: int
    size: int
    last: StoredItem | None
    """The last item looked at where the page ended before the span did, else None."""


def get_item(reader: Reader, table: Table, key: ItemKey) -> StoredItem | None:
    """Return the item of `key`, or None."""
    stored = reader.get(table.item_key(key))
    return None if stored is None else unpack_item(stored)


def read_page(
    reader: Reader,
    span: Span,
    limit: int | None,
    *,
    backward: bool = False,
    keep: Callable[[Item], bool] | None = None,
) -> ItemPage:
    """Return a page of the items of `span`, those for which `keep` holds."""
    kept: list[StoredItem] = []
    scanned = size = 0
    chunk = _FIRST_CHUNK_ROWS
    while True:
        asked = chunk if limit is None else min(chunk, limit - scanned)
        rows = reader.scan(span, asked, backward)
        for _, stored in rows:
            item = unpack_item(stored)
            scanned += 1
            size += item.size
            if keep is None or keep(item.item()):
                kept.append(item)
            if size > limits.page_bytes_max or scanned == limit:
                return ItemPage(kept, scanned, size, item)
        if len(rows) < asked:
            return ItemPage(kept, scanned, size, None)
        span = beyond(span, rows[-1][0], backward)
        chunk = min(chunk * 2, limits.scan_rows_max)


def beyond(span: Span, key: bytes, backward: bool) -> Span:
    """Return the part of `span` that is read after `key`."""
    if backward:
        return Span(span.start, max(span.start, min(span.end, key)))
    return Span(min(span.end, max(span.start, key + b"\x00")), span.end)


def query_span(table: Table, key_range: KeyRange) -> Span:
    """Return the keys of the items that a key condition chooses.

    ValidationException where no partition or sort key can be that large.
    """
    partition = partition_key_bytes(key_range.partition)
    base = table.item_key(ItemKey(partition_hash(partition), partition, b""))
    end = after_prefix(base)
    low = b"" if key_range.low is None else sort_key_bytes(key_range.low)
    match key_range.operator:
        case None:
            return Span(base, end)
        case "=":
            return Span.of_key(base + low)
        case "<":
            return Span(base, base + low)
        case "<=":
            return Span(base, base + low + b"\x00")
        case ">":
            return Span(base + low + b"\x00", end)
        case ">=":
            return Span(base + low, end)
        case "begins_with":
            return Span.of_prefix(base + low)
        case _:
            high = b"" if key_range.high is None else sort_key_bytes(key_range.high)
            return Span(base + low, base + high + b"\x00")


def segment_span(table: Table, segment: int, segments: int) -> Span:
    """Return the keys of one of `segments` parts of the table, equal by hash."""
    width = 8 * HASH_BYTES
    low = -(-(segment << width) // segments)
    high = -(-((segment + 1) << width) // segments)
    start = table.item_prefix + low.to_bytes(HASH_BYTES, "big")
    if segment + 1 == segments:
        return Span(start, table.items.end)
    return Span(start, table.item_prefix + high.to_bytes(HASH_BYTES, "big"))


def key_of(item: StoredItem, schema: KeySchema) -> Item:
    """Return the key attributes of a stored item."""
    return schema.key_of(item.item())
