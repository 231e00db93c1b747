"""Leases: what one node at a time does, agreed on by rows of the store, over any engine.

A lease is a row that names its holder and the holder's term: a number that no holder gives twice.
The holder writes a new term to renew it. Whoever else wants the lease takes it where there is no
row, or where the row has not changed for `duration_ms` on a clock of its own. So no node's clock is
compared with another's, and none needs to tell the right time.

A holder counts from before it asked, and stops `margin_ms` early; another counts from after it saw
what came of that. Hence two nodes never hold a lease at once while their clocks run at rates within
5 % of true time. A clock that stands still, as a suspended machine's may, breaks that, and what is
under way when a lease ends goes on: a lease saves work that would be done twice. What must not be
done twice is checked in the transaction that does it.
"""

import asyncio
from collections.abc import Iterable
from typing import NamedTuple

from penstock.base import limits
from penstock.base.clock import Clock
from penstock.storage.format import pack
from penstock.storage.prefixes import Prefix
from penstock.storage.waist import Engine, Lock, Span, Transaction

HOLDER_BITS = 128
_HOLDER_BYTES = HOLDER_BITS // 8
_TERM_BYTES = 8


class _Seen(NamedTuple):
    """The row of another holder, and when it was first found as it is."""

    row: bytes
    at_ms: float


class Leases:
    """The leases of one node, by their names, which are any bytes.

    `holder` is a number of HOLDER_BITS that nobody else has, nor this node before it started anew.
    `clock` is the machine's own: a test that moves the time must not end anybody's lease.
    """

    def __init__(
        self,
        engine: Engine,
        clock: Clock,
        holder: int,
        *,
        duration_ms: float = limits.lease_ms,
        margin_ms: float = limits.lease_margin_ms,
    ) -> None:
        self._engine = engine
        self._clock = clock
        self._holder = pack(holder.to_bytes(_HOLDER_BYTES, "big"))
        self._duration_ms = duration_ms
        self._margin_ms = margin_ms
        self._terms = 0
        self._one_at_a_time = asyncio.Lock()  # so that no answer tells of what is released since
        self._held_until_ms: dict[bytes, float] = {}
        self._seen: dict[bytes, _Seen] = {}

    def holds(self, name: bytes) -> bool:
        """Say whether this node holds the lease of that name at this moment."""
        until_ms = self._held_until_ms.get(name)
        return until_ms is not None and self._clock.elapsed_ms() < until_ms

    def is_held_in(self, txn: Transaction, name: bytes) -> bool:
        """Say whether the row of that lease is this node's, whatever the time; needs its lock.

        So what a transaction decides by it holds until it is committed.
        """
        row = txn.get(lease_key(name))
        return row is not None and row.startswith(self._holder)

    async def take(self, names: Iterable[bytes]) -> frozenset[bytes]:
        """Renew those of `names` that are held, take those that are free; return what is held.

        All in one transaction. To be called again well within the duration, by holders and by who
        waits alike: each call is also a look at how long the others' rows have stood still. Raises
        EngineError; then what was held is so until its time is up.
        """
        async with self._one_at_a_time:
            return await self._take(tuple(dict.fromkeys(names)))

    async def release(self, names: Iterable[bytes]) -> None:
        """Give up those of `names` that are held, so that another may take them at once."""
        async with self._one_at_a_time:
            await self._release(tuple(dict.fromkeys(names)))

    async def _take(self, names: tuple[bytes, ...]) -> frozenset[bytes]:
        asked_ms = self._clock.elapsed_ms()  # before anything of it can be seen by others
        term = self._next_term()
        lapsed = {name: self._lapsed_row(name, asked_ms) for name in names}

        def work(txn: Transaction) -> dict[bytes, bytes]:
            found = {}
            for name in names:
                row = txn.get(lease_key(name))
                if row is None or row == lapsed[name] or row.startswith(self._holder):
                    row = term
                    txn.set(lease_key(name), row)
                found[name] = row
            return found

        found = await self._engine.transact(
            work, locks=[*map(lease_lock, names)], reads=[*map(lease_key, names)]
        )
        answered_ms = self._clock.elapsed_ms()  # after what was found had been written
        for name, row in found.items():
            if row == term:
                self._seen.pop(name, None)
                self._held_until_ms[name] = asked_ms + self._duration_ms - self._margin_ms
            else:
                self._held_until_ms.pop(name, None)
                self._note_other(name, row, answered_ms)
        return frozenset(name for name in names if self.holds(name))

    async def _release(self, names: tuple[bytes, ...]) -> None:
        for name in names:  # before others can take them
            self._held_until_ms.pop(name, None)

        def work(txn: Transaction) -> None:
            for name in names:
                row = txn.get(lease_key(name))
                if row is not None and row.startswith(self._holder):
                    txn.set(lease_key(name), None)

        await self._engine.transact(
            work, locks=[*map(lease_lock, names)], reads=[*map(lease_key, names)]
        )

    def _next_term(self) -> bytes:
        """Return a row that was never there before."""
        self._terms += 1
        return self._holder + self._terms.to_bytes(_TERM_BYTES, "big")

    def _lapsed_row(self, name: bytes, now_ms: float) -> bytes | None:
        """Return the row that may be overwritten: it has stood still for long enough."""
        seen = self._seen.get(name)
        if seen is None or now_ms - seen.at_ms < self._duration_ms:
            return None
        return seen.row

    def _note_other(self, name: bytes, row: bytes, answered_ms: float) -> None:
        seen = self._seen.get(name)
        if seen is None or seen.row != row:
            self._seen[name] = _Seen(row, answered_ms)


def lease_key(name: bytes) -> bytes:
    """Return the key of the row of a lease."""
    return Prefix.LEASE.key + name


def lease_lock(name: bytes) -> Lock:
    """Return the lock on the row of a lease."""
    return Lock(b"lease/" + name, (Span.of_key(lease_key(name)),))
