"""Bugs put in on purpose, each of which the simulation has to find.

A mutant is another engine, or something in the core that is replaced while it runs.
"""

import contextlib
import pkgutil
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any, NamedTuple
from unittest import mock

from penstock.base import limits
from penstock.storage.format import pack
from penstock.storage.overlay import Overlay
from penstock.storage.prefixes import tip_key
from penstock.storage.waist import (
    Lock,
    Reader,
    Span,
    Stamp,
    T,
    Transaction,
    last_stamp,
    next_stamp,
    stamp_at,
    stamp_key,
)
from penstock.streams import stream as streams
from penstock.streams.read import Page, Place, read_page
from penstock.streams.stream import Shard, Stream, stream_lock
from penstock.tables import lineage
from penstock.tables.catalog import check_current, locks_of_both, replace_table, table_of
from penstock.tables.tables import Tables, until_current
from penstock.testing.faulty_engine import FaultyEngine
from simulation.server import MakeEngine
from simulation.wrong import Checker

_HOUR_MS = 3600 * 1000


class Mutant(NamedTuple):
    """A bug: what it is, how to put it in, and the checker that has to find it."""

    what: str
    checker: Checker
    make_engine: MakeEngine = FaultyEngine
    patch: Callable[[], AbstractContextManager[Any]] = contextlib.nullcontext


class _View:
    """A transaction passed on, for mutants to change one of its methods."""

    def __init__(self, txn: Transaction) -> None:
        self.txn = txn

    def get(self, key: bytes) -> bytes | None:
        return self.txn.get(key)

    def scan(self, span: Span, limit: int, backward: bool = False) -> list[tuple[bytes, bytes]]:
        return self.txn.scan(span, limit, backward)

    def set(self, key: bytes, value: bytes | None) -> None:
        self.txn.set(key, value)

    def clear(self, span: Span) -> None:
        self.txn.clear(span)

    def append(self, log: bytes, record: Callable[[Stamp], bytes]) -> Stamp:
        return self.txn.append(log, record)


