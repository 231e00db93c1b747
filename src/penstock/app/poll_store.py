"""The mapping of `penstock poll` in its store: enabled to begin with, disabled in the end.

The store is a directory that the rocksdb engine keeps, with nothing in it but mappings and how far
they have come; one per stream and function, of which the one that is asked for runs. Where a
mapping began, and its checkpoints, stay as they are; its settings are those that are given.
"""

from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import msgspec

from penstock.app.assembly import claim_store
from penstock.app.poll_plan import Plan, function_arn, mapping_as_planned, region_of
from penstock.app.settings import read_settings
from penstock.base.clock import Clock
from penstock.base.ids import Entropy
from penstock.functions.mapping import (
    MAPPINGS_LOCK,
    Mapping,
    find_mapping,
    mappings,
    store_mapping,
)
from penstock.storage.rocksdb import RocksEngine
from penstock.storage.waist import Engine, Reader, Transaction

_OWNER = "penstock poll"
"""Whose such a store is: no server takes it, and poll takes no server's."""


class Found(NamedTuple):
    """The mapping that is to run, and whether nothing of it is stored yet."""

    mapping: Mapping
    is_new: bool


async def open_store(directory: Path, clock: Clock) -> Engine:
    """Return the store in a directory; EngineError where it cannot be had, or is another's."""
    store = RocksEngine.open(directory, clock, ends_with_process=True)
    try:
        settings = read_settings({}, {})
        await claim_store(store, replace(settings, account=_OWNER))
    except BaseException:
        store.close()
        raise
    return store


def find(store: Engine, plan: Plan, stream_arn: str, clock: Clock, entropy: Entropy) -> Found:
    """Return the mapping of a stream and the plan's function, or a new one."""
    arn = function_arn(plan, stream_arn)
    for known in store.snapshot(lambda reader: list(mappings(reader))):
        if (known.source_arn, known.function_arn) == (stream_arn, arn):
            return Found(known, is_new=False)
    new = Mapping(
        uuid=entropy.uuid(),
        region=region_of(stream_arn),
        source_arn=stream_arn,
        function_arn=arn,
        starting_position=plan.starting_position,
        created_ms=clock.now_ms(),
    )
    return Found(new, is_new=True)


async def enable(store: Engine, plan: Plan, mapping: Mapping, now_ms: int) -> None:
    """Store the mapping as planned, to be run, and let no other one run."""
    wanted = mapping_as_planned(plan, mapping, now_ms)

    def work(txn: Transaction) -> None:
        for other in list(mappings(txn)):
            if other.enabled and other.uuid != wanted.uuid:
                store_mapping(txn, msgspec.structs.replace(other, enabled=False, state="Disabled"))
        store_mapping(txn, wanted)

    await store.transact(work, locks=[MAPPINGS_LOCK])


async def disable(store: Engine, mapping: Mapping) -> None:
    """Store that the mapping is not to run any more."""

    def work(txn: Transaction) -> None:
        found = _stored(txn, mapping)
        generation = found.generation + 1
        stopping = msgspec.structs.replace(
            found, enabled=False, state="Disabling", generation=generation
        )
        store_mapping(txn, stopping)

    await store.transact(work, locks=[MAPPINGS_LOCK])


def is_disabled(store: Engine, mapping: Mapping) -> bool:
    """Say whether nothing of the mapping is under way any more."""
    return store.snapshot(lambda reader: _stored(reader, mapping)).state == "Disabled"


def _stored(reader: Reader, mapping: Mapping) -> Mapping:
    found = find_mapping(reader, mapping.region, mapping.uuid)
    assert found is not None  # nobody deletes it
    return found
