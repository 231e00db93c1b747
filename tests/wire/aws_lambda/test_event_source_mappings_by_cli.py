"""The `aws` command makes, shows, changes and deletes mappings, and tells their errors.

Each call is a process of its own that takes about a second: so there is one story.
"""

import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from penstock.testing.server import RunningServer
from wire.aws_cli import Aws
from wire.aws_lambda.mapping_requests import function_arn, gone, settled
from wire.clients import connect

pytestmark = pytest.mark.slow

FILTERS = {"Filters": [{"Pattern": '{"eventName": ["INSERT"]}'}]}
ERROR = r"An error occurred \((\w+)\) when calling the \w+ operation: (.*)"


@pytest.fixture
def server() -> Iterator[RunningServer]:
    """A server of this test's own."""
    with RunningServer(shards=1) as running:
        yield running


def error_of(told: str) -> tuple[str, str]:
    """Return the code and the text of an error that the command told."""
    found = re.search(ERROR, told)
    assert found is not None, told
    return found[1], found[2]


def made(aws: Aws, directory: Path) -> str:
    """Make the table `orders` and the function `ship`, and return the stream's ARN."""
    code = directory / "code.zip"
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("app.py", "def handle(event, context):\n    return {}\n")
    table, _ = aws.together(
        lambda: aws.run(
            "dynamodb",
            "create-table",
            *("--table-name", "orders", "--billing-mode", "PAY_PER_REQUEST"),
            *("--key-schema", "AttributeName=pk,KeyType=HASH"),
            *("--attribute-definitions", "AttributeName=pk,AttributeType=S"),
            *("--stream-specification", "StreamEnabled=true,StreamViewType=NEW_IMAGE"),
        ),
        lambda: aws.run(
            "lambda",
            "create-function",
            *("--function-name", "ship", "--runtime", "python3.12", "--handler", "app.handle"),
            *("--role", "arn:aws:iam::000000000000:role/none", "--zip-file", f"fileb://{code}"),
        ),
    )
    stream: str = table["TableDescription"]["LatestStreamArn"]
    return stream


def test_a_mapping_by_the_command_line(server: RunningServer, tmp_path: Path) -> None:
    aws = Aws(server.url, tmp_path)
    stream = made(aws, tmp_path)
    functions = connect(server.url, "lambda")
    begin = ("--function-name", "ship", "--event-source-arn", stream)

    def call(action: str, *arguments: Any) -> Any:
        return aws.run("lambda", action, *arguments)

    new = call(
        "create-event-source-mapping",
        *(*begin, "--starting-position", "TRIM_HORIZON", "--batch-size", "50"),
        *("--maximum-retry-attempts", "2", "--bisect-batch-on-function-error"),
        *("--filter-criteria", FILTERS, "--tags", "team=orders"),
    )
    assert (new["State"], new["BatchSize"], new["MaximumRetryAttempts"]) == ("Creating", 50, 2)
    assert new["FilterCriteria"] == FILTERS
    assert new["BisectBatchOnFunctionError"] is True
    uuid = ("--uuid", new["UUID"])
    again, unknown, range_error, listed, shown = aws.together(
        lambda: aws.refused(
            "lambda", "create-event-source-mapping", *begin, "--starting-position", "LATEST"
        ),
        lambda: aws.refused(
            "lambda",
            "create-event-source-mapping",
            *("--function-name", "none", "--event-source-arn", stream),
            *("--starting-position", "LATEST"),
        ),
        lambda: aws.refused(
            "lambda", "create-event-source-mapping", *begin, "--batch-size", "10001"
        ),
        lambda: call("list-event-source-mappings", "--function-name", "ship"),
        lambda: call("get-event-source-mapping", *uuid),
    )
    code, text = error_of(again)
    assert code == "ResourceConflictException"
    assert text.endswith(f"delete the existing mapping with UUID {new['UUID']}")
    assert error_of(unknown) == ("InvalidParameterValueException", "Function does not exist")
    assert error_of(range_error)[0] == "ValidationException"
    assert [each["UUID"] for each in listed["EventSourceMappings"]] == [new["UUID"]]
    assert shown["FunctionArn"] == function_arn("ship")

    assert settled(functions, new["UUID"])["State"] == "Enabled"
    off = call("update-event-source-mapping", *uuid, "--no-enabled", "--filter-criteria", "{}")
    assert off["State"] == "Disabling"
    assert "FilterCriteria" not in off
    assert settled(functions, new["UUID"])["State"] == "Disabled"
    assert call("delete-event-source-mapping", *uuid)["State"] == "Deleting"
    gone(functions, new["UUID"])
    code, text = error_of(aws.refused("lambda", "get-event-source-mapping", *uuid))
    assert (code, text) == (
        "ResourceNotFoundException",
        "The resource you requested does not exist.",
    )
