"""Writes `docs/records.md` out of the cases that the wire tests hold against a server: `make docs`.

With `--check` it only says whether the page is what the cases say.
"""

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import get_args

ROOT = Path(__file__).resolve().parent.parent
sys.path.append(str(ROOT / "tests"))

from wire.record_cases import (  # noqa: E402 - the line above finds it
    CASES,
    EXPIRY,
    SITUATIONS,
    VIEW_TYPES,
    Case,
    Event,
    ViewType,
    images_of,
)

PAGE = ROOT / "docs" / "records.md"

_INTRODUCTION = """# Records: what every write leaves in the stream

A change of an item yields exactly one record, whatever path it came by; a write that changes
nothing yields none. `make docs` writes this page from the cases in `tests/wire/record_cases.py`.
The wire tests hold every case, under each view type, against live servers: the two cannot part.

## Every path, in every situation

"""
_BELOW_WRITES = """
A dash is what cannot happen. An error is the one that the client sees; that of a
BatchExecuteStatement is within its answer. Unchanged is judged by value: `1.0` is `1`, and the
order of the members of a set or a map says nothing.

## What a record shows

Every record has the item's keys, and by the stream's view type:

"""
_BELOW_IMAGES = """
An image is the whole item, keys included. `SizeBytes` counts the keys and the images shown. The
record of an item whose time to live ended has a `userIdentity`,
`{"Type": "Service", "PrincipalId": "dynamodb.amazonaws.com"}`; no other record has that member.
"""


def page(cases: Iterable[Case]) -> str:
    """Return the text of the page."""
    legend = "".join(f"- **{name}**: {meaning}\n" for name, meaning in SITUATIONS.items())
    return (
        f"{_INTRODUCTION}{legend}\n{_writes(list(cases))}{_BELOW_WRITES}{_images()}{_BELOW_IMAGES}"
    )


def cell(cases: Iterable[Case]) -> str:
    """Return what the cases of one path and situation yield, all of them together."""
    known = list(cases)
    told = list(dict.fromkeys(_record(case) for case in known if case.error is None))
    if errors := dict.fromkeys(f"`{case.error}`" for case in known if case.error is not None):
        told.append(f"none, {' or '.join(errors)}")
    return "; ".join(told) or "–"


def _writes(cases: list[Case]) -> str:
    rows = [("write", *SITUATIONS)]
    for path in dict.fromkeys(case.path for case in cases):
        of_path = [case for case in cases if case.path == path]
        cells = (cell(c for c in of_path if c.situation == situation) for situation in SITUATIONS)
        rows.append((path, *cells))
    return _table(rows)


def _record(case: Case) -> str:
    if case.event is None:
        return "none"
    return f"{case.event} by the service" if case.by_service else case.event


def _images() -> str:
    events: tuple[Event, ...] = get_args(Event)
    rows = [
        (f"`{view_type}`", *(_shown(event, view_type) for event in events))
        for view_type in VIEW_TYPES
    ]
    return _table([("view type", *events), *rows])


def _shown(event: Event, view_type: ViewType) -> str:
    return ", ".join(f"`{name}`" for name in images_of(event, view_type)) or "no image"


def _table(rows: list[tuple[str, ...]]) -> str:
    head, *body = ("| " + " | ".join(row) + " |" for row in rows)
    return "\n".join([head, "|" + "---|" * len(rows[0]), *body]) + "\n"


def main(arguments: list[str]) -> int:
    """Write the page, or check it; return the exit status."""
    text = page([*CASES, *EXPIRY])
    if arguments != ["--check"]:
        PAGE.write_text(text, "utf-8")
        return 0
    if PAGE.exists() and PAGE.read_text("utf-8") == text:
        return 0
    print("docs/records.md is not what the cases say: run `make docs`")
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
