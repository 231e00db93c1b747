"""`penstock tail TABLE`: the live change feed of a table, each change as a before/after difference.

An ordinary client of any DynamoDB-compatible endpoint. boto3 and rich are imported by `run` only,
so that the other commands start quickly. Exit codes: 0 the feed ended or the reader of the output
went away, 1 an error, told in one line on stderr, 130 interrupted from the keyboard.
"""

import argparse
import re

_DEFAULT_URL = "http://127.0.0.1:8000"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `penstock tail` to `parser`."""
    parser.add_argument("table", metavar="TABLE", help="name of the table")
    place = parser.add_mutually_exclusive_group()
    place.add_argument(
        "--endpoint-url",
        default=_DEFAULT_URL,
        metavar="URL",
        help="any DynamoDB-compatible endpoint (default: %(default)s)",
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
        help="region that requests are signed for (default: that of your AWS configuration, "
        "else us-east-1 for a server on this machine)",
    )
    parser.add_argument(
        "--from",
        choices=("now", "start"),
        default="now",
        dest="start",
        help="begin with the next change, or with the oldest that is kept (default: %(default)s)",
    )
    parser.add_argument(
        "--json", action="store_true", help="one record per line, as GetRecords gives it"
    )
    parser.add_argument(
        "--limit", type=_count, metavar="N", help="end after N changes (default: never)"
    )


def run(arguments: argparse.Namespace) -> int:
    """Show changes until interrupted, the limit or the stream's end; return the exit code."""
    from penstock.app.tail_feed import follow  # noqa: PLC0415 - loads boto3 and rich

    return follow(arguments)


def _count(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,18}", text) or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1 on")
    return int(text)
