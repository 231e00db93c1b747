"""The demo's course: server, table, consumer, writer, then the check; and everything ended again.

Every wait has a limit, so that the whole ends within a minute: on a machine too slow to write all
readings in `_WRITING_SECONDS_MAX` the writer stops early, and the demo says so.
"""

import argparse
import gc
import signal
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import cast

from botocore.exceptions import BotoCoreError, ClientError, WaiterError
from rich.console import Console

from penstock.app.demo_consumer import Consumer
from penstock.app.demo_plan import PARTITION_KEY, SORT_KEY, Item, Key, item_key, writes_planned
from penstock.app.demo_promises import Findings, Write, judge
from penstock.app.demo_report import Run, Shown, findings_table, verdict
from penstock.app.demo_server import DemoServer, ServerError
from penstock.app.demo_writer import Assignment
from penstock.app.demo_writer_process import WriterError, WriterProcess
from penstock.app.endpoint import Endpoint, is_loopback, own_endpoint
from penstock.app.own_server import EndpointError
from penstock.app.readings import Reading, ReadingsError, load_readings
from penstock.base.clock import Clock, SystemClock

_TABLE = "penstock-demo"
_WRITING_SECONDS_MAX = 45.0
_DRAINING_SECONDS_MAX = 5.0  # since the last record
_SETTLING_SECONDS = 0.25  # for records that come twice
_TICK_SECONDS = 0.1
_TERMINATED = 143


class DemoError(Exception):
    """The demo cannot go on; the text is one line for a person."""


@dataclass(slots=True)
class _Watched:
    """What a tick of the demo looks at."""

    consumer: Consumer
    shown: Shown
    server: DemoServer | None

    def tick(self, written: int) -> None:
        """Show progress; raise if server or consumer came to an end."""
        if self.server is not None:
            self.server.check()
        if self.consumer.failure:
            raise DemoError(f"the consumer could not read on: {self.consumer.failure}")
        self.shown.update(written, len(self.consumer.receipts), self.consumer.latest)


def show(arguments: argparse.Namespace) -> int:
    """Run the demo that `arguments` ask for; return the exit code."""
    console = Console(highlight=False, soft_wrap=True)
    clock = SystemClock()
    try:
        with _sigterm_raises(), ExitStack() as stack:
            readings = load_readings()
            server, url, engine = _server(arguments, stack, clock)
            findings, run = _observe(console, clock, readings, server, url, engine, stack)
            if server is not None:
                server.stop()
    except (DemoError, ServerError, WriterError, EndpointError, ReadingsError) as failure:
        return _failed(str(failure))
    except (ClientError, BotoCoreError) as failure:
        return _failed(" ".join(str(failure).split()))
    except OSError as failure:  # of the folder, or of the output
        place = f": {failure.filename}" if failure.filename else ""
        return _failed(f"{failure.strerror or failure}{place}")
    _report(console, findings, run)
    if arguments.keep is not None and server is not None:
        console.print(f"The data are in {arguments.keep}: penstock serve --data {arguments.keep}")
    return 0 if findings.kept else 1


def _failed(text: str) -> int:
    print(f"penstock demo: {text}", file=sys.stderr)  # noqa: T201 - a command's own output
    return 1


def _report(console: Console, findings: Findings, run: Run) -> None:
    console.print(findings_table(findings, run))
    if findings.written < run.planned:
        console.print(
            f"This machine wrote {findings.written:,} of {run.planned:,} changes in the"
            f" {_WRITING_SECONDS_MAX:.0f} s that the demo allows itself."
        )
    console.print(verdict(findings))


def _server(
    arguments: argparse.Namespace, stack: ExitStack, clock: Clock
) -> tuple[DemoServer | None, str, str]:
    """Return the server to be watched, None for one that is not ours; its URL; its engine."""
    if arguments.endpoint_url is not None:
        if not is_loopback(arguments.endpoint_url):
            raise EndpointError("the demo writes to servers on this machine only")
        if arguments.engine is not None or arguments.keep is not None:
            raise DemoError("--engine and --keep are for a server that the demo starts itself")
        return None, arguments.endpoint_url, "not ours"
    engine = arguments.engine or "rocksdb"
    if engine == "memory" and arguments.keep is not None:
        raise DemoError("--keep needs --engine rocksdb: the memory engine keeps nothing")
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="penstock-demo-")))
    data = folder / "data"
    if arguments.keep is not None:
        data = arguments.keep
        if data.exists() and any(data.iterdir()):
            raise DemoError(f"the folder {data} is not empty: choose a new one")
    data.mkdir(parents=True, exist_ok=True)
    server = DemoServer(data, engine, folder / "server.log", clock)
    stack.enter_context(server)
    return server, server.url, engine


