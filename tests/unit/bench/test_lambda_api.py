"""How the benchmark asks for actions of Lambda, and what it makes of refusals."""

import base64
import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, NamedTuple

import pytest

from bench import handler, lambda_api
from bench.api import ApiError
from bench.lambda_api import LambdaApi, Mapped, code

MAPPED = Mapped("arn:x", "count", 7, "LATEST")
FUNCTIONS, MAPPINGS = "/2015-03-31/functions", "/2015-03-31/event-source-mappings"


class Told(NamedTuple):
    """What the server is to answer."""

    status: int
    body: dict[str, Any]
    headers: tuple[tuple[str, str], ...] = ()


class Server:
    """A server that answers in this order, and keeps what it was asked."""

    def __init__(self) -> None:
        self.answers: list[Told] = []
        self.asked: list[tuple[str, str, dict[str, Any]]] = []
        server = self

        class Answering(BaseHTTPRequestHandler):
            def answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                server.asked.append((self.command, self.path, json.loads(body or b"{}")))
                assert "/lambda/aws4_request" in self.headers["Authorization"]
                told = server.answers.pop(0)
                self.send_response(told.status)
                sent = json.dumps(told.body).encode()
                for name, value in (*told.headers, ("Content-Length", str(len(sent)))):
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(sent)

            def __getattr__(self, name: str) -> object:
                return self.answer if name.startswith("do_") else self.__getattribute__(name)

            def log_message(self, *arguments: object) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Answering)

    def api(self) -> LambdaApi:
        """Return a connection to it."""
        return LambdaApi("127.0.0.1", self.http.server_port)

    def asks(self) -> list[str]:
        """Return the methods and paths that it was asked for."""
        return [f"{method} {path}" for method, path, _ in self.asked]


@pytest.fixture
def server() -> Iterator[Server]:
    found = Server()
    with found.http:
        thread = Thread(target=found.http.serve_forever)
        thread.start()
        yield found
        found.http.shutdown()
        thread.join()


def test_a_function_is_there_once_it_is_active(server: Server, tmp_path: Any) -> None:
    server.answers = [
        Told(201, {}),
        Told(200, {"State": "Pending"}),
        Told(200, {"State": "Active"}),
    ]
    with server.api() as api:
        api.create_function("f", handler.add_up, tmp_path / "notes")
    looks = [f"GET {FUNCTIONS}/f/configuration"] * 2
    assert server.asks() == [f"POST {FUNCTIONS}", *looks]
    request = server.asked[0][2]
    assert request["Handler"] == "handler.add_up"
    assert request["Environment"]["Variables"] == {"NOTES": str(tmp_path / "notes")}
    assert base64.b64decode(request["Code"]["ZipFile"]) == code()


def test_a_mapping_is_there_inside_and_gone_after_it(server: Server) -> None:
    server.answers = [
        Told(202, {"UUID": "u"}),
        Told(200, {"State": "Creating"}),
        Told(200, {"State": "Enabled"}),
        Told(202, {}),
        Told(200, {"State": "Deleting"}),
        Told(404, {}),
    ]
    with server.api() as api, api.mapping(MAPPED):
        assert len(server.asked) == 3
    assert server.asked[0][2] == {
        "EventSourceArn": "arn:x",
        "FunctionName": "count",
        "BatchSize": 7,
        "StartingPosition": "LATEST",
    }
    one = f"{MAPPINGS}/u"
    looks = [f"GET {one}"] * 2
    assert server.asks() == [f"POST {MAPPINGS}", *looks, f"DELETE {one}", *looks]


def test_what_goes_wrong_inside_is_told_whatever_becomes_of_the_mapping(server: Server) -> None:
    server.answers = [Told(202, {"UUID": "u"}), Told(200, {"State": "Enabled"}), Told(500, {})]
    with pytest.raises(ValueError, match="odd"), server.api() as api, api.mapping(MAPPED):
        raise ValueError("odd")
    assert server.asks()[-1] == f"DELETE {MAPPINGS}/u"


def test_a_mapping_that_is_never_enabled_is_told(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lambda_api, "CHANGED_SECONDS_MAX", -1.0)
    server.answers = [Told(202, {"UUID": "u"}), Told(200, {"State": "Creating"}), Told(202, {})]
    with (
        pytest.raises(ApiError, match="the mapping did not come in"),
        server.api() as api,
        api.mapping(MAPPED),
    ):
        pytest.fail("it is not enabled")


def test_a_function_that_fails_or_does_not_run_is_no_invocation(server: Server) -> None:
    failed = (("X-Amz-Function-Error", "Unhandled"),)
    server.answers = [
        Told(200, {}),
        Told(200, {"errorMessage": "odd"}, failed),
        Told(429, {"message": "slow down"}),
    ]
    with server.api() as api:
        api.invoke("f", b"{}")
        with pytest.raises(ApiError, match=r"Invoke: .*odd"):
            api.invoke("f", b"{}")
        with pytest.raises(ApiError, match=r"f/invocations: 429 .*slow down"):
            api.invoke("f", b"{}")


def test_a_server_that_is_gone_is_told(server: Server) -> None:
    api = LambdaApi("127.0.0.1", 1)
    with pytest.raises(ApiError, match="Refused"):
        api.invoke("f", b"{}")
