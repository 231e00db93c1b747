"""Requests over a real socket: bodies, keep-alive, pipelining, methods and versions."""

import asyncio
import contextlib
import gzip
import json
import socket
import zlib
from collections.abc import Coroutine
from functools import partial
from typing import Any

import pytest

from penstock.base import limits
from penstock.edge.server import Server
from penstock.wire.sigv4 import Caller
from unit.edge.serving import (
    Gate,
    connected,
    crc32_matches,
    dispatch_of,
    request,
    run,
    serving,
    until,
)

GO_ON = b"HTTP/1.1 100 Continue\r\n\r\n"
FORMS = (
    "chunked",
    "gzip",
    "both",
    "identity",
    "charset",
    "query",
    "absolute",
    "h2c",
    "h2c-chunked",
    "blank-lines",
)
BODY = json.dumps({"name": "é" * 40}).encode()


def asking(data: bytes, check: Any, **limits: Any) -> None:
    """Send `data` on a connection of its own and check the one answer."""

    async def work() -> None:
        async with serving(dispatch_of(), **limits) as server, connected(server) as client:
            check(await client.ask(data))

    run(work())


def test_answer_carries_the_result_and_the_headers_of_dynamodb() -> None:
    def check(answer: Any) -> None:
        assert answer.status == 200
        assert answer.json == {
            "Region": "eu-west-1",
            "Key": "AKIDEXAMPLE",
            "Body": {"name": "é" * 40},
        }
        assert crc32_matches(answer)
        assert answer.headers["content-type"] == "application/x-amz-json-1.0"
        assert len(answer.headers["x-amzn-requestid"]) == 52
        assert answer.headers["date"].endswith(" GMT")
        assert answer.headers["server"] == "Penstock"
        assert "connection" not in answer.headers

    asking(request(BODY), check)


@pytest.mark.parametrize(
    "data",
    [
        request(BODY, chunked=True),
        request(gzip.compress(BODY, mtime=0), Content_Encoding="gzip"),
        request(gzip.compress(BODY, mtime=0), Content_Encoding="GZIP", chunked=True),
        request(BODY, Content_Encoding="identity"),
        request(BODY, Content_Type="application/x-amz-json-1.0; charset=utf-8"),
        request(BODY, target="/?unused=1"),
        request(BODY, target="http://localhost:8000/"),
        request(BODY, Connection="Upgrade, HTTP2-Settings", Upgrade="h2c"),
        request(BODY, Connection="Upgrade", Upgrade="h2c", chunked=True),
        b"\r\n\r\n" + request(BODY),
    ],
    ids=[
        "chunked",
        "gzip",
        "both",
        "identity",
        "charset",
        "query",
        "absolute",
        "upgrade",
        "upgrade-chunked",
        "blanks",
    ],
)
def test_same_body_arrives_in_every_form(data: bytes) -> None:
    def check(answer: Any) -> None:
        assert answer.status == 200
        assert answer.json["Body"] == {"name": "é" * 40}

    asking(data, check)


@pytest.mark.parametrize("form", [request(BODY), request(BODY, chunked=True)])
def test_split_at_every_byte_gives_the_same_answer(form: bytes) -> None:
    async def work() -> None:
        async with serving(dispatch_of()) as server, connected(server) as client:
            client.writer.transport.get_extra_info("socket").setsockopt(
                socket.IPPROTO_TCP, socket.TCP_NODELAY, 1
            )
            whole = (await client.ask(form)).body
            for at in range(1, len(form)):
                client.send(form[:at])
                await asyncio.sleep(0)
                assert (await client.ask(form[at:])).body == whole

    run(work())


def test_blanks_around_a_header_value_are_no_part_of_it() -> None:
    padded = request().replace(b"X-Amz-Target: ", b"X-Amz-Target: \t ")
    target = padded.split(b"X-Amz-Target:")[1].split(b"\r\n")[0]

    def check(answer: Any) -> None:
        assert answer.status == 200

    asking(padded.replace(target, target + b" \t "), check)


def test_keep_alive_ends_when_the_client_asks() -> None:
    async def work() -> None:
        async with serving(dispatch_of()) as server, connected(server) as client:
            assert (await client.ask(request())).status == 200
            answer = await client.ask(request(Connection="close"))
            assert answer.headers["connection"] == "close"
            assert await client.is_closed()

    run(work())


@pytest.mark.parametrize(("asked", "kept"), [("keep-alive", True), ("close", False)])
def test_http_1_0_is_kept_alive_only_on_demand(asked: str, kept: bool) -> None:
    data = request(Connection=asked).replace(b"HTTP/1.1", b"HTTP/1.0", 1)

    async def work() -> None:
        async with serving(dispatch_of()) as server, connected(server) as client:
            answer = await client.ask(data)
            assert answer.status == 200
            assert answer.headers["connection"] == asked
            if kept:
                assert (await client.ask(data)).status == 200
            else:
                assert await client.is_closed()

    run(work())


