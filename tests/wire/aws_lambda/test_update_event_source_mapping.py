"""UpdateEventSourceMapping: what it changes, what it keeps, and what it refuses."""

from collections.abc import Callable
from typing import Any

import pytest

from wire.aws_lambda.conftest import Ground
from wire.aws_lambda.mapping_requests import (
    UNKNOWN_ID,
    answer_without_metadata,
    function_arn,
    settled,
)

PATH = "/2015-03-31/event-source-mappings"
INVALID = "InvalidParameterValueException"
PATTERN = '{"eventName":["INSERT"]}'
FILE = "file:///var/failed.jsonl"
FULL: dict[str, Any] = {
    "BatchSize": 10,
    "MaximumBatchingWindowInSeconds": 2,
    "ParallelizationFactor": 3,
    "MaximumRecordAgeInSeconds": 60,
    "MaximumRetryAttempts": 4,
    "BisectBatchOnFunctionError": True,
    "FunctionResponseTypes": ["ReportBatchItemFailures"],
    "FilterCriteria": {"Filters": [{"Pattern": PATTERN}]},
    "DestinationConfig": {"OnFailure": {"Destination": FILE}},
    "MetricsConfig": {"Metrics": ["EventCount"]},
}


@pytest.mark.parametrize("members", [{"BatchSize": "x"}, {"Enabled": 1}, {"FilterCriteria": 1}])
def test_members_of_another_type(rest: Callable[..., Any], members: dict[str, Any]) -> None:
    answer = rest("PUT", f"{PATH}/{UNKNOWN_ID}", members)
    assert answer.status == 400
    assert answer.headers["x-amzn-errortype"] == "SerializationException"


REFUSED: list[tuple[dict[str, Any], str, str]] = [
    ({"BatchSize": 0}, "ValidationException", "at 'batchSize' failed to satisfy constraint"),
    ({"FunctionName": "a b"}, "ValidationException", "at 'functionName' failed to satisfy"),
    ({"MaximumRecordAgeInSeconds": 30}, INVALID, "must be either -1 (forever) or between 60"),
    ({"ScalingConfig": {}}, INVALID, "Unsupported ScalingConfig parameter for given"),
    ({"ProvisionedPollerConfig": {}}, INVALID, "Unsupported ProvisionedPollerConfig parameter"),
    ({"SourceAccessConfigurations": []}, INVALID, "Unsupported SourceAccessConfigurations"),
    ({"DocumentDBEventSourceConfig": {}}, INVALID, "Unsupported DocumentDBEventSourceConfig"),
    ({"LoggingConfig": {}}, INVALID, "Unsupported LoggingConfig parameter"),
    ({"KMSKeyArn": "arn:aws:kms:a:b"}, INVALID, "KMSKeyArn is not supported"),
    (
        {"FilterCriteria": {"Filters": [{"Pattern": "no"}]}},
        INVALID,
        "Invalid filter pattern definition.",
    ),
    (
        {"DestinationConfig": {"OnFailure": {"Destination": "kafka://failed"}}},
        INVALID,
        "without --kafka-brokers",
    ),
    ({"FunctionName": "none-of-this-name"}, INVALID, "Function does not exist"),
]


def test_what_is_refused(
    functions: Any, new_mapping: Callable[..., dict[str, Any]], refused: Callable[..., str]
) -> None:
    """As by Create; whether the mapping can be changed now is looked at after that."""
    uuid = new_mapping()["UUID"]
    for members, code, text in REFUSED:
        call = functions.update_event_source_mapping
        assert text in refused(code, call, UUID=uuid, **members), members


def test_ids_that_are_none(functions: Any, refused: Callable[..., str]) -> None:
    """An id that nothing has is not found, whatever is to be changed."""
    call = functions.update_event_source_mapping
    changes: list[dict[str, Any]] = [
        {},
        {"BatchSize": 1},
        {"ScalingConfig": {}},
        {"FunctionName": "none"},
    ]
    for members in changes:
        text = refused("ResourceNotFoundException", call, UUID=UNKNOWN_ID, **members)
        assert text == "The resource you requested does not exist."
    assert "'uUID'" in refused("ValidationException", call, UUID="abc")


