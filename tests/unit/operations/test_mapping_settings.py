"""What requests set of event source mappings, and how mappings are shown: pure functions."""

from pathlib import Path
from typing import Any

import pytest

from penstock.base.errors.api import ApiError
from penstock.functions.destination import Endpoints
from penstock.functions.mapping import NO_RESULT, Mapping
from penstock.operations.aws_lambda.mapping_members import FOREIGN_AT_FIRST, refuse_foreign
from penstock.operations.aws_lambda.mapping_settings import settings_of, shown, with_settings
from penstock.operations.aws_lambda.mapping_source import source_of

SOURCE = "arn:aws:dynamodb:us-east-1:000000000000:table/orders/stream/2026-11-28T06:00:00.000"
FUNCTION = "arn:aws:lambda:us-east-1:000000000000:function:ship"
UUID = "11111111-2222-4333-8444-555555555555"
QUEUE = "arn:aws:sqs:us-east-1:000000000000:failed"
TOPIC = "arn:aws:sns:us-east-1:000000000000:failed"
URL = "http://127.0.0.1:1"
EVERYTHING = Endpoints(URL, URL, URL, ("127.0.0.1:1",), Path("failures"))
NOTHING = Endpoints()


def mapping(**settings: Any) -> Mapping:
    return Mapping(
        uuid=UUID,
        region="us-east-1",
        source_arn=SOURCE,
        function_arn=FUNCTION,
        starting_position="LATEST",
        modified_ms=1_700_000_000_125,
        **settings,
    )


def refusal(call: Any, *given: Any) -> str:
    with pytest.raises(ApiError) as caught:
        call(*given)
    assert caught.value.code == "InvalidParameterValueException"
    assert caught.value.status == 400
    assert caught.value.members == {"Type": "User"}
    assert caught.value.message is not None
    return caught.value.message


SETTINGS = [
    ({}, {}),
    ({"Enabled": False}, {"enabled": False}),
    ({"BatchSize": 7}, {"batch_size": 7}),
    ({"MaximumBatchingWindowInSeconds": 3}, {"batching_window_seconds": 3}),
    ({"ParallelizationFactor": 4}, {"parallelization_factor": 4}),
    ({"MaximumRecordAgeInSeconds": -1}, {"record_age_seconds_max": -1}),
    ({"MaximumRecordAgeInSeconds": 60}, {"record_age_seconds_max": 60}),
    ({"MaximumRecordAgeInSeconds": 604_800}, {"record_age_seconds_max": 604_800}),
    ({"MaximumRetryAttempts": 0}, {"retry_attempts_max": 0}),
    ({"BisectBatchOnFunctionError": True}, {"bisects": True}),
    ({"TumblingWindowInSeconds": 30}, {"tumbling_window_seconds": 30}),
    ({"FunctionResponseTypes": ["ReportBatchItemFailures"]}, {"reports_item_failures": True}),
    ({"FunctionResponseTypes": []}, {"reports_item_failures": False}),
    ({"FilterCriteria": {"Filters": [{"Pattern": '{"a":["b"]}'}]}}, {"patterns": ('{"a":["b"]}',)}),
    ({"FilterCriteria": {"Filters": []}}, {"patterns": ()}),
    ({"FilterCriteria": {}}, {"patterns": ()}),
    ({"MetricsConfig": {"Metrics": ["EventCount"]}}, {"counts_events": True}),
    ({"MetricsConfig": {"Metrics": []}}, {"counts_events": False}),
    ({"MetricsConfig": {}}, {"counts_events": False}),
    ({"DestinationConfig": {"OnFailure": {"Destination": QUEUE}}}, {"failure_destination": QUEUE}),
    ({"DestinationConfig": {"OnFailure": {"Destination": ""}}}, {"failure_destination": None}),
    ({"DestinationConfig": {"OnFailure": {}}}, {"failure_destination": None}),
    ({"DestinationConfig": {}}, {"failure_destination": None}),
    ({"DestinationConfig": {"OnSuccess": {}, "OnFailure": {}}}, {"failure_destination": None}),
    ({"KMSKeyArn": ""}, {}),
]


