"""CreateEventSourceMapping: what it takes, what it answers, and what it refuses."""

import re
from collections.abc import Callable
from typing import Any

import pytest

from wire.aws_lambda.conftest import Ground
from wire.aws_lambda.mapping_requests import answer_without_metadata, function_arn
from wire.clients import REGION

PATH = "/2015-03-31/event-source-mappings"
INVALID = "InvalidParameterValueException"
PATTERN = '{"eventName":["INSERT"]}'
ACCOUNT = "000000000000"
QUEUE = f"arn:aws:sqs:{REGION}:{ACCOUNT}:failed"
NO_STREAM = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/none/stream/2001-01-01T00:00:00.000"


def broken(value: Any, name: str, constraint: str) -> str:
    return (
        f"1 validation error detected: Value {value} at '{name}' failed to satisfy constraint: "
        f"Member must {constraint}"
    )


def below(value: int, name: str, low: int) -> str:
    return broken(f"'{value}'", name, f"have value greater than or equal to {low}")


def above(value: int, name: str, high: int) -> str:
    return broken(f"'{value}'", name, f"have value less than or equal to {high}")


# --- serialisation


@pytest.mark.parametrize("body", [b"{", b"[]", b'"text"', b"\xff"])
def test_a_body_that_is_no_object(rest: Callable[..., Any], body: bytes) -> None:
    """Lambda has an error of its own for that."""
    answer = rest("POST", PATH, body)
    assert answer.status == 400
    assert answer.headers["x-amzn-errortype"] == "InvalidRequestContentException"
    assert answer.json["message"].startswith("Could not parse request body into json: ")


@pytest.mark.parametrize(
    "members",
    [
        {"FunctionName": 1},
        {"BatchSize": "many"},
        {"BatchSize": True},
        {"Enabled": "perhaps"},
        {"BisectBatchOnFunctionError": 1},
        {"FilterCriteria": []},
        {"FilterCriteria": {"Filters": {}}},
        {"FilterCriteria": {"Filters": [PATTERN]}},
        {"FilterCriteria": {"Filters": [{"Pattern": {}}]}},
        {"FunctionResponseTypes": "ReportBatchItemFailures"},
        {"DestinationConfig": {"OnFailure": QUEUE}},
        {"MetricsConfig": ["EventCount"]},
        {"Tags": ["a"]},
        {"Tags": {"a": 1}},
    ],
    ids=str,
)
def test_members_of_another_type(rest: Callable[..., Any], members: dict[str, Any]) -> None:
    """A member of a JSON type that it cannot have is told as such, before anything else."""
    answer = rest("POST", PATH, {"EventSourceArn": NO_STREAM, "FunctionName": "f"} | members)
    assert answer.status == 400
    assert answer.headers["x-amzn-errortype"] == "SerializationException"


# --- validation

CONSTRAINTS: list[tuple[dict[str, Any], str]] = [
    ({"FunctionName": None}, broken("null", "functionName", "not be null")),
    ({"BatchSize": 0}, below(0, "batchSize", 1)),
    ({"BatchSize": 10_001}, above(10_001, "batchSize", 10_000)),
    (
        {"MaximumBatchingWindowInSeconds": -1},
        below(-1, "maximumBatchingWindowInSeconds", 0),
    ),
    (
        {"MaximumBatchingWindowInSeconds": 301},
        above(301, "maximumBatchingWindowInSeconds", 300),
    ),
    ({"ParallelizationFactor": 0}, below(0, "parallelizationFactor", 1)),
    ({"ParallelizationFactor": 11}, above(11, "parallelizationFactor", 10)),
    ({"MaximumRecordAgeInSeconds": -2}, below(-2, "maximumRecordAgeInSeconds", -1)),
    (
        {"MaximumRecordAgeInSeconds": 604_801},
        above(604_801, "maximumRecordAgeInSeconds", 604_800),
    ),
    ({"MaximumRetryAttempts": -2}, below(-2, "maximumRetryAttempts", -1)),
    ({"MaximumRetryAttempts": 10_001}, above(10_001, "maximumRetryAttempts", 10_000)),
    ({"TumblingWindowInSeconds": -1}, below(-1, "tumblingWindowInSeconds", 0)),
    ({"TumblingWindowInSeconds": 901}, above(901, "tumblingWindowInSeconds", 900)),
    (
        {"StartingPosition": "FIRST"},
        broken(
            "'FIRST'",
            "startingPosition",
            "satisfy enum value set: [TRIM_HORIZON, LATEST, AT_TIMESTAMP]",
        ),
    ),
    (
        {"FunctionResponseTypes": ["All"]},
        broken(
            "'All'",
            "functionResponseTypes.1.member",
            "satisfy enum value set: [ReportBatchItemFailures]",
        ),
    ),
    (
        {"FunctionResponseTypes": ["ReportBatchItemFailures"] * 2},
        broken(
            "'[ReportBatchItemFailures, ReportBatchItemFailures]'",
            "functionResponseTypes",
            "have length less than or equal to 1",
        ),
    ),
    (
        {"FilterCriteria": {"Filters": [{"Pattern": "x" * 4097}]}},
        broken(
            f"'{'x' * 4097}'",
            "filterCriteria.filters.1.member.pattern",
            "have length less than or equal to 4096",
        ),
    ),
]


