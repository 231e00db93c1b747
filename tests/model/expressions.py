"""Conditions and updates as structures, and what they come to: the model's own evaluator.

It reads one structure at a time over plain items and knows nothing of the server's; `rendering`
spells the same structures for the server.
"""

import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from model.values import MEMBER_TYPES, ORDERED, Item, Value

Path = tuple[str | int, ...]


class Invalid(Exception):
    """The item does not have what an update needs: a ValidationException."""


# --- conditions


@dataclass(frozen=True)
class Exists:
    """There is a value at the path."""

    path: Path


@dataclass(frozen=True)
class Absent:
    """There is no value at the path."""

    path: Path


@dataclass(frozen=True)
class Compare:
    """The value at the path stands so to another."""

    path: Path
    sign: str
    value: Value


@dataclass(frozen=True)
class Between:
    """The value at the path is between two, or is one of them."""

    path: Path
    low: Value
    high: Value


@dataclass(frozen=True)
class OneOf:
    """The value at the path is one of some."""

    path: Path
    values: tuple[Value, ...]


@dataclass(frozen=True)
class BeginsWith:
    """The text at the path begins so."""

    path: Path
    start: Value


@dataclass(frozen=True)
class Contains:
    """The text, set or list at the path has a part."""

    path: Path
    part: Value


@dataclass(frozen=True)
class Size:
    """The value at the path has a size that stands so to a number."""

    path: Path
    sign: str
    size: int


@dataclass(frozen=True)
class Both:
    """Two conditions hold."""

    left: "Condition"
    right: "Condition"


@dataclass(frozen=True)
class Either:
    """One of two conditions holds."""

    left: "Condition"
    right: "Condition"


@dataclass(frozen=True)
class Not:
    """A condition does not hold."""

    condition: "Condition"


Condition = (
    Exists | Absent | Compare | Between | OneOf | BeginsWith | Contains | Size | Both | Either | Not
)

_SIGNS: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def holds(condition: Condition, item: Item) -> bool:
    """Say whether `condition` holds for `item`; where there is no item, it is empty."""
    match condition:
        case Both(left, right):
            return holds(left, item) and holds(right, item)
        case Either(left, right):
            return holds(left, item) or holds(right, item)
        case Not(inner):
            return not holds(inner, item)
        case Exists(path):
            return at(item, path) is not None
        case Absent(path):
            return at(item, path) is None
    found = at(item, condition.path)
    if isinstance(condition, Compare) and condition.sign == "<>":
        return found != condition.value
    return found is not None and _is_so(condition, found)


def _is_so(
    condition: Compare | Between | OneOf | BeginsWith | Contains | Size, found: Value
) -> bool:
    match condition:
        case Compare(_, sign, value):
            return found == value if sign == "=" else _stands(found, sign, value)
        case Between(_, low, high):
            return _stands(found, ">=", low) and _stands(found, "<=", high)
        case OneOf(_, values):
            return found in values
        case BeginsWith(_, (kind, start)):
            return found[0] == kind and found[1].startswith(start)
        case Contains(_, part):
            return _contains(found, part)
        case Size(_, sign, size):
            kind, content = found
            if kind in {"N", "BOOL", "NULL"}:
                return False
            # AWS counts a string's UTF-16 units.
            found_size = len(content.encode("utf-16-le")) // 2 if kind == "S" else len(content)
            return found_size == size if sign == "=" else _SIGNS[sign](found_size, size)


def _stands(left: Value, sign: str, right: Value) -> bool:
    (kind, a), (other, b) = left, right
    if kind != other or kind not in ORDERED:
        return False
    if kind == "S":
        a, b = a.encode(), b.encode()
    return _SIGNS[sign](a, b)


def _contains(whole: Value, part: Value) -> bool:
    kind, content = whole
    if kind == "L":
        return part in content
    if kind in MEMBER_TYPES:
        return part[0] == MEMBER_TYPES[kind] and part[1] in content
    return kind == part[0] and kind in {"S", "B"} and part[1] in content


def at(item: Item, path: Path) -> Value | None:
    """Return the value at `path`, None where there is none."""
    value: Value | None = ("M", item)
    for step in path:
        if value is None:
            return None
        kind, content = value
        if kind == "M" and isinstance(step, str):
            value = content.get(step)
        elif kind == "L" and isinstance(step, int) and step < len(content):
            value = content[step]
        else:
            value = None
    return value


# --- updates


@dataclass(frozen=True)
class Attribute:
    """An operand: what the old item has at a path."""

    path: Path


@dataclass(frozen=True)
class OrElse:
    """An operand: what the old item has at a path, or else something."""

    path: Path
    other: "Operand"


@dataclass(frozen=True)
class Joined:
    """An operand: two lists, one after the other."""

    head: "Operand"
    tail: "Operand"


