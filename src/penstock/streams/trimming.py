"""Trimming: gives back the space of what may no longer be read, beside the requests.

Records past the trim horizon are invisible whether or not they are still there, so nothing here is
urgent and nothing that it does can be seen. A log's old records go by one clear of a range of keys,
which costs the same for one record and for a million, under a lock that no writer takes: writers
append far above. Closed shards go some time after all their records, then their stream.

With `keep_ms` beyond the retention of the API, all of it stays that much longer, for other readers
of the log. What was trimmed by command goes at once.

On its way the job also stores the states of streams that are ENABLING or DISABLING no more, so that
a clock that steps back does not bring them back.
"""

import asyncio
from typing import NamedTuple

from penstock.base import limits
from penstock.base.clock import Clock
from penstock.storage.pages import all_rows
from penstock.storage.prefixes import Prefix
from penstock.storage.waist import (
    Engine,
    Lock,
    Reader,
    Span,
    Stamp,
    Transaction,
    log_span,
    stamp_at,
)
from penstock.streams.stream import (
    Shard,
    Stream,
    decode_stream,
    forget_shard,
    forget_stream,
    settle_stream,
    shards_of,
    stream_lock,
)


class _Due(NamedTuple):
    """A shard with something to give back: all of it, or its records up to a stamp."""

    shard: Shard
    log: bytes
    upto: Stamp | None

    @property
    def span(self) -> Span:
        """The records that go."""
        return log_span(self.log, upto=self.upto)


class Trimming:
    """The job that trims all streams of a store."""

    def __init__(
        self, engine: Engine, clock: Clock, keep_ms: int = limits.stream_retention_ms
    ) -> None:
        self._engine = engine
        self._clock = clock
        self._keep_ms = keep_ms
        # Whoever holds an iterator can ask for the end of a shard for as long as that lives.
        self._grace_ms = max(keep_ms - limits.stream_retention_ms, limits.iterator_life_ms)

    async def run(self) -> None:
        """Trim every stream once."""
        async for _, stored in all_rows(self._engine, Span.of_prefix(Prefix.STREAM.key)):
            await self._trim(decode_stream(stored))

    async def _trim(self, stream: Stream) -> None:
        now_ms = self._clock.now_ms()
        lock = stream_lock(stream.number, stream.arn)
        if stream.status != stream.state(now_ms):
            await self._engine.transact(
                lambda txn: settle_stream(txn, stream.arn, now_ms), locks=(lock,)
            )
        shards, due = self._engine.snapshot(lambda reader: self._due(reader, stream, now_ms))
        for at in range(0, len(due), limits.trim_shards_max):
            await self._give_back(stream, due[at : at + limits.trim_shards_max])
            await asyncio.sleep(0)
        left = shards - sum(each.upto is None for each in due)
        if not left and stream.has_expired(now_ms - self._grace_ms):
            await self._engine.transact(lambda txn: forget_stream(txn, stream), locks=(lock,))

    def _due(self, reader: Reader, stream: Stream, now_ms: int) -> tuple[int, list[_Due]]:
        """Return how many shards `stream` has, and those that have something to give back."""
        shards = shards_of(reader, stream)
        kept = stamp_at(max(now_ms - self._keep_ms, 0))
        found = []
        for shard in shards:
            log = stream.log(shard.number)
            if shard.has_expired(now_ms - self._grace_ms):
                found.append(_Due(shard, log, None))
                continue
            due = _Due(shard, log, max(kept - 1, shard.trimmed))
            if reader.scan(due.span, 1):
                found.append(due)
        return len(shards), found

    async def _give_back(self, stream: Stream, due: list[_Due]) -> None:
        def work(txn: Transaction) -> None:
            for each in due:
                if each.upto is None:
                    forget_shard(txn, stream, each.shard)
                else:
                    txn.clear(each.span)

        locks = [Lock(b"trim/" + each.log, (each.span,)) for each in due]
        if any(each.upto is None for each in due):
            locks.append(stream_lock(stream.number, stream.arn))
        await self._engine.transact(work, locks=locks)
