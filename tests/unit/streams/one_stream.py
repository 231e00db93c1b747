"""A stream in a memory engine, without tables, whose time a test moves."""

import asyncio
from collections.abc import Callable
from typing import Protocol, Self, TypeVar

from penstock.base.clock import Clock
from penstock.storage.format import pack
from penstock.storage.memory import MemoryEngine
from penstock.storage.waist import Engine, Lock, Span, Stamp, Transaction
from penstock.streams.read import Page, Place, begin, read_page
from penstock.streams.stream import (
    Shard,
    Stream,
    Succession,
    close_stream,
    make_stream,
    open_stream,
    shards_of,
    stream_lock,
    succeed,
    trim_shard,
)
from penstock.testing.clock import FakeClock

T = TypeVar("T")

_LOGS = Lock(b"logs", (Span(b"\x00", b"\xfe"),))
TABLE_ARN = "arn:aws:dynamodb:us-east-1:000000000000:table/abc"


class Job(Protocol):
    """What runs beside the requests."""

    async def run(self) -> object: ...


class OneStream:
    """An engine with one stream; use it as a context manager."""

    def __init__(self, shards: int = 1) -> None:
        self.clock = FakeClock()
        self._loop = asyncio.new_event_loop()
        self._engine = MemoryEngine(self.clock, rehearse=True)
        self.stream = self.make(1)
        self.open(self.stream, shards)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._engine.close()
        self._loop.close()

    def make(self, number: int, table_arn: str = TABLE_ARN) -> Stream:
        """Return a stream that is enabled now; it is not stored."""
        name = table_arn.rpartition("/")[2]
        return make_stream(number, table_arn, name, "KEYS_ONLY", [], self.clock.now_ms())

    def open(self, stream: Stream, shards: int = 1, changed_ms: int = 0) -> None:
        """Store a stream, ENABLING until `changed_ms`."""
        self.transact(
            lambda txn: open_stream(txn, stream, shards, changed_ms), _lock(stream), _LOGS
        )

    def transact(self, work: Callable[[Transaction], T], *locks: Lock) -> T:
        """Run `work` in a transaction."""
        return self._loop.run_until_complete(self._engine.transact(work, locks=locks))

    def view(self, work: Callable[..., T], *arguments: object) -> T:
        """Run `work` on a view, with further arguments."""
        return self._engine.snapshot(lambda reader: work(reader, *arguments))

    def append(self, *records: bytes, shard: int = 0) -> list[Stamp]:
        """Append records to a shard, each in a transaction of its own."""
        log = self.stream.log(shard)
        lock = Lock(_LOGS.name, (Span.of_prefix(log),))

        def keep(record: bytes) -> Callable[[Transaction], Stamp]:
            return lambda txn: txn.append(log, lambda _: pack(record))

        return [self.transact(keep(record), lock) for record in records]

    def close(self, changed_ms: int = 0) -> None:
        """Close the stream, DISABLING until `changed_ms`."""
        stream, now_ms = self.stream, self.clock.now_ms()
        self.stream = self.transact(
            lambda txn: close_stream(txn, stream, now_ms, changed_ms), _lock(stream), _LOGS
        )

    def succeed(self, shard: Shard, *numbers: int) -> Succession:
        """Close an open shard and open its children."""
        stream, now_ms = self.stream, self.clock.now_ms()
        return self.transact(
            lambda txn: succeed(txn, stream, shard, numbers, now_ms), _lock(stream), _LOGS
        )

    def trim(self, shard: Shard) -> Shard:
        """Let nothing of a shard be read any more that it holds now."""
        stream = self.stream
        return self.transact(lambda txn: trim_shard(txn, stream, shard), _lock(stream), _LOGS)

    def run_job(self, make_job: Callable[[Engine, Clock], Job]) -> None:
        """Run a job of the engine once."""
        self._loop.run_until_complete(make_job(self._engine, self.clock).run())

    @property
    def shards(self) -> list[Shard]:
        """The shards as they are stored."""
        return self.view(shards_of, self.stream)

    def begin(self, kind: str, number: str | None = None) -> Place:
        """Return where an iterator of that kind begins in the first shard."""
        return self.view(begin, self.stream, self.shards[0], kind, number, self.clock.now_ms())

    def read(self, place: Place, limit: int = 1000) -> Page:
        """Return a page of the first shard."""
        return self.view(read_page, self.stream, self.shards[0], place, limit, self.clock.now_ms())


def _lock(stream: Stream) -> Lock:
    return stream_lock(stream.number, stream.arn)
