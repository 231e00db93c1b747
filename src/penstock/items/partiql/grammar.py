"""The parser that Lark makes of PartiQL's grammar; it builds a statement's tree while it reads.

Importing this takes longer than the rest of a start of the server: parse.py does it on first
use.
"""

from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple, cast

from lark import Lark, Transformer, v_args
from lark import Token as LarkToken
from lark.exceptions import UnexpectedToken
from lark.lexer import Lexer

from penstock.items.partiql.syntax import (
    Assignment,
    At,
    Bag,
    Column,
    Constant,
    DeleteTree,
    ExistsTree,
    InsertTree,
    Invocation,
    Negation,
    Operation,
    Order,
    Parameter,
    Reference,
    Returning,
    SelectTree,
    Sequence,
    Source,
    StatementTree,
    Term,
    Tuple,
    TypeTest,
    Unsupported,
    UpdateTree,
)
from penstock.items.partiql.tokens import Token


class Refused(Exception):
    """The token at index `at` cannot stand there; the number of tokens means their end."""

    def __init__(self, at: int) -> None:
        super().__init__(at)
        self.at = at


def statement_tree(tokens: list[Token]) -> StatementTree:
    """Return the tree of a statement's tokens; Refused where they are none."""
    parser = _lark().parse_interactive()
    fed = parameters = 0
    try:
        for token in tokens:
            word = token.text
            if token.kind == "PARAMETER":
                word, parameters = str(parameters), parameters + 1
            line, column, length = token.at
            parser.feed_token(
                LarkToken(token.kind, word, line=line, column=column, end_column=column + length)
            )
            fed += 1
        return cast("StatementTree", parser.feed_token(LarkToken("$END", "")))
    except UnexpectedToken:
        raise Refused(fed) from None


@cache
def _lark() -> Lark:
    return Lark(
        files("penstock.items.partiql").joinpath("grammar.lark").read_text("utf-8"),
        parser="lalr",
        lexer=_NoLexer,
        transformer=_TreeMaker(),
        maybe_placeholders=False,
    )


class _NoLexer(Lexer):
    """Stands where Lark wants a lexer: the tokens are cut already."""

    def __init__(self, _conf: object) -> None:
        """Take the configuration that Lark gives to every lexer."""

    def lex(self, _lexer_state: Any, _parser_state: Any) -> Iterator[LarkToken]:
        raise AssertionError("tokens are fed, not lexed")


def _at(token: LarkToken) -> At:
    assert token.line is not None  # `statement_tree` gives every token its place
    assert token.column is not None
    assert token.end_column is not None
    return At(token.line, token.column, token.end_column - token.column)


def _unquoted(token: str) -> str:
    mark = token[0]
    return token[1:-1].replace(mark * 2, mark)


class _Step(NamedTuple):
    """A name, a list index, or `*` (None), and where it stands."""

    element: str | int | None
    at: At


