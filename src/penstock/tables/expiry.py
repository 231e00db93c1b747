"""Expiry: which items of a table end at what time, one ordered row for each item that does.

A table with a time to live has a row for every item whose attribute is a number of whole seconds
since the epoch. Rows change in the item's own transaction, through `Expiry.update`, so what has
expired is one range of keys, however large the table is (docs/decisions/0011-expiry-rows.md).

Facts: AWS developer guide, 2026-10: only a top-level attribute of type Number counts; an item has
expired when that time is before now, but not by five years or more.
"""

import msgspec

from penstock.base.limits import expiry_age_seconds_max
from penstock.items.keys import ItemKey
from penstock.items.values import Item
from penstock.storage.format import pack
from penstock.storage.prefixes import Prefix
from penstock.storage.waist import Span, Transaction
from penstock.tables.stored_item import StoredItem, unpack_item

_SECONDS_BYTES = 8
_SECONDS_DIGITS_MAX = 18  # what is later than that never comes
_ROW = pack(b"")


class Expiry:
    """The expiry of the items of one table by one attribute."""

    __slots__ = ("_attribute", "_mark", "_prefix", "rows")

    def __init__(self, table_number: int, attribute: str) -> None:
        self._attribute = attribute
        self._mark = msgspec.json.encode(attribute)  # what no item with the attribute lacks
        self._prefix = Prefix.EXPIRY.key + table_number.to_bytes(8, "big")
        self.rows = Span.of_prefix(self._prefix)

    def update(
        self, txn: Transaction, key: ItemKey, old: StoredItem | None, new: StoredItem | None
    ) -> None:
        """Let the row of an item follow its change; the caller holds its partition's lock."""
        was, now = self._row(key, old), self._row(key, new)
        if was == now:
            return
        if was is not None:
            txn.set(was, None)
        if now is not None:
            txn.set(now, _ROW)

    def fill(self, txn: Transaction, _place: int, key: ItemKey, stored: bytes) -> None:
        """Add the row of an item that is stored already, if it has one."""
        self.update(txn, key, None, unpack_item(stored))

    def expired(self, now_s: int) -> Span:
        """Return the rows of the items that have expired at `now_s`, the oldest first."""
        oldest = max(0, now_s - expiry_age_seconds_max + 1)
        return Span(self._prefix + _seconds(oldest), self._prefix + _seconds(now_s))

    def key_of(self, row: bytes) -> ItemKey:
        """Return the key of the item that a row is of."""
        return ItemKey.of_suffix(row[len(self._prefix) + _SECONDS_BYTES :])

    def has_expired(self, item: StoredItem, now_s: int) -> bool:
        """Say whether `item` has expired at `now_s`."""
        second = self._second(item)
        return second is not None and now_s - expiry_age_seconds_max < second < now_s

    def _row(self, key: ItemKey, item: StoredItem | None) -> bytes | None:
        second = None if item is None else self._second(item)
        return None if second is None else self._prefix + _seconds(second) + key.suffix

    def _second(self, item: StoredItem) -> int | None:
        if self._mark not in item.data:  # spares most items that never expire the decoding
            return None
        return expiry_second(item.item(), self._attribute)


def expiry_second(item: Item, attribute: str) -> int | None:
    """Return the second at which `item` expires by `attribute`; None where it never does.

    A fraction is cut. What lies before the epoch, or beyond all time, is no time.
    """
    number = item.get(attribute, {}).get("N")
    if number is None or number.startswith("-"):
        return None
    whole = number.partition(".")[0]
    return int(whole) if len(whole) <= _SECONDS_DIGITS_MAX else None


def _seconds(second: int) -> bytes:
    return second.to_bytes(_SECONDS_BYTES, "big")
