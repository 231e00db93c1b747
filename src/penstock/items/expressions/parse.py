"""From the text of an expression to its tree, with every check that needs nothing but the text.

`parsed` keeps what it parsed, by kind and text. The parser is imported and built on first use,
because that takes longer than the rest of a start of the server.
"""

from functools import lru_cache

from penstock.base.errors.expressions import (
    empty_expression,
    list_index_too_large,
    path_too_deep,
    redundant_parentheses,
    reserved_keyword,
    section_used_twice,
    syntax_error,
    too_many_operators,
)
from penstock.base.limits import (
    expression_cache_entries_max,
    expression_cache_long_entries_max,
    expression_cached_short_chars_max,
    expression_operators_max,
    expression_path_elements_max,
    list_index_max,
)
from penstock.items.expressions.functions import check_calls
from penstock.items.expressions.reserved import is_reserved
from penstock.items.expressions.syntax import Parsed, Tree
from penstock.items.expressions.tokens import (
    CONDITION_KEYWORDS,
    PROJECTION_KEYWORDS,
    UPDATE_KEYWORDS,
    Token,
    has_redundant_parentheses,
    operator_count,
    path_lengths,
    refusal,
    tokens_of,
)

_LANGUAGES: dict[str, tuple[str, dict[str, str]]] = {
    "ConditionExpression": ("condition", CONDITION_KEYWORDS),
    "FilterExpression": ("condition", CONDITION_KEYWORDS),
    "KeyConditionExpression": ("condition", CONDITION_KEYWORDS),
    "UpdateExpression": ("update", UPDATE_KEYWORDS),
    "ProjectionExpression": ("projection", PROJECTION_KEYWORDS),
}


def parsed(kind: str, text: str) -> Parsed:
    """Return the parsed form of the expression that member `kind` of a request holds.

    Raises ValidationException for what is wrong with the text by itself; its length is checked
    before.
    """
    if len(text) <= expression_cached_short_chars_max:
        return _parsed_short(kind, text)
    return _parsed_long(kind, text)


def _parse(kind: str, text: str) -> Parsed:
    start, keywords = _LANGUAGES[kind]
    tokens = tokens_of(text, keywords)
    if not tokens:  # spaces are not nothing: DynamoDB Local, 2026-11
        raise syntax_error(kind, "<EOF>", text) if text else empty_expression(kind)
    tree = _tree(kind, text, start, tokens)
    if has_redundant_parentheses(tokens):
        raise redundant_parentheses(kind)
    if operator_count(tokens) > expression_operators_max:
        raise too_many_operators(kind, expression_operators_max + 1)
    _check_indexes(kind, tokens)
    check_calls(kind, tree)
    _check_reserved(kind, tokens)
    if start == "update":
        _check_sections(kind, tokens)
    _check_paths(kind, tokens)
    return Parsed(kind, tree, _texts(tokens, "NAME"), _texts(tokens, "VALUE"))


_parsed_short = lru_cache(expression_cache_entries_max)(_parse)
_parsed_long = lru_cache(expression_cache_long_entries_max)(_parse)


def _tree(kind: str, text: str, start: str, tokens: list[Token]) -> Tree:
    from penstock.items.expressions.grammar import (  # noqa: PLC0415 - see this module's docstring
        Refused,
        tree_of,
    )

    try:
        return tree_of(start, tokens)
    except Refused as refused:
        raise refusal(kind, text, tokens, refused.at) from None


def _texts(tokens: list[Token], kind: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(token.text for token in tokens if token.kind == kind))


def _check_indexes(kind: str, tokens: list[Token]) -> None:
    for token in tokens:
        if token.kind == "INTEGER" and int(token.text) > list_index_max:
            raise list_index_too_large(kind, int(token.text))


def _check_reserved(kind: str, tokens: list[Token]) -> None:
    """Refuse a reserved word as a name; a word before a parenthesis is a function's name."""
    for at, token in enumerate(tokens):
        if token.kind == "IDENTIFIER" and is_reserved(token.text):
            following = tokens[at + 1].kind if at + 1 < len(tokens) else ""
            if following != "_LPAR":
                raise reserved_keyword(kind, token.text)


def _check_paths(kind: str, tokens: list[Token]) -> None:
    for length in path_lengths(tokens):
        if length > expression_path_elements_max:
            raise path_too_deep(kind, length)


def _check_sections(kind: str, tokens: list[Token]) -> None:
    seen = set()
    for token in tokens:
        if token.kind in UPDATE_KEYWORDS.values():
            if token.kind in seen:
                raise section_used_twice(kind, token.text.upper())
            seen.add(token.kind)
