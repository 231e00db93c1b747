"""A `penstock` that must refuse: run to its end, and what it said and left on disk compared."""

import hashlib
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from server_process import clean_environment, command

SECONDS_MAX = 60.0


class Ended(NamedTuple):
    """How a process ended."""

    status: int
    stdout: str
    stderr: str


def run_to_end(
    *arguments: str, wrap: Sequence[str] = (), cwd: Path | None = None, **environment: str
) -> Ended:
    """Run `penstock` with these arguments, `wrap` before them, until it ends by itself."""
    done = subprocess.run(
        [*wrap, *command(*arguments)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        cwd=cwd,
        env=clean_environment(**environment),
        timeout=SECONDS_MAX,
        check=False,
    )
    return Ended(done.returncode, done.stdout, done.stderr)


def refusal(
    *arguments: str,
    status: int = 1,
    wrap: Sequence[str] = (),
    cwd: Path | None = None,
    **environment: str,
) -> str:
    """Run `penstock serve`, which must refuse with `status` and one line; return that line."""
    ended = run_to_end("serve", "--port", "0", *arguments, wrap=wrap, cwd=cwd, **environment)
    lines = ended.stderr.splitlines()
    assert (ended.status, ended.stdout, len(lines)) == (status, "", 1), ended
    start, _, text = lines[0].partition(": ")
    assert start in {"penstock", "penstock serve"}, ended
    return text


def contents(path: Path) -> dict[str, str]:
    """Return a digest of every file below `path`, or of `path` if it is one, by its name.

    RocksDB's log for people is left out: it tells of every attempt to open.
    """
    below = path.rglob("*") if path.is_dir() else [path]
    return {
        str(each.relative_to(path)): _digest(each)
        for each in below
        if not each.name.startswith("LOG")
    }


def _digest(path: Path) -> str:
    if path.is_dir():
        return "directory"
    held = hashlib.sha256(path.read_bytes()).hexdigest()
    return f"{held} {path.stat().st_mode:o}"
