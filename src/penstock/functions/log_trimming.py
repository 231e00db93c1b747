"""Trimming logs: what is older than it is kept, or more than its group keeps, goes by whole chunks.

Lines past their age are invisible whether or not they are still there. A group keeps a number of
bytes, and of more than that the oldest lines go, whichever stream they are in; so does a stream
that nothing was stored in for longer than lines are kept, and the oldest streams of very many. Each
step is one transaction under the group's lock, so any number of nodes may trim at once.
"""

import asyncio
import heapq
from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from penstock.base import limits
from penstock.base.clock import Clock
from penstock.functions.log_rows import (
    Chunk,
    LogGroup,
    LogStream,
    Place,
    find_group,
    forget_stream,
    place_of,
    store_group,
    store_stream,
    streams_of,
)
from penstock.storage.pages import all_rows
from penstock.storage.prefixes import Prefix
from penstock.storage.waist import Engine, Span, Transaction

_DAY_MS = 24 * 3600 * 1000


class Keeping(NamedTuple):
    """How long the lines of a log are kept that says nothing else, and how many bytes of each."""

    days: int = 7
    bytes: int = 16 * 1024 * 1024

    @property
    def excess_bytes(self) -> int:
        """Return the bytes above which a group is trimmed at once."""
        return self.bytes * (100 + limits.log_keep_excess_percent) // 100

    def since_ms(self, group: LogGroup, now_ms: int) -> int:
        """Return the time before which no line of `group` is kept at `now_ms`."""
        days = self.days if group.retention_days is None else group.retention_days
        return max(now_ms - days * _DAY_MS, 0)


class LogTrimming:
    """The job that trims all logs of a store."""

    def __init__(self, engine: Engine, clock: Clock, keeping: Keeping) -> None:
        self._engine = engine
        self._clock = clock
        self._keeping = keeping

    async def run(self) -> None:
        """Trim every log once."""
        async for key, _ in all_rows(self._engine, Span.of_prefix(Prefix.LOG_GROUP.key)):
            await trim_log(self._engine, place_of(key), self._keeping, self._clock.now_ms())


async def trim_log(engine: Engine, place: Place, keeping: Keeping, now_ms: int) -> None:
    """Trim one log, in as many steps as that takes."""

    def work(txn: Transaction) -> bool:
        group = find_group(txn, place)
        return group is not None and _Step(txn, place, group, keeping, now_ms).run()

    while await engine.transact(work, locks=[place.lock], reads=[place.key]):
        await asyncio.sleep(0)


class _Step:
    """One transaction's part of trimming a log."""

    def __init__(
        self, txn: Transaction, place: Place, group: LogGroup, keeping: Keeping, now_ms: int
    ) -> None:
        self._txn, self._place, self._group = txn, place, group
        self._since_ms = keeping.since_ms(group, now_ms)
        self._bytes_max = keeping.bytes
        self._kept_bytes = group.kept_bytes
        self._chunks_left = limits.log_trim_chunks_max

    def run(self) -> bool:
        """Give back what there is; say whether there may be more."""
        left = self._without_old_streams(list(streams_of(self._txn, self._place)))
        self._clear_oldest(left)
        if self._kept_bytes != self._group.kept_bytes:
            group = msgspec.structs.replace(self._group, kept_bytes=self._kept_bytes)
            store_group(self._txn, self._place, group)
        return self._chunks_left <= 0

    def _without_old_streams(
        self, streams: Sequence[tuple[str, LogStream]]
    ) -> list[tuple[str, LogStream]]:
        """Forget the streams that nothing is left of; return the others."""
        newest = sorted(streams, key=lambda each: each[1].touched_ms, reverse=True)
        left = []
        for place, (name, stream) in enumerate(newest):
            is_over = stream.last_ms is None or stream.last_ms < self._since_ms
            if place < limits.log_streams_kept_max and not (
                is_over and stream.touched_ms < self._since_ms
            ):
                left.append((name, stream))
                continue
            forget_stream(self._txn, self._place, name)
            self._kept_bytes -= stream.kept_bytes
        return left

    def _clear_oldest(self, streams: Sequence[tuple[str, LogStream]]) -> None:
        """Clear the chunks that are too old or too many, the oldest first."""
        left = dict(streams)
        oldest = [(s.first_ms, name) for name, s in streams if s.first_ms is not None]
        heapq.heapify(oldest)
        while oldest and self._chunks_left > 0:
            first_ms, name = heapq.heappop(oldest)
            if self._kept_bytes <= self._bytes_max and first_ms >= self._since_ms:
                return
            next_ms = oldest[0][0] if oldest else None
            stream, is_done = self._clear_of(name, left[name], next_ms)
            left[name] = stream
            if not is_done and stream.first_ms is not None:
                heapq.heappush(oldest, (stream.first_ms, name))

    def _clear_of(
        self, name: str, stream: LogStream, next_ms: int | None
    ) -> tuple[LogStream, bool]:
        """Clear a stream's oldest chunks, as long as no other has older ones than at `next_ms`.

        Returns the stream as it is then, and whether all that is left of it may stay.
        """
        span = self._place.chunks_of(name)
        chunks = [Chunk(*row) for row in self._txn.scan(span, limits.log_chunks_read_max)]
        kept_bytes, at, is_done = stream.kept_bytes, 0, False
        for chunk in chunks[: self._chunks_left]:
            if at and next_ms is not None and chunk.first_ms > next_ms:
                break
            if self._kept_bytes <= self._bytes_max and chunk.last_ms >= self._since_ms:
                is_done = True
                break
            self._txn.set(chunk.key, None)
            self._kept_bytes -= chunk.counted_bytes
            kept_bytes -= chunk.counted_bytes
            at += 1
        self._chunks_left -= at
        first_ms: int | None = chunks[at].first_ms if at < len(chunks) else self._first_ms(span)
        last_ms = stream.last_ms if first_ms is not None else None
        changed = msgspec.structs.replace(
            stream, first_ms=first_ms, last_ms=last_ms, kept_bytes=kept_bytes
        )
        if changed != stream:
            store_stream(self._txn, self._place, name, changed)
        return changed, is_done

    def _first_ms(self, span: Span) -> int | None:
        rows = self._txn.scan(span, 1)
        return Chunk(*rows[0]).first_ms if rows else None
