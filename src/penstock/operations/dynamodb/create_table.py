"""CreateTable: make a table with its indexes and tags, and its stream where one is asked for.

The answer says CREATING as AWS's does; the table can be used when its delay is over.
"""

from functools import partial
from typing import Any

from msgspec.structs import replace

from penstock.base import limits
from penstock.base.errors import dynamodb
from penstock.operations.dynamodb import (
    index_specification,
    key_schema,
    members,
    tag_specification,
    throughput_specification,
)
from penstock.operations.dynamodb import table_description as description
from penstock.operations.dynamodb.stream_specification import (
    STREAM_SPECIFICATION,
    check_create,
    check_local_indexes,
)
from penstock.operations.operation import Context
from penstock.streams.stream import Stream, find_stream, make_stream
from penstock.tables import catalog
from penstock.tables.descriptor import Descriptor, even_partitions
from penstock.tables.index import IndexDescriptor, IndexKind
from penstock.tables.state import entering
from penstock.tables.tables import until_current
from penstock.wire.shapes import (
    Boolean,
    Failures,
    ListOf,
    String,
    Structure,
    demanded,
    later,
    required,
)

_ANY = Structure("Unsupported")
_NAME = String(
    limits.table_name_chars_min, limits.table_arn_chars_max, members.NAME_PATTERN, spared="arn:"
)
_PLAIN_NAME = String(limits.table_name_chars_min, limits.table_name_chars_max)

SHAPE = Structure(
    "CreateTableInput",
    AttributeDefinitions=required(key_schema.DEFINITIONS),
    TableName=demanded(_NAME),
    KeySchema=required(key_schema.KEY_SCHEMA),
    LocalSecondaryIndexes=index_specification.LOCAL_INDEXES,
    GlobalSecondaryIndexes=index_specification.GLOBAL_INDEXES,
    BillingMode=members.BILLING_MODE,
    ProvisionedThroughput=throughput_specification.PROVISIONED,
    StreamSpecification=STREAM_SPECIFICATION,
    SSESpecification=Structure(
        "SSESpecification",
        Enabled=Boolean(),
        SSEType=String(values=("AES256", "KMS")),
        KMSMasterKeyId=String(),
    ),
    Tags=tag_specification.TAGS,
    TableClass=members.TABLE_CLASS,
    DeletionProtectionEnabled=Boolean(),
    WarmThroughput=throughput_specification.WARM,
    OnDemandThroughput=throughput_specification.ON_DEMAND,
    VectorIndexes=later("a vector index (VectorIndexes)", ListOf(_ANY)),
    ResourcePolicy=later("ResourcePolicy", String()),
    GlobalTableSourceArn=later("GlobalTableSourceArn", String()),
    GlobalTableSettingsReplicationMode=later("GlobalTableSettingsReplicationMode", String()),
)

_GLOBAL, _LOCAL = "GlobalSecondaryIndexes", "LocalSecondaryIndexes"
_KINDS: tuple[tuple[IndexKind, str], ...] = (("LOCAL", _LOCAL), ("GLOBAL", _GLOBAL))