def test_half_closed_client_is_still_answered() -> None:
    async def work() -> None:
        gate = Gate()
        async with serving(dispatch_of(Wait=gate)) as server, connected(server) as client:
            client.send(request(action="Wait") + request())
            client.writer.write_eof()
            await gate.begun.wait()
            gate.opened.set()
            assert (await client.receive()).status == 200
            assert (await client.receive()).headers["connection"] == "close"
            assert await client.is_closed()

    run(work())


class NumberedGate:
    """An operation that waits for its turn, and tells how many run at once."""

    def __init__(self) -> None:
        self.running = 0
        self.most = 0
        self.begun: list[int] = []
        self.opened = asyncio.Event()

    async def __call__(self, _caller: Caller, body: dict[str, Any]) -> dict[str, Any]:
        self.begun.append(body["n"])
        self.running += 1
        self.most = max(self.most, self.running)
        await self.opened.wait()
        self.running -= 1
        return {"n": body["n"]}


def numbered(n: int, action: str = "Echo") -> bytes:
    return request(json.dumps({"n": n}).encode(), action=action)


def test_pipelined_answers_keep_order_behind_a_slow_first() -> None:
    async def work() -> None:
        gate = NumberedGate()
        async with (
            serving(dispatch_of(Wait=gate)) as server,
            connected(server) as client,
            connected(server) as other,
        ):
            client.send(numbered(0, "Wait") + b"".join(numbered(n) for n in range(1, 20)))
            first = asyncio.create_task(client.receive())
            await until(lambda: gate.begun == [0])
            assert (await other.ask(request())).status == 200
            assert not first.done()  # though those behind it were done before the other's
            gate.opened.set()
            assert (await first).json == {"n": 0}
            for n in range(1, 20):
                assert (await client.receive()).json["Body"] == {"n": n}

    run(work())


def test_pipelined_requests_run_side_by_side_up_to_the_limit() -> None:
    async def work() -> None:
        gate = NumberedGate()
        dispatch = dispatch_of(Wait=gate)
        async with (
            serving(dispatch, pipelined_requests_max=4) as server,
            connected(server) as client,
        ):
            client.send(b"".join(numbered(n, "Wait") for n in range(50)))
            await until(lambda: gate.running == 4)
            gate.opened.set()
            answers = [(await client.receive()).json["n"] for _ in range(50)]
            assert answers == list(range(50))
            assert gate.most == 4
            assert gate.begun == list(range(50))

    run(work())


def test_flood_of_pipelined_requests_leaves_turns_to_other_clients() -> None:
    async def work() -> None:
        async with (
            serving(dispatch_of(), pipelined_requests_max=8) as server,
            connected(server) as flood,
            connected(server) as other,
        ):
            flood.send(b"".join(numbered(n) for n in range(2000)))
            other.send(request())
            assert (await other.receive()).status == 200
            for n in range(2000):
                assert (await flood.receive()).json["Body"] == {"n": n}

    run(work())


def test_client_that_leaves_in_the_middle_harms_nobody() -> None:
    async def work() -> None:
        gate = NumberedGate()
        async with serving(dispatch_of(Wait=gate)) as server, connected(server) as other:
            for part in (numbered(1, "Wait"), request(BODY)[:-5], b"POST / HT"):
                async with connected(server) as client:
                    client.send(part)
                    await client.writer.drain()
                    await asyncio.sleep(0)
            await until(lambda: gate.begun == [1])
            gate.opened.set()
            assert (await other.ask(request())).status == 200

    run(work())


def test_expect_continue_is_told_to_go_on_after_earlier_answers() -> None:
    async def work() -> None:
        gate = NumberedGate()
        held_back = request(BODY, Expect="100-continue")
        head, body = held_back[: -len(BODY)], held_back[-len(BODY) :]
        async with serving(dispatch_of(Wait=gate)) as server, connected(server) as client:
            client.send(head)
            assert await client.reader.readuntil(b"\r\n\r\n") == GO_ON
            assert (await client.ask(body)).json["Body"] == json.loads(BODY)

            client.send(numbered(0, "Wait") + head)
            await until(lambda: gate.running == 1)
            gate.opened.set()
            assert (await client.receive()).json == {"n": 0}
            assert await client.reader.readuntil(b"\r\n\r\n") == GO_ON
            assert (await client.ask(body)).status == 200

    run(work())


def test_expect_continue_of_a_body_too_large_is_refused_at_once() -> None:
    async def work() -> None:
        head = request(b"", Expect="100-continue", Content_Length="17000000")
        async with serving(dispatch_of()) as server, connected(server) as client:
            assert (await client.ask(head)).status == 413

    run(work())


def test_head_has_the_length_but_not_the_body() -> None:
    async def work() -> None:
        async with serving(dispatch_of()) as server, connected(server) as client:
            client.send(b"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n")
            answer = await client.receive(body=False)
            assert answer.status == 200
            assert int(answer.headers["content-length"]) > 0
            assert (await client.ask(request())).status == 200  # nothing stood in between

    run(work())


