"""What operators and functions say about two values, or about one; None stands for an absent one.

Values of different types are never equal and never in order. Text is ordered by its UTF-8 bytes,
which is the order of its code points, numbers by value, binary by its bytes; nothing else is.
"""

import operator
from collections.abc import Callable
from typing import Any, Final

from penstock.items.numbers import as_decimal
from penstock.items.values import Value, binary

Test = Callable[[Value | None, Value | None], bool]

ORDERED_TYPES: Final = frozenset({"S", "N", "B"})
_SORT_KEY: Final[dict[str, Callable[[str], Any]]] = {"S": str, "N": as_decimal, "B": binary}
_MEMBER_TYPE: Final = {"SS": "S", "NS": "N", "BS": "B"}


def equal(left: Value | None, right: Value | None) -> bool:
    """Say whether both are there and have one type and value; canonical values make it plain."""
    return left is not None and left == right


def not_equal(left: Value | None, right: Value | None) -> bool:
    """Say the contrary of `equal`: an absent value is unlike every value, and unlike another."""
    return left is None or left != right


def _in_order(test: Callable[[Any, Any], bool]) -> Test:
    def is_in_order(left: Value | None, right: Value | None) -> bool:
        if left is None or right is None:
            return False
        ((kind, a),) = left.items()
        b = right.get(kind)
        if b is None or kind not in _SORT_KEY:
            return False
        key = _SORT_KEY[kind]
        return test(key(a), key(b))

    return is_in_order


less_or_equal: Final = _in_order(operator.le)

COMPARATORS: Final[dict[str, Test]] = {
    "=": equal,
    "<>": not_equal,
    "<": _in_order(operator.lt),
    "<=": less_or_equal,
    ">": _in_order(operator.gt),
    ">=": _in_order(operator.ge),
}


def begins_with(whole: Value | None, start: Value | None) -> bool:
    """Say whether text or binary `whole` begins with `start`, of the same type."""
    if whole is None or start is None:
        return False
    if "S" in whole and "S" in start:
        return bool(whole["S"].startswith(start["S"]))
    if "B" in whole and "B" in start:
        return binary(whole["B"]).startswith(binary(start["B"]))
    return False


def contains(whole: Value | None, part: Value | None) -> bool:
    """Say whether text or binary holds `part`, or a set or a list has it for a member."""
    if whole is None or part is None:
        return False
    ((kind, content),) = whole.items()
    if kind == "L":
        return part in content
    if kind in _MEMBER_TYPE:
        return part.get(_MEMBER_TYPE[kind]) in content
    if kind not in part or kind not in {"S", "B"}:
        return False
    if kind == "B":
        return binary(part[kind]) in binary(content)
    return part[kind] in content


def size(value: Value | None) -> Value | None:
    """Return how large a value is, as a number; None for numbers, booleans, null and nothing.

    Text counts UTF-16 units (dynamodb-conformance, checked against AWS 2026), binary its bytes,
    sets, lists and maps their members.
    """
    if value is None:
        return None
    ((kind, content),) = value.items()
    if kind == "S":
        return {"N": str(_utf16_units(content))}
    if kind == "B":
        return {"N": str(len(binary(content)))}
    return {"N": str(len(content))} if kind in {"SS", "NS", "BS", "L", "M"} else None


def _utf16_units(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def has_type(value: Value | None, name: Value | None) -> bool:
    """Say whether a value is there and has the type that text `name` names."""
    return value is not None and name is not None and name.get("S") in value
