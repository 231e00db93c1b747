"""Shapes of the parameters of event source mappings.

Limits and patterns: botocore 1.43 model, 2026-11.
"""

from typing import Any

from penstock.base import limits
from penstock.base.errors import event_source_mappings as errors
from penstock.operations.aws_lambda.members import lacking
from penstock.wire.shapes import Boolean, Integer, ListOf, Shape, String, Structure

UUID = String(36, 36)

_REGION = r"(eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}"
_ARN = rf"arn:(aws[a-zA-Z0-9-]*):([a-zA-Z0-9\-])+:({_REGION})?:(\d{{12}})?:(.*)"
# Regions may have other names here than on AWS: what is spared is judged later.
SOURCE_ARN = String(
    0,
    limits.source_arn_chars_max,
    pattern=_ARN,
    spared="arn:aws:dynamodb:",
    empty_is_matched=True,  # AWS, 2019, as quoted in a public issue
)
FUNCTION_NAME = String(
    1,
    limits.function_long_arn_chars_max,
    pattern=rf"(arn:(aws[a-zA-Z-]*)?:lambda:)?({_REGION}:)?(\d{{12}}:)?(function:)?"
    r"([a-zA-Z0-9-_\.]+)(:(\$LATEST(\.PUBLISHED)?|[a-zA-Z0-9-_]+))?",
    spared="arn:aws:lambda:",
)
STARTING_POSITION = String(values=("TRIM_HORIZON", "LATEST", "AT_TIMESTAMP"))
_DESTINATION = Structure(
    "Destination",
    Destination=String(
        0,
        limits.destination_chars_max,
        pattern=rf"$|kafka://([^.]([a-zA-Z0-9\-_.]{{0,248}}))|{_ARN}",
        spared="file://",
    ),
)
SETTINGS: dict[str, Shape] = {
    "Enabled": Boolean(),
    "BatchSize": Integer(1, limits.mapping_batch_records_max),
    "FilterCriteria": Structure(
        "FilterCriteria",
        Filters=ListOf(Structure("Filter", Pattern=String(0, limits.filter_pattern_chars_max))),
    ),
    "KMSKeyArn": String(
        0, limits.source_arn_chars_max, pattern=r"(arn:(aws[a-zA-Z-]*)?:[a-z0-9-.]+:.*)|()"
    ),
    "MetricsConfig": Structure(
        "EventSourceMappingMetricsConfig",
        Metrics=ListOf(
            String(values=("EventCount", "ErrorCount", "KafkaMetrics")),
            0,
            limits.mapping_metrics_max,
        ),
    ),
    "MaximumBatchingWindowInSeconds": Integer(0, limits.mapping_batch_window_seconds_max),
    "ParallelizationFactor": Integer(1, limits.mapping_lanes_max),
    "DestinationConfig": Structure(
        "DestinationConfig", OnSuccess=_DESTINATION, OnFailure=_DESTINATION
    ),
    "MaximumRecordAgeInSeconds": Integer(-1, limits.mapping_record_age_seconds_max),
    "BisectBatchOnFunctionError": Boolean(),
    "MaximumRetryAttempts": Integer(-1, limits.mapping_retries_max),
    "TumblingWindowInSeconds": Integer(0, limits.mapping_tumbling_window_seconds_max),
    "FunctionResponseTypes": ListOf(String(values=("ReportBatchItemFailures",)), 0, 1),
}
"""What Create and Update both set, by its name."""


FOREIGN = lacking(
    "AmazonManagedKafkaEventSourceConfig",
    "DocumentDBEventSourceConfig",
    "LoggingConfig",
    "ProvisionedPollerConfig",
    "ScalingConfig",
    "SelfManagedKafkaEventSourceConfig",
    "SourceAccessConfigurations",
)
"""What neither Create nor Update can set of a stream of DynamoDB."""

FOREIGN_AT_FIRST = FOREIGN | lacking(
    "Queues", "SelfManagedEventSource", "StartingPositionTimestamp", "Topics"
)
"""The same of Create, which has more of them."""


def refuse_foreign(request: dict[str, Any]) -> None:
    """Raise InvalidParameterValueException for a parameter of sources of another kind."""
    for name in request:
        if name in FOREIGN_AT_FIRST:
            raise errors.unsupported_parameter(name)
