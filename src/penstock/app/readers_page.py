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
_SHARD_CHARS = 8

_SHARD_COLUMNS = {
    "readers": "Readers",
    "calls": "Calls",
    "records": "Records",
    "bytes": "Bytes",
    "over two": "CallsBeyondReaders",
    "over rate": "CallsBeyondRate",
    "refused": "CallsThrottled",
}
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
            _print(page)
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


def _print(page: Mapping[str, Sequence[Mapping[str, Any]]]) -> None:
    console = Console(file=sys.stdout, highlight=False)
    if not console.is_terminal:
        console = Console(file=sys.stdout, highlight=False, width=_NOT_A_TERMINAL_COLUMNS)
    if not page["Shards"]:
        console.print("Nobody has read a shard of this server since it started.")
    else:
        console.print(_shards(page["Shards"], whole_ids=console.width >= _SHARD_ID_COLUMNS))
    if page["Actions"]:
        console.print()
        console.print(_actions(page["Actions"]))


def _shards(rows: Sequence[Mapping[str, Any]], *, whole_ids: bool) -> Table:
    table = _table(("table", "shard"), _SHARD_COLUMNS)
    for row in rows:
        shard = str(row["ShardId"])
        named = (str(row["TableName"]), shard if whole_ids else shard[-_SHARD_CHARS:])
        _add(table, named, row, _SHARD_COLUMNS)
    return table


def _actions(rows: Sequence[Mapping[str, Any]]) -> Table:
    table = _table(("action", "region"), _ACTION_COLUMNS)
    for row in rows:
        _add(table, (str(row["Action"]), str(row["Region"])), row, _ACTION_COLUMNS)
    return table


def _table(names: Sequence[str], columns: Mapping[str, str]) -> Table:
    table = Table(box=SIMPLE_HEAD, padding=0, show_edge=False)
    for name in names:
        table.add_column(name, overflow="fold", min_width=_SHARD_CHARS)
    for name in columns:
        table.add_column(name, justify="right", no_wrap=" " not in name)
    return table


def _add(
    table: Table, names: Sequence[str], row: Mapping[str, Any], columns: Mapping[str, str]
) -> None:
    counts = [
        decimal(row[member]) if member == "Bytes" else f"{row[member]:,}"
        for member in columns.values()
    ]
    table.add_row(*(printable(name) for name in names), *counts)
