"""Measures functions that are given streams by event source mappings.

How soon a change is in the function, how much it is given in a second, and what that costs those
who write meanwhile. Each measurement makes the mappings that it needs, and deletes them again: so
it finds the server as the others do. What its function notes is in a file of its own.
"""

from collections.abc import Callable
from pathlib import Path

from bench import draining, handler, handling
from bench.filling import create_table, stream_arn
from bench.handling import Notes
from bench.lambda_api import LambdaApi, Mapped
from bench.measurements import Act, Course, Measurement, Quantity, need_wrk
from bench.quiet import await_quiet
from bench.raw_client import ServerError
from bench.request_measurements import prepare_table, requests_per_second
from bench.servers import PENSTOCK, Running
from bench.work import STREAMED, WORKLOADS

FOLLOWED = "Followed"
RATE = 100
WARM_UP_SECONDS = 1.0
"""After the first record has come, so that the function is warm whatever came before."""

GIVEN = "Given"
SHARE = 0.2
"""What share of the records of a run a function is given."""
BATCH_SIZE = 1_000

IDLE = "Idle"


def _create_function(running: Running, work: Callable[..., object]) -> None:
    """Make the function of that work, which has its name."""
    with LambdaApi(running.host, running.port) as api:
        api.create_function(work.__name__, work, _path(running, work))


def _path(running: Running, work: Callable[..., object]) -> Path:
    return running.data / f"{work.__name__}.notes"


def _make_table(running: Running, table: str) -> None:
    def make() -> str:
        create_table(running.host, running.port, table, streamed=True)
        return stream_arn(running.host, running.port, table)

    running.make_once(table, make)


def _mapped(running: Running, table: str, work: Callable[..., object], position: str) -> Mapped:
    arn = running.streams[table]
    assert arn is not None
    return Mapped(arn, work.__name__, BATCH_SIZE, position)


# --- how soon


def _prepare_first_line(running: Running, course: Course) -> None:
    _make_table(running, FOLLOWED)
    _create_function(running, handler.note_marks)


def _first_line(running: Running, course: Course) -> tuple[float, ...]:
    notes = Notes(_path(running, handler.note_marks))
    host, port, seconds = running.host, running.port, course.plan.seconds
    with (
        LambdaApi(host, port) as api,
        api.mapping(_mapped(running, FOLLOWED, handler.note_marks, "LATEST")),
    ):
        handling.await_mapping(host, port, FOLLOWED, notes)
        handling.first_line(host, port, FOLLOWED, notes, RATE, WARM_UP_SECONDS)
        told = handling.first_line(host, port, FOLLOWED, notes, RATE, seconds)
    return told.median_ms, told.p99_ms, told.writes_per_second, told.early_share * 100


_FIRST_LINE = "acknowledged write to the handler's first line"
FIRST_LINE = Measurement(
    "first-line",
    (
        Quantity(
            "first-line-median",
            f"{_FIRST_LINE}, median",
            "ms",
            2,
            less_is_better=True,
            is_durable=True,
        ),
        Quantity(
            "first-line-p99",
            f"{_FIRST_LINE}, 99th percentile",
            "ms",
            2,
            less_is_better=True,
            is_durable=True,
        ),
        Quantity("first-line-pace", "the pace of these writes", "writes/s", is_remark=True),
        Quantity("first-line-early", "begun before acknowledged", "%", 1, is_remark=True),
    ),
    _first_line,
    _prepare_first_line,
    "first-line",
    frozenset({PENSTOCK}),
    Act.FUNCTIONS,
)


# --- how much


def records_of(course: Course) -> int:
    """Return how many records the stream has that a function is given."""
    return round(course.plan.records * SHARE)


def _prepare_given(running: Running, course: Course) -> None:
    records = records_of(course)

    def progress(done: int) -> None:
        title = running.server.title
        course.tell(f"{title}: {done:,} of {records:,} records for a function are written")

    running.make_once(
        GIVEN, lambda: draining.fill(running.host, running.port, GIVEN, records, progress)
    )
    await_quiet(running.child.process_id)
    _create_function(running, handler.add_up)


def _given(running: Running, course: Course) -> tuple[float, ...]:
    """Give the function events by Invoke, and then the stream by a mapping: both find it warm."""
    notes, records = Notes(_path(running, handler.add_up)), records_of(course)
    host, port = running.host, running.port
    mapped = _mapped(running, GIVEN, handler.add_up, "TRIM_HORIZON")
    given = handling.invoke_all(
        host, port, mapped.stream_arn, mapped.function, records, mapped.batch_size
    )
    invoked = handling.handled(notes, given)
    with LambdaApi(host, port) as api, api.mapping(mapped):
        told = handling.handled(notes, records)
    if told.total != sum(range(records)) or notes.news():
        raise ServerError("the function was not given every record once")
    return told.per_second, invoked.per_second


GIVEN_BY_MAPPING = Measurement(
    "function",
    (
        Quantity(
            "function-records",
            "one Python function, batches of 1,000 by its mapping",
            "records/s",
            is_durable=True,
        ),
        Quantity("function-invoked", "the same function by Invoke, 4 at once", "records/s"),
    ),
    _given,
    _prepare_given,
    "function",
    frozenset({PENSTOCK}),
    Act.FUNCTIONS,
)


# --- what writers pay for it


def _prepare_put(running: Running, course: Course) -> None:
    _make_table(running, IDLE)
    prepare_table(running, course, STREAMED)
    _create_function(running, handler.count)
    requests_per_second(running, course, WORKLOADS["put"], course.plan.warm_up_seconds)


def _put_with_mappings(running: Running, course: Course) -> tuple[float, ...]:
    work, seconds = WORKLOADS["put"], course.plan.seconds
    with LambdaApi(running.host, running.port) as api:
        without = requests_per_second(running, course, work, seconds)
        with api.mapping(_mapped(running, IDLE, handler.count, "LATEST")):
            idle = requests_per_second(running, course, work, seconds)
        notes = Notes(_path(running, handler.count))
        with api.mapping(_mapped(running, STREAMED, handler.count, "LATEST")):
            busy = requests_per_second(running, course, work, seconds)
            given = sum(map(int, notes.news()))
    if given == 0:
        raise ServerError("the function beside it was given no record")
    return without, idle, busy, given / seconds


PUT_WITH_MAPPINGS = Measurement(
    "put-with-mappings",
    (
        Quantity("put-no-mapping", "PutItem, no mapping", "requests/s", is_durable=True),
        Quantity(
            "put-idle-mapping",
            "PutItem beside a mapping of another table, idle",
            "requests/s",
            is_durable=True,
        ),
        Quantity(
            "put-mapped",
            "PutItem while a mapping gives it to a function",
            "requests/s",
            is_durable=True,
        ),
        Quantity("put-mapped-given", "what the function was given", "records/s", is_remark=True),
    ),
    _put_with_mappings,
    _prepare_put,
    "put-with-mappings",
    frozenset({PENSTOCK}),
    Act.FUNCTIONS,
    need=need_wrk,
)

FUNCTION_MEASUREMENTS = (FIRST_LINE, GIVEN_BY_MAPPING, PUT_WITH_MAPPINGS)
