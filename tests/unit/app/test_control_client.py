"""The client of the test controls does what it says, and tells in one line what it cannot do."""

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from penstock.app.control_client import ControlClient, ControlError
from penstock.app.endpoint import own_endpoint
from penstock.base import limits
from penstock.testing.clock import FakeClock
from penstock.testing.server import RunningServer

Call = Callable[[ControlClient], Any]


@pytest.fixture(scope="module")
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture(scope="module")
def url(clock: FakeClock) -> Iterator[str]:
    with RunningServer(clock=clock, test_controls=True) as server:
        yield server.url


def make_table(url: str, name: str) -> Any:
    """Make a table with a stream; return a client to write to it with."""
    client = own_endpoint(url).tables()
    client.create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "k", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "k", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"},
    )
    return client


class Told:
    """A made-up server: what it was asked, and what it is to answer."""

    def __init__(self, status: int = 200, body: bytes = b"{}") -> None:
        self.status, self.body = status, body
        self.asked: list[tuple[str, Any]] = []


@contextmanager
def answering(told: Told) -> Iterator[str]:
    """Run the made-up server, and give its URL."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            told.asked.append((self.path, json.loads(body)))
            self.send_response(told.status)
            self.send_header("Content-Length", str(len(told.body)))
            self.end_headers()
            self.wfile.write(told.body)

        def log_message(self, *_: Any) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


# --- against a server


def test_the_clock_is_told_and_moved(url: str, clock: FakeClock) -> None:
    """A clock that the test itself can move is moved, not one over it."""
    client = ControlClient(url)
    now_ms = clock.now_ms()
    assert client.now_ms() == now_ms
    assert client.advance(90_000) == now_ms + 90_000 == clock.now_ms()
    assert client.set_clock(now_ms - 5) == now_ms - 5 == clock.now_ms()
    clock.set(now_ms)
    assert client.now_ms() == now_ms


def test_shards_are_rolled_split_and_trimmed(url: str) -> None:
    make_table(url, "Surgery")
    client = ControlClient(url)
    rolled = client.roll("Surgery")
    assert [len(each.children) for each in rolled] == [1, 1, 1, 1]
    (again,) = client.roll("Surgery", rolled[0].children[0])
    assert again.parent == rolled[0].children[0]
    split = client.split("Surgery")
    assert len(split.children) == 2
    named = client.split("Surgery", split.children[1])
    assert named.parent == split.children[1]
    assert len(client.trim("Surgery")) == 4 + 4 + 1 + 2 + 2
    assert client.trim("Surgery", split.parent) == [split.parent]


def test_iterators_are_expired(url: str) -> None:
    tables = make_table(url, "Iterators")
    streams: Any = own_endpoint(url).streams()
    arn = tables.describe_table(TableName="Iterators")["Table"]["LatestStreamArn"]
    shards = streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]

    def new(place: int) -> str:
        iterator: str = streams.get_shard_iterator(
            StreamArn=arn, ShardId=shards[place]["ShardId"], ShardIteratorType="LATEST"
        )["ShardIterator"]
        return iterator

    def lives(iterator: str) -> bool:
        try:
            streams.get_records(ShardIterator=iterator)
        except streams.exceptions.ExpiredIteratorException:
            return False
        return True

    client = ControlClient(url)
    one, same, other = new(0), new(0), new(1)
    client.expire_iterators(iterator=one)
    assert [lives(each) for each in (one, same, other)] == [False, True, True]
    client.expire_iterators("Iterators", shards[0]["ShardId"])
    assert [lives(each) for each in (one, same, other)] == [False, False, True]
    client.expire_iterators("Iterators")
    assert [lives(each) for each in (one, same, other, new(1))] == [False, False, False, True]


def test_readers_are_told_and_how_far_they_are(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """No more rows of either list than the limit says, and how many more there are."""
    tables = make_table(url, "Read")
    streams: Any = own_endpoint(url).streams()
    client = ControlClient(url)
    nobody = {"Shards": [], "ShardsLeftOff": 0, "Consumers": [], "ConsumersLeftOff": 0}
    assert client.readers("Read") == nobody
    arn = tables.describe_table(TableName="Read")["Table"]["LatestStreamArn"]
    for shard in streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]:
        iterator = streams.get_shard_iterator(
            StreamArn=arn, ShardId=shard["ShardId"], ShardIteratorType="LATEST"
        )["ShardIterator"]
        streams.get_records(ShardIterator=iterator)
    told = client.readers("Read")
    assert [len(told["Shards"]), len(told["Consumers"])] == [4, 4]
    assert told["ShardsLeftOff"] == told["ConsumersLeftOff"] == 0
    assert {each["StreamArn"] for each in told["Consumers"]} == {arn}
    assert ControlClient(url, "eu-west-1").readers("Read") == nobody
    monkeypatch.setattr(limits, "listed_readers_max", 3)
    fewer = client.readers("Read")
    assert fewer == {
        "Shards": told["Shards"][:3],
        "ShardsLeftOff": 1,
        "Consumers": told["Consumers"][:3],
        "ConsumersLeftOff": 1,
    }


def test_what_the_server_refuses_is_told_with_its_code(url: str) -> None:
    make_table(url, "Refused")
    with pytest.raises(ControlError) as caught:
        ControlClient(url).roll("Nowhere")
    assert caught.value.code == "ResourceNotFoundException"
    assert str(caught.value) == (
        "ResourceNotFoundException: Requested resource not found: Table: Nowhere not found"
    )
    with pytest.raises(ControlError) as caught:
        ControlClient(url, "eu-west-1").roll("Refused")
    assert caught.value.code == "ResourceNotFoundException"
    with pytest.raises(ControlError) as caught:
        ControlClient(url).call("Nothing")
    assert (str(caught.value), caught.value.code) == (("UnknownOperationException",) * 2)


def test_a_server_without_controls_is_told_from_one_that_is_not_there() -> None:
    with RunningServer() as server:
        client = ControlClient(server.url)
        with pytest.raises(ControlError) as caught:
            client.now_ms()
        assert str(caught.value) == (
            f"the server at {server.url} was not started with --test-controls"
        )
    with pytest.raises(ControlError) as caught:
        client.now_ms()
    assert str(caught.value) == f"cannot connect to {server.url}: is the server running?"


def test_a_proxy_of_the_environment_is_not_asked(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)
    assert ControlClient(url).now_ms() > 0


# --- against what a server might do


@pytest.mark.parametrize(
    ("call", "path", "body"),
    [
        (lambda c: c.now_ms(), "MoveClock", {}),
        (lambda c: c.advance(0), "MoveClock", {"Milliseconds": 0}),
        (lambda c: c.set_clock(9), "MoveClock", {"To": 9}),
        (lambda c: c.roll("T"), "RollShards", {"TableName": "T", "Region": "r"}),
        (lambda c: c.split("T", "s"), "SplitShard", {"TableName": "T", "Region": "r"}),
        (lambda c: c.trim("T"), "TrimShards", {"TableName": "T", "Region": "r"}),
        (
            lambda c: c.expire_iterators("T", "s"),
            "ExpireIterators",
            {"TableName": "T", "Region": "r", "ShardId": "s"},
        ),
        (lambda c: c.expire_iterators(iterator="i"), "ExpireIterators", {"ShardIterator": "i"}),
        (lambda c: c.fault("throttle", calls=3), "PutFault", {"Kind": "throttle", "Calls": 3}),
        (
            lambda c: c.fault("throttle", calls=3, region="other"),
            "PutFault",
            {"Kind": "throttle", "Calls": 3, "Region": "other"},
        ),
        (
            lambda c: c.fault(
                "fewer",
                table="T",
                shard_id="s",
                consumer="c",
                probability=0.25,
                seed=7,
                records=2,
            ),
            "PutFault",
            {
                "Kind": "fewer",
                "TableName": "T",
                "Region": "r",
                "ShardId": "s",
                "Consumer": "c",
                "Probability": 0.25,
                "Seed": 7,
                "Records": 2,
            },
        ),
        (lambda c: c.faults(), "ListFaults", {}),
        (lambda c: c.readers(), "ListReaders", {"Region": "r"}),
        (lambda c: c.readers("T"), "ListReaders", {"TableName": "T", "Region": "r"}),
        (lambda c: c.clear_faults(), "ClearFaults", {}),
        (lambda c: c.clear_faults("f"), "ClearFaults", {"FaultId": "f"}),
        (
            lambda c: c.drain("T", "c", 2.5),
            "Drain",
            {"TableName": "T", "Region": "r", "Consumer": "c", "SecondsMax": 2.5},
        ),
    ],
)
def test_each_call_asks_for_its_action(call: Call, path: str, body: dict[str, Any]) -> None:
    succession = {"Parent": "p", "Children": ["c"]}
    answer = {
        "Now": 1,
        "Successions": [succession],
        "Shards": [],
        "FaultId": "f",
        "Faults": [],
        "ShardsLeftOff": 0,
        "Consumers": [],
        "ConsumersLeftOff": 0,
    }
    told = Told(body=json.dumps(answer).encode())
    with answering(told) as url:
        call(ControlClient(url, "r"))
    shard = {"ShardId": "s"} if path == "SplitShard" else {}
    assert told.asked == [(f"/_penstock/control/{path}", body | shard)]


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, b""),
        (200, b"<html>"),
        (200, b"\xff"),
        (200, b"[]"),
        (200, b"{}"),
        (200, b'{"Successions": 5}'),
        (200, b'{"Successions": [5]}'),
        (200, b'{"Successions": [{"Parent": "p"}]}'),
        (400, b"{}"),
        (500, b"sorry"),
        (301, b""),
        (200, b" " * (limits.own_answer_bytes_max + 1)),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_an_answer_that_is_not_penstocks_is_told_as_such(status: int, body: bytes) -> None:
    with answering(Told(status, body)) as url, pytest.raises(ControlError) as caught:
        ControlClient(url).roll("T")
    assert str(caught.value).startswith(f"{url} does not answer as Penstock does: ")
    assert caught.value.code == ""


@pytest.mark.parametrize(
    "more",
    [{"Consumers": [5]}, {"Consumers": [{"Consumer": "c"}]}, {"Shards": 5}, {"ShardsLeftOff": "x"}],
)
def test_strange_readers_are_told_as_such(more: dict[str, Any]) -> None:
    answer = {"Shards": [], "ShardsLeftOff": 0, "Consumers": [], "ConsumersLeftOff": 0} | more
    told = Told(body=json.dumps(answer).encode())
    with answering(told) as url, pytest.raises(ControlError, match="does not answer as Penstock"):
        ControlClient(url).readers()


@pytest.mark.parametrize("said", [b"", b"nonsense\r\n\r\n", b"HTTP/1.1 abc\r\n\r\n"])
def test_a_connection_that_breaks_is_told(said: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"

        def answer() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(said)

        thread = threading.Thread(target=answer)
        thread.start()
        with pytest.raises(ControlError, match=f"^{url} did not answer MoveClock: "):
            ControlClient(url).now_ms()
        thread.join()


def test_a_server_that_never_answers_is_not_waited_for_for_ever(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(limits, "control_answer_seconds_max", 0.05)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        with pytest.raises(ControlError) as caught:
            ControlClient(url).now_ms()
    assert str(caught.value) == f"{url} did not answer MoveClock within 0.05 s"


def test_what_json_cannot_hold_is_told_and_not_sent() -> None:
    told = Told()
    with (
        answering(told) as url,
        pytest.raises(ControlError, match=r"^PutFault cannot be asked for"),
    ):
        ControlClient(url).fault("throttle", probability=float("nan"))
    assert told.asked == []


@pytest.mark.parametrize(
    "url",
    [
        "",
        "127.0.0.1:8000",
        "ftp://127.0.0.1",
        "http://",
        "http://x:port",
        "http://x:0",
        "http://x:99999",
        "http://x/path",
        "http://x?y",
    ],
)
def test_what_is_no_url_is_refused_at_once(url: str) -> None:
    with pytest.raises(ControlError) as caught:
        ControlClient(url)
    assert str(caught.value) == f"not a URL of an endpoint: {url!r} (expected http://host:port)"


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("http://[::1]", ("::1", 80)),
        ("https://[::1]/", ("::1", 443)),
        ("http://[::1]:8000", ("::1", 8000)),
        ("http://127.0.0.1", ("127.0.0.1", 80)),
    ],
)
def test_a_url_without_a_port_means_that_of_its_scheme(
    url: str, address: tuple[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def refuse(address: tuple[str, int], *_: Any) -> None:
        asked.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "create_connection", refuse)
    with pytest.raises(ControlError) as caught:
        ControlClient(url).now_ms()
    assert asked == [address]
    assert str(caught.value) == f"cannot connect to {url}: is the server running?"


@pytest.mark.parametrize("host", ["a b", "x\x7f", "." + "x" * 70])
def test_a_host_that_cannot_be_is_told_as_one_that_is_not_there(host: str) -> None:
    with pytest.raises(ControlError, match=r"^cannot connect to "):
        ControlClient(f"http://{host}").now_ms()
