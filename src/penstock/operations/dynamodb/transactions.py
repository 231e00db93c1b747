"""What the actions that run transactions share: the capacity that they need and consume,
and which placeholders they look at.

Facts: AWS, 2026-07 and 08: an action costs its table twice what it would cost alone, and each index
what it would; a check costs as much as a write of its item; a request that repeats one is charged
for reading its items.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from penstock.base.errors.transactions import reason_of, transaction_canceled
from penstock.items.expressions.substitutions import NAMES, VALUES
from penstock.operations.dynamodb import capacity
from penstock.operations.operation import Context
from penstock.tables.descriptor import Table
from penstock.tables.stored_item import StoredItem
from penstock.tables.transaction import Outcome


def check_reads(context: Context, tables: Iterable[Table]) -> None:
    """Raise TransactionCanceledException where the throughput of a table is used up.

    `tables` are those of the actions, in their order.
    """
    throughput = context.tables.throughput
    if throughput is None:
        return
    refusals = [throughput.refusal(table, "read") for table in tables]
    if any(refusals):
        raise transaction_canceled(
            [None if refusal is None else reason_of(refusal) for refusal in refusals]
        )


def with_used_placeholders(action: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return an action without names and values where it has no expression at all.

    Of an action AWS takes them, of a whole request it does not (ExtendDB pull request 169, captured
    from AWS, 2026-06).
    """
    if any(name.endswith("Expression") for name in action):
        return action
    return {name: member for name, member in action.items() if name not in {NAMES, VALUES}}


def consumed_by_writes(
    context: Context, request: Mapping[str, Any], tables: Sequence[str], outcome: Outcome
) -> dict[str, Any]:
    """Return the ConsumedCapacity member of the answer to actions that write.

    `tables` names the table of each action.
    """
    if outcome.repeated:
        return consumed_by_reads(
            context, request, tables, [change.new for change in outcome.changes]
        )
    units = [capacity.of_write(change, in_transaction=True) for change in outcome.changes]
    parts = list(zip(tables, units, strict=True))
    capacity.charge(context, "write", parts)
    return capacity.consumed_by_table(request, parts, "WriteCapacityUnits")


def consumed_by_reads(
    context: Context,
    request: Mapping[str, Any],
    tables: Sequence[str],
    items: Sequence[StoredItem | None],
) -> dict[str, Any]:
    """Return the ConsumedCapacity member of the answer to actions that read `items`."""
    units = [capacity.of_item(item, consistent=True, in_transaction=True) for item in items]
    parts = list(zip(tables, units, strict=True))
    capacity.charge(context, "read", parts)
    return capacity.consumed_by_table(request, parts, "ReadCapacityUnits")
