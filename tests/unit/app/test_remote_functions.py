"""Functions elsewhere, as a server knows them that was started with `--remote-functions`."""

import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from penstock.app.mappings_table import fetch_mappings
from penstock.testing.local_server import LocalServer
from unit.app.polling import wait_until
from unit.functions.scripted_server import Said, ScriptedServer
from wire.aws_lambda.code import parameters


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[ScriptedServer]:
    """A server that is a function."""
    with ScriptedServer(lambda asked: Said(b'{"got":%d}' % len(asked.body))) as server:
        yield server


@pytest.fixture(scope="module")
def server(elsewhere: ScriptedServer) -> Iterator[LocalServer]:
    """A server that knows it as `bill`."""
    with LocalServer(remote_functions=f"bill={elsewhere.url}/in") as running:
        yield running


@pytest.fixture(scope="module")
def functions(server: LocalServer) -> Any:
    return server.client("lambda")


def new_stream(server: LocalServer, table: str) -> str:
    """Make a table with a stream, and return its ARN."""
    made = server.client().create_table(
        TableName=table,
        KeySchema=[{"AttributeName": "k", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "k", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"},
    )
    arn: str = made["TableDescription"]["LatestStreamArn"]
    return arn


def test_no_function_of_its_name_is_made(functions: Any) -> None:
    with pytest.raises(ClientError) as caught:
        functions.create_function(**parameters("bill"))
    error = caught.value.response
    assert error["ResponseMetadata"]["HTTPStatusCode"] == 409
    assert error["Error"]["Code"] == "ResourceConflictException"
    assert error["Error"]["Message"] == (
        "The function bill lives elsewhere: --remote-functions says where, and it is not made here"
    )
    functions.create_function(**parameters("another"))


def test_invoke_calls_it(functions: Any, elsewhere: ScriptedServer) -> None:
    answer = functions.invoke(FunctionName="bill", Payload=b'{"n":1}')
    assert (answer["StatusCode"], answer["Payload"].read()) == (200, b'{"got":7}')
    asked = elsewhere.asked[-1]
    assert (asked.path, asked.body) == ("/in", b'{"n":1}')


def test_a_mapping_calls_it(server: LocalServer, functions: Any, elsewhere: ScriptedServer) -> None:
    """At once, and it is shown to who asks."""
    mapping = functions.create_event_source_mapping(
        EventSourceArn=new_stream(server, "orders"),
        FunctionName="bill",
        StartingPosition="TRIM_HORIZON",
    )
    assert mapping["FunctionArn"].endswith(":function:bill")
    server.client().put_item(TableName="orders", Item={"k": {"S": "first"}})
    wait_until(lambda: any(b'"first"' in asked.body for asked in elsewhere.asked))
    wait_until(lambda: all(row.lag_records == 0 for row in fetch_mappings(server.url)))
    (row,) = fetch_mappings(server.url)
    assert (row.uuid, row.function_arn) == (mapping["UUID"], mapping["FunctionArn"])
    assert (row.state, row.invocations, row.errors, row.last_error) == ("Enabled", 1, 0, "")
    with urllib.request.urlopen(f"{server.url}/_penstock/metrics", timeout=30) as page:
        lines = page.read().decode().splitlines()
    counted = [line for line in lines if line.startswith("penstock_mapping_invocations_total{")]
    assert len(counted) == 1
    assert counted[0].endswith(" 1.0")
    assert f'uuid="{mapping["UUID"]}"' in counted[0]


def test_a_mapping_of_nobody_is_refused(server: LocalServer, functions: Any) -> None:
    stream = new_stream(server, "returns")
    with pytest.raises(functions.exceptions.InvalidParameterValueException):
        functions.create_event_source_mapping(
            EventSourceArn=stream,
            FunctionName="nobody",
            StartingPosition="TRIM_HORIZON",
        )
