"""Finds time, randomness and environment taken from anywhere but `penstock.base`.

That they come from one place is what makes the simulation possible. Timers of the event loop are
fine: a simulated loop brings its own. What runs in the processes of workers has no base.
"""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "src" / "penstock"

MODULES = frozenset({"random", "secrets", "time", "uuid"})
NAMES_OF = {
    "os": frozenset({"environ", "environb", "getenv", "getenvb", "getrandom", "urandom"}),
    "date": frozenset({"today"}),
    "datetime": frozenset({"now", "today", "utcnow"}),
}


def taken_elsewhere(text: str) -> Iterator[tuple[int, str]]:
    """Yield (line, what) for each use in a module's `text` that belongs into base."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, each.name) for each in node.names if each.name in MODULES)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield from ((node.lineno, what) for what in _imported_from(node))
        elif isinstance(node, ast.Attribute) and node.attr in NAMES_OF.get(_last_name(node), ()):
            yield node.lineno, f"{_last_name(node)}.{node.attr}"


def _imported_from(node: ast.ImportFrom) -> Iterator[str]:
    module = node.module or ""
    if module in MODULES:
        yield module
    for each in node.names:
        if each.name in NAMES_OF.get(module, ()):
            yield f"{module}.{each.name}"


def _last_name(node: ast.Attribute) -> str:
    """Return `datetime` for `datetime.now` as for `datetime.datetime.now`."""
    owner = node.value
    if isinstance(owner, ast.Attribute):
        return owner.attr
    return owner.id if isinstance(owner, ast.Name) else ""


def problems_of(package: Path) -> Iterator[str]:
    """Yield every such use outside base in the modules of `package`."""
    for path in sorted(package.rglob("*.py")):
        name = path.relative_to(package).as_posix()
        if name.startswith(("base/", "functions/in_worker/")):
            continue
        for line, what in taken_elsewhere(path.read_text("utf-8")):
            yield f"src/penstock/{name}:{line}: {what} comes through penstock.base"


def main() -> int:
    """Check the package; return the exit status."""
    problems = list(problems_of(PACKAGE))
    print("\n".join(problems))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
