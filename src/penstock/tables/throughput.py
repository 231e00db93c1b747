"""Throughput as a limit: token buckets that refuse what goes beyond what a table is given.

A bucket gains its units every second and keeps at most 300 seconds of what was not used, or one
second where the limit is an on-demand table's own maximum. A request is let through while there is
anything left, and what it really consumed is taken afterwards, so that a level may fall below zero.
A bucket begins with one second of units. Buckets live in memory, of one process.

Facts: AWS developer guide, 2026-10: reads and writes have limits of their own, and so has every
global index; a local index shares its table's; a write is refused where a global index that it
changes has nothing left; what the service deletes for itself is not limited.
"""

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Literal

from penstock.base import limits
from penstock.base.bucket import Bucket
from penstock.base.clock import Clock
from penstock.base.errors.api import ApiError
from penstock.base.errors.tables import (
    index_throughput_exceeded,
    on_demand_maximum_exceeded,
    table_throughput_exceeded,
)
from penstock.items.keys import ItemKey
from penstock.tables.descriptor import Descriptor, Table
from penstock.tables.index import Index, IndexDescriptor
from penstock.tables.stored_item import StoredItem
from penstock.tables.write import Decide

Side = Literal["read", "write"]


class Throughput:
    """The limits of all tables and indexes that have any."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._buckets: dict[tuple[int, Side], Bucket] = {}

    def refusal(self, table: Table, side: Side, index: Index | None = None) -> ApiError | None:
        """Return the error where nothing is left of the table's limit, or of its global index's."""
        of = _limited(table, index)
        bucket = self._bucket(table.descriptor, of, side)
        if bucket is None or bucket.level(self._clock.elapsed_ms()) > 0:
            return None
        if table.descriptor.billing_mode == "PAY_PER_REQUEST":
            return on_demand_maximum_exceeded()
        if isinstance(of, IndexDescriptor):
            return index_throughput_exceeded()
        return table_throughput_exceeded()

    def check_read(self, table: Table, index: Index | None = None) -> None:
        """Raise the error where nothing is left to read the table, or its index, with."""
        refusal = self.refusal(table, "read", index)
        if refusal is not None:
            raise refusal

    def refused(self, tables: Iterable[Table], side: Side) -> set[bytes]:
        """Return the keys of the tables that are refused; raise the error of one if all are.

        To write, a table needs something left of each of its global indexes too.
        """
        judge = self.write_refusal if side == "write" else partial(self.refusal, side="read")
        refusals = {table.key: judge(table) for table in tables}
        errors = {key: error for key, error in refusals.items() if error is not None}
        if errors and len(errors) == len(refusals):
            raise next(iter(errors.values()))
        return set(errors)

    def write_refusal(self, table: Table) -> ApiError | None:
        """Return the error where the table or any of its global indexes has nothing left."""
        refusals = (self.refusal(table, "write", index) for index in table.indexes.values())
        return self.refusal(table, "write") or next(filter(None, refusals), None)

    def guarded(self, table: Table, key: ItemKey, decide: Decide) -> Decide:
        """Return the decision of a write, refused where it needs what has nothing left."""
        refusal = self.refusal(table, "write")
        empty = [
            (index, error)
            for index in table.indexes.values()
            if not index.is_local and (error := self.refusal(table, "write", index)) is not None
        ]
        if refusal is None and not empty:
            return decide

        def decide_or_refuse(old: StoredItem | None) -> StoredItem | None:
            if refusal is not None:
                raise refusal
            new = decide(old)
            for index, error in empty:
                if new != old and index.is_changed(key, old, new):
                    raise error
            return new

        return decide_or_refuse

    def take(self, table: Table, side: Side, units: float, by_index: Mapping[str, float]) -> None:
        """Take what a request consumed: `units` of the table, and those of its global indexes."""
        now_ms = self._clock.elapsed_ms()
        taken: list[tuple[Descriptor | IndexDescriptor, float]] = [
            (table.descriptor, units),
            *(
                (table.indexes[name].descriptor, amount)
                for name, amount in by_index.items()
                if name in table.indexes
            ),
        ]
        for of, amount in taken:
            bucket = self._bucket(table.descriptor, of, side)
            if bucket is not None:
                bucket.take(amount, now_ms)

    def _bucket(
        self, table: Descriptor, of: Descriptor | IndexDescriptor, side: Side
    ) -> Bucket | None:
        """Return the bucket of a table or of one of its global indexes; None for no limit."""
        provisioned = table.billing_mode == "PROVISIONED"
        rate = getattr(of.units if provisioned else of.maxima, side)
        if rate is None:
            return None
        seconds = limits.throughput_burst_seconds if provisioned else 1
        bucket = self._buckets.get((of.number, side))
        if bucket is None:
            if len(self._buckets) >= limits.throughput_buckets_max:
                del self._buckets[next(iter(self._buckets))]
            bucket = Bucket(rate, seconds, self._clock.elapsed_ms())
            self._buckets[of.number, side] = bucket
        bucket.set_rate(rate, seconds)
        return bucket


def _limited(table: Table, index: Index | None) -> Descriptor | IndexDescriptor:
    """Return what has the limit: a global index, or the table for itself and its local ones."""
    return table.descriptor if index is None or index.is_local else index.descriptor
