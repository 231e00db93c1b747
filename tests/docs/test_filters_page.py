"""The page docs/filters.md does what it says: each pattern in its tables is tried on its record."""

import json
import re
from pathlib import Path

import pytest

from penstock.functions.filters import BadPattern, compile_filters

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "filters.md").read_text("utf-8")
_RECORD = re.compile(r"^```json record\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_TABLE = re.compile(r"^\| (pattern|text) \|.*\n\|[-|]+\|\n((?:\|.*\n)+)", re.MULTILINE)
_ROW = re.compile(r"^\| `(.*?)` \| (.*) \|$", re.MULTILINE)


def rows(kind: str) -> list[tuple[str, str]]:
    return [
        row
        for heading, body in _TABLE.findall(PAGE)
        if heading == kind
        for row in _ROW.findall(body)
    ]


def test_every_row_of_every_table_is_read() -> None:
    expected = [line for line in PAGE.splitlines() if line.startswith("| `")]
    assert len(rows("pattern")) + len(rows("text")) == len(expected)
    assert len(expected) > 40


@pytest.mark.parametrize(("pattern", "told"), rows("pattern"))
def test_a_record_passes_or_not_as_the_page_says(pattern: str, told: str) -> None:
    assert re.match(r"(passes|does not pass)(?:$|[:,] )", told)
    found = _RECORD.search(PAGE)
    assert found is not None
    record = found[1]
    passes = told.startswith("passes")
    assert compile_filters([pattern]).matches_bytes(record.encode()) is passes
    assert compile_filters([pattern]).matches(json.loads(record)) is passes


@pytest.mark.parametrize(("text", "_why"), rows("text"))
def test_what_the_page_calls_no_pattern_is_none(text: str, _why: str) -> None:
    with pytest.raises(BadPattern):
        compile_filters([text])
