"""Measures streams: how fast they are read, what that costs writers, how soon a change comes."""

from bench import draining, latency
from bench.filling import create_table
from bench.measurements import Act, Course, Measurement, Quantity, need_wrk
from bench.raw_client import ServerError
from bench.request_measurements import prepare_table, requests_per_second
from bench.servers import LOCAL_MEMORY, PENSTOCK, Running
from bench.work import WORKLOADS

DRAINED = "Drained"
RECEIVED = "Received"
RATE = 1_000
READERS = (1, 4)
SHARES = {PENSTOCK: 1.0, LOCAL_MEMORY: 0.2}
"""What share of the records a server gets: DynamoDB Local takes long to fill. Other peers have no
streams, or answer in a form that readers who do not decode cannot count."""
PACE_MIN = 0.95 * RATE
ATTEMPTS = 3


def records_of(server: str, course: Course) -> int:
    """Return how many records the stream that is drained on a server has."""
    return round(course.plan.records * SHARES[server])


def fill(running: Running, course: Course) -> None:
    """Have a stream be there that can be drained."""
    records = records_of(running.server.name, course)

    def progress(done: int) -> None:
        title = running.server.title
        course.tell(f"{title}: {done:,} of {records:,} records to drain are written")

    running.make_once(
        DRAINED, lambda: draining.fill(running.host, running.port, DRAINED, records, progress)
    )


def _arn(running: Running) -> str:
    arn = running.streams[DRAINED]
    assert arn is not None
    return arn


def drain_with(readers: int) -> Measurement:
    """Return the measurement of records per second that so many readers get."""

    def measure(running: Running, course: Course) -> tuple[float, ...]:
        drained = draining.drain(running.host, running.port, _arn(running), readers)
        expected = records_of(running.server.name, course)
        if drained.records != expected:
            raise ServerError(f"it gave {drained.records:,} of {expected:,} records")
        rate = drained.records / drained.seconds
        return (rate,) if readers == 1 else (rate, drained.readers)

    name = f"drain-{readers}"
    title = f"draining a stream, {readers} reader{'s' if readers > 1 else ''}"
    gives: tuple[Quantity, ...] = (Quantity(name, title, "records/s"),)
    if readers > 1:  # a stream of fewer shards has fewer
        gives += (Quantity(f"{name}-readers", f"{title}: were", "readers", is_remark=True),)
    return Measurement(name, gives, measure, fill, "drain", frozenset(SHARES), Act.STREAMS)


def _make_received(running: Running, course: Course) -> None:
    create_table(running.host, running.port, RECEIVED, streamed=True)
    latency.measure(running.host, running.port, RECEIVED, RATE, course.plan.warm_up_seconds)


def _receipt(running: Running, course: Course) -> tuple[float, ...]:
    """Measure until the pace is reached; after the last attempt tell the one of the best pace."""
    attempts: list[latency.Latencies] = []
    for _ in range(ATTEMPTS):  # another program may have taken the processors
        told = latency.measure(running.host, running.port, RECEIVED, RATE, course.plan.seconds)
        attempts.append(told)
        if told.writes_per_second >= PACE_MIN:
            break
    best = max(attempts, key=lambda each: each.writes_per_second)
    return best.median_ms, best.p99_ms, best.writes_per_second, best.early_share * 100


RECEIPT = Measurement(
    "receipt",
    (
        Quantity(
            "receipt-median",
            "acknowledged write to receipt, median",
            "ms",
            2,
            less_is_better=True,
            is_durable=True,
        ),
        Quantity(
            "receipt-p99",
            "acknowledged write to receipt, 99th percentile",
            "ms",
            2,
            less_is_better=True,
            is_durable=True,
        ),
        Quantity("receipt-pace", "the pace of these writes", "writes/s", is_remark=True),
        Quantity("receipt-early", "received before acknowledged", "%", 1, is_remark=True),
    ),
    _receipt,
    _make_received,
    "receipt",
    frozenset({PENSTOCK}),
    Act.STREAMS,
)


def _prepare_put(running: Running, course: Course) -> None:
    fill(running, course)
    prepare_table(running, course, WORKLOADS["put"].table)
    requests_per_second(running, course, WORKLOADS["put"], course.plan.warm_up_seconds)


def _put_alone_and_beside(running: Running, course: Course) -> tuple[float, ...]:
    work, seconds = WORKLOADS["put"], course.plan.seconds
    alone = requests_per_second(running, course, work, seconds)
    with draining.draining(running.host, running.port, _arn(running)) as reader:
        beside = requests_per_second(running, course, work, seconds)
    if reader.records == 0:
        raise ServerError("the reader beside it got no record")
    return alone, beside


PUT_WHILE_DRAINING = Measurement(
    "put-while-draining",
    (
        Quantity("put-undisturbed", "PutItem, nobody reads", "requests/s", is_durable=True),
        Quantity(
            "put-while-draining", "PutItem while a reader drains", "requests/s", is_durable=True
        ),
    ),
    _put_alone_and_beside,
    _prepare_put,
    "put-while-draining",
    frozenset({PENSTOCK}),
    Act.STREAMS,
    need=need_wrk,
)

STREAM_MEASUREMENTS = (*(drain_with(readers) for readers in READERS), RECEIPT, PUT_WHILE_DRAINING)
