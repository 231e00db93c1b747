"""The Runtime API, asked over its socket: who may say what when, and what is refused."""

import asyncio
import contextlib
from base64 import b64encode
from collections.abc import AsyncIterator, Coroutine
from typing import Any, NamedTuple

import msgspec
import pytest
import uvloop

from penstock.base import limits
from penstock.functions.runtime_api import Answer, Invocation, RuntimeApi
from penstock.functions.runtime_connection import RuntimeConnection, RuntimeServer

DEADLINE_SECONDS = 30.0
NEXT = "/2018-06-01/runtime/invocation/next"
INIT_ERROR = "/2018-06-01/runtime/init/error"
INVOCATION = Invocation(
    "id-1", "arn:aws:lambda:eu-west-1:0:function:f", b'{"a":1}', 1234, "Root=1-2-3"
)


def response_path(request_id: str = "id-1") -> str:
    return f"/2018-06-01/runtime/invocation/{request_id}/response"


def error_path(request_id: str = "id-1") -> str:
    return f"/2018-06-01/runtime/invocation/{request_id}/error"


class Told:
    """What the API has told of its runtime."""

    def __init__(self) -> None:
        self.readiness = 0
        self.answers: list[Answer] = []
        self.init_errors: list[Answer] = []
        self._ready = asyncio.Event()

    def on_next(self) -> None:
        self.readiness += 1
        self._ready.set()

    def on_answer(self, answer: Answer) -> None:
        self.answers.append(answer)

    def on_init_error(self, answer: Answer) -> None:
        self.init_errors.append(answer)

    async def ready(self) -> None:
        await self._ready.wait()
        self._ready.clear()


class Response(NamedTuple):
    """What the API has answered."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def error_type(self) -> str:
        return str(msgspec.json.decode(self.body)["errorType"])


class Runtime:
    """A client of the API: one connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    async def send(self, raw: bytes) -> None:
        self._writer.write(raw)
        await self._writer.drain()

    async def read(self) -> Response:
        status = int((await self._reader.readline()).split()[1])
        headers = {}
        while (line := (await self._reader.readline()).strip()) != b"":
            name, _, value = line.decode().partition(": ")
            headers[name] = value
        body = await self._reader.readexactly(int(headers.get("Content-Length", 0)))
        return Response(status, headers, body)

    async def ask(self, method: str, path: str, body: bytes = b"", headers: str = "") -> Response:
        head = (
            f"{method} {path} HTTP/1.1\r\nHost: h\r\n{headers}Content-Length: {len(body)}\r\n\r\n"
        )
        await self.send(head.encode() + body)
        return await self.read()

    async def ask_next(self) -> None:
        await self.send(f"GET {NEXT} HTTP/1.1\r\nHost: h\r\n\r\n".encode())

    async def is_closed(self) -> bool:
        with contextlib.suppress(ConnectionError):
            return await self._reader.read() == b""
        return True

    async def close(self) -> None:
        self._writer.close()
        with contextlib.suppress(ConnectionError):
            await self._writer.wait_closed()


class Api:
    """An API on its port, what it has told, and clients of it."""

    def __init__(
        self, address: str, api: RuntimeApi, told: Told, among: set[RuntimeConnection]
    ) -> None:
        self.api, self.told = api, told
        self._among = among
        self.address = address
        self._runtimes: list[Runtime] = []

    async def runtime(self) -> Runtime:
        host, port = self.address.split(":")
        self._runtimes.append(Runtime(*await asyncio.open_connection(host, int(port))))
        return self._runtimes[-1]

    def reads_no_more(self) -> bool:
        """Say whether it takes no requests of one of its connections for now."""
        return any(not each._transport.is_reading() for each in self._among)

    async def close(self) -> None:
        for runtime in self._runtimes:
            await runtime.close()

    async def running(self) -> Runtime:
        """Return a runtime that has been given INVOCATION."""
        runtime = await self.runtime()
        await runtime.ask_next()
        await self.told.ready()
        self.api.give(INVOCATION)
        assert (await runtime.read()).body == INVOCATION.payload
        return runtime


@contextlib.asynccontextmanager
async def api() -> AsyncIterator[Api]:
    told = Told()
    machine = RuntimeApi(told)
    server = RuntimeServer(machine)
    async with asyncio.timeout(DEADLINE_SECONDS):
        it = Api(await server.start(), machine, told, server._connections)
        try:
            yield it
        finally:
            server.close()
            await it.close()


def run(check: Coroutine[Any, Any, None]) -> None:
    uvloop.run(check)