async def run(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Create the table and answer with its description."""
    name = _name(context, request["TableName"])
    _check(request)
    tags = tag_specification.new_tags(request.get("Tags", ()))
    return await until_current(lambda: _create(context, request, name, tags))


async def _create(
    context: Context, request: dict[str, Any], name: str, tags: dict[str, str]
) -> dict[str, Any]:
    """Create the table; StaleTable where the ARN of its stream is taken meanwhile."""
    tables, now_ms = context.tables, context.tables.clock.now_ms()
    descriptor = _descriptor(context, request, name, now_ms)
    indexes = _indexes(request, descriptor, now_ms)
    streamed = request.get("StreamSpecification", {}).get("StreamEnabled", False)
    if streamed:
        check_local_indexes(indexes, context.services.lsi_stream_rule)
    tables.read(lambda reader: catalog.check_free(reader, context.region, name, now_ms))
    number, *numbers = await tables.next_numbers(1 + len(indexes))
    indexes = [replace(each, number=n) for each, n in zip(indexes, numbers, strict=True)]
    descriptor = replace(descriptor, number=number, indexes=indexes)
    stream: Stream | None = None
    if streamed:
        stream = await new_stream(
            context, descriptor, request["StreamSpecification"]["StreamViewType"]
        )
        descriptor = catalog.with_stream(descriptor, stream)
    shown, stored = entering(descriptor, "CREATING", now_ms, context.services.table_delay_ms)
    table = catalog.table_of(stored)
    await tables.engine.transact(
        lambda txn: catalog.create_table(txn, table, stream, tags), locks=table.locks
    )
    return {"TableDescription": description.table_description(shown, now_ms)}


async def new_stream(context: Context, descriptor: Descriptor, view_type: Any) -> Stream:
    """Return a stream for the table, enabled now; it is not stored yet.

    A label is the time of enabling to the millisecond. Where that is taken, by a clock that stood
    still or stepped back, the next free one serves.
    """
    number = await context.tables.next_number()
    enabled_ms = context.tables.clock.now_ms()
    while True:
        stream = make_stream(
            number,
            descriptor.arn,
            descriptor.name,
            view_type,
            description.key_schema(descriptor),
            enabled_ms,
        )
        if context.tables.read(partial(find_stream, arn=stream.arn)) is None:
            return stream
        enabled_ms += 1


def _name(context: Context, given: str) -> str:
    """Return the new table's name; ValidationException where it is too short or too long."""
    name = members.table_name(context, given, dynamodb.table_not_found)
    failures = Failures()
    _PLAIN_NAME.read(name, "tableName", failures)
    failures.raise_any()
    return name


def _check(request: dict[str, Any]) -> None:
    """Raise ValidationException where the request's parts do not make a table.

    In AWS's order: 1. throughput, 2. what is defined, and the table's key, 3. local and global
    indexes, 4. whether just what is used is defined, 5. the stream.
    """
    mode = request.get("BillingMode", "PROVISIONED")
    units = request.get("ProvisionedThroughput")
    throughput_specification.check_table_units(mode, units)  # 1
    throughput_specification.provisioned(units)
    keys, definitions = request["KeySchema"], request["AttributeDefinitions"]
    key_schema.check_definitions(definitions)  # 2
    key_schema.check_pair(keys)
    types = key_schema.types_of(definitions)
    if _LOCAL not in request and _GLOBAL not in request:
        _check_plain_definitions(definitions, key_schema.names_of(keys))
    else:
        key_schema.check_table_defined(key_schema.names_of(keys), types)
    if _LOCAL in request:  # 3
        index_specification.check_local(request[_LOCAL], keys, types)
    if _GLOBAL in request:
        index_specification.check_global(request[_GLOBAL], mode, types)
    given = [*request.get(_LOCAL, ()), *request.get(_GLOBAL, ())]
    index_specification.check_names([index["IndexName"] for index in given])
    index_specification.check_projected(
        sum(len(index["Projection"].get("NonKeyAttributes", ())) for index in given)
    )
    names = [
        name
        for each in (keys, *(index["KeySchema"] for index in given))
        for name in key_schema.names_of(each)
    ]
    key_schema.check_used(definitions, names)  # 4
    check_create(request.get("StreamSpecification"))  # 5
    if request.get("SSESpecification", {}) not in ({}, {"Enabled": False}):
        raise dynamodb.not_yet("encryption with a key (SSESpecification)")


def _check_plain_definitions(definitions: list[dict[str, Any]], names: list[str]) -> None:
    """Raise ValidationException unless just the key of a table without indexes is defined.

    Texts: AWS, as quoted in cfn-lint issue 1037 and moto pull 4428.
    """
    if len(definitions) > len(names):
        raise dynamodb.parameter_values_invalid(
            "Number of attributes in KeySchema does not exactly match number of attributes defined"
            " in AttributeDefinitions"
        )
    if len(definitions) < len(names):
        raise dynamodb.validation("Invalid KeySchema: Some index key attribute have no definition")
    key_schema.check_defined(names, key_schema.types_of(definitions))


def _descriptor(context: Context, request: dict[str, Any], name: str, now_ms: int) -> Descriptor:
    """Return the table without its number, indexes and stream."""
    types = key_schema.types_of(request["AttributeDefinitions"])
    keys = key_schema.key_schema_of(request["KeySchema"], types)
    mode = request.get("BillingMode", "PROVISIONED")
    units = throughput_specification.provisioned(request.get("ProvisionedThroughput"))
    return Descriptor(
        name=name,
        region=context.region,
        number=0,
        id=context.tables.entropy.uuid(),
        arn=context.arn_prefix + name,
        created_ms=now_ms,
        partition_key=keys.partition[0],
        sort_key=keys.sort[0] if keys.sort else None,
        partitions=even_partitions(context.services.shards_per_table),
        billing_mode=mode,
        read_units=units.read,
        write_units=units.write,
        table_class=request.get("TableClass"),
        deletion_protection=request.get("DeletionProtectionEnabled", False),
        on_demand_since_ms=now_ms if mode == "PAY_PER_REQUEST" else 0,
        maxima=throughput_specification.new_maxima(request.get("OnDemandThroughput"), mode),
        warm=throughput_specification.warmth(
            request.get("WarmThroughput"), throughput_specification.base_warmth(mode, units)
        ),
    )


def _indexes(request: dict[str, Any], descriptor: Descriptor, now_ms: int) -> list[IndexDescriptor]:
    """Return the table's indexes without their numbers, local ones first."""
    types = key_schema.types_of(request["AttributeDefinitions"])
    return [
        index_specification.index_descriptor(given, kind, descriptor, types, now_ms)
        for kind, member in _KINDS
        for given in request.get(member, ())
    ]
