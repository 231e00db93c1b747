"""The command line: `penstock COMMAND`. Each command's module is loaded only when it runs.

Exit statuses: 0 done, 1 failed, 2 not understood, 130 interrupted from the keyboard. What failed or
was not understood is told on stderr, in one line.
"""

import argparse
import io
import os
import re
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import NoReturn

from penstock import __version__

COMMANDS = {
    "serve": ("penstock.app.serve", "run the server"),
    "tail": ("penstock.app.tail", "show the changes of a table as they happen"),
    "logs": ("penstock.app.logs", "show what a function prints, and follow it"),
    "readers": ("penstock.app.readers", "show who reads the streams of a server, and how much"),
    "mappings": ("penstock.app.mappings", "show what the mappings of a server do, and their lag"),
    "poll": ("penstock.app.poll", "run one mapping beside any endpoint of DynamoDB Streams"),
    "control": ("penstock.app.control", "move the time and the streams of a server under test"),
    "demo": ("penstock.app.demo", "write real data and watch every change arrive"),
}

_NOT_UNDERSTOOD = 2
_INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command that `arguments` name and return its exit status."""
    _prepare_standard_streams()
    try:
        return _run(sys.argv[1:] if arguments is None else arguments)
    except KeyboardInterrupt:
        return _INTERRUPTED


def _run(arguments: Sequence[str]) -> int:
    parser = _parser()
    given = parser.parse_args(arguments)
    if given.command not in COMMANDS:
        named = "no command is given" if given.command is None else f"no command {given.command!r}"
        parser.error(f"{named}; there are {', '.join(COMMANDS)}")
    module_name, summary = COMMANDS[given.command]
    module = import_module(module_name)
    command = _Parser(prog=f"penstock {given.command}", description=summary, allow_abbrev=False)
    module.add_arguments(command)
    status: int = module.run(command.parse_args(given.arguments))
    return status


def _prepare_standard_streams() -> None:
    """Open /dev/null for each stream that is closed, and let no character be more than it takes.

    Else a file of the store would get a closed one's number, and be written to by what is meant
    for people.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free: this one
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(number, "r+" if number else "r", closefd=False))  # noqa: SIM115
        elif number and isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


_DATABASE_URL = re.compile(r"postgres(?:ql)?:\S+")


class _Parser(argparse.ArgumentParser):
    """A parser that complains in one line."""

    def error(self, message: str) -> NoReturn:
        message = _DATABASE_URL.sub("a database's URL", message)  # it may hold a password
        self.exit(_NOT_UNDERSTOOD, f"{self.prog}: {message}; see {self.prog} --help\n")


def _parser() -> _Parser:
    listed = "\n".join(f"  {name:<8}{summary}" for name, (_, summary) in COMMANDS.items())
    parser = _Parser(
        prog="penstock",
        usage="penstock [-h] [--version] COMMAND ...",
        description="Tables whose every change reaches a consumer.",
        epilog=f"commands:\n{listed}\n\npenstock COMMAND --help says more of each.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"penstock {__version__}")
    parser.add_argument("command", nargs="?", help=argparse.SUPPRESS)
    parser.add_argument("arguments", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)
    return parser