CHANGES: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"BatchSize": 77}, {"BatchSize": 77}),
    ({"MaximumBatchingWindowInSeconds": 0}, {"MaximumBatchingWindowInSeconds": 0}),
    (
        {"ParallelizationFactor": 1, "TumblingWindowInSeconds": 30},
        {"ParallelizationFactor": 1, "TumblingWindowInSeconds": 30},
    ),
    ({"MaximumRecordAgeInSeconds": -1}, {"MaximumRecordAgeInSeconds": -1}),
    ({"MaximumRetryAttempts": -1}, {"MaximumRetryAttempts": -1}),
    ({"BisectBatchOnFunctionError": False}, {"BisectBatchOnFunctionError": False}),
    ({"FunctionResponseTypes": []}, {"FunctionResponseTypes": []}),
    ({"FilterCriteria": {}}, {"FilterCriteria": None}),
    ({"DestinationConfig": {}}, {"DestinationConfig": {"OnFailure": {}}}),
    ({"MetricsConfig": {}}, {"MetricsConfig": None}),
    ({}, {}),
]


def test_each_setting_changes_alone(
    functions: Any, new_mapping: Callable[..., dict[str, Any]]
) -> None:
    """An update changes what it names and nothing else; an empty one takes away."""
    uuid = new_mapping(**FULL)["UUID"]
    moving = {"State": None, "LastModified": None}
    expected = answer_without_metadata(settled(functions, uuid)) | moving
    for members, changed in CHANGES:
        answer = functions.update_event_source_mapping(UUID=uuid, **members)
        assert answer["ResponseMetadata"]["HTTPStatusCode"] == 202
        assert (answer["State"], answer["StateTransitionReason"]) == ("Updating", "User action")
        after = answer_without_metadata(answer)
        expected |= {**changed, "StateTransitionReason": "User action"}
        expected = {name: value for name, value in expected.items() if value is not None} | moving
        assert after | moving == expected, members
        assert settled(functions, uuid)["State"] == "Disabled"


def test_another_function(
    functions: Any,
    ground: Ground,
    new_function: Callable[[], str],
    new_mapping: Callable[..., dict[str, Any]],
    refused: Callable[..., str],
) -> None:
    """A mapping goes over to another function, unless that one has the source already."""
    first = new_mapping()["UUID"]
    other, third = new_function(), new_function()
    second = new_mapping(FunctionName=other)["UUID"]
    settled(functions, second)
    text = refused(
        "ResourceConflictException",
        functions.update_event_source_mapping,
        UUID=second,
        FunctionName=ground.function,
    )
    assert text == (
        f'The event source arn (" {ground.stream} ") and function (" {ground.function} ") '
        "provided mapping already exists. Please update or delete the existing mapping with UUID "
        f"{first}"
    )
    answer = functions.update_event_source_mapping(UUID=second, FunctionName=third)
    assert answer["FunctionArn"] == function_arn(third)
    assert settled(functions, second)["FunctionArn"] == function_arn(third)


def test_switching_off_and_on(functions: Any, new_mapping: Callable[..., dict[str, Any]]) -> None:
    """Enabled, Disabling, Disabled, Enabling, Enabled, Disabling, Disabled."""
    uuid = new_mapping(Enabled=True)["UUID"]
    assert settled(functions, uuid)["State"] == "Enabled"
    off, on = (False, "Disabling", "Disabled"), (True, "Enabling", "Enabled")
    for enabled, going, there in (off, on, off):
        answer = functions.update_event_source_mapping(UUID=uuid, Enabled=enabled)
        assert answer["State"] == going
        assert settled(functions, uuid)["State"] == there
