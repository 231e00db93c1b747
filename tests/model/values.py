"""Attribute values as the model holds them: plain Python, equal when DynamoDB holds them equal.

A value is its type and its content: text, `Decimal`, `bytes`, a frozenset, a tuple of values, a
dict of values. A `Decimal` keeps its spelling (1.0, 1E+2), so a value can be sent in other words.
"""

from base64 import b64decode, b64encode
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

Value = tuple[str, Any]
Item = dict[str, Value]
Raw = dict[str, Any]

ORDERED = frozenset({"S", "N", "B"})
MEMBER_TYPES = {"SS": "S", "NS": "N", "BS": "B"}


def text(content: str) -> Value:
    """Return a string."""
    return "S", content


def number(content: int | str) -> Value:
    """Return a number, spelt as `content` is."""
    return "N", Decimal(content)


def value_of(raw: Raw) -> Value:
    """Return the value that `raw`, as the server sent it, is."""
    ((kind, content),) = raw.items()
    if kind == "L":
        return kind, tuple(map(value_of, content))
    if kind == "M":
        return kind, item_of(content)
    if kind in MEMBER_TYPES:
        members = [value_of({MEMBER_TYPES[kind]: member})[1] for member in content]
        assert len(set(members)) == len(members), "a set has each member once"
        return kind, frozenset(members)
    if kind == "N":
        return kind, Decimal(content)
    return kind, b64decode(content) if kind == "B" else content


def item_of(raw: Raw) -> Item:
    """Return the item, or the members of a map, that `raw` is."""
    return {name: value_of(value) for name, value in raw.items()}


def raw_value(value: Value) -> Raw:
    """Return `value` as a client sends it."""
    kind, content = value
    if kind == "L":
        return {kind: list(map(raw_value, content))}
    if kind == "M":
        return {kind: raw_item(content)}
    if kind in MEMBER_TYPES:
        members = [raw_value((MEMBER_TYPES[kind], member)) for member in content]
        return {kind: [member[MEMBER_TYPES[kind]] for member in members]}
    if kind == "N":
        return {kind: str(content)}
    return {kind: b64encode(content).decode() if kind == "B" else content}


def raw_item(item: Item) -> Raw:
    """Return `item` as a client sends it."""
    return {name: raw_value(value) for name, value in item.items()}


def frozen(value: Value) -> Any:
    """Return something hashable, equal for equal values."""
    kind, content = value
    if kind == "L":
        return kind, tuple(map(frozen, content))
    return (kind, frozen_item(content)) if kind == "M" else value


def frozen_item(item: Item) -> Any:
    """Return something hashable, equal for equal items."""
    return frozenset((name, frozen(value)) for name, value in item.items())


def in_order(contents: Iterable[Any]) -> list[Any]:
    """Return contents of one ordered type in DynamoDB's order: text goes by its UTF-8 bytes."""
    return sorted(contents, key=lambda each: each.encode() if isinstance(each, str) else each)
