"""The comparison operators of the legacy parameters, made of the tests that expressions use.

The first operand is always an attribute, absent or not, the others are values of the request. Where
they are not as in expressions (DynamoDB Local, 2026-11, against the developer guide):

1. NULL and NOT_NULL ask whether the attribute is there; an attribute of type NULL is.
2. NOT_CONTAINS is false of an absent attribute, while NOT contains() is true of one. It is true of
   an attribute that cannot contain anything, such as a number.
3. CONTAINS takes any value that can be a member of a list or set, and no list, set or map.
4. NE is `<>`, so it is true of an absent attribute and of one of another type.
5. The values of BETWEEN and IN have one type; IN takes no list, set, map, boolean or null, and as
   many values as a request can hold.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, NamedTuple

from penstock.base.errors.legacy import (
    argument_types_differ,
    bounds_reversed,
    wrong_argument_count,
    wrong_argument_type,
)
from penstock.items.expressions.comparisons import (
    COMPARATORS,
    ORDERED_TYPES,
    begins_with,
    contains,
    equal,
    less_or_equal,
)
from penstock.items.expressions.comparisons import Test as TestOfTwo
from penstock.items.values import Value, canonical_value

Test = Callable[[Value | None], bool]
"""Says whether an attribute, None where it is absent, is as a condition wants it."""


class Operator(NamedTuple):
    """What an operator takes, and how it becomes a test of an attribute."""

    test: Callable[[Sequence[Value]], Test]
    types: frozenset[str] | None = None
    """The types of its values; None for any."""
    operands_min: int = 1
    operands_max: int | None = 1


def _with(test: TestOfTwo) -> Callable[[Sequence[Value]], Test]:
    """Return what makes a test of an attribute from a test of two values."""

    def with_operands(operands: Sequence[Value]) -> Test:
        (operand,) = operands
        return lambda value: test(value, operand)

    return with_operands


def _not_contains(whole: Value | None, part: Value | None) -> bool:
    return whole is not None and not contains(whole, part)


def _one_of(operands: Sequence[Value]) -> Test:
    return lambda value: any(equal(value, operand) for operand in operands)


def _between(operands: Sequence[Value]) -> Test:
    low, high = operands
    return lambda value: less_or_equal(low, value) and less_or_equal(value, high)


def _absent(_operands: Sequence[Value]) -> Test:
    return lambda value: value is None


def _present(_operands: Sequence[Value]) -> Test:
    return lambda value: value is not None


_MEMBER_TYPES: Final = ORDERED_TYPES | {"BOOL", "NULL"}

OPERATORS: Final = {
    "EQ": Operator(_with(equal)),
    "NE": Operator(_with(COMPARATORS["<>"])),
    "IN": Operator(_one_of, ORDERED_TYPES, 1, None),
    "LE": Operator(_with(less_or_equal), ORDERED_TYPES),
    "LT": Operator(_with(COMPARATORS["<"]), ORDERED_TYPES),
    "GE": Operator(_with(COMPARATORS[">="]), ORDERED_TYPES),
    "GT": Operator(_with(COMPARATORS[">"]), ORDERED_TYPES),
    "BETWEEN": Operator(_between, ORDERED_TYPES, 2, 2),
    "NOT_NULL": Operator(_present, operands_min=0, operands_max=0),
    "NULL": Operator(_absent, operands_min=0, operands_max=0),
    "CONTAINS": Operator(_with(contains), _MEMBER_TYPES),
    "NOT_CONTAINS": Operator(_with(_not_contains), _MEMBER_TYPES),
    "BEGINS_WITH": Operator(_with(begins_with), frozenset({"S", "B"})),
}


def operands_of(name: str, raw: Iterable[Any]) -> list[Value]:
    """Return the canonical values that a request gives to an operator.

    Raises ValidationException where one is no value, then for their number, for the first that is
    of a wrong type or of another than those before it, and for bounds that hold nothing.
    """
    operands = [canonical_value(each) for each in raw]
    _, types, fewest, most = OPERATORS[name]
    if len(operands) < fewest or (most is not None and len(operands) > most):
        raise wrong_argument_count(name)
    for operand in operands:
        (kind,) = operand
        if types is not None and kind not in types:
            raise wrong_argument_type(name, kind)
        if kind not in operands[0]:
            raise argument_types_differ()
    if name == "BETWEEN" and not less_or_equal(*operands):
        raise bounds_reversed()
    return operands


def operator_test(name: str, raw: Iterable[Any]) -> Test:
    """Return the test that an operator makes with a request's values; errors as `operands_of`."""
    return OPERATORS[name].test(operands_of(name, raw))
