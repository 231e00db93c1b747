"""The functions of expressions: which there are, where each may stand, and with how many operands.

Checked once per text. What depends on the values of a request is checked where they are known.
"""

from collections.abc import Iterator
from typing import Final, Literal, NamedTuple

from penstock.base.errors.expressions import (
    function_misused,
    function_not_in_condition,
    function_not_in_update,
    invalid_function_name,
    path_required,
    too_many_in_operands,
    wrong_operand_count,
)
from penstock.base.limits import expression_in_operands_max
from penstock.items.expressions.syntax import (
    Action,
    Arithmetic,
    Between,
    Call,
    Comparison,
    Joined,
    Negated,
    OneOf,
    Path,
    Tree,
    ValueRef,
)

OPERANDS_OF_CONDITION_FUNCTIONS: Final = {
    "attribute_exists": 1,
    "attribute_not_exists": 1,
    "attribute_type": 2,
    "begins_with": 2,
    "contains": 2,
    "size": 1,
}
OPERANDS_OF_UPDATE_FUNCTIONS: Final = {"if_not_exists": 2, "list_append": 2}
_OPERANDS: Final = OPERANDS_OF_CONDITION_FUNCTIONS | OPERANDS_OF_UPDATE_FUNCTIONS
_NEED_PATH: Final = frozenset({"attribute_exists", "attribute_not_exists", "if_not_exists"})

Place = Literal["condition", "operand", "assigned"]
"""Where a call stands: as a condition, as an operand, or as all that SET puts at a path."""

_CONDITION: Final = frozenset[Place]({"condition"})
_PLACES: Final[dict[str, frozenset[Place]]] = {
    "size": frozenset({"operand"}),
    "if_not_exists": frozenset({"operand", "assigned"}),
    "list_append": frozenset({"assigned"}),  # DynamoDB Local, 2026-11: never inside another
}


class _Use(NamedTuple):
    """A call and where it stands."""

    call: Call
    place: Place


def check_calls(kind: str, tree: Tree) -> None:
    """Raise ValidationException for a call that no request can make; names come first."""
    uses: list[_Use] = []
    for branch in tree if isinstance(tree, tuple) else (tree,):
        uses.extend(_uses(kind, branch, "condition"))
    for call, _ in uses:
        if call.function not in _OPERANDS:
            raise invalid_function_name(kind, call.function)
    for use in uses:
        _check_place(kind, use)
    for call, _ in uses:
        _check_operands(kind, call)


def _check_place(kind: str, use: _Use) -> None:
    function = use.call.function
    if kind == "UpdateExpression":
        if function in OPERANDS_OF_CONDITION_FUNCTIONS:
            raise function_not_in_update(kind, function)
    elif function in OPERANDS_OF_UPDATE_FUNCTIONS:
        raise function_not_in_condition(kind, function)
    if use.place not in _PLACES.get(function, _CONDITION):
        raise function_misused(kind, function)


def _check_operands(kind: str, call: Call) -> None:
    if len(call.operands) != _OPERANDS[call.function]:
        raise wrong_operand_count(kind, call.function, len(call.operands))
    if call.function in _NEED_PATH and not isinstance(call.operands[0], Path):
        raise path_required(kind, call.function)


def _uses(kind: str, node: object, place: Place) -> Iterator[_Use]:
    """Find the calls in and below `node`, which stands at `place`, outermost first."""
    match node:
        case Path() | ValueRef():
            return
        case Call(_, operands):
            yield _Use(node, place)
            below: tuple[object, ...] = operands
        case Comparison(_, left, right) | Arithmetic(_, left, right):
            below = (left, right)
        case Between(operand, low, high):
            below = (operand, low, high)
        case OneOf(operand, candidates):
            if len(candidates) > expression_in_operands_max:
                raise too_many_in_operands(kind, len(candidates))
            below = (operand, *candidates)
        case Action(_, _, operand):
            if operand is not None:
                yield from _uses(kind, operand, "assigned")
            return
        case Negated(condition):
            yield from _uses(kind, condition, "condition")
            return
        case Joined(_, conditions):
            for condition in conditions:
                yield from _uses(kind, condition, "condition")
            return
        case _:
            raise AssertionError(node)
    for each in below:
        yield from _uses(kind, each, "operand")
