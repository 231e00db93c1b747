"""`penstock logs FUNCTION`: what a function has printed, and what it prints.

An ordinary client of CloudWatch Logs, ours or Amazon's. boto3 is imported by `run` only, so that
the other commands start quickly. Exit codes: 0 shown, or the reader of the output went away, 1 an
error, told in one line on stderr, 130 interrupted from the keyboard.
"""

import argparse

from penstock.base.clock import duration_ms

_DEFAULT_URL = "http://127.0.0.1:8000"
_DEFAULT_SINCE = "10m"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `penstock logs` to `parser`."""
    parser.add_argument(
        "function",
        metavar="FUNCTION",
        help="name or ARN of the function, or the name of a log group that begins with a slash",
    )
    parser.add_argument(
        "--follow", "-f", action="store_true", help="go on with the lines that come, until stopped"
    )
    parser.add_argument(
        "--since",
        type=_since_ms,
        default=_DEFAULT_SINCE,
        metavar="TIME",
        help="how far back to begin, such as 90s, 10m, 2h or 7d (default: %(default)s)",
    )
    parser.add_argument(
        "--stream", metavar="PREFIX", help="only log streams whose names begin like this"
    )
    parser.add_argument(
        "--filter", metavar="PATTERN", help="only lines that match this filter pattern of AWS"
    )
    place = parser.add_mutually_exclusive_group()
    place.add_argument(
        "--endpoint-url",
        default=_DEFAULT_URL,
        metavar="URL",
        help="where the server is (default: %(default)s)",
    )
    place.add_argument(
        "--aws",
        action="store_const",
        dest="endpoint_url",
        const=None,
        help="use Amazon's own endpoint of the region, with your AWS credentials",
    )
    parser.add_argument(
        "--region",
        metavar="REGION",
        help="region of the function (default: that of your AWS configuration, else us-east-1 for a"
        " server on this machine)",
    )


def run(arguments: argparse.Namespace) -> int:
    """Show the lines of a function; return the exit code."""
    from penstock.app.logs_shown import show  # noqa: PLC0415 - loads boto3

    return show(arguments)


def _since_ms(text: str) -> int:
    """Return the milliseconds of a text such as `10m`."""
    try:
        return duration_ms(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
