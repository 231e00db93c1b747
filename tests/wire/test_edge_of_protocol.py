"""The protocol under every action: headers, signatures, all kinds of bodies, spoiled requests."""

import gzip
import http.client
import itertools
import json
import re
import socket
import time
import zlib
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import penstock
from penstock.base import limits
from penstock.operations.registry import ACTIONS
from wire.clients import iterator_of, shards_of, stream_of
from wire.nodes import nodes_of
from wire.requests import STREAMS, TABLES, Body, spoiled_json, valid_requests

CREDENTIAL = "AKIDEXAMPLE/20261001/us-east-1/dynamodb/aws4_request"
AUTHORIZATION = (
    f"AWS4-HMAC-SHA256 Credential={CREDENTIAL}, SignedHeaders=host;x-amz-date, Signature=0a1b2c"
)
LIST_TABLES = TABLES + "ListTables"
CORAL = "com.amazon.coral.service#"


class Answer:
    """One answer: status, headers by lower-case name, body."""

    def __init__(self, response: http.client.HTTPResponse) -> None:
        self.status = response.status
        self.headers = {name.lower(): value for name, value in response.getheaders()}
        self.body = response.read()

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Wire:
    """One connection to the server; where it is several nodes, one to each, used in turn."""

    def __init__(self, endpoint: str) -> None:
        self._connections = [
            http.client.HTTPConnection(urlsplit(node).netloc, timeout=60)
            for node in nodes_of(endpoint)
        ]
        self._turns = itertools.cycle(self._connections)

    def call(
        self,
        target: str = LIST_TABLES,
        body: bytes = b"{}",
        method: str = "POST",
        **changed: str | None,
    ) -> Answer:
        """Send a request with the usual headers, some of them changed or (None) left out."""
        headers = {
            "Content-Type": "application/x-amz-json-1.0",
            "X-Amz-Target": target,
            "X-Amz-Date": "20261001T120000Z",
            "Authorization": AUTHORIZATION,
            **{name.replace("_", "-"): value for name, value in changed.items()},
        }
        sent = {name: value for name, value in headers.items() if value is not None}
        connection = next(self._turns)
        connection.request(method, "/", body, sent)
        return Answer(connection.getresponse())

    def get(self, path: str) -> Answer:
        connection = next(self._turns)
        connection.request("GET", path)
        return Answer(connection.getresponse())

    def close(self) -> None:
        for connection in self._connections:
            connection.close()


@pytest.fixture(scope="session")
def wire(endpoint: str) -> Iterator[Wire]:
    """A connection that is kept."""
    connected = Wire(endpoint)
    yield connected
    connected.close()


def check_headers(answer: Answer) -> None:
    assert answer.headers["x-amz-crc32"] == str(zlib.crc32(answer.body))
    assert answer.headers["content-type"] == "application/x-amz-json-1.0"
    assert re.fullmatch("[A-Z0-9]{52}", answer.headers["x-amzn-requestid"])
    assert answer.headers["content-length"] == str(len(answer.body))


# --- headers


def test_success_and_error_carry_a_right_checksum_and_a_request_id_of_their_own(
    wire: Wire,
) -> None:
    answers = [
        wire.call(),
        wire.call(body=b'{"Limit": 0}'),
        wire.call(body=b"{"),
        wire.call(TABLES + "NoSuchAction"),
        wire.call(Authorization=None),
    ]
    assert [answer.status for answer in answers] == [200, 400, 400, 400, 400]
    for answer in answers:
        check_headers(answer)
    assert len({answer.headers["x-amzn-requestid"] for answer in answers}) == len(answers)


def test_the_health_pages(wire: Wire) -> None:
    root = wire.get("/")
    assert (root.status, root.body) == (200, b"healthy: dynamodb.us-east-1.amazonaws.com ")
    health = wire.get("/_penstock/health")
    assert health.status == 200
    assert health.json.pop("engine") in {"memory", "rocksdb", "postgresql"}
    assert health.json["status"] == "ready"
    assert health.json["version"] == penstock.__version__


