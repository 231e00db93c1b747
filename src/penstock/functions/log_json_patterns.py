"""Filter patterns of logs for lines that are JSON: `{ $.level = "error" && $.took > 100 }`.

A selector is `$` with names and indices. It is compared with a text, in which `*` stands for
anything, or with a number; or asked whether it is NULL, TRUE, FALSE, or does not exist. Comparisons
are joined by `&&`, which binds closer, and `||`, and grouped by parentheses. A line that is no
JSON, and a member that is not there, match nothing but NOT EXISTS.

Facts: AWS, "Filter pattern syntax", 2026-11. Regular expressions and wildcards in selectors are
refused.
"""

import operator
import re
from collections.abc import Callable
from typing import Any, NoReturn

import msgspec

from penstock.base import limits
from penstock.base.errors import logs

Matches = Callable[[str], bool]
_Condition = Callable[[Any], bool]
"""Says whether a JSON value has what is asked for."""

_TOKEN = re.compile(
    r"""\s*(?:
        (?P<selector>\$(?:\.[\w-]+|\[\d{1,9}\]|\['[^']*'\]|\["[^"]*"\])+)
      | (?P<compare>!=|<=|>=|=|<|>)
      | (?P<join>&&|\|\||\(|\))
      | "(?P<quoted>(?:[^"\\]|\\.)*)"
      | (?P<bare>[^\s()&|"=<>!]+)
    )""",
    re.VERBOSE,
)
_STEP = re.compile(r"""\.([\w-]+)|\[(\d+)\]|\['([^']*)'\]|\["([^"]*)"\]""")
_NUMBER = re.compile(r"[-+]?\d+(\.\d+)?([eE][-+]?\d+)?")
_ESCAPED = re.compile(r"\\(.)")
_ORDERS = {"<": operator.lt, ">": operator.gt, "<=": operator.le, ">=": operator.ge}
_ABSENT = object()
_CONSTANTS = {"NULL": None, "TRUE": True, "FALSE": False}

_decode = msgspec.json.Decoder().decode


def json_pattern(text: str) -> Matches:
    """Return what the pattern matches that stands between braces; InvalidParameterException."""
    condition = _Parser(text).whole()

    def matches(line: str) -> bool:
        try:
            value = _decode(line)
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            return False
        return isinstance(value, dict | list) and condition(value)

    return matches


class _Parser:
    """Reads a pattern by its grammar, a token at a time."""

    def __init__(self, text: str) -> None:
        self._tokens: list[tuple[str, str]] = []
        at, end = 0, len(text.rstrip())
        while at < end:
            found = _TOKEN.match(text, at)
            if found is None or found.lastgroup is None:
                raise logs.invalid_pattern(f"Invalid character(s) at '{text[at:].strip()}'")
            self._tokens.append((found.lastgroup, found[found.lastgroup]))
            at = found.end()
        self._at = 0
        self._depth = 0

    def whole(self) -> _Condition:
        condition = self._either()
        if self._at < len(self._tokens):
            self._fail()
        return condition

    def _either(self) -> _Condition:
        conditions = [self._both()]
        while self._take("join", "||"):
            conditions.append(self._both())
        return lambda value: any(condition(value) for condition in conditions)

    def _both(self) -> _Condition:
        conditions = [self._one()]
        while self._take("join", "&&"):
            conditions.append(self._one())
        return lambda value: all(condition(value) for condition in conditions)

    def _one(self) -> _Condition:
        if not self._take("join", "("):
            return self._comparison()
        self._depth += 1
        if self._depth > limits.nesting_levels_max:
            raise logs.invalid_pattern("it is nested too deeply")
        condition = self._either()
        if not self._take("join", ")"):
            self._fail()
        self._depth -= 1
        return condition

    def _comparison(self) -> _Condition:
        kind, text = self._next()
        if kind != "selector":
            self._fail(text)
        find = _selected(text)
        kind, how = self._next()
        if kind == "bare" and how in ("IS", "NOT"):
            return self._asked(find, how)
        if kind != "compare":
            self._fail(how)
        kind, wanted = self._next()
        if kind not in ("quoted", "bare"):
            self._fail(wanted)
        if kind == "quoted":
            return _compared_text(find, how, _ESCAPED.sub(r"\1", wanted))
        if wanted.startswith("%"):
            raise logs.invalid_pattern("regular expressions are not supported by this release")
        if _NUMBER.fullmatch(wanted):
            return _compared_number(find, how, float(wanted))
        return _compared_text(find, how, wanted)

    def _asked(self, find: Callable[[Any], Any], how: str) -> _Condition:
        _, what = self._next()
        if how == "NOT" and what == "EXISTS":
            return lambda value: find(value) is _ABSENT
        if how == "NOT" or what not in _CONSTANTS:
            self._fail(what)
        constant = _CONSTANTS[what]
        return lambda value: find(value) is constant

    def _next(self) -> tuple[str, str]:
        if self._at == len(self._tokens):
            self._fail()
        self._at += 1
        return self._tokens[self._at - 1]

    def _take(self, kind: str, text: str) -> bool:
        """Take the next token if it is this one; say whether it was."""
        if self._tokens[self._at : self._at + 1] != [(kind, text)]:
            return False
        self._at += 1
        return True

    def _fail(self, found: str | None = None) -> NoReturn:
        if found is None:
            found = self._tokens[self._at][1] if self._at < len(self._tokens) else "}"
        raise logs.invalid_pattern(f"'{found}' is not expected there")


def _selected(text: str) -> Callable[[Any], Any]:
    """Return what finds a selector's value in a JSON value, or _ABSENT."""
    steps: list[str | int] = []
    for found in _STEP.finditer(text):
        name = next((group for group in (found[1], found[3], found[4]) if group is not None), None)
        steps.append(int(found[2]) if name is None else name)

    def find(value: Any) -> Any:
        for step in steps:
            if isinstance(step, str):
                value = value.get(step, _ABSENT) if isinstance(value, dict) else _ABSENT
            elif isinstance(value, list) and step < len(value):
                value = value[step]
            else:
                return _ABSENT
        return value

    return find


def _compared_text(find: Callable[[Any], Any], how: str, wanted: str) -> _Condition:
    if how not in ("=", "!="):
        raise logs.invalid_pattern(f"'{how}' needs a number")
    pieces = wanted.split("*")

    def holds(value: Any) -> bool:
        found = find(value)
        if isinstance(found, bool) or not isinstance(found, str | int | float):
            return False
        text = found if isinstance(found, str) else msgspec.json.encode(found).decode()
        return _has_pieces(text, pieces) == (how == "=")

    return holds


def _has_pieces(text: str, pieces: list[str]) -> bool:
    """Say whether `text` is made of these pieces in their order, with anything between them."""
    first, last = pieces[0], pieces[-1]
    if len(pieces) == 1:
        return text == first
    if not text.startswith(first) or not text.endswith(last):
        return False
    at, end = len(first), len(text) - len(last)
    for piece in pieces[1:-1]:
        found = text.find(piece, at, end)
        if found < 0:
            return False
        at = found + len(piece)
    return at <= end


def _compared_number(find: Callable[[Any], Any], how: str, wanted: float) -> _Condition:
    def holds(value: Any) -> bool:
        found = find(value)
        if isinstance(found, bool) or not isinstance(found, int | float):
            return False
        if how in _ORDERS:
            return bool(_ORDERS[how](found, wanted))
        return (found == wanted) == (how == "=")

    return holds