@pytest.mark.parametrize(("members", "text"), CONSTRAINTS, ids=lambda each: str(each)[:60])
def test_constraints_of_the_model(
    functions: Any, refused: Callable[..., str], members: dict[str, Any], text: str
) -> None:
    """What the model forbids is a ValidationException with the value and its place."""
    request = {"EventSourceArn": NO_STREAM, "FunctionName": "f", "StartingPosition": "LATEST"}
    given = {name: value for name, value in (request | members).items() if value is not None}
    call = functions.create_event_source_mapping
    assert refused("ValidationException", call, **given) == text


@pytest.mark.parametrize("arn", ["", "orders", "arn:aws:dynamodb", "arn:aws:sqs:here:1:q"])
def test_sources_that_are_no_arn(functions: Any, refused: Callable[..., str], arn: str) -> None:
    """The source's pattern is told as AWS tells it."""
    call = functions.create_event_source_mapping
    text = refused("ValidationException", call, EventSourceArn=arn, FunctionName="f")
    assert f"Value '{arn}' at 'eventSourceArn' failed to satisfy constraint" in text
    assert "regular expression pattern: arn:(aws[a-zA-Z0-9-]*):([a-zA-Z0-9" in text


AGE = "MaximumRecordAgeInSeconds must be either -1 (forever) or between 60 and 604800 (inclusive)"
KINESIS = f"arn:aws:kinesis:{REGION}:{ACCOUNT}:stream/orders"
POSITION_MISSING = (
    "1 validation error detected: Value null at 'startingPosition' failed to satisfy constraint: "
    "Member must not be null."
)


def unsupported(name: str) -> str:
    return f"Unsupported {name} parameter for given event source mapping type."


