"""Spells actions for the server as PartiQL statements."""

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
    Set,
    Size,
    Sum,
)
from model.expressions import Delete as DeleteMembers
from model.expressions import Remove as RemovePath
from model.steps import Check, ItemAction, Put, Remove, Update
from model.values import Item, Raw, Value, raw_value


class _Parameters:
    """The parameters of one statement, in the order in which it names them."""

    def __init__(self) -> None:
        self.values: list[Raw] = []

    def add(self, value: Value) -> str:
        self.values.append(raw_value(value))
        return "?"


def statement(action: ItemAction, table: str, key: Item, *, returning: bool) -> dict[str, Any]:
    """Return a statement and its parameters; `returning` asks for the item as the action does."""
    asked = _Parameters()
    match action:
        case Put(attributes=attributes):
            members = [f"'{n}': {asked.add(v)}" for n, v in (key | attributes).items()]
            text = f'INSERT INTO "{table}" VALUE {{{", ".join(members)}}}'
        case Update(actions=actions):
            changes = " ".join(_change(each, asked) for each in actions)
            text = f'UPDATE "{table}" {changes}{_where(action, key, asked)}'
            text += " RETURNING ALL NEW *" if returning else ""
        case Remove():
            text = f'DELETE FROM "{table}"{_where(action, key, asked)}'
            text += " RETURNING ALL OLD *" if returning else ""
        case Check():
            text = f'EXISTS(SELECT * FROM "{table}"{_where(action, key, asked)})'
    return {"Statement": text, "Parameters": asked.values}


def _where(action: ItemAction, key: Item, asked: _Parameters) -> str:
    terms = [f'"{name}" = {asked.add(value)}' for name, value in key.items()]
    if action.condition is not None:
        terms.append(_condition(action.condition, asked))
    return f" WHERE {' AND '.join(terms)}"


def _path(path: Path) -> str:
    steps = (f"[{step}]" if isinstance(step, int) else f'."{step}"' for step in path)
    return "".join(steps).removeprefix(".")


def _condition(condition: Condition, asked: _Parameters) -> str:
    match condition:
        case Both(left, right):
            return f"({_condition(left, asked)} AND {_condition(right, asked)})"
        case Either(left, right):
            return f"({_condition(left, asked)} OR {_condition(right, asked)})"
        case Not(inner):
            return f"(NOT {_condition(inner, asked)})"
        case Exists(path):
            return f"{_path(path)} IS NOT MISSING"
        case Absent(path):
            return f"{_path(path)} IS MISSING"
        case Compare(path, sign, value):
            return f"{_path(path)} {sign} {asked.add(value)}"
        case Between(path, low, high):
            return f"{_path(path)} BETWEEN {asked.add(low)} AND {asked.add(high)}"
        case OneOf(path, values):
            return f"{_path(path)} IN [{', '.join(map(asked.add, values))}]"
        case BeginsWith(path, start):
            return f"begins_with({_path(path)}, {asked.add(start)})"
        case Contains(path, part):
            return f"contains({_path(path)}, {asked.add(part)})"
        case Size(path, sign, size):
            return f"size({_path(path)}) {sign} {size}"


def _change(action: Action, asked: _Parameters) -> str:
    path = _path(action.path)
    match action:
        case Set(_, operand):
            return f"SET {path} = {_operand(operand, asked)}"
        case RemovePath():
            return f"REMOVE {path}"
        case Add(_, value):
            return f"SET {path} = set_add({path}, {asked.add(value)})"
        case DeleteMembers(_, value):
            return f"SET {path} = set_delete({path}, {asked.add(value)})"
        case Append():
            raise ValueError("no statement says it so")


def _operand(operand: Operand, asked: _Parameters) -> str:
    match operand:
        case Literal(value):
            return asked.add(value)
        case Attribute(path):
            return _path(path)
        case OrElse(path, other):
            return f"if_not_exists({_path(path)}, {_operand(other, asked)})"
        case Joined(head, tail):
            return f"list_append({_operand(head, asked)}, {_operand(tail, asked)})"
        case Sum(left, sign, right):
            return f"{_operand(left, asked)} {sign} {_operand(right, asked)}"
