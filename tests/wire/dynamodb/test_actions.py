"""Actions that the server does not have, and what every answer carries."""

import gzip
import json
import re
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import botocore.session
import pytest

from penstock.operations import dynamodb
from penstock.operations.registry import ACTIONS

MODEL = botocore.session.get_session().get_service_model("dynamodb")
OUTSIDE = sorted(set(MODEL.operation_names) - set(ACTIONS[dynamodb.TARGET]))
DIFFERENCES = Path(__file__).resolve().parents[3] / "docs" / "differences.md"


@pytest.mark.parametrize("action", OUTSIDE)
def test_actions_outside_the_product(
    refusal: Callable[..., tuple[str, str | None]], action: str
) -> None:
    """Whatever else the SDK's model has is unknown to the server, and listed where users look."""
    assert refusal(action, {}) == ("UnknownOperationException", None)
    assert re.search(rf"\b{action}\b", DIFFERENCES.read_text("utf-8"))


@pytest.mark.parametrize("action", ["putItem", "PutItem2", ""])
def test_actions_that_are_none(refusal: Callable[..., tuple[str, str | None]], action: str) -> None:
    """What is no action at all is unknown, without a text."""
    assert refusal(action, {}) == ("UnknownOperationException", None)


def test_actions_of_the_other_service(rejected: Callable[..., tuple[str, str]]) -> None:
    """Tables and streams are two services: neither knows the actions of the other."""
    for target in ("DynamoDBStreams_20120810.PutItem", "DynamoDB_20120810.GetRecords"):
        assert rejected(target, {})[0] == "UnknownOperationException"


def test_a_body_that_is_not_json_comes_before_an_unknown_action(
    refusal: Callable[..., tuple[str, str | None]],
) -> None:
    """The body is read before the action is looked for."""
    assert refusal("NoSuchAction", b"{") == ("SerializationException", None)


def test_what_every_answer_carries(raw: Callable[..., Any]) -> None:
    """An answer has its type, a request id of its own, and the CRC-32 of its body."""
    ids = set()
    for _ in range(3):
        answer = raw("DynamoDB_20120810.ListTables", {"Limit": 1})
        assert answer.status == 200
        assert answer.headers["content-type"] == "application/x-amz-json-1.0"
        assert int(answer.headers["x-amz-crc32"]) == zlib.crc32(answer.body)
        assert re.fullmatch("[A-Z0-9]{52}", answer.headers["x-amzn-requestid"])
        ids.add(answer.headers["x-amzn-requestid"])
    assert len(ids) == 3


def test_a_gzipped_body(raw: Callable[..., Any], ddb: Any, plain: str, key: dict[str, Any]) -> None:
    """A body may come compressed."""
    body = gzip.compress(json.dumps({"TableName": plain, "Item": key}).encode())
    assert raw("DynamoDB_20120810.PutItem", body, Content_Encoding="gzip").status == 200
    assert ddb.get_item(TableName=plain, Key=key)["Item"] == key


@pytest.mark.parametrize(
    "text", ['{"TableName": "\\ud800abc"}', '{"TableName": 1e999}', '{"Limit": 1e999}', "[" * 5000]
)
def test_json_at_the_edge_of_what_is_json(raw: Callable[..., Any], text: str) -> None:
    """Lone surrogates, numbers beyond all range and endless nesting are refused cleanly."""
    for action in ("DescribeTable", "ListTables", "PutItem"):
        assert raw(f"DynamoDB_20120810.{action}", text.encode()).status == 400


@pytest.mark.parametrize(
    ("action", "body"),
    [
        ("CreateTable", '{"TableName": "abc", "AttributeDefinitions": [%s]}'),
        ("BatchWriteItem", '{"RequestItems": {"abc": [%s]}}'),
        ("BatchWriteItem", '{"RequestItems": {"abc": [%s, 5]}}'),
        ("BatchGetItem", '{"RequestItems": {"abc": {"Keys": [%s]}}}'),
    ],
)
def test_endless_lists_cost_little(raw: Callable[..., Any], action: str, body: str) -> None:
    """A list that no action takes is refused with a short text, and not gone through to its end."""
    answer = raw(f"DynamoDB_20120810.{action}", (body % ",".join(["{}"] * 200_000)).encode())
    assert answer.status == 400
    assert len(answer.body) < 10_000


def test_endless_maps_cost_little(raw: Callable[..., Any]) -> None:
    """Nor is a map, whatever stands at its end."""
    for value in ("[]", "null"):
        tables = ",".join(f'"{number}":{value}' for number in range(50_000))
        body = f'{{"RequestItems":{{{tables},"x":5}}}}'.encode()
        for action in ("BatchWriteItem", "BatchGetItem"):
            answer = raw(f"DynamoDB_20120810.{action}", body)
            assert answer.status == 400
            assert len(answer.body) < 10_000
