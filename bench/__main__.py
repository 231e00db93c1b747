"""`python -m bench`: measures, prints the figures, and stores them; `python -m bench page` writes
the generated part of docs/performance.md from the newest full run.

Exit codes: 0 all that could be measured was, whatever the figures say; 1 a measurement of Penstock
failed; 2 the arguments make no sense; 130 interrupted, 143 ended. What was measured until then is
stored all the same.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from bench import page, report, results
from bench.interrupts import Ended, Shield, heard
from bench.plan import Plan, PlanError, add_arguments, plan_of
from bench.processes import stop_all
from bench.run import Run

WIDTH = 100


def measure(plan: Plan, console: Console) -> int:
    """Run the plan, show and store what it comes to; return the exit status."""
    if plan.kind == "quick":
        console.print(
            f"Quick: {plan.rounds} rounds of {plan.seconds:.0f} s, the first five rows alone. "
            "What counts is the full run, `make bench`.",
            highlight=False,
        )
    end: Ended | None = None
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("starting", total=None)

        def tell(text: str) -> None:
            progress.update(task, description=text)
            if not console.is_terminal or text.startswith("FAILED"):
                progress.console.print(text, highlight=False, markup=False)

        def step(text: str, done: int, count: int) -> None:
            progress.update(task, description=text, completed=done, total=count)
            if not console.is_terminal:
                progress.console.print(f"{done}/{count} {text}", highlight=False, markup=False)

        run = Run(plan, tell, step)
        try:
            try:
                run.go()
            finally:
                stop_all()
        except Ended as ended:
            end = ended
        with Shield():  # before anything is shown: the terminal may be gone
            path = _store(run, is_interrupted=end is not None)
    report.show(console, plan.kind, run.outcome)
    if path is not None:
        console.print(f"stored in {path}", highlight=False)
    if end is not None:
        return end.status
    return 1 if any(each.startswith("Penstock") for each in run.outcome.failures) else 0


def _store(run: Run, *, is_interrupted: bool) -> Path | None:
    """Store what a run came to and return where; of an interrupted one only what it measured."""
    if is_interrupted and not run.outcome.values:
        return None
    kept = results.stored(
        run.plan, run.outcome, run.threads, run.versions, is_interrupted=is_interrupted
    )
    return results.write(kept, run.plan.results)


def _console() -> Console:
    """Return the console; in a file or a pipe it has room for the tables."""
    console = Console()
    return console if console.is_terminal else Console(width=WIDTH)


def main(arguments: Sequence[str]) -> int:
    """Run what the arguments name; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    add_arguments(parser)
    commands = parser.add_subparsers(dest="command")
    page.add_arguments(commands.add_parser("page", help="write docs/performance.md's tables"))
    parsed = parser.parse_args(arguments)
    if parsed.command == "page":
        return page.run(parsed)
    with heard():
        try:
            return measure(plan_of(parsed), _console())
        except PlanError as error:
            print(error, file=sys.stderr)
            return 2
        except Ended as end:
            return end.status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