def test_next_is_held_until_there_is_an_invocation_and_tells_all_of_it() -> None:
    async def check() -> None:
        async with api() as it:
            runtime = await it.runtime()
            await runtime.ask_next()
            await it.told.ready()
            it.api.give(INVOCATION._replace(client_context=b'{\r\n "custom": {"a": "b c"}}'))
            response = await runtime.read()
            assert response.status == 200
            assert response.body == b'{"a":1}'
            assert response.headers == {
                "Content-Type": "application/json",
                "Lambda-Runtime-Aws-Request-Id": "id-1",
                "Lambda-Runtime-Deadline-Ms": "1234",
                "Lambda-Runtime-Invoked-Function-Arn": INVOCATION.arn,
                "Lambda-Runtime-Trace-Id": "Root=1-2-3",
                "Lambda-Runtime-Client-Context": '{ "custom": {"a": "b c"}}',
                "Content-Length": "7",
            }

    run(check())


def test_an_answer_is_accepted_once_and_then_another_invocation_may_be_asked_for() -> None:
    async def check() -> None:
        async with api() as it:
            runtime = await it.running()
            response = await runtime.ask("POST", response_path(), b'"done"')
            assert (response.status, response.body) == (202, b'{"status":"OK"}')
            assert it.told.answers == [Answer(b'"done"')]
            again = await runtime.ask("POST", response_path(), b'"twice"')
            assert (again.status, again.error_type) == (403, "InvalidStateTransition")
            error = await runtime.ask("POST", error_path(), b"{}")
            assert (error.status, error.error_type) == (403, "InvalidStateTransition")
            assert it.told.answers == [Answer(b'"done"')]
            await runtime.ask_next()
            await it.told.ready()
            it.api.give(INVOCATION._replace(request_id="id-2"))
            assert (await runtime.read()).headers["Lambda-Runtime-Aws-Request-Id"] == "id-2"
            late = await runtime.ask("POST", response_path("id-1"), b"1")
            assert (late.status, late.error_type) == (400, "InvalidRequestID")

    run(check())


def test_an_error_carries_its_type_in_a_header() -> None:
    async def check() -> None:
        async with api() as it:
            runtime = await it.running()
            told = "Lambda-Runtime-Function-Error-Type: Runtime.Bad\r\n"
            assert (await runtime.ask("POST", error_path(), b"{}", told)).status == 202
            assert it.told.answers == [Answer(b"{}", "Runtime.Bad")]

    run(check())


def test_an_error_without_a_type_is_of_an_unknown_one() -> None:
    async def check() -> None:
        async with api() as it:
            runtime = await it.running()
            assert (await runtime.ask("POST", error_path(), b"not json")).status == 202
            assert it.told.answers == [Answer(b"not json", "Runtime.Unknown")]

    run(check())


def test_a_runtime_that_fails_to_begin_may_say_so_once_and_ask_for_nothing() -> None:
    async def check() -> None:
        async with api() as it:
            runtime = await it.runtime()
            told = "Lambda-Runtime-Function-Error-Type: Runtime.ImportModuleError\r\n"
            assert (await runtime.ask("POST", INIT_ERROR, b'{"a":1}', told)).status == 202
            assert it.told.init_errors == [Answer(b'{"a":1}', "Runtime.ImportModuleError")]
            assert (await runtime.ask("POST", INIT_ERROR, b"{}")).status == 403
            assert (await runtime.ask("GET", NEXT)).status == 403
            assert it.told.readiness == 0

    run(check())


def test_a_runtime_that_has_begun_may_not_say_that_it_failed_to() -> None:
    async def check() -> None:
        async with api() as it:
            runtime = await it.running()
            assert (await runtime.ask("POST", INIT_ERROR, b"{}")).status == 403
            assert it.told.init_errors == []

    run(check())


def test_next_amid_an_invocation_is_told_the_same_again() -> None:
    async def check() -> None:
        async with api() as it:
            runtime = await it.running()
            again = await runtime.ask("GET", NEXT)
            assert again.headers["Lambda-Runtime-Aws-Request-Id"] == "id-1"
            assert again.body == INVOCATION.payload
            assert it.told.readiness == 1
            assert (await runtime.ask("POST", response_path(), b"1")).status == 202

    run(check())


def test_of_two_that_ask_for_the_next_the_later_one_is_given_it() -> None:
    async def check() -> None:
        async with api() as it:
            first, second = await it.runtime(), await it.runtime()
            await first.ask_next()
            await it.told.ready()
            await second.ask_next()
            assert (await first.read()).status == 403
            it.api.give(INVOCATION)
            assert (await second.read()).body == INVOCATION.payload
            assert it.told.readiness == 1

    run(check())


