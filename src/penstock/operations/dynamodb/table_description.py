"""TableDescription: how a table and its indexes are shown.

Facts: AWS, 2026-10: attributes are defined in the order of their names; an on-demand table shows
zero units and its billing mode, a provisioned one its mode only if it was on-demand before;
WarmThroughput is shown only after creation; a table without a stream shows no StreamSpecification,
while the latest stream's ARN and label stay. Of a table that is being deleted neither its key nor
its indexes nor its age are shown (dynalite issue 60, scylladb pull 15707), and of an index that is
being removed no projection (boto issues 2978 and 3775).
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from penstock.items.keys import KeyAttribute, KeySchema
from penstock.operations.dynamodb.throughput_specification import base_warmth
from penstock.storage.waist import Reader
from penstock.tables.count import Count
from penstock.tables.descriptor import Descriptor, Table
from penstock.tables.index import IndexDescriptor
from penstock.tables.provision import History, Maxima, Units
from penstock.tables.state import index_state, table_state
from penstock.tables.write import index_count, table_count

_EMPTY = Count(0, 0)


class Counts(NamedTuple):
    """How many items and bytes a table has, and each of its indexes by name."""

    table: Count = _EMPTY
    indexes: Mapping[str, Count] = {}


NO_COUNTS = Counts()


def read_counts(reader: Reader, table: Table) -> Counts:
    """Return the counts of a table and its indexes; they are exact."""
    indexes = {name: index_count(reader, index) for name, index in table.indexes.items()}
    return Counts(table_count(reader, table), indexes)


def key_schema(descriptor: Descriptor) -> list[dict[str, str]]:
    """Return the table's KeySchema."""
    return _key_schema(descriptor.key_schema)


def table_description(
    descriptor: Descriptor, now_ms: int, counts: Counts = NO_COUNTS
) -> dict[str, Any]:
    """Return the TableDescription of a table that is not gone at `now_ms` and holds `counts`."""
    state = table_state(descriptor, now_ms)
    description: dict[str, Any] = {
        "TableName": descriptor.name,
        "TableStatus": state,
        "ProvisionedThroughput": _provisioned(descriptor.units, descriptor.history, now_ms),
        "TableSizeBytes": counts.table.size,
        "ItemCount": counts.table.items,
        "TableArn": descriptor.arn,
        "TableId": descriptor.id,
        "DeletionProtectionEnabled": descriptor.deletion_protection,
    }
    if state != "CREATING":
        description["WarmThroughput"] = _warm(descriptor, descriptor, str(state))
    if state != "DELETING":
        description |= _made(descriptor) | _indexes(descriptor, now_ms, counts)
    return (
        description
        | _billing(descriptor)
        | _class(descriptor)
        | _maxima(descriptor.maxima)
        | _stream(descriptor)
    )


def _made(descriptor: Descriptor) -> dict[str, Any]:
    """Return how and when the table was made."""
    return {
        "AttributeDefinitions": _attribute_definitions(descriptor),
        "KeySchema": key_schema(descriptor),
        "CreationDateTime": descriptor.created_ms / 1000,
    }


def _attribute_definitions(descriptor: Descriptor) -> list[dict[str, str]]:
    keys: set[KeyAttribute] = set(descriptor.key_schema.attributes)
    for index in descriptor.indexes:
        keys.update(index.key_schema.attributes)
    return [{"AttributeName": name, "AttributeType": kind} for name, kind in sorted(keys)]


def _key_schema(schema: KeySchema) -> list[dict[str, str]]:
    sides = (("HASH", schema.partition), ("RANGE", schema.sort))
    return [{"AttributeName": key.name, "KeyType": kind} for kind, keys in sides for key in keys]


