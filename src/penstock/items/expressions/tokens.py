"""The tokens of an expression, and how a syntax error shows where it is.

Keywords are known in any case. An identifier begins with a letter: AWS calls a leading underscore a
token that cannot stand there (aws-sdk-js issue 1691). What is no token at all is kept as one, so
that the parser refuses it at its place.
"""

import re
from itertools import pairwise
from typing import Final, NamedTuple

from penstock.base.errors.api import ApiError
from penstock.base.errors.expressions import syntax_error

_TOKEN = re.compile(
    r"""
      (?P<space>[ \t\r\n\f]+)
    | (?P<IDENTIFIER>[A-Za-z][A-Za-z0-9_]*)
    | (?P<NAME>\#[A-Za-z0-9_]+)
    | (?P<VALUE>:[A-Za-z0-9_]+)
    | (?P<INTEGER>0|[1-9][0-9]*)
    | (?P<COMPARATOR><>|<=|>=|[=<>])
    | (?P<other>.)
    """,
    re.VERBOSE | re.DOTALL,
)

_PUNCTUATION: Final = {
    ".": "_DOT",
    ",": "_COMMA",
    "(": "_LPAR",
    ")": "_RPAR",
    "[": "_LBRACKET",
    "]": "_RBRACKET",
    "+": "SIGN",
    "-": "SIGN",
}
UNKNOWN: Final = "UNKNOWN"

CONDITION_KEYWORDS: Final = {word: f"_{word}" for word in ("OR", "AND", "NOT", "BETWEEN", "IN")}
UPDATE_KEYWORDS: Final = {word: f"_{word}" for word in ("SET", "REMOVE", "ADD", "DELETE")}
PROJECTION_KEYWORDS: Final[dict[str, str]] = {}


class Token(NamedTuple):
    """One token: its kind (a terminal of the grammar, or `UNKNOWN`) and where its text stands."""

    kind: str
    text: str
    start: int
    end: int


def tokens_of(text: str, keywords: dict[str, str]) -> list[Token]:
    """Cut `text` into tokens; `keywords` gives the kinds of the words that one language knows."""
    found = []
    for match in _TOKEN.finditer(text):
        kind = match.lastgroup or UNKNOWN
        if kind != "space":
            word = match[0]
            if kind == "IDENTIFIER":
                kind = keywords.get(word.upper(), kind)
            elif kind == "other":
                kind = _PUNCTUATION.get(word, UNKNOWN)
            elif word == "=" and keywords is UPDATE_KEYWORDS:
                kind = "_EQUALS"
            found.append(Token(kind, word, match.start(), match.end()))
    return found


def refusal(kind: str, text: str, tokens: list[Token], at: int) -> ApiError:
    """Return the error for the token at index `at`, or for the end where there is none.

    AWS shows the text from the token before it to the token after it, as it stands in the source;
    where none follows, to the end with its spaces (DynamoDB Local, 2026-11).
    """
    first = tokens[max(at - 1, 0)].start
    last = tokens[at + 1].end if at + 1 < len(tokens) else len(text)
    shown = tokens[at].text if at < len(tokens) else "<EOF>"
    return syntax_error(kind, shown, text[first:last])


def has_redundant_parentheses(tokens: list[Token]) -> bool:
    """Say whether a pair of parentheses holds nothing but another pair, in well-formed tokens.

    The parentheses of a call and of IN belong to the word before them.
    """
    opened: list[int] = []
    closed_by: dict[int, int] = {}
    for at, token in enumerate(tokens):
        if token.kind == "_LPAR":
            opened.append(at)
        elif token.kind == "_RPAR":
            start = opened.pop()
            closed_by[start] = at
            if closed_by.get(start + 1) == at - 1 and not _belongs_to_word(tokens, start):
                return True
    return False


def _belongs_to_word(tokens: list[Token], parenthesis: int) -> bool:
    return parenthesis > 0 and tokens[parenthesis - 1].kind in {"IDENTIFIER", "_IN"}


def path_lengths(tokens: list[Token]) -> list[int]:
    """Return how many names and indexes each path of well-formed tokens has; a function has 1."""
    lengths: list[int] = []
    for before, token in pairwise([*tokens[:1], *tokens]):
        if token.kind in {"_DOT", "_LBRACKET"}:
            lengths[-1] += 1
        elif token.kind in {"IDENTIFIER", "NAME"} and before.kind != "_DOT":
            lengths.append(1)
    return lengths


def operator_count(tokens: list[Token]) -> int:
    """Return how many operators and functions the tokens hold; BETWEEN counts once, by its AND."""
    operators = sum(token.kind in _OPERATORS for token in tokens)
    pairs = pairwise(tokens)
    return operators + sum(
        first.kind == "IDENTIFIER" and second.kind == "_LPAR" for first, second in pairs
    )


_OPERATORS: Final = frozenset({"_OR", "_AND", "_NOT", "_IN", "COMPARATOR", "SIGN"})
