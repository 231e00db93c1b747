"""One filter pattern: read, checked, and made into a function of a record.

A pattern is an object like the record. Its leaves are arrays of alternatives, of which the record's
value has to meet one; its members have to be met all. docs/filters.md is the grammar. Arrays in the
record: one element has to meet it. Numbers are compared by their text, so they are kept as text:
`NumberText` stands for a number in a pattern, and for one with a fraction or exponent in a record.
Facts: Lambda's guide on event filtering, with the operators that EventBridge lists for pipes.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NoReturn

from penstock.base import limits

Test = Callable[[Any, Any], bool]
"""Whether a node of a record (MISSING where it is not there) meets a pattern; the second is all of
the record."""
_ValueTest = Callable[[Any], bool]
_Path = tuple[str, ...]

_MISSING: Any = object()
_OR = "$or"
_LOWER, _UPPER = frozenset({">", ">="}), frozenset({"<", "<="})
_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "=": lambda value, bound: value == bound,
    "!=": lambda value, bound: value != bound,
    "<": lambda value, bound: value < bound,
    "<=": lambda value, bound: value <= bound,
    ">": lambda value, bound: value > bound,
    ">=": lambda value, bound: value >= bound,
}


class BadPattern(Exception):
    """A text that is no pattern; its text says why."""


class NumberText(str):
    """A number as it is written in JSON."""

    __slots__ = ()


def read_pattern(text: str) -> dict[str, Any]:
    """Return the object that a pattern is, its numbers as text; BadPattern. Checks nothing more.

    Of members of the same name the last one holds.
    """
    if len(text) > limits.filter_pattern_chars_max:
        raise BadPattern(f"it has more than {limits.filter_pattern_chars_max} characters")
    try:
        pattern = json.loads(
            text, parse_int=NumberText, parse_float=NumberText, parse_constant=_no_constant
        )
        json.dumps(pattern, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:  # a lone surrogate is a ValueError, too
        raise BadPattern(f"it is not JSON: {error}") from None
    if not isinstance(pattern, dict):
        raise BadPattern("it is not a JSON object")
    return pattern


def compile_pattern(pattern: dict[str, Any], path: _Path = ()) -> Test:
    """Return what tests a record against a pattern of `read_pattern`; BadPattern.

    `path` is where in the record the pattern belongs.
    """
    if not pattern:
        raise _bad(path, "an empty object")
    if len(path) > limits.filter_pattern_levels_max:
        raise BadPattern(f"it has more than {limits.filter_pattern_levels_max} levels")
    fields = tuple(
        (name, _compile_member(member, (*path, name)))
        for name, member in pattern.items()
        if name != _OR
    )
    alternatives = _compile_or(pattern[_OR], path) if _OR in pattern else ()
    return _object_test(fields, alternatives)


def _compile_member(member: Any, path: _Path) -> Test:
    if isinstance(member, dict):
        return compile_pattern(member, path)
    if isinstance(member, list):
        return _compile_leaf(member, path)
    raise _bad(path, "neither an array of alternatives nor an object")


def _compile_or(alternatives: Any, path: _Path) -> tuple[Test, ...]:
    if not isinstance(alternatives, list) or len(alternatives) < 2:
        raise _bad((*path, _OR), "not an array of two or more patterns")
    tests = []
    for alternative in alternatives:
        if not isinstance(alternative, dict):
            raise _bad((*path, _OR), "not an array of patterns")
        tests.append(compile_pattern(alternative, path))
    return tuple(tests)


def _object_test(fields: tuple[tuple[str, Test], ...], alternatives: tuple[Test, ...]) -> Test:
    """Return what meets all of `fields` and, where there are any, one of `alternatives`."""

    def test(node: Any, root: Any) -> bool:
        if type(node) is dict:
            for name, field in fields:
                if not field(node.get(name, _MISSING), root):
                    return False
        elif objects := _objects(node):
            return any(test(element, root) for element in objects)
        else:
            for _, field in fields:
                if not field(_MISSING, root):
                    return False
        return not alternatives or any(alternative(node, root) for alternative in alternatives)

    return test


def _objects(node: Any) -> list[dict[str, Any]]:
    """Return the objects of an array, and of the arrays in it."""
    if type(node) is not list:
        return []
    return [element for element in _flat(node) if type(element) is dict]


def _flat(array: list[Any]) -> Iterator[Any]:
    for element in array:
        if type(element) is list:
            yield from _flat(element)
        else:
            yield element


def _compile_leaf(alternatives: list[Any], path: _Path) -> Test:
    """Return what meets one of `alternatives`: a value, or its absence all over the record."""
    if not alternatives:
        raise _bad(path, "an array without alternatives")
    literals: list[Any] = []
    tests: list[_ValueTest] = []
    may_be_absent = False
    for alternative in alternatives:
        if isinstance(alternative, list):
            raise _bad(path, "an array in an array")
        if not isinstance(alternative, dict):
            literals.append(alternative)
        elif (test := _operator(alternative, path)) is not None:
            tests.append(test)
        else:
            may_be_absent = True
    if literals:
        tests.insert(0, _equality(literals))
    meets = tests[0] if len(tests) == 1 else _any_of(tests)

    def leaf(node: Any, root: Any) -> bool:
        kind = type(node)
        if kind is list:
            if any(type(value) is not dict and meets(value) for value in _flat(node)):
                return True
        elif kind is not dict and node is not _MISSING:
            return meets(node)
        return may_be_absent and not _is_there(root, path)

    return leaf


def _any_of(tests: Sequence[_ValueTest]) -> _ValueTest:
    return lambda value: any(test(value) for test in tests)


def _is_there(node: Any, path: _Path) -> bool:
    """Say whether `path` leads to a leaf, in any element of the arrays on its way."""
    for at, name in enumerate(path):
        if type(node) is dict:
            node = node.get(name, _MISSING)
        else:
            return any(_is_there(element, path[at:]) for element in _objects(node))
    if type(node) is list:
        return any(type(value) is not dict for value in _flat(node))
    return node is not _MISSING and type(node) is not dict


def _equality(literals: Sequence[Any]) -> _ValueTest:
    """Return whether a value is one of `literals`: of the same type, and of the same text."""
    texts = frozenset(literal for literal in literals if type(literal) is str)
    numbers = frozenset(str(literal) for literal in literals if type(literal) is NumberText)
    constants = frozenset(
        literal for literal in literals if literal is None or type(literal) is bool
    )

    def equal(value: Any) -> bool:
        kind = type(value)
        if kind is str:
            return value in texts
        if kind is bool or value is None:
            return value in constants
        return (value if kind is NumberText else repr(value)) in numbers

    return equal


def _operator(operator: dict[str, Any], path: _Path) -> _ValueTest | None:
    """Return the test of `{"operator": operand}`; None where it asks for absence."""
    if len(operator) != 1:
        raise _bad(path, "an alternative that is not one operator")
    ((name, operand),) = operator.items()
    match name:
        case "prefix" | "suffix":
            return _affix(name, operand, path)
        case "equals-ignore-case":
            lowered = _text(operand, path).lower()
            return lambda value: type(value) is str and value.lower() == lowered
        case "anything-but":
            return _anything_but(operand, path)
        case "numeric":
            return _numeric(operand, path)
        case "exists" if operand is True:
            return lambda _: True
        case "exists" if operand is False:
            return None
        case "exists":
            raise _bad(path, "exists of neither true nor false")
    raise _bad(path, f"the operator {name!r}, which event source mappings do not have")


def _affix(name: str, operand: Any, path: _Path) -> _ValueTest:
    ends = str.startswith if name == "prefix" else str.endswith
    if isinstance(operand, dict) and operand.keys() == {"equals-ignore-case"}:
        lowered = _text(operand["equals-ignore-case"], path).lower()
        return lambda value: type(value) is str and ends(value.lower(), lowered)
    wanted = _text(operand, path)
    return lambda value: type(value) is str and ends(value, wanted)


def _anything_but(operand: Any, path: _Path) -> _ValueTest:
    literals = operand if isinstance(operand, list) else [operand]
    if {type(literal) for literal in literals} not in ({str}, {NumberText}):
        raise _bad(path, "anything-but of what is neither a string, a number, nor a list of either")
    equal = _equality(literals)
    return lambda value: not equal(value)


def _numeric(operand: Any, path: _Path) -> _ValueTest:
    """Return the test of one comparison, or of a range with a lower and an upper bound."""
    if not isinstance(operand, list) or len(operand) not in {2, 4}:
        raise _bad(path, "numeric without one or two comparisons")
    names, bounds = operand[::2], operand[1::2]
    if not all(isinstance(name, str) and name in _COMPARISONS for name in names):
        raise _bad(path, "a comparison that is none of = != < <= > >=")
    if not all(type(bound) is NumberText for bound in bounds):
        raise _bad(path, "a comparison with what is no number")
    values = [_number(bound) for bound in bounds]
    first = _comparison(names[0], values[0])
    if len(names) == 1:
        return first
    if names[0] in _UPPER:
        names, values = names[::-1], values[::-1]
    is_empty = values[0] > values[1] or (values[0] == values[1] and names != [">=", "<="])
    if names[0] not in _LOWER or names[1] not in _UPPER or is_empty:
        raise _bad(path, "a range that is none")
    low, high = (_comparison(name, value) for name, value in zip(names, values, strict=True))
    return lambda value: low(value) and high(value)


def _comparison(name: str, bound: float) -> _ValueTest:
    compare = _COMPARISONS[name]

    def test(value: Any) -> bool:
        kind = type(value)
        if kind is NumberText:
            return compare(float(value), bound)
        return (kind is int or kind is float) and compare(value, bound)

    return test


def _number(text: NumberText) -> float:
    try:
        return int(text)
    except ValueError:
        return float(text)


def _text(operand: Any, path: _Path) -> str:
    if type(operand) is not str:
        raise _bad(path, "an operator that asks for a string")
    return operand


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number")


def _bad(path: _Path, what: str) -> BadPattern:
    place = ".".join(path)
    return BadPattern(f"at {place!r} stands {what}" if path else f"it is {what}")
