"""Filter patterns of logs: which lines a search is for.

A pattern of terms is words and quoted phrases. Each has to be in the line, letter by letter and
anywhere; one behind a minus must not be, and of those behind a question mark one is enough. With
other terms beside them, those with a question mark mean nothing. A pattern in braces asks for
members of a line that is a JSON object (`penstock.functions.log_json_patterns`).

Facts: AWS, "Filter pattern syntax", 2026-11. Patterns in brackets, for fields with spaces between
them, and regular expressions are refused.
"""

import re
from collections.abc import Callable

from penstock.base.errors import logs
from penstock.functions.log_json_patterns import json_pattern

Matches = Callable[[str], bool]
"""Says whether a line is searched for."""

_TERM = re.compile(r'([?-]?)(?:"((?:[^"\\]|\\.)*)"|([^\s"]+))(?=\s|$)')
_WORD = re.compile(r"\w+")
_ESCAPED = re.compile(r"\\(.)")


def line_filter(pattern: str) -> Matches | None:
    """Return what `pattern` matches, or None where it matches all.

    Raises InvalidParameterException for what is no pattern, or one that we do not have.
    """
    text = pattern.strip()
    if not text:
        return None
    for begin, end in ("{}", "[]"):
        if text.startswith(begin) and not (len(text) > 1 and text.endswith(end)):
            why = f"If a filter pattern starts with '{begin}' it must end with '{end}'"
            raise logs.invalid_pattern(why)
    if text.startswith("["):
        why = "patterns of fields with spaces between them are not supported by this release"
        raise logs.invalid_pattern(why)
    if text.startswith("{"):
        return json_pattern(text[1:-1])
    return _of_terms(text)


def _of_terms(text: str) -> Matches:
    wanted: list[str] = []
    unwanted: list[str] = []
    any_of: list[str] = []
    kinds = {"": wanted, "-": unwanted, "?": any_of}
    at = 0
    while at < len(text):
        found = _TERM.match(text, at)
        if found is None:
            raise logs.invalid_pattern(
                f"Invalid character(s) in term '{text[at:].split(maxsplit=1)[0]}'"
            )
        kind, phrase, word = found.groups()
        if phrase is None:
            _check_word(word)
        kinds[kind].append(word if phrase is None else _ESCAPED.sub(r"\1", phrase))
        at = found.end()
        while at < len(text) and text[at].isspace():
            at += 1
    if wanted or unwanted:
        return lambda line: (
            all(term in line for term in wanted) and not any(term in line for term in unwanted)
        )
    return lambda line: any(term in line for term in any_of)


def _check_word(word: str) -> None:
    if word.startswith("%"):
        raise logs.invalid_pattern("regular expressions are not supported by this release")
    if not _WORD.fullmatch(word):
        raise logs.invalid_pattern(f"Invalid character(s) in term '{word}'")
