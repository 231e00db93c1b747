"""Runs every check of the repository and reports all that failed, not only the first.

One line per check, ok or failed, as they end; what the failed ones had to say follows. With names
as arguments (`make check ARGS="types docs"`) only these run.
"""

import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
CHECK_SECONDS_MAX = 180
AT_ONCE_MAX = 2


class Check(NamedTuple):
    """One check: a command that exits with 0 if all is well."""

    name: str
    arguments: list[str]


class Outcome(NamedTuple):
    """How a check ended; `output` is what it printed."""

    name: str
    is_ok: bool
    output: str
    seconds: float


CHECKS = (  # the slowest first, so that the others run beside it
    Check("types", ["-m", "mypy"]),
    Check("format", ["-m", "ruff", "format", "--check", "--quiet", "."]),
    Check("lint", ["-m", "ruff", "check", "--quiet", "."]),
    Check("imports", ["-m", "importlinter.cli", "lint"]),
    Check("sizes", ["tools/check_sizes.py"]),
    Check("base-only", ["tools/check_base_only.py"]),
    Check("docs", ["tools/check_docs.py"]),
    Check("surface", ["tools/check_surface.py"]),
    Check("records", ["tools/records_page.py", "--check"]),
    Check("performance", ["-m", "bench", "page", "--check"]),
    Check("lock", ["tools/lock.py", "--check"]),
)


def run(check: Check) -> Outcome:
    """Run one check, within its limit."""
    started = time.monotonic()
    try:
        done = subprocess.run(
            [sys.executable, *check.arguments],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
            text=True,
            timeout=CHECK_SECONDS_MAX,
        )
        is_ok, output = done.returncode == 0, done.stdout
    except subprocess.TimeoutExpired:
        is_ok, output = False, f"not finished after {CHECK_SECONDS_MAX} s"
    return Outcome(check.name, is_ok, output, time.monotonic() - started)


def main(names: Sequence[str]) -> int:
    """Run the checks of these names, or all; return the exit status."""
    unknown = sorted(set(names) - {check.name for check in CHECKS})
    if unknown:
        print(f"no such check: {', '.join(unknown)}", file=sys.stderr)
        return 2
    chosen = [check for check in CHECKS if not names or check.name in names]
    failed = []
    with ThreadPoolExecutor(AT_ONCE_MAX) as pool:
        for future in as_completed([pool.submit(run, check) for check in chosen]):
            outcome = future.result()
            word = "ok" if outcome.is_ok else "failed"
            print(f"{word:<6} {outcome.name:<11} {outcome.seconds:5.1f} s", flush=True)
            if not outcome.is_ok:
                failed.append(outcome)
    for outcome in failed:
        print(f"\n--- {outcome.name}\n{outcome.output.strip()}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
