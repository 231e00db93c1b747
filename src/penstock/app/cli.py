"""The command line: `penstock COMMAND`. Each command's module is loaded only when it runs."""

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module

from penstock import __version__

COMMANDS = {
    "serve": ("penstock.app.serve", "run the server"),
    "tail": ("penstock.app.tail", "show the changes of a table as they happen"),
    "demo": ("penstock.app.demo", "write real data and watch every change arrive"),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command that `arguments` name and return its exit status."""
    given = _parser().parse_args(sys.argv[1:] if arguments is None else arguments)
    module_name, summary = COMMANDS[given.command]
    module = import_module(module_name)
    parser = argparse.ArgumentParser(prog=f"penstock {given.command}", description=summary)
    module.add_arguments(parser)
    status: int = module.run(parser.parse_args(given.arguments))
    return status


def _parser() -> argparse.ArgumentParser:
    listed = "\n".join(f"  {name:<8}{summary}" for name, (_, summary) in COMMANDS.items())
    parser = argparse.ArgumentParser(
        prog="penstock",
        description="Tables whose every change reaches a consumer.",
        epilog=f"commands:\n{listed}\n\npenstock COMMAND --help says more of each.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"penstock {__version__}")
    parser.add_argument("command", choices=COMMANDS, metavar="COMMAND")
    parser.add_argument("arguments", nargs=argparse.REMAINDER, metavar="...")
    return parser
