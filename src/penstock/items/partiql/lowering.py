"""From the terms of a statement to the nodes of expressions, which are what is compiled and run.

A value of the statement becomes a placeholder (`:0`, `:1`, ...), as does a parameter (`?0`, ...),
so that everything that expressions know of their values holds of these too.
"""

from typing import Final

from penstock.base.errors import partiql
from penstock.items.expressions.functions import (
    OPERANDS_OF_CONDITION_FUNCTIONS,
    OPERANDS_OF_UPDATE_FUNCTIONS,
)
from penstock.items.expressions.syntax import (
    Action,
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
from penstock.items.partiql.literals import value_of
from penstock.items.partiql.syntax import (
    Assignment,
    At,
    Bag,
    Constant,
    Invocation,
    Negation,
    Operation,
    Parameter,
    Reference,
    Sequence,
    Term,
    Tuple,
    TypeTest,
)
from penstock.items.values import Value

_COMPARATORS: Final = frozenset({"=", "<>", "!=", "<", "<=", ">", ">="})
_ARITHMETIC: Final = frozenset({"+", "-"})
_FUNCTIONS: Final = {**OPERANDS_OF_CONDITION_FUNCTIONS, **OPERANDS_OF_UPDATE_FUNCTIONS}
_SET_FUNCTIONS: Final = {"set_add": "ADD", "set_delete": "DELETE"}
_SETS: Final = frozenset({"SS", "NS", "BS"})


def parameter_name(number: int) -> str:
    """Return the placeholder of the parameter of that number."""
    return f"?{number}"


def ungrouped(term: Term) -> Term:
    """Return the term that stands in parentheses, or the term itself."""
    while isinstance(term, Sequence) and term.is_group and len(term.members) == 1:
        (term,) = term.members
    return term


def path_of(reference: Reference) -> Path:
    """Return the path of a reference; ValidationException for one that no attribute can have."""
    elements: list[str | int] = []
    for element in reference.elements:
        if element is None:
            raise partiql.column_of_members()
        if element == "":
            raise partiql.name_empty()
        elements.append(element)
    return Path(tuple(elements))


class Lowering:
    """Turns the terms of one statement into nodes, and gathers the values that it holds."""

    def __init__(self) -> None:
        self.literals: dict[str, Value] = {}
        self.set_parameters: list[tuple[str, str, At]] = []
        """Parameters that must be sets: the placeholder, the function, the place for its error."""

    # --- conditions

    def condition(self, term: Term) -> Node:
        """Return the condition that a term is; ValidationException where it is none."""
        term = ungrouped(term)
        match term:
            case Operation(operator, operands):
                return self._operation(operator, operands)
            case Negation("not", operand):
                condition = self.condition(operand)
                return condition.condition if isinstance(condition, Negated) else Negated(condition)
            case TypeTest(operand, kind):
                return self._type_test(operand, kind)
            case Invocation(function) if function != "size":
                return self._call(term)
            case _:
                raise partiql.where_no_condition()

    def _operation(self, operator: str, operands: tuple[Term, ...]) -> Node:
        if operator == "and":
            return Joined("AND", tuple(self.condition(operand) for operand in operands))
        if operator == "or":
            return Joined("OR", tuple(self.condition(operand) for operand in operands))
        if operator in _COMPARATORS:
            return self._comparison("<>" if operator == "!=" else operator, *operands)
        if operator == "between":
            operand, low, high = map(self.operand, operands)
            return Between(operand, low, high)
        if operator == "in":
            return self._one_of(*operands)
        raise partiql.operator_unsupported(operator, in_update=False)

    def _comparison(self, operator: str, left: Term, right: Term) -> Node:
        """Return a comparison; of a condition with TRUE or FALSE, the condition or its contrary."""
        left, right = ungrouped(left), ungrouped(right)
        if _is_condition(right):
            left, right = right, left
        if not _is_condition(left):
            return Comparison(operator, self.operand(left), self.operand(right))
        if operator not in {"=", "<>"} or not isinstance(right, Constant) or right.kind != "BOOL":
            raise partiql.where_no_condition()
        condition = self.condition(left)
        return condition if (operator == "=") == right.content else Negated(condition)

    def _one_of(self, operand: Term, candidates: Term) -> Node:
        operand = ungrouped(operand)
        if (
            not isinstance(operand, Reference)
            or not isinstance(candidates, Sequence)
            or not candidates.members
        ):
            raise partiql.in_operands()
        return OneOf(path_of(operand), tuple(map(self.operand, candidates.members)))

    def _type_test(self, operand: Term, kind: str) -> Node:
        path = self.operand(operand)
        if kind == "MISSING":
            return Call("attribute_not_exists", (path,))
        return Call("attribute_type", (path, self._literal({"S": "NULL"})))

    # --- operands

    def operand(self, term: Term) -> Operand:
        """Return the operand of a condition that a term is; ValidationException for none."""
        term = ungrouped(term)
        match term:
            case Operation(operator):
                raise partiql.operator_unsupported(operator, in_update=False)
            case _:
                return self._simple(term)

    def _simple(self, term: Term) -> Operand:
        match term:
            case Reference():
                return path_of(term)
            case Constant("MISSING"):
                raise partiql.missing_compared()
            case Parameter() | Constant() | Sequence() | Bag() | Tuple():
                return self.value(term)
            case Invocation():
                return self._call(term)
            case Negation(operator):
                raise partiql.operands_missing(operator, 1)
            case Operation() | TypeTest():
                raise partiql.where_no_condition()

    def _call(self, call: Invocation) -> Call:
        if call.function not in _FUNCTIONS:
            raise partiql.function_unknown(call.function)
        return Call(call.function, tuple(map(self.operand, call.operands)))

    def _literal(self, value: Value) -> ValueRef:
        placeholder = f":{len(self.literals)}"
        self.literals[placeholder] = value
        return ValueRef(placeholder)

    def value(self, term: Term) -> ValueRef:
        """Return what stands for a value or a parameter; ValidationException for other terms."""
        if isinstance(term, Parameter):
            return ValueRef(parameter_name(term.number))
        return self._literal(value_of(term))

    # --- changes

    def action(self, assignment: Assignment) -> Action:
        """Return what an assignment or a removal does to an item."""
        path = path_of(assignment.path)
        if assignment.term is None:
            return Action("REMOVE", path, None)
        term = ungrouped(assignment.term)
        if isinstance(term, Invocation) and term.function in _SET_FUNCTIONS:
            return self._set_action(path, term)
        return Action("SET", path, self.assigned(term))

    def assigned(self, term: Term) -> Operand:
        """Return what is put at a path, or inserted as an attribute."""
        term = ungrouped(term)
        match term:
            case Operation(operator, operands):
                if operator not in _ARITHMETIC:
                    raise partiql.operator_unsupported(operator, in_update=True)
                left, right = map(self.assigned, operands)
                return Arithmetic(operator, left, right)
            case Invocation(function, operands) if function in OPERANDS_OF_UPDATE_FUNCTIONS:
                return Call(function, tuple(map(self.assigned, operands)))
            case _:
                return self._simple(term)

    def _set_action(self, path: Path, call: Invocation) -> Action:
        """Return the action of SET_ADD or SET_DELETE.

        Errors of the second operand name the place of the first (DynamoDB Local, 2026-11).
        """
        function = call.function
        if len(call.operands) != 2:
            raise partiql.operands_missing(function, len(call.operands))
        first, second = map(ungrouped, call.operands)
        if not isinstance(first, Reference) or path_of(first) != path:
            raise partiql.set_function_path(function, call.at.text)
        if not isinstance(second, Parameter | Constant | Bag | Sequence | Tuple):
            raise partiql.set_function_value(function, first.at.text)
        operand = self.value(second)
        if isinstance(second, Parameter):
            self.set_parameters.append((operand.placeholder, function, first.at))
        elif not is_set(self.literals[operand.placeholder]):
            raise partiql.set_function_value(function, first.at.text)
        return Action("ADD" if function == "set_add" else "DELETE", path, operand)


def is_set(value: Value) -> bool:
    """Say whether a value is a set."""
    return not value.keys().isdisjoint(_SETS)


def _is_condition(term: Term) -> bool:
    match term:
        case Invocation(function):
            return function != "size"
        case Negation("not") | TypeTest():
            return True
        case Operation(operator):
            return operator in _COMPARATORS or operator in {"and", "or", "in", "between"}
        case _:
            return False
