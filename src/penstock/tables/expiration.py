"""Expiration: deletes the items whose time to live has ended.

An item is deleted through the one write path, by the service, and only where it is still expired by
its value at that moment. Until then it can be read. A few items make a transaction, and the tables
take turns, so that neither requests nor other tables wait for the largest.
"""

import asyncio
from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

from penstock.base import limits
from penstock.base.errors.api import ApiError
from penstock.storage.waist import Reader, Span
from penstock.tables.all_tables import all_tables
from penstock.tables.descriptor import Descriptor, Table
from penstock.tables.expiry import Expiry
from penstock.tables.read import get_item
from penstock.tables.stored_item import StoredItem
from penstock.tables.tables import Tables
from penstock.tables.write import Write


class _Due(NamedTuple):
    """A table, and the rows of its expired items that are still to be looked at."""

    table: Descriptor
    expiry: Expiry
    rows: Span


class Expiration:
    """The job that deletes expired items."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    async def run(self) -> None:
        """Delete all items of all tables that have expired by now."""
        now_s = self._tables.clock.now_ms() // 1000
        due: list[_Due | None] = []
        async for descriptor in all_tables(self._tables.engine):
            time_to_live = descriptor.time_to_live
            if time_to_live is not None and time_to_live.enabled and time_to_live.complete:
                expiry = Expiry(descriptor.number, time_to_live.attribute)
                due.append(_Due(descriptor, expiry, expiry.expired(now_s)))
        while due:
            due = [await self._step(each, now_s) for each in due if each is not None]

    async def _step(self, due: _Due, now_s: int) -> _Due | None:
        """Delete the next few items of a table; return what is left of it, None for nothing."""
        rows = self._tables.read(lambda reader: reader.scan(due.rows, limits.expiry_deletes_max))
        if not rows:
            return None
        keys = [key for key, _ in rows]
        try:
            await self._tables.change(
                due.table.region, [due.table.name], partial(self._deletes, due, keys, now_s)
            )
        except ApiError:  # the table is gone, or going
            return None
        await asyncio.sleep(0)
        if len(rows) < limits.expiry_deletes_max:
            return None
        return due._replace(rows=Span(keys[-1] + b"\x00", due.rows.end))

    def _deletes(
        self, due: _Due, rows: Sequence[bytes], now_s: int, tables: Sequence[Table]
    ) -> list[Write]:
        """Return the deletes of the items of `rows`, if the table still has this expiry."""
        (table,) = tables
        expiry = table.expiry
        if expiry is None or expiry.rows != due.expiry.rows:
            return []
        held = expiry

        def decide(old: StoredItem | None) -> StoredItem | None:
            return None if old is None or held.has_expired(old, now_s) else old

        def read(reader: Reader) -> list[Write]:
            keys = (held.key_of(row) for row in rows)
            items = ((key, get_item(reader, table, key)) for key in keys)
            return [
                Write(table, key, table.schema.key_of(item.item()), decide, by_service=True)
                for key, item in items
                if item is not None
            ]

        return self._tables.read(read)
