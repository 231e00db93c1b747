"""What the actions that run transactions share: the capacity that they consume, and how it is told.

Facts: AWS, 2026-07: an action costs twice what it would cost alone, a check as much as a write of
its item; a request that repeats one is charged for reading its items. What is told has the units a
second time, as those of reads or of writes.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

from penstock.operations.dynamodb import capacity
from penstock.tables.stored_item import StoredItem
from penstock.tables.transaction import Outcome

Kind = Literal["ReadCapacityUnits", "WriteCapacityUnits"]

_FACTOR = 2


def consumed_by_writes(
    request: Mapping[str, Any], tables: Sequence[str], outcome: Outcome
) -> dict[str, Any]:
    """Return the ConsumedCapacity member of the answer to actions that write.

    `tables` names the table of each action.
    """
    if outcome.repeated:
        return consumed_by_reads(request, tables, [change.new for change in outcome.changes])
    units = map(capacity.write_units, outcome.changes)
    return _consumed(request, zip(tables, units, strict=True), "WriteCapacityUnits")


def consumed_by_reads(
    request: Mapping[str, Any], tables: Sequence[str], items: Sequence[StoredItem | None]
) -> dict[str, Any]:
    """Return the ConsumedCapacity member of the answer to actions that read `items`."""
    sizes = (0 if item is None else item.size for item in items)
    units = (capacity.read_units(size, consistent=True) for size in sizes)
    return _consumed(request, zip(tables, units, strict=True), "ReadCapacityUnits")


def _consumed(
    request: Mapping[str, Any], units: Iterable[tuple[str, float]], kind: Kind
) -> dict[str, Any]:
    by_table: dict[str, float] = {}
    for table, amount in units:
        by_table[table] = by_table.get(table, 0.0) + _FACTOR * amount
    answer = capacity.consumed_by_table(request, by_table)
    for told in answer.get("ConsumedCapacity", ()):
        for part in (told, told.get("Table")):
            if part is not None:
                part[kind] = part["CapacityUnits"]
    return answer
