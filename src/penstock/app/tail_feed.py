"""The work of `penstock tail`: find the table's stream, read it, give each change to a printer."""

import argparse
import io
import itertools
import sys
from collections.abc import Iterable
from dataclasses import dataclass

from botocore.exceptions import BotoCoreError, ClientError

from penstock.app.endpoint import Endpoint, open_endpoint
from penstock.app.failures import error_code
from penstock.app.feed import Change, Feed, FeedError, Start
from penstock.app.held_reads import HeldReads
from penstock.app.output import forget
from penstock.app.own_server import EndpointError
from penstock.app.tail_print import JsonPrinter, Printer, ScreenPrinter
from penstock.base.clock import SystemClock

_MISSING = {"ResourceNotFoundException", "TableNotFoundException"}


@dataclass(frozen=True, slots=True)
class StreamFound:
    """The stream of a table: its ARN, what each record holds, and the keys, partition key first."""

    arn: str
    view_type: str
    key_names: tuple[str, ...]


def follow(arguments: argparse.Namespace) -> int:
    """Show the changes that `arguments` of `penstock tail` ask for; return the exit code."""
    printer = _printer(arguments.json)
    try:
        endpoint = open_endpoint(arguments.endpoint_url, arguments.region)
        stream = find_stream(endpoint, arguments.table, arguments.start == "start")
        start: Start = "TRIM_HORIZON" if arguments.start == "start" else "LATEST"
        client, clock = endpoint.streams(), SystemClock()
        feed = Feed(
            client,
            stream.arn,
            clock=clock,
            start=start,
            on_notice=printer.notice,
            held_reads=HeldReads(client, clock),
        )
        feed.open()
        printer.opening(_opening_text(arguments, endpoint, stream), stream.key_names)
        _print_all(itertools.islice(feed.changes(), arguments.limit), printer)
        if feed.ended:
            printer.notice("the stream has ended: it was disabled, or its table was deleted")
    except BrokenPipeError:
        forget(sys.stdout)
    except OSError as failure:
        forget(sys.stdout)
        return _failed(f"cannot write: {failure.strerror or failure}")
    except (EndpointError, FeedError) as failure:
        return _failed(str(failure))
    return 0


def _failed(text: str) -> int:
    print(f"penstock tail: {text}", file=sys.stderr)  # noqa: T201 - a command's own output
    return 1


def _printer(as_json: bool) -> Printer:
    if not as_json:
        return ScreenPrinter(sys.stdout, sys.stderr)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8")  # as JSON is, wherever this runs
    return JsonPrinter(sys.stdout, sys.stderr)


def find_stream(endpoint: Endpoint, table: str, from_start: bool) -> StreamFound:
    """Return the stream of `table`; a disabled one only to be read from its start.

    Raises `EndpointError` with one line that says what is missing and how to get it.
    """
    try:
        described = endpoint.tables().describe_table(TableName=table)["Table"]
    except ClientError as failure:
        if error_code(failure) in _MISSING:
            raise EndpointError(f"no table {table!r} in {endpoint.place()}") from failure
        raise EndpointError(endpoint.explain(failure)) from failure
    except BotoCoreError as failure:
        raise EndpointError(endpoint.explain(failure)) from failure
    specification = described.get("StreamSpecification")
    enabled = specification is not None and specification["StreamEnabled"]
    arn = described.get("LatestStreamArn")
    if arn is None or not (enabled or from_start):
        raise EndpointError(_no_stream(endpoint, table))
    view_type = specification.get("StreamViewType") if specification is not None else None
    key_names = tuple(part["AttributeName"] for part in described["KeySchema"])
    return StreamFound(arn, view_type or "disabled stream", key_names)


def _no_stream(endpoint: Endpoint, table: str) -> str:
    place = "" if endpoint.url is None else f" --endpoint-url {endpoint.url}"
    return (
        f"table {table!r} has no stream; enable one with: aws dynamodb update-table"
        f" --table-name {table} --stream-specification"
        f" StreamEnabled=true,StreamViewType=NEW_AND_OLD_IMAGES"
        f" --region {endpoint.region}{place}"
    )


def _opening_text(arguments: argparse.Namespace, endpoint: Endpoint, stream: StreamFound) -> str:
    since = "the oldest record" if arguments.start == "start" else "now"
    return f"{arguments.table}: {stream.view_type} from {since} on, {endpoint.place()}"


def _print_all(changes: Iterable[Change], printer: Printer) -> None:
    for change in changes:
        printer.change(change)
