"""The server in a test's own process hides nothing that goes wrong on its thread."""

import http.client
import json
import urllib.request
from contextlib import closing
from urllib.parse import urlsplit

import pytest

from penstock.app.control_client import ControlClient
from penstock.app.endpoint import own_endpoint
from penstock.base.clock import Clock
from penstock.storage.memory import MemoryEngine
from penstock.testing.server import RunningServer


class Unclosable(MemoryEngine):
    """An engine that fails at its end."""

    def close(self) -> None:
        super().close()
        raise OSError("cannot close")


def test_it_answers_inside_the_with_and_is_gone_after_it() -> None:
    with RunningServer() as server, urllib.request.urlopen(server.url) as answer:
        assert answer.read().startswith(b"healthy")
    with pytest.raises(OSError, match="refused"):
        urllib.request.urlopen(server.url)


def test_an_engine_that_cannot_be_had_fails_the_start() -> None:
    def fail(_clock: Clock) -> MemoryEngine:
        raise OSError("no engine")

    with pytest.raises(OSError, match="no engine"), RunningServer(fail):
        pytest.fail("it started")


def test_what_goes_wrong_at_the_end_is_raised_there() -> None:
    with pytest.raises(OSError, match="cannot close"), RunningServer(Unclosable):
        pass


def test_what_the_test_itself_raises_comes_first() -> None:
    with pytest.raises(KeyError), RunningServer(Unclosable):
        raise KeyError


def test_a_drain_that_waits_when_it_stops_is_answered() -> None:
    server = RunningServer(test_controls=True)
    with server:
        tables = own_endpoint(server.url).tables()
        tables.create_table(
            TableName="abc",
            KeySchema=[{"AttributeName": "k", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "k", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
            StreamSpecification={"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"},
        )
        tables.put_item(TableName="abc", Item={"k": {"S": "a"}})
        waiting = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=60)
        body = {"TableName": "abc", "Consumer": "nobody", "SecondsMax": 300}
        waiting.request("POST", "/_penstock/control/Drain", json.dumps(body))
        ControlClient(server.url).now_ms()  # answered, so what came before it has been read
    with closing(waiting):
        answer = waiting.getresponse()
        said = json.load(answer)
    assert answer.status == 503
    assert said == {
        "__type": "com.amazon.coral.service#ServiceUnavailable",
        "message": "The server is stopping",
    }
