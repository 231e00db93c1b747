"""The ground of the wire tests: servers to talk to, boto3 clients, tables, and raw requests.

Without options every test runs three times: against a memory engine in this process, which runs
each transaction's work twice and asserts the locks; against `penstock serve` over rocksdb; and
against two nodes of it over PostgreSQL, which get the requests in turn. With `--url URL` they run
once, against whatever answers there.
"""

import json
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from penstock.testing.server import RunningServer
from server_process import ServerProcess
from wire.clients import REGION, all_records, connect, stream_of
from wire.nodes import endpoint_of, next_node

KINDS = ("memory", "rocksdb", pytest.param("postgresql", marks=pytest.mark.slow))
TTL_SECONDS = 1


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "server_kind" in metafunc.fixturenames:
        url = metafunc.config.getoption("--url")
        metafunc.parametrize("server_kind", [url] if url else KINDS, scope="session")


@pytest.fixture(scope="session")
def endpoint(server_kind: str, request: pytest.FixtureRequest) -> str:
    """The URL of the server under test."""
    if server_kind.startswith("http"):
        return server_kind
    # Of a fixture each, so that a server stays when the tests go from one kind to the next.
    url: str = request.getfixturevalue(f"{server_kind}_endpoint")
    return url


@pytest.fixture(scope="session")
def memory_endpoint() -> Iterator[str]:
    """The URL of a server in this process."""
    with RunningServer(ttl_interval_seconds=TTL_SECONDS) as server:
        yield server.url


@pytest.fixture(scope="session")
def rocksdb_endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a server over rocksdb."""
    store = tmp_path_factory.mktemp("served") / "store"
    with ServerProcess.on(store, "--ttl-interval-seconds", str(TTL_SECONDS)) as process:
        yield process.url
        stop_all(process)


@pytest.fixture(scope="session")
def postgresql_endpoint(
    url_of_new_schema: Callable[[], str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """The URL that stands for two nodes over PostgreSQL."""
    store, logs = url_of_new_schema(), tmp_path_factory.mktemp("nodes")
    ttl = ("--ttl-interval-seconds", str(TTL_SECONDS))
    with (
        ServerProcess.node(store, logs / "one.log", *ttl) as one,
        ServerProcess.node(store, logs / "other.log", *ttl) as other,
    ):
        yield endpoint_of([one.url, other.url])
        stop_all(one, other)


def stop_all(*servers: ServerProcess) -> None:
    """Stop servers as an operator would; none of them may have had anything to say."""
    for server in servers:
        server.stop()
        assert server.complaints == "", "no request of any test is a bug of the server"


@pytest.fixture(scope="session")
def make_client(endpoint: str) -> Callable[..., Any]:
    """Make a boto3 client of a service; parameters are not checked by the client."""
    made: dict[tuple[str, str], Any] = {}

    def make(service: str, region: str = REGION) -> Any:
        key = (service, region)
        if key not in made:
            made[key] = connect(endpoint, service, region)
        return made[key]

    return make


@pytest.fixture(scope="session")
def ddb(make_client: Callable[..., Any]) -> Any:
    """A client of DynamoDB."""
    return make_client("dynamodb")


@pytest.fixture(scope="session")
def streams(make_client: Callable[..., Any]) -> Any:
    """A client of DynamoDB Streams."""
    return make_client("dynamodbstreams")


@pytest.fixture
def table_name() -> str:
    """A name that no table has had."""
    return f"test-{uuid.uuid4().hex[:12]}"


@pytest.fixture
def new_table(ddb: Any, table_name: str) -> Iterator[Callable[..., str]]:
    """Make tables that are deleted after the test: `new_table(sort='S', view_type='NEW_IMAGE')`."""
    made: list[str] = []

    def make(
        partition: str = "S", sort: str | None = None, view_type: str | None = None, **more: Any
    ) -> str:
        name = f"{table_name}.{len(made)}"
        keys = [("pk", "HASH", partition)] + ([("sk", "RANGE", sort)] if sort else [])
        if view_type:
            more["StreamSpecification"] = {"StreamEnabled": True, "StreamViewType": view_type}
        ddb.create_table(
            **{
                "TableName": name,
                "KeySchema": [{"AttributeName": n, "KeyType": k} for n, k, _ in keys],
                "AttributeDefinitions": [
                    {"AttributeName": n, "AttributeType": t} for n, _, t in keys
                ],
                "BillingMode": "PAY_PER_REQUEST",
                **more,
            }
        )
        ddb.get_waiter("table_exists").wait(
            TableName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 30}
        )
        made.append(name)
        return name

    yield make
    for name in made:
        ddb.delete_table(TableName=name)


@pytest.fixture(scope="session")
def refused() -> Callable[..., str]:
    """Call what must fail with a code, and return the message: `refused(code, call, ...)`."""

    def call_it(code: str, call: Callable[..., Any], **parameters: Any) -> str:
        with pytest.raises(ClientError) as caught:
            call(**parameters)
        error = caught.value.response["Error"]
        assert error["Code"] == code, error
        return error["Message"]

    return call_it


class Answer:
    """A raw HTTP answer: status, headers (lower case), body bytes and, where it is JSON, `json`."""

    def __init__(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.status = status
        self.headers = {name.lower(): value for name, value in headers.items()}
        self.body = body

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@pytest.fixture(scope="session")
def raw(endpoint: str) -> Callable[..., Answer]:
    """Send a body of the test's own making, well signed: `raw(target, b'{}')`."""

    def send(target: str, body: bytes | dict[str, Any], **headers: str) -> Answer:
        data = json.dumps(body).encode() if isinstance(body, dict) else body
        all_headers = {
            "X-Amz-Target": target,
            "Content-Type": "application/x-amz-json-1.0",
            "Host": urlsplit(endpoint).netloc,
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }
        request = AWSRequest("POST", endpoint + "/", data=data, headers=all_headers)
        SigV4Auth(Credentials("AKIDEXAMPLE", "secret"), "dynamodb", REGION).add_auth(request)
        sent = urllib.request.Request(
            next_node(endpoint) + "/",
            data=data,
            headers=dict(request.headers),
            method="POST",
        )
        try:
            with urllib.request.urlopen(sent, timeout=60) as got:
                return Answer(got.status, dict(got.headers), got.read())
        except urllib.error.HTTPError as error:
            with error:
                return Answer(error.code, dict(error.headers), error.read())

    return send


@pytest.fixture(scope="session")
def rejected(raw: Callable[..., Answer]) -> Callable[..., tuple[str, str | None]]:
    """Send a raw body that must be refused: `rejected(target, body)` gives code and message."""

    def send(target: str, body: bytes | dict[str, Any]) -> tuple[str, str | None]:
        answer = raw(target, body)
        assert answer.status == 400, answer.body
        code = answer.json["__type"].rpartition("#")[2]
        return code, answer.json.get("message", answer.json.get("Message"))

    return send


@pytest.fixture
def read_stream(ddb: Any, streams: Any) -> Callable[[str], list[dict[str, Any]]]:
    """Return all records of a table's latest stream, shard by shard, each in the shard's order."""

    def read(table: str) -> list[dict[str, Any]]:
        return all_records(streams, stream_of(ddb, table))

    return read
