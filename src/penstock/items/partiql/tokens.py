"""The tokens of a PartiQL statement, and what a statement is told that is none.

Words are known in any case. A bare name is no keyword: AWS and DynamoDB Local take for keywords
those of SQL that DynamoDB's PartiQL reserves, which are not those that expressions reserve.
"""

import re
from typing import Final, NamedTuple

from penstock.base.errors import partiql
from penstock.base.errors.api import ApiError
from penstock.base.limits import list_index_max
from penstock.items.partiql.keywords import RESERVED
from penstock.items.partiql.syntax import At

_TOKEN = re.compile(
    r"""
      (?P<space>[\s\ufeff]+|--[^\n]*|/\*.*?\*/)
    | (?P<WORD>[A-Za-z_$][A-Za-z0-9_$]*)
    | (?P<QUOTED>"[^"]*(?:""[^"]*)*")
    | (?P<TEXT>'[^']*(?:''[^']*)*')
    | (?P<NUMBER>(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)
    | (?P<symbol><<|>>|<>|<=|>=|!=|\|\||[=<>?.,:;*/%+\-()\[\]{}])
    | (?P<UNKNOWN>.)
    """,
    re.VERBOSE | re.DOTALL,
)
_SYMBOLS: Final = {
    "<<": "LBAG",
    ">>": "_RBAG",
    "=": "EQUALS",
    "?": "PARAMETER",
    ".": "_DOT",
    ",": "_COMMA",
    ":": "_COLON",
    ";": "_SEMICOLON",
    "*": "STAR",
    "/": "OVER",
    "%": "OVER",
    "+": "SIGN",
    "-": "SIGN",
    "||": "JOIN",
    "(": "LPAR",
    ")": "_RPAR",
    "[": "LBRACKET",
    "]": "_RBRACKET",
    "{": "LBRACE",
    "}": "_RBRACE",
}
_NAMED: Final = frozenset({"AND", "OR", "NOT", "BETWEEN", "IN", "LIKE", "TRUE", "FALSE", "NULL"})
_NAMED_CLAUSES: Final = frozenset(
    {"MISSING", "ALL", "MODIFIED", "OLD", "NEW", "ASC", "DESC", "LIMIT", "HAVING", "DISTINCT"}
)
_STATEMENTS: Final = frozenset({"SELECT", "INSERT", "UPDATE", "DELETE", "EXISTS"})
_CLAUSES: Final = _STATEMENTS | frozenset(
    {"FROM", "INTO", "VALUE", "WHERE", "ORDER", "GROUP", "BY", "AS", "IS", "SET", "REMOVE"}
    | {"RETURNING"}
)
_FUNCTIONS: Final = frozenset({"SIZE", "COUNT", "SUM", "MIN", "MAX", "AVG"})
_OPERATORS: Final = frozenset(
    {"AND", "OR", "NOT", "BETWEEN", "IN", "LIKE", "EQUALS", "COMPARATOR", "SIGN", "JOIN", "OVER"}
)
_OPENING: Final = frozenset({"LPAR", "LBRACKET", "LBRACE", "LBAG"})
_CLOSING: Final = frozenset({"_RPAR", "_RBRACKET", "_RBRACE", "_RBAG"})
_INDEX_DIGITS_MAX: Final = len(str(list_index_max))
_BRACKETS_DEEP_MAX: Final = 64  # values nest 32 levels, and conditions hardly ever


class Token(NamedTuple):
    """One token: its kind (a terminal of the grammar, or one that it has not) and its place."""

    kind: str
    text: str
    at: At


def tokens_of(statement: str) -> list[Token]:
    """Cut a statement into tokens; what is no token at all is one that nothing accepts."""
    found = []
    line, line_start = 1, 0
    for match in _TOKEN.finditer(statement):
        word, kind = match[0], match.lastgroup or ""
        if kind != "space":
            at = At(line, match.start() - line_start + 1, len(word))
            found.append(Token(_kind(kind, word), word, at))
        if "\n" in word:
            line += word.count("\n")
            line_start = match.start() + word.rindex("\n") + 1
    return found


def _kind(kind: str, word: str) -> str:
    if kind == "symbol":
        return _SYMBOLS.get(word, "COMPARATOR")
    if kind == "NUMBER" and word.isdecimal() and len(word) <= _INDEX_DIGITS_MAX:
        return "INTEGER"
    if kind != "WORD":
        return kind
    upper = word.upper()
    if upper in _NAMED or upper in _NAMED_CLAUSES:
        return upper
    if upper in _CLAUSES:
        return f"_{upper}"
    if upper in _FUNCTIONS:
        return "FUNCTION"
    return "RESERVED" if upper in RESERVED else "WORD"


def refusal(tokens: list[Token], at: int) -> ApiError:
    """Return the error for the token at index `at`, or for the end where there is none.

    A statement that begins with no data manipulation, and an UPDATE without one, say so (AWS,
    2026-07); a keyword where none can stand is told of (AWS, 2023-02); the rest is one text.
    """
    lacks_change = tokens and tokens[0].kind == "_UPDATE"
    if at == 0 or (lacks_change and not _has_change(tokens[: at + 1])):
        return partiql.not_well_formed("Expected data manipulation")
    if at < len(tokens) and tokens[at].text.upper() in RESERVED:
        return partiql.not_well_formed("Unexpected keyword")
    return partiql.not_well_formed("Unexpected term")


def _has_change(tokens: list[Token]) -> bool:
    return any(token.kind in {"_SET", "_REMOVE"} for token in tokens)


def operator_count(tokens: list[Token]) -> int:
    """Return how many operators the tokens hold."""
    return sum(token.kind in _OPERATORS for token in tokens)


def is_too_deep(tokens: list[Token]) -> bool:
    """Say whether brackets stand in more brackets than any statement needs."""
    deep = 0
    for token in tokens:
        deep += (token.kind in _OPENING) - (token.kind in _CLOSING)
        if deep > _BRACKETS_DEEP_MAX:
            return True
    return False
