"""`penstock demo`: a server, a table, real writes and a consumer beside them, and what came of it.

It does all of its own set-up, takes less than a minute and leaves nothing behind. boto3 and rich
are imported by `run` only. Exit codes: 0 every promise kept, 1 a promise broken or the run failed,
130 interrupted from the keyboard, 143 ended by SIGTERM.
"""

import argparse
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `penstock demo` to `parser`."""
    parser.add_argument(
        "--engine",
        choices=("rocksdb", "memory"),
        help="the store that the server uses (default: rocksdb)",
    )
    parser.add_argument(
        "--keep",
        type=Path,
        metavar="DIR",
        help="keep the data in this new or empty folder (default: a temporary one, removed)",
    )
    parser.add_argument(
        "--endpoint-url",
        metavar="URL",
        help="use the server that runs here on this machine, instead of starting one",
    )


def run(arguments: argparse.Namespace) -> int:
    """Run the demo and print what it saw; return the exit code."""
    from penstock.app.demo_run import show  # noqa: PLC0415 - loads boto3 and rich

    return show(arguments)
