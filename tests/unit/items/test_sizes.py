"""Sizes: the documented examples, and a second, simpler model that must agree."""

from base64 import b64decode
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given

from item_strategies import items, values
from penstock.base.limits import item_bytes_max
from penstock.items.sizes import item_bytes, text_bytes, value_bytes
from penstock.items.values import canonical_item, canonical_value


@pytest.mark.parametrize(
    ("value", "size"),
    [
        ({"S": ""}, 0),
        ({"S": "abc"}, 3),
        ({"S": "é"}, 2),
        ({"S": "\U0001f600"}, 4),
        ({"N": "0"}, 1),
        ({"N": "-12.5"}, 4),
        ({"B": ""}, 0),
        ({"B": "AA=="}, 1),
        ({"B": "AAA="}, 2),
        ({"B": "AAAA"}, 3),
        ({"BOOL": True}, 1),
        ({"BOOL": False}, 1),
        ({"NULL": True}, 1),
        ({"SS": ["a", "é"]}, 3),
        ({"NS": ["0", "1", "10"]}, 5),
        ({"BS": ["AA==", "AAA="]}, 3),
        ({"L": []}, 3),
        ({"L": [{"S": "ab"}, {"NULL": True}]}, 3 + 2 + 2 + 1),
        ({"M": {}}, 3),
        ({"M": {"key": {"S": "ab"}}}, 3 + 1 + 3 + 2),
        ({"L": [{"M": {"é": {"L": []}}}]}, 3 + 1 + 3 + 1 + 2 + 3),
    ],
)
def test_the_size_of_each_kind_of_value(value: Any, size: int) -> None:
    """Each kind of value has its own rule."""
    assert value_bytes(value) == size


def test_an_item_counts_its_names() -> None:
    """The size of an item is that of its names and values, without any overhead."""
    assert item_bytes({}) == 0
    assert item_bytes({"pk": {"S": "abc"}, "né": {"N": "1"}}) == 2 + 3 + 3 + 2
    assert text_bytes("né") == 3


def modelled_number(text: str) -> int:
    """Count the pairs of digits between the first and the last that is not 00."""
    whole, _, fraction = format(Decimal(text).copy_abs(), "f").partition(".")
    padded = whole.zfill(len(whole) + len(whole) % 2) + fraction + "0" * (len(fraction) % 2)
    pairs = [padded[at : at + 2] for at in range(0, len(padded), 2)]
    while pairs and pairs[0] == "00":
        pairs.pop(0)
    while pairs and pairs[-1] == "00":
        pairs.pop()
    return 1 + len(pairs) + (1 if pairs and text.startswith("-") else 0)


def modelled(raw: Any) -> int:
    """Return the size of a value, by the rules written down as plainly as possible."""
    ((kind, content),) = raw.items()
    match kind:
        case "S":
            return len(content.encode())
        case "N":
            return modelled_number(content)
        case "B":
            return len(b64decode(content))
        case "SS" | "NS" | "BS":
            return sum(modelled({kind[0]: member}) for member in content)
        case "L":
            return 3 + sum(1 + modelled(element) for element in content)
        case "M":
            return 3 + sum(1 + len(k.encode()) + modelled(v) for k, v in content.items())
    return 1


@given(values)
def test_sizes_agree_with_a_simpler_model(raw: Any) -> None:
    """Two ways of counting give one size, however the value was spelled."""
    assert value_bytes(canonical_value(raw)) == modelled(raw)


@given(items)
def test_item_sizes_agree_with_a_simpler_model(raw: Any) -> None:
    """The size of an item is the size of it as a map without the map's own overhead."""
    assert item_bytes(canonical_item(raw)) == modelled({"M": raw}) - 3 - len(raw)


_LARGE = {"L": [{"NULL": True}] * 200_000}


@pytest.mark.parametrize(
    "value", [{"L": [_LARGE] * 10**6}, {"M": dict.fromkeys(map(str, range(10**6)), _LARGE)}]
)
def test_counting_ends_soon_after_the_limit_of_an_item(value: Any) -> None:
    """One large list that stands in a million places is not counted a million times."""
    assert item_bytes({"a": value}) > item_bytes_max
