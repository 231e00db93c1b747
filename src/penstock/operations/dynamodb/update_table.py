"""UpdateTable: switch a table's stream on or off, or its protection against deletion.

One concern per call, as AWS has it. The change holds as soon as this answers; the answer says
UPDATING as AWS's does.
"""

from typing import Any

import msgspec

from penstock.base.errors import dynamodb
from penstock.operations.dynamodb import members
from penstock.operations.dynamodb.create_table import new_stream
from penstock.operations.dynamodb.stream_specification import (
    STREAM_SPECIFICATION,
    check_change,
    check_update,
)
from penstock.operations.dynamodb.table_description import table_description
from penstock.operations.operation import Context
from penstock.storage.waist import Lock
from penstock.tables import catalog
from penstock.tables.descriptor import Table
from penstock.tables.tables import until_current
from penstock.tables.write import table_count
from penstock.wire.shapes import Boolean, ListOf, String, Structure, later

_ANY = Structure("Unsupported")

SHAPE = Structure(
    "UpdateTableInput",
    TableName=members.CONTROL_TABLE_NAME,
    StreamSpecification=STREAM_SPECIFICATION,
    DeletionProtectionEnabled=Boolean(),
    BillingMode=String(values=("PROVISIONED", "PAY_PER_REQUEST")),
    ProvisionedThroughput=_ANY,
    GlobalSecondaryIndexUpdates=ListOf(_ANY),
    AttributeDefinitions=later("changing AttributeDefinitions", ListOf(_ANY)),
    SSESpecification=later("changing the encryption (SSESpecification)", _ANY),
    VectorIndexUpdates=later("a vector index (VectorIndexUpdates)", ListOf(_ANY)),
    ReplicaUpdates=later("a global table (ReplicaUpdates)", ListOf(_ANY)),
    TableClass=later("changing the TableClass", String()),
    MultiRegionConsistency=later("a global table (MultiRegionConsistency)", String()),
    GlobalTableWitnessUpdates=later("a global table (GlobalTableWitnessUpdates)", ListOf(_ANY)),
    OnDemandThroughput=later("OnDemandThroughput", _ANY),
    WarmThroughput=later("WarmThroughput", _ANY),
    GlobalTableSettingsReplicationMode=later("GlobalTableSettingsReplicationMode", String()),
    DisassociationProtectionEnabled=later("DisassociationProtectionEnabled", Boolean()),
)

_NOTHING_ASKED = (
    "At least one of ProvisionedThroughput, BillingMode, UpdateStreamEnabled,"
    " GlobalSecondaryIndexUpdates, SSESpecification, ReplicaUpdates, MultiAccountReplicaReady,"
    " ReplicaTransitRoleArn, MultiRegionConsistency, DeletionProtectionEnabled, OnDemandThroughput,"
    " WarmThroughput or TableClass is required"
)


async def run(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Make the change and answer with the table's description."""
    _check(request)

    async def attempt() -> dict[str, Any]:
        table = members.existing_table(context, request)
        if "StreamSpecification" in request:
            _check_billing(request, table)
            changed = await _change_stream(context, table, request["StreamSpecification"])
        else:
            changed = await _protect(context, table, request["DeletionProtectionEnabled"])
        count = context.tables.read(lambda reader: table_count(reader, changed))
        status = "UPDATING" if "StreamSpecification" in request else "ACTIVE"
        return {"TableDescription": table_description(changed.descriptor, status, count)}

    return await until_current(attempt)


def _check(request: dict[str, Any]) -> None:
    """Raise ValidationException where the request asks for nothing, too much, or what we lack."""
    asked = request.keys() - {"TableName"}
    if not asked:
        raise dynamodb.validation(_NOTHING_ASKED)
    if "StreamSpecification" in request:
        provisioned = request.get("BillingMode") == "PROVISIONED"
        if "ProvisionedThroughput" in request or provisioned:
            raise dynamodb.parameter_values_invalid(
                "You cannot modify stream status while updating table IOPS"
            )
        if "GlobalSecondaryIndexUpdates" in request:
            raise dynamodb.parameter_values_invalid(
                "You cannot create or delete index while changing stream status"
            )
        check_update(request["StreamSpecification"])
    for name, what in {
        "ProvisionedThroughput": "changing the throughput (ProvisionedThroughput)",
        "GlobalSecondaryIndexUpdates": "a global secondary index (GlobalSecondaryIndexUpdates)",
    }.items():
        if name in request:
            raise dynamodb.not_yet(what)
    if "BillingMode" in request and "StreamSpecification" not in request:
        raise dynamodb.not_yet("changing the BillingMode")
    if {"StreamSpecification", "DeletionProtectionEnabled"} <= asked:
        raise dynamodb.not_yet("changing the stream and DeletionProtectionEnabled in one call")


def _check_billing(request: dict[str, Any], table: Table) -> None:
    """Raise ValidationException where the billing mode shall change together with the stream."""
    if request.get("BillingMode", table.descriptor.billing_mode) != table.descriptor.billing_mode:
        raise dynamodb.not_yet("changing the BillingMode")


async def _change_stream(context: Context, table: Table, specification: dict[str, Any]) -> Table:
    check_change(specification, table.descriptor)
    engine = context.tables.engine
    if not specification["StreamEnabled"]:
        without = catalog.table_of(catalog.without_stream(table.descriptor))
        now_ms = context.tables.clock.now_ms()
        await engine.transact(
            lambda txn: catalog.disable_stream(txn, table, without, now_ms), locks=table.locks
        )
        return without
    stream = await new_stream(context, table.descriptor, specification["StreamViewType"])
    with_it = catalog.table_of(catalog.with_stream(table.descriptor, stream))
    await engine.transact(
        lambda txn: catalog.enable_stream(txn, table, with_it, stream),
        locks=_locks_of_both(table, with_it),
    )
    return with_it


async def _protect(context: Context, table: Table, protection: bool) -> Table:
    changed = catalog.table_of(
        msgspec.structs.replace(table.descriptor, deletion_protection=protection)
    )
    await context.tables.engine.transact(
        lambda txn: catalog.replace_table(txn, table, changed), locks=table.locks
    )
    return changed


def _locks_of_both(old: Table, new: Table) -> tuple[Lock, ...]:
    """Return the locks on all there is of the table before and after; the new ones cover more."""
    return tuple({lock.name: lock for lock in (*old.locks, *new.locks)}.values())