def test_who_lost_the_connection_it_waited_on_is_given_the_invocation_when_it_asks_anew() -> None:
    async def check() -> None:
        async with api() as it:
            first = await it.runtime()
            await first.ask_next()
            await it.told.ready()
            await first.close()
            await asyncio.sleep(0)
            it.api.give(INVOCATION)
            second = await it.runtime()
            assert (await second.ask("GET", NEXT)).body == INVOCATION.payload

    run(check())


@pytest.mark.parametrize("size", [limits.function_answer_bytes_max, 0])
def test_an_answer_may_be_as_large_as_the_limit_or_empty(size: int) -> None:
    async def check() -> None:
        async with api() as it:
            runtime = await it.running()
            assert (await runtime.ask("POST", response_path(), b"x" * size)).status == 202
            assert it.told.answers == [Answer(b"x" * size)]

    run(check())


def test_an_answer_that_is_too_large_is_an_error_of_the_function() -> None:
    async def check() -> None:
        async with api() as it:
            runtime = await it.running()
            body = b"x" * (limits.function_answer_bytes_max + 1)
            response = await runtime.ask("POST", response_path(), body)
            assert (response.status, response.error_type) == (413, "RequestEntityTooLarge")
            (answer,) = it.told.answers
            assert answer.error_type == "Function.ResponseSizeTooLarge"
            assert msgspec.json.decode(answer.payload) == {
                "errorType": "Function.ResponseSizeTooLarge",
                "errorMessage": "Response payload size exceeded maximum allowed payload size"
                " (6291556 bytes).",
            }
            assert (await runtime.ask("POST", error_path(), b"{}")).status == 403

    run(check())


def test_a_body_without_end_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "function_answer_bytes_max", 100)
    monkeypatch.setattr(limits, "runtime_body_bytes_max", 1000)

    async def check() -> None:
        async with api() as it:
            runtime = await it.running()
            head = f"POST {response_path()} HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
            await runtime.send(head.encode())
            await runtime.send(b"400\r\n" + b"x" * 1024 + b"\r\n")
            assert (await runtime.read()).status == 413
            assert await runtime.is_closed()
            assert it.told.answers == []

    run(check())


def test_a_streaming_answer_is_collected() -> None:
    async def check() -> None:
        async with api() as it:
            runtime = await it.running()
            await runtime.send(
                f"POST {response_path()} HTTP/1.1\r\nTransfer-Encoding: chunked\r\n"
                "Lambda-Runtime-Function-Response-Mode: streaming\r\n\r\n"
                "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n".encode()
            )
            assert (await runtime.read()).status == 202
            assert it.told.answers == [Answer(b"abcde")]

    run(check())


@pytest.mark.parametrize(
    ("body", "payload"),
    [
        (b64encode(b'{"errorMessage":"m"}'), b'{"errorMessage":"m"}'),
        (b"***", b'{"errorType":"Runtime.Late","errorMessage":""}'),
    ],
)
def test_a_streaming_answer_may_fail_at_its_end(body: bytes, payload: bytes) -> None:
    async def check() -> None:
        async with api() as it:
            runtime = await it.running()
            await runtime.send(
                f"POST {response_path()} HTTP/1.1\r\nTransfer-Encoding: chunked\r\n"
                "Lambda-Runtime-Function-Response-Mode: streaming\r\n\r\n"
                "3\r\nabc\r\n0\r\nLambda-Runtime-Function-Error-Type: Runtime.Late\r\n".encode()
                + b"Lambda-Runtime-Function-Error-Body: "
                + body
                + b"\r\n\r\n"
            )
            assert (await runtime.read()).status == 202
            assert it.told.answers == [Answer(payload, "Runtime.Late")]

    run(check())


def test_another_mode_of_answering_is_refused_and_the_answer_may_follow() -> None:
    async def check() -> None:
        async with api() as it:
            runtime = await it.running()
            mode = "Lambda-Runtime-Function-Response-Mode: telepathic\r\n"
            response = await runtime.ask("POST", response_path(), b"1", mode)
            assert (response.status, response.error_type) == (400, "InvalidFunctionResponseMode")
            assert (await runtime.ask("POST", response_path(), b"1")).status == 202

    run(check())


def test_who_asks_before_sending_a_body_is_told_to_go_on() -> None:
    async def check() -> None:
        async with api() as it:
            runtime = await it.running()
            await runtime.send(
                f"POST {response_path()} HTTP/1.1\r\nContent-Length: 1\r\n"
                "Expect: 100-continue\r\n\r\n".encode()
            )
            assert (await runtime.read()).status == 100
            await runtime.send(b"1")
            assert (await runtime.read()).status == 202

    run(check())


