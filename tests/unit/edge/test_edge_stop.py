"""Stopping: what is under way is answered, what is idle is closed, and it never takes too long."""

import asyncio

from unit.edge.serving import (
    RUN_SECONDS_MAX,
    Gate,
    connected,
    dispatch_of,
    request,
    run,
    serving,
    until,
)

LONGER_THAN_A_RUN_SECONDS = 2 * RUN_SECONDS_MAX


def test_requests_under_way_are_answered_and_then_the_connection_closes() -> None:
    async def work() -> None:
        gate = Gate()
        async with (
            serving(dispatch_of(Wait=gate)) as server,
            connected(server) as idle,
            connected(server) as busy,
        ):
            assert (await idle.ask(request())).status == 200
            busy.send(request(action="Wait") + request())
            await gate.begun.wait()
            stopping = asyncio.create_task(server.stop(10))
            assert await idle.is_closed()
            assert not stopping.done()
            gate.opened.set()
            first, second = await busy.receive(), await busy.receive()
            assert first.json == {"done": True}
            assert "connection" not in first.headers
            assert second.headers["connection"] == "close"
            assert await busy.is_closed()
            await stopping

    run(work())


def test_a_server_that_is_left_serves_on_and_lets_nobody_stay() -> None:
    """What is under way goes on, and so do new clients; each answer closes its connection."""

    async def work() -> None:
        gate = Gate()
        async with (
            serving(dispatch_of(Wait=gate)) as server,
            connected(server) as idle,
            connected(server) as busy,
        ):
            busy.send(request(action="Wait"))
            await gate.begun.wait()
            server.leave()
            for client in (idle, busy):
                if client is busy:
                    gate.opened.set()
                    assert "connection" not in (await client.receive()).headers
                answer = await client.ask(request())
                assert (answer.status, answer.headers["connection"]) == (200, "close")
                assert await client.is_closed()
            async with connected(server) as late:
                late.send(request() + request())
                assert "connection" not in (await late.receive()).headers
                assert (await late.receive()).headers["connection"] == "close"
                assert await late.is_closed()
            async with connected(server) as silent:
                await server.stop(10)
                assert await silent.is_closed()

    run(work())


def test_request_half_received_may_finish() -> None:
    async def work() -> None:
        async with (
            serving(dispatch_of()) as server,
            connected(server) as idle,
            connected(server) as client,
        ):
            whole = request(b'{"a": 1}')
            client.send(whole[:-3])
            assert (await idle.ask(request())).status == 200
            stopping = asyncio.create_task(server.stop(10))
            assert await idle.is_closed()
            answer = await client.ask(whole[-3:])
            assert (answer.status, answer.headers["connection"]) == (200, "close")
            await stopping

    run(work())


def test_nobody_is_accepted_while_stopping() -> None:
    async def work() -> None:
        gate = Gate()
        async with serving(dispatch_of(Wait=gate)) as server, connected(server) as busy:
            busy.send(request(action="Wait"))
            await gate.begun.wait()
            stopping = asyncio.create_task(server.stop(10))
            await asyncio.sleep(0)
            try:
                async with connected(server) as late:
                    late.send(request())
                    assert await late.is_closed()
            except ConnectionRefusedError:
                pass
            gate.opened.set()
            assert (await busy.receive()).status == 200
            await stopping

    run(work())


def test_what_takes_too_long_is_cut() -> None:
    async def work() -> None:
        gate = Gate()
        async with (
            serving(dispatch_of(Wait=gate), stop_seconds_max=LONGER_THAN_A_RUN_SECONDS) as server,
            connected(server) as busy,
            connected(server) as half,
        ):
            half.send(b"POST / HT")
            busy.send(request(action="Wait"))
            await gate.begun.wait()
            await server.stop(0.3)
            assert gate.cancelled
            assert await busy.is_closed()
            assert await half.is_closed()

    run(work())


def test_stop_waits_for_work_whose_client_has_left() -> None:
    async def work() -> None:
        gate = Gate()
        async with serving(dispatch_of(Wait=gate)) as server:
            async with connected(server) as client:
                client.send(request(action="Wait"))
                await gate.begun.wait()
                client.reset_on_abort()
            await until(lambda: not server._shared.connections)
            asyncio.get_running_loop().call_later(0.01, gate.opened.set)
            await server.stop(LONGER_THAN_A_RUN_SECONDS)
            assert gate.ended
            assert not gate.cancelled

    run(work())


def test_stop_is_safe_twice_and_the_port_is_free_again() -> None:
    async def work() -> None:
        async with serving(dispatch_of()) as server:
            await server.stop()
            await server.stop()
            await server.start()
            async with connected(server) as client:
                assert (await client.ask(request())).status == 200

    run(work())


def test_request_that_is_in_the_socket_when_the_stop_begins_is_answered() -> None:
    async def work() -> None:
        async with serving(dispatch_of()) as server, connected(server) as client:
            assert (await client.ask(request())).status == 200
            client.send(request())
            await server.stop(10)
            assert (await client.receive()).status == 200
            assert await client.is_closed()

    run(work())
