"""Measures how many requests of a workload a server answers per second."""

import time

from bench.load import ANSWER_SECONDS_MAX, Load, drive
from bench.measurements import CannotMeasure, Course, Measurement, Quantity, need_wrk
from bench.servers import FLOOR, LOCAL_DISK, LOCAL_MEMORY, SERVERS, Running
from bench.work import WORKLOADS, Workload, ask_once, load, make_table

_PEERS = frozenset({LOCAL_MEMORY, "dynalite-memory", "ministack"})
"""Who is measured in a quick run: the last two where DynamoDB Local is missing."""
_IN_QUICK = {
    "put": _PEERS | {LOCAL_DISK, FLOOR},
    "put-plain": frozenset[str](),
    "batch": frozenset[str](),
    "get": _PEERS | {FLOOR},
}
ATTEMPTS = 3
_GROUPS = {"put-plain": "put", "batch": "put"}
_READS = frozenset({"get", "query"})


def of_workload(workload: Workload) -> Measurement:
    """Return the measurement of requests per second of a workload."""

    def prepare(running: Running, course: Course) -> None:
        prepare_table(running, course, workload.table)
        if workload.name == "put" and running.streams[workload.table] is None:
            raise CannotMeasure(f"{running.server.title} makes no stream")
        _try(running, workload, course)
        requests_per_second(running, course, workload, course.plan.warm_up_seconds)

    def measure(running: Running, course: Course) -> tuple[float, ...]:
        ask(running, workload, course)
        seconds = course.seconds_of(running.server.name)
        value = requests_per_second(running, course, workload, seconds)
        ask(running, workload, course)
        return (value,)

    return Measurement(
        workload.name,
        (
            Quantity(
                workload.name, workload.title, "requests/s", is_durable=workload.name not in _READS
            ),
        ),
        measure,
        prepare,
        _GROUPS.get(workload.name, workload.name),
        frozenset({*SERVERS, FLOOR}),
        is_quick=workload.name in _IN_QUICK,
        quick_servers=_IN_QUICK.get(workload.name, frozenset()),
        need=need_wrk,
    )


def _try(running: Running, workload: Workload, course: Course) -> None:
    """Ask alone at first. Raises CannotMeasure where that shows that a load is too much."""
    seconds = []
    for _ in range(ATTEMPTS):  # the first request may find a server that is not warm
        began = time.monotonic()
        ask(running, workload, course)
        seconds.append(time.monotonic() - began)
    at_once = course.plan.connections
    if min(seconds) * at_once > ANSWER_SECONDS_MAX:
        raise CannotMeasure(
            f"one {workload.action} alone takes {running.server.title} {min(seconds):.2f} s: "
            f"{at_once} at once are not answered in {ANSWER_SECONDS_MAX} s"
        )


def prepare_table(running: Running, course: Course, table: str) -> None:
    """Have a table be there, with the items that it needs."""
    if running.server.name == FLOOR:
        running.streams[table] = "none of its own: it answers as Penstock does"
    else:
        running.make_once(table, lambda: _filled(running, course, table))


def _filled(running: Running, course: Course, table: str) -> str | None:
    api = running.api()
    try:
        arn = make_table(api, table)
        load(api, table, course.plan.load_seconds)
    finally:
        api.close()
    return arn


def ask(running: Running, workload: Workload, course: Course) -> None:
    """Look at one answer. Raises WrongAnswer."""
    api = running.api()
    try:
        ask_once(api, workload, course.values(1))
    finally:
        api.close()


def requests_per_second(
    running: Running, course: Course, workload: Workload, seconds: int
) -> float:
    """Return what wrk comes to. Raises LoadFailed."""
    driving = Load(course.plan.connections, course.threads, seconds)
    value = course.values(workload.walks)
    return drive(running.host, running.port, workload, driving, value).per_second


REQUEST_MEASUREMENTS = tuple(of_workload(workload) for workload in WORKLOADS.values())
