"""The work of `penstock mappings`: ask the server for its mappings, and show them as a table."""

import argparse
import http.client
import sys
import threading
from collections.abc import Sequence

import msgspec
from rich.box import SIMPLE_HEAD
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from penstock.app.difference import printable
from penstock.app.mappings_page import MAPPINGS_PATH, MappingRow, MappingsPage
from penstock.app.output import forget
from penstock.app.own_server import EndpointError, OwnServer
from penstock.base import limits
from penstock.base.clock import Clock, SystemClock

_NOT_A_TERMINAL_COLUMNS = 10_000  # one line per mapping, whatever its length
_NUMBERS = ("lag", "seconds", "in flight", "retries")
_NAME_CHARS_MIN = 8
_ERROR_CHARS_MIN = 10
_MS_PER_UNIT = (("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000))


def show(arguments: argparse.Namespace) -> int:
    """Show the mappings of the server that `arguments` name; return the exit code."""
    try:
        rows = fetch_mappings(arguments.endpoint_url)
    except EndpointError as failure:
        return _failed(str(failure))
    console = _console()
    try:
        if arguments.json:
            sys.stdout.write(msgspec.json.encode(MappingsPage(list(rows))).decode() + "\n")
        elif arguments.once or not console.is_terminal:
            console.print(as_table(rows, SystemClock()))
        else:
            _follow(arguments.endpoint_url, rows, console)
        sys.stdout.flush()
    except BrokenPipeError:
        forget(sys.stdout)
    except OSError as failure:
        forget(sys.stdout)
        return _failed(f"cannot write: {failure.strerror or failure}")
    return 0


def fetch_mappings(url: str) -> Sequence[MappingRow]:
    """Return the rows of the page of mappings of the server at `url`.

    Raises `EndpointError`, one line for a person, where there is no server or it has no such page.
    """
    status, body = OwnServer(url).get(MAPPINGS_PATH, seconds_max=limits.mappings_answer_seconds_max)
    try:
        if status != http.client.OK:
            raise msgspec.ValidationError(f"status {status}")
        return msgspec.json.decode(body, type=MappingsPage).mappings
    except msgspec.DecodeError as error:
        text = f"{url} has no page of mappings: it is no Penstock, or an older one"
        raise EndpointError(text) from error


def as_table(rows: Sequence[MappingRow], clock: Clock) -> RenderableType:
    """Return the rows as a table of one line each, unless a narrow screen folds it."""
    if not rows:
        return Text("This server has no event source mappings.")
    table = Table(box=SIMPLE_HEAD, padding=0, show_edge=False)
    for name in ("function", "source", "state"):
        table.add_column(name, overflow="fold", min_width=_NAME_CHARS_MIN)
    for name in _NUMBERS:
        table.add_column(name.replace(" ", "\n"), justify="right", no_wrap=True)
    table.add_column("last error", overflow="fold", min_width=_ERROR_CHARS_MIN)
    for row in rows:
        table.add_row(*map(printable, _cells(row, clock)))
    return table


def _cells(row: MappingRow, clock: Clock) -> tuple[str, ...]:
    lag = f"{row.lag_records:,}" + ("+" if row.lag_is_more else "")
    seconds = "" if row.lag_seconds is None else f"{row.lag_seconds:,.1f}"
    error = ""
    if row.last_error_ms:
        error = f"{_ago(clock.now_ms() - row.last_error_ms)}: {row.last_error}"
    return (
        _function(row.function_arn),
        _source(row.event_source_arn),
        row.state,
        lag,
        seconds,
        f"{row.in_flight:,}",
        f"{row.retries:,}",
        error,
    )


def _function(arn: str) -> str:
    """Return the name of a function, with its version or alias."""
    return ":".join(arn.split(":")[6:]) or arn


def _source(arn: str) -> str:
    """Return the name of the table that a stream is of."""
    return arn.split("/")[1] if "/stream/" in arn else arn


def _ago(ms: int) -> str:
    for unit, unit_ms in _MS_PER_UNIT:
        if ms >= unit_ms:
            return f"{ms // unit_ms} {unit} ago"
    return "now"


def _follow(url: str, rows: Sequence[MappingRow], console: Console) -> None:
    """Show the table anew all the time, until interrupted; what fails meanwhile stands below it."""
    clock, pause = SystemClock(), threading.Event()
    with Live(as_table(rows, clock), console=console, auto_refresh=False) as live:
        while True:
            live.refresh()
            pause.wait(limits.mappings_refresh_seconds)
            try:
                rows, trouble = fetch_mappings(url), ""
            except EndpointError as failure:
                trouble = str(failure)
            table = as_table(rows, clock)
            live.update(Group(table, Text(trouble)) if trouble else table)


def _console() -> Console:
    console = Console(file=sys.stdout, highlight=False)
    if console.is_terminal:
        return console
    return Console(file=sys.stdout, highlight=False, width=_NOT_A_TERMINAL_COLUMNS)


def _failed(text: str) -> int:
    print(f"penstock mappings: {text}", file=sys.stderr)  # noqa: T201 - a command's own output
    return 1