@pytest.mark.parametrize(("request_body", "expected"), SETTINGS)
def test_what_a_request_sets(request_body: dict[str, Any], expected: dict[str, Any]) -> None:
    """Each parameter sets its own field, an empty one clears it, and an absent one sets nothing."""
    settings = settings_of(request_body, EVERYTHING)
    assert settings == expected
    assert set(settings) <= set(Mapping.__struct_fields__)


AGE = "MaximumRecordAgeInSeconds must be either -1 (forever) or between 60 and 604800 (inclusive)"
UNSUPPORTED = "Unsupported {} parameter for given event source mapping type."
REFUSED = [
    ({"MaximumRecordAgeInSeconds": 0}, AGE),
    ({"MaximumRecordAgeInSeconds": 59}, AGE),
    ({"FilterCriteria": {"Filters": [{"Pattern": "{"}]}}, "Invalid filter pattern definition."),
    ({"FilterCriteria": {"Filters": [{"Pattern": "[]"}]}}, "Invalid filter pattern definition."),
    ({"FilterCriteria": {"Filters": [{"Pattern": ""}]}}, "Invalid filter pattern definition."),
    ({"FilterCriteria": {"Filters": [{}]}}, "Invalid filter pattern definition."),
    (
        {"FilterCriteria": {"Filters": [{"Pattern": '{"a":["b"]}'}] * 6}},
        "FilterCriteria has more than 5 filters.",
    ),
    (
        {"MetricsConfig": {"Metrics": ["EventCount", "ErrorCount"]}},
        "Unsupported metric ErrorCount for given event source mapping type.",
    ),
    (
        {"DestinationConfig": {"OnSuccess": {"Destination": QUEUE}}},
        UNSUPPORTED.format("DestinationConfig"),
    ),
    (
        {"DestinationConfig": {"OnFailure": {"Destination": f"{QUEUE}.fifo"}}},
        f"Invalid destination {QUEUE}.fifo: queues and topics of the FIFO kind are no destinations",
    ),
    (
        {"KMSKeyArn": "arn:aws:kms:us-east-1:000000000000:key/a"},
        "KMSKeyArn is not supported: this server does not encrypt FilterCriteria.",
    ),
]


@pytest.mark.parametrize(("request_body", "text"), REFUSED)
def test_what_no_mapping_of_a_stream_can_have(request_body: dict[str, Any], text: str) -> None:
    """What the model allows and a stream cannot do is refused by name."""
    assert refusal(settings_of, request_body, EVERYTHING) == text


@pytest.mark.parametrize(
    ("destination", "setting"),
    [
        (QUEUE, "--sqs-endpoint"),
        (TOPIC, "--sns-endpoint"),
        ("arn:aws:s3:::failed", "--s3-endpoint"),
        ("kafka://failed", "--kafka-brokers"),
    ],
)
def test_destinations_that_are_not_set_up(destination: str, setting: str) -> None:
    """A destination that nothing can be delivered to is refused with the setting that it needs."""
    request = {"DestinationConfig": {"OnFailure": {"Destination": destination}}}
    assert refusal(settings_of, request, NOTHING) == (
        f"Invalid destination {destination}: this server runs without {setting}"
    )
    assert settings_of(request, EVERYTHING) == {"failure_destination": destination}


def test_files_as_destinations() -> None:
    """A file needs an absolute path where the server has no directory of its own."""
    named = {"DestinationConfig": {"OnFailure": {"Destination": "file://failed.jsonl"}}}
    absolute = {"DestinationConfig": {"OnFailure": {"Destination": "file:///var/failed.jsonl"}}}
    assert "needs an absolute path" in refusal(settings_of, named, NOTHING)
    assert settings_of(named, EVERYTHING) == {"failure_destination": "file://failed.jsonl"}
    assert settings_of(absolute, NOTHING) == {"failure_destination": "file:///var/failed.jsonl"}


