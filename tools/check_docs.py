"""Finds what the written part of the repository gets wrong.

Relative links lead somewhere, no page says a thing twice, decisions are numbered without gaps, the
changelog knows the current version, and nothing names a place on somebody's own machine or network.
"""

import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

ROOT = Path(__file__).resolve().parent.parent
DECISIONS = ROOT / "docs" / "decisions"

_FENCE = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"`[^`\n]*`")
_LINK = re.compile(r"\]\(\s*<?([^)\s>]+)>?[^)]*\)")
_HEADING = re.compile(r"^#+\s+(.*?)\s*#*$", re.MULTILINE)
_DECISION = re.compile(r"(\d{4})-[a-z0-9-]+\.md")

_PRIVATE = (
    (re.compile(r"(?<![\w.$}~/-])/(?:work|home|root|Users|mnt)/[\w.-]+"), "a path of one machine"),
    (re.compile(r"://[\w.-]+\.(?:corp|internal|intra|lan|local)\b"), "a private host"),
)
_PUBLIC = re.compile(r"://host\.docker\.internal\b")

_READ_SUFFIXES = frozenset(
    {"", ".cfg", ".ini", ".json", ".lock", ".md", ".mjs", ".py", ".sh", ".toml"}
)
_ROOMS = (".ci", "bench", "docs", "examples", "requirements", "src", "tests", "tools")


def pages() -> list[Path]:
    """Return every page of documentation."""
    return sorted([*ROOT.glob("*.md"), *below("docs", "*.md"), *below("examples", "*.md")])


def below(room: str, names: str) -> Iterator[Path]:
    """Yield the files of a room that have such names, without what an example has installed."""
    for path in (ROOT / room).rglob(names):
        if path.is_file() and "node_modules" not in path.parts:
            yield path


def files() -> list[Path]:
    """Return every file that is part of the repository and can be read as text."""
    # `.git` is a file in a work tree beside another one, and says where that is.
    own = [
        path
        for path in ROOT.iterdir()
        if path.is_file() and path.name != ".git" and not path.name.startswith(".venv")
    ]
    all_files = [*own, *(path for room in _ROOMS for path in below(room, "*"))]
    return sorted(path for path in all_files if path.suffix in _READ_SUFFIXES)


def broken_links(page: Path, text: str) -> Iterator[str]:
    """Yield each relative link of `page` (with content `text`) that leads nowhere."""
    for target in _LINK.findall(_CODE.sub("", _FENCE.sub("", text))):
        if re.match(r"[a-z][a-z0-9+.-]*:", target):
            continue
        path_part, _, anchor = unquote(target).partition("#")
        goal = (page.parent / path_part).resolve() if path_part else page
        if not goal.exists():
            yield f"{_name(page)}: the link {target} leads nowhere"
        elif anchor and goal.suffix == ".md" and anchor not in anchors(goal.read_text("utf-8")):
            yield f"{_name(page)}: {_name(goal)} has no heading for #{anchor}"


def anchors(text: str) -> set[str]:
    """Return the anchors that the headings of a page have (as GitHub makes them)."""
    titles = _HEADING.findall(_FENCE.sub("", text))
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def doubled(page: Path, text: str) -> Iterator[str]:
    """Yield each heading below the same one, and each row of a table, that a page has twice.

    Two hands that move the same section leave that behind.
    """
    seen: set[tuple[str, ...]] = set()
    above: list[str] = []
    lines = _FENCE.sub("", text).splitlines()
    for line, following in zip(lines, [*lines[1:], ""], strict=True):
        found = re.match(r"(#+) ", line)
        if found is not None:
            above = [*above[: len(found[1]) - 1], line]
        elif not line.startswith("| ") or re.match(r"\|[-:| ]+$", following):
            continue
        key = tuple(above) if found is not None else (line,)
        if key in seen:
            yield f"{_name(page)}: twice on the page: {line[:80]}"
        seen.add(key)


def misnumbered(names: list[str]) -> Iterator[str]:
    """Yield what is wrong with the names of the decisions: 0001-like-this.md, without gaps."""
    for expected, name in enumerate(sorted(names), 1):
        found = _DECISION.fullmatch(name)
        if found is None:
            yield f"docs/decisions/{name}: the name is not NNNN-words.md"
        elif int(found[1]) != expected:
            yield f"docs/decisions/{name}: number {expected:04d} is missing or used twice"


def unlisted_version(changelog: str, version: str) -> Iterator[str]:
    """Yield a problem if the changelog has no section for the current version."""
    if re.search(rf"^## \[?{re.escape(version)}\b", changelog, re.MULTILINE) is None:
        yield f"CHANGELOG.md: no section for version {version}"


def private_words(name: str, text: str) -> Iterator[str]:
    """Yield each word of a file that names a place only its author can see."""
    for number, line in enumerate(text.splitlines(), 1):
        for pattern, what in _PRIVATE:
            found = pattern.search(_PUBLIC.sub("", line))
            if found is not None:
                yield f"{name}:{number}: {found[0]} is {what}"


def problems() -> Iterator[str]:
    """Yield everything that is wrong, one line each."""
    for page in pages():
        yield from broken_links(page, page.read_text("utf-8"))
        yield from doubled(page, page.read_text("utf-8"))
    yield from misnumbered([path.name for path in DECISIONS.glob("*.md")])
    yield from _version_problems()
    for path in files():
        yield from private_words(_name(path), path.read_text("utf-8"))


def _version_problems() -> Iterator[str]:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    changelog = ROOT / "CHANGELOG.md"
    yield from unlisted_version(changelog.read_text("utf-8") if changelog.exists() else "", version)
    if f'__version__ = "{version}"' not in (ROOT / "src/penstock/__init__.py").read_text("utf-8"):
        yield f"src/penstock/__init__.py: __version__ is not {version} as in pyproject.toml"


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def main() -> int:
    """Check the documentation; return the exit status."""
    found = list(problems())
    print("\n".join(found))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
