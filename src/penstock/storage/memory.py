"""The memory engine: a real ordered store that forgets at the end of the process.

It is the strictest engine, so that tests with it find what a second node or a slower engine would:
it checks that locks cover all that is written, can rehearse every `work` to find those that keep
state, and then finds too what locks do not protect (`penstock.storage.protection`).
"""

import asyncio
import contextlib
from collections.abc import Callable, Iterable, Sequence
from itertools import islice

from sortedcontainers import SortedList

from penstock.base.clock import Clock
from penstock.base.errors.engine import EngineError
from penstock.storage.commit import Answer, GroupCommitEngine
from penstock.storage.flusher import Flusher, LoopFlusher
from penstock.storage.overlay import Overlay
from penstock.storage.prefixes import Prefix
from penstock.storage.protection import Protection, Reads
from penstock.storage.waist import Lock, Reader, Span, Stamp, T, Transaction, log_span

_REBUILD_FRACTION = 16
"""Clearing more than one key of this many, all others are moved: both cost the same there."""


class UnlockedWrite(AssertionError):
    """A bug in our own code: a transaction wrote what none of its locks covers."""


class MemoryEngine(GroupCommitEngine):
    """An `Engine` in memory.

    With `rehearse`, every `work`, a snapshot's too, runs once for nothing before it runs in
    earnest, and transactions that no lock keeps apart are found. `flusher` lets a test hold a group
    back between written and durable, `store` takes the place of a new one.
    """

    _protection: Protection | None = None

    def __init__(
        self,
        clock: Clock,
        *,
        rehearse: bool = False,
        flusher: Flusher | None = None,
        store: "MemoryStore | None" = None,
    ) -> None:
        super().__init__(store or MemoryStore(), flusher or LoopFlusher(), clock)
        self._rehearse = rehearse
        if rehearse:
            self._protection = Protection()

    async def transact(
        self,
        work: Callable[[Transaction], T],
        *,
        locks: Sequence[Lock] = (),
        reads: Sequence[bytes] = (),
    ) -> T:
        if self._rehearses():
            work = self._rehearsed(work, locks)
        return await super().transact(work, locks=locks, reads=reads)

    def snapshot(self, work: Callable[[Reader], T]) -> T:
        if self._rehearse:
            with contextlib.suppress(Exception):  # what it raises, it raises again
                super().snapshot(work)
        return super().snapshot(work)

    def _begin(self, base: Overlay, locks: Sequence[Lock]) -> Overlay:
        if self._protection is not None:
            return _ReadingOverlay(base, self._clock, locks)
        return _LockedOverlay(base, self._clock, locks)

    def _join(self, transaction: Overlay, loop: asyncio.AbstractEventLoop) -> Answer:
        if self._protection is not None and isinstance(transaction, _ReadingOverlay):
            self._protection.note(transaction.reads, transaction, transaction.locks)
        return super()._join(transaction, loop)

    def _drop_pending(self, error: EngineError) -> None:
        super()._drop_pending(error)
        if self._protection is not None:
            self._protection.forget()

    def _rehearses(self) -> bool:
        """Say whether the next transaction's work is rehearsed."""
        return self._rehearse

    def _rehearsed(
        self, work: Callable[[Transaction], T], locks: Sequence[Lock]
    ) -> Callable[[Transaction], T]:
        def twice(transaction: Transaction) -> T:
            with contextlib.suppress(Exception):  # what it raises, it raises again
                work(_LockedOverlay(transaction, self._clock, locks))
            if isinstance(transaction, _ReadingOverlay):
                transaction.reads = Reads()
            return work(transaction)

        return twice


