"""The states of tables and indexes: derived from what is stored and the time, never by a job.

A stored state holds until its time has passed. Then a table that was being made or changed is
ACTIVE, and one that was being deleted is gone; so are its indexes, which share the table's time.
Only an index that is CREATING waits for more: until the items that were there before it are read
in (see `penstock.tables.backfill`), which begins when its table is ACTIVE.
"""

import msgspec

from penstock.tables.descriptor import Descriptor, TableStatus
from penstock.tables.index import IndexDescriptor, IndexStatus


def table_state(descriptor: Descriptor, now_ms: int) -> TableStatus | None:
    """Return the state of the table at `now_ms`; None where it is gone."""
    if descriptor.status == "ACTIVE" or now_ms < descriptor.status_until_ms:
        return descriptor.status
    return None if descriptor.status == "DELETING" else "ACTIVE"


def index_state(descriptor: Descriptor, index: IndexDescriptor, now_ms: int) -> IndexStatus | None:
    """Return the state of one of the table's indexes at `now_ms`; None where it is gone."""
    state = table_state(descriptor, now_ms)
    if state in {"CREATING", "DELETING"}:
        return state
    if state == "UPDATING" or index.status in {"ACTIVE", "CREATING"}:
        return index.status
    return "ACTIVE" if index.status == "UPDATING" else None


def is_usable(descriptor: Descriptor, now_ms: int) -> bool:
    """Say whether the table's items can be read and written at `now_ms`."""
    return table_state(descriptor, now_ms) in {"ACTIVE", "UPDATING"}


def is_gone(descriptor: Descriptor, now_ms: int) -> bool:
    """Say whether the table was deleted and its time is over at `now_ms`."""
    return table_state(descriptor, now_ms) is None


def entering(
    descriptor: Descriptor, status: TableStatus, now_ms: int, delay_ms: int
) -> tuple[Descriptor, Descriptor]:
    """Return the table as it is shown and as it is stored when it enters `status` at `now_ms`.

    Without a delay the state is shown by the answer that tells of the change and never again.
    A table that is being deleted is stored for its delay only: there has to be one.
    """
    shown = msgspec.structs.replace(
        descriptor, status=status, status_until_ms=now_ms + max(delay_ms, 1)
    )
    return shown, shown if delay_ms else settled(shown, now_ms + 1)


def settled(descriptor: Descriptor, now_ms: int) -> Descriptor:
    """Return the same table without the states that are over at `now_ms`; it is not gone."""
    if descriptor.status == "ACTIVE" or now_ms < descriptor.status_until_ms:
        return descriptor
    indexes = [
        msgspec.structs.replace(index, status=state)
        for index in descriptor.indexes
        if (state := index_state(descriptor, index, now_ms)) is not None
    ]
    return msgspec.structs.replace(
        descriptor, status="ACTIVE", status_until_ms=0, stream_changing=False, indexes=indexes
    )