NO_ENDPOINT = "this server runs without --sqs-endpoint"
RULES: list[tuple[dict[str, Any], str]] = [
    ({"EventSourceArn": None}, "Unrecognized event source."),
    (
        {"EventSourceArn": KINESIS},
        f"Event sources of kinesis are not supported, only streams of DynamoDB: {KINESIS}",
    ),
    (
        {"EventSourceArn": QUEUE},
        f"Event sources of sqs are not supported, only streams of DynamoDB: {QUEUE}",
    ),
    ({"EventSourceArn": NO_STREAM}, f"Stream not found: {NO_STREAM}"),
    ({"StartingPosition": None}, POSITION_MISSING),
    ({"StartingPosition": "AT_TIMESTAMP"}, "Unsupported starting position for arn type: {stream}"),
    (
        {"StartingPosition": "AT_TIMESTAMP", "StartingPositionTimestamp": 1_700_000_000},
        unsupported("StartingPositionTimestamp"),
    ),
    ({"StartingPositionTimestamp": 1_700_000_000}, unsupported("StartingPositionTimestamp")),
    ({"MaximumRecordAgeInSeconds": 0}, AGE),
    ({"MaximumRecordAgeInSeconds": 59}, AGE),
    (
        {"TumblingWindowInSeconds": 1, "ParallelizationFactor": 2},
        "ParallelizationFactor must be 1 where TumblingWindowInSeconds is more than 0.",
    ),
    ({"FilterCriteria": {"Filters": [{"Pattern": "{"}]}}, "Invalid filter pattern definition."),
    ({"FilterCriteria": {"Filters": [{"Pattern": "[1]"}]}}, "Invalid filter pattern definition."),
    ({"FilterCriteria": {"Filters": [{}]}}, "Invalid filter pattern definition."),
    (
        {"FilterCriteria": {"Filters": [{"Pattern": PATTERN}] * 6}},
        "FilterCriteria has more than 5 filters.",
    ),
    (
        {"DestinationConfig": {"OnSuccess": {"Destination": QUEUE}}},
        unsupported("DestinationConfig"),
    ),
    (
        {"DestinationConfig": {"OnFailure": {"Destination": QUEUE}}},
        f"Invalid destination {QUEUE}: {NO_ENDPOINT}",
    ),
    (
        {"KMSKeyArn": f"arn:aws:kms:{REGION}:{ACCOUNT}:key/a"},
        "KMSKeyArn is not supported: this server does not encrypt FilterCriteria.",
    ),
    (
        {"MetricsConfig": {"Metrics": ["KafkaMetrics"]}},
        "Unsupported metric KafkaMetrics for given event source mapping type.",
    ),
    ({"Topics": ["t"]}, unsupported("Topics")),
    ({"Queues": ["q"]}, unsupported("Queues")),
    ({"SourceAccessConfigurations": []}, unsupported("SourceAccessConfigurations")),
    (
        {"SelfManagedEventSource": {"Endpoints": {"KAFKA_BOOTSTRAP_SERVERS": ["a.b:1"]}}},
        unsupported("SelfManagedEventSource"),
    ),
    (
        {"AmazonManagedKafkaEventSourceConfig": {"ConsumerGroupId": "g"}},
        unsupported("AmazonManagedKafkaEventSourceConfig"),
    ),
    (
        {"SelfManagedKafkaEventSourceConfig": {"ConsumerGroupId": "g"}},
        unsupported("SelfManagedKafkaEventSourceConfig"),
    ),
    (
        {"DocumentDBEventSourceConfig": {"DatabaseName": "d"}},
        unsupported("DocumentDBEventSourceConfig"),
    ),
    ({"ScalingConfig": {"MaximumConcurrency": 2}}, unsupported("ScalingConfig")),
    ({"ProvisionedPollerConfig": {"MinimumPollers": 1}}, unsupported("ProvisionedPollerConfig")),
    ({"LoggingConfig": {"SystemLogLevel": "INFO"}}, unsupported("LoggingConfig")),
    ({"FunctionName": "none-of-this-name"}, "Function does not exist"),
    ({"FunctionName": "{function}:7"}, "Function does not exist"),
    ({"Tags": {"aws:a": "b"}}, "Tag keys beginning with aws: are reserved for AWS. Key: aws:a"),
]


def test_every_rule_of_a_stream(
    functions: Any, ground: Ground, refused: Callable[..., str]
) -> None:
    """What the model allows and a stream cannot do is refused by name, and nothing is made."""
    request: dict[str, Any] = {
        "EventSourceArn": ground.stream,
        "FunctionName": ground.function,
        "StartingPosition": "LATEST",
    }
    for members, text in RULES:
        given = {name: value for name, value in (request | members).items() if value is not None}
        if "FunctionName" in members:
            given["FunctionName"] = given["FunctionName"].format(function=ground.function)
        expected = text.format(stream=ground.stream) if "{stream}" in text else text
        call = functions.create_event_source_mapping
        assert refused(INVALID, call, **given) == expected, members
    listed = functions.list_event_source_mappings(EventSourceArn=ground.stream)
    assert listed["EventSourceMappings"] == []


# --- behaviour


def test_the_answer_is_all_that_aws_gives(
    ground: Ground, new_mapping: Callable[..., dict[str, Any]]
) -> None:
    """Of a mapping that sets nothing but what it has to."""
    answer = new_mapping()
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 202
    made = answer_without_metadata(answer)
    assert re.fullmatch("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", made["UUID"])
    assert made.pop("LastModified").timestamp() > 1_700_000_000
    assert made == {
        "UUID": made["UUID"],
        "EventSourceMappingArn": (
            f"arn:aws:lambda:{REGION}:{ACCOUNT}:event-source-mapping:{made['UUID']}"
        ),
        "EventSourceArn": ground.stream,
        "FunctionArn": function_arn(ground.function),
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
        "LastProcessingResult": "No records processed",
    }


@pytest.mark.parametrize("path", [PATH, f"{PATH}/"])
def test_the_answer_on_the_wire(rest: Callable[..., Any], ground: Ground, path: str) -> None:
    """With and without the slash that old SDKs send; the time is a number of seconds."""
    body = {
        "EventSourceArn": ground.stream,
        "FunctionName": ground.function,
        "StartingPosition": "TRIM_HORIZON",
        "Enabled": False,
    }
    answer = rest("POST", path, body)
    assert answer.status == 202
    assert answer.headers["content-type"] == "application/json"
    assert isinstance(answer.json["LastModified"], float)
    again = rest("POST", path, body)
    assert again.status == 409
    assert again.headers["x-amzn-errortype"] == "ResourceConflictException"
    assert again.json["Type"] == "User"


