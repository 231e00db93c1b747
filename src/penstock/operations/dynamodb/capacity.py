"""Capacity units: what a request would consume, and how it is told.

Facts: a write costs the larger of the old and the new item in whole KB, at least 1, also where it
finds or changes nothing; and what it changes in each index by the size of its entries there, twice
where an entry moves, as it is deleted and inserted. What a write leaves as it is in an index costs
nothing there, and the index is not told. A transaction costs twice as much of the table and no more
of its indexes (dynoxide 176 and 188, measured on AWS, 2026-08).

A read costs whole 4 KB, at least 1, half of it where it is eventually consistent. A page of an
index is charged to the index, by the bytes of its entries, and items that are read from the table
on the way to the table, each rounded for itself (AWS developer guide, 2026-10; told as DynamoDB
Local does).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from penstock.base import limits
from penstock.operations.operation import Context
from penstock.tables.index import IndexChange
from penstock.tables.read import ItemPage
from penstock.tables.source import Source
from penstock.tables.stored_item import StoredItem
from penstock.tables.throughput import Side
from penstock.tables.write import Change

ByIndex = Mapping[str, float]
Kind = Literal["ReadCapacityUnits", "WriteCapacityUnits"]

_TRANSACTION_FACTOR = 2


@dataclass(frozen=True, slots=True)
class Consumed:
    """Capacity units consumed of one table and its indexes, these by name."""

    table: float = 0.0
    local_indexes: ByIndex = field(default_factory=dict)
    global_indexes: ByIndex = field(default_factory=dict)

    @property
    def total(self) -> float:
        """The units of the table and all indexes together."""
        return self.table + sum(self.local_indexes.values()) + sum(self.global_indexes.values())

    def __add__(self, other: "Consumed") -> "Consumed":
        return Consumed(
            self.table + other.table,
            _sum(self.local_indexes, other.local_indexes),
            _sum(self.global_indexes, other.global_indexes),
        )


def of_write(change: Change, *, in_transaction: bool = False) -> Consumed:
    """Return the write units of one change."""
    table = _whole_kb(max(0 if item is None else item.size for item in (change.old, change.new)))
    if in_transaction:
        table *= _TRANSACTION_FACTOR
    if not change.indexes:
        return Consumed(table)
    by_kind: dict[bool, dict[str, float]] = {True: {}, False: {}}
    for each in change.indexes:
        by_kind[each.index.is_local][each.index.name] = _of_index_change(each)
    return Consumed(table, by_kind[True], by_kind[False])


def of_item(item: StoredItem | None, *, consistent: bool, in_transaction: bool = False) -> Consumed:
    """Return the read units of one item that was looked for by its key."""
    units = _reads(0 if item is None else item.size, consistent=consistent)
    return Consumed(_TRANSACTION_FACTOR * units if in_transaction else units)


def of_page(source: Source, page: ItemPage, *, consistent: bool) -> Consumed:
    """Return the read units of a page of `source`."""
    units = _reads(page.size, consistent=consistent)
    if source.index is None:
        return Consumed(units)
    table = sum((_reads(size, consistent=consistent) for size in page.fetched), 0.0)
    by_name = {source.index.name: units}
    if source.index.is_local:
        return Consumed(table, local_indexes=by_name)
    return Consumed(table, global_indexes=by_name)


def counts(context: Context, request: Mapping[str, Any]) -> bool:
    """Say whether it matters what a request consumes: it asked to be told, or there are limits."""
    return "ReturnConsumedCapacity" in request or context.tables.throughput is not None


def charge(context: Context, side: Side, parts: Iterable[tuple[str, Consumed]]) -> None:
    """Take what `parts` of a request consumed, by table, from what their tables have left.

    Nothing is taken where throughput is not limited.
    """
    throughput = context.tables.throughput
    if throughput is None:
        return
    for name, units in parts:
        table = context.tables.find(context.region, name)
        if table is not None:
            of_table = units.table + sum(units.local_indexes.values())
            throughput.take(table, side, of_table, units.global_indexes)


def consumed(request: Mapping[str, Any], table: str, units: Consumed) -> dict[str, Any]:
    """Return the ConsumedCapacity member of an answer; empty where the request asked for none."""
    told = _told(request, table, units, None)
    return {} if told is None else {"ConsumedCapacity": told}


def consumed_by_table(
    request: Mapping[str, Any], parts: Iterable[tuple[str, Consumed]], kind: Kind | None = None
) -> dict[str, Any]:
    """Return the ConsumedCapacity list of an answer; empty where none was asked for.

    `parts` are what each part of the request consumed, with its table. The answer of a transaction
    has all units a second time, by their `kind`.
    """
    by_table: dict[str, Consumed] = {}
    for table, units in parts:
        by_table[table] = by_table[table] + units if table in by_table else units
    told = [_told(request, table, units, kind) for table, units in by_table.items()]
    return {"ConsumedCapacity": told} if told and None not in told else {}


def _told(
    request: Mapping[str, Any], table: str, consumed: Consumed, kind: Kind | None
) -> dict[str, Any] | None:
    asked = request.get("ReturnConsumedCapacity", "NONE")
    if asked == "NONE":
        return None

    def shown(units: float) -> dict[str, float]:
        return {"CapacityUnits": units} | ({} if kind is None else {kind: units})

    told: dict[str, Any] = {"TableName": table} | shown(consumed.total)
    if asked == "INDEXES":
        told["Table"] = shown(consumed.table)
        for member, by_index in (
            ("LocalSecondaryIndexes", consumed.local_indexes),
            ("GlobalSecondaryIndexes", consumed.global_indexes),
        ):
            if by_index:
                told[member] = {name: shown(units) for name, units in by_index.items()}
    return told


def _of_index_change(change: IndexChange) -> float:
    sizes = [size for size in (change.old_size, change.new_size) if size is not None]
    return sum(map(_whole_kb, sizes)) if change.moved else _whole_kb(max(sizes))


def _whole_kb(size: int) -> float:
    return float(max(1, -(-size // limits.write_unit_bytes)))


def _reads(size: int, *, consistent: bool) -> float:
    units = max(1, -(-size // limits.read_unit_bytes))
    return float(units) if consistent else units / 2


def _sum(one: ByIndex, other: ByIndex) -> ByIndex:
    return {name: one.get(name, 0.0) + other.get(name, 0.0) for name in {**one, **other}}