def test_windows_and_lanes_exclude_each_other() -> None:
    """Tumbling windows are of one lane, whichever of the two was set first."""
    text = "ParallelizationFactor must be 1 where TumblingWindowInSeconds is more than 0."
    windows, lanes = {"tumbling_window_seconds": 1}, {"parallelization_factor": 2}
    assert refusal(with_settings, mapping(**windows), lanes) == text
    assert refusal(with_settings, mapping(**lanes), windows) == text
    assert refusal(with_settings, mapping(), windows | lanes) == text
    changed = with_settings(mapping(**lanes), windows | {"parallelization_factor": 1})
    assert changed.tumbling_window_seconds == 1


@pytest.mark.parametrize("name", FOREIGN_AT_FIRST)
def test_parameters_of_other_sources(name: str) -> None:
    """A parameter of queues and brokers is refused by its name."""
    assert refusal(refuse_foreign, {"FunctionName": "f", name: 1}) == UNSUPPORTED.format(name)


POSITION_MISSING = (
    "1 validation error detected: Value null at 'startingPosition' failed to satisfy constraint: "
    "Member must not be null."
)
KINESIS = "arn:aws:kinesis:us-east-1:000000000000:stream/orders"
SOURCES = [
    ({"StartingPosition": "LATEST"}, "Unrecognized event source."),
    ({"EventSourceArn": SOURCE}, POSITION_MISSING),
    (
        {"EventSourceArn": SOURCE, "StartingPosition": "AT_TIMESTAMP"},
        f"Unsupported starting position for arn type: {SOURCE}",
    ),
    (
        {"EventSourceArn": KINESIS, "StartingPosition": "LATEST"},
        f"Event sources of kinesis are not supported, only streams of DynamoDB: {KINESIS}",
    ),
    (
        {"EventSourceArn": QUEUE},
        f"Event sources of sqs are not supported, only streams of DynamoDB: {QUEUE}",
    ),
]


@pytest.mark.parametrize(("request_body", "text"), SOURCES)
def test_sources_that_are_none(request_body: dict[str, Any], text: str) -> None:
    """A source is a stream of DynamoDB, with a place to begin that it has."""
    assert refusal(source_of, request_body) == text


def test_how_a_new_mapping_is_shown() -> None:
    """All that AWS answers with for a mapping that sets nothing."""
    assert shown(mapping(), NO_RESULT) == {
        "UUID": UUID,
        "EventSourceMappingArn": (
            f"arn:aws:lambda:us-east-1:000000000000:event-source-mapping:{UUID}"
        ),
        "EventSourceArn": SOURCE,
        "FunctionArn": FUNCTION,
        "StartingPosition": "LATEST",
        "BatchSize": 100,
        "MaximumBatchingWindowInSeconds": 0,
        "ParallelizationFactor": 1,
        "MaximumRecordAgeInSeconds": -1,
        "MaximumRetryAttempts": -1,
        "BisectBatchOnFunctionError": False,
        "TumblingWindowInSeconds": 0,
        "FunctionResponseTypes": [],
        "DestinationConfig": {"OnFailure": {}},
        "State": "Creating",
        "StateTransitionReason": "User action",
        "LastModified": 1_700_000_000.125,
        "LastProcessingResult": "No records processed",
    }


def test_how_a_mapping_with_everything_is_shown() -> None:
    """What is set is shown as it was given."""
    full = mapping(
        patterns=('{"a":["b"]}',),
        failure_destination=QUEUE,
        counts_events=True,
        reports_item_failures=True,
    )
    answer = shown(full, "OK")
    assert answer["FilterCriteria"] == {"Filters": [{"Pattern": '{"a":["b"]}'}]}
    assert answer["DestinationConfig"] == {"OnFailure": {"Destination": QUEUE}}
    assert answer["MetricsConfig"] == {"Metrics": ["EventCount"]}
    assert answer["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert answer["LastProcessingResult"] == "OK"
