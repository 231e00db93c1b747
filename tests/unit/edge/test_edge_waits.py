"""A request that waits by its client's wish waits no longer than the client and the server do."""

import asyncio
from typing import Any

from penstock.base.wait import Wait
from penstock.wire.sigv4 import Caller
from unit.edge.serving import (
    RUN_SECONDS_MAX,
    connected,
    dispatch_of,
    request,
    run,
    serving,
    until,
)

LONGER_THAN_A_RUN_SECONDS = 2 * RUN_SECONDS_MAX


class Patient:
    """An operation that waits for what never comes; tells the waits that it was given."""

    def __init__(self) -> None:
        self.begun = asyncio.Event()
        self.ended = asyncio.Event()
        self.waits: list[Wait | None] = []

    async def __call__(self, caller: Caller, _body: dict[str, Any]) -> dict[str, Any]:
        self.waits.append(caller.wait)
        self.begun.set()
        if caller.wait is not None:
            await caller.wait.woken_by(asyncio.get_running_loop().create_future())
        self.ended.set()
        return {"done": True}


def waiting() -> bytes:
    return request(action="Wait", X_Penstock_Wait_Ms="250")


def test_only_a_request_that_asks_for_it_is_given_a_wait() -> None:
    async def work() -> None:
        patient = Patient()
        async with serving(dispatch_of(Wait=patient)) as server, connected(server) as client:
            assert (await client.ask(request(action="Wait"))).json == {"done": True}
            assert patient.waits == [None]
            client.send(request(action="Wait", X_Penstock_Wait_Ms="a", x_penstock_wait_ms="b"))
            await until(lambda: len(patient.waits) == 2)
            wait = patient.waits[1]
            assert wait is not None
            assert wait.asked == b"a,b"
            assert not wait.is_over

    run(work())


def test_a_client_that_is_reset_waits_no_longer() -> None:
    async def work() -> None:
        patient = Patient()
        async with serving(dispatch_of(Wait=patient)) as server:
            async with connected(server) as client:
                client.send(waiting())
                await patient.begun.wait()
                client.reset_on_abort()
            await patient.ended.wait()
            await until(lambda: not server._shared.connections and not server._shared.tasks)

    run(work())


def test_a_client_that_closes_waits_no_longer() -> None:
    async def work() -> None:
        patient = Patient()
        async with serving(dispatch_of(Wait=patient)) as server:
            async with connected(server) as client:
                client.send(waiting())
                await patient.begun.wait()
                client.writer.close()
                await patient.ended.wait()
            await until(lambda: not server._shared.connections and not server._shared.tasks)

    run(work())


def test_a_client_that_sends_no_more_is_answered_at_once() -> None:
    async def work() -> None:
        patient = Patient()
        async with serving(dispatch_of(Wait=patient)) as server, connected(server) as client:
            client.send(waiting())
            await patient.begun.wait()
            client.writer.write_eof()
            assert (await client.receive()).json == {"done": True}
            assert await client.is_closed()

    run(work())


def test_requests_behind_one_that_waits_are_answered_after_it() -> None:
    async def work() -> None:
        patient = Patient()
        async with serving(dispatch_of(Wait=patient)) as server, connected(server) as client:
            client.send(waiting() + request())
            await patient.begun.wait()
            (wait,) = patient.waits
            assert wait is not None
            wait.end()
            assert (await client.receive()).json == {"done": True}
            assert "Region" in (await client.receive()).json

    run(work())


def test_stop_answers_what_waits_at_once() -> None:
    async def work() -> None:
        patient = Patient()
        async with serving(dispatch_of(Wait=patient)) as server, connected(server) as client:
            client.send(waiting())
            await patient.begun.wait()
            await server.stop(LONGER_THAN_A_RUN_SECONDS)
            assert (await client.receive()).json == {"done": True}
            assert await client.is_closed()

    run(work())


def test_what_arrives_while_stopping_does_not_wait() -> None:
    """One waits while the next is half sent: both are answered, and the stop need not cut."""

    async def work() -> None:
        patient = Patient()
        async with serving(dispatch_of(Wait=patient)) as server, connected(server) as client:
            whole = waiting()
            client.send(whole + whole[:-1])
            await patient.begun.wait()
            stopping = asyncio.create_task(server.stop(LONGER_THAN_A_RUN_SECONDS))
            assert (await client.receive()).json == {"done": True}
            client.send(whole[-1:])
            assert (await client.receive()).json == {"done": True}
            await stopping

    run(work())