@pytest.mark.parametrize(
    "changed",
    [
        {"Content_Type": "text/plain"},
        {"Content_Type": "application/json"},
        {"Content_Type": "application/x-amz-json-1.1"},
        {"Content_Type": None},
        {"method": "PUT"},
        {"method": "DELETE"},
        {"method": "PATCH"},
    ],
)
def test_what_is_no_api_call_is_an_unknown_operation(wire: Wire, changed: dict[str, Any]) -> None:
    answer = wire.call(**changed)
    assert (answer.status, answer.body) == (404, b"<UnknownOperationException/>\n")


def test_another_path_is_an_unknown_operation(wire: Wire) -> None:
    answer = wire.get("/favicon.ico")
    assert (answer.status, answer.body) == (404, b"<UnknownOperationException/>\n")


@pytest.mark.parametrize(
    "target",
    [
        "",
        "ListTables",
        "DynamoDB_20120810",
        TABLES,
        TABLES + "listTables",
        TABLES + "GetRecords",
        STREAMS + "ListTables",
        "DynamoDB_20111205.ListTables",
        "\xe9",
    ],
)
def test_an_unknown_target(wire: Wire, target: str) -> None:
    answer = wire.call(target)
    assert (answer.status, answer.json) == (400, {"__type": CORAL + "UnknownOperationException"})


def test_no_target_at_all(wire: Wire) -> None:
    answer = wire.call(X_Amz_Target=None)
    assert answer.json["__type"] == CORAL + "UnknownOperationException"


# --- signatures


@pytest.mark.parametrize(
    ("changed", "code", "text"),
    [
        (
            {"Authorization": None},
            "MissingAuthenticationToken",
            "Request is missing Authentication Token",
        ),
        (
            {"Authorization": "Bearer x"},
            "MissingAuthenticationToken",
            "Request is missing Authentication Token",
        ),
        (
            {"Authorization": "AWS4-HMAC-SHA256"},
            "IncompleteSignature",
            (
                "Authorization header requires 'Credential' parameter. Authorization header"
                " requires"
                " 'Signature' parameter. Authorization header requires 'SignedHeaders' parameter."
                " Authorization=AWS4-HMAC-SHA256"
            ),
        ),
        (
            {"X_Amz_Date": None},
            "IncompleteSignature",
            (
                "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date'"
                " header."
                f" Authorization={AUTHORIZATION}"
            ),
        ),
        (
            {"X_Amz_Date": "yesterday"},
            "IncompleteSignature",
            (
                "Date must be in ISO-8601 'basic format'. Got 'yesterday'. See"
                " http://en.wikipedia.org/wiki/ISO_8601"
            ),
        ),
        (
            {"Authorization": AUTHORIZATION.replace("/dynamodb/", "/s3/")},
            "InvalidSignature",
            "Credential should be scoped to correct service: 'dynamodb'. ",
        ),
        (
            {"Authorization": AUTHORIZATION.replace("us-east-1", "US EAST")},
            "InvalidSignature",
            "Credential should be scoped to a valid region, not 'US EAST'. ",
        ),
        (
            {"Authorization": AUTHORIZATION.replace("20261001", "20261002")},
            "InvalidSignature",
            (
                "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date"
                " from"
                " HTTP: '20261002' != '20261001', from '20261001T120000Z'."
            ),
        ),
        (
            {"Authorization": AUTHORIZATION.replace("/us-east-1", "")},
            "IncompleteSignature",
            (
                "Credential must have exactly 5 slash-delimited elements, e.g."
                " keyid/date/region/service/term, got"
                f" '{CREDENTIAL.replace('/us-east-1', '')}'"
            ),
        ),
        (
            {"Authorization": AUTHORIZATION.replace("host;", "")},
            "InvalidSignature",
            "'Host' must be a 'SignedHeader' in the AWS Authorization.",
        ),
    ],
)
def test_a_missing_or_garbled_signature(
    wire: Wire, changed: dict[str, Any], code: str, text: str
) -> None:
    """Judged after the target and before the members."""
    answer = wire.call(body=b'{"Limit": "x"}', **changed)
    assert answer.status == 400
    assert answer.json == {"__type": f"{CORAL}{code}Exception", "message": text}
    assert wire.call(TABLES + "Nothing", **changed).json == {
        "__type": CORAL + "UnknownOperationException"
    }


