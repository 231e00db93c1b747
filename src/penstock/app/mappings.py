"""`penstock mappings`: what the event source mappings of a running server do, as a live table.

Exit codes: 0 shown, 1 an error, told in one line on stderr, 130 interrupted from the keyboard. rich
is imported by `run` only, so that the other commands start quickly.
"""

import argparse

_DEFAULT_URL = "http://127.0.0.1:8000"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `penstock mappings` to `parser`."""
    parser.add_argument(
        "--endpoint-url",
        default=_DEFAULT_URL,
        metavar="URL",
        help="where the server is (default: %(default)s)",
    )
    parser.add_argument(
        "--once",
        action="store_true",
        help="show the table once and end, as happens where the output is no terminal",
    )
    parser.add_argument(
        "--json", action="store_true", help="what the server tells, once, as one JSON object"
    )


def run(arguments: argparse.Namespace) -> int:
    """Show the mappings until interrupted, or once; return the exit code."""
    from penstock.app.mappings_table import show  # noqa: PLC0415 - loads rich

    return show(arguments)