def _provisioned(units: Units, history: History, now_ms: int) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "NumberOfDecreasesToday": history.decreases_today(now_ms),
        "ReadCapacityUnits": units.read,
        "WriteCapacityUnits": units.write,
    }
    if history.increased_ms:
        shown["LastIncreaseDateTime"] = history.increased_ms / 1000
    if history.decreased_ms:
        shown["LastDecreaseDateTime"] = history.decreased_ms / 1000
    return shown


def _billing(descriptor: Descriptor) -> dict[str, Any]:
    if not descriptor.on_demand_since_ms:
        return {}
    return {
        "BillingModeSummary": {
            "BillingMode": descriptor.billing_mode,
            "LastUpdateToPayPerRequestDateTime": descriptor.on_demand_since_ms / 1000,
        }
    }


def _class(descriptor: Descriptor) -> dict[str, Any]:
    if descriptor.table_class is None:
        return {}
    summary: dict[str, Any] = {"TableClass": descriptor.table_class}
    if descriptor.class_ms:
        summary["LastUpdateDateTime"] = descriptor.class_ms[-1] / 1000
    return {"TableClassSummary": summary}


def _stream(descriptor: Descriptor) -> dict[str, Any]:
    shown: dict[str, Any] = {}
    if descriptor.stream is not None:
        shown["StreamSpecification"] = {
            "StreamEnabled": True,
            "StreamViewType": descriptor.stream.view_type,
        }
    if descriptor.latest_stream_arn is not None:
        shown["LatestStreamArn"] = descriptor.latest_stream_arn
        shown["LatestStreamLabel"] = descriptor.latest_stream_label
    return shown


def _maxima(maxima: Maxima) -> dict[str, Any]:
    given = {"MaxReadRequestUnits": maxima.read, "MaxWriteRequestUnits": maxima.write}
    shown = {name: most for name, most in given.items() if most is not None}
    return {"OnDemandThroughput": shown} if shown else {}


def _warm(table: Descriptor, of: Descriptor | IndexDescriptor, status: str) -> dict[str, Any]:
    base = base_warmth(table.billing_mode, of.units)
    asked = of.warm or base
    return {
        "ReadUnitsPerSecond": max(base.read, asked.read),
        "Status": status,
        "WriteUnitsPerSecond": max(base.write, asked.write),
    }


def _indexes(descriptor: Descriptor, now_ms: int, counts: Counts) -> dict[str, Any]:
    shown: dict[str, list[dict[str, Any]]] = {}
    for index in descriptor.indexes:
        state = index_state(descriptor, index, now_ms)
        if state is None:
            continue
        count = counts.indexes.get(index.name, _EMPTY)
        if index.kind == "LOCAL":
            shown.setdefault("LocalSecondaryIndexes", []).append(_index(index, count))
        else:
            description = _index(index, count) | _global(descriptor, index, now_ms)
            if state == "DELETING":
                del description["Projection"]
            shown.setdefault("GlobalSecondaryIndexes", []).append(description)
    return shown


def _index(index: IndexDescriptor, count: Count) -> dict[str, Any]:
    projection: dict[str, Any] = {"ProjectionType": index.projection}
    if index.non_key_attributes:
        projection["NonKeyAttributes"] = index.non_key_attributes
    return {
        "IndexName": index.name,
        "KeySchema": _key_schema(index.key_schema),
        "Projection": projection,
        "IndexSizeBytes": count.size,
        "ItemCount": count.items,
        "IndexArn": index.arn,
    }


def _global(descriptor: Descriptor, index: IndexDescriptor, now_ms: int) -> dict[str, Any]:
    state = index_state(descriptor, index, now_ms)
    shown: dict[str, Any] = {
        "IndexStatus": state,
        "ProvisionedThroughput": _provisioned(index.units, index.history, now_ms),
    }
    if index.status == "CREATING":
        shown["Backfilling"] = table_state(descriptor, now_ms) == "ACTIVE"
    if state != "CREATING":
        shown["WarmThroughput"] = _warm(descriptor, index, str(state))
    return shown | _maxima(index.maxima)
