"""GlobalSecondaryIndexUpdates: indexes made, changed and removed by UpdateTable.

Facts: AWS, 2026-10: one index at a time is made or removed; the key of a new one is defined in the
same request, also where the table defines it already. Texts: dynalite, and public issues that
quote AWS.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec.structs import replace

from penstock.base import limits
from penstock.base.errors import dynamodb
from penstock.base.errors.tables import index_in_use, limit_exceeded, one_index_at_a_time
from penstock.operations.dynamodb import index_specification, key_schema, members
from penstock.operations.dynamodb import throughput_specification as throughput
from penstock.operations.dynamodb.throughput_updates import changed_units
from penstock.tables.descriptor import Descriptor
from penstock.tables.index import IndexDescriptor
from penstock.wire.shapes import ListOf, Structure, required

_NAMED = {"IndexName": required(members.INDEX_NAME)}
INDEX_UPDATES = ListOf(
    Structure(
        "GlobalSecondaryIndexUpdate",
        Update=Structure(
            "UpdateGlobalSecondaryIndexAction",
            **_NAMED,
            ProvisionedThroughput=throughput.PROVISIONED,
            OnDemandThroughput=throughput.ON_DEMAND,
            WarmThroughput=throughput.WARM,
        ),
        Create=Structure("CreateGlobalSecondaryIndexAction", **index_specification.GLOBAL_MEMBERS),
        Delete=Structure("DeleteGlobalSecondaryIndexAction", **_NAMED),
    )
)
_ACTIONS = ("Update", "Create", "Delete")

Given = Mapping[str, Any]


def check_updates(updates: Sequence[Given], definitions: Sequence[Given]) -> None:
    """Raise an ApiError for updates that no table could take."""
    names = []
    for update in updates:
        if not update:
            raise dynamodb.parameter_values_invalid(
                "One of GlobalSecondaryIndexUpdate.Update, GlobalSecondaryIndexUpdate.Create,"
                " GlobalSecondaryIndexUpdate.Delete must not be null"
            )
        if len(update) > 1:
            raise dynamodb.parameter_values_invalid(
                "Only one of GlobalSecondaryIndexUpdate.Update, GlobalSecondaryIndexUpdate.Create,"
                " GlobalSecondaryIndexUpdate.Delete must not be null"
            )
        names += [action["IndexName"] for action in update.values()]
    for place, name in enumerate(names):
        if name in names[:place]:
            raise dynamodb.parameter_values_invalid(
                "Only one global secondary index update per index is allowed simultaneously."
                f" Index: {name}"
            )
    for index in actions(updates, "Update"):
        if index.keys() <= {"IndexName"}:
            raise dynamodb.parameter_values_invalid(
                f"ProvisionedThroughput must be specified for index: {index['IndexName']}"
            )
    key_schema.check_definitions(definitions)
    for index in actions(updates, "Create"):
        _check_create(index, definitions)
    if len(actions(updates, "Create")) + len(actions(updates, "Delete")) > 1:
        raise one_index_at_a_time()


def actions(updates: Sequence[Given], kind: str) -> list[Given]:
    """Return the actions of one kind: Update, Create or Delete."""
    return [update[kind] for update in updates if kind in update]


def changed_indexes(
    descriptor: Descriptor,
    updates: Sequence[Given],
    definitions: Sequence[Given],
    number: int,
    now_ms: int,
) -> list[IndexDescriptor]:
    """Return the table's indexes after `updates`, which were checked.

    A new index, of which there is at most one, gets `number` and is CREATING; one that is removed
    is DELETING, and one with other throughput UPDATING.
    """
    indexes = {index.name: index for index in descriptor.indexes}
    busy = [index.name for index in descriptor.indexes if index.status == "CREATING"]
    for action in actions(updates, "Delete"):
        name = action["IndexName"]
        index = _existing(indexes, name)
        if busy and name not in busy:
            raise one_index_at_a_time()
        indexes[name] = replace(index, status="DELETING", status_ms=now_ms)
    for action in actions(updates, "Update"):
        index = _existing(indexes, action["IndexName"])
        if index.status == "CREATING":
            raise index_in_use(descriptor.name, index.name, "CREATING")
        indexes[index.name] = _with_throughput(descriptor, index, action, now_ms)
    for action in actions(updates, "Create"):
        if busy:
            raise one_index_at_a_time()
        made = _made(descriptor, action, definitions, now_ms)
        indexes[made.name] = replace(made, number=number, status="CREATING")
    return list(indexes.values())


def _check_create(index: Given, definitions: Sequence[Given]) -> None:
    keys = index["KeySchema"]
    key_schema.check_global(keys)
    types = key_schema.types_of(definitions)
    key_schema.check_table_defined(key_schema.names_of(keys), types)
    index_specification.check_projection(index["Projection"])
    throughput.provisioned(index.get("ProvisionedThroughput"), index["IndexName"])


def _existing(indexes: Mapping[str, IndexDescriptor], name: str) -> IndexDescriptor:
    """Return the global index of that name; ResourceNotFoundException where there is none."""
    index = indexes.get(name)
    if index is None or index.kind == "LOCAL":
        raise dynamodb.resource_not_found()
    return index


def _with_throughput(
    descriptor: Descriptor, index: IndexDescriptor, action: Given, now_ms: int
) -> IndexDescriptor:
    mode, name = descriptor.billing_mode, index.name
    if "ProvisionedThroughput" in action:
        if mode == "PAY_PER_REQUEST":
            raise throughput.not_for_on_demand(name)
        index = changed_units(index, action["ProvisionedThroughput"], now_ms, name)
    if "OnDemandThroughput" in action:
        maxima = throughput.changed_maxima(action["OnDemandThroughput"], index.maxima, mode, name)
        index = replace(index, maxima=maxima)
    if "WarmThroughput" in action:
        current = index.warm or throughput.base_warmth(mode, index.units)
        index = replace(index, warm=throughput.warmth(action["WarmThroughput"], current, name))
    return replace(index, status="UPDATING", status_ms=now_ms)


def _made(
    descriptor: Descriptor, action: Given, definitions: Sequence[Given], now_ms: int
) -> IndexDescriptor:
    """Return the new index; ApiError where the table cannot have it."""
    name, given = action["IndexName"], action.get("ProvisionedThroughput")
    if any(index.name == name for index in descriptor.indexes):
        raise dynamodb.validation("Attempting to create an index which already exists")
    _check_types(descriptor, definitions)
    if descriptor.billing_mode == "PAY_PER_REQUEST" and given is not None:
        raise throughput.not_for_on_demand(name)
    throughput.check_index_units(descriptor.billing_mode, given, name)
    globals_ = [index for index in descriptor.indexes if index.kind == "GLOBAL"]
    if len(globals_) >= limits.global_indexes_max:
        raise limit_exceeded(
            "Number of global secondary indexes exceeds per-table limit of"
            f" {limits.global_indexes_max}"
        )
    projected = sum(len(index.non_key_attributes) for index in descriptor.indexes)
    index_specification.check_projected(
        projected + len(action["Projection"].get("NonKeyAttributes", ()))
    )
    types = key_schema.types_of(definitions)
    return index_specification.index_descriptor(action, "GLOBAL", descriptor, types, now_ms)


def _check_types(descriptor: Descriptor, definitions: Sequence[Given]) -> None:
    """Raise ValidationException where the definitions are not those of the table's own keys.

    Fact: AWS, 2026-07 (dynoxide issue 131): what no key uses is dropped, where CreateTable minds.
    """
    keys = [*descriptor.key_schema.attributes]
    for index in descriptor.indexes:
        keys += index.key_schema.attributes
    known = dict(keys)
    for name, kind in key_schema.types_of(definitions).items():
        if known.get(name, kind) != kind:
            raise dynamodb.parameter_values_invalid(
                f"Attribute {name} is defined as {known[name]} already, not as {kind}"
            )
