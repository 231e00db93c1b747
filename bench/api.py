"""Asks a server of DynamoDB's protocol for one thing at a time: what is not measured."""

import http.client
import json
import time
from typing import Any, NamedTuple

from bench.trouble import Trouble

ANSWER_SECONDS_MAX = 20.0
ACTIVE_SECONDS_MAX = 30.0
POLL_SECONDS = 0.05
REGION = "us-east-1"

Json = dict[str, Any]


class ApiError(Trouble):
    """A request was not answered with 200."""


class UnknownAction(ApiError):
    """The server says that it does not know the action."""


class Answer(NamedTuple):
    """A whole answer: its status, its headers as they came, and its body."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes


def headers_of(action: str) -> dict[str, str]:
    """Return the headers of a request that looks signed."""
    return {
        "Content-Type": "application/x-amz-json-1.0",
        "X-Amz-Target": f"DynamoDB_20120810.{action}",
        **signature("dynamodb", "content-type;host;x-amz-date;x-amz-target"),
    }


def signature(service: str, signed: str) -> dict[str, str]:
    """Return the headers that make a request for a service look signed."""
    scope = f"20260101/{REGION}/{service}/aws4_request"
    return {
        "X-Amz-Date": "20260101T000000Z",
        "Authorization": f"AWS4-HMAC-SHA256 Credential=benchmark/{scope}, "
        f"SignedHeaders={signed}, Signature={'0' * 64}",
    }


class Api:
    """One connection to a server; made anew after a failure."""

    def __init__(self, host: str, port: int, seconds_max: float = ANSWER_SECONDS_MAX) -> None:
        self._connection = http.client.HTTPConnection(host, port, timeout=seconds_max)

    def close(self) -> None:
        """Close the connection; the next request opens it again."""
        self._connection.close()

    def ask(self, action: str, body: bytes) -> Answer:
        """Return the answer to a request, whatever it is. Raises OSError, HTTPException."""
        try:
            self._connection.request("POST", "/", body, headers_of(action))
            response = self._connection.getresponse()
            return Answer(response.status, response.getheaders(), response.read())
        except (OSError, http.client.HTTPException):
            self._connection.close()
            raise

    def call(self, action: str, **parameters: Any) -> Json:
        """Return what a request is answered with. Raises ApiError where that is no 200."""
        try:
            answer = self.ask(action, json.dumps(parameters).encode())
        except (OSError, http.client.HTTPException) as error:
            raise ApiError(f"{action}: {error!r}") from error
        if answer.status != 200:
            kind = UnknownAction if b"UnknownOperation" in answer.body else ApiError
            raise kind(f"{action}: {answer.status} {answer.body[:300].decode(errors='replace')}")
        told: Json = json.loads(answer.body)
        return told

    def make_table(self, name: str, *, sorted_by: str | None, streamed: bool) -> str | None:
        """Make a table with the key `pk`, wait until it is there; return its stream's ARN."""
        keys = [("pk", "HASH")] + ([(sorted_by, "RANGE")] if sorted_by else [])
        stream = {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}
        self.call(
            "CreateTable",
            TableName=name,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": k, "AttributeType": "S"} for k, _ in keys],
            KeySchema=[{"AttributeName": k, "KeyType": kind} for k, kind in keys],
            **({"StreamSpecification": stream} if streamed else {}),
        )
        deadline = time.monotonic() + ACTIVE_SECONDS_MAX
        while True:
            table = self.call("DescribeTable", TableName=name)["Table"]
            if table.get("TableStatus") == "ACTIVE":
                arn: str | None = table.get("LatestStreamArn")
                return arn
            if time.monotonic() > deadline:
                raise ApiError(f"CreateTable: {name} is {table.get('TableStatus')}")
            time.sleep(POLL_SECONDS)
