"""Limits of size, count, time and memory, over a real socket with the limits made small."""

import asyncio
import gzip
import math
from collections.abc import Callable
from typing import Any

import pytest

from penstock.edge.server import Server
from penstock.wire.sigv4 import Caller
from unit.edge.serving import (
    Client,
    Gate,
    age,
    connected,
    dispatch_of,
    request,
    run,
    serving,
    until,
)

LIMIT = 16 * 1024 * 1024


def refused(data: bytes, status: int, **limits: Any) -> None:
    """Check that `data` gets `status` with a request id, that the connection closes, no other."""

    async def work() -> None:
        async with (
            serving(dispatch_of(), **limits) as server,
            connected(server) as other,
            connected(server) as client,
        ):
            answer = await client.ask(data)
            assert answer.status == status
            assert answer.headers["connection"] == "close"
            assert len(answer.headers["x-amzn-requestid"]) == 52
            assert await client.is_closed()
            assert (await other.ask(request())).status == 200

    run(work())


@pytest.mark.parametrize(
    "data",
    [
        b"nonsense\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nbroken line\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999999\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"POST no-slash HTTP/1.1\r\nHost: a\r\n\r\n",
    ],
)
def test_what_is_not_http_is_a_400_and_the_end(data: bytes) -> None:
    refused(data, 400)


def test_versions_and_methods_that_are_not_served_are_refused() -> None:
    refused(b"GET /\r\n\r\n", 505)
    refused(b"CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n", 501)


def test_good_requests_before_a_bad_one_are_answered_first() -> None:
    async def work() -> None:
        async with serving(dispatch_of()) as server, connected(server) as client:
            client.send(request() + request() + b"oops\r\n\r\n" + request())
            statuses = [(await client.receive()).status for _ in range(3)]
            assert statuses == [200, 200, 400]
            assert await client.is_closed()

    run(work())


def test_body_over_the_limit_is_refused_by_its_announced_length() -> None:
    refused(request(b"", Content_Length=str(LIMIT + 1)), 413)


def test_body_over_the_limit_is_refused_while_it_streams_in() -> None:
    endless = request(b"", chunked=True)[: -len(b"0\r\n\r\n")]
    refused(endless + b"6\r\nabcdef\r\n" * 20, 413, body_bytes_max=100)
    refused(endless + b"%x\r\n" % (LIMIT + 1) + b" " * (LIMIT + 1), 413)


def test_body_of_exactly_the_limit_is_read() -> None:
    async def work() -> None:
        body = b'{"a": "' + b"x" * (LIMIT - 9) + b'"}'
        assert len(body) == LIMIT
        async with serving(dispatch_of()) as server, connected(server) as client:
            assert (await client.ask(request(body))).status == 200

    run(work())


def test_gzip_bomb_is_a_413_and_the_connection_lives() -> None:
    bomb = gzip.compress(b" " * (LIMIT + 1))
    assert len(bomb) < 20_000

    async def work() -> None:
        async with serving(dispatch_of()) as server, connected(server) as client:
            assert (await client.ask(request(bomb, Content_Encoding="gzip"))).status == 413
            assert (await client.ask(request())).status == 200

    run(work())


def test_header_limits_of_bytes_and_count_are_a_431() -> None:
    refused(request(X_Long="x" * 40_000), 431)
    refused(request(target="/" + "x" * 40_000), 431)
    many: dict[str, Any] = {f"X_{n}": "x" for n in range(120)}
    refused(request(**many), 431)
    trailers = b"".join(b"T%d: x\r\n" % n for n in range(120))
    refused(request(b"{}", chunked=True)[:-2] + trailers + b"\r\n", 431)


def test_header_that_never_ends_is_a_431() -> None:
    async def work() -> None:
        async with serving(dispatch_of()) as server, connected(server) as client:
            client.send(b"POST / HTTP/1.1\r\nHost: a\r\nX-Endless: ")
            answer = asyncio.create_task(client.receive())
            while not answer.done():
                client.send(b"x" * 4096)
                await asyncio.sleep(0)
            assert (await answer).status == 431

    run(work())


