"""The actions that the server answers, by the value of `X-Amz-Target` that names them."""

from types import ModuleType

from penstock.operations import dynamodb, dynamodb_streams
from penstock.operations.dynamodb import (
    batch_get_item,
    batch_write_item,
    create_table,
    delete_item,
    delete_table,
    describe_endpoints,
    describe_limits,
    describe_table,
    describe_time_to_live,
    get_item,
    list_tables,
    list_tags_of_resource,
    put_item,
    query,
    scan,
    tag_resource,
    transact_get_items,
    transact_write_items,
    untag_resource,
    update_item,
    update_table,
    update_time_to_live,
)
from penstock.operations.dynamodb_streams import (
    describe_stream,
    get_records,
    get_shard_iterator,
    list_streams,
)
from penstock.operations.operation import ComingOperation, Operation, Services

ACTIONS: dict[str, dict[str, ModuleType]] = {
    dynamodb.TARGET: {
        "BatchGetItem": batch_get_item,
        "BatchWriteItem": batch_write_item,
        "CreateTable": create_table,
        "DeleteItem": delete_item,
        "DeleteTable": delete_table,
        "DescribeEndpoints": describe_endpoints,
        "DescribeLimits": describe_limits,
        "DescribeTable": describe_table,
        "DescribeTimeToLive": describe_time_to_live,
        "GetItem": get_item,
        "ListTables": list_tables,
        "ListTagsOfResource": list_tags_of_resource,
        "PutItem": put_item,
        "Query": query,
        "Scan": scan,
        "TagResource": tag_resource,
        "TransactGetItems": transact_get_items,
        "TransactWriteItems": transact_write_items,
        "UntagResource": untag_resource,
        "UpdateItem": update_item,
        "UpdateTable": update_table,
        "UpdateTimeToLive": update_time_to_live,
    },
    dynamodb_streams.TARGET: {
        "DescribeStream": describe_stream,
        "GetRecords": get_records,
        "GetShardIterator": get_shard_iterator,
        "ListStreams": list_streams,
    },
}

COMING: dict[str, tuple[str, ...]] = {
    dynamodb.TARGET: (
        "BatchExecuteStatement",
        "ExecuteStatement",
        "ExecuteTransaction",
    ),
}
"""Actions of a later release: they are refused by name, and not as unknown ones."""


def operations(services: Services) -> dict[str, Operation | ComingOperation]:
    """Return every action of the server by its whole `X-Amz-Target` value."""
    coming = {target + name: ComingOperation(name) for target in COMING for name in COMING[target]}
    return coming | {
        target + name: Operation(services, module.SHAPE, module.run)
        for target, modules in ACTIONS.items()
        for name, module in modules.items()
    }
