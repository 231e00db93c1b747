"""An item as it is stored: its size, and its canonical JSON.

The size (bytes, by the service's rules) stands before the JSON, so that capacity, page limits and
a record's SizeBytes need no decoding. Two items are equal by value exactly when these bytes are.
"""

from typing import NamedTuple

from penstock.base.limits import item_bytes_max
from penstock.items.canonical import decode_item, encode_item
from penstock.items.sizes import item_bytes
from penstock.items.values import Item
from penstock.storage.format import PLAIN, check_format

_SIZE_BYTES = 4
_SIZE_START = len(PLAIN)
_DATA_START = _SIZE_START + _SIZE_BYTES


class StoredItem(NamedTuple):
    """The size of an item in bytes, and its canonical JSON."""

    size: int
    data: bytes

    def item(self) -> Item:
        """Return the item, decoded anew."""
        return decode_item(self.data)


def stored_item(item: Item) -> StoredItem | None:
    """Return `item` in the form that is stored, or None where it is over 400 KB."""
    size = item_bytes(item)
    return None if size > item_bytes_max else StoredItem(size, encode_item(item))


def pack_item(item: StoredItem) -> bytes:
    """Return the value to be stored for `item`."""
    return PLAIN + item.size.to_bytes(_SIZE_BYTES, "big") + item.data


def unpack_item(stored: bytes) -> StoredItem:
    """Return the item in a stored value."""
    if not stored.startswith(PLAIN):
        check_format(stored)
    return StoredItem(int.from_bytes(stored[_SIZE_START:_DATA_START], "big"), stored[_DATA_START:])
