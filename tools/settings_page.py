"""Writes `docs/settings.md` out of the table of settings: `make docs`."""

from collections.abc import Sequence
from pathlib import Path

from penstock.app.settings import SETTINGS, Setting

PAGE = Path(__file__).resolve().parent.parent / "docs" / "settings.md"

_INTRODUCTION = """# Settings of `penstock serve`

A flag wins over its environment variable, and that over the default. The flag of a setting that is
on or off means on where it stands alone. A setting that makes no sense stops the server before it
touches anything. This page is written by `make docs` from `src/penstock/app/settings.py`.

| flag | environment | default | unit | meaning |
|---|---|---|---|---|
"""


def page(settings: Sequence[Setting]) -> str:
    """Return the text of the page."""
    return _INTRODUCTION + "".join(f"{_row(setting)}\n" for setting in settings)


def _row(setting: Setting) -> str:
    default = f"`{setting.default}`" if setting.default else "none"
    cells = (f"`{setting.flag}`", f"`{setting.variable}`", default, setting.unit, setting.help)
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def main() -> None:
    """Write the page."""
    PAGE.write_text(page(SETTINGS), "utf-8")


if __name__ == "__main__":
    main()
