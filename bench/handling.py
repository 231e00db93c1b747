"""What a function was given, by its own notes (see `bench.handler`), and giving it events directly.

Nothing is measured from outside of the function: its first line takes the time, of the clock that
all processes share.
"""

import itertools
import json
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from bench import latency
from bench.api import Json
from bench.draining import oldest, shard_ids
from bench.filling import ItemMaker, call_json
from bench.lambda_api import LambdaApi
from bench.latency import Latencies, Page, Written, latencies
from bench.raw_client import RawClient, ServerError
from bench.workers import Link, Worker, run_together, start_together

NEWS_SECONDS_MAX = 30.0
"""How long nothing may be noted while something is waited for."""
POLL_SECONDS = 0.02
PROBE_SECONDS = 0.1
EVENTS_MAX = 10
"""How many events of a shard are made to invoke a function with, again and again."""


class Notes:
    """What functions note in a file, read on from where it was read before."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._at = path.stat().st_size if path.exists() else 0

    def news(self) -> list[bytes]:
        """Return the lines that are new; one that is not whole yet comes later."""
        if not self._path.exists():
            return []
        with self._path.open("rb") as file:
            file.seek(self._at)
            whole = file.read().rpartition(b"\n")[0]
        if not whole:
            return []
        self._at += len(whole) + 1
        return whole.split(b"\n")

    def await_news(self, is_enough: Callable[[list[bytes]], bool]) -> list[bytes]:
        """Return the new lines once they are enough, or nothing came for NEWS_SECONDS_MAX."""
        lines = self.news()
        since = time.monotonic()
        while not is_enough(lines) and time.monotonic() - since < NEWS_SECONDS_MAX:
            time.sleep(POLL_SECONDS)
            if found := self.news():
                lines += found
                since = time.monotonic()
        return lines


# --- from an acknowledged write to the first line


def await_mapping(host: str, port: int, table: str, notes: Notes) -> None:
    """Write items until the function is given one: from then on it is given all of them.

    A mapping that begins at the latest record does so somewhat later than it is made.
    """
    deadline = time.monotonic() + NEWS_SECONDS_MAX
    maker, tag = ItemMaker(), latency.new_tag()
    with RawClient(host, port) as client:
        for number in itertools.count():
            item = maker.item(0, number, tag)
            client.call("PutItem", b'{"TableName":"%b","Item":%b}' % (table.encode(), item))
            time.sleep(PROBE_SECONDS)
            if notes.news():
                return
            if time.monotonic() > deadline:
                raise ServerError("the function was given nothing of what was written")


def first_line(
    host: str, port: int, table: str, notes: Notes, rate: int, seconds: float
) -> Latencies:
    """Measure the time from a write's acknowledgement to the first line of the function.

    Writes are made one at a time, `rate` a second. Raises ServerError where a record is not given.
    """
    tag, count = latency.new_tag(), int(rate * seconds)
    with Worker(latency.write, host, port, table, tag, count, rate, 1) as writer:
        start_together(writer)
        written: Written = writer.result()
    lines = notes.await_news(lambda lines: len(_marks_in(lines, tag)) >= count)
    return latencies(written, [page_of(line) for line in lines], tag)


def _marks_in(lines: Sequence[bytes], tag: bytes) -> set[bytes]:
    """Return the marks with this tag that `note_marks` has noted."""
    return {mark for line in lines for mark in page_of(line)[1].split() if mark.startswith(tag)}


def page_of(line: bytes) -> Page:
    """Return what `note_marks` has noted: when it began, and the marks of its items."""
    began, _, marks = line.partition(b" ")
    return int(began), marks


# --- records per second


class Handled(NamedTuple):
    """What a function was given, from its first line to the last one of its last invocation."""

    records: int
    seconds: float
    total: int
    """The sum of the marks."""

    @property
    def per_second(self) -> float:
        """Records per second."""
        return self.records / self.seconds


def handled(notes: Notes, records: int) -> Handled:
    """Return what `add_up` was given once that is as many records; ServerError where it is not."""
    lines = notes.await_news(lambda lines: sum(records_of(line) for line in lines) >= records)
    told = handled_of(lines)
    if told.records != records:
        raise ServerError(f"the function was given {told.records:,} of {records:,} records")
    return told


def records_of(line: bytes) -> int:
    """Return of how many records a line of `add_up` is."""
    return int(line.split()[2])


def handled_of(lines: Sequence[bytes]) -> Handled:
    """Return what the lines of `add_up` say together. Raises ServerError where there are none."""
    if not lines:
        raise ServerError("the function was given no record")
    began, ended, records, totals = zip(*(map(int, line.split()) for line in lines), strict=True)
    return Handled(sum(records), (max(ended) - min(began)) / 1e9, sum(totals))


def invoke_all(
    host: str, port: int, stream_arn: str, function: str, records: int, batch_size: int
) -> int:
    """Give a function events of a stream's records by Invoke, until it had about so many.

    As a mapping does, it invokes for each shard one after the other. Returns how many records it
    was given exactly.
    """
    with RawClient(host, port) as client:
        shards = shard_ids(client, stream_arn)
    times = -(-records // (len(shards) * batch_size))
    given: list[int] = run_together(
        *(
            Worker(_invoke, host, port, stream_arn, shard, function, batch_size, times)
            for shard in shards
        )
    )
    return sum(given)


def _invoke(
    link: Link,
    host: str,
    port: int,
    arn: str,
    shard: str,
    function: str,
    batch_size: int,
    times: int,
) -> int:
    """Invoke a function so many times with events of a shard; return how many records that were."""
    with RawClient(host, port) as client:
        records = itertools.islice(_records(client, arn, shard), EVENTS_MAX * batch_size)
        events = [(len(each), event_of(each, arn)) for each in _in_batches(records, batch_size)]
    if not events:
        raise ServerError("a shard has no records to give to a function")
    given = 0
    with LambdaApi(host, port) as api:
        link.wait_for_start()
        for count, event in itertools.islice(itertools.cycle(events), times):
            api.invoke(function, event)
            given += count
    return given


def _records(client: RawClient, arn: str, shard: str) -> Iterator[Json]:
    """Yield the records of a shard from its oldest on."""
    iterator: str | None = oldest(client, arn, shard).decode()
    while iterator is not None:
        page = call_json(client, "GetRecords", {"ShardIterator": iterator})
        if not page["Records"]:
            return
        yield from page["Records"]
        iterator = page.get("NextShardIterator")


def _in_batches(records: Iterator[Json], size: int) -> Iterator[list[Json]]:
    while batch := list(itertools.islice(records, size)):
        yield batch


def event_of(records: Sequence[Json], stream_arn: str) -> bytes:
    """Return the event that a mapping makes of records."""
    whole = [{**record, "eventSourceARN": stream_arn} for record in records]
    return json.dumps({"Records": whole}, separators=(",", ":")).encode()
