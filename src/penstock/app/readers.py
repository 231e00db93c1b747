"""`penstock readers`: who reads the streams of a running server, how much, and what is too much.

Exit codes: 0 shown, 1 an error, told in one line on stderr, 130 interrupted from the keyboard. rich
is imported by `run` only, so that the other commands start quickly.
"""

import argparse

_DEFAULT_URL = "http://127.0.0.1:8000"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `penstock readers` to `parser`."""
    parser.add_argument(
        "--endpoint-url",
        default=_DEFAULT_URL,
        metavar="URL",
        help="where the server is (default: %(default)s)",
    )
    parser.add_argument(
        "--json", action="store_true", help="the counts as one JSON object, as the server has them"
    )


def run(arguments: argparse.Namespace) -> int:
    """Show the readers of every shard; return the exit code."""
    from penstock.app.readers_page import show  # noqa: PLC0415 - loads rich

    return show(arguments)
