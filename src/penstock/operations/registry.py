"""The actions that the server answers, by the value of `X-Amz-Target` that names them."""

from types import ModuleType

from penstock.operations import dynamodb, dynamodb_streams
from penstock.operations.aws_lambda import (
    add_permission,
    create_alias,
    create_event_source_mapping,
    create_function,
    delete_alias,
    delete_event_source_mapping,
    delete_function,
    delete_function_concurrency,
    delete_function_event_invoke_config,
    download_code,
    get_account_settings,
    get_alias,
    get_event_source_mapping,
    get_function,
    get_function_code_signing_config,
    get_function_concurrency,
    get_function_configuration,
    get_function_event_invoke_config,
    get_policy,
    invoke,
    list_aliases,
    list_event_source_mappings,
    list_function_event_invoke_configs,
    list_functions,
    list_tags,
    list_versions_by_function,
    publish_version,
    put_function_concurrency,
    put_function_event_invoke_config,
    remove_permission,
    update_alias,
    update_event_source_mapping,
    update_function_code,
    update_function_configuration,
    update_function_event_invoke_config,
)
from penstock.operations.aws_lambda import (
    tag_resource as lambda_tag_resource,
)
from penstock.operations.aws_lambda import (
    untag_resource as lambda_untag_resource,
)
from penstock.operations.aws_lambda.absent import ABSENT
from penstock.operations.cloudwatch_logs import (
    create_log_group,
    create_log_stream,
    delete_log_group,
    delete_log_stream,
    delete_retention_policy,
    describe_log_groups,
    describe_log_streams,
    filter_log_events,
    get_log_events,
    put_log_events,
    put_retention_policy,
)
from penstock.operations.cloudwatch_logs.logs_operation import LogsOperation
from penstock.operations.control import (
    clear_faults,
    drain,
    expire_iterators,
    list_faults,
    list_readers,
    move_clock,
    put_fault,
    roll_shards,
    split_shard,
    trim_shards,
)
from penstock.operations.dynamodb import (
    batch_execute_statement,
    batch_get_item,
    batch_write_item,
    create_table,
    delete_item,
    delete_table,
    describe_endpoints,
    describe_limits,
    describe_table,
    describe_time_to_live,
    execute_statement,
    execute_transaction,
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
from penstock.operations.operation import ControlOperation, Operation, Services
from penstock.operations.rest import AbsentOperation, RestOperation

ACTIONS: dict[str, dict[str, ModuleType]] = {
    dynamodb.TARGET: {
        "BatchExecuteStatement": batch_execute_statement,
        "BatchGetItem": batch_get_item,
        "BatchWriteItem": batch_write_item,
        "CreateTable": create_table,
        "DeleteItem": delete_item,
        "DeleteTable": delete_table,
        "DescribeEndpoints": describe_endpoints,
        "DescribeLimits": describe_limits,
        "DescribeTable": describe_table,
        "DescribeTimeToLive": describe_time_to_live,
        "ExecuteStatement": execute_statement,
        "ExecuteTransaction": execute_transaction,
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

REST_ACTIONS: dict[str, ModuleType] = {
    "AddPermission": add_permission,
    "CreateAlias": create_alias,
    "CreateEventSourceMapping": create_event_source_mapping,
    "CreateFunction": create_function,
    "DeleteAlias": delete_alias,
    "DeleteEventSourceMapping": delete_event_source_mapping,
    "DeleteFunction": delete_function,
    "DeleteFunctionConcurrency": delete_function_concurrency,
    "DeleteFunctionEventInvokeConfig": delete_function_event_invoke_config,
    "GetAccountSettings": get_account_settings,
    "GetAlias": get_alias,
    "GetEventSourceMapping": get_event_source_mapping,
    "GetFunction": get_function,
    "GetFunctionCodeSigningConfig": get_function_code_signing_config,
    "GetFunctionConcurrency": get_function_concurrency,
    "GetFunctionConfiguration": get_function_configuration,
    "GetFunctionEventInvokeConfig": get_function_event_invoke_config,
    "GetPolicy": get_policy,
    "Invoke": invoke,
    "ListAliases": list_aliases,
    "ListEventSourceMappings": list_event_source_mappings,
    "ListFunctionEventInvokeConfigs": list_function_event_invoke_configs,
    "ListFunctions": list_functions,
    "ListTags": list_tags,
    "ListVersionsByFunction": list_versions_by_function,
    "PublishVersion": publish_version,
    "PutFunctionConcurrency": put_function_concurrency,
    "PutFunctionEventInvokeConfig": put_function_event_invoke_config,
    "RemovePermission": remove_permission,
    "TagResource": lambda_tag_resource,
    "UntagResource": lambda_untag_resource,
    "UpdateAlias": update_alias,
    "UpdateEventSourceMapping": update_event_source_mapping,
    "UpdateFunctionCode": update_function_code,
    "UpdateFunctionConfiguration": update_function_configuration,
    "UpdateFunctionEventInvokeConfig": update_function_event_invoke_config,
}
"""The actions of Lambda; the module of each says at which path it is found."""

LOG_ACTIONS: dict[str, ModuleType] = {
    "CreateLogGroup": create_log_group,
    "CreateLogStream": create_log_stream,
    "DeleteLogGroup": delete_log_group,
    "DeleteLogStream": delete_log_stream,
    "DeleteRetentionPolicy": delete_retention_policy,
    "DescribeLogGroups": describe_log_groups,
    "DescribeLogStreams": describe_log_streams,
    "FilterLogEvents": filter_log_events,
    "GetLogEvents": get_log_events,
    "PutLogEvents": put_log_events,
    "PutRetentionPolicy": put_retention_policy,
}
"""The actions of CloudWatch Logs, by their names."""

CONTROLS: dict[str, ModuleType] = {
    "ClearFaults": clear_faults,
    "Drain": drain,
    "ExpireIterators": expire_iterators,
    "ListFaults": list_faults,
    "ListReaders": list_readers,
    "MoveClock": move_clock,
    "PutFault": put_fault,
    "RollShards": roll_shards,
    "SplitShard": split_shard,
    "TrimShards": trim_shards,
}
"""The actions of the test controls, by the last part of their path."""


def operations(services: Services) -> dict[str, Operation]:
    """Return every action of the server by its whole `X-Amz-Target` value."""
    return {
        target + name: Operation(services, module.SHAPE, module.run)
        for target, modules in ACTIONS.items()
        for name, module in modules.items()
    }


def rest_operations(services: Services) -> list[RestOperation | AbsentOperation]:
    """Return every REST action of the server, and what refuses those that it does not have."""
    return [
        *(
            RestOperation(services, name, module.ROUTE, module.SHAPE, module.run)
            for name, module in REST_ACTIONS.items()
        ),
        RestOperation(
            services, "DownloadCode", download_code.ROUTE, download_code.SHAPE, download_code.run
        ),
        *(AbsentOperation(name, route) for name, route in ABSENT.items()),
    ]


def log_operations(services: Services) -> dict[str, LogsOperation]:
    """Return every action of CloudWatch Logs by its name."""
    return {
        name: LogsOperation(services, module.SHAPE, module.run)
        for name, module in LOG_ACTIONS.items()
    }


def control_operations(services: Services) -> dict[str, Operation]:
    """Return every test control by its name; none where the server was started without them."""
    if services.controls is None:
        return {}
    return {
        name: ControlOperation(services, module.SHAPE, module.run)
        for name, module in CONTROLS.items()
    }
