"""Which items a WHERE clause can be about: keys and ranges of keys, read off its condition.

What is found only narrows what is read: the whole condition is still asked of every item. So a part
of the condition that says nothing about keys can be passed over.
"""

from collections.abc import Iterable, Sequence
from itertools import product
from typing import Final, NamedTuple

from penstock.base.errors import partiql
from penstock.base.limits import partiql_partitions_max
from penstock.items.expressions import KeyCondition, KeyRange, KeyTerm
from penstock.items.expressions.key_conditions import KeyOperator
from penstock.items.expressions.paths import Values
from penstock.items.expressions.syntax import (
    Between,
    Call,
    Comparison,
    Joined,
    Node,
    OneOf,
    Operand,
    Path,
    ValueRef,
)
from penstock.items.keys import KeyAttribute, KeySchema
from penstock.items.values import Item


class KeyRanges(NamedTuple):
    """The ranges of keys that a condition confines items to, in its order; they may overlap.

    `are_all` says that the condition asks for nothing else: it holds for all that is in a range.
    """

    ranges: list[KeyRange]
    are_all: bool


Terms = dict[str, KeyTerm]
"""What is asked of each attribute of the key, at most once of each; empty asks nothing."""

_MIRRORED: Final[dict[str, KeyOperator]] = {"=": "=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}
_SAME: Final[dict[str, KeyOperator]] = {"=": "=", "<": "<", "<=": "<=", ">": ">", ">=": ">="}
_ALTERNATIVES_MAX: Final = 10_000


def key_ranges(schema: KeySchema, node: Node, values: Values) -> KeyRanges | None:
    """Return the ranges of `schema`'s keys that a condition confines items to.

    None where it leaves the partition open: then everything has to be read.

    Raises ValidationException where a value is none of its key attribute, or there are too many
    partitions.
    """
    ranges = []
    for terms in _alternatives(node, frozenset(schema.names), values):
        found = _range(schema, terms)
        if found is None:
            return None
        ranges.append(found)
    partitions = {tuple(map(repr, each.partition)) for each in ranges}
    if len(partitions) > partiql_partitions_max:
        raise partiql.too_many_partitions(len(partitions))
    return KeyRanges(ranges, _are_all(schema, node, values))


def single_key(schema: KeySchema, node: Node | None, values: Values) -> Item:
    """Return the one key that a condition confines items to.

    Raises ValidationException where it leaves an attribute of the key open, names two keys or gives
    a value that is none of its attribute.
    """
    key: Item = {}
    for name, term in _equalities(schema, node, values):
        if key.get(name, term.values[0]) != term.values[0]:
            raise partiql.key_twice(name)
        key[name] = term.values[0]
    if len(key) < len(schema.names):
        raise partiql.key_missing()
    for attribute in schema.attributes:
        check_key_type(attribute, key)
    return key


def is_only_key(schema: KeySchema, node: Node | None, values: Values) -> bool:
    """Say whether a condition asks for one key and for nothing else."""
    names = [name for name, _ in _equalities(schema, node, values)]
    return sorted(names) == sorted(schema.names) and len(names) == len(_conjuncts(node))


def asks_for_key(schema: KeySchema, node: Node | None, values: Values) -> bool:
    """Say whether a condition asks for one key, whatever else it asks."""
    return {name for name, _ in _equalities(schema, node, values)} == set(schema.names)


def check_key_type(attribute: KeyAttribute, item: Item) -> None:
    """Raise ValidationException where an item has the key attribute with another type."""
    if attribute.type not in item[attribute.name]:
        raise partiql.key_type(attribute.name)


def _are_all(schema: KeySchema, node: Node, values: Values) -> bool:
    """Say whether a condition asks each of the first attributes of the key once, and nothing else.

    All but the last one for equality: so there is one range, and the range is the condition.
    """
    names = frozenset(schema.names)
    asked: Terms = {}
    conjuncts = _conjuncts(node)
    for conjunct in conjuncts:
        if isinstance(conjunct, Joined | OneOf):
            return False
        (terms,) = _alternatives(conjunct, names, values)
        asked |= terms
    first = [each.name for each in schema.attributes[: len(conjuncts)]]
    if set(first) != set(asked) or len(asked) < len(conjuncts):
        return False
    return all(asked[name].operator == "=" for name in first[:-1])


def _equalities(schema: KeySchema, node: Node | None, values: Values) -> list[tuple[str, KeyTerm]]:
    """Return what every item must have for a key attribute, each as often as it is said."""
    names = frozenset(schema.names)
    return [
        (name, term)
        for conjunct in _conjuncts(node)
        if isinstance(conjunct, Comparison)
        for name, term in _compared(conjunct, names, values).items()
        if term.operator == "="
    ]


def _conjuncts(node: Node | None) -> list[Node]:
    if node is None:
        return []
    if isinstance(node, Joined) and node.operator == "AND":
        return [conjunct for each in node.conditions for conjunct in _conjuncts(each)]
    return [node]


def _alternatives(node: Node, names: frozenset[str], values: Values) -> list[Terms]:
    """Return what a condition asks of the key; one of several, where it has alternatives."""
    match node:
        case Joined("OR", conditions):
            return [each for part in conditions for each in _alternatives(part, names, values)]
        case Joined(_, conditions):
            return _all_of([_alternatives(part, names, values) for part in conditions])
        case OneOf(operand, candidates):
            name = _name(operand, names)
            if name is not None and all(isinstance(each, ValueRef) for each in candidates):
                return [{name: _term("=", [each], values)} for each in candidates]
        case Comparison():
            return [_compared(node, names, values)]
        case Between(operand, low, high):
            return [_ranged("BETWEEN", operand, [low, high], names, values)]
        case Call("begins_with", (operand, start)):
            return [_ranged("begins_with", operand, [start], names, values)]
        case _:
            pass
    return [{}]


def _all_of(parts: Iterable[list[Terms]]) -> list[Terms]:
    """Return what several conditions ask together; parts that make too many pass."""
    together: list[Terms] = [{}]
    for alternatives in parts:
        if len(together) * len(alternatives) <= _ALTERNATIVES_MAX:
            together = [_both(*pair) for pair in product(together, alternatives)]
    return together


def _both(first: Terms, second: Terms) -> Terms:
    """Return what two conditions ask; of two about one attribute, equality is kept."""
    both = dict(first)
    for name, term in second.items():
        if name not in both or (term.operator == "=" and both[name].operator != "="):
            both[name] = term
    return both


def _compared(node: Comparison, names: frozenset[str], values: Values) -> Terms:
    for operators, operand, other in (
        (_SAME, node.left, node.right),
        (_MIRRORED, node.right, node.left),
    ):
        operator = operators.get(node.operator)
        if operator is not None and isinstance(other, ValueRef):
            terms = _ranged(operator, operand, [other], names, values)
            if terms:
                return terms
    return {}


def _ranged(
    operator: KeyOperator,
    operand: Operand,
    others: Sequence[Operand],
    names: frozenset[str],
    values: Values,
) -> Terms:
    name = _name(operand, names)
    if name is None or not all(isinstance(other, ValueRef) for other in others):
        return {}
    return {name: _term(operator, others, values)}


def _term(operator: KeyOperator, operands: Sequence[Operand], values: Values) -> KeyTerm:
    found = [values[each.placeholder] for each in operands if isinstance(each, ValueRef)]
    return KeyTerm(operator, tuple(found))


def _name(operand: Operand, names: frozenset[str]) -> str | None:
    """Return the key attribute that an operand is; None where it is none, or a part of one."""
    if isinstance(operand, Path) and len(operand.elements) == 1:
        name = str(operand.elements[0])
        return name if name in names else None
    return None


def _range(schema: KeySchema, terms: Terms) -> KeyRange | None:
    """Return the range of keys that has all that is asked, or more than that; None for all keys."""
    kept: Terms = {}
    for attribute in schema.partition:
        term = terms.get(attribute.name)
        if term is None or term.operator != "=":
            return None
        kept[attribute.name] = term
    for attribute in schema.sort:
        term = terms.get(attribute.name)
        if term is None:
            break
        kept[attribute.name] = term
        if term.operator != "=":
            break
    for attribute in schema.attributes:
        term = kept.get(attribute.name)
        if term is not None and any(attribute.type not in value for value in term.values):
            raise partiql.key_type(attribute.name)
    return KeyCondition(kept).bind(schema)
