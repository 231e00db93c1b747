"""Key conditions: which items of one partition a query reads.

A key condition is a condition whose form is checked with its text, and whose attributes and types
are checked against the key that is queried (`bind`).
"""

from collections.abc import Iterator, Mapping
from typing import Final, Literal, NamedTuple, cast

from penstock.base.errors.expressions import (
    key_attribute_missing,
    key_attribute_not_first,
    key_attributes_many,
    key_conditioned_twice,
    key_conditions_many,
    key_operation_nested,
    key_operator_invalid,
    key_path_nested,
    key_value_empty,
    query_condition_unsupported,
    query_key_missing,
    query_type_mismatch,
)
from penstock.items.expressions.conditions import compile_condition
from penstock.items.expressions.demands import Demand
from penstock.items.expressions.paths import Elements, Values, elements_of
from penstock.items.expressions.syntax import (
    Arithmetic,
    Between,
    Call,
    Comparison,
    Joined,
    Negated,
    Node,
    OneOf,
    Operand,
    Path,
    ValueRef,
)
from penstock.items.keys import KeyAttribute, KeySchema
from penstock.items.values import Value

KeyOperator = Literal["=", "<", "<=", ">", ">=", "BETWEEN", "begins_with"]

_MIRRORED: Final[dict[str, KeyOperator]] = {"=": "=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}
_KEY_PARTS_MAX: Final = 2


class KeyRange(NamedTuple):
    """The items that a query reads: a partition key's value, and what sort keys must satisfy.

    `operator` is None where any sort key will do. `low` is its value, or the lower bound of
    BETWEEN, whose upper bound is `high`.
    """

    partition: Value
    operator: KeyOperator | None = None
    low: Value | None = None
    high: Value | None = None


class _KeyTerm(NamedTuple):
    operator: KeyOperator
    placeholders: tuple[str, ...]


class KeyConditionProgram(NamedTuple):
    """A key condition ready to bind with the values of any request with its text and names."""

    terms: Mapping[str, _KeyTerm]
    demands: tuple[Demand, ...]


class KeyCondition:
    """A key condition of one request."""

    __slots__ = ("_terms", "_values")

    def __init__(self, program: KeyConditionProgram, values: Values) -> None:
        self._terms = program.terms
        self._values = values

    def bind(self, schema: KeySchema) -> KeyRange:
        """Return what the condition asks of the key `schema`.

        Raises ValidationException where it misses the partition key, has another attribute, a value
        of another type or an empty one, or a partition key that is not compared for equality.
        """
        (partition_key,) = schema.partition
        partition = self._term(partition_key)
        sort = self._sort_term(schema)
        if partition.operator != "=":
            raise query_condition_unsupported()
        (value,) = self._operands(partition_key, partition)
        if sort is None:
            return KeyRange(value)
        low, *high = self._operands(schema.sort[0], sort)
        return KeyRange(value, sort.operator, low, high[0] if high else None)

    def _sort_term(self, schema: KeySchema) -> _KeyTerm | None:
        if len(self._terms) > _KEY_PARTS_MAX:
            raise key_conditions_many()
        if len(self._terms) < _KEY_PARTS_MAX:
            return None
        if not schema.sort:
            raise query_condition_unsupported()
        return self._term(schema.sort[0])

    def _term(self, attribute: KeyAttribute) -> _KeyTerm:
        term = self._terms.get(attribute.name)
        if term is None:
            raise query_key_missing(attribute.name)
        return term

    def _operands(self, attribute: KeyAttribute, term: _KeyTerm) -> list[Value]:
        operands = [self._values[placeholder] for placeholder in term.placeholders]
        for operand in operands:
            content = operand.get(attribute.type)
            if content is None:
                raise query_type_mismatch()
            if not content:
                raise key_value_empty(
                    attribute.name, "string" if attribute.type == "S" else "binary"
                )
        return operands


def compile_key_condition(kind: str, node: Node, names: Mapping[str, str]) -> KeyConditionProgram:
    """Return the program of a key condition.

    Raises ValidationException for a form that no key condition has.
    """
    demands = compile_condition(kind, node, names).demands
    terms: dict[str, _KeyTerm] = {}
    for name, term in _terms(node, names):
        if name in terms:
            raise key_conditioned_twice()
        terms[name] = term
    return KeyConditionProgram(terms, demands)


def _terms(node: Node, names: Mapping[str, str]) -> Iterator[tuple[str, _KeyTerm]]:
    """Yield each attribute and what is asked of it, in the order of the text."""
    match node:
        case Joined("AND", conditions):
            for condition in conditions:
                yield from _terms(condition, names)
        case Comparison(operator, left, right) if operator in _MIRRORED:
            yield _term(cast("KeyOperator", operator), (left, right), names)
        case Between(operand, low, high):
            yield _term("BETWEEN", (operand, low, high), names)
        case Call("begins_with", operands):
            yield _term("begins_with", operands, names)
        case _:
            raise key_operator_invalid(_operator_of(node))


def _operator_of(node: Node) -> str:
    match node:
        case Comparison(operator) | Joined(operator):
            return operator
        case Call(function):
            return function
        case OneOf():
            return "IN"
        case Negated():
            return "NOT"
        case Between():
            return "BETWEEN"


def _term(
    operator: KeyOperator, operands: tuple[Operand, ...], names: Mapping[str, str]
) -> tuple[str, _KeyTerm]:
    """Return the attribute among the operands and what the others ask of it."""
    attribute: Elements | None = None
    at = 0
    placeholders = []
    for position, operand in enumerate(operands):
        match operand:
            case Path():
                if attribute is not None:
                    raise key_attributes_many()
                attribute, at = elements_of(operand, names), position
                if len(attribute) > 1:
                    raise key_path_nested()
            case ValueRef(placeholder):
                placeholders.append(placeholder)
            case Call() | Arithmetic():
                raise key_operation_nested()
    if attribute is None:
        raise key_attribute_missing()
    if at > 0:
        if operator not in _MIRRORED:
            raise key_attribute_not_first(operator)
        operator = _MIRRORED[operator]
    return str(attribute[0]), _KeyTerm(operator, tuple(placeholders))
