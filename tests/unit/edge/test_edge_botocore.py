"""A real SDK against made-up operations: what it sends is understood, what it gets it believes."""

import asyncio
from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from penstock.base.errors import dynamodb
from penstock.wire.sigv4 import Caller
from unit.edge.serving import dispatch_of, run, serving


def calling(calls: Callable[[Any], None], region: str = "eu-central-1", **acts: Any) -> None:
    """Serve `acts` and make `calls` with a boto3 client in a thread of its own."""

    async def work() -> None:
        async with serving(dispatch_of(**acts)) as server:
            client = boto3.client(
                "dynamodb",
                endpoint_url=f"http://127.0.0.1:{server.port}",
                region_name=region,
                aws_access_key_id="AKIDEXAMPLE",
                aws_secret_access_key="secret",
                config=Config(retries={"total_max_attempts": 1}),
            )
            try:
                await asyncio.to_thread(calls, client)
            finally:
                client.close()

    run(work())


def test_result_request_id_region_key_and_host_reach_their_ends() -> None:
    seen: list[tuple[Caller, dict[str, Any]]] = []
    hosts: set[str] = set()

    def get_item(caller: Caller, body: dict[str, Any]) -> dict[str, Any]:
        seen.append((caller, body))
        return {"Item": {"id": {"S": "ü"}}}

    def calls(client: Any) -> None:
        hosts.add(client.meta.endpoint_url.removeprefix("http://"))
        for _ in range(3):
            answer = client.get_item(TableName="t", Key={"id": {"S": "ü"}})
            assert answer["Item"] == {"id": {"S": "ü"}}
            assert len(answer["ResponseMetadata"]["RequestId"]) == 52

    calling(calls, GetItem=get_item)
    (host,) = hosts
    caller = Caller("eu-central-1", "AKIDEXAMPLE", host)
    assert seen == [(caller, {"TableName": "t", "Key": {"id": {"S": "ü"}}})] * 3


def test_errors_are_raised_by_their_names() -> None:
    def fail(_caller: Caller, _body: dict[str, Any]) -> dict[str, Any]:
        raise dynamodb.table_not_found("t")

    def calls(client: Any) -> None:
        with pytest.raises(client.exceptions.ResourceNotFoundException, match="Table: t not found"):
            client.describe_table(TableName="t")
        with pytest.raises(ClientError, match="UnknownOperationException"):
            client.list_backups()

    calling(calls, DescribeTable=fail)


def test_body_over_the_limit_is_an_error_with_its_status() -> None:
    def calls(client: Any) -> None:
        with pytest.raises(ClientError) as caught:
            client.put_item(TableName="t", Item={"id": {"S": "x" * (17 * 1024 * 1024)}})
        assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 413

    calling(calls)
