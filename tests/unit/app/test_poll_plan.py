"""What `penstock poll` makes of its arguments."""

import argparse
from pathlib import Path

import pytest

from penstock.app import poll
from penstock.app.poll_plan import (
    BadPlan,
    Plan,
    function_arn,
    mapping_as_planned,
    name_of,
    plan_of,
    table_of,
)
from penstock.functions.destination import Endpoints
from penstock.functions.mapping import Mapping
from penstock.functions.remote_function import parse_remote_function

ARN = "arn:aws:dynamodb:ddblocal:000000000000:table/my.orders/stream/2026-11-28T00:00:00.000"
PLACES = [
    "--stream-endpoint",
    "http://127.0.0.1:1",
    "--stream-arn",
    ARN,
    "--function",
    "http://f/in",
]
PATTERN = '{"eventName":["INSERT"]}'


def parsed(*given: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser(exit_on_error=False)
    poll.add_arguments(parser)
    return parser.parse_args([*PLACES, *given])


def planned(*given: str) -> Plan:
    return plan_of(parsed(*given), Endpoints(failures=Path("kept")))


def test_every_option_of_a_mapping_has_a_flag() -> None:
    """All that a Mapping stores of its settings, but for what is of the API alone."""
    plan = planned(
        *("--batch-size", "7", "--maximum-batching-window-in-seconds", "8"),
        *("--parallelization-factor", "1", "--maximum-record-age-in-seconds", "60"),
        *("--maximum-retry-attempts", "9", "--bisect-batch-on-function-error"),
        *("--tumbling-window-in-seconds", "10", "--report-batch-item-failures"),
        *("--filter", PATTERN, "--on-failure", "file://failed.jsonl"),
        *("--starting-position", "LATEST", "--function-name", "bill"),
    )
    mapping = mapping_as_planned(plan, _known(plan), 5000)
    assert mapping == Mapping(
        uuid="u",
        region="ddblocal",
        source_arn=ARN,
        function_arn="arn:aws:lambda:ddblocal:000000000000:function:bill",
        starting_position="LATEST",
        batch_size=7,
        batching_window_seconds=8,
        record_age_seconds_max=60,
        retry_attempts_max=9,
        bisects=True,
        tumbling_window_seconds=10,
        reports_item_failures=True,
        patterns=(PATTERN,),
        failure_destination="file://failed.jsonl",
        state="Enabling",
        created_ms=1000,
        modified_ms=5000,
        generation=1,
    )


def test_without_options_a_mapping_is_as_the_api_makes_it() -> None:
    plan = planned()
    known = _known(plan)
    mapping = mapping_as_planned(plan, known, 0)
    names = [name for name in Mapping.__struct_fields__ if name not in {"state", "generation"}]
    assert [getattr(mapping, name) for name in names] == [getattr(known, name) for name in names]
    assert plan.starting_position == "TRIM_HORIZON"


def _known(plan: Plan) -> Mapping:
    return Mapping(
        "u", "ddblocal", ARN, function_arn(plan, ARN), plan.starting_position, created_ms=1000
    )


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("http://127.0.0.1:9000/in/", "127-0-0-1-9000-in"),
        ("http://h/a?b=c&d", "h-a-b-c-d"),
        ("lambda://Resize?region=eu-west-1", "Resize"),
        ("lambda://arn:aws:lambda:us-east-1:123456789012:function:Resize:live", "Resize"),
    ],
)
def test_a_function_has_the_name_of_its_url(url: str, name: str) -> None:
    assert name_of(parse_remote_function(url)) == name


def test_long_urls_have_names_of_their_own() -> None:
    names = {name_of(parse_remote_function(f"http://h/{'x' * 100}{end}")) for end in "ab"}
    assert len(names) == 2
    assert {len(name) for name in names} == {64}


def test_the_table_is_named_by_the_stream() -> None:
    assert table_of(ARN) == "my.orders"


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (["--filter", "{"], "--filter '{': "),
        (["--filter", '{"a":"b"}'], '--filter \'{"a":"b"}\': '),
        (["--filter", PATTERN] * 6, "--filter may be given 5 times at most"),
        (["--filter", "x" * 4097], "--filter: a pattern has 4096 characters at most"),
        (
            ["--tumbling-window-in-seconds", "1", "--parallelization-factor", "2"],
            "--tumbling-window-in-seconds and a --parallelization-factor above 1 exclude",
        ),
        (["--on-failure", "nowhere"], "--on-failure 'nowhere': "),
        (["--on-failure", "arn:aws:sqs:us-east-1:000000000000:q"], "--sqs-endpoint"),
    ],
)
def test_what_makes_no_sense_together_is_told(given: list[str], told: str) -> None:
    with pytest.raises(BadPlan) as caught:
        planned(*given)
    assert told in str(caught.value)


@pytest.mark.parametrize(
    ("flag", "value", "told"),
    [
        ("--batch-size", "0", "'0' is not a whole number from 1 to 10000"),
        ("--batch-size", "10001", "from 1 to 10000"),
        ("--batch-size", "ten", "'ten' is not a whole number"),
        ("--maximum-batching-window-in-seconds", "301", "from 0 to 300"),
        ("--parallelization-factor", "11", "from 1 to 10"),
        ("--tumbling-window-in-seconds", "901", "from 0 to 900"),
        ("--maximum-retry-attempts", "-2", "from -1 to 10000"),
        (
            "--maximum-record-age-in-seconds",
            "59",
            "neither -1 nor a whole number from 60 to 604800",
        ),
        ("--maximum-record-age-in-seconds", "604801", "neither -1 nor"),
        ("--function-seconds", "901", "from 1 to 900"),
        ("--function-name", "a b", "'a b' is not the name of a function"),
        ("--function", "ftp://h", "'ftp://h' is not the URL of a function"),
        ("--stream-arn", "orders", "'orders' is not the ARN of a stream of DynamoDB"),
        ("--checkpoints", "", "'' is not the name of a directory"),
        ("--starting-position", "AT_TIMESTAMP", "invalid choice"),
    ],
)
def test_a_value_out_of_its_range_is_told(flag: str, value: str, told: str) -> None:
    with pytest.raises(argparse.ArgumentError) as caught:
        parsed(f"{flag}={value}")
    assert told in str(caught.value)
    assert flag in str(caught.value)


@pytest.mark.parametrize("value", ["-1", "60", "604800"])
def test_the_age_of_records_has_a_gap(value: str) -> None:
    given = parsed("--maximum-record-age-in-seconds", value)
    assert given.maximum_record_age_in_seconds == int(value)
