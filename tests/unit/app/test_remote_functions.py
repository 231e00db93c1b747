"""Functions elsewhere, as a server knows them that was started with `--remote-functions`."""

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from penstock.testing.local_server import LocalServer
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


def test_a_mapping_may_name_it(server: LocalServer, functions: Any) -> None:
    made = server.client().create_table(
        TableName="orders",
        KeySchema=[{"AttributeName": "k", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "k", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"},
    )
    mapping = functions.create_event_source_mapping(
        EventSourceArn=made["TableDescription"]["LatestStreamArn"],
        FunctionName="bill",
        StartingPosition="TRIM_HORIZON",
    )
    assert mapping["FunctionArn"].endswith(":function:bill")
    with pytest.raises(functions.exceptions.InvalidParameterValueException):
        functions.create_event_source_mapping(
            EventSourceArn=made["TableDescription"]["LatestStreamArn"],
            FunctionName="nobody",
            StartingPosition="TRIM_HORIZON",
        )
