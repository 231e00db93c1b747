"""Conditions, as of writes and of filters: compiled once per text and names, then run on items."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from penstock.items.expressions.comparisons import (
    COMPARATORS,
    Test,
    begins_with,
    contains,
    equal,
    has_type,
    less_or_equal,
    size,
)
from penstock.items.expressions.demands import (
    Demand,
    between_bounds,
    check_distinct,
    operand_types,
    type_name,
)
from penstock.items.expressions.paths import Elements, Operand, Values, elements_of, reader
from penstock.items.expressions.syntax import (
    Arithmetic,
    Between,
    Call,
    Comparison,
    Joined,
    Negated,
    Node,
    OneOf,
    Path,
    ValueRef,
)
from penstock.items.expressions.syntax import Operand as OperandNode
from penstock.items.values import Item, Value

Predicate = Callable[[Item, Values], bool]

_ABSENT: Final[Item] = {}


class ConditionProgram(NamedTuple):
    """A condition ready to run with the values of any request that has its text and names."""

    predicate: Predicate
    demands: tuple[Demand, ...]
    names: frozenset[str]
    nested: frozenset[str]


class Condition:
    """A condition of one request."""

    __slots__ = ("_predicate", "_values", "names", "nested")

    def __init__(self, program: ConditionProgram, values: Values) -> None:
        self._predicate = program.predicate
        self._values = values
        self.names = program.names
        """The top-level attributes that it reads: a filter of Query may read no key."""
        self.nested = program.nested
        """Those of which it reads a part: a key has none."""

    def holds(self, item: Item | None) -> bool:
        """Say whether the condition is true of `item`; None is an item that does not exist."""
        return self._predicate(_ABSENT if item is None else item, self._values)


def compile_condition(kind: str, node: Node, names: Mapping[str, str]) -> ConditionProgram:
    """Return the program of a condition.

    Raises ValidationException where an operator has one path for two of its operands.
    """
    compiler = _Compiler(kind, names)
    predicate = compiler.condition(node)
    return ConditionProgram(
        predicate,
        tuple(compiler.demands),
        frozenset(compiler.attributes),
        frozenset(compiler.nested),
    )


class _Compiler:
    """Turns nodes into functions, and gathers what they demand and read on the way."""

    def __init__(self, kind: str, names: Mapping[str, str]) -> None:
        self._kind = kind
        self._names = names
        self.demands: list[Demand] = []
        self.attributes: set[str] = set()
        self.nested: set[str] = set()

    def condition(self, node: Node) -> Predicate:
        match node:
            case Comparison(operator, left, right):
                self._look_at(operator, [left, right])
                return _of_two(COMPARATORS[operator], self._operand(left), self._operand(right))
            case Between(operand, low, high):
                return self._between(operand, low, high)
            case OneOf(operand, candidates):
                self._look_at("IN", [operand, *candidates])
                return _one_of(self._operand(operand), [self._operand(c) for c in candidates])
            case Negated(condition):
                return _negated(self.condition(condition))
            case Joined(operator, conditions):
                join = _all_of if operator == "AND" else _any_of
                return join([self.condition(condition) for condition in conditions])
            case Call(function, operands):
                return self._call(function, operands)

    def _between(self, operand: OperandNode, low: OperandNode, high: OperandNode) -> Predicate:
        self._look_at("BETWEEN", [operand, low, high])
        if isinstance(low, ValueRef) and isinstance(high, ValueRef):
            self.demands.append(between_bounds(self._kind, low.placeholder, high.placeholder))
        return _between(self._operand(operand), self._operand(low), self._operand(high))

    def _call(self, function: str, nodes: Sequence[OperandNode]) -> Predicate:
        operands = [self._operand(node) for node in nodes]
        if function == "attribute_exists":
            return _exists(operands[0])
        if function == "attribute_not_exists":
            return _negated(_exists(operands[0]))
        if function == "attribute_type":
            self.demands.append(type_name(self._kind, nodes[1]))
            return _of_two(has_type, *operands)
        if function == "contains":
            self._look_at(function, nodes, typed=nodes[:1])
            return _of_two(contains, *operands)
        self._look_at(function, nodes)
        return _of_two(begins_with, *operands)

    def _look_at(
        self,
        operation: str,
        nodes: Sequence[OperandNode],
        typed: Sequence[OperandNode] | None = None,
    ) -> None:
        """Check the operands of an operation, and demand types of its values (or of `typed`)."""
        first, *others = nodes
        if isinstance(first, Path):
            check_distinct(self._kind, operation, self._path(first), self._paths(others))
        self.demands += operand_types(self._kind, operation, nodes if typed is None else typed)

    def _operand(self, node: OperandNode) -> Operand:
        match node:
            case Path():
                elements = self._path(node)
                self.attributes.add(str(elements[0]))
                if len(elements) > 1:
                    self.nested.add(str(elements[0]))
                return reader(elements)
            case ValueRef(placeholder):
                return _value_of(placeholder)
            case Call(function, operands):  # the only one with a value: functions.py
                self.demands += operand_types(self._kind, function, operands)
                return _size_of(self._operand(operands[0]))
            case Arithmetic():
                raise AssertionError(node)  # the grammar has none in conditions

    def _path(self, path: Path) -> Elements:
        return elements_of(path, self._names)

    def _paths(self, nodes: Iterable[OperandNode]) -> list[Elements]:
        return [self._path(node) for node in nodes if isinstance(node, Path)]


def _value_of(placeholder: str) -> Operand:
    def value(_item: Item, values: Values) -> Value | None:
        return values[placeholder]

    return value


def _size_of(operand: Operand) -> Operand:
    def size_of(item: Item, values: Values) -> Value | None:
        return size(operand(item, values))

    return size_of


def _of_two(test: Test, left: Operand, right: Operand) -> Predicate:
    def holds(item: Item, values: Values) -> bool:
        return test(left(item, values), right(item, values))

    return holds


def _between(operand: Operand, low: Operand, high: Operand) -> Predicate:
    def holds(item: Item, values: Values) -> bool:
        value = operand(item, values)
        return less_or_equal(low(item, values), value) and less_or_equal(value, high(item, values))

    return holds


def _one_of(operand: Operand, candidates: list[Operand]) -> Predicate:
    def holds(item: Item, values: Values) -> bool:
        value = operand(item, values)
        return any(equal(value, candidate(item, values)) for candidate in candidates)

    return holds


def _exists(operand: Operand) -> Predicate:
    def holds(item: Item, values: Values) -> bool:
        return operand(item, values) is not None

    return holds


def _negated(condition: Predicate) -> Predicate:
    def holds(item: Item, values: Values) -> bool:
        return not condition(item, values)

    return holds


def _all_of(conditions: list[Predicate]) -> Predicate:
    def holds(item: Item, values: Values) -> bool:
        return all(condition(item, values) for condition in conditions)

    return holds


def _any_of(conditions: list[Predicate]) -> Predicate:
    def holds(item: Item, values: Values) -> bool:
        return any(condition(item, values) for condition in conditions)

    return holds
