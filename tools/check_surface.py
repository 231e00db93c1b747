"""Finds what users can call but cannot read about, and actions without their own wire test.

The surface is the server's actions, the commands, the settings and the metrics, taken from the
program's own tables.
"""

import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from check_docs import pages
from penstock.app.cli import COMMANDS
from penstock.app.metrics import NAMES as METRICS
from penstock.app.settings import SETTINGS
from penstock.operations.registry import ACTIONS, CONTROLS, LOG_ACTIONS, REST_ACTIONS
from settings_page import PAGE, page

ROOT = Path(__file__).resolve().parent.parent


def undocumented(names: Iterable[str], text: str) -> Iterator[str]:
    """Yield each of `names` that `text`, all pages together, does not hold as words of its own."""
    for name in sorted(names):
        if re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", text) is None:
            yield f"{name} is in no page of README.md and docs/"


def untested(modules: Iterable[str], test_files: Iterable[str]) -> Iterator[str]:
    """Yield each action's module that has no test file named after it."""
    present = set(test_files)
    for module in sorted(modules):
        if f"test_{module}.py" not in present:
            yield f"tests/wire: no test_{module}.py for the action {module}"


def problems() -> Iterator[str]:
    """Yield everything that is missing, one line each."""
    text = "\n".join(each.read_text("utf-8") for each in pages())
    tables = [*ACTIONS.values(), REST_ACTIONS, LOG_ACTIONS, CONTROLS]
    actions = {name for modules in tables for name in modules}
    yield from undocumented(actions, text)
    yield from undocumented((f"penstock {command}" for command in COMMANDS), text)
    yield from undocumented(METRICS, text)
    if not PAGE.exists() or PAGE.read_text("utf-8") != page(SETTINGS):
        yield "docs/settings.md is not what the settings say: run `make docs`"
    modules = {
        module.__name__.rpartition(".")[2] for modules in tables for module in modules.values()
    }
    yield from untested(modules, (path.name for path in (ROOT / "tests/wire").rglob("test_*.py")))


def main() -> int:
    """Check the surface; return the exit status."""
    found = list(problems())
    print("\n".join(found))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
