"""Reads of items: one by its key, and pages of many in key order.

A page ends after `limit` items were looked at, or with the item that takes the bytes looked at over
1 MB (that item is part of the page: AWS charges 128.5 units for a full page read eventually).
"""

from collections.abc import Callable
from typing import NamedTuple

from penstock.base import limits
from penstock.items.keys import ItemKey
from penstock.items.values import Item
from penstock.storage.waist import Reader, Span
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
    fetched: list[int]
    """The bytes of each item that was fetched for an entry looked at."""


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
    fetch: Callable[[StoredItem], StoredItem] | None = None,
) -> ItemPage:
    """Return a page of the items of `span`, those for which `keep` holds.

    Where they are entries of an index, `fetch` returns the whole item of each.
    """
    kept: list[StoredItem] = []
    fetched: list[int] = []
    scanned = size = 0
    chunk = _FIRST_CHUNK_ROWS
    while True:
        asked = chunk if limit is None else min(chunk, limit - scanned)
        rows = reader.scan(span, asked, backward)
        for _, stored in rows:
            item = unpack_item(stored)
            scanned += 1
            size += item.size
            shown = item
            if fetch is not None:
                shown = fetch(item)
                fetched.append(shown.size)
            if keep is None or keep(shown.item()):
                kept.append(shown)
            if size > limits.page_bytes_max or scanned == limit:
                return ItemPage(kept, scanned, size, item, fetched)
        if len(rows) < asked:
            return ItemPage(kept, scanned, size, None, fetched)
        span = beyond(span, rows[-1][0], backward)
        chunk = min(chunk * 2, limits.scan_rows_max)


def beyond(span: Span, key: bytes, backward: bool) -> Span:
    """Return the part of `span` that is read after `key`."""
    if backward:
        return Span(span.start, max(span.start, min(span.end, key)))
    return Span(min(span.end, max(span.start, key + b"\x00")), span.end)
