"""Secondary indexes in requests: their shapes, what they have to be, and what is stored of them.

Texts and the order of the checks: dynalite, and public issues that quote AWS, 2026-10; the limits
of projected attributes over all indexes have a text of our own.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from penstock.base import limits
from penstock.base.errors import dynamodb
from penstock.operations.dynamodb import key_schema, members
from penstock.operations.dynamodb import throughput_specification as throughput
from penstock.tables.descriptor import Descriptor
from penstock.tables.index import IndexDescriptor, IndexKind
from penstock.wire.shapes import ListOf, Member, Shape, String, Structure, required

_PROJECTION = Structure(
    "Projection",
    ProjectionType=String(values=("ALL", "INCLUDE", "KEYS_ONLY")),
    NonKeyAttributes=ListOf(
        String(1, limits.key_attribute_name_bytes_max),
        low=1,
        high=limits.index_non_key_attributes_max,
    ),
)
GLOBAL_MEMBERS: dict[str, Shape | Member] = {
    "IndexName": required(members.INDEX_NAME),
    "KeySchema": required(key_schema.GLOBAL_KEY_SCHEMA),
    "Projection": required(_PROJECTION),
    "ProvisionedThroughput": throughput.PROVISIONED,
    "OnDemandThroughput": throughput.ON_DEMAND,
    "WarmThroughput": throughput.WARM,
}
GLOBAL_INDEXES = ListOf(Structure("GlobalSecondaryIndex", **GLOBAL_MEMBERS))
LOCAL_INDEXES = ListOf(
    Structure(
        "LocalSecondaryIndex",
        IndexName=required(members.INDEX_NAME),
        KeySchema=required(key_schema.KEY_SCHEMA),
        Projection=required(_PROJECTION),
    )
)

Given = Mapping[str, Any]


def check_local(
    given: Sequence[Given], table_keys: Sequence[Given], types: key_schema.Types
) -> None:
    """Raise ValidationException where the local indexes of a new table cannot be."""
    if not given:
        raise dynamodb.parameter_values_invalid("List of LocalSecondaryIndexes is empty")
    if len(table_keys) < 2:
        raise dynamodb.parameter_values_invalid(
            "Table KeySchema does not have a range key, which is required when specifying a"
            " LocalSecondaryIndex"
        )
    for index in given:
        name, keys = index["IndexName"], index["KeySchema"]
        key_schema.check_defined(key_schema.names_of(keys), types)
        key_schema.check_pair(keys)
        if len(keys) < 2:
            raise dynamodb.parameter_values_invalid(
                f"Index KeySchema does not have a range key for index: {name}"
            )
        hash_name, table_hash = keys[0]["AttributeName"], table_keys[0]["AttributeName"]
        if hash_name != table_hash:
            raise dynamodb.parameter_values_invalid(
                "Index KeySchema does not have the same leading hash key as table KeySchema for"
                f" index: {name}. index hash key: {hash_name}, table hash key: {table_hash}"
            )
        check_projection(index["Projection"])
    if len(given) > limits.local_indexes_max:
        raise dynamodb.parameter_values_invalid(
            f"Number of LocalSecondaryIndexes exceeds per-table limit of {limits.local_indexes_max}"
        )


def check_global(given: Sequence[Given], billing_mode: str, types: key_schema.Types) -> None:
    """Raise ValidationException where the global indexes of a new table cannot be."""
    if not given:
        raise dynamodb.parameter_values_invalid("List of GlobalSecondaryIndexes is empty")
    for index in given:
        keys = index["KeySchema"]
        key_schema.check_defined(key_schema.names_of(keys), types)
        key_schema.check_global(keys)
        check_projection(index["Projection"])
        throughput.check_index_units(
            billing_mode, index.get("ProvisionedThroughput"), index["IndexName"]
        )
    if len(given) > limits.global_indexes_max:
        raise dynamodb.parameter_values_invalid(
            f"GlobalSecondaryIndex count exceeds the per-table limit of {limits.global_indexes_max}"
        )


def check_projection(projection: Given) -> None:
    """Raise ValidationException where a projection does not say what it takes."""
    kind = projection.get("ProjectionType")
    if kind is None:
        raise dynamodb.parameter_values_invalid("Unknown ProjectionType: null")
    if kind != "INCLUDE" and "NonKeyAttributes" in projection:
        raise dynamodb.parameter_values_invalid(
            f"ProjectionType is {kind}, but NonKeyAttributes is specified"
        )
    if kind == "INCLUDE" and "NonKeyAttributes" not in projection:
        raise dynamodb.parameter_values_invalid(
            "ProjectionType is INCLUDE, but NonKeyAttributes is not specified"
        )


def check_names(names: Sequence[str]) -> None:
    """Raise ValidationException where two indexes of a table have the same name."""
    for place, name in enumerate(names):
        if name in names[:place]:
            raise dynamodb.parameter_values_invalid(f"Duplicate index name: {name}")


def check_projected(count: int) -> None:
    """Raise ValidationException where all indexes together INCLUDE too many attributes."""
    if count > limits.table_non_key_attributes_max:
        raise dynamodb.parameter_values_invalid(
            "Number of NonKeyAttributes over all indexes exceeds the per-table limit of"
            f" {limits.table_non_key_attributes_max}"
        )


def index_descriptor(
    given: Given, kind: IndexKind, table: Descriptor, types: key_schema.Types, now_ms: int
) -> IndexDescriptor:
    """Return what is stored of a sound index of `table` that is made with it, but for its number.

    ValidationException where its throughput cannot be.
    """
    name, mode, projection = given["IndexName"], table.billing_mode, given["Projection"]
    schema = key_schema.key_schema_of(given["KeySchema"], types)
    units = throughput.provisioned(given.get("ProvisionedThroughput"), name)
    return IndexDescriptor(
        name=name,
        number=0,
        kind=kind,
        arn=f"{table.arn}/index/{name}",
        partition_key=list(schema.partition),
        sort_key=list(schema.sort),
        projection=projection["ProjectionType"],
        non_key_attributes=projection.get("NonKeyAttributes", []),
        read_units=units.read,
        write_units=units.write,
        status_ms=now_ms,
        maxima=throughput.new_maxima(given.get("OnDemandThroughput"), mode, name),
        warm=throughput.warmth(
            given.get("WarmThroughput"), throughput.base_warmth(mode, units), name
        ),
    )
