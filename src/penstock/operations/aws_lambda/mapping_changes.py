"""Changes of event source mappings: what is looked at and stored in one transaction.

The API only stores that a mapping is Creating, Updating, Enabling, Disabling or Deleting. Who runs
the mappings hears the alarm, and moves them on. While one is on its way it cannot be changed.
"""

from collections.abc import Callable
from typing import Any

import msgspec

from penstock.base import limits
from penstock.base.errors import event_source_mappings as errors
from penstock.functions.mapping import (
    MAPPINGS_LOCK,
    USER_ACTION,
    Mapping,
    State,
    find_mapping,
    last_result,
    mappings,
    store_mapping,
)
from penstock.functions.tags import tags_lock, write_tags
from penstock.operations.aws_lambda.mapping_settings import shown, with_settings
from penstock.operations.operation import Context
from penstock.storage.waist import Reader, Transaction

_SETTLED = ("Enabled", "Disabled")


async def create_mapping(context: Context, mapping: Mapping, tags: dict[str, str]) -> None:
    """Store a new mapping with its tags.

    ResourceConflictException where its source and function have one already.
    """

    def work(txn: Transaction) -> None:
        _check_alone(txn, mapping)
        store_mapping(txn, mapping)
        if tags:
            write_tags(txn, mapping.arn, tags)

    locks = (MAPPINGS_LOCK, tags_lock(mapping.arn))
    await context.tables.engine.transact(work, locks=locks)
    context.services.mappings_changed.ring()


async def update_mapping(context: Context, uuid: str, settings: dict[str, Any]) -> dict[str, Any]:
    """Change settings of a mapping, by the names of Mapping's fields, and return it as shown.

    ResourceNotFoundException without one, ResourceInUseException while it is on its way,
    ResourceConflictException where its source and function have another.
    """

    def change(txn: Transaction, old: Mapping) -> Mapping:
        new = with_settings(old, settings)
        if new.function_arn != old.function_arn:
            _check_alone(txn, new)
        state: State = "Updating"
        if new.enabled != old.enabled:
            state = "Enabling" if new.enabled else "Disabling"
        return msgspec.structs.replace(new, state=state)

    return await _change(context, uuid, "update", change)


async def delete_mapping(context: Context, uuid: str) -> dict[str, Any]:
    """Let a mapping go, with its tags at once, and return it as shown; errors as above."""

    def change(txn: Transaction, old: Mapping) -> Mapping:
        write_tags(txn, old.arn, {})
        return msgspec.structs.replace(old, state="Deleting")

    return await _change(context, uuid, "delete", change)


def existing_mapping(context: Context, reader: Reader, uuid: str) -> Mapping:
    """Return the mapping of that id in the caller's region; ResourceNotFoundException without."""
    mapping = find_mapping(reader, context.region, uuid)
    if mapping is None:
        raise errors.mapping_not_found()
    return mapping


async def _change(
    context: Context, uuid: str, verb: str, change: Callable[[Transaction, Mapping], Mapping]
) -> dict[str, Any]:
    now_ms = context.tables.clock.now_ms()
    found = context.tables.read(lambda reader: existing_mapping(context, reader, uuid))

    def work(txn: Transaction) -> Mapping:
        old = existing_mapping(context, txn, uuid)
        if old.state not in _SETTLED:
            raise errors.mapping_in_use(verb)
        new = msgspec.structs.replace(
            change(txn, old),
            state_reason=USER_ACTION,
            modified_ms=now_ms,
            generation=old.generation + 1,
        )
        store_mapping(txn, new)
        return new

    locks = (MAPPINGS_LOCK, tags_lock(found.arn))
    new = await context.tables.engine.transact(work, locks=locks)
    context.services.mappings_changed.ring()
    result = context.tables.read(lambda reader: last_result(reader, new))
    return shown(new, result)


def _check_alone(txn: Transaction, mapping: Mapping) -> None:
    """Raise the error for a mapping of a source and function that have one, or for one too many."""
    count = 0
    for other in mappings(txn, mapping.region):
        count += 1
        pair = (other.source_arn, other.function_arn)
        if other.uuid != mapping.uuid and pair == (mapping.source_arn, mapping.function_arn):
            name = mapping.function_arn.split(":", 6)[6]
            raise errors.mapping_exists(mapping.source_arn, name, other.uuid)
    if count >= limits.mappings_per_region_max and mapping.state == "Creating":
        raise errors.too_many_mappings(limits.mappings_per_region_max)
