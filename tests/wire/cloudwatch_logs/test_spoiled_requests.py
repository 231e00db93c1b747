"""Whatever is made of a good request of CloudWatch Logs is answered, and never with a 500."""

import http.client
import json
import uuid
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from penstock.operations.registry import LOG_ACTIONS
from wire.nodes import next_node
from wire.requests import Body, spoiled_json

AUTHORIZATION = (
    "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261001/us-east-1/logs/aws4_request,"
    " SignedHeaders=host;x-amz-date, Signature=0a1b2c"
)


def send(endpoint: str, action: str, body: bytes) -> tuple[int, Any]:
    """Return the status and the JSON of an answer."""
    connection = http.client.HTTPConnection(urlsplit(next_node(endpoint)).netloc, timeout=60)
    headers = {
        "Content-Type": "application/x-amz-json-1.1",
        "X-Amz-Target": f"Logs_20140328.{action}",
        "X-Amz-Date": "20261001T120000Z",
        "Authorization": AUTHORIZATION,
    }
    connection.request("POST", "/", body, headers)
    answer = connection.getresponse()
    text = answer.read()
    connection.close()
    return answer.status, json.loads(text) if text else None


def good_requests(group: str) -> dict[str, Body]:
    """Return a good request of each action for a group that is there, with the stream `s`."""
    stream = {"logGroupName": group, "logStreamName": "s"}
    token = {"nextToken": "lM8AAAGiIMT6Uq8yMDI2L1skTEFURVNUXXjPGiIMT6TwAAAF"}
    return {
        "CreateLogGroup": {"logGroupName": f"{group}-2", "logGroupClass": "STANDARD"},
        "CreateLogStream": {"logGroupName": group, "logStreamName": "t"},
        "DeleteLogGroup": {"logGroupName": f"{group}-3"},
        "DeleteLogStream": {"logGroupName": group, "logStreamName": "none"},
        "DeleteRetentionPolicy": {"logGroupName": group},
        "DescribeLogGroups": {
            "logGroupNamePrefix": group,
            "limit": 5,
            "logGroupIdentifiers": ["g"],
        },
        "DescribeLogStreams": {
            "logGroupIdentifier": group,
            "orderBy": "LastEventTime",
            "descending": True,
        },
        "FilterLogEvents": {
            "logGroupName": group,
            "logStreamNames": ["s"],
            "startTime": 1,
            "endTime": 2_000_000_000_000,
            "filterPattern": '{ $.a[0].b = "x*" && ($.n >= 1.5 || $.no NOT EXISTS) }',
            "limit": 10,
            "startFromHead": False,
        },
        "GetLogEvents": {**stream, "nextToken": f"f/{token['nextToken']}", "limit": 5},
        "PutLogEvents": {**stream, "logEvents": [{"timestamp": 1, "message": "line"}]},
        "PutRetentionPolicy": {"logGroupName": group, "retentionInDays": 7},
    }


@pytest.fixture(scope="session")
def requests(endpoint: str) -> Iterator[dict[str, Body]]:
    group = f"spoiled-{uuid.uuid4().hex[:12]}"
    for action, body in (
        ("CreateLogGroup", {"logGroupName": group}),
        ("CreateLogStream", {"logGroupName": group, "logStreamName": "s"}),
    ):
        assert send(endpoint, action, json.dumps(body).encode())[0] == 200
    yield good_requests(group)
    send(endpoint, "DeleteLogGroup", json.dumps({"logGroupName": group}).encode())


def test_every_action_has_a_good_request_here(endpoint: str, requests: dict[str, Body]) -> None:
    assert set(requests) == set(LOG_ACTIONS)
    found = {
        action: send(endpoint, action, json.dumps(body).encode())
        for action, body in requests.items()
    }
    refused = {action: told["__type"] for action, (status, told) in found.items() if status != 200}
    assert refused == {
        "DeleteLogGroup": "ResourceNotFoundException",
        "DeleteLogStream": "ResourceNotFoundException",
    }


@settings(max_examples=300, suppress_health_check=list(HealthCheck), deadline=None)
@given(data=st.data())
def test_no_spoiled_request_ends_in_a_500(
    endpoint: str, requests: dict[str, Body], data: st.DataObject
) -> None:
    action = data.draw(st.sampled_from(sorted(requests)))
    status, told = send(endpoint, action, data.draw(spoiled_json(requests[action])))
    assert status in {200, 400}, told
    if status == 400:
        assert told["__type"]
