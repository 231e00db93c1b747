"""The backfill: brings what follows a table's items up to the items that were there before it.

A new index starts empty and CREATING; from that moment every write keeps it. Once its table is no
longer UPDATING the backfill goes through the items, adds what is missing, and makes it ACTIVE. The
rows of a new time to live come in the same way. What the passing of time alone has ended, it takes
out of the descriptors: states that are over, indexes and tables that are gone.

Each step is a transaction of its own, over few items of one partition, which finds the table as it
was prepared or is prepared anew. Nothing of the way is stored: what a stop interrupts begins again
from the start, and finds what is filled already as it is.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import NamedTuple

from msgspec.structs import replace

from penstock.base import limits
from penstock.items.keys import ItemKey
from penstock.storage.waist import Reader, Span, Transaction
from penstock.tables.all_tables import all_tables
from penstock.tables.catalog import (
    StaleTable,
    check_current,
    find_table,
    forget_table,
    replace_table,
    table_of,
)
from penstock.tables.descriptor import Descriptor, Partition, Table, TimeToLive
from penstock.tables.state import is_gone, settled
from penstock.tables.tables import Tables, until_current

_CHUNK_ROWS = 4

Fill = Callable[[Transaction, int, ItemKey, bytes], None]
"""Adds what belongs to an item: `fill(txn, number of its partition, its key, what is stored)`."""


class _Wanted(NamedTuple):
    """What is to be filled: which indexes of which table, by their numbers, and its expiry."""

    table: int
    indexes: frozenset[int]
    time_to_live: TimeToLive | None


class Backfill:
    """The job that fills indexes and tidies up after states that are over."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    async def run(self) -> float | None:
        """Do all that is due; return in how many milliseconds more will be, None for nothing."""
        waits: list[float] = []
        async for descriptor in all_tables(self._tables.engine):
            wait_ms = descriptor.status_until_ms - self._now_ms()
            if descriptor.status != "ACTIVE" and wait_ms > 0:
                waits.append(min(wait_ms, limits.backfill_interval_ms))
                continue
            if descriptor.status != "ACTIVE":
                await self._change(descriptor, lambda current: current)
            wanted = _wanted(descriptor)
            if wanted.indexes or wanted.time_to_live is not None:
                await self._fill(descriptor, wanted)
        return min(waits, default=None)

    def _now_ms(self) -> int:
        return self._tables.clock.now_ms()

    async def _fill(self, found: Descriptor, wanted: _Wanted) -> None:
        """Go through the items of a table, and then say that what is wanted is complete."""
        at = b""
        while True:
            table = self._tables.find(found.region, found.name)
            fills = [] if table is None else _fills(table, wanted)
            if table is None or not fills:
                return
            partition = next((p for p in table.partitions if at < p.items.end), None)
            if partition is None:
                break
            try:
                at = await self._step(table, partition, at, fills)
            except StaleTable:
                continue
            await asyncio.sleep(0)  # so that requests come between, also where nothing was written
        await self._change(found, lambda current: self._filled(current, wanted))

    async def _step(
        self, table: Table, partition: Partition, at: bytes, fills: Sequence[Fill]
    ) -> bytes:
        """Fill the next few items of a partition from the key `at`; return where to go on."""

        def work(txn: Transaction) -> bytes:
            check_current(txn, table)
            rows, after = _some_rows(txn, Span(max(at, partition.items.start), partition.items.end))
            for place, stored in rows:
                key = ItemKey.of_suffix(place.removeprefix(table.item_prefix))
                for fill in fills:
                    fill(txn, partition.place, key, stored)
            return after

        return await self._tables.engine.transact(work, locks=(partition.lock,))

    def _filled(self, descriptor: Descriptor, wanted: _Wanted) -> Descriptor:
        now_ms = self._now_ms()
        indexes = [
            replace(index, status="ACTIVE", status_ms=now_ms)
            if index.number in wanted.indexes and index.status == "CREATING"
            else index
            for index in descriptor.indexes
        ]
        time_to_live = descriptor.time_to_live
        if time_to_live is not None and time_to_live == wanted.time_to_live:
            time_to_live = replace(time_to_live, complete=True)
        return replace(descriptor, indexes=indexes, time_to_live=time_to_live)

    async def _change(self, found: Descriptor, change: Callable[[Descriptor], Descriptor]) -> None:
        """Change a table's descriptor, freed of all states that are over."""

        async def attempt() -> None:
            old = self._tables.read(lambda reader: find_table(reader, found.region, found.name))
            if old is None or old.descriptor.number != found.number:
                return
            table, now_ms = old, self._now_ms()
            if is_gone(table.descriptor, now_ms):
                await self._tables.engine.transact(
                    lambda txn: forget_table(txn, table), locks=table.locks
                )
                return
            new = table_of(change(settled(table.descriptor, now_ms)))
            await self._tables.engine.transact(
                lambda txn: replace_table(txn, table, new), locks=table.locks
            )

        await until_current(attempt)


def _wanted(descriptor: Descriptor) -> _Wanted:
    creating = (index.number for index in descriptor.indexes if index.status == "CREATING")
    time_to_live = descriptor.time_to_live
    if time_to_live is not None and (time_to_live.complete or not time_to_live.enabled):
        time_to_live = None
    return _Wanted(descriptor.number, frozenset(creating), time_to_live)


def _fills(table: Table, wanted: _Wanted) -> list[Fill]:
    """Return what fills those of `wanted` that the table still waits for."""
    if table.descriptor.number != wanted.table or table.descriptor.status == "DELETING":
        return []
    fills: list[Fill] = [
        index.fill
        for index in table.indexes.values()
        if index.descriptor.number in wanted.indexes and index.descriptor.status == "CREATING"
    ]
    if table.expiry is not None and table.descriptor.time_to_live == wanted.time_to_live:
        fills.append(table.expiry.fill)
    return fills


def _some_rows(reader: Reader, span: Span) -> tuple[list[tuple[bytes, bytes]], bytes]:
    """Return the first rows of `span`, bounded in number and bytes, and where the next begin."""
    rows: list[tuple[bytes, bytes]] = []
    size = 0
    while len(rows) < limits.backfill_rows_max and size < limits.backfill_bytes_max:
        start = rows[-1][0] + b"\x00" if rows else span.start
        chunk = reader.scan(Span(start, span.end), _CHUNK_ROWS)
        rows += chunk
        size += sum(len(stored) for _, stored in chunk)
        if len(chunk) < _CHUNK_ROWS:
            return rows, span.end
    return rows, rows[-1][0] + b"\x00"
