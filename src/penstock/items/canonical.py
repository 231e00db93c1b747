"""Canonical bytes: the one form in which an item is stored, compared and answered.

DynamoDB's JSON without spaces, names in code point order, of an item whose values are canonical.
Two items are equal by value exactly when their canonical bytes are equal.
"""

import msgspec

from penstock.items.values import Item

_encoder = msgspec.json.Encoder(order="sorted")
_decoder = msgspec.json.Decoder(Item)


def encode_item(item: Item) -> bytes:
    """Return the canonical bytes of an item whose values are canonical."""
    return _encoder.encode(item)


def decode_item(data: bytes) -> Item:
    """Return the item that `encode_item` made `data` of."""
    return _decoder.decode(data)