def test_large_answer_arrives_whole_and_closes_after_it() -> None:
    async def work() -> None:
        text = "x" * 3_000_000

        def large(_caller: Caller, _body: dict[str, Any]) -> dict[str, Any]:
            return {"text": text}

        async with serving(dispatch_of(Large=large)) as server, connected(server) as client:
            answer = await client.ask(request(action="Large", Connection="close"))
            assert answer.json == {"text": text}
            assert answer.headers["x-amz-crc32"] == str(zlib.crc32(answer.body))
            assert await client.is_closed()

    run(work())


def test_port_is_the_one_listened_on_and_a_taken_one_is_an_os_error() -> None:
    async def work() -> None:
        async with serving(dispatch_of()) as server:
            assert server.port > 0
            with pytest.raises(OSError, match="in use"):
                await Server(dispatch_of(), "127.0.0.1", server.port).start()

    run(work())


def test_a_request_that_waits_becomes_a_task_of_a_true_coroutine() -> None:
    """Python 3.11 makes a task of a generator as well; 3.12 and later refuse it."""
    made: list[Any] = []

    def make(loop: asyncio.AbstractEventLoop, work: Any, **named: Any) -> asyncio.Task[Any]:
        made.append(work)
        return asyncio.Task(work, loop=loop, **named)

    async def wait(caller: Caller, body: dict[str, Any]) -> dict[str, Any]:
        loop = asyncio.get_running_loop()
        loop.set_task_factory(make)
        await asyncio.sleep(0)
        loop.set_task_factory(None)
        return body

    async def work() -> None:
        async with serving(dispatch_of(Wait=wait)) as server, connected(server) as client:
            answer = await client.ask(request(b'{"a": 1}', action="Wait"))
            assert answer.json == {"a": 1}

    run(work())
    assert len(made) == 1
    assert isinstance(made[0], Coroutine)


def test_garbage_behind_a_request_is_refused_after_its_answer() -> None:
    async def work() -> None:
        async with serving(dispatch_of()) as server, connected(server) as client:
            client.send(request() + b"\x00garbage\r\n\r\n")
            assert [(await client.receive()).status for _ in range(2)] == [200, 400]
            assert await client.is_closed()

    run(work())


def test_a_request_that_waits_for_one_future_needs_no_task() -> None:
    """As a write waits for its commit; what waits again goes on as a task."""
    waits: list[asyncio.Future[None]] = []
    tasks: list[asyncio.Task[Any] | None] = []

    def is_waiting(at: int) -> bool:
        return len(waits) > at

    async def wait(caller: Caller, body: dict[str, Any]) -> dict[str, Any]:
        for _ in range(body["Times"]):
            waits.append(asyncio.get_running_loop().create_future())
            await waits[-1]
            tasks.append(asyncio.current_task())
        return body

    async def work() -> None:
        async with serving(dispatch_of(Wait=wait)) as server, connected(server) as client:
            for times in (1, 3):
                body = b'{"Times": %d}' % times
                client.send(request(body, action="Wait"))
                for at in range(times):
                    await until(partial(is_waiting, at))
                    waits[at].set_result(None)
                assert (await client.receive()).body == body.replace(b" ", b"")
                waits.clear()

    run(work())
    assert [task is None for task in tasks] == [True, True, False, False]


def test_a_request_whose_future_is_cancelled_cuts_the_connection() -> None:
    waits: list[asyncio.Future[None]] = []

    async def wait(caller: Caller, body: dict[str, Any]) -> dict[str, Any]:
        waits.append(asyncio.get_running_loop().create_future())
        await waits[-1]
        return body

    async def work() -> None:
        async with serving(dispatch_of(Wait=wait)) as server, connected(server) as client:
            client.send(request(action="Wait"))
            await until(lambda: len(waits) > 0)
            waits[0].cancel()
            assert await client.is_closed()

    run(work())


@pytest.mark.parametrize("together", [1, 2, limits.answers_together_max])
def test_all_that_are_answered_in_one_turn_get_their_answers(
    together: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where so many are that some answers are sent before the end of the turn."""
    monkeypatch.setattr(limits, "answers_together_max", together)
    clients = 2 * limits.answers_together_max + 3
    gate = asyncio.Event()

    async def wait(caller: Caller, body: dict[str, Any]) -> dict[str, Any]:
        await gate.wait()
        return body

    async def work() -> None:
        async with contextlib.AsyncExitStack() as stack:
            server = await stack.enter_async_context(serving(dispatch_of(Wait=wait)))
            asking = [await stack.enter_async_context(connected(server)) for _ in range(clients)]
            for _ in range(2):
                gate.clear()
                for client in asking:
                    client.send(request(action="Wait"))
                await asyncio.sleep(0.05)
                gate.set()
                answers = await asyncio.gather(*(client.receive() for client in asking))
                assert {answer.status for answer in answers} == {200}

    run(work())
