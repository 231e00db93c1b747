"""Sizes: how many bytes DynamoDB says a value and an item have.

Names and texts count their UTF-8 bytes, binary its raw bytes, numbers as `number_bytes` says, true,
false and null one; a set the sum of its members; a list or map three, one per element, and its
contents (AWS developer guide and dynalite, checked against AWS, 2026-10). Values are canonical.

Counting ends soon after it is over the limit of an item, because what an update computes may hold
one large value many times. A size over the limit is therefore only known to be over it.
"""

from collections.abc import Callable
from typing import Any

from penstock.base.limits import item_bytes_max
from penstock.items.numbers import number_bytes
from penstock.items.values import Item, Value

_CONTAINER_BYTES = 3
_ELEMENT_BYTES = 1


def value_bytes(value: Value) -> int:
    """Return the size of one value in bytes."""
    ((kind, content),) = value.items()
    return _SIZE_OF[kind](content)


def item_bytes(item: Item) -> int:
    """Return the size of an item in bytes: the names and the values of its attributes."""
    total = 0
    for name, value in item.items():
        (kind,) = value
        content = value[kind]
        total += len(name) if name.isascii() else len(name.encode())
        if kind == "S":
            total += len(content) if content.isascii() else len(content.encode())
        else:
            total += _SIZE_OF[kind](content)
        if total > item_bytes_max:
            break
    return total


def text_bytes(text: str) -> int:
    """Return the length of `text` in UTF-8."""
    return len(text) if text.isascii() else len(text.encode())


def _binary_bytes(encoded: str) -> int:
    return len(encoded) // 4 * 3 - encoded.count("=", -2)


def _one_byte(_content: bool) -> int:
    return 1


def _list_bytes(elements: list[Value]) -> int:
    total = _CONTAINER_BYTES + _ELEMENT_BYTES * len(elements)
    for element in elements:
        if total > item_bytes_max:
            break
        total += value_bytes(element)
    return total


def _map_bytes(members: Item) -> int:
    return _CONTAINER_BYTES + _ELEMENT_BYTES * len(members) + item_bytes(members)


_SIZE_OF: dict[str, Callable[[Any], int]] = {
    "S": text_bytes,
    "N": number_bytes,
    "B": _binary_bytes,
    "BOOL": _one_byte,
    "NULL": _one_byte,
    "SS": lambda members: sum(map(text_bytes, members)),
    "NS": lambda members: sum(map(number_bytes, members)),
    "BS": lambda members: sum(map(_binary_bytes, members)),
    "L": _list_bytes,
    "M": _map_bytes,
}
