"""What expressions consist of once they are parsed: plain nodes, with placeholders still in them.

Nodes are immutable and shared by every request with the same text.
"""

from dataclasses import dataclass
from typing import Literal, NamedTuple

Section = Literal["SET", "REMOVE", "ADD", "DELETE"]


@dataclass(frozen=True, slots=True)
class Path:
    """A document path: names (bare or `#name`) and list indexes."""

    elements: tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class ValueRef:
    """A value placeholder, `:name`."""

    placeholder: str


@dataclass(frozen=True, slots=True)
class Call:
    """A function and its operands."""

    function: str
    operands: "tuple[Operand, ...]"


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """`left + right` or `left - right`."""

    sign: str
    left: "Operand"
    right: "Operand"


Operand = Path | ValueRef | Call | Arithmetic


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two operands and one of `=`, `<>`, `<`, `<=`, `>`, `>=`."""

    operator: str
    left: Operand
    right: Operand


@dataclass(frozen=True, slots=True)
class Between:
    """An operand and two bounds, both included."""

    operand: Operand
    low: Operand
    high: Operand


@dataclass(frozen=True, slots=True)
class OneOf:
    """An operand IN a list of others."""

    operand: Operand
    candidates: tuple[Operand, ...]


@dataclass(frozen=True, slots=True)
class Negated:
    """NOT a condition."""

    condition: "Node"


@dataclass(frozen=True, slots=True)
class Joined:
    """Conditions joined by one operator, AND or OR."""

    operator: Literal["AND", "OR"]
    conditions: "tuple[Node, ...]"


Node = Comparison | Between | OneOf | Negated | Joined | Call


class Action(NamedTuple):
    """One change that an update makes; REMOVE has no operand."""

    section: Section
    path: Path
    operand: Operand | None


Tree = Node | tuple[Action, ...] | tuple[Path, ...]


class Parsed(NamedTuple):
    """A parsed expression.

    `kind` is the request member that held it; `names` and `values` are the placeholders that it
    uses, each once, in the order of the text.
    """

    kind: str
    tree: Tree
    names: tuple[str, ...]
    values: tuple[str, ...]
