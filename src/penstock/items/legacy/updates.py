"""AttributeUpdates: PUT, ADD and DELETE of whole attributes, as an update of expressions does them.

Where they are not as SET, REMOVE, ADD and DELETE of an UpdateExpression:

1. ADD also appends a list to a list (moto pull request 3585, checked against AWS).
2. A value of another type than the attribute's has a text of its own (aws-sdk-java issue 905).

As there, DELETE alone makes no item where there was none (developer guide: nothing happens).
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from penstock.base.errors.legacy import (
    add_not_supported,
    delete_not_supported,
    update_types_differ,
    update_without_value,
)
from penstock.items.expressions.demands import LONG_TYPE_NAMES
from penstock.items.expressions.paths import PathTree, Values
from penstock.items.expressions.updates import Change, Update, UpdateProgram, added, without
from penstock.items.values import Item, Value, canonical_value, check_attribute_name

_SETS: Final = frozenset({"SS", "NS", "BS"})
_ADDABLE: Final = _SETS | {"N", "L"}


def update_of(updates: Mapping[str, Mapping[str, Any]]) -> Update | None:
    """Return the update that AttributeUpdates asks for; None where it names no attribute.

    Raises ValidationException for the first that is wrong: a name, then its value, then what its
    action cannot take.
    """
    if not updates:
        return None
    changes: PathTree = {name: _change(name, given) for name, given in updates.items()}
    program = UpdateProgram(
        changes=changes,
        written={name: None for name, given in updates.items() if "Value" in given},
        paths=tuple((name,) for name in updates),
        nested=frozenset(),
        creates=any(given.get("Action", "PUT") != "DELETE" for given in updates.values()),
        demands=(),
    )
    return Update(program, {})


def _change(name: str, given: Mapping[str, Any]) -> Change:
    check_attribute_name(name)
    action = given.get("Action", "PUT")
    if "Value" not in given:
        if action != "DELETE":
            raise update_without_value()
        return _put(None)
    value = canonical_value(given["Value"])
    ((kind, _),) = value.items()
    if action == "DELETE":
        if kind not in _SETS:
            raise delete_not_supported(LONG_TYPE_NAMES[kind])
        return _computed(name, value, without, where_absent=None)
    if action == "ADD":
        if kind not in _ADDABLE:
            raise add_not_supported(LONG_TYPE_NAMES[kind])
        return _computed(name, value, _appended if kind == "L" else added, where_absent=value)
    return _put(value)


def _put(value: Value | None) -> Change:
    return lambda _item, _values: value


def _computed(
    name: str,
    given: Value,
    compute: Callable[[Value, Value], Value | None],
    *,
    where_absent: Value | None,
) -> Change:
    """Return what makes a new value of an attribute and the one given, which have one type."""

    def change(item: Item, _values: Values) -> Value | None:
        current = item.get(name)
        if current is None:
            return where_absent
        if current.keys() != given.keys():
            raise update_types_differ()
        return compute(current, given)

    return change


def _appended(current: Value, given: Value) -> Value:
    return {"L": current["L"] + given["L"]}
