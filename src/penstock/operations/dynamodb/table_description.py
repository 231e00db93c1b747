"""TableDescription: how a table is shown.

Facts: AWS, 2026-10: an on-demand table shows zero units and its billing mode; WarmThroughput is
shown only after creation; a table without a stream shows no StreamSpecification, while the latest
stream's ARN and label stay.
"""

from typing import Any

from penstock.base import limits
from penstock.tables.count import Count
from penstock.tables.descriptor import Descriptor


def key_schema(descriptor: Descriptor) -> list[dict[str, str]]:
    """Return the table's KeySchema."""
    schema = [{"AttributeName": descriptor.partition_key.name, "KeyType": "HASH"}]
    if descriptor.sort_key is not None:
        schema.append({"AttributeName": descriptor.sort_key.name, "KeyType": "RANGE"})
    return schema


def table_description(descriptor: Descriptor, status: str, count: Count) -> dict[str, Any]:
    """Return the TableDescription of a table in `status` that holds `count`."""
    description: dict[str, Any] = {
        "AttributeDefinitions": _attribute_definitions(descriptor),
        "TableName": descriptor.name,
        "KeySchema": key_schema(descriptor),
        "TableStatus": status,
        "CreationDateTime": descriptor.created_ms / 1000,
        "ProvisionedThroughput": {
            "NumberOfDecreasesToday": 0,
            "ReadCapacityUnits": descriptor.read_units,
            "WriteCapacityUnits": descriptor.write_units,
        },
        "TableSizeBytes": count.size,
        "ItemCount": count.items,
        "TableArn": descriptor.arn,
        "TableId": descriptor.id,
        "DeletionProtectionEnabled": descriptor.deletion_protection,
    }
    if status != "CREATING":
        description["WarmThroughput"] = _warm_throughput(descriptor)
    return description | _billing(descriptor) | _class(descriptor) | _stream(descriptor)


def _attribute_definitions(descriptor: Descriptor) -> list[dict[str, str]]:
    keys = (descriptor.partition_key, descriptor.sort_key)
    return [
        {"AttributeName": key.name, "AttributeType": key.type} for key in keys if key is not None
    ]


def _billing(descriptor: Descriptor) -> dict[str, Any]:
    if descriptor.billing_mode == "PROVISIONED":
        return {}
    summary: dict[str, Any] = {"BillingMode": descriptor.billing_mode}
    return {"BillingModeSummary": summary | _on_demand_since(descriptor)}


def _on_demand_since(descriptor: Descriptor) -> dict[str, Any]:
    return {"LastUpdateToPayPerRequestDateTime": descriptor.created_ms / 1000}


def _class(descriptor: Descriptor) -> dict[str, Any]:
    if descriptor.table_class is None:
        return {}
    return {"TableClassSummary": {"TableClass": descriptor.table_class}}


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


def _warm_throughput(descriptor: Descriptor) -> dict[str, Any]:
    on_demand = descriptor.billing_mode == "PAY_PER_REQUEST"
    reads = limits.on_demand_warm_read_units if on_demand else descriptor.read_units
    writes = limits.on_demand_warm_write_units if on_demand else descriptor.write_units
    return {"ReadUnitsPerSecond": reads, "Status": "ACTIVE", "WriteUnitsPerSecond": writes}
