"""Measures PutItem on tables of many items: a server for each size, so that rounds go in turn.

The keys are random ones of the whole table, and others each time: only so does the store have to
find them on disk. A store that was just filled has much to merge yet: that is waited for, since it
is owed by the filling and not by the puts.
"""

import random
from collections.abc import Callable
from dataclasses import replace

from bench import disk, scale
from bench.filling import KEY
from bench.measurements import Act, Course, Measurement, Quantity, need_wrk
from bench.quiet import QUIET_SECONDS_MAX, await_quiet
from bench.request_measurements import requests_per_second
from bench.servers import PENSTOCK, SERVERS, Running, Server
from bench.work import WORKLOADS, Workload, item

TABLE = "Scaled"
SIZES = (100_000, 1_000_000, 10_000_000)
KEYS_AT_ONCE = 50_000
WALKS = 2
"""Over the same keys, with values of their own: so no pass writes what the one before has."""
_KEY_FORM = "key-{:010d}"

assert KEY == "pk"


def server_name(items: int) -> str:
    """Return how the server with a table of that size is named."""
    return f"{PENSTOCK}-{items}"


def scaled_server(items: int) -> Server:
    """Return Penstock as it is measured with a table of that size."""
    own = SERVERS[PENSTOCK]
    title = f"{own.title}, {items:,} items"
    return replace(own, name=server_name(items), family=PENSTOCK, title=title)


def put_over(items: int, value: int) -> Workload:
    """Return PutItem requests for random keys of a table of that size; `value` chooses them."""

    def groups() -> list[list[str]]:
        count = min(items, KEYS_AT_ONCE)
        chosen = random.Random(value).sample(range(items), count)
        return [[_KEY_FORM.format(each)] for each in chosen]

    return replace(
        WORKLOADS["put"],
        table=TABLE,
        walks=WALKS,
        groups=groups,
        body=lambda keys, written: {"TableName": TABLE, "Item": item(keys[0], written)},
    )


def put_at(items: int) -> Measurement:
    """Return the measurement of PutItem on a table of that size."""
    return Measurement(
        f"put-at-{items}",
        (
            Quantity(
                f"put-at-{items}", f"PutItem at {items:,} items", "requests/s", is_durable=True
            ),
        ),
        _measure(items),
        _filling(items),
        "scale",
        frozenset({server_name(items)}),
        Act.SCALE,
        items=items,
        need=need_wrk,
    )


def _filling(items: int) -> Callable[[Running, Course], None]:
    smaller = max((size for size in SIZES if size < items), default=None)

    def prepare(running: Running, course: Course) -> None:
        disk.need_room(course.plan.data, items, smaller)

        def progress(done: int) -> None:
            course.tell(f"{running.server.title}: {done:,} are written")

        scale.fill(running.host, running.port, TABLE, items, progress=progress)
        running.streams[TABLE] = scale.switch_stream_on(running.host, running.port, TABLE)
        course.tell(f"{running.server.title}: waiting until the store is quiet")
        if not await_quiet(running.child.process_id):
            course.tell(f"{running.server.title}: still busy after {QUIET_SECONDS_MAX:.0f} s")
        _put(running, course, items, course.plan.warm_up_seconds)

    return prepare


def _measure(items: int) -> Callable[[Running, Course], tuple[float, ...]]:
    def measure(running: Running, course: Course) -> tuple[float, ...]:
        return (_put(running, course, items, course.plan.seconds),)

    return measure


def _put(running: Running, course: Course, items: int, seconds: int) -> float:
    # `requests_per_second` takes values for its walks: these choose the keys alone.
    return requests_per_second(running, course, put_over(items, course.values(1)), seconds)


SCALE_MEASUREMENTS = tuple(put_at(items) for items in SIZES)
SCALE_SERVERS = {server_name(items): scaled_server(items) for items in SIZES}
