"""`python -m bench`: measures, prints the figures, and stores them; `python -m bench page` writes
the generated part of docs/performance.md from the newest full run.

Exit codes: 0 all that could be measured was, whatever the figures say; 1 a measurement of Penstock
failed; 2 the arguments make no sense; 130 interrupted, 143 ended.
"""

import argparse
import signal
import sys
from collections.abc import Sequence
from types import FrameType

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from bench import page, report, results
from bench.plan import Plan, PlanError, add_arguments, plan_of
from bench.run import Run


class Ended(BaseException):
    """SIGTERM came."""


def _end(number: int, frame: FrameType | None) -> None:
    raise Ended


def measure(plan: Plan, console: Console) -> int:
    """Run the plan, show and store what it comes to; return the exit status."""
    if plan.kind == "quick":
        console.print(
            f"Quick: {plan.rounds} rounds of {plan.seconds:.0f} s, the first five rows alone. "
            "What counts is the full run, `make bench`.",
            highlight=False,
        )
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
        outcome = run.go()
    kept = results.stored(plan, outcome, run.threads, run.versions)
    report.show(console, plan.kind, outcome)
    console.print(f"stored in {results.write(kept, plan.results)}", highlight=False)
    return 1 if any(each.startswith("Penstock") for each in outcome.failures) else 0


def main(arguments: Sequence[str]) -> int:
    """Run what the arguments name; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    add_arguments(parser)
    commands = parser.add_subparsers(dest="command")
    page.add_arguments(commands.add_parser("page", help="write docs/performance.md's tables"))
    parsed = parser.parse_args(arguments)
    if parsed.command == "page":
        return page.run(parsed)
    before = signal.signal(signal.SIGTERM, _end)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background ignores it
    try:
        return measure(plan_of(parsed), Console())
    except PlanError as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    except Ended:
        return 143
    finally:
        signal.signal(signal.SIGTERM, before)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
