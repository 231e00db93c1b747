"""The waist: the ordered key-value store that everything else is built on.

Nine methods, for ever. Keys and values are bytes; keys are ordered as bytes compare. An engine is
one file that keeps this contract and passes `penstock.testing.engine_conformance`.

The contract:

1. Transactions are serialisable. `work` is a plain synchronous function of its transaction; it may
   run more than once, so it keeps no state of its own. An exception from `work` drops what that one
   transaction wrote and nothing else.
2. Acknowledged is durable: `transact` returns, or raises what `work` raised, only after everything
   that `work` could have read is on disk. A refusal reveals what it read, so it waits as a success
   does.
3. `snapshot` sees only what is durable, and everything that was acknowledged, or that another
   snapshot has shown, before the call.
4. A stamp becomes visible only after every smaller stamp of its log. Stamps of a log grow for ever,
   also when the clock steps back, when the log is trimmed empty, and over restarts.
5. Every key that a transaction writes is covered by one of its `locks`, and every log it appends
   to. Whoever writes a key shares a lock's name with each transaction that decided by it: engines
   with many writers keep rule 1 by the names alone, and what a transaction decides by it reads
   itself, not in a view before (docs/decisions/0018-what-locks-protect.md).
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol, TypeVar

from penstock.storage.format import pack, unpack
from penstock.storage.prefixes import tip_key

T = TypeVar("T")

Stamp = int
"""A place in a log: `max(last + 1, now_ms << STAMP_COUNTER_BITS)`; fits in 63 bits."""

STAMP_COUNTER_BITS = 20
STAMP_BYTES = 8


class Span(NamedTuple):
    """The keys `start <= key < end`."""

    start: bytes
    end: bytes

    @classmethod
    def of_prefix(cls, prefix: bytes) -> "Span":
        """Return the span of all keys that begin with `prefix` (which is not all 0xFF bytes)."""
        return cls(prefix, after_prefix(prefix))

    @classmethod
    def of_key(cls, key: bytes) -> "Span":
        """Return the span of that one key."""
        return cls(key, key + b"\x00")

    def covers(self, key: bytes) -> bool:
        """Say whether `key` lies in this span."""
        return self.start <= key < self.end


def after_prefix(prefix: bytes) -> bytes:
    """Return the smallest key above all keys that begin with `prefix`.

    Raises ValueError where there is none: an empty prefix, or one of 0xFF bytes alone.
    """
    stem = prefix.rstrip(b"\xff")
    if not stem:
        raise ValueError("a prefix needs a byte below 0xFF")
    return stem[:-1] + bytes((stem[-1] + 1,))


@dataclass(frozen=True, slots=True)
class Lock:
    """What a transaction owns exclusively until it ends: a name, and the keys that it covers.

    Engines with many writers take the names in sorted order. Logs are covered by their keys.
    """

    name: bytes
    covers: tuple[Span, ...]


class Reader(Protocol):
    """A consistent view of the store."""

    def get(self, key: bytes) -> bytes | None:
        """Return the value at `key`, or None."""
        ...

    def scan(self, span: Span, limit: int, backward: bool = False) -> list[tuple[bytes, bytes]]:
        """Return at most `limit` pairs of `span` in key order, or from its end in reverse order."""
        ...


class Transaction(Reader, Protocol):
    """A view of the store that can also write; it sees its own writes."""

    def set(self, key: bytes, value: bytes | None) -> None:
        """Write `value` at `key`; None deletes the key."""
        ...

    def clear(self, span: Span) -> None:
        """Delete every key of `span`."""
        ...

    def append(self, log: bytes, record: Callable[[Stamp], bytes]) -> Stamp:
        """Add `record(stamp)` to `log` at a new stamp and return the stamp.

        The record is stored at `stamp_key(log, stamp)`, so a log is read with `scan`.
        """
        ...


class Engine(Protocol):
    """A store. Its methods are called from one event loop's thread."""

    snapshots_wait: bool
    """Whether `snapshot` may wait, so that what calls it is to run in fibers.

    See `penstock.storage.fibers`. Others run meanwhile: what it returned may be over by then.
    """

    async def transact(
        self,
        work: Callable[[Transaction], T],
        *,
        locks: Sequence[Lock] = (),
        reads: Sequence[bytes] = (),
    ) -> T:
        """Run `work` in a transaction and return what it returned, once that is durable.

        `locks` are what the transaction owns and writes; `reads` are keys worth fetching ahead.
        Raises what `work` raised, or an `EngineError`: then nothing was acknowledged.
        """
        ...

    def snapshot(self, work: Callable[[Reader], T]) -> T:
        """Run `work` on a consistent, already durable view and return what it returned."""
        ...

    def watch(self, log: bytes, seen: Stamp, seconds_max: float) -> asyncio.Future[None]:
        """Return what is done once `log` may hold a durable stamp above `seen`.

        It is done too once a durable transaction has written the log's tip (see `touch`), and
        `seconds_max` from now at the latest. Who waits no longer finishes or cancels it. A hint: it
        may be done early for no reason. Polling is the truth.
        """
        ...

    def close(self) -> None:
        """Make everything durable and let go of the store; safe to call twice.

        Transactions still under way fail with `EngineUnavailable`.
        """
        ...


def stamp_key(log: bytes, stamp: Stamp) -> bytes:
    """Return the key of the record of `log` at `stamp`."""
    return log + stamp.to_bytes(STAMP_BYTES, "big")


def stamp_of(key: bytes) -> Stamp:
    """Return the stamp in the key of a log's record."""
    return int.from_bytes(key[-STAMP_BYTES:], "big")


def stamp_at(ms: int) -> Stamp:
    """Return the smallest stamp that a record appended at `ms` (epoch milliseconds) can have."""
    return ms << STAMP_COUNTER_BITS


def stamp_ms(stamp: Stamp) -> int:
    """Return the epoch milliseconds that a stamp carries."""
    return stamp >> STAMP_COUNTER_BITS


def next_stamp(last: Stamp, now_ms: int) -> Stamp:
    """Return the stamp after `last` for a record appended at `now_ms`."""
    return max(last + 1, stamp_at(now_ms))


def last_stamp(reader: Reader, log: bytes) -> Stamp:
    """Return the last stamp given in `log`, also when its record was trimmed; 0 for a new log."""
    stored = reader.get(tip_key(log))
    return 0 if stored is None else int.from_bytes(unpack(stored), "big")


def touch(transaction: Transaction, log: bytes) -> None:
    """Let whoever watches `log` look again, though nothing is appended: its tip is written again.

    For what is stored of a log elsewhere, such as its end.
    """
    tip = last_stamp(transaction, log)
    transaction.set(tip_key(log), pack(tip.to_bytes(STAMP_BYTES, "big")))


def log_span(log: bytes, after: Stamp = -1, upto: Stamp | None = None) -> Span:
    """Return the keys of `log` with stamps above `after` and, if given, at most `upto`."""
    start = stamp_key(log, after + 1) if after >= 0 else log
    end = after_prefix(log) if upto is None else stamp_key(log, upto + 1)
    return Span(start, end)
