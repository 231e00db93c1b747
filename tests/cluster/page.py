"""The page docs/cluster.md taken to pieces: its files, and its commands by section and machine.

A file is a block whose first line is a comment with its name, and for which machine it is where
others have another. A command is a line of a console block: the machine, `$`, and what is typed.
"""

import re
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "cluster.md"

_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_NAME = re.compile(r"(?:#|--) (\S+?)(?: on (\w+))?(?::.*)?\n")
_COMMAND = re.compile(r"(\w+)\$ (.+)")
_HEADING = re.compile(r"^##+ (.+)$", re.MULTILINE)
_LANGUAGES = {"ini", "text", "sh", "sql", "haproxy"}
_PICTURES = {"mermaid"}


class File(NamedTuple):
    """A file of the page; `machine` is empty where it is for more than one."""

    name: str
    machine: str
    body: str


class Command(NamedTuple):
    """A command of the page."""

    section: str
    machine: str
    text: str


def files(text: str) -> list[File]:
    """Return the files of a page."""
    found: list[File] = []
    for language, body in _BLOCK.findall(text):
        if language in _LANGUAGES:
            named = _NAME.match(body)
            assert named, f"a block begins with no name: {body[:60]!r}"
            found.append(File(named[1], named[2] or "", body))
        else:
            assert language in _PICTURES | {"console"}, language
    return found


def commands(text: str) -> list[Command]:
    """Return the commands of a page, in their order."""
    found: list[Command] = []
    titles = _HEADING.split(text)[1:]
    for title, part in zip(titles[::2], titles[1::2], strict=True):
        for language, body in _BLOCK.findall(part):
            for line in body.splitlines() if language == "console" else ():
                typed = _COMMAND.fullmatch(line)
                assert typed, f"no command: {line!r}"
                found.append(Command(title, typed[1], typed[2]))
    return found