@pytest.mark.parametrize(
    ("beginning", "limit"),
    [
        (b"POST / HTTP/1.1\r\nHo", "header_seconds_max"),
        (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n{", "body_seconds_max"),
    ],
)
def test_slow_request_is_a_408_even_when_it_keeps_trickling(beginning: bytes, limit: str) -> None:
    """The limit holds for the whole head or body: a byte now and then does not put it off."""

    async def work() -> None:
        async with serving(dispatch_of(), **{limit: 1000}) as server, connected(server) as client:
            client.send(beginning)
            answer = asyncio.create_task(client.receive())
            await until(lambda: bytes_of_request(server) > 0)
            for _ in range(3):
                age(server, 300)
                before = bytes_of_request(server)
                client.send(b"s")
                await until(lambda: bytes_of_request(server) > before)  # noqa: B023
            assert not answer.done()
            age(server, 101)
            assert (await answer).status == 408

    run(work())


def bytes_of_request(server: Server) -> int:
    """Return how much the server's only connection has read of a request; it grows with each byte.

    0 where it has read nothing.
    """
    (connection,) = server._shared.connections
    reader = connection._reader
    return reader._head_bytes + reader._silent_bytes + reader.buffered_bytes


def test_idle_connection_is_closed_without_a_word() -> None:
    async def work() -> None:
        async with (
            serving(dispatch_of(), idle_seconds_max=1000) as server,
            connected(server) as silent,
            connected(server) as used,
        ):
            assert (await used.ask(request())).status == 200
            age(server, 900)
            assert (await used.ask(request())).status == 200
            age(server, 101)
            assert await silent.is_closed()
            assert (await used.ask(request())).status == 200
            age(server, 1001)
            assert await used.is_closed()

    run(work())


def test_waiting_for_an_operation_is_not_idling() -> None:
    async def work() -> None:
        gate = Gate()
        async with (
            serving(dispatch_of(Wait=gate), idle_seconds_max=1000) as server,
            connected(server) as silent,
            connected(server) as client,
        ):
            client.send(request(action="Wait"))
            await gate.begun.wait()
            age(server, 1001)
            assert await silent.is_closed()
            gate.opened.set()
            assert (await client.receive()).status == 200

    run(work())


def test_client_that_does_not_read_its_answers_is_bounded_and_cut() -> None:
    async def work() -> None:
        ran = 0

        def large(_caller: Caller, _body: dict[str, Any]) -> dict[str, Any]:
            nonlocal ran
            ran += 1
            return {"text": "x" * 1_000_000}

        async with (
            serving(
                dispatch_of(Large=large),
                write_seconds_max=1000,
                idle_seconds_max=math.inf,
                pipelined_bytes_max=3_000_000,
            ) as server,
            connected(server) as other,
        ):
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port, limit=1024)
            writer.write(request(action="Large") * 1000)
            await wait_until_cut(Client(reader, writer), lambda: age(server, 1001))
            assert ran < 100
            assert (await other.ask(request())).status == 200
            writer.transport.abort()

    run(work())


async def wait_until_cut(client: Client, meanwhile: Callable[[], None] = lambda: None) -> None:
    """Read nothing, and write until the server's reset shows."""
    while not client.writer.transport.is_closing():
        client.send(b"x")
        meanwhile()
        await asyncio.sleep(0.001)


def test_connections_over_the_limit_are_told_so_and_room_comes_back() -> None:
    async def work() -> None:
        async with (
            serving(dispatch_of(), connections_max=2) as server,
            connected(server) as first,
            connected(server) as second,
        ):
            assert (await first.ask(request())).status == 200
            assert (await second.ask(request())).status == 200
            async with connected(server) as third:
                assert (await third.receive()).status == 503
                assert await third.is_closed()
            assert (await first.ask(request())).status == 200
            assert (await second.ask(request(Connection="close"))).status == 200
            assert await second.is_closed()
            async with connected(server) as fourth:
                assert (await fourth.ask(request())).status == 200

    run(work())


def test_bodies_of_all_connections_together_are_bounded() -> None:
    async def work() -> None:
        async with (
            serving(dispatch_of(), buffered_bytes_max=100_000) as server,
            connected(server) as first,
            connected(server) as second,
        ):
            body = b'{"a": "' + b"x" * 60_000 + b'"}'
            whole = request(body)
            first.send(whole[:-1])
            assert (await second.ask(request())).status == 200
            # Were the bytes of the first not counted, this one would be answered well.
            answers = [asyncio.create_task(client.receive()) for client in (first, second)]
            second.send(whole[:-1])
            done, _ = await asyncio.wait(answers, return_when=asyncio.FIRST_COMPLETED)
            assert [task.result().status for task in done] == [503]
            for task in answers:
                task.cancel()

    run(work())


def test_bytes_of_a_connection_that_went_are_given_back() -> None:
    async def work() -> None:
        body = b'{"a": "' + b"x" * 60_000 + b'"}'
        async with (
            serving(dispatch_of(), buffered_bytes_max=100_000) as server,
            connected(server) as other,
        ):
            for _ in range(5):
                async with connected(server) as client:
                    client.send(request(body)[:-1])
                    assert (await other.ask(request())).status == 200
            async with connected(server) as client:
                client.send(request(body)[:-1])
                assert (await other.ask(request())).status == 200
                assert (await client.ask(request(body)[-1:])).status == 200

    run(work())


def test_answers_held_back_by_a_slow_first_are_bounded() -> None:
    async def work() -> None:
        gate = Gate()
        ran = 0

        def large(_caller: Caller, _body: dict[str, Any]) -> dict[str, Any]:
            nonlocal ran
            ran += 1
            return {"text": "x" * 1000}

        async with (
            serving(dispatch_of(Wait=gate, Large=large), pipelined_bytes_max=10_000) as server,
            connected(server) as other,
            connected(server) as client,
        ):
            client.send(request(action="Wait") + request(action="Large") * 50)
            for _ in range(20):
                assert (await other.ask(request())).status == 200
            assert ran == 10
            gate.opened.set()
            for _ in range(51):
                assert (await client.receive()).status == 200
            assert ran == 50

    run(work())


@pytest.mark.parametrize(
    ("body", "limits"),
    [
        (b"{}", {"pipelined_requests_max": 4}),
        (b'{"a": "' + b"x" * 50_000 + b'"}', {"pipelined_bytes_max": 100_000}),
    ],
    ids=["requests", "bytes"],
)
def test_flood_behind_a_slow_first_is_left_in_the_socket(body: bytes, limits: Any) -> None:
    async def work() -> None:
        gate = Gate()
        flood = request(body, action="Wait") * (8_000_000 // len(request(body)))
        async with (
            serving(dispatch_of(Wait=gate), **limits) as server,
            connected(server) as other,
            connected(server) as client,
        ):
            client.send(flood)
            for _ in range(200):
                assert (await other.ask(request())).status == 200
            assert client.writer.transport.get_write_buffer_size() > 0
            assert server._shared.held_bytes < 1_000_000
            gate.opened.set()
            await client.writer.drain()
            assert (await client.receive()).status == 200

    run(work())


def test_refused_client_may_finish_sending_for_a_while_and_is_then_cut() -> None:
    async def work() -> None:
        async with (
            serving(dispatch_of(), linger_seconds_max=1000) as server,
            connected(server) as other,
            connected(server) as client,
        ):
            client.send(request(b"", Content_Length=str(LIMIT + 1)))
            assert (await client.receive()).status == 413
            assert await client.is_closed()
            for _ in range(5):
                client.send(b"x" * 10_000)
                assert (await other.ask(request())).status == 200
            assert not client.writer.transport.is_closing()  # no reset has come
            age(server, 1001)
            await wait_until_cut(client)

    run(work())
