"""Spells actions for the server: as expressions and as legacy parameters."""

from collections.abc import Iterator
from typing import Any

from model.expressions import (
    Absent,
    Action,
    Add,
    Append,
    Attribute,
    BeginsWith,
    Between,
    Both,
    Compare,
    Condition,
    Contains,
    Either,
    Exists,
    Joined,
    Literal,
    Not,
    OneOf,
    Operand,
    OrElse,
    Path,
    Remove,
    Set,
    Size,
    Sum,
)
from model.expressions import Delete as DeleteMembers
from model.values import Raw, Value, raw_value


class Spelling:
    """The placeholders of one request."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}
        self._values: dict[str, Raw] = {}

    def members(self) -> dict[str, Any]:
        """Return the members of the request that the placeholders need."""
        found: dict[str, Any] = {}
        if self._names:
            found["ExpressionAttributeNames"] = self._names
        if self._values:
            found["ExpressionAttributeValues"] = self._values
        return found

    def path(self, path: Path) -> str:
        """Spell a path."""
        spelt = ""
        for step in path:
            if isinstance(step, int):
                spelt += f"[{step}]"
                continue
            self._names[f"#{step}"] = step
            spelt += f"{'.' if spelt else ''}#{step}"
        return spelt

    def value(self, value: Value) -> str:
        """Spell a value."""
        placeholder = f":v{len(self._values)}"
        self._values[placeholder] = raw_value(value)
        return placeholder

    def condition(self, condition: Condition) -> str:
        """Spell a condition."""
        match condition:
            case Both(left, right):
                return f"({self.condition(left)} AND {self.condition(right)})"
            case Either(left, right):
                return f"({self.condition(left)} OR {self.condition(right)})"
            case Not(inner):
                return f"(NOT {self.condition(inner)})"
            case Exists(path):
                return f"attribute_exists({self.path(path)})"
            case Absent(path):
                return f"attribute_not_exists({self.path(path)})"
            case Compare(path, sign, value):
                return f"{self.path(path)} {sign} {self.value(value)}"
            case Between(path, low, high):
                return f"{self.path(path)} BETWEEN {self.value(low)} AND {self.value(high)}"
            case OneOf(path, values):
                return f"{self.path(path)} IN ({', '.join(map(self.value, values))})"
            case BeginsWith(path, start):
                return f"begins_with({self.path(path)}, {self.value(start)})"
            case Contains(path, part):
                return f"contains({self.path(path)}, {self.value(part)})"
            case Size(path, sign, size):
                return f"size({self.path(path)}) {sign} {self.value(('N', size))}"

    def update(self, actions: tuple[Action, ...]) -> str:
        """Spell an update."""
        sections: dict[str, list[str]] = {}
        for action in actions:
            section, spelt = self._action(action)
            sections.setdefault(section, []).append(spelt)
        return " ".join(f"{section} {', '.join(spelt)}" for section, spelt in sections.items())

    def _action(self, action: Action) -> tuple[str, str]:
        path = self.path(action.path)
        match action:
            case Set(_, operand):
                return "SET", f"{path} = {self._operand(operand)}"
            case Remove():
                return "REMOVE", path
            case Add(_, value):
                return "ADD", f"{path} {self.value(value)}"
            case DeleteMembers(_, value):
                return "DELETE", f"{path} {self.value(value)}"
            case Append():
                raise ValueError("no expression says it so")

    def _operand(self, operand: Operand) -> str:
        match operand:
            case Literal(value):
                return self.value(value)
            case Attribute(path):
                return self.path(path)
            case OrElse(path, other):
                return f"if_not_exists({self.path(path)}, {self._operand(other)})"
            case Joined(head, tail):
                return f"list_append({self._operand(head)}, {self._operand(tail)})"
            case Sum(left, sign, right):
                return f"{self._operand(left)} {sign} {self._operand(right)}"


def with_condition(spelling: Spelling, condition: Condition | None) -> dict[str, Any]:
    """Return the member of a request that holds its condition, where there is one."""
    return {} if condition is None else {"ConditionExpression": spelling.condition(condition)}


# --- legacy parameters


def expected(condition: Condition | None) -> dict[str, Any]:
    """Spell a condition, simple ones joined by ANDs or by ORs, as Expected."""
    if condition is None:
        return {}
    spelt = {str(leaf.path[0]): _expected(leaf) for leaf in _leaves(condition)}
    members: dict[str, Any] = {"Expected": spelt}
    if isinstance(condition, Either):
        members["ConditionalOperator"] = "OR"
    return members


def _leaves(condition: Condition) -> Iterator[Any]:
    if isinstance(condition, Both | Either):
        yield from _leaves(condition.left)
        yield from _leaves(condition.right)
    else:
        yield condition


_OPERATORS = {"=": "EQ", "<>": "NE", "<": "LT", "<=": "LE", ">": "GT", ">=": "GE"}


def _expected(leaf: Any) -> dict[str, Any]:
    match leaf:
        case Absent():
            return {"Exists": False} if str(leaf.path[0]) < "m" else {"ComparisonOperator": "NULL"}
        case Exists():
            return {"ComparisonOperator": "NOT_NULL"}
        case Compare(_, "=", value) if value[0] in {"S", "BOOL"}:
            return {"Value": raw_value(value)}
        case Compare(_, sign, value):
            return _comparison(_OPERATORS[sign], value)
        case Between(_, low, high):
            return _comparison("BETWEEN", low, high)
        case OneOf(_, values):
            return _comparison("IN", *values)
        case BeginsWith(_, start):
            return _comparison("BEGINS_WITH", start)
        case Contains(_, part):
            return _comparison("CONTAINS", part)
    raise ValueError(f"Expected cannot say {leaf}")


def _comparison(name: str, *values: Value) -> dict[str, Any]:
    return {"ComparisonOperator": name, "AttributeValueList": list(map(raw_value, values))}


def attribute_updates(actions: tuple[Action, ...]) -> dict[str, Any]:
    """Spell actions on whole attributes as AttributeUpdates."""
    if not actions:
        return {}
    return {"AttributeUpdates": {str(action.path[0]): _update(action) for action in actions}}


def _update(action: Action) -> dict[str, Any]:
    match action:
        case Set(_, Literal(value)):
            return {"Action": "PUT", "Value": raw_value(value)}
        case Remove():
            return {"Action": "DELETE"}
        case Add(_, value) | Append(_, value):
            return {"Action": "ADD", "Value": raw_value(value)}
        case DeleteMembers(_, value):
            return {"Action": "DELETE", "Value": raw_value(value)}
    raise ValueError(f"AttributeUpdates cannot say {action}")