@dataclass(frozen=True)
class Sum:
    """An operand: the sum of two numbers, or their difference."""

    left: "Operand"
    sign: str
    right: "Operand"


@dataclass(frozen=True)
class Literal:
    """An operand: a value."""

    value: Value


Operand = Attribute | OrElse | Joined | Sum | Literal


@dataclass(frozen=True)
class Set:
    """SET a path to an operand."""

    path: Path
    operand: Operand


@dataclass(frozen=True)
class Remove:
    """REMOVE what is at a path."""

    path: Path


@dataclass(frozen=True)
class Add:
    """ADD a number or members to what is at a path."""

    path: Path
    value: Value


@dataclass(frozen=True)
class Delete:
    """DELETE members from the set at a path."""

    path: Path
    value: Value


@dataclass(frozen=True)
class Append:
    """Append elements to the list at a path; only AttributeUpdates has it."""

    path: Path
    value: Value


Action = Set | Remove | Add | Delete | Append


def updated(actions: tuple[Action, ...], old: Item | None, key: Item) -> Item | None:
    """Return what `actions`, whose paths are apart, make of `old`; Invalid where they cannot.

    No item comes of REMOVE and DELETE alone where there is none, but one does of no action at all.
    """
    source = key if old is None else old
    new = dict(source)
    in_order = sorted(actions, key=lambda action: action.path)  # of elements beyond a list's end
    for action in in_order:  # every action reads the old item
        _write(new, source, action.path, _result(action, source))
    new = {name: _compacted(value) for name, value in new.items()}
    if old is None and actions and not any(isinstance(a, Set | Add | Append) for a in actions):
        return None
    return new


_GONE: Value = ("GONE", None)
"""Stands for a removed element, so that the indexes of those after it stay the old ones."""


def _write(new: Item, source: Item, path: Path, result: Value | None) -> None:
    """Put `result` at `path` of `new`, copying what is on the way; Invalid without a parent."""
    step, *below = path
    assert isinstance(step, str)
    if below:
        result = _with(source.get(step), new.get(step), tuple(below), result)
    if result is None:
        new.pop(step, None)
    else:
        new[step] = result


def _with(old: Value | None, new: Value | None, path: Path, result: Value | None) -> Value:
    step, *below = path
    if old is None or new is None or old[0] != ("M" if isinstance(step, str) else "L"):
        raise Invalid
    if isinstance(step, str):
        members = dict(new[1])
        if below:
            result = _with(old[1].get(step), members.get(step), tuple(below), result)
        if result is None:
            members.pop(step, None)
        else:
            members[step] = result
        return "M", members
    return "L", _with_element(old[1], list(new[1]), step, tuple(below), result)


def _with_element(
    old: tuple[Value, ...], new: list[Value], at_index: int, below: Path, result: Value | None
) -> tuple[Value, ...]:
    is_there = at_index < len(old)
    if below:
        inner = old[at_index] if is_there else None
        result = _with(inner, new[at_index] if is_there else None, below, result)
    if is_there:
        new[at_index] = _GONE if result is None else result
    elif result is not None:
        new.append(result)
    return tuple(new)


def _compacted(value: Value) -> Value:
    """Return `value` without what stands for removed elements."""
    kind, content = value
    if kind == "L":
        return kind, tuple(_compacted(element) for element in content if element is not _GONE)
    if kind == "M":
        return kind, {name: _compacted(member) for name, member in content.items()}
    return value


def _result(action: Action, source: Item) -> Value | None:
    present = at(source, action.path)
    match action:
        case Set(_, operand):
            result = _operand(operand, source)
            if result is None:
                raise Invalid
            return result
        case Remove():
            return None
        case Add(_, (kind, content)):
            if present is None:
                return kind, content
            held = _content(present, kind)
            return kind, held + content if kind == "N" else held | content
        case Delete(_, (kind, content)):
            left = frozenset() if present is None else _content(present, kind) - content
            return (kind, left) if left else None
        case Append(_, (_, elements)):
            return "L", (() if present is None else _content(present, "L")) + elements


def _operand(operand: Operand, source: Item) -> Value | None:
    match operand:
        case Literal(value):
            return value
        case Attribute(path):
            return at(source, path)
        case OrElse(path, other):
            present = at(source, path)
            return _operand(other, source) if present is None else present
        case Joined(head, tail):
            return "L", _content(_operand(head, source), "L") + _content(
                _operand(tail, source), "L"
            )
        case Sum(left, sign, right):
            a, b = _content(_operand(left, source), "N"), _content(_operand(right, source), "N")
            return "N", a + b if sign == "+" else a - b


def _content(value: Value | None, kind: str) -> Any:
    if value is None or value[0] != kind:
        raise Invalid
    return value[1]
