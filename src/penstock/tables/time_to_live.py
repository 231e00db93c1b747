"""A table's time to live: how it is switched on and off, and in what state it is.

Switched on, every write keeps the rows of `penstock.tables.expiry` from that moment, and the
backfill adds those of the items that were there before. Switched off, the rows are gone at once.
"""

from typing import Literal

from msgspec.structs import replace

from penstock.base.errors import dynamodb
from penstock.storage.waist import Transaction
from penstock.tables.catalog import replace_table
from penstock.tables.descriptor import Descriptor, Table, TimeToLive

TimeToLiveStatus = Literal["ENABLING", "DISABLING", "ENABLED", "DISABLED"]


def time_to_live_status(
    time_to_live: TimeToLive | None, now_ms: int, delay_ms: int
) -> TimeToLiveStatus:
    """Return the state of a time to live at `now_ms`, which changes for `delay_ms` at least."""
    if time_to_live is None:
        return "DISABLED"
    changing = now_ms < time_to_live.changed_ms + delay_ms
    if time_to_live.enabled:
        return "ENABLING" if changing or not time_to_live.complete else "ENABLED"
    return "DISABLING" if changing else "DISABLED"


def switched(
    descriptor: Descriptor, attribute: str, enabled: bool, now_ms: int, interval_ms: int
) -> Descriptor:
    """Return the table with its time to live switched on or off.

    Raises ValidationException where it is so already, is on by another attribute, or was switched
    less than `interval_ms` ago. Texts: AWS, 2026-10.
    """
    current = descriptor.time_to_live
    active = None if current is None or not current.enabled else current.attribute
    if active is not None and active != attribute:
        raise dynamodb.validation(
            "TimeToLive is active on a different AttributeName: current AttributeName is " + active
        )
    if enabled == (active is not None):
        raise dynamodb.validation(f"TimeToLive is already {'enabled' if enabled else 'disabled'}")
    if current is not None and now_ms < current.changed_ms + interval_ms:
        raise dynamodb.validation(
            "Time to live has been modified multiple times within a fixed interval"
        )
    switches = 1 if current is None else current.switches + 1
    changed = TimeToLive(attribute, enabled, now_ms, switches=switches)
    return replace(descriptor, time_to_live=changed)


def switch_time_to_live(txn: Transaction, old: Table, new: Table) -> None:
    """Store `new`, which is `old` with its time to live switched; StaleTable unless it is `old`."""
    replace_table(txn, old, new)
    if old.expiry is not None and new.expiry is None:
        txn.clear(old.expiry.rows)
