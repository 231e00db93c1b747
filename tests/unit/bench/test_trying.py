"""What is found out about a server before it is driven, so that no load goes where none can."""

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from bench.api import Api, UnknownAction
from bench.measurements import CannotMeasure, Course
from bench.request_measurements import _try
from bench.servers import SERVERS, Running
from bench.work import WORKLOADS, WrongAnswer
from unit.bench.outcomes import plan


class Answering(BaseHTTPRequestHandler):
    """Answers every request with what the server was told to."""

    status = 200
    body = b"{}"

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(self.status)
        self.send_header("Content-Length", str(len(self.body)))
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, *arguments: object) -> None:
        pass


class Known(Running):
    """A server of the test, of which only host and port matter."""

    def __init__(self, port: int) -> None:
        self.server = SERVERS["moto"]
        self.host, self.port = "127.0.0.1", port


@pytest.fixture
def running() -> Iterator[Known]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Answering) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield Known(server.server_port)
        server.shutdown()
        thread.join()


def test_a_server_whose_single_requests_are_too_slow_is_not_driven(
    running: Known, monkeypatch: pytest.MonkeyPatch
) -> None:
    times = iter([0, 5.0, 5.0, 5.2, 6.0, 6.3])  # the first request finds a server that is cold
    monkeypatch.setattr("bench.request_measurements.time.monotonic", lambda: next(times))
    with pytest.raises(CannotMeasure, match=r"one TransactWriteItems alone takes .* 0.20 s"):
        _try(running, WORKLOADS["transact"], Course(plan()))


def test_a_server_that_is_fast_enough_alone_is_driven(running: Known) -> None:
    _try(running, WORKLOADS["transact"], Course(plan()))


def test_a_wrong_answer_is_no_answer(running: Known, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(WrongAnswer, match=r"GetItem: \{\}"):
        _try(running, WORKLOADS["get"], Course(plan()))
    monkeypatch.setattr(Answering, "status", 500)
    with pytest.raises(WrongAnswer, match="PutItem: 500"):
        _try(running, WORKLOADS["put"], Course(plan()))


def test_an_action_that_a_server_does_not_know_is_no_failure(
    running: Known, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = {"__type": "com.amazon.coral.service#UnknownOperationException"}
    monkeypatch.setattr(Answering, "status", 400)
    monkeypatch.setattr(Answering, "body", json.dumps(told).encode())
    with pytest.raises(UnknownAction):
        _try(running, WORKLOADS["transact"], Course(plan()))
    with pytest.raises(UnknownAction):
        Api(running.host, running.port).call("TransactWriteItems")