class _LockedOverlay(Overlay):
    """A transaction that writes only what its locks cover."""

    __slots__ = ("locks",)

    def __init__(self, base: Reader, clock: Clock, locks: Sequence[Lock]) -> None:
        super().__init__(base, clock)
        self.locks = locks

    def set(self, key: bytes, value: bytes | None) -> None:
        if not self._covered(Span.of_key(key)) and not self._is_tip_of_covered_log(key):
            raise self._unlocked(f"key {key!r}")
        super().set(key, value)

    def clear(self, span: Span) -> None:
        if span.start < span.end and not self._covered(span):
            raise self._unlocked(f"span {span!r}")
        super().clear(span)

    def append(self, log: bytes, record: Callable[[Stamp], bytes]) -> Stamp:
        if not self._covered(log_span(log)):
            raise self._unlocked(f"log {log!r}")
        return super().append(log, record)

    def _spans(self) -> Iterable[Span]:
        return (span for lock in self.locks for span in lock.covers)

    def _covered(self, wanted: Span) -> bool:
        return any(s.start <= wanted.start and wanted.end <= s.end for s in self._spans())

    def _is_tip_of_covered_log(self, key: bytes) -> bool:
        log = key.removeprefix(Prefix.LOG_TIP.key)
        return 0 < len(log) < len(key) and self._covered(log_span(log))

    def _unlocked(self, what: str) -> UnlockedWrite:
        locks = ", ".join(f"{lock.name!r} over {list(lock.covers)!r}" for lock in self.locks)
        return UnlockedWrite(f"{what} is not covered by a lock; the locks are: {locks or 'none'}")


class _ReadingOverlay(_LockedOverlay):
    """A transaction that also notes what it reads of the store, not of its own writes."""

    __slots__ = ("reads",)

    def __init__(self, base: Reader, clock: Clock, locks: Sequence[Lock]) -> None:
        super().__init__(base, clock, locks)
        self.reads = Reads()

    def get(self, key: bytes) -> bytes | None:
        if not self.touches(key):
            self.reads.keys.add(key)
        return super().get(key)

    def scan(self, span: Span, limit: int, backward: bool = False) -> list[tuple[bytes, bytes]]:
        rows = super().scan(span, limit, backward)
        if len(rows) == limit and rows:  # it went no further
            last = rows[-1][0]
            span = Span(last, span.end) if backward else Span(span.start, last + b"\x00")
        if limit > 0 and span.start < span.end:
            self.reads.spans.append(span)
        return rows


class MemoryStore:
    """The durable rows, and over them the group that is written and not yet settled."""

    def __init__(self, rows: "Rows | None" = None) -> None:
        self._rows = Rows() if rows is None else rows
        self._written: Overlay | None = None

    @property
    def durable(self) -> Reader:
        return self._rows

    def get(self, key: bytes) -> bytes | None:
        return (self._written or self._rows).get(key)

    def scan(self, span: Span, limit: int, backward: bool = False) -> list[tuple[bytes, bytes]]:
        return (self._written or self._rows).scan(span, limit, backward)

    def reserve(self) -> None:
        """Do nothing: memory is not counted."""

    def write(self, changes: Overlay) -> None:
        self._written = changes.over(self._rows)

    def sync(self) -> None:
        """Do nothing: there is no disk."""

    def settle(self) -> None:
        written, self._written = self._written, None
        if written is not None:
            self._rows.apply(written)

    def detach(self) -> None:
        """Do nothing: the rows stay readable."""

    def reopen(self) -> None:
        self._written = None

    def close(self) -> None:
        self._rows = Rows()


class Rows:
    """An ordered map of bytes."""

    def __init__(self) -> None:
        self._keys: SortedList[bytes] = SortedList()
        self._values: dict[bytes, bytes] = {}

    def get(self, key: bytes) -> bytes | None:
        return self._values.get(key)

    def scan(self, span: Span, limit: int, backward: bool = False) -> list[tuple[bytes, bytes]]:
        keys = self._keys.irange(span.start, span.end, inclusive=(True, False), reverse=backward)
        return [(key, self._values[key]) for key in islice(keys, max(limit, 0))]

    def apply(self, changes: Overlay) -> None:
        for span in changes.clears:
            self._clear(span)
        for key, value in changes.writes.items():
            if value is None:
                if self._values.pop(key, None) is not None:
                    self._keys.remove(key)
            else:
                if key not in self._values:
                    self._keys.add(key)
                self._values[key] = value

    def _clear(self, span: Span) -> None:
        keys = self._keys
        low, high = keys.bisect_left(span.start), keys.bisect_left(span.end)
        cleared = keys[low:high]
        if len(cleared) * _REBUILD_FRACTION > len(keys):
            # Taking keys out one by one costs more than making the list again, which knows that
            # what it is given is in order.
            rest = keys[:low]
            rest += keys[high:]
            self._keys = SortedList(rest)
        else:
            for key in cleared:
                keys.remove(key)
        for key in cleared:
            del self._values[key]
