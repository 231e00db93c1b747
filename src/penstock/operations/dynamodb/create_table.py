"""CreateTable: make a table, and its stream where one is asked for.

The table can be used as soon as this answers; the answer says CREATING as AWS's does.
"""

from functools import partial
from typing import Any

from penstock.base import limits
from penstock.base.errors import dynamodb
from penstock.items.keys import KeyAttribute
from penstock.operations.dynamodb import members
from penstock.operations.dynamodb.stream_specification import STREAM_SPECIFICATION, check_create
from penstock.operations.dynamodb.table_description import key_schema, table_description
from penstock.operations.operation import Context
from penstock.streams.stream import Stream, find_stream, make_stream
from penstock.tables import catalog
from penstock.tables.count import Count
from penstock.tables.descriptor import Descriptor, even_partitions
from penstock.wire.shapes import (
    Boolean,
    Integer,
    ListOf,
    String,
    Structure,
    demanded,
    later,
    required,
)

_ANY = Structure("Unsupported")
_UNITS = Integer(low=1, java_type="Long")

SHAPE = Structure(
    "CreateTableInput",
    AttributeDefinitions=required(
        ListOf(
            Structure(
                "AttributeDefinition",
                AttributeName=required(String(1, limits.key_attribute_name_bytes_max)),
                AttributeType=required(String(values=("B", "N", "S"))),
            )
        )
    ),
    TableName=demanded(
        String(
            limits.table_name_chars_min,
            limits.table_arn_chars_max,
            members.NAME_PATTERN,
            spared="arn:",
        )
    ),
    KeySchema=required(
        ListOf(
            Structure(
                "KeySchemaElement",
                AttributeName=required(String(1, limits.key_attribute_name_bytes_max)),
                KeyType=required(String(values=("HASH", "RANGE"))),
            ),
            low=1,
            high=2,
        )
    ),
    BillingMode=String(values=("PROVISIONED", "PAY_PER_REQUEST")),
    ProvisionedThroughput=Structure(
        "ProvisionedThroughput",
        ReadCapacityUnits=required(_UNITS),
        WriteCapacityUnits=required(_UNITS),
    ),
    StreamSpecification=STREAM_SPECIFICATION,
    TableClass=String(values=("STANDARD", "STANDARD_INFREQUENT_ACCESS")),
    DeletionProtectionEnabled=Boolean(),
    SSESpecification=Structure(
        "SSESpecification",
        Enabled=Boolean(),
        SSEType=String(values=("AES256", "KMS")),
        KMSMasterKeyId=String(),
    ),
    LocalSecondaryIndexes=later("a local secondary index (LocalSecondaryIndexes)", ListOf(_ANY)),
    GlobalSecondaryIndexes=later("a global secondary index (GlobalSecondaryIndexes)", ListOf(_ANY)),
    VectorIndexes=later("a vector index (VectorIndexes)", ListOf(_ANY)),
    Tags=later("tagging a table (Tags)", ListOf(_ANY)),
    WarmThroughput=later("WarmThroughput", _ANY),
    OnDemandThroughput=later("OnDemandThroughput", _ANY),
    ResourcePolicy=later("ResourcePolicy", String()),
    GlobalTableSourceArn=later("GlobalTableSourceArn", String()),
    GlobalTableSettingsReplicationMode=later("GlobalTableSettingsReplicationMode", String()),
)