class EarlyStamps(FaultyEngine):
    """Takes a stamp from a sequence when `transact` is called, and commits in any order."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self._sequence: Stamp = 0
        self._late: list[Any] = []

    async def transact(
        self,
        work: Callable[[Transaction], T],
        *,
        locks: Sequence[Lock] = (),
        reads: Sequence[bytes] = (),
    ) -> T:
        self._sequence = early = next_stamp(self._sequence, self._clock.now_ms())
        if early % 2 and self._flushing is not None and self._loop is not None:
            turn = self._loop.create_future()
            self._late.append(turn)
            await turn
        return await super().transact(
            lambda txn: work(_Early(txn, early)), locks=locks, reads=reads
        )

    def _flushed(self, group: Any, error: Exception | None) -> None:
        super()._flushed(group, error)
        self._let_go()

    def crash(self) -> None:
        super().crash()
        self._let_go()

    def _let_go(self) -> None:
        late, self._late = self._late, []
        for turn in late:
            if not turn.done():
                turn.set_result(None)


class _Early(_View):
    """A transaction whose records get the stamps that it came with."""

    def __init__(self, txn: Transaction, stamp: Stamp) -> None:
        super().__init__(txn)
        self._stamp = stamp

    def append(self, log: bytes, record: Callable[[Stamp], bytes]) -> Stamp:
        stamp = self._stamp
        while self.txn.get(stamp_key(log, stamp)) is not None:
            stamp += 1
        self.txn.set(stamp_key(log, stamp), record(stamp))
        tip = max(stamp, last_stamp(self.txn, log))
        self.txn.set(tip_key(log), pack(tip.to_bytes(8, "big")))
        return stamp


class LateRecords(FaultyEngine):
    """Writes the records of a transaction in another one, after it."""

    async def transact(
        self,
        work: Callable[[Transaction], T],
        *,
        locks: Sequence[Lock] = (),
        reads: Sequence[bytes] = (),
    ) -> T:
        left: list[tuple[bytes, Callable[[Stamp], bytes]]] = []

        def without(txn: Transaction) -> T:
            left.clear()
            return work(_Recordless(txn, left))

        def records(txn: Transaction) -> None:
            for log, record in left:
                txn.append(log, record)

        result = await super().transact(without, locks=locks, reads=reads)
        if left:
            await super().transact(records, locks=locks)
        return result


class _Recordless(_View):
    def __init__(self, txn: Transaction, left: list[Any]) -> None:
        super().__init__(txn)
        self._left = left

    def append(self, log: bytes, record: Callable[[Stamp], bytes]) -> Stamp:
        self._left.append((log, record))
        return 0


class HastyAnswers(FaultyEngine):
    """Answers a write when it is made, before it is durable."""

    def _join(self, transaction: Overlay, loop: Any) -> Any:
        durable = super()._join(transaction, loop)
        durable.add_done_callback(lambda answer: answer.cancelled() or answer.exception())
        hasty = loop.create_future()
        hasty.set_result(None)
        return hasty


async def _children_first(
    tables: Tables, region: str, name: str, choose: lineage.Choose
) -> list[streams.Succession]:
    """Open children in one transaction, and close their parents in a later one."""

    async def attempt() -> list[streams.Succession]:
        now_ms = tables.clock.now_ms()
        table = tables.read(lambda reader: lineage._streamed_table(reader, region, name, now_ms))
        plan = choose(table, tables.read(lambda reader: lineage._shards(reader, table)[1]))
        if not plan:
            return []
        descriptor, numbers = lineage._replaced(table.descriptor, plan)
        new = table_of(descriptor)
        locks = locks_of_both(table, new)

        def open_children(txn: Transaction) -> list[tuple[Stream, Shard, tuple[Shard, ...]]]:
            check_current(txn, table)
            replace_table(txn, table, new)
            stream, shards = lineage._shards(txn, table)
            opened = []
            for parent in shards:
                if parent.number in numbers:
                    start = streams._last(txn, stream, parent) + (1 << 20)
                    given = [
                        streams._open_shard(txn, stream, number, start, parent.id)
                        for number in numbers[parent.number]
                    ]
                    opened.append((stream, parent, tuple(given)))
            return opened

        opened = await tables.engine.transact(open_children, locks=locks)
        now_ms = tables.clock.now_ms()
        return await tables.engine.transact(
            lambda txn: [
                streams.Succession(streams._close_shard(txn, stream, parent, now_ms), given)
                for stream, parent, given in opened
            ],
            locks=locks,
        )

    return await until_current(attempt)


def _childless(txn: Transaction, stream: Stream, shard: Shard, *_: Any) -> streams.Succession:
    """Close a shard and open nothing after it."""
    return streams.Succession(streams._close_shard(txn, stream, shard, 0), ())


def _skipping(
    reader: Reader, stream: Stream, shard: Shard, place: Place, limit: int, now_ms: int
) -> Page:
    """Leave out the last record of a page of several."""
    page = read_page(reader, stream, shard, place, limit, now_ms)
    return page._replace(records=page.records[:-1]) if len(page.records) > 1 else page


def _untrimmed(shard: Shard, now_ms: int) -> Stamp:
    """Show records for an hour longer."""
    return max(shard.start + 1, stamp_at(now_ms - limits.stream_retention_ms - _HOUR_MS))


def _elsewhere(name: str) -> Callable[..., tuple[Lock, ...]]:
    """Return what gives the locks of a function other names, over the same keys."""
    given: Callable[..., tuple[Lock, ...]] = pkgutil.resolve_name(name)

    def locks(*arguments: Any) -> tuple[Lock, ...]:
        return tuple(Lock(b"else/" + lock.name, lock.covers) for lock in given(*arguments))

    return locks


def _patch(target: str, new: Any) -> Callable[[], AbstractContextManager[Any]]:
    return lambda: mock.patch(target, new)


MUTANTS = (
    Mutant(
        "stamps handed out before commit",
        Checker.BELOW,
        EarlyStamps,
    ),
    Mutant(
        "a child opened before its parent ends",
        Checker.LINEAGE,
        patch=_patch("penstock.tables.lineage.replace_shards", _children_first),
    ),
    Mutant(
        "a shard closed before its children are opened",
        Checker.LINEAGE,
        patch=_patch("penstock.tables.lineage.succeed", _childless),
    ),
    Mutant(
        "a record written in another transaction than its item",
        Checker.FOLD,
        LateRecords,
    ),
    Mutant(
        "a write answered before it is durable",
        Checker.ONCE,
        HastyAnswers,
    ),
    Mutant(
        "a transaction made again when it is repeated",
        Checker.ONCE,
        patch=_patch("penstock.tables.transaction.is_known", lambda *_: False),
    ),
    Mutant(
        "a record left out of a page",
        Checker.CHECKPOINT,
        patch=_patch("penstock.operations.dynamodb_streams.get_records.read_page", _skipping),
    ),
    Mutant(
        "records shown for an hour too long",
        Checker.RETENTION,
        patch=_patch("penstock.streams.read.oldest_readable", _untrimmed),
    ),
    Mutant(
        "records trimmed an hour too early",
        Checker.RETENTION,
        patch=_patch("penstock.streams.trimming.stamp_at", lambda ms: stamp_at(ms + _HOUR_MS)),
    ),
    Mutant(
        "shards replaced under locks that no writer takes",
        Checker.LIVES,
        patch=_patch(
            "penstock.tables.lineage.locks_of_both",
            _elsewhere("penstock.tables.catalog:locks_of_both"),
        ),
    ),
    Mutant(
        "several items written under locks that a write of one does not take",
        Checker.LIVES,
        patch=_patch(
            "penstock.tables.tables.locks_of", _elsewhere("penstock.tables.tables:locks_of")
        ),
    ),
    Mutant(
        "a stream trimmed under a lock that nobody else takes",
        Checker.LIVES,
        patch=_patch(
            "penstock.streams.trimming.stream_lock",
            lambda *given: Lock(b"else", stream_lock(*given).covers),
        ),
    ),
)
