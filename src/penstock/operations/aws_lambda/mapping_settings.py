"""The settings of an event source mapping: from a request to what is stored, and back.

Facts: AWS documentation and recorded snapshots, 2026-11. A member that a request leaves out is left
as it is; an empty FilterCriteria, DestinationConfig, FunctionResponseTypes or MetricsConfig clears.
"""

from typing import Any

import msgspec

from penstock.base import limits
from penstock.base.errors import event_source_mappings as errors
from penstock.functions.destination import BadDestination, Endpoints, parse_destination
from penstock.functions.filters import BadPattern, compile_filters
from penstock.functions.mapping import Mapping

_AS_THEY_ARE = {
    "Enabled": "enabled",
    "BatchSize": "batch_size",
    "MaximumBatchingWindowInSeconds": "batching_window_seconds",
    "ParallelizationFactor": "parallelization_factor",
    "MaximumRecordAgeInSeconds": "record_age_seconds_max",
    "MaximumRetryAttempts": "retry_attempts_max",
    "BisectBatchOnFunctionError": "bisects",
    "TumblingWindowInSeconds": "tumbling_window_seconds",
}


def settings_of(request: dict[str, Any], endpoints: Endpoints) -> dict[str, Any]:
    """Return what a request sets, by the names of Mapping's fields.

    Raises InvalidParameterValueException for what no mapping of a stream of DynamoDB can have.
    """
    settings = {field: request[name] for name, field in _AS_THEY_ARE.items() if name in request}
    _check_record_age(settings.get("record_age_seconds_max", -1))
    if "FunctionResponseTypes" in request:
        settings["reports_item_failures"] = bool(request["FunctionResponseTypes"])
    if "FilterCriteria" in request:
        settings["patterns"] = _patterns(request["FilterCriteria"])
    if "MetricsConfig" in request:
        settings["counts_events"] = _counts_events(request["MetricsConfig"])
    if "DestinationConfig" in request:
        settings["failure_destination"] = _destination(request["DestinationConfig"], endpoints)
    if request.get("KMSKeyArn"):
        raise errors.encryption_unsupported()
    return settings


def check_together(mapping: Mapping) -> Mapping:
    """Return the mapping; InvalidParameterValueException where its settings exclude each other."""
    if mapping.tumbling_window_seconds and mapping.parallelization_factor > 1:
        raise errors.windows_in_parallel()
    return mapping


def with_settings(mapping: Mapping, settings: dict[str, Any]) -> Mapping:
    """Return the mapping with other settings."""
    return check_together(msgspec.structs.replace(mapping, **settings))


def shown(mapping: Mapping, last_result: str) -> dict[str, Any]:
    """Return the mapping as EventSourceMappingConfiguration shows it."""
    destination = mapping.failure_destination
    configuration = {
        "UUID": mapping.uuid,
        "EventSourceMappingArn": mapping.arn,
        "EventSourceArn": mapping.source_arn,
        "FunctionArn": mapping.function_arn,
        "StartingPosition": mapping.starting_position,
        "BatchSize": mapping.batch_size,
        "MaximumBatchingWindowInSeconds": mapping.batching_window_seconds,
        "ParallelizationFactor": mapping.parallelization_factor,
        "MaximumRecordAgeInSeconds": mapping.record_age_seconds_max,
        "MaximumRetryAttempts": mapping.retry_attempts_max,
        "BisectBatchOnFunctionError": mapping.bisects,
        "TumblingWindowInSeconds": mapping.tumbling_window_seconds,
        "FunctionResponseTypes": ["ReportBatchItemFailures"] * mapping.reports_item_failures,
        "DestinationConfig": {"OnFailure": {"Destination": destination} if destination else {}},
        "State": mapping.state,
        "StateTransitionReason": mapping.state_reason,
        "LastModified": mapping.modified_ms / 1000,
        "LastProcessingResult": last_result,
    }
    if mapping.patterns:
        filters = [{"Pattern": pattern} for pattern in mapping.patterns]
        configuration["FilterCriteria"] = {"Filters": filters}
    if mapping.counts_events:
        configuration["MetricsConfig"] = {"Metrics": ["EventCount"]}
    return configuration


def _check_record_age(seconds: int) -> None:
    """Raise InvalidParameterValueException for an age that the model alone allows."""
    low, high = limits.mapping_record_age_seconds_min, limits.mapping_record_age_seconds_max
    if seconds != -1 and seconds < low:
        raise errors.record_age_out_of_range(low, high)


def _patterns(criteria: dict[str, Any]) -> tuple[str, ...]:
    """Return the patterns of FilterCriteria; InvalidParameterValueException for what is none."""
    filters = criteria.get("Filters", [])
    if len(filters) > limits.mapping_filters_max:
        raise errors.too_many_filters(limits.mapping_filters_max)
    if not all("Pattern" in each for each in filters):
        raise errors.invalid_pattern()
    patterns = tuple(each["Pattern"] for each in filters)
    try:
        compile_filters(patterns)
    except BadPattern:
        raise errors.invalid_pattern() from None
    return patterns


def _counts_events(config: dict[str, Any]) -> bool:
    """Say whether MetricsConfig asks for the count of events, which is all that streams have."""
    metrics = config.get("Metrics", [])
    for metric in metrics:
        if metric != "EventCount":
            raise errors.metric_unsupported(metric)
    return bool(metrics)


def _destination(config: dict[str, Any], endpoints: Endpoints) -> str | None:
    """Return where DestinationConfig wants failures told, or None."""
    if config.get("OnSuccess", {}).get("Destination"):
        raise errors.unsupported_parameter("DestinationConfig")
    text: str = config.get("OnFailure", {}).get("Destination", "")
    if not text:
        return None
    try:
        refusal = endpoints.refusal(parse_destination(text))
    except BadDestination as error:
        refusal = str(error)
    if refusal is not None:
        raise errors.invalid_destination(text, refusal)
    return text
