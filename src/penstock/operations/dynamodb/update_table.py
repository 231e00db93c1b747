"""UpdateTable: change a table's billing, throughput, indexes, stream, class or protection.

One concern per call, as AWS has it. The change holds as soon as this answers; the table is UPDATING
for its delay, and a new index is filled beside the requests.
"""

from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from penstock.base import limits
from penstock.base.clock import iso_label
from penstock.base.errors import dynamodb
from penstock.base.errors.tables import table_in_use, throttled
from penstock.operations.dynamodb import key_schema, members
from penstock.operations.dynamodb import throughput_specification as throughput
from penstock.operations.dynamodb.create_table import new_stream
from penstock.operations.dynamodb.index_updates import (
    INDEX_UPDATES,
    actions,
    changed_indexes,
    check_updates,
)
from penstock.operations.dynamodb.stream_specification import (
    STREAM_SPECIFICATION,
    check_change,
    check_local_indexes,
    check_update,
)
from penstock.operations.dynamodb.table_description import read_counts, table_description
from penstock.operations.dynamodb.throughput_updates import changed_class, changed_mode
from penstock.operations.operation import Context
from penstock.streams.stream import Stream
from penstock.tables import catalog
from penstock.tables.descriptor import Descriptor, Table
from penstock.tables.state import entering, settled, table_state
from penstock.tables.tables import until_current
from penstock.wire.shapes import Boolean, ListOf, String, Structure, later

_ANY = Structure("Unsupported")

SHAPE = Structure(
    "UpdateTableInput",
    AttributeDefinitions=key_schema.DEFINITIONS,
    TableName=members.CONTROL_TABLE_NAME,
    BillingMode=members.BILLING_MODE,
    ProvisionedThroughput=throughput.PROVISIONED,
    GlobalSecondaryIndexUpdates=INDEX_UPDATES,
    StreamSpecification=STREAM_SPECIFICATION,
    TableClass=members.TABLE_CLASS,
    DeletionProtectionEnabled=Boolean(),
    OnDemandThroughput=throughput.ON_DEMAND,
    WarmThroughput=throughput.WARM,
    SSESpecification=later("changing the encryption (SSESpecification)", _ANY),
    VectorIndexUpdates=later("a vector index (VectorIndexUpdates)", ListOf(_ANY)),
    ReplicaUpdates=later("a global table (ReplicaUpdates)", ListOf(_ANY)),
    MultiRegionConsistency=later("a global table (MultiRegionConsistency)", String()),
    GlobalTableWitnessUpdates=later("a global table (GlobalTableWitnessUpdates)", ListOf(_ANY)),
    GlobalTableSettingsReplicationMode=later("GlobalTableSettingsReplicationMode", String()),
    DisassociationProtectionEnabled=later("DisassociationProtectionEnabled", Boolean()),
)

_NOTHING_ASKED = (
    "At least one of ProvisionedThroughput, BillingMode, UpdateStreamEnabled,"
    " GlobalSecondaryIndexUpdates, SSESpecification, ReplicaUpdates, MultiAccountReplicaReady,"
    " ReplicaTransitRoleArn, MultiRegionConsistency, DeletionProtectionEnabled, OnDemandThroughput,"
    " WarmThroughput or TableClass is required"
)
_ALONE = (
    "StreamSpecification",
    "TableClass",
    "DeletionProtectionEnabled",
    "OnDemandThroughput",
    "WarmThroughput",
)
_UPDATES, _UNITS = "GlobalSecondaryIndexUpdates", "ProvisionedThroughput"


