"""Drives a server with `wrk` and reads what it tells; a request that failed fails the measurement.

What wrk counts as refused has a status of 400 or more. `bench.work.ask_once` looks at the answers
themselves before and after.
"""

import json
import re
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.api import headers_of
from bench.processes import run
from bench.trouble import Trouble
from bench.work import Workload, write_bodies

SCRIPT = Path(__file__).resolve().parent / "wrk" / "load.lua"
WRK_SECONDS_MORE = 30.0
ANSWER_SECONDS_MAX = 10
ADDRESSES = "WRK_ADDRESSES"

_TOLD = re.compile(r"^told (\{.*\})$", re.MULTILINE)


class LoadFailed(Trouble):
    """Not every request was answered as it should have been."""


@dataclass(frozen=True)
class Load:
    """How hard, with how many threads of wrk, and how long a server is driven."""

    connections: int
    threads: int
    seconds: int
    """wrk takes whole ones only."""


@dataclass(frozen=True)
class Driven:
    """What a run of wrk came to."""

    requests: int
    seconds: float

    @property
    def per_second(self) -> float:
        """Requests per second."""
        return self.requests / self.seconds


def drive(
    host: str,
    port: int,
    workload: Workload,
    load: Load,
    first_value: int,
    ports: Sequence[int] = (),
) -> Driven:
    """Send a workload for as long as `load` says. Raises LoadFailed, ChildFailed.

    With `ports`, each thread of wrk sends to one of these in turn, and not to `port`.
    """
    places = {ADDRESSES: " ".join(f"{host}:{each}" for each in ports)}
    with tempfile.TemporaryDirectory(prefix="penstock-bench-") as folder:
        path = Path(folder) / "bodies"
        write_bodies(workload, first_value, path)
        command = command_of(f"http://{host}:{port}/", workload, load, path)
        log, seconds_max = Path(folder) / "wrk.log", load.seconds + WRK_SECONDS_MORE
        return parse(run(command, log, seconds_max, places))


def command_of(url: str, workload: Workload, load: Load, bodies: Path) -> list[str]:
    """Return the command line of wrk."""
    return [
        "wrk",
        f"-t{load.threads}",
        f"-c{load.connections}",
        f"-d{load.seconds}s",
        f"--timeout={ANSWER_SECONDS_MAX}s",
        f"--script={SCRIPT}",
        url,
        "--",
        headers_of(workload.action)["X-Amz-Target"],
        str(load.threads),
        str(bodies),
    ]


def parse(said: str) -> Driven:
    """Return what wrk told. Raises LoadFailed where that is nothing, or a request failed."""
    found = _TOLD.search(said)
    if found is None:
        raise LoadFailed("wrk told nothing", said[-500:])
    told = json.loads(found[1])
    failures = {
        name: told[name]
        for name in ("refused", "connect", "read", "write", "timeout")
        if told[name] > 0
    }
    if failures:
        counts = ", ".join(f"{count} {name}" for name, count in failures.items())
        raise LoadFailed(f"of {told['requests']} requests failed: {counts}")
    if told["requests"] == 0:
        raise LoadFailed("no request was answered")
    return Driven(told["requests"], told["microseconds"] / 1e6)