def test_the_region_is_that_of_the_signature(wire: Wire, ddb: Any, new_table: Any) -> None:
    arn = ddb.describe_table(TableName=new_table())["Table"]["TableArn"]
    body = json.dumps({"TableName": arn.rpartition("/")[2]}).encode()
    assert wire.call(TABLES + "DescribeTable", body).json["Table"]["TableArn"] == arn
    elsewhere = AUTHORIZATION.replace("us-east-1", "local")
    answer = wire.call(TABLES + "DescribeTable", body, Authorization=elsewhere)
    assert answer.json["__type"].endswith("#ResourceNotFoundException")


# --- bodies

GARBAGE = [
    b"",
    b"{",
    b"[]",
    b"5",
    b"null",
    b'"text"',
    b"{} {}",
    b"{'a': 1}",
    b'{"a": NaN}',
    b'{"a": 1e999}',
    b'{"a": ' + b"9" * 5000 + b"}",
    b'{"a": "\xff"}',
    b'{"a": "\xed\xa0\x80"}',
    b'{"a": "\\ud800"}',
    b'{"a": "\\ud800 and more of it"}',
    b'{"a": "\x00"}',
    b"\xef\xbb\xbf{}",
    b"[" * 100_000,
    b'{"a":' * 100_000,
    b'{"a":' * 50_000 + b"1" + b"}" * 50_000,
]


@pytest.mark.parametrize("body", GARBAGE, ids=lambda body: repr(body[:24]))
def test_json_garbage_is_a_serialization_error_without_text(wire: Wire, body: bytes) -> None:
    answer = wire.call(body=body)
    assert (answer.status, answer.json) == (400, {"__type": CORAL + "SerializationException"})
    check_headers(answer)


def test_odd_but_good_json(wire: Wire) -> None:
    """Unknown members, nulls and blanks are let by; of two members of one name the last counts."""
    for body in (
        b' \n{"Unknown": {"deep": [[[]]]}, "Limit": null}\r\t ',
        b'{"Limit": 0, "Limit": 7}',
        b'{"\\u004cimit": 7}',
        b'{"Limit": 7.0}',
        b'{"": 1, "\\u0000": 2}',
    ):
        answer = wire.call(body=body)
        assert (answer.status, list(answer.json)[:1]) == (200, ["TableNames"]), body
    big = wire.call(body=b'{"Limit": ' + b"9" * 400 + b"}").json
    assert big["message"].endswith("Member must have value less than or equal to 100")


def test_nul_and_beyond_the_plane_come_back_as_they_were(
    wire: Wire, new_table: Callable[..., str]
) -> None:
    table = new_table()
    text = '\x00\x01\x7f \u2028\ufeff\U0001f600\U0010ffff"\\/'
    for escaped in (True, False):
        item = {"pk": {"S": text}, text: {"M": {text: {"SS": [text]}}}}
        body = json.dumps({"TableName": table, "Item": item}, ensure_ascii=escaped).encode()
        assert wire.call(TABLES + "PutItem", body).status == 200
        body = json.dumps({"TableName": table, "Key": {"pk": {"S": text}}}).encode()
        assert wire.call(TABLES + "GetItem", body).json["Item"] == item


@pytest.mark.parametrize("depth", [32, 33, 200])
def test_nesting_beyond_32_levels_is_refused_with_its_text(
    wire: Wire, new_table: Callable[..., str], depth: int
) -> None:
    value: Any = {"S": "deep"}
    for _ in range(depth - 1):
        value = {"L": [value]}
    item = {"pk": {"S": "p"}, "deep": value}
    body = json.dumps({"TableName": new_table(), "Item": item}).encode()
    answer = wire.call(TABLES + "PutItem", body)
    if depth <= limits.nesting_levels_max:
        assert answer.status == 200
    else:
        assert answer.json["message"].startswith("Nesting Levels have exceeded supported limits")


def test_gzip_and_chunks_arrive_as_they_were(wire: Wire) -> None:
    plain = b'{"Limit": 0}'
    wanted = wire.call(body=plain).json
    packed = gzip.compress(plain)
    assert wire.call(body=packed, Content_Encoding="gzip").json == wanted
    answer = wire.call(body=packed[:-3], Content_Encoding="gzip")
    assert answer.json == {"__type": CORAL + "SerializationException"}
    chunks: Any = iter([plain[:5], plain[5:]])
    assert wire.call(body=chunks).json == wanted


