"""The register of what is measured, one entry each.

A measurement is a function of a running server that returns one number for each quantity that it
gives. It says on which servers it makes sense, and what has to be there before the first round.
"""

import shutil
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from bench.installs import need_program
from bench.load import Load, drive
from bench.plan import Plan
from bench.processes import run
from bench.servers import FLOOR, LOCAL_DISK, LOCAL_MEMORY, PENSTOCK, Running
from bench.work import WORKLOADS, Workload, ask_once, load, make_tables

ENGINE = "engine"
OWN_SECONDS = frozenset({PENSTOCK, LOCAL_DISK, LOCAL_MEMORY})
ENGINE_SECONDS_MORE = 30.0


class CannotMeasure(Exception):
    """This server cannot do what is measured; the text says why."""


@dataclass(frozen=True)
class Quantity:
    """One number that a measurement gives."""

    name: str
    title: str
    unit: str
    digits: int = 0


@dataclass
class Course:
    """What measurements need to know of the run, and a value that was never written before."""

    plan: Plan
    threads: int = 1
    tell: Callable[[str], None] = lambda text: None
    _next_value: int = field(default=1)

    def values(self, count: int) -> int:
        """Return the first of `count` values that nothing else has written."""
        first = self._next_value
        self._next_value += count
        return first

    def seconds_of(self, server: str) -> float:
        """Return how long a server is driven for one number."""
        return self.plan.seconds if server in OWN_SECONDS else self.plan.other_seconds


@dataclass(frozen=True)
class Measurement:
    """One entry of the register."""

    name: str
    gives: tuple[Quantity, ...]
    run: Callable[[Running, Course], tuple[float, ...]]
    prepare: Callable[[Running, Course], None]
    """Called once, after the server has started. Raises CannotMeasure."""
    group: str
    """Measurements of one group follow each other on a server, because they are compared."""
    servers: frozenset[str] | None = None
    """The names of the servers that it is for; None is every server."""
    is_quick: bool = False
    quick_servers: frozenset[str] = frozenset()
    """Where it is part of a quick run, besides Penstock and the floor."""
    need: Callable[[], object] = lambda: None
    """Raises Missing where the machine lacks something that it needs."""

    def is_for(self, server: str) -> bool:
        """Say whether it makes sense on a server."""
        return self.servers is None or server in self.servers


def need_wrk() -> None:
    """Raise Missing where there is no wrk."""
    need_program("wrk", "install it (`apt-get install wrk`, `brew install wrk`)")


def of_workload(
    workload: Workload, group: str, *, is_quick: bool, quick_servers: frozenset[str]
) -> Measurement:
    """Return the measurement of requests per second of a workload."""

    def prepare(running: Running, course: Course) -> None:
        _prepare_table(running, course, workload.table)
        with_stream = running.streams[workload.table] is not None
        if workload.name == "put" and not with_stream:
            raise CannotMeasure(f"{running.server.title} makes no stream")
        _ask(running, workload, course.values(1))
        seconds = course.plan.warm_up_seconds
        _drive(running, course, workload, seconds)

    def measure(running: Running, course: Course) -> tuple[float, ...]:
        _ask(running, workload, course.values(1))
        value = _drive(running, course, workload, course.seconds_of(running.server.name))
        _ask(running, workload, course.values(1))
        return (value,)

    quantity = Quantity(workload.name, workload.title, "requests/s")
    return Measurement(
        workload.name, (quantity,), measure, prepare, group,
        is_quick=is_quick, quick_servers=quick_servers, need=need_wrk,
    )  # fmt: skip


def _prepare_table(running: Running, course: Course, table: str) -> None:
    if running.server.name == FLOOR:  # it answers as Penstock does
        running.streams[table] = "none of its own"
    elif table not in running.streams:
        api = running.api()
        try:
            running.streams.update(make_tables(api, [table]))
            load(api, table, course.plan.load_seconds)
        finally:
            api.close()


def _ask(running: Running, workload: Workload, value: int) -> None:
    api = running.api()
    try:
        ask_once(api, workload, value)
    finally:
        api.close()


def _drive(running: Running, course: Course, workload: Workload, seconds: float) -> float:
    driving = Load(course.plan.connections, course.threads, seconds)
    value = course.values(workload.walks)
    return drive(running.host, running.port, workload, driving, value).per_second


def engine_commits(plan: Plan) -> float:
    """Return how many transactions per second the engine alone makes durable."""
    folder = Path(tempfile.mkdtemp(prefix="penstock-bench-"))
    seconds = plan.other_seconds
    command = [sys.executable, "-m", "bench.floor", "engine", str(folder / "store"), str(seconds)]
    try:
        return float(run(command, folder / "log", seconds * 2 + ENGINE_SECONDS_MORE))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


COMMITS = Quantity("commits", "the engine's own group commit", "transactions/s")

_WITH_LOCAL = frozenset({LOCAL_DISK, LOCAL_MEMORY, "dynalite-memory", "ministack"})
_IN_MEMORY = frozenset({LOCAL_MEMORY, "dynalite-memory", "ministack"})

MEASUREMENTS: dict[str, Measurement] = {
    each.name: each
    for each in (
        of_workload(WORKLOADS["put"], "put", is_quick=True, quick_servers=_WITH_LOCAL),
        of_workload(WORKLOADS["put-plain"], "put", is_quick=True, quick_servers=frozenset()),
        of_workload(WORKLOADS["batch"], "put", is_quick=True, quick_servers=frozenset()),
        of_workload(WORKLOADS["get"], "get", is_quick=True, quick_servers=_IN_MEMORY),
        of_workload(WORKLOADS["update"], "update", is_quick=False, quick_servers=frozenset()),
        of_workload(WORKLOADS["query"], "query", is_quick=False, quick_servers=frozenset()),
        of_workload(WORKLOADS["transact"], "transact", is_quick=False, quick_servers=frozenset()),
    )
}

QUANTITIES: dict[str, Quantity] = {
    quantity.name: quantity for each in MEASUREMENTS.values() for quantity in each.gives
} | {COMMITS.name: COMMITS}