BOUNDS: list[dict[str, Any]] = [
    {
        "BatchSize": 1,
        "MaximumBatchingWindowInSeconds": 0,
        "ParallelizationFactor": 1,
        "MaximumRecordAgeInSeconds": 60,
        "MaximumRetryAttempts": 0,
        "TumblingWindowInSeconds": 900,
        "BisectBatchOnFunctionError": True,
        "StartingPosition": "TRIM_HORIZON",
    },
    {
        "BatchSize": 10_000,
        "MaximumBatchingWindowInSeconds": 300,
        "ParallelizationFactor": 10,
        "MaximumRecordAgeInSeconds": 604_800,
        "MaximumRetryAttempts": 10_000,
        "FunctionResponseTypes": ["ReportBatchItemFailures"],
        "FilterCriteria": {"Filters": [{"Pattern": PATTERN}] * 5},
        "DestinationConfig": {"OnFailure": {"Destination": "file:///var/failed.jsonl"}},
        "MetricsConfig": {"Metrics": ["EventCount"]},
    },
]


@pytest.mark.parametrize("members", BOUNDS, ids=["lowest", "highest"])
def test_settings_at_their_bounds(
    functions: Any, new_mapping: Callable[..., dict[str, Any]], members: dict[str, Any]
) -> None:
    """The lowest and the highest value of each setting are kept, and shown by Get."""
    made = new_mapping(**members)
    assert {name: made[name] for name in members} == members
    found = functions.get_event_source_mapping(UUID=made["UUID"])
    assert {name: found[name] for name in members} == members


def test_tags(functions: Any, new_mapping: Callable[..., dict[str, Any]]) -> None:
    """They are told by the actions for tags, which can change them."""
    arn = new_mapping(Tags={"team": "orders", "größe": ""})["EventSourceMappingArn"]
    assert functions.list_tags(Resource=arn)["Tags"] == {"team": "orders", "größe": ""}
    functions.tag_resource(Resource=arn, Tags={"team": "billing"})
    functions.untag_resource(Resource=arn, TagKeys=["größe"])
    assert functions.list_tags(Resource=arn)["Tags"] == {"team": "billing"}


def test_functions_by_every_name(
    functions: Any, ddb: Any, ground: Ground, new_mapping: Callable[..., dict[str, Any]]
) -> None:
    """A name, a part of an ARN or the whole of it; a version is another function."""
    version = functions.publish_version(FunctionName=ground.function)["Version"]
    arn = function_arn(ground.function)
    assert new_mapping(FunctionName=arn)["FunctionArn"] == arn
    for name in (f"{ground.function}:{version}", f"{arn}:$LATEST"):
        expected = f"{arn}:{name.rpartition(':')[2]}"
        assert new_mapping(FunctionName=name)["FunctionArn"] == expected


def test_a_second_mapping_of_a_source_and_function(
    functions: Any,
    ground: Ground,
    new_mapping: Callable[..., dict[str, Any]],
    refused: Callable[..., str],
) -> None:
    """However the function is named, it is a conflict that names the first one."""
    uuid = new_mapping()["UUID"]
    text = refused(
        "ResourceConflictException",
        functions.create_event_source_mapping,
        EventSourceArn=ground.stream,
        FunctionName=function_arn(ground.function),
        StartingPosition="TRIM_HORIZON",
    )
    assert text == (
        f'The event source arn (" {ground.stream} ") and function (" {ground.function} ") '
        "provided mapping already exists. Please update or delete the existing mapping with UUID "
        f"{uuid}"
    )


def test_a_stream_that_is_disabled_can_be_mapped(
    ddb: Any, ground: Ground, new_mapping: Callable[..., dict[str, Any]]
) -> None:
    """Its records can be read for another day."""
    table = ground.stream.split("/")[1]
    ddb.update_table(TableName=table, StreamSpecification={"StreamEnabled": False})
    assert new_mapping()["EventSourceArn"] == ground.stream


def test_streams_of_another_region(
    make_client: Callable[..., Any], ground: Ground, refused: Callable[..., str]
) -> None:
    """A mapping reads a stream of its own region."""
    elsewhere = make_client("lambda", "eu-west-1")
    text = refused(
        INVALID,
        elsewhere.create_event_source_mapping,
        EventSourceArn=ground.stream,
        FunctionName=ground.function,
        StartingPosition="LATEST",
    )
    assert text in (f"Stream not found: {ground.stream}", "Function does not exist")
