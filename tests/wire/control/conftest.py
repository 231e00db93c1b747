"""Servers with test controls, one for each file of tests, and how their controls are called.

With `--url` it is the server there, which has to be started with `--test-controls`.
"""

import json
import re
import urllib.error
import urllib.request
import uuid
import zlib
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest

from penstock.testing.server import RunningServer
from server_process import ServerProcess
from wire.clients import REGION, connect, iterator_of, stream_of

ANSWER_SECONDS_MAX = 90.0
HOUR_MS = 3600 * 1000


class Answer(NamedTuple):
    """A raw HTTP answer; header names in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def ask(url: str, path: str, body: bytes = b"{}", method: str = "POST") -> Answer:
    """Send a request that nobody signed."""
    request = urllib.request.Request(url + path, data=body, method=method)
    try:
        with urllib.request.urlopen(request, timeout=ANSWER_SECONDS_MAX) as got:
            status, headers, read = got.status, got.headers, got.read()
    except urllib.error.HTTPError as error:
        with error:
            status, headers, read = error.code, error.headers, error.read()
    return Answer(status, {name.lower(): value for name, value in headers.items()}, read)


class Controlled(NamedTuple):
    """A server with test controls, and clients to talk to it."""

    url: str
    ddb: Any
    streams: Any

    def ask(self, action: str, body: bytes | dict[str, Any]) -> Answer:
        """Send an action's raw or JSON body."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        return ask(self.url, f"/_penstock/control/{action}", data)

    def call(self, action: str, **body: Any) -> dict[str, Any]:
        """Return the answer to an action that must be done."""
        answer = self.ask(action, body)
        assert answer.status == 200, answer.body
        self._check(answer)
        done: dict[str, Any] = answer.json
        return done

    def refused(self, action: str, body: bytes | dict[str, Any]) -> tuple[str, str | None]:
        """Return code and text of an action that must be refused."""
        answer = self.ask(action, body)
        assert answer.status == 400, answer.body
        self._check(answer)
        code = answer.json["__type"].rpartition("#")[2]
        return code, answer.json.get("message", answer.json.get("Message"))

    def table(
        self,
        view_type: str | None = "NEW_AND_OLD_IMAGES",
        region: str = REGION,
        name: str | None = None,
    ) -> str:
        """Make a table with a stream, or without one where `view_type` is None."""
        name = name or f"test-{uuid.uuid4().hex[:12]}"
        stream = {"StreamEnabled": True, "StreamViewType": view_type}
        ddb = self.ddb if region == REGION else connect(self.url, "dynamodb", region)
        ddb.create_table(
            TableName=name,
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
            **({} if view_type is None else {"StreamSpecification": stream}),
        )
        return name

    def put(self, table: str, *names: str) -> None:
        """Put an item of each name, with a value that no earlier one had."""
        for name in names:
            item = {"pk": {"S": name}, "v": {"S": uuid.uuid4().hex}}
            self.ddb.put_item(TableName=table, Item=item)

    def shards(self, table: str) -> list[dict[str, Any]]:
        """Return the shards of a table's latest stream, open and closed, by their ids."""
        described = self.streams.describe_stream(StreamArn=stream_of(self.ddb, table))
        shards: list[dict[str, Any]] = described["StreamDescription"]["Shards"]
        return shards

    def iterators(self, table: str, kind: str = "TRIM_HORIZON") -> dict[str, str]:
        """Return a new iterator of each shard of a table's latest stream, by the shard's id."""
        arn = stream_of(self.ddb, table)
        ids = [shard["ShardId"] for shard in self.shards(table)]
        return {shard: iterator_of(self.streams, arn, shard, kind) for shard in ids}

    def _check(self, answer: Answer) -> None:
        """Check what every answer of the API has."""
        assert answer.headers["content-type"] == "application/x-amz-json-1.0"
        assert int(answer.headers["x-amz-crc32"]) == zlib.crc32(answer.body)
        assert re.fullmatch("[A-Z0-9]{52}", answer.headers["x-amzn-requestid"])


@pytest.fixture(scope="module")
def server(
    server_kind: str, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Controlled]:
    """The server under test: one node also where there could be several.

    Controls are of one process. Another node has a clock, faults and readers of its own.
    """

    def controlled(url: str) -> Controlled:
        return Controlled(url, connect(url, "dynamodb"), connect(url, "dynamodbstreams"))

    if server_kind.startswith("http"):
        yield controlled(server_kind)
        return
    if server_kind == "memory":
        with RunningServer(test_controls=True) as running:
            yield controlled(running.url)
        return
    place = tmp_path_factory.mktemp("controlled")
    if server_kind == "rocksdb":
        process = ServerProcess.on(place / "store", "--test-controls")
    else:
        store = request.getfixturevalue("url_of_new_schema")()
        process = ServerProcess.node(store, place / "log", "--test-controls")
    with process:
        yield controlled(process.url)
        process.stop()
        assert process.complaints == "", "no request of any test is a bug of the server"
