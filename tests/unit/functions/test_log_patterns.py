"""Filter patterns of logs: each part of the grammar both ways, and what is refused."""

import time

import pytest

from penstock.base.errors.api import ApiError
from penstock.functions.log_patterns import line_filter


def found(pattern: str, line: str) -> bool:
    matches = line_filter(pattern)
    return matches is None or matches(line)


@pytest.mark.parametrize(
    ("pattern", "line", "wanted"),
    [
        ("", "anything", True),
        ("  ", "", True),
        ("ERROR", "[ERROR 400] BAD REQUEST", True),
        ("ERROR", "[error 400] BAD REQUEST", False),
        ("ERROR", "TERRORS", True),
        ("ERROR REQUEST", "REQUEST ERROR", True),
        ("ERROR REQUEST", "ERROR", False),
        ('"ERROR 400"', "[ERROR 400]", True),
        ('"ERROR 400"', "[400 ERROR]", False),
        (r'"a \"b\" \\c"', 'a "b" \\c', True),
        ('""', "anything", True),
        ("?ERROR ?WARN", "a WARN", True),
        ("?ERROR ?WARN", "an INFO", False),
        ('?"ERROR 1" ?WARN', "ERROR 1", True),
        ("ERROR -EXITING", "ERROR", True),
        ("ERROR -EXITING", "ERROR EXITING", False),
        ('-"a b"', "a c b", True),
        ('-"a b"', "a b", False),
        ("?ERROR REQUEST", "REQUEST", True),
        ("?ERROR REQUEST", "ERROR", False),
        ("under_score 42", "42 under_score", True),
        ("é", "café", True),
    ],
)
def test_terms(pattern: str, line: str, wanted: bool) -> None:
    assert found(pattern, line) is wanted


DOCUMENT = (
    '{"type": "UpdateTrail", "ip": "123.123.45.6", "list": [{"id": 1}, {"id": 2}], "n": 4.5,'
    ' "null": null, "yes": true, "no": false, "deep": {"a-b": {"c": "x"}}, "a.b": 7, "code": 404}'
)


@pytest.mark.parametrize(
    ("pattern", "wanted"),
    [
        ('{ $.type = "UpdateTrail" }', True),
        ("{ $.type = UpdateTrail }", True),
        ("{$.type=UpdateTrail}", True),
        ('{ $.type = "Update*" }', True),
        ('{ $.type = "*date*rail" }', True),
        ('{ $.type = "*dat*x*" }', False),
        ('{ $.type = "Update" }', False),
        ('{ $.type = "UpdateTrail*UpdateTrail" }', False),
        ('{ $.type != "UpdateTrail" }', False),
        ('{ $.type != "Other" }', True),
        ('{ $.none != "Other" }', False),
        ("{ $.ip = 123.123.* }", True),
        ("{ $.ip != 123.123.* }", False),
        ("{ $.list[1].id = 2 }", True),
        ("{ $.list[2].id = 2 }", False),
        ("{ $.list.id = 2 }", False),
        ("{ $.n = 4.5 }", True),
        ("{ $.n = 45e-1 }", True),
        ("{ $.n != 4.5 }", False),
        ("{ $.n > 4 }", True),
        ("{ $.n > 4.5 }", False),
        ("{ $.n >= 4.5 }", True),
        ("{ $.n < 4.5 }", False),
        ("{ $.n <= 4.5 }", True),
        ("{ $.type > 4 }", False),
        ("{ $.yes = 1 }", False),
        ("{ $.code = 4* }", True),
        ("{ $.code = 5* }", False),
        ("{ $.null IS NULL }", True),
        ("{ $.none IS NULL }", False),
        ("{ $.yes IS TRUE }", True),
        ("{ $.no IS TRUE }", False),
        ("{ $.no IS FALSE }", True),
        ("{ $.none NOT EXISTS }", True),
        ("{ $.null NOT EXISTS }", False),
        ("{ $.deep.a-b.c = x }", True),
        ("{ $['a.b'] = 7 }", True),
        ('{ $.deep["a-b"].c = "x" }', True),
        ("{ $.n = 1 || $.code = 404 && $.yes IS TRUE }", True),
        ("{ ($.n = 1 || $.code = 404) && $.no IS TRUE }", False),
        ("{ $.n = 4.5 || $.n = 1 && $.n = 2 }", True),
        ("{ ($.n = 4.5) && ($.code = 404) }", True),
    ],
)
def test_members(pattern: str, wanted: bool) -> None:
    assert found(pattern, DOCUMENT) is wanted


@pytest.mark.parametrize("line", ["no JSON", "", "5", '"text"', "{", "[" * 100_000])
def test_a_line_that_is_no_object_matches_no_pattern_in_braces(line: str) -> None:
    assert not found("{ $.a NOT EXISTS }", line)


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("a:b", "Invalid character(s) in term 'a:b'"),
        ("ok a.b", "Invalid character(s) in term 'a.b'"),
        ('"open', "Invalid character(s) in term '\"open'"),
        ('"a"b', "Invalid character(s) in term '\"a\"b'"),
        ("- a", "Invalid character(s) in term '-'"),
        ("?", "Invalid character(s) in term '?'"),
        ("%a%", "regular expressions are not supported by this release"),
        ("[a, b]", "patterns of fields with spaces between them are not supported"),
        ("[a", "If a filter pattern starts with '[' it must end with ']'"),
        ("{ $.a = 1", "If a filter pattern starts with '{' it must end with '}'"),
        ("{", "If a filter pattern starts with '{' it must end with '}'"),
        ("{ }", "'}' is not expected there"),
        ("{ $.a }", "'}' is not expected there"),
        ("{ $.a = }", "'}' is not expected there"),
        ("{ $.a = 1 $.b = 2 }", "'$.b' is not expected there"),
        ("{ ($.a = 1 }", "'}' is not expected there"),
        ("{ $.a = 1 && }", "'}' is not expected there"),
        ("{ a = 1 }", "'a' is not expected there"),
        ("{ $.a IS MAYBE }", "'MAYBE' is not expected there"),
        ("{ $.a NOT NULL }", "'NULL' is not expected there"),
        ('{ $.a > "b" }', "'>' needs a number"),
        ("{ $.a = %b% }", "regular expressions are not supported by this release"),
        ("{ $.a[*] = 1 }", "'[*]' is not expected there"),
        ("{ $ = 1 }", "'$' is not expected there"),
        ("{ $.a = 1 & $.b = 2 }", "Invalid character(s) at '& $.b = 2'"),
        ("{ " + "(" * 100 + "$.a = 1" + ")" * 100 + " }", "it is nested too deeply"),
    ],
)
def test_what_is_no_pattern_is_refused(pattern: str, text: str) -> None:
    with pytest.raises(ApiError) as refused:
        line_filter(pattern)
    assert refused.value.code == "InvalidParameterException"
    assert refused.value.message is not None
    assert refused.value.message.startswith(f"Invalid filter pattern: {text}")


def test_many_wildcards_take_no_longer_than_the_line() -> None:
    """A regular expression would take years."""
    pattern = "{ $.a = " + "x*" * 400 + "y }"
    begun = time.process_time()
    assert not found(pattern, '{"a": "' + "x" * 250_000 + '"}')
    assert time.process_time() - begun < 5
