"""What a PartiQL statement consists of once it is parsed: plain nodes, with places for errors.

Conditions and values are terms of one kind here, as in the language; lowering.py tells them apart.
"""

from dataclasses import dataclass
from typing import Literal, NamedTuple

Which = Literal["ALL", "MODIFIED"]
When = Literal["OLD", "NEW"]


class At(NamedTuple):
    """Where a token stands: its line and column, from 1, and how long it is."""

    line: int
    column: int
    length: int

    @property
    def text(self) -> str:
        """The place as AWS writes it in errors."""
        return f" at {self.line}:{self.column}:{self.length}"


@dataclass(frozen=True, slots=True)
class Constant:
    """A text, number, boolean, NULL or MISSING as it is written; `kind` is DynamoDB's type."""

    kind: str
    content: str | bool
    at: At


@dataclass(frozen=True, slots=True)
class Parameter:
    """The parameter of that number, from 0."""

    number: int
    at: At


@dataclass(frozen=True, slots=True)
class Reference:
    """A path: names, list indexes, and `*` (None) for all members."""

    elements: tuple[str | int | None, ...]
    at: At


@dataclass(frozen=True, slots=True)
class Sequence:
    """Terms in brackets or parentheses: a list, or a term in parentheses of its own."""

    members: "tuple[Term, ...]"
    at: At
    is_group: bool


@dataclass(frozen=True, slots=True)
class Bag:
    """Terms in double angle brackets: a set."""

    members: "tuple[Term, ...]"
    at: At


@dataclass(frozen=True, slots=True)
class Tuple:
    """Names and terms in braces: a map, or an item."""

    members: "tuple[tuple[Term, Term], ...]"
    at: At


@dataclass(frozen=True, slots=True)
class Invocation:
    """A function, its name in lower case, and its operands."""

    function: str
    operands: "tuple[Term, ...]"
    at: At


@dataclass(frozen=True, slots=True)
class Operation:
    """An operator, in lower case where it is a word, and its operands, two or more."""

    operator: str
    operands: "tuple[Term, ...]"
    at: At


@dataclass(frozen=True, slots=True)
class Negation:
    """NOT a term, or a term with a sign before it."""

    operator: str
    operand: "Term"
    at: At


@dataclass(frozen=True, slots=True)
class TypeTest:
    """A term IS NULL, or IS MISSING."""

    operand: "Term"
    kind: str
    at: At


Term = (
    Constant
    | Parameter
    | Reference
    | Sequence
    | Bag
    | Tuple
    | Invocation
    | Operation
    | Negation
    | TypeTest
)


class Source(NamedTuple):
    """What a statement is about, whether it is given another name, and how many more there are."""

    term: Term
    is_aliased: bool = False
    others: int = 0


class Column(NamedTuple):
    """One column of a SELECT."""

    term: Term
    is_aliased: bool = False


class Order(NamedTuple):
    """One key of ORDER BY."""

    term: Term
    descending: bool


class Unsupported(NamedTuple):
    """A clause that DynamoDB does not have, and where its error says that it is."""

    clause: str
    at: str


@dataclass(frozen=True, slots=True)
class SelectTree:
    """SELECT; `columns` is None for `*`, and a text for what cannot be selected."""

    columns: tuple[Column, ...] | str | None
    source: Source
    where: Term | None
    order: tuple[Order, ...]
    unsupported: tuple[Unsupported, ...]


@dataclass(frozen=True, slots=True)
class InsertTree:
    """INSERT."""

    source: Source
    item: Term
    returning: "tuple[Returning, ...]"


class Assignment(NamedTuple):
    """What an UPDATE does to one path: SET it to a term, or REMOVE it (None)."""

    path: Reference
    term: Term | None


class Returning(NamedTuple):
    """What of an item is returned; `is_star` where all of it is."""

    which: Which
    when: When
    is_star: bool

    @property
    def text(self) -> str:
        """The clause as it is written."""
        return f"RETURNING {self.which} {self.when} *"


@dataclass(frozen=True, slots=True)
class UpdateTree:
    """UPDATE."""

    source: Source
    changes: tuple[Assignment, ...]
    where: Term | None
    returning: tuple[Returning, ...]


@dataclass(frozen=True, slots=True)
class DeleteTree:
    """DELETE."""

    source: Source
    where: Term | None
    returning: tuple[Returning, ...]


@dataclass(frozen=True, slots=True)
class ExistsTree:
    """EXISTS, of a SELECT."""

    select: SelectTree


StatementTree = SelectTree | InsertTree | UpdateTree | DeleteTree | ExistsTree
