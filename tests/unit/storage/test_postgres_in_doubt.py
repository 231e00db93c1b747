"""A PostgreSQL of the test's own that is paused, restarted, or loses its synchronous replica."""

import asyncio
import time
from collections.abc import Iterator

import pytest

from penstock.base.errors.engine import EngineUnavailable
from penstock.storage.postgres import InDoubt, PostgresEngine
from penstock.storage.waist import Transaction
from postgres.server import PostgresServer
from unit.storage.postgres_nodes import (
    A,
    B,
    Operator,
    acquainted,
    named,
    on_one,
    put,
    stored,
    until,
    view,
)


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    with PostgresServer({"fsync": "off"}) as started:
        yield started


@pytest.fixture
def url(server: PostgresServer) -> Iterator[str]:
    """The one schema, with nothing in it."""
    server.sql("DROP SCHEMA public CASCADE")
    server.sql("CREATE SCHEMA public")
    yield named(f"{server.url}?options=-csearch_path%3Dpublic")
    server.sql("ALTER SYSTEM RESET ALL")
    server.sql("SELECT pg_reload_conf()")
    server.sql("ALTER ROLE penstock RESET ALL")


async def wait_for_replica(server: PostgresServer) -> None:
    """Have commits wait for a replica that is not there."""
    server.sql("ALTER SYSTEM SET synchronous_standby_names = 'nobody'")
    server.sql("SELECT pg_reload_conf()")
    await asyncio.sleep(0.1)


async def waits_for_replica(operator: Operator) -> int:
    """Return the process that waits for the replica, once there is one."""
    await until(lambda: bool(operator.processes(event="SyncRep")))
    return operator.processes(event="SyncRep")[0]


@pytest.mark.parametrize("how", ["cancel", "terminate"])
def test_a_commit_that_no_replica_has_is_not_acknowledged(
    server: PostgresServer, url: str, how: str
) -> None:
    """Whoever ends the wait for it: the row is there, and may be lost with this server.

    Also where the role would rather hear of no warnings.
    """
    server.sql("ALTER ROLE penstock SET client_min_messages = 'error'")
    tries: list[int] = []

    def work(t: Transaction) -> None:
        tries.append(1)
        t.set(b"k", b"new")

    async def scene(engine: PostgresEngine) -> None:
        await put(engine, b"k", b"old")
        with Operator(url) as operator:
            await wait_for_replica(server)
            asked = asyncio.create_task(engine.transact(work, locks=[A]))
            pid = await waits_for_replica(operator)
            assert await view(engine, lambda r: r.get(b"k")) == b"old"
            if how == "cancel":
                operator.sql("SELECT pg_cancel_backend(%s)", pid)
            else:
                operator.cut(pid)
            with pytest.raises(InDoubt):
                await asked
            assert tries == [1]
            assert await view(engine, lambda r: r.get(b"k")) == b"new"
            operator.sql("ALTER SYSTEM RESET synchronous_standby_names")
            operator.sql("SELECT pg_reload_conf()")
            await asyncio.sleep(0.1)
        await put(engine, b"k", b"newer")
        assert stored(engine, b"k") == b"newer"

    on_one(url, scene)


def test_a_transaction_that_writes_nothing_waits_for_no_replica(
    server: PostgresServer, url: str
) -> None:
    """Nor does the next one under its locks: what is durable was so before."""

    async def scene(engine: PostgresEngine) -> None:
        await put(engine, b"k", b"v")
        with Operator(url) as operator:
            await wait_for_replica(server)
            for _ in range(3):
                assert await engine.transact(lambda t: t.get(b"k"), locks=[A, B]) == b"v"
                await asyncio.sleep(0.05)
                assert operator.processes(event="SyncRep") == []
        assert len(engine._lanes) == 1

    on_one(url, scene)


def test_who_reads_waits_for_no_replica(server: PostgresServer, url: str) -> None:
    """Though what a node says of itself goes the same way: beats and hints wait for nothing."""

    async def scene(engine: PostgresEngine) -> None:
        await acquainted(engine)
        await put(engine, b"k", b"v")
        with Operator(url) as operator:
            await wait_for_replica(server)
            engine._cluster.others = 1
            engine._cluster.tell([b"\x02log"])
            for _ in range(2):
                await asyncio.wait_for(engine._cluster.beat(), 10)
                assert await asyncio.wait_for(view(engine, lambda r: r.get(b"k")), 10) == b"v"
            assert operator.processes(event="SyncRep") == []

    on_one(url, scene)


def test_the_loop_goes_on_while_the_server_stands_still(server: PostgresServer, url: str) -> None:
    """Snapshots and transactions wait, for fibers; they go on where the server does."""

    async def scene(engine: PostgresEngine) -> None:
        await put(engine, b"k", b"v")
        await view(engine, lambda r: (r.get(b"k"), r.get(b"l")))
        server.pause()
        try:
            asked = [
                view(engine, lambda r: r.get(b"k")),
                view(engine, lambda r: (r.get(b"k"), r.get(b"l"))[0]),
                asyncio.create_task(engine.transact(lambda t: t.get(b"k"), locks=[B])),
            ]
            longest = 0.0
            over = time.monotonic() + 0.5
            while (before := time.monotonic()) < over:
                await asyncio.sleep(0)
                longest = max(longest, time.monotonic() - before)
            assert longest < 0.4
            assert not any(each.done() for each in asked)
        finally:
            server.resume()
        assert await asyncio.gather(*asked) == [b"v"] * 3

    on_one(url, scene)


def test_closing_does_not_wait_for_a_server_that_stands_still(
    server: PostgresServer, url: str
) -> None:
    """Whatever is under way hears of it at once."""

    async def scene(engine: PostgresEngine) -> None:
        await acquainted(engine)
        await put(engine, b"k", b"v")
        server.pause()
        try:
            asked = [
                view(engine, lambda r: r.get(b"k")),
                asyncio.create_task(put(engine, b"k", b"w")),
            ]
            await asyncio.sleep(0.05)
            begun = time.monotonic()
            engine.close()
            done, pending = await asyncio.wait(asked, timeout=10)
            assert not pending
            assert time.monotonic() - begun < 5
            assert all(isinstance(each.exception(), EngineUnavailable) for each in done)
        finally:
            server.resume()

    on_one(url, scene)


def test_a_server_that_starts_again_is_gone_on_with(server: PostgresServer, url: str) -> None:
    """What is asked for while it is down waits a little, and is answered."""

    async def scene(engine: PostgresEngine) -> None:
        await acquainted(engine)
        await put(engine, b"k", b"v")
        watched = engine.watch(b"\x22log.", 0, 3600)
        server.stop()
        asked = [
            view(engine, lambda r: r.get(b"k")),
            view(engine, lambda r: (r.get(b"k"), r.get(b"l"))[0]),
            asyncio.create_task(engine.transact(lambda t: t.get(b"k"), locks=[A])),
        ]
        await asyncio.sleep(0.3)
        assert not any(each.done() for each in asked)
        await asyncio.to_thread(server.start)
        assert await asyncio.gather(*asked) == [b"v"] * 3
        await asyncio.wait_for(watched, 30)  # whatever was told meanwhile was not heard

    on_one(url, scene)


def test_a_store_that_may_lose_what_it_acknowledged_is_told_of(
    url: str, caplog: pytest.LogCaptureFixture
) -> None:
    """By a line at the start for each setting."""

    async def scene(engine: PostgresEngine) -> None:
        await put(engine, b"k", b"v")

    on_one(url, scene)
    told = [each for each in caplog.records if "may lose" in each.message]
    assert [each.__dict__["setting"] for each in told] == ["fsync=off"]
