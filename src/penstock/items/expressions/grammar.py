"""The parser that Lark makes of the grammar; it builds the tree of an expression while it reads.

Importing this takes longer than the rest of a start of the server: parse.py does it on first use.
"""

from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from typing import Any, cast

from lark import Lark, Transformer, v_args
from lark import Token as LarkToken
from lark.exceptions import UnexpectedToken
from lark.lexer import Lexer

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
    Section,
    Tree,
    ValueRef,
)
from penstock.items.expressions.tokens import Token


class Refused(Exception):
    """The token at index `at` cannot stand there; the number of tokens means their end."""

    def __init__(self, at: int) -> None:
        super().__init__(at)
        self.at = at


def tree_of(start: str, tokens: list[Token]) -> Tree:
    """Return the tree of the tokens by start rule `start`; Refused where they are none of it."""
    parser = _lark().parse_interactive(start=start)
    fed = 0
    try:
        for token in tokens:
            parser.feed_token(LarkToken(token.kind, token.text))
            fed += 1
        return cast("Tree", parser.feed_token(LarkToken("$END", "")))
    except UnexpectedToken:
        raise Refused(fed) from None


@cache
def _lark() -> Lark:
    return Lark(
        files("penstock.items.expressions").joinpath("grammar.lark").read_text("utf-8"),
        parser="lalr",
        lexer=_NoLexer,
        start=["condition", "update", "projection"],
        transformer=_TreeMaker(),
        maybe_placeholders=False,
    )


class _NoLexer(Lexer):
    """Stands where Lark wants a lexer: the tokens are cut already."""

    def __init__(self, _conf: object) -> None:
        """Take the configuration that Lark gives to every lexer."""

    def lex(self, _lexer_state: Any, _parser_state: Any) -> Iterator[LarkToken]:
        raise AssertionError("tokens are fed, not lexed")


@v_args(inline=True)
class _TreeMaker(Transformer[LarkToken, Tree]):
    """The parser's callbacks, named as the grammar's rules."""

    def condition(self, node: Node) -> Node:
        return node

    def any_of(self, *conditions: Node) -> Node:
        return Joined("OR", conditions)

    def all_of(self, *conditions: Node) -> Node:
        return Joined("AND", conditions)

    def negated(self, condition: Node) -> Node:
        """Two negations are none, so that trees stay less deep than they could be."""
        return condition.condition if isinstance(condition, Negated) else Negated(condition)

    def comparison(self, left: Operand, operator: str, right: Operand) -> Node:
        return Comparison(str(operator), left, right)

    def between(self, operand: Operand, low: Operand, high: Operand) -> Node:
        return Between(operand, low, high)

    def one_of(self, operand: Operand, candidates: tuple[Operand, ...]) -> Node:
        return OneOf(operand, candidates)

    def call(self, function: str, operands: tuple[Operand, ...]) -> Call:
        return Call(str(function), operands)

    def operands(self, *operands: Operand) -> tuple[Operand, ...]:
        return operands

    def value(self, placeholder: str) -> ValueRef:
        return ValueRef(str(placeholder))

    def path(self, *elements: str | int) -> Path:
        return Path(tuple(e if type(e) is int else str(e) for e in elements))

    def index(self, digits: str) -> int:
        return int(digits)

    def arithmetic(self, left: Operand, sign: str, right: Operand) -> Arithmetic:
        return Arithmetic(str(sign), left, right)

    def assignment(self, path: Path, operand: Operand) -> tuple[Path, Operand]:
        return path, operand

    def change(self, path: Path, placeholder: str) -> tuple[Path, Operand]:
        return path, ValueRef(str(placeholder))

    def set_section(self, *changes: tuple[Path, Operand]) -> list[Action]:
        return _actions("SET", changes)

    def remove_section(self, *paths: Path) -> list[Action]:
        return [Action("REMOVE", path, None) for path in paths]

    def add_section(self, *changes: tuple[Path, Operand]) -> list[Action]:
        return _actions("ADD", changes)

    def delete_section(self, *changes: tuple[Path, Operand]) -> list[Action]:
        return _actions("DELETE", changes)

    def update(self, *sections: list[Action]) -> tuple[Action, ...]:
        return tuple(action for section in sections for action in section)

    def projection(self, *paths: Path) -> tuple[Path, ...]:
        return paths


def _actions(section: Section, changes: tuple[tuple[Path, Operand], ...]) -> list[Action]:
    return [Action(section, path, operand) for path, operand in changes]
