"""The work of `penstock logs`: find the log of a function, and print its lines."""

import argparse
import re
import sys
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from penstock.app.difference import printable
from penstock.app.endpoint import Endpoint, open_endpoint
from penstock.app.failures import error_code
from penstock.app.logs_feed import Line, LogsFeed
from penstock.app.output import forget
from penstock.app.own_server import EndpointError
from penstock.base.clock import SystemClock, iso_label

_ARN = re.compile(r"arn:[^:]*:lambda:[^:]*:[^:]*:function:([^:]+)(:.+)?")
_OF_FUNCTIONS = "/aws/lambda/"
_STREAM = re.compile(r"\d{4}/\d\d/\d\d/(\[.+\].{8}).*")


def show(arguments: argparse.Namespace) -> int:
    """Print the lines that `arguments` of `penstock logs` ask for; return the exit code."""
    try:
        endpoint = open_endpoint(arguments.endpoint_url, arguments.region)
        _print_all(endpoint, arguments)
    except BrokenPipeError:
        forget(sys.stdout)
    except OSError as failure:
        forget(sys.stdout)
        return _failed(f"cannot write: {failure.strerror or failure}")
    except EndpointError as failure:
        return _failed(str(failure))
    return 0


def group_of(function: str) -> str:
    """Return the log group of a function that is named by its name or ARN; a group is its own."""
    if function.startswith("/"):
        return function
    found = _ARN.fullmatch(function)
    return _OF_FUNCTIONS + (found[1] if found else function.partition(":")[0])


def line_text(line: Line) -> str:
    """Return a line as it is printed: its time in UTC, which worker printed it, and what."""
    stream = line["logStreamName"]
    short = _STREAM.fullmatch(stream)
    message = "\t".join(map(printable, line["message"].rstrip("\n").split("\t")))
    worker = printable(short[1] if short else stream)
    return f"{iso_label(line['timestamp'])}Z {worker} {message}\n"


def _print_all(endpoint: Endpoint, arguments: argparse.Namespace) -> None:
    group, clock = group_of(arguments.function), SystemClock()
    asked: dict[str, Any] = {}
    if arguments.stream:
        asked["logStreamNamePrefix"] = arguments.stream
    if arguments.filter:
        asked["filterPattern"] = arguments.filter
    since_ms = max(clock.now_ms() - arguments.since, 0)
    feed = LogsFeed(endpoint.logs(), group, since_ms, clock, asked, _notice)
    count = 0
    try:
        for line in feed.follow() if arguments.follow else feed.lines():
            sys.stdout.write(line_text(line))
            sys.stdout.flush()
            count += 1
    except ClientError as failure:
        if error_code(failure) == "ResourceNotFoundException":
            text = f"there is no log {group!r} in {endpoint.place()}: the function has not run"
            raise EndpointError(text) from failure
        raise EndpointError(endpoint.explain(failure)) from failure
    except BotoCoreError as failure:
        raise EndpointError(endpoint.explain(failure)) from failure
    if not count:
        _notice("no lines of that time; --since goes back further")


def _notice(text: str) -> None:
    print(f"penstock logs: {printable(text)}", file=sys.stderr, flush=True)  # noqa: T201


def _failed(text: str) -> int:
    _notice(text)
    return 1