def test_a_client_that_offers_another_protocol_is_answered_in_http_1_1() -> None:
    """As Java's HttpClient does with every first request."""

    async def check() -> None:
        async with api() as it:
            runtime = await it.running()
            offer = "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: A\r\n"
            assert (await runtime.ask("POST", response_path(), b"12345", offer)).status == 202
            assert it.told.answers == [Answer(b"12345")]
            await runtime.send(f"GET {NEXT} HTTP/1.1\r\n{offer}\r\n".encode())
            await it.told.ready()
            it.api.give(INVOCATION)
            assert (await runtime.read()).body == INVOCATION.payload

    run(check())


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 404),
        ("GET", "/2018-06-01/runtime/restore/next", 404),
        ("POST", "/2018-06-01/runtime/restore/error", 404),
        ("GET", "/2018-06-01/runtime/invocation/", 404),
        ("POST", "/2018-06-01/runtime/invocation/id-1/nothing", 404),
        ("GET", "/2018-06-01/runtime/invocation/%00/..", 404),
        ("POST", NEXT, 405),
        ("GET", INIT_ERROR, 405),
        ("PUT", response_path(), 405),
        ("DELETE", error_path(), 405),
        ("POST", response_path("id-0"), 400),
        ("POST", response_path(""), 400),
        ("POST", error_path("id-0"), 400),
        ("POST", error_path("id-1") + "?a=b", 202),
    ],
)
def test_what_is_asked_in_vain_is_answered_and_the_connection_stays(
    method: str, path: str, status: int
) -> None:
    async def check() -> None:
        async with api() as it:
            runtime = await it.running()
            assert (await runtime.ask(method, path)).status == status
            later = await runtime.ask("POST", response_path(), b"1")
            assert later.status == (403 if status == 202 else 202)

    run(check())


def test_before_it_was_given_anything_a_runtime_can_answer_nothing() -> None:
    async def check() -> None:
        async with api() as it:
            runtime = await it.runtime()
            assert (await runtime.ask("POST", response_path("id-1"), b"1")).status == 400
            assert (await runtime.ask("POST", response_path(""), b"1")).status == 400
            assert it.told.answers == []

    run(check())


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (b"\x16\x03\x01garbage\r\n\r\n", 400),
        (b"GET\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nContent-Length: x\r\n\r\n", 400),
        (b"CONNECT a:1 HTTP/1.1\r\n\r\n", 400),
        (b"GET /" + b"a" * 2_000_000 + b" HTTP/1.1\r\n\r\n", 431),
        (b"GET / HTTP/1.1\r\nA: " + b"a" * 2_000_000 + b"\r\n\r\n", 431),
        (b"GET / HTTP/1.1\r\n" + b"".join(b"a%d: 1\r\n" % n for n in range(200)) + b"\r\n", 431),
    ],
)
def test_what_is_not_http_or_has_no_bounds_is_refused_and_closed(raw: bytes, status: int) -> None:
    async def check() -> None:
        async with api() as it:
            runtime = await it.running()
            with contextlib.suppress(ConnectionError):
                await runtime.send(raw)
                assert (await runtime.read()).status == status
            assert await runtime.is_closed()
            other = await it.runtime()
            assert (await other.ask("POST", response_path(), b"1")).status == 202

    run(check())


def test_a_worker_can_not_take_all_connections_of_the_server(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(limits, "runtime_connections_max", 2)

    async def check() -> None:
        async with api() as it:
            runtime = await it.running()
            second = await it.runtime()
            assert (await second.ask("GET", "/")).status == 404
            third = await it.runtime()
            assert await third.is_closed()
            await second.close()
            assert (await runtime.ask("POST", response_path(), b"1")).status == 202

    run(check())


def test_who_reads_no_answers_is_asked_no_more() -> None:
    """What it is answered would fill the memory of the server."""

    async def check() -> None:
        async with api() as it:
            runtime = await it.runtime()
            await runtime.ask_next()
            await it.told.ready()
            it.api.give(INVOCATION._replace(payload=bytes(2**20)))
            again = f"GET {NEXT} HTTP/1.1\r\nHost: h\r\n\r\n".encode()
            stuck = asyncio.create_task(runtime.send(again * 2**18))
            while not it.reads_no_more():
                assert not stuck.done()
                await asyncio.sleep(0)
            assert (await runtime.read()).status == 200
            stuck.cancel()

    run(check())
