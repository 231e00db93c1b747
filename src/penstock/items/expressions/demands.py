"""What the operators and functions of an expression demand of a request's values.

Each demand is made once per text and checked with the values of every request, before anything is
read from a table.
"""

from collections.abc import Callable, Iterable
from typing import Final

from penstock.base.errors.expressions import (
    between_bounds_differ,
    between_bounds_reversed,
    invalid_type_name,
    operands_not_distinct,
    wrong_operand_type,
    wrong_section_operand,
)
from penstock.items.expressions.comparisons import ORDERED_TYPES, less_or_equal
from penstock.items.expressions.paths import Elements, Values, path_text
from penstock.items.expressions.syntax import Call, Operand, ValueRef
from penstock.items.values import Value

Demand = Callable[[Values], None]
"""Raises ValidationException where the values of a request break it."""

_SETS: Final = frozenset({"SS", "NS", "BS"})
LONG_TYPE_NAMES: Final = {
    "S": "STRING",
    "N": "NUMBER",
    "B": "BINARY",
    "SS": "STRING_SET",
    "NS": "NUMBER_SET",
    "BS": "BINARY_SET",
    "L": "LIST",
    "M": "MAP",
    "BOOL": "BOOLEAN",
    "NULL": "NULL",
}
_ANY_OF_NO_TEXT: Final = "{NS,SS,L,BS,N,M,B,BOOL,NULL,S}"  # dynalite: an operand that is no value

ACCEPTED: Final = {
    "<": ORDERED_TYPES,
    "<=": ORDERED_TYPES,
    ">": ORDERED_TYPES,
    ">=": ORDERED_TYPES,
    "BETWEEN": ORDERED_TYPES,
    "begins_with": frozenset({"S", "B"}),
    "contains": frozenset({"S", "B", "L"}) | _SETS,  # of its first operand
    "size": frozenset({"S", "B", "L", "M"}) | _SETS,
    "list_append": frozenset({"L"}),
    "+": frozenset({"N"}),
    "-": frozenset({"N"}),
}
_SIZE_TYPE: Final = "N"
_SECTION_ACCEPTS: Final = {"ADD": _SETS | {"N"}, "DELETE": _SETS}


def operand_types(kind: str, operation: str, operands: Iterable[Operand]) -> list[Demand]:
    """Return the demands that an operator or function makes on those operands that are values.

    Raises ValidationException where an operand is the result of a function and of a wrong type.
    """
    accepted = ACCEPTED.get(operation)
    if accepted is None:
        return []
    operands = tuple(operands)
    if _SIZE_TYPE not in accepted and any(map(_is_size, operands)):
        raise wrong_operand_type(kind, operation, _SIZE_TYPE)

    def demand(placeholder: str) -> Demand:
        def check(values: Values) -> None:
            found = _type_of(values[placeholder])
            if found not in accepted:
                raise wrong_operand_type(kind, operation, found)

        return check

    return [demand(each.placeholder) for each in operands if isinstance(each, ValueRef)]


def section_operand(kind: str, section: str, placeholder: str) -> Demand:
    """Return the demand that ADD or DELETE makes on its value."""
    accepted = _SECTION_ACCEPTS[section]

    def check(values: Values) -> None:
        found = _type_of(values[placeholder])
        if found not in accepted:
            raise wrong_section_operand(kind, section, LONG_TYPE_NAMES[found])

    return check


def between_bounds(kind: str, low: str, high: str) -> Demand:
    """Return the demand that bounds have one type and do not exclude every value."""

    def check(values: Values) -> None:
        bottom, top = values[low], values[high]
        if _type_of(bottom) != _type_of(top):
            raise between_bounds_differ(kind, _text_of(bottom), _text_of(top))
        if not less_or_equal(bottom, top):
            raise between_bounds_reversed(kind, _text_of(bottom), _text_of(top))

    return check


def type_name(kind: str, operand: Operand) -> Demand:
    """Return the demand that attribute_type makes on its second operand."""

    def check(values: Values) -> None:
        if _is_size(operand):
            raise wrong_operand_type(kind, "attribute_type", _SIZE_TYPE)
        if not isinstance(operand, ValueRef):
            raise wrong_operand_type(kind, "attribute_type", _ANY_OF_NO_TEXT)
        value = values[operand.placeholder]
        if "S" not in value:
            raise wrong_operand_type(kind, "attribute_type", _type_of(value))
        if value["S"] not in LONG_TYPE_NAMES:
            raise invalid_type_name(kind, value["S"])

    return check


def check_distinct(kind: str, operation: str, first: Elements, others: Iterable[Elements]) -> None:
    """Raise ValidationException where the path of a first operand stands a second time."""
    if first in others:
        raise operands_not_distinct(kind, operation, path_text(first))


def _is_size(operand: Operand) -> bool:
    return isinstance(operand, Call) and operand.function == "size"


def _type_of(value: Value) -> str:
    return next(iter(value))


def _text_of(value: Value) -> str:
    ((kind, content),) = value.items()
    return f"{{{kind}:{content}}}"
