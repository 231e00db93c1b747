"""KeyConditions: a condition on each attribute of a key, one attribute each.

They bind to a key as a KeyConditionExpression does, also to keys of several attributes (ScyllaDB
pull request 31448, seen on AWS). Only here can an operator be given that no key condition has: it
is refused once the key is known.
"""

from collections.abc import Mapping
from typing import Any, Final

from penstock.base.errors.expressions import key_conditions_many
from penstock.base.errors.legacy import not_indexable
from penstock.items.expressions.key_conditions import (
    KeyCondition,
    KeyOperator,
    KeyRange,
    KeyTerm,
)
from penstock.items.keys import KeySchema
from penstock.items.legacy.operators import operands_of
from penstock.items.values import check_attribute_name

_KEY_OPERATORS: Final[dict[str, KeyOperator]] = {
    "EQ": "=",
    "LE": "<=",
    "LT": "<",
    "GE": ">=",
    "GT": ">",
    "BETWEEN": "BETWEEN",
    "BEGINS_WITH": "begins_with",
}
_UNEQUAL: Final = KeyTerm("<", ())  # never reaches a range: `_LegacyKeyCondition.bind`


class _LegacyKeyCondition(KeyCondition):
    """A key condition of which some operators may be none that chooses a range of keys."""

    __slots__ = ("_unindexable",)

    def __init__(self, terms: Mapping[str, KeyTerm], unindexable: frozenset[str]) -> None:
        super().__init__(terms)
        self._unindexable = unindexable

    def bind(self, schema: KeySchema, index: str | None = None) -> KeyRange:
        """Return what the condition asks of the key `schema`; errors as in an expression.

        Also ValidationException for an operator that no sort key takes, once the partition key is
        compared for equality.
        """
        partition = (self._terms.get(attribute.name, _UNEQUAL) for attribute in schema.partition)
        if all(term.operator == "=" for term in partition):
            for attribute in schema.sort:
                if attribute.name in self._unindexable:
                    raise not_indexable()
        return super().bind(schema, index)


def key_condition_of(conditions: Mapping[str, Mapping[str, Any]]) -> KeyCondition:
    """Return the key condition that KeyConditions are.

    Raises ValidationException for the first that is wrong, as in a filter, and where there is none.
    """
    terms = {}
    for name, given in conditions.items():
        check_attribute_name(name)
        operator = given["ComparisonOperator"]
        operands = operands_of(operator, given.get("AttributeValueList", ()))
        known = _KEY_OPERATORS.get(operator)
        terms[name] = _UNEQUAL if known is None else KeyTerm(known, tuple(operands))
    if not terms:
        raise key_conditions_many()
    unindexable = frozenset(name for name, term in terms.items() if term is _UNEQUAL)
    return _LegacyKeyCondition(terms, unindexable) if unindexable else KeyCondition(terms)
