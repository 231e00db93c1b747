"""What the actions that run transactions share: the capacity that they consume.

Facts: AWS, 2026-07 and 08: an action costs its table twice what it would cost alone, and each index
what it would; a check costs as much as a write of its item; a request that repeats one is charged
for reading its items.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from penstock.operations.dynamodb import capacity
from penstock.tables.stored_item import StoredItem
from penstock.tables.transaction import Outcome


def consumed_by_writes(
    request: Mapping[str, Any], tables: Sequence[str], outcome: Outcome
) -> dict[str, Any]:
    """Return the ConsumedCapacity member of the answer to actions that write.

    `tables` names the table of each action.
    """
    if outcome.repeated:
        return consumed_by_reads(request, tables, [change.new for change in outcome.changes])
    units = [capacity.of_write(change, in_transaction=True) for change in outcome.changes]
    parts = zip(tables, units, strict=True)
    return capacity.consumed_by_table(request, parts, "WriteCapacityUnits")


def consumed_by_reads(
    request: Mapping[str, Any], tables: Sequence[str], items: Sequence[StoredItem | None]
) -> dict[str, Any]:
    """Return the ConsumedCapacity member of the answer to actions that read `items`."""
    units = [capacity.of_item(item, consistent=True, in_transaction=True) for item in items]
    parts = zip(tables, units, strict=True)
    return capacity.consumed_by_table(request, parts, "ReadCapacityUnits")
