"""How `penstock tail` shows a change: as a coloured difference for people, as JSON for programs.

Both write one change at a time and flush it, and let BrokenPipeError through to the caller.
"""

import base64
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol, TextIO

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from penstock.app.difference import (
    Difference,
    Edit,
    Kind,
    path_name,
    printable,
    record_difference,
    shortened,
    shortened_pair,
    value_text,
)
from penstock.app.feed import Change

_PLAIN_COLUMNS = 10_000  # not a terminal: one line per edit, whatever its length
_PATH_COLUMNS_MAX = 32
_SHARD_CHARS = 8

_BADGES = {
    "INSERT": ("INSERT", "bold black on green"),
    "MODIFY": ("MODIFY", "bold black on yellow"),
    "REMOVE": ("REMOVE", "bold white on red"),
}
_STYLES = {Kind.ADDED: "green", Kind.REMOVED: "red", Kind.CHANGED: "yellow", Kind.SHOWN: "cyan"}


class Printer(Protocol):
    """Where a feed's changes go."""

    def opening(self, text: str, key_names: Sequence[str]) -> None: ...

    def change(self, change: Change) -> None: ...

    def notice(self, text: str) -> None: ...


class JsonPrinter:
    """One record per line, as GetRecords gave it on the wire; notices go to `errors`."""

    def __init__(self, output: TextIO, errors: TextIO) -> None:
        self._output = output
        self._errors = errors

    def opening(self, text: str, key_names: Sequence[str]) -> None:
        """Print nothing: the output holds records only."""

    def change(self, change: Change) -> None:
        """Print the record of `change` and flush it."""
        self._output.write(record_json(change.record) + "\n")
        self._output.flush()

    def notice(self, text: str) -> None:
        """Print a line on stderr: whoever reads the records has to hear that some are missing."""
        print(f"penstock tail: {printable(text)}", file=self._errors, flush=True)


class ScreenPrinter:
    """A header line per change and a line per edit; colours and width as the terminal has them."""

    def __init__(self, output: TextIO, errors: TextIO) -> None:
        self._console = _Screen(file=output, highlight=False, soft_wrap=True)
        self._errors = _Screen(file=errors, highlight=False, soft_wrap=True)
        self._key_names: Sequence[str] = ()
        self._columns = self._console.width if self._console.is_terminal else _PLAIN_COLUMNS

    def opening(self, text: str, key_names: Sequence[str]) -> None:
        """Tell on stderr what is being watched, so that stdout holds changes only."""
        self._key_names = key_names
        self._errors.print(Text.assemble(("▶ ", "bold cyan"), (printable(text), "dim")))

    def change(self, change: Change) -> None:
        """Print `change` and flush it."""
        difference = record_difference(change.record)
        lines = [header_line(change, self._key_names, self._columns), *_edit_lines(difference)]
        self._console.print(Text("\n").join(lines))
        self._console.file.flush()

    def notice(self, text: str) -> None:
        """Print a dim line on stderr."""
        self._errors.print(Text(f"  {printable(text)}", "dim italic"))


class _Screen(Console):
    def on_broken_pipe(self) -> None:
        """Leave it to the command what a closed pipe means."""
        raise BrokenPipeError


def record_json(record: Mapping[str, Any]) -> str:
    """Return a record of boto3 as the JSON on the wire: binary as base64, times as seconds."""
    return json.dumps(record, ensure_ascii=False, separators=(",", ":"), default=_wire_value)


def header_line(change: Change, key_names: Sequence[str], columns: int) -> Text:
    """Return time, event and keys of `change`, and to the right its shard and sequence number.

    `key_names` is the order of the keys; `columns` is the width of the screen.
    """
    record, body = change.record, change.record["dynamodb"]
    badge, style = _BADGES.get(record["eventName"], (printable(str(record["eventName"])), "bold"))
    left = Text.assemble((_time_text(body), "dim"), " ", (f" {badge} ", style), " ")
    keys = body.get("Keys", {})
    for name in key_names:
        if name in keys:
            left.append(f" {path_name(name)} ", "dim")
            left.append(shortened(value_text(keys[name])), "bold")
    if "userIdentity" in record:
        left.append("  expired by time to live", "magenta")
    right = Text(f"{_shard_text(change.shard_id)} · {body['SequenceNumber']}", "dim")
    gap = columns - left.cell_len - right.cell_len
    fits = 2 <= gap < _PLAIN_COLUMNS // 2
    return Text.assemble(left, " " * (gap if fits else 2), right)


def _edit_lines(difference: Difference) -> list[Text]:
    widest = max((cell_len(edit.path) for edit in difference.edits), default=0)
    pad = min(widest, _PATH_COLUMNS_MAX)
    lines = [_edit_line(edit, pad) for edit in difference.edits]
    if difference.unchanged:
        lines.append(Text(f"    {difference.unchanged} unchanged", "dim"))
    if difference.note:
        lines.append(Text(f"    {difference.note}", "dim italic"))
    return lines


def _edit_line(edit: Edit, pad: int) -> Text:
    style = _STYLES[edit.kind]
    line = Text.assemble((f"  {edit.kind.value} ", f"bold {style}"), (edit.path, style))
    line.append(" " * max(pad - cell_len(edit.path), 0) + "  ")
    if edit.kind is Kind.CHANGED:
        old, new = shortened_pair(edit.old or "", edit.new or "")
        line.append(old, "red")
        line.append(" → ", "dim")
        line.append(new, "green")
    else:
        line.append(shortened(edit.new or edit.old or ""), style)
    return line


def _time_text(body: Mapping[str, Any]) -> str:
    created = body.get("ApproximateCreationDateTime")
    return (
        created.astimezone().strftime("%H:%M:%S") if isinstance(created, datetime) else "--:--:--"
    )


def _shard_text(shard_id: str) -> str:
    return "…" + shard_id[-_SHARD_CHARS:]


def _wire_value(value: Any) -> Any:
    if isinstance(value, datetime):
        seconds = value.timestamp()
        return int(seconds) if seconds.is_integer() else seconds
    return base64.b64encode(bytes(value)).decode("ascii")
