"""Key conditions: which items of one partition a query reads.

A key condition is a condition whose form is checked with its text, and whose attributes and types
are checked against the key that is queried (`bind`).
"""

from collections.abc import Iterator, Mapping
from typing import Final, Literal, NamedTuple, cast

from penstock.base.errors.dynamodb import index_key_empty
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

RangeOperator = Literal["<", "<=", ">", ">=", "BETWEEN", "begins_with"]
KeyOperator = Literal["=", RangeOperator]

_MIRRORED: Final[dict[str, KeyOperator]] = {"=": "=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}
_SIMPLE_ATTRIBUTES_MAX: Final = 2


class KeyRange(NamedTuple):
    """The items that a query reads: a partition key's values, and what sort keys must satisfy.

    `partition` has a value for each attribute of the partition key. `equal` are the values that the
    first attributes of the sort key must have. The attribute after them is asked for by `operator`,
    which is None where any will do: `low` is its value, or the lower bound of BETWEEN, whose upper
    bound is `high`.
    """

    partition: tuple[Value, ...]
    equal: tuple[Value, ...] = ()
    operator: RangeOperator | None = None
    low: Value | None = None
    high: Value | None = None


class KeyTerm(NamedTuple):
    """What a key condition asks of one attribute: two values for BETWEEN, one for all others."""

    operator: KeyOperator
    values: tuple[Value, ...]


class KeyCondition:
    """A key condition of one request: what it asks of each attribute that it names.

    It comes from a text by `KeyConditionProgram.with_values`; whoever has the terms already (the
    legacy KeyConditions, PartiQL) makes one directly, of canonical values that fit their operators.
    """

    __slots__ = ("_terms",)

    def __init__(self, terms: Mapping[str, KeyTerm]) -> None:
        self._terms = terms

    def bind(self, schema: KeySchema, index: str | None = None) -> KeyRange:
        """Return what the condition asks of the key `schema`, which is that of `index` if given.

        Every attribute of the partition key is compared for equality. Of the sort key, the first
        ones may be, from left to right without a gap, and the last one of them by any operator.

        Raises ValidationException where it misses an attribute, has another one, a value of another
        type or an empty one, or an operator where only equality will do.
        """
        self._check_count(schema)
        partition = [self._term(attribute) for attribute in schema.partition]
        sort = self._sort_terms(schema)
        if any(term.operator != "=" for term in (*partition, *sort[:-1])):
            raise query_condition_unsupported()
        for attribute, term in zip(schema.attributes, (*partition, *sort), strict=False):
            _check_values(attribute, term, index)
        values = tuple(term.values[0] for term in partition)
        if not sort or sort[-1].operator == "=":
            return KeyRange(values, tuple(term.values[0] for term in sort))
        *equal, last = sort
        low, *high = last.values
        assert last.operator != "="
        return KeyRange(
            values,
            tuple(term.values[0] for term in equal),
            last.operator,
            low,
            high[0] if high else None,
        )

    def _check_count(self, schema: KeySchema) -> None:
        few = len(schema.attributes) <= _SIMPLE_ATTRIBUTES_MAX
        if few and len(self._terms) > _SIMPLE_ATTRIBUTES_MAX:
            raise key_conditions_many()

    def _sort_terms(self, schema: KeySchema) -> list[KeyTerm]:
        count = len(self._terms) - len(schema.partition)
        if count > len(schema.sort):
            raise query_condition_unsupported()
        return [self._term(attribute) for attribute in schema.sort[:count]]

    def _term(self, attribute: KeyAttribute) -> KeyTerm:
        term = self._terms.get(attribute.name)
        if term is None:
            raise query_key_missing(attribute.name)
        return term


class _TermProgram(NamedTuple):
    operator: KeyOperator
    placeholders: tuple[str, ...]


class KeyConditionProgram(NamedTuple):
    """A key condition ready for the values of any request with its text and names."""

    terms: Mapping[str, _TermProgram]
    demands: tuple[Demand, ...]

    def with_values(self, values: Values) -> KeyCondition:
        """Return the key condition with the values of one request."""
        return KeyCondition(
            {
                name: KeyTerm(operator, tuple(values[each] for each in placeholders))
                for name, (operator, placeholders) in self.terms.items()
            }
        )


def _check_values(attribute: KeyAttribute, term: KeyTerm, index: str | None) -> None:
    for value in term.values:
        content = value.get(attribute.type)
        if content is None:
            raise query_type_mismatch()
        if not content:
            noun = "string" if attribute.type == "S" else "binary"
            if index is not None:
                raise index_key_empty(index, attribute.name, noun)
            raise key_value_empty(attribute.name, noun)


def compile_key_condition(kind: str, node: Node, names: Mapping[str, str]) -> KeyConditionProgram:
    """Return the program of a key condition.

    Raises ValidationException for a form that no key condition has.
    """
    demands = compile_condition(kind, node, names).demands
    terms: dict[str, _TermProgram] = {}
    for name, term in _terms(node, names):
        if name in terms:
            raise key_conditioned_twice()
        terms[name] = term
    return KeyConditionProgram(terms, demands)


def _terms(node: Node, names: Mapping[str, str]) -> Iterator[tuple[str, _TermProgram]]:
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
) -> tuple[str, _TermProgram]:
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
    return str(attribute[0]), _TermProgram(operator, tuple(placeholders))
