"""Canonical bytes: equal by value is equal by bytes, and nothing is lost."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from item_strategies import items, meaning, respelled_item
from penstock.items.canonical import decode_item, encode_item
from penstock.items.values import Item, canonical_item


def test_names_are_sorted_by_code_point_at_every_level() -> None:
    """The order is that of code points (which is that of UTF-8), not that of UTF-16."""
    item: Item = {"\U0001f600": {"S": "1"}, "\uffee": {"M": {"b": {"L": []}, "a": {"N": "1"}}}}
    written = '{"\uffee":{"M":{"a":{"N":"1"},"b":{"L":[]}}},"\U0001f600":{"S":"1"}}'
    assert encode_item(item) == written.encode()


@given(items)
def test_canonical_bytes_are_json_and_come_back(raw: Any) -> None:
    """Any JSON reader reads the bytes, and ours gives the item that went in."""
    item = canonical_item(raw)
    data = encode_item(item)
    assert decode_item(data) == item
    assert json.loads(data) == item
    assert encode_item(decode_item(data)) == data


@given(st.data())
def test_one_value_has_one_canonical_form_however_it_is_spelled(data: st.DataObject) -> None:
    """Shuffled members and sets, and numbers written otherwise, are the same item."""
    raw = data.draw(items)
    other = data.draw(respelled_item(raw))
    assert encode_item(canonical_item(other)) == encode_item(canonical_item(raw))


@given(items, items)
def test_different_values_have_different_bytes(a: Any, b: Any) -> None:
    """Bytes are equal exactly when values are."""
    same_bytes = encode_item(canonical_item(a)) == encode_item(canonical_item(b))
    assert same_bytes == (meaning({"M": a}) == meaning({"M": b}))
