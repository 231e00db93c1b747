"""The backfill: brings what follows a table's items up to the items that were there before it.

A new index starts empty and CREATING, a time to live starts incomplete; from that moment every
write keeps them. The backfill goes through the table once, adds what is missing, and says so in the
descriptor. An index that is DELETING is cleared and taken out.

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
from penstock.tables.catalog import StaleTable, check_current, replace_table, table_of
from penstock.tables.descriptor import Descriptor, Partition, Table
from penstock.tables.index import IndexDescriptor
from penstock.tables.tables import Tables, until_current

_CHUNK_ROWS = 8

Fill = Callable[[Transaction, int, ItemKey, bytes], None]
"""Adds what belongs to an item: `fill(txn, number of its partition, its key, what is stored)`."""


class _Wanted(NamedTuple):
    """What is to be filled: which indexes of which table, by their numbers."""

    table: int
    indexes: frozenset[int]


class Backfill:
    """The job that fills and drops indexes, `delay_ms` after they were created or deleted."""

    def __init__(self, tables: Tables, delay_ms: int = 0) -> None:
        self._tables = tables
        self._delay_ms = delay_ms

    async def run(self) -> float | None:
        """Do all that is due; return in how many milliseconds more will be, None for nothing."""
        waits: list[float] = []
        async for descriptor in all_tables(self._tables.engine):
            if descriptor.status == "DELETING":
                continue
            for index in descriptor.indexes:
                wait_ms = self._wait_ms(index)
                if wait_ms > 0:
                    waits.append(wait_ms)
                elif index.status == "DELETING":
                    await self._drop(descriptor, index.number)
            wanted = self._wanted(descriptor)
            if wanted is not None:
                await self._fill(descriptor, wanted)
        return min(waits, default=None)

    def _wait_ms(self, index: IndexDescriptor) -> float:
        """Return how long it is until the index may leave its status; at most the delay."""
        if index.status not in {"CREATING", "DELETING"}:
            return 0
        remaining = index.status_ms + self._delay_ms - self._tables.clock.now_ms()
        return min(remaining, self._delay_ms)

    def _wanted(self, descriptor: Descriptor) -> _Wanted | None:
        indexes = frozenset(
            index.number
            for index in descriptor.indexes
            if index.status == "CREATING" and self._wait_ms(index) <= 0
        )
        return _Wanted(descriptor.number, indexes) if indexes else None

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
        await self._change(found, lambda descriptor: self._filled(descriptor, wanted))

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
        now_ms = self._tables.clock.now_ms()
        indexes = [
            replace(index, status="ACTIVE", status_ms=now_ms)
            if index.number in wanted.indexes and index.status == "CREATING"
            else index
            for index in descriptor.indexes
        ]
        return replace(descriptor, indexes=indexes)

    async def _drop(self, found: Descriptor, number: int) -> None:
        """Clear what is left of an index that is DELETING, and take it out of its table."""

        def without(descriptor: Descriptor) -> Descriptor:
            kept = [
                index
                for index in descriptor.indexes
                if index.number != number or index.status != "DELETING"
            ]
            return replace(descriptor, indexes=kept)

        await self._change(found, without)

    async def _change(self, found: Descriptor, change: Callable[[Descriptor], Descriptor]) -> None:
        """Change a table's descriptor, and clear the indexes that are in it no more."""

        async def attempt() -> None:
            table = self._tables.find(found.region, found.name)
            if table is None or table.descriptor.number != found.number:
                return
            old, new = table, table_of(change(table.descriptor))

            def work(txn: Transaction) -> None:
                replace_table(txn, old, new)
                for span in set(old.followers) - set(new.followers):
                    txn.clear(span)

            if new.stored != old.stored:
                await self._tables.engine.transact(work, locks=old.locks)

        await until_current(attempt)


def _fills(table: Table, wanted: _Wanted) -> list[Fill]:
    """Return what fills those of `wanted` that the table still waits for."""
    if table.descriptor.number != wanted.table or table.descriptor.status == "DELETING":
        return []
    return [
        index.fill
        for index in table.indexes.values()
        if index.descriptor.number in wanted.indexes and index.descriptor.status == "CREATING"
    ]


def _some_rows(reader: Reader, span: Span) -> tuple[list[tuple[bytes, bytes]], bytes]:
    """Return the first rows of `span`, bounded in number and bytes, and where the next begin."""
    rows: list[tuple[bytes, bytes]] = []
    size = 0
    while len(rows) < limits.background_scan_rows_max and size < limits.background_step_bytes_max:
        start = rows[-1][0] + b"\x00" if rows else span.start
        chunk = reader.scan(Span(start, span.end), _CHUNK_ROWS)
        rows += chunk
        size += sum(len(stored) for _, stored in chunk)
        if len(chunk) < _CHUNK_ROWS:
            return rows, span.end
    return rows, rows[-1][0] + b"\x00"
