"""The time from an acknowledged write to its receipt by a reader of the stream.

A writer process sends PutItem at an even pace, whether answers come or not, and notes when each is
acknowledged. A reader process follows every shard, and notes when each page arrives. Which items
are in it is worked out afterwards. Both read one monotonic clock. Where both answers are under way
at once, the reader's may arrive first: such a latency is negative and counted as it is.

Readers ask a server that can to hold an answer until it has records (WAIT_HEADER). Where that is
not known, the answer comes at once, and they poll without a pause.
"""

import asyncio
import contextlib
import re
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, cast

import httptools
import uvloop

from bench.draining import KEYS, RECORD, iterator_at, shard_ids
from bench.filling import MARK_CHARS, ItemMaker, stream_arn
from bench.raw_client import RawClient, RequestHead, ServerError
from bench.workers import Link, Worker, start_together

WAIT_HEADER = "X-Penstock-Wait-Ms"

_WAIT_MS = 5000
_CONNECTIONS = 8
_LATE_SECONDS_MAX = 20.0
"""How long after the last write the last answer and the last record may come."""
_TAG_DIGITS = 6
_NEXT = re.compile(rb'"NextShardIterator":"([^"]+)"')
_NEXT_MARGIN = 4096
_LOOK_SECONDS = 0.1
_NS_PER_MS = 1e6

Receive = Callable[[int, bytes], None]
"""Is called with the time in nanoseconds at which an answer was complete, and its body."""


@dataclass(frozen=True, slots=True)
class Latencies:
    """What was measured of `count` items: each acknowledged, and each received."""

    median_ms: float
    p99_ms: float
    count: int
    early_share: float
    """The share of those that the reader had before the writer had its acknowledgement."""
    writes_per_second: float
    """The pace that was reached: less than asked for where the server cannot follow."""


class Written(NamedTuple):
    """When each item was acknowledged, in nanoseconds, by its number; and how long all took."""

    acknowledged: list[int]
    seconds: float


Page = tuple[int, bytes]
"""When a page with records arrived, in nanoseconds, and its bytes."""


def measure(host: str, port: int, table: str, rate: int = 1000, seconds: float = 10) -> Latencies:
    """Measure the latency of a table's stream at `rate` writes a second for `seconds`.

    Raises ServerError where a record does not come, WorkFailed where a process fails.
    """
    tag, count = new_tag(), int(rate * seconds)
    arn = stream_arn(host, port, table)
    with (
        Worker(_read, host, port, arn, count) as reader,
        Worker(write, host, port, table, tag, count, rate) as writer,
    ):
        start_together(reader, writer)
        written: Written = writer.result()
        reader.stop()
        received: list[Page] = reader.result()
    return latencies(written, received, tag)