@v_args(inline=True)
class _TreeMaker(Transformer[LarkToken, StatementTree]):
    """The parser's callbacks, named as the grammar's rules."""

    # --- statements

    def start(self, statement: StatementTree) -> StatementTree:
        return statement

    def select(
        self,
        columns: tuple[Column, ...] | str | None,
        source: Source,
        where: Term | None,
        *clauses: Any,
    ) -> SelectTree:
        (order,) = (clause for clause in clauses if type(clause) is tuple)
        unsupported = tuple(clause for clause in clauses if isinstance(clause, Unsupported))
        return SelectTree(columns, source, where, order, unsupported)

    def insert(self, source: Source, item: Term, returning: tuple[Returning, ...]) -> InsertTree:
        return InsertTree(source, item, returning)

    def update(self, source: Source, *clauses: Any) -> UpdateTree:
        *changes, where, returning = clauses
        return UpdateTree(source, tuple(c for each in changes for c in each), where, returning)

    def delete(
        self, source: Source, where: Term | None, returning: tuple[Returning, ...]
    ) -> DeleteTree:
        return DeleteTree(source, where, returning)

    def exists(self, _parenthesis: LarkToken, select: SelectTree) -> ExistsTree:
        return ExistsTree(select)

    # --- clauses

    def everything(self, _star: LarkToken) -> None:
        return None

    def columns(self, *columns: Column) -> tuple[Column, ...]:
        return columns

    def distinct(self, *_columns: Column) -> str:
        return "DISTINCT"

    def value_only(self, _term: Term) -> str:
        return "VALUE"

    def column(self, term: Term) -> Column:
        return Column(term)

    def aliased_column(self, term: Term, _name: _Step) -> Column:
        return Column(term, is_aliased=True)

    def sources(self, source: Source, *others: Source) -> Source:
        return source._replace(others=len(others))

    def source(self, term: Term) -> Source:
        return Source(term)

    def aliased_source(self, term: Term, _name: _Step) -> Source:
        return Source(term, is_aliased=True)

    def where(self, *term: Term) -> Term | None:
        return term[0] if term else None

    def group_by(self, _terms: tuple[Term, ...]) -> Unsupported:
        return Unsupported("GROUP BY", "")

    def having(self, _having: LarkToken, term: Term) -> Unsupported:
        return Unsupported("HAVING", term.at.text)

    def limit(self, _limit: LarkToken, term: Term) -> Unsupported:
        return Unsupported("LIMIT", term.at.text)

    def order(self, *keys: Order) -> tuple[Order, ...]:
        return keys

    def order_key(self, term: Term) -> Order:
        return Order(term, descending=False)

    def ascending(self, term: Term, _asc: LarkToken) -> Order:
        return Order(term, descending=False)

    def descending(self, term: Term, _desc: LarkToken) -> Order:
        return Order(term, descending=True)

    def assignments(self, *assignments: Assignment) -> tuple[Assignment, ...]:
        return assignments

    def assignment(self, path: Reference, _equals: LarkToken, term: Term) -> Assignment:
        return Assignment(path, term)

    def removal(self, path: Reference) -> tuple[Assignment, ...]:
        return (Assignment(path, None),)

    def returning(self, *returned: Returning) -> tuple[Returning, ...]:
        return returned

    def returned(self, which: Any, when: Any, _star: LarkToken) -> Returning:
        return Returning(which, when, is_star=True)

    def returned_part(self, which: Any, when: Any, _term: Term) -> Returning:
        return Returning(which, when, is_star=False)

    def which(self, word: LarkToken) -> str:
        return word.upper()

    def when(self, word: LarkToken) -> str:
        return word.upper()

    def kind(self, word: LarkToken) -> str:
        return word.upper()

    # --- terms

    def joined(self, first: Term, operator: LarkToken, *others: Any) -> Term:
        operands = (first, *(each for each in others if not isinstance(each, LarkToken)))
        return Operation(operator.lower(), operands, _at(operator))

    def negated(self, operator: LarkToken, term: Term) -> Term:
        """Two negations are none, so that trees stay less deep than they could be."""
        if isinstance(term, Negation) and term.operator == "not":
            return term.operand
        return Negation("not", term, _at(operator))

    def operation(self, left: Term, operator: LarkToken, right: Term) -> Term:
        return Operation(operator.lower(), (left, right), _at(operator))

    def negated_operation(
        self, left: Term, negation: LarkToken, operator: LarkToken, right: Term
    ) -> Term:
        return Negation("not", self.operation(left, operator, right), _at(negation))

    def between(
        self, operand: Term, operator: LarkToken, low: Term, _and: LarkToken, high: Term
    ) -> Term:
        return Operation("between", (operand, low, high), _at(operator))

    def not_between(
        self,
        operand: Term,
        negation: LarkToken,
        operator: LarkToken,
        low: Term,
        _and: LarkToken,
        high: Term,
    ) -> Term:
        between = Operation("between", (operand, low, high), _at(operator))
        return Negation("not", between, _at(negation))

    def type_test(self, operand: Term, kind: str) -> Term:
        return TypeTest(operand, kind, operand.at)

    def negated_type_test(self, operand: Term, negation: LarkToken, kind: str) -> Term:
        return Negation("not", TypeTest(operand, kind, operand.at), _at(negation))

    def signed(self, sign: LarkToken, term: Term) -> Term:
        if isinstance(term, Constant) and term.kind == "N":
            assert isinstance(term.content, str)  # a number is kept as it is written
            negative = (str(sign) == "-") != term.content.startswith("-")
            digits = term.content.removeprefix("-")
            return Constant("N", f"-{digits}" if negative else digits, term.at)
        return Negation(str(sign), term, _at(sign))

    def text(self, token: LarkToken) -> Term:
        return Constant("S", _unquoted(token), _at(token))

    def number(self, token: LarkToken) -> Term:
        return Constant("N", str(token), _at(token))

    def boolean(self, token: LarkToken) -> Term:
        return Constant("BOOL", token.type == "TRUE", _at(token))

    def null(self, token: LarkToken) -> Term:
        return Constant("NULL", content=True, at=_at(token))

    def missing(self, token: LarkToken) -> Term:
        return Constant("MISSING", content=True, at=_at(token))

    def parameter(self, token: LarkToken) -> Term:
        return Parameter(int(token), _at(token))

    def invocation(self, name: LarkToken, _parenthesis: LarkToken, *operands: Any) -> Term:
        given = operands[0] if operands and type(operands[0]) is tuple else ()
        return Invocation(name.lower(), given, _at(name))

    def group_of(self, opened: LarkToken, members: tuple[Term, ...]) -> Term:
        return Sequence(members, _at(opened), is_group=True)

    def list_of(self, opened: LarkToken, *members: tuple[Term, ...]) -> Term:
        return Sequence(members[0] if members else (), _at(opened), is_group=False)

    def bag(self, opened: LarkToken, *members: tuple[Term, ...]) -> Term:
        return Bag(members[0] if members else (), _at(opened))

    def struct(self, opened: LarkToken, *members: tuple[Term, Term]) -> Term:
        return Tuple(members, _at(opened))

    def terms(self, *terms: Term) -> tuple[Term, ...]:
        return terms

    def member(self, name: Term, term: Term) -> tuple[Term, Term]:
        return name, term

    def path(self, *steps: _Step) -> Reference:
        return Reference(tuple([step.element for step in steps]), steps[0].at)

    def all_members(self, star: LarkToken) -> _Step:
        return _Step(None, _at(star))

    def index(self, _opened: LarkToken, token: LarkToken) -> _Step:
        element = _unquoted(token) if token.type == "TEXT" else int(token)
        return _Step(element, _at(token))

    def bare_name(self, token: LarkToken) -> _Step:
        return _Step(str(token), _at(token))

    def quoted_name(self, token: LarkToken) -> _Step:
        return _Step(_unquoted(token), _at(token))
