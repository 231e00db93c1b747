"""The work of `penstock readers`: ask the server for its page of readers, and print it."""

import argparse
import http.client
import json
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.filesize import decimal
from rich.table import Table

from penstock.app.difference import printable
from penstock.app.output import forget
from penstock.app.own_server import EndpointError, OwnServer
from penstock.base import limits

_PATH = "/_penstock/readers"
_NOT_A_TERMINAL_COLUMNS = 10_000  # one line per shard, whatever its length
_SHARD_ID_COLUMNS = 120  # a screen as wide as that has room for whole shard ids
_SHARD_CHARS = 8  # of the id's end, on a narrower one
_NAME_CHARS_MIN = 8

_SHARD_COLUMNS = {
    "readers": "Readers",
    "calls": "Calls",
    "records": "Records",
    "bytes": "Bytes",
    "over two": "CallsBeyondReaders",
    "over rate": "CallsBeyondRate",
    "refused": "CallsThrottled",
}
_LESS_NEEDED = ("bytes", "records", "calls")
"""What is left out of a narrow screen, in this order."""
_ACTION_COLUMNS = {
    "calls": "Calls",
    "over rate": "CallsBeyondRate",
    "refused": "CallsThrottled",
}


def show(arguments: argparse.Namespace) -> int:
    """Print the page of the server that `arguments` name; return the exit code."""
    try:
        page = fetch_page(arguments.endpoint_url)
    except EndpointError as failure:
        print(f"penstock readers: {failure}", file=sys.stderr)  # noqa: T201 - its own output
        return 1
    try:
        if arguments.json:
            sys.stdout.write(json.dumps(page) + "\n")
        else:
            print_page(page, _console())
        sys.stdout.flush()
    except BrokenPipeError:
        forget(sys.stdout)
    except OSError as failure:
        forget(sys.stdout)
        text = f"penstock readers: cannot write: {failure.strerror or failure}"
        print(text, file=sys.stderr)  # noqa: T201 - its own output
        return 1
    return 0


def fetch_page(url: str) -> dict[str, Any]:
    """Return the page of readers of the server at `url`.

    Raises `EndpointError`, one line for a person, where there is no server or it has no such page.
    """
    status, body = OwnServer(url).get(_PATH, seconds_max=limits.readers_answer_seconds_max)
    return _page_of(url, status, body)


def _page_of(url: str, status: int, body: bytes) -> dict[str, Any]:
    try:
        page = json.loads(body) if status == http.client.OK else None
    except ValueError:
        page = None
    if not isinstance(page, dict) or not {"Shards", "Actions"} <= page.keys():
        raise EndpointError(f"{url} has no page of readers: it is no Penstock, or an older one")
    return page


def _console() -> Console:
    console = Console(file=sys.stdout, highlight=False)
    if console.is_terminal:
        return console
    return Console(file=sys.stdout, highlight=False, width=_NOT_A_TERMINAL_COLUMNS)


def print_page(page: Mapping[str, Sequence[Mapping[str, Any]]], console: Console) -> None:
    """Print the counts of the shards and actions of `page` as tables.

    Where the console is too narrow for all counts of a shard, the first of bytes, records and calls
    are left out, and it says so.
    """
    if page["Shards"]:
        _print_shards(page["Shards"], console)
    else:
        console.print("Nobody has read a shard of this server since it started.")
    if page["Actions"]:
        console.print()
        _print_actions(page["Actions"], console)


def _print_shards(rows: Sequence[Mapping[str, Any]], console: Console) -> None:
    chars = 0 if console.width >= _SHARD_ID_COLUMNS else _SHARD_CHARS
    names = [(str(row["TableName"]), str(row["ShardId"])[-chars:]) for row in rows]
    ids_min = max(len(shard) for _, shard in names)
    counts_max = console.width - _NAME_CHARS_MIN - 1 - ids_min
    columns = dict(_SHARD_COLUMNS)
    left_out: list[str] = []
    stacked = _counts_width(rows, columns, stacked=False) > counts_max
    for name in _LESS_NEEDED:
        if _counts_width(rows, columns, stacked=stacked) <= counts_max:
            break
        del columns[name]
        left_out.append(name)
    table = _table(("table", "shard"), columns, stacked=stacked)
    table.columns[1].no_wrap = True
    for named, row in zip(names, rows, strict=True):
        _add(table, named, row, columns)
    console.print(table)
    if left_out:
        console.print(f"Too narrow for: {', '.join(left_out)}.")


def _print_actions(rows: Sequence[Mapping[str, Any]], console: Console) -> None:
    counts_max = console.width - 2 * _NAME_CHARS_MIN - 1
    stacked = _counts_width(rows, _ACTION_COLUMNS, stacked=False) > counts_max
    table = _table(("action", "region"), _ACTION_COLUMNS, stacked=stacked)
    for row in rows:
        _add(table, (str(row["Action"]), str(row["Region"])), row, _ACTION_COLUMNS)
    console.print(table)


def _counts_width(
    rows: Sequence[Mapping[str, Any]], columns: Mapping[str, str], *, stacked: bool
) -> int:
    """Return how wide the counts are, each with the space before it."""
    return sum(
        1
        + max(
            *(len(line) for line in _header(name, stacked=stacked).splitlines()),
            *(len(_count(row, member)) for row in rows),
        )
        for name, member in columns.items()
    )


def _header(name: str, *, stacked: bool) -> str:
    return name.replace(" ", "\n") if stacked else name


def _table(names: Sequence[str], columns: Mapping[str, str], *, stacked: bool) -> Table:
    """Return an empty table, whose names are folded and whose counts are not."""
    table = Table(box=SIMPLE_HEAD, padding=0, show_edge=False)
    for name in names:
        table.add_column(name, overflow="fold", min_width=_NAME_CHARS_MIN)
    for name in columns:
        table.add_column(_header(name, stacked=stacked), justify="right", no_wrap=True)
    return table


def _add(
    table: Table, names: Sequence[str], row: Mapping[str, Any], columns: Mapping[str, str]
) -> None:
    counts = (_count(row, member) for member in columns.values())
    table.add_row(*(printable(name) for name in names), *counts)


def _count(row: Mapping[str, Any], member: str) -> str:
    return decimal(row[member]) if member == "Bytes" else f"{row[member]:,}"