def new_tag() -> bytes:
    """Return what begins the marks of one measurement's items, and of no other's nearby."""
    return b"t%0*d" % (_TAG_DIGITS - 1, time.monotonic_ns() // 1_000_000 % 10 ** (_TAG_DIGITS - 1))


def latencies(written: Written, received: Sequence[Page], tag: bytes) -> Latencies:
    """Return what the notes of both processes say; ServerError where a record is missing.

    An item is received with the first page that has its mark: later ones have it as an old image.
    """
    first: dict[int, int] = {}
    mark = re.compile(re.escape(tag) + rb"(\d{%d})" % (MARK_CHARS - len(tag)))
    for at, page in received:
        for found in mark.finditer(page):
            first.setdefault(int(found[1]), at)
    missing = [number for number in range(len(written.acknowledged)) if number not in first]
    if missing:
        raise ServerError(f"{len(missing)} records did not come, the first of item {missing[0]}")
    all_ns = sorted(first[number] - at for number, at in enumerate(written.acknowledged))
    count = len(all_ns)
    return Latencies(
        median_ms=all_ns[count // 2] / _NS_PER_MS,
        p99_ms=all_ns[min(count - 1, count * 99 // 100)] / _NS_PER_MS,
        count=count,
        early_share=sum(each < 0 for each in all_ns) / count,
        writes_per_second=count / written.seconds,
    )


def write(
    link: Link,
    host: str,
    port: int,
    table: str,
    tag: bytes,
    count: int,
    rate: int,
    connections: int = _CONNECTIONS,
) -> Written:
    """Write `count` items at an even pace: the work of a writer's process."""
    writer = _Writer(link, host, port, table, tag, count, rate)
    return uvloop.run(writer.run(connections))


class _Writer:
    """Sends items at an even pace over connections; each has one request under way at most.

    An item whose time has come while all connections are busy is sent by the next free one.
    """

    def __init__(
        self, link: Link, host: str, port: int, table: str, tag: bytes, count: int, rate: int
    ) -> None:
        self._link = link
        self._host, self._port = host, port
        maker, head = ItemMaker(), RequestHead(host, port, "PutItem")
        name = table.encode()
        self._requests = [
            head.with_body(
                b'{"TableName":"%b","Item":%b}' % (name, maker.item(number % KEYS, number, tag))
            )
            for number in range(count)
        ]
        self._rate = rate
        self._acknowledged = [0] * count
        self._left = count
        self._due: deque[int] = deque()
        self._free: list[_Connection] = []
        self._done = asyncio.Event()
        self._failure: ServerError | None = None

    async def run(self, connections_max: int) -> Written:
        self._free = [
            await _connect(self._host, self._port, self._fail) for _ in range(connections_max)
        ]
        connections = list(self._free)
        self._link.wait_for_start()
        began = time.monotonic()
        self._pace(began, 0)
        allowed = len(self._requests) / self._rate * 4 + _LATE_SECONDS_MAX
        try:
            await asyncio.wait_for(self._done.wait(), allowed)
        except TimeoutError:
            raise ServerError(f"{self._left} writes were not acknowledged in time") from None
        seconds = time.monotonic() - began
        for connection in connections:
            connection.close()
        if self._failure is not None:
            raise self._failure
        return Written(self._acknowledged, seconds)

    def _pace(self, began: float, sent: int) -> None:
        """Send what is due by now, and come again for the next one."""
        due = min(int((time.monotonic() - began) * self._rate) + 1, len(self._requests))
        self._due.extend(range(sent, due))
        while self._due and self._free:
            self._send(self._free.pop(), self._due.popleft())
        if due < len(self._requests) and self._failure is None:
            pause = max(began + due / self._rate - time.monotonic(), 0.0)
            asyncio.get_running_loop().call_later(pause, self._pace, began, due)

    def _send(self, connection: "_Connection", number: int) -> None:
        def acknowledge(at: int, _body: bytes) -> None:
            self._acknowledged[number] = at
            self._left -= 1
            if self._left == 0:
                self._done.set()
            if self._due:
                self._send(connection, self._due.popleft())
            else:
                self._free.append(connection)

        connection.ask(self._requests[number], acknowledge)

    def _fail(self, failure: ServerError) -> None:
        self._failure = failure
        self._done.set()


def _read(link: Link, host: str, port: int, arn: str, count: int) -> list[Page]:
    with RawClient(host, port) as client:
        shards = shard_ids(client, arn, only_open=True)
        iterators = [iterator_at(client, arn, shard, "LATEST") for shard in shards]
    return uvloop.run(_Reader(link, host, port, count).run(iterators))


class _Reader:
    """Follows shards, a connection each, until as many records have come as items are written."""

    def __init__(self, link: Link, host: str, port: int, count: int) -> None:
        self._link = link
        self._host, self._port = host, port
        self._head = RequestHead(host, port, "GetRecords", f"{WAIT_HEADER}: {_WAIT_MS}\r\n")
        self._left = count
        self._pages: list[Page] = []
        self._all_came = asyncio.Event()
        self._failures: list[ServerError] = []

    async def run(self, iterators: Sequence[bytes]) -> list[Page]:
        connections = [await _connect(self._host, self._port, self._fail) for _ in iterators]
        self._link.wait_for_start()
        for connection, iterator in zip(connections, iterators, strict=True):
            self._follow(connection, iterator)
        while not self._all_came.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._all_came.wait(), _LOOK_SECONDS)
            if self._link.is_stopped():  # all has been acknowledged: what is to come comes soon
                break
        with contextlib.suppress(TimeoutError):  # what is missing is told of by `latencies`
            await asyncio.wait_for(self._all_came.wait(), _LATE_SECONDS_MAX)
        for connection in connections:
            connection.close()
        if self._failures:
            raise self._failures[0]
        return self._pages

    def _follow(self, connection: "_Connection", iterator: bytes) -> None:
        def take(at: int, body: bytes) -> None:
            if (records := body.count(RECORD)) > 0:
                self._pages.append((at, body))
                self._left -= records
                if self._left <= 0:
                    self._all_came.set()
            following = _NEXT.search(body, max(0, len(body) - _NEXT_MARGIN)) or _NEXT.search(body)
            if following is None:
                self._fail(ServerError("a shard ended while its latency was measured"))
            elif not self._all_came.is_set():
                self._follow(connection, following[1])

        request = self._head.with_body(b'{"ShardIterator":"%b"}' % iterator)
        connection.ask(request, take)

    def _fail(self, failure: ServerError) -> None:
        self._failures.append(failure)
        self._all_came.set()


class _Connection(asyncio.Protocol):
    """A connection that asks one thing after the other; `fail` is told what went wrong."""

    def __init__(self, fail: Callable[[ServerError], None]) -> None:
        self._fail = fail
        self._transport: asyncio.Transport
        self._parser = httptools.HttpResponseParser(self)
        self._receive: Receive | None = None
        self._pieces: list[bytes] = []
        self._is_closed = False

    def ask(self, request: bytes, receive: Receive) -> None:
        """Send a request and have `receive` called with its answer."""
        self._receive = receive
        self._transport.write(request)

    def close(self) -> None:
        """Close the connection; what is still under way is not heard of any more."""
        self._is_closed = True
        self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's own is no subclass

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self._is_closed:
            self._fail(ServerError(f"the server closed a connection: {exc}"))

    def on_body(self, piece: bytes) -> None:
        """Keep a piece of an answer's body: the parser calls this."""
        self._pieces.append(piece)

    def on_message_complete(self) -> None:
        """Hand an answer over: the parser calls this."""
        at = time.monotonic_ns()
        body = self._pieces[0] if len(self._pieces) == 1 else b"".join(self._pieces)
        self._pieces = []
        receive, self._receive = self._receive, None
        status = self._parser.get_status_code()
        if status != 200 or receive is None:
            self._fail(ServerError(f"the server answered {status}: {body[:500]!r}"))
        else:
            receive(at, body)


async def _connect(host: str, port: int, fail: Callable[[ServerError], None]) -> _Connection:
    loop = asyncio.get_running_loop()
    _, connection = await loop.create_connection(lambda: _Connection(fail), host, port)
    return connection
