"""PartiQL statements ready to run: what they are about, with the programs of expressions in them.

A statement is shared by all requests with its text. A request binds it to parameters, and what it
gets by that are values, by placeholder, as those of any expression.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from penstock.base.errors import partiql
from penstock.items.expressions.conditions import Condition, ConditionProgram
from penstock.items.expressions.paths import Elements, Values, reader
from penstock.items.expressions.syntax import Node, ValueRef
from penstock.items.expressions.updates import Update as ItemUpdate
from penstock.items.expressions.updates import UpdateProgram
from penstock.items.partiql.bare import bare
from penstock.items.partiql.lowering import is_set, parameter_name
from penstock.items.values import Item, Value

ReturnValues = Literal["NONE", "ALL_OLD", "ALL_NEW", "UPDATED_OLD", "UPDATED_NEW"]
"""What a write returns, in the words of UpdateItem."""


class Where(NamedTuple):
    """A WHERE clause: its condition as nodes, from which keys are read, and ready to run."""

    node: Node
    program: ConditionProgram


class Column(NamedTuple):
    """A column of a SELECT: the name that it has in the answer, and the path that it shows."""

    name: str
    elements: Elements


class OrderKey(NamedTuple):
    """An attribute that the answer is ordered by."""

    name: str
    descending: bool


class SetParameter(NamedTuple):
    """A parameter that must be a set: its placeholder, and of what function, where it stands."""

    placeholder: str
    function: str
    at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """What all statements have: a table, values of their own, a number of parameters, a WHERE."""

    table: str
    literals: Mapping[str, Value]
    parameters: int
    where: Where | None = None

    def bind(self, parameters: Sequence[Value]) -> Values:
        """Return the values of the statement and of a request's parameters, which are canonical.

        Raises ValidationException where there are too few parameters or too many, or where an
        operator or function cannot take the type of one.
        """
        if len(parameters) != self.parameters:
            raise partiql.parameters_differ()
        named = {parameter_name(at): value for at, value in enumerate(parameters)}
        values = {**self.literals, **named}
        if self.where is not None:
            with bare("ConditionExpression"):
                for demand in self.where.program.demands:
                    demand(values)
        return values

    def condition(self, values: Values) -> Condition | None:
        """Return the condition of WHERE; None without one."""
        return None if self.where is None else Condition(self.where.program, values)


@dataclass(frozen=True, slots=True, kw_only=True)
class Select(Statement):
    """SELECT, and with `is_exists` EXISTS of one; `columns` is None for all attributes."""

    index: str | None
    columns: tuple[Column, ...] | None
    order: tuple[OrderKey, ...]
    is_exists: bool = False

    def row(self, item: Item) -> Item:
        """Return what the columns show of `item`; what it does not have is left out."""
        if self.columns is None:
            return item
        shown = ((column.name, reader(column.elements)(item, {})) for column in self.columns)
        return {name: value for name, value in shown if value is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class Insert(Statement):
    """INSERT of an item: its attributes, each a value or a parameter."""

    members: tuple[tuple[str, ValueRef], ...]

    def item(self, values: Values) -> Item:
        """Return the item."""
        return {name: values[value.placeholder] for name, value in self.members}


@dataclass(frozen=True, slots=True, kw_only=True)
class Update(Statement):
    """UPDATE of an item that is there."""

    program: UpdateProgram
    set_parameters: tuple[SetParameter, ...]
    returning: ReturnValues

    def bind(self, parameters: Sequence[Value]) -> Values:
        values = Statement.bind(self, parameters)
        for placeholder, function, at in self.set_parameters:
            if not is_set(values[placeholder]):
                raise partiql.set_function_value(function, at)
        with bare("UpdateExpression"):
            for demand in self.program.demands:
                demand(values)
        return values

    def update(self, values: Values) -> ItemUpdate:
        """Return what is done to the item."""
        return ItemUpdate(self.program, values)


@dataclass(frozen=True, slots=True, kw_only=True)
class Delete(Statement):
    """DELETE of an item, if there is one."""

    returning: ReturnValues