async def run(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Make the change and answer with the table's description."""
    _check(request)
    if "DeletionProtectionEnabled" in request:
        return await until_current(lambda: _protect(context, request))
    return await until_current(lambda: _update(context, request))


async def _update(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Make any change but that of the protection, which is made at once."""
    tables = context.tables
    old = members.existing_table(context, request)
    now_ms = tables.clock.now_ms()
    state = table_state(old.descriptor, now_ms)
    if state != "ACTIVE":
        raise table_in_use(old.name, str(state))
    before = settled(old.descriptor, now_ms)
    changed, stream = await _changed(context, before, request, now_ms)
    if changed == before:
        return _answer(context, old, before, now_ms)
    shown, stored = entering(changed, "UPDATING", now_ms, context.services.table_delay_ms)
    new = catalog.table_of(_without_removed(stored))
    await tables.engine.transact(
        lambda txn: catalog.update_table(txn, old, new, stream, now_ms),
        locks=catalog.locks_of_both(old, new),
    )
    if any(index.status == "CREATING" for index in stored.indexes):
        context.services.work.ring()
    return _answer(context, new, shown, now_ms)


async def _changed(
    context: Context, descriptor: Descriptor, request: dict[str, Any], now_ms: int
) -> tuple[Descriptor, Stream | None]:
    """Return the table as the request wants it, and the stream that is opened for it."""
    changed = changed_mode(descriptor, request, now_ms)
    if _UPDATES in request:
        updates = request[_UPDATES]
        number = await context.tables.next_number() if actions(updates, "Create") else 0
        definitions = request.get("AttributeDefinitions", ())
        indexes = changed_indexes(changed, updates, definitions, number, now_ms)
        changed = replace(changed, indexes=indexes)
    if "TableClass" in request:
        changed = changed_class(changed, request["TableClass"], now_ms)
    if "OnDemandThroughput" in request:
        maxima = throughput.changed_maxima(
            request["OnDemandThroughput"], changed.maxima, changed.billing_mode
        )
        changed = replace(changed, maxima=maxima)
    if "WarmThroughput" in request:
        base = throughput.base_warmth(changed.billing_mode, changed.units)
        warm = throughput.warmth(request["WarmThroughput"], changed.warm or base)
        changed = replace(changed, warm=warm)
    if "StreamSpecification" in request:
        return await _with_stream(context, changed, request["StreamSpecification"])
    return changed, None


async def _with_stream(
    context: Context, descriptor: Descriptor, specification: dict[str, Any]
) -> tuple[Descriptor, Stream | None]:
    check_change(specification, descriptor)
    changing = replace(descriptor, stream_changing=True)
    if not specification["StreamEnabled"]:
        return catalog.without_stream(changing), None
    check_local_indexes(descriptor.indexes, context.services.lsi_stream_rule)
    stream = await new_stream(context, descriptor, specification["StreamViewType"])
    return catalog.with_stream(changing, stream), stream


async def _protect(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Change the protection against deletion, which holds at once, whatever else is under way."""
    tables = context.tables
    old = members.existing_table(context, request)
    now_ms = tables.clock.now_ms()
    state = table_state(old.descriptor, now_ms)
    if state in {"CREATING", "DELETING"}:
        raise table_in_use(old.name, str(state))
    protection = request["DeletionProtectionEnabled"]
    if protection == old.descriptor.deletion_protection:
        return _answer(context, old, old.descriptor, now_ms)
    free_ms = old.descriptor.protection_ms + limits.deletion_protection_wait_ms
    if now_ms < free_ms:
        raise throttled(
            f"Deletion protection setting for table {old.name} modified within the previous"
            f" {limits.deletion_protection_wait_ms} milliseconds. Please try again after"
            f" {iso_label(free_ms)}Z"
        )
    new = catalog.table_of(
        replace(old.descriptor, deletion_protection=protection, protection_ms=now_ms)
    )
    await tables.engine.transact(lambda txn: catalog.replace_table(txn, old, new), locks=old.locks)
    return _answer(context, new, new.descriptor, now_ms)


def _answer(context: Context, table: Table, shown: Descriptor, now_ms: int) -> dict[str, Any]:
    counts = context.tables.read(lambda reader: read_counts(reader, table))
    return {"TableDescription": table_description(shown, now_ms, counts)}


def _without_removed(descriptor: Descriptor) -> Descriptor:
    """Return the table without the maxima that the request removed; its answer shows them."""
    return replace(
        descriptor,
        maxima=throughput.without_removed(descriptor.maxima),
        indexes=[
            replace(index, maxima=throughput.without_removed(index.maxima))
            for index in descriptor.indexes
        ],
    )


def _check(request: Mapping[str, Any]) -> None:
    """Raise an ApiError where the request asks for nothing, for too much, or cannot be right."""
    asked = request.keys() - {"TableName", "AttributeDefinitions"}
    if not any(request[name] not in ({}, []) for name in asked):
        raise dynamodb.validation(_NOTHING_ASKED)
    if "StreamSpecification" in request:
        _check_stream(request)
    _check_alone(asked)
    throughput.provisioned(request.get(_UNITS))
    if request.get("BillingMode") == "PAY_PER_REQUEST" and _UNITS in request:
        raise throughput.not_for_on_demand()
    updates = request.get(_UPDATES, ())
    check_updates(updates, request.get("AttributeDefinitions", ()))
    if len(actions(updates, "Update")) < len(updates) and asked - {_UPDATES, "BillingMode"}:
        raise dynamodb.validation(_one_of(_UPDATES, _UNITS))


def _check_stream(request: Mapping[str, Any]) -> None:
    if _UNITS in request or request.get("BillingMode") == "PROVISIONED":
        raise dynamodb.parameter_values_invalid(
            "You cannot modify stream status while updating table IOPS"
        )
    if _UPDATES in request:
        raise dynamodb.parameter_values_invalid(
            "You cannot create or delete index while changing stream status"
        )
    check_update(request["StreamSpecification"])


def _check_alone(asked: set[str]) -> None:
    """Raise ValidationException where what changes alone is not alone.

    Fact: AWS, 2026-10: of all pairs only the stream with PAY_PER_REQUEST, and throughput with that
    of indexes, are taken. The text is our own.
    """
    alone = [name for name in _ALONE if name in asked]
    others = sorted(asked - set(alone[:1]))
    if alone == ["StreamSpecification"] and others == ["BillingMode"]:
        return
    if alone and others:
        raise dynamodb.validation(_one_of(alone[0], *others))


def _one_of(*names: str) -> str:
    return f"Only one of these can be changed in one UpdateTable: {', '.join(names)}"