async def run(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Create the table and answer with its description."""
    name = _name(context, request["TableName"])
    keys = _keys(request)
    read_units, write_units = _throughput(request)
    check_create(request.get("StreamSpecification"))
    if request.get("SSESpecification", {}) not in ({}, {"Enabled": False}):
        raise dynamodb.not_yet("encryption with a key (SSESpecification)")
    tables = context.tables
    now_ms = tables.clock.now_ms()
    tables.read(lambda reader: catalog.check_free(reader, context.region, name, now_ms))
    descriptor = Descriptor(
        name=name,
        region=context.region,
        number=await tables.next_number(),
        id=tables.entropy.uuid(),
        arn=context.arn_prefix + name,
        created_ms=tables.clock.now_ms(),
        partition_key=keys[0],
        sort_key=keys[1] if len(keys) > 1 else None,
        partitions=even_partitions(context.services.shards_per_table),
        billing_mode=request.get("BillingMode", "PROVISIONED"),
        read_units=read_units,
        write_units=write_units,
        table_class=request.get("TableClass"),
        deletion_protection=request.get("DeletionProtectionEnabled", False),
    )
    stream: Stream | None = None
    if request.get("StreamSpecification", {}).get("StreamEnabled"):
        stream = await new_stream(
            context, descriptor, request["StreamSpecification"]["StreamViewType"]
        )
        descriptor = catalog.with_stream(descriptor, stream)
    table = catalog.table_of(descriptor)
    await tables.engine.transact(
        lambda txn: catalog.create_table(txn, table, stream), locks=table.locks
    )
    return {"TableDescription": table_description(descriptor, "CREATING", Count(0, 0))}


async def new_stream(context: Context, descriptor: Descriptor, view_type: Any) -> Stream:
    """Return a stream for the table, enabled now; it is not stored yet.

    A label is the time of enabling to the millisecond. Where that is taken, by a clock that stood
    still or stepped back, the next free one serves.
    """
    number = await context.tables.next_number()
    enabled_ms = context.tables.clock.now_ms()
    while True:
        stream = make_stream(
            number, descriptor.arn, descriptor.name, view_type, key_schema(descriptor), enabled_ms
        )
        if context.tables.read(partial(find_stream, arn=stream.arn)) is None:
            return stream
        enabled_ms += 1


def _name(context: Context, given: str) -> str:
    """Return the new table's name; ValidationException where it is too long (or an ARN's is)."""
    name = members.table_name(context, given, dynamodb.table_not_found)
    if len(name) > limits.table_name_chars_max:
        raise dynamodb.validation(
            f"1 validation error detected: Value '{name}' at 'tableName' failed to satisfy"
            " constraint: Member must have length less than or equal to"
            f" {limits.table_name_chars_max}"
        )
    return name


def _keys(request: dict[str, Any]) -> list[KeyAttribute]:
    """Return the key attributes, partition key first; ValidationException for an unsound schema."""
    schema = [(key["AttributeName"], key["KeyType"]) for key in request["KeySchema"]]
    if schema[0][1] != "HASH":
        raise dynamodb.parameter_values_invalid(
            "Invalid KeySchema: The first KeySchemaElement is not a HASH key type"
        )
    if len(schema) > 1 and schema[1][1] != "RANGE":
        raise dynamodb.parameter_values_invalid(
            "Invalid KeySchema: The second KeySchemaElement is not a RANGE key type"
        )
    names = [name for name, _ in schema]
    if len(set(names)) < len(names):
        raise dynamodb.validation(
            "Both the Hash Key and the Range Key element in the KeySchema have the same name"
        )
    return [KeyAttribute(name, kind) for name, kind in _types(request, names).items()]


def _types(request: dict[str, Any], names: list[str]) -> dict[str, Any]:
    """Return the type of each of `names` as the AttributeDefinitions give them, and no others.

    Texts: AWS without secondary indexes, as quoted in cfn-lint issue 1037 and moto pull 4428.
    """
    definitions = request["AttributeDefinitions"]
    types = {given["AttributeName"]: given["AttributeType"] for given in definitions}
    if len(definitions) > len(names):
        raise dynamodb.parameter_values_invalid(
            "Number of attributes in KeySchema does not exactly match number of attributes defined"
            " in AttributeDefinitions"
        )
    if len(definitions) < len(names):
        raise dynamodb.validation("Invalid KeySchema: Some index key attribute have no definition")
    if any(name not in types for name in names):
        raise dynamodb.parameter_values_invalid(
            "Some index key attributes are not defined in AttributeDefinitions. Keys:"
            f" [{', '.join(names)}], AttributeDefinitions: [{', '.join(types)}]"
        )
    return {name: types[name] for name in names}


def _throughput(request: dict[str, Any]) -> tuple[int, int]:
    """Return read and write units; ValidationException where the billing mode forbids them."""
    given = request.get("ProvisionedThroughput")
    if request.get("BillingMode") == "PAY_PER_REQUEST":
        if given is not None:
            raise dynamodb.parameter_values_invalid(
                "Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when"
                " BillingMode is PAY_PER_REQUEST"
            )
        return 0, 0
    if given is None:
        raise dynamodb.parameter_values_invalid(
            "ReadCapacityUnits and WriteCapacityUnits must both be specified when BillingMode is"
            " PROVISIONED"
        )
    for name, units in given.items():
        if units > limits.capacity_units_max:
            raise dynamodb.validation(f"Given value {units} for {name} is out of bounds")
    return given["ReadCapacityUnits"], given["WriteCapacityUnits"]