def _observe(
    console: Console,
    clock: Clock,
    readings: dict[str, list[Reading]],
    server: DemoServer | None,
    url: str,
    engine: str,
    stack: ExitStack,
) -> tuple[Findings, Run]:
    endpoint = own_endpoint(url)
    planned = writes_planned(readings)
    count = sum(len(each) for each in readings.values())
    console.print(
        f"{count:,} hourly temperatures of {' and '.join(readings)}, 2010, into table"
        f" {_TABLE!r} at {url}, engine {engine}"
    )
    stream_arn = _create_table(endpoint)
    if server is None:  # also when this is interrupted: a server of our own is gone with all it has
        stack.callback(_delete_table, endpoint)
    consumer = Consumer(endpoint, stream_arn, clock)
    began_ms = clock.elapsed_ms()
    with Shown(console, planned, clock) as shown, _collector_off():
        try:
            consumer.start()
            watched = _Watched(consumer, shown, server)
            writes = _write_all(url, readings, clock, watched)
            wrote_ms = max((write.acknowledged_ms for write in writes), default=began_ms)
            _drain(len(writes), clock, watched)
        finally:
            consumer.stop()
    findings = judge(writes, consumer.receipts, _scan(endpoint))
    first_ms = min((write.started_ms for write in writes), default=began_ms)
    return findings, Run(engine, consumer.shards, planned, (wrote_ms - first_ms) / 1000)


def _create_table(endpoint: Endpoint) -> str:
    """Create the demo's table with a stream and return the stream's ARN."""
    client = endpoint.tables()
    try:
        created = client.create_table(
            TableName=_TABLE,
            KeySchema=[
                {"AttributeName": PARTITION_KEY, "KeyType": "HASH"},
                {"AttributeName": SORT_KEY, "KeyType": "RANGE"},
            ],
            AttributeDefinitions=[
                {"AttributeName": PARTITION_KEY, "AttributeType": "S"},
                {"AttributeName": SORT_KEY, "AttributeType": "S"},
            ],
            BillingMode="PAY_PER_REQUEST",
            StreamSpecification={
                "StreamEnabled": True,
                "StreamViewType": "NEW_AND_OLD_IMAGES",
            },
        )
        client.get_waiter("table_exists").wait(
            TableName=_TABLE, WaiterConfig={"Delay": 1, "MaxAttempts": 10}
        )
    except client.exceptions.ResourceInUseException as present:
        raise DemoError(f"there is a table {_TABLE!r} already: delete it first") from present
    except WaiterError as late:
        raise DemoError("the table did not become active within 10 s") from late
    return created["TableDescription"]["LatestStreamArn"]


def _delete_table(endpoint: Endpoint) -> None:
    """Delete the demo's table if the server still answers."""
    with suppress(ClientError, BotoCoreError):
        endpoint.tables().delete_table(TableName=_TABLE)


def _write_all(
    url: str, readings: Mapping[str, Sequence[Reading]], clock: Clock, watched: _Watched
) -> list[Write]:
    """Return all acknowledged writes, when the writer is done or its time is over."""
    deadline_ms = clock.elapsed_ms() + _WRITING_SECONDS_MAX * 1000
    with WriterProcess(Assignment(url, _TABLE, readings, deadline_ms)) as writer:
        next_tick_ms = 0.0
        while not writer.collect(_TICK_SECONDS):
            if clock.elapsed_ms() >= next_tick_ms:
                watched.tick(len(writer.writes))
                next_tick_ms = clock.elapsed_ms() + _TICK_SECONDS * 1000
    return writer.writes


def _drain(written: int, clock: Clock, watched: _Watched) -> None:
    """Wait until as many records came as were written, or none came for some time; then settle."""
    consumer, pause = watched.consumer, threading.Event()
    began_ms = clock.elapsed_ms()
    while len(consumer.receipts) < written:
        watched.tick(written)
        quiet_since_ms = max(began_ms, consumer.last_received_ms)
        if clock.elapsed_ms() - quiet_since_ms > _DRAINING_SECONDS_MAX * 1000:
            break
        pause.wait(_TICK_SECONDS)
    pause.wait(_SETTLING_SECONDS)
    watched.tick(written)


def _scan(endpoint: Endpoint) -> dict[Key, Item]:
    """Return all items of the table by key."""
    pages = endpoint.tables().get_paginator("scan").paginate(TableName=_TABLE, ConsistentRead=True)
    items = [cast("Item", item) for page in pages for item in page["Items"]]
    return {item_key(item): item for item in items}


@contextmanager
def _collector_off() -> Iterator[None]:
    """Keep Python's cycle collector from stopping the consumer in the body.

    The demo keeps every receipt for the check, and each full collection walks through all of them:
    up to a quarter of a second that would be counted as time from write to receipt.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


@contextmanager
def _sigterm_raises() -> Iterator[None]:
    """Let SIGTERM unwind the body, so that what it started is ended."""

    def end(_number: int, _frame: FrameType | None) -> None:
        raise SystemExit(_TERMINATED)

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