def test_a_body_over_16_mb_is_too_large_also_when_unpacked(endpoint: str) -> None:
    """And one of exactly 16 MB is not."""
    most = limits.request_body_bytes_max
    bomb = gzip.compress(b" " * (most + 1))
    for body, changed, status in (
        (b"{}".ljust(most), {}, 200),
        (b"{}".ljust(most + 1), {}, 413),
        (bomb, {"Content_Encoding": "gzip"}, 413),
    ):
        connected = Wire(endpoint)
        assert connected.call(body=body, **changed).status == status
        connected.close()


def test_pipelined_requests_are_answered_in_their_order(endpoint: str) -> None:
    """Also those in the middle that are refused, and those that come in pieces."""
    parts = urlsplit(endpoint)
    bodies = [b'{"Limit": %d}' % (0 if n % 3 else 1 + n) for n in range(20)]
    stream = b"".join(
        b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-amz-json-1.0\r\n"
        b"X-Amz-Date: 20261001T120000Z\r\nAuthorization: %b\r\nX-Amz-Target: %b\r\n"
        b"Content-Length: %d\r\n\r\n%b"
        % (AUTHORIZATION.encode(), LIST_TABLES.encode(), len(body), body)
        for body in bodies
    )
    with socket.create_connection((parts.hostname, parts.port), timeout=60) as connection:
        for at in range(0, len(stream), 1000):
            connection.sendall(stream[at : at + 1000])
        reader = connection.makefile("rb")
        for n in range(20):
            status = int(reader.readline().split()[1])
            head = dict(line.split(b": ", 1) for line in iter(reader.readline, b"\r\n"))
            body = reader.read(int(head[b"Content-Length"]))
            assert status == (400 if n % 3 else 200)
            assert head[b"x-amz-crc32"].strip() == b"%d" % zlib.crc32(body)


# --- spoiled requests


@pytest.fixture(scope="session")
def requests(ddb: Any, streams: Any) -> Iterator[dict[str, Body]]:
    """A good request of every action."""
    table = f"spoiled-{time.time_ns()}"
    bodies = valid_requests(table, "", "", "")
    ddb.create_table(**bodies[TABLES + "CreateTable"])
    arn = stream_of(ddb, table)
    shard = shards_of(streams, arn)[0]["ShardId"]
    bodies = valid_requests(table, arn, shard, iterator_of(streams, arn, shard, "TRIM_HORIZON"))
    ddb.put_item(**{**bodies[TABLES + "PutItem"], "Item": _plain_item()})
    yield bodies
    ddb.delete_table(TableName=table)


def _plain_item() -> dict[str, Any]:
    return {"pk": {"S": "p"}, "sk": {"N": "1"}, "s": {"S": "text"}, "n": {"N": "1"}, "l": {"L": []}}


def test_every_action_has_a_good_request_here(requests: dict[str, Body], wire: Wire) -> None:
    """Each is taken, or refused only for what it finds: the fuzzing begins at working requests."""
    assert set(requests) == {t + name for t, actions in ACTIONS.items() for name in actions}
    found = {
        target: wire.call(target, json.dumps(body).encode()) for target, body in requests.items()
    }
    refused = {target: a.json["__type"] for target, a in found.items() if a.status != 200}
    assert {
        target.partition(".")[2]: kind.partition("#")[2] for target, kind in refused.items()
    } == {
        "CreateTable": "ResourceInUseException",
        "DeleteTable": "ResourceNotFoundException",
        "UpdateTable": "ValidationException",
        "GetShardIterator": "ValidationException",
    }


@settings(max_examples=500, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_no_spoiled_request_ends_in_a_500_and_the_server_keeps_answering(
    wire: Wire, requests: dict[str, Body], data: st.DataObject
) -> None:
    target = data.draw(st.sampled_from(sorted(requests)))
    body = data.draw(spoiled_json(requests[target]))
    answer = wire.call(target, body)
    assert answer.status in {200, 400}, answer.body
    check_headers(answer)
    if answer.status == 400:
        assert "#" in answer.json["__type"]
