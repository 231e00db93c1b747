"""Snapshots of the engine on PostgreSQL: what they see, what they cost, and who waits for them."""

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest

from penstock.base import limits
from penstock.base.clock import Clock
from penstock.base.errors.engine import EngineUnavailable
from penstock.storage import postgres_cluster
from penstock.storage.fibers import Fiber
from penstock.storage.postgres import PostgresEngine
from penstock.storage.postgres_connection import Connection, open_soon
from penstock.storage.waist import Reader, Span
from unit.storage.postgres_nodes import (
    A,
    B,
    Operator,
    named,
    nodes,
    on_one,
    on_two,
    put,
    stored,
    until,
    view,
)

Statements = list[bytes]


@pytest.fixture
def url(postgres_url: str) -> str:
    return named(postgres_url)


@pytest.fixture
def statements(monkeypatch: pytest.MonkeyPatch) -> Statements:
    """The names of all statements that are sent from here on, but for those of the beat."""
    sent: Statements = []
    send = Connection._ask

    def noting(self: Connection, request: Any) -> None:
        if request.name not in {b"beat", b"others", b"forget_nodes", b"oldest"}:
            sent.append(request.name)
        send(self, request)

    monkeypatch.setattr(Connection, "_ask", noting)
    return sent


def getting(key: bytes) -> Callable[[Reader], bytes | None]:
    return lambda r: r.get(key)


def read_two(reader: Reader) -> tuple[bytes | None, bytes | None]:
    return reader.get(b"one"), reader.get(b"two")


@contextlib.contextmanager
def views_held(operator: Operator) -> Iterator[None]:
    """Keep whatever reads the store waiting meanwhile."""
    session = operator.session()
    try:
        session.execute("LOCK TABLE penstock_kv IN ACCESS EXCLUSIVE MODE")
        yield
    finally:
        session.close()


async def warm_up(engine: PostgresEngine) -> None:
    """Open all connections of views, and let it be known that `read_two` reads two rows."""
    for _ in range(2):
        await asyncio.gather(*(view(engine, read_two) for _ in range(9)))
    assert len(engine._views._free) == limits.postgres_views


def test_rows_asked_for_in_one_turn_are_one_statement(url: str, statements: Statements) -> None:
    """Forty snapshots of a row each cost what one does, and each gets its own row."""

    async def scene(engine: PostgresEngine) -> None:
        for n in range(20):
            await put(engine, b"k%d" % n, b"v%d" % n)
        statements.clear()
        asked = [view(engine, getting(b"k%d" % (n % 25))) for n in range(40)]
        found = await asyncio.gather(*asked)
        assert found == [b"v%d" % (n % 25) if n % 25 < 20 else None for n in range(40)]
        assert statements == [b"get"]

    on_one(url, scene)


def test_a_work_that_reads_in_a_loop_is_one_statement_the_second_time(
    url: str, statements: Statements
) -> None:
    """What it asks for is found out before, so that the rows come together."""

    def work(reader: Reader) -> list[bytes | None]:
        return [reader.get(b"k%d" % n) for n in range(10)]

    async def scene(engine: PostgresEngine) -> None:
        for n in range(10):
            await put(engine, b"k%d" % n, b"v%d" % n)
        wanted = [b"v%d" % n for n in range(10)]
        assert await view(engine, work) == wanted
        statements.clear()
        assert await view(engine, work) == wanted
        assert statements == [b"begin_view", b"get", b"commit"]

    on_one(url, scene)


def test_a_work_that_looks_until_it_finds_something_ends(url: str) -> None:
    """What is read ahead is found out over an empty store, where such a work never finds."""

    def work(reader: Reader) -> int:
        n = 0
        while reader.get(b"k%d" % n) is None:
            n += 1
        return n

    async def scene(engine: PostgresEngine) -> None:
        await put(engine, b"k3", b"v")
        assert await view(engine, work) == 3
        assert await view(engine, work) == 3

    on_one(url, scene)


def test_a_view_of_two_reads_is_consistent_while_another_node_writes_both(url: str) -> None:
    """Both rows are always written together, so they are never seen to differ."""

    def write(t: Any, n: int) -> None:
        t.set(b"one", b"%d" % n)
        t.set(b"two", b"%d" % n)

    async def scene(writer: PostgresEngine, reader: PostgresEngine) -> None:
        seen = set()
        over = time.monotonic() + 1.5

        async def writes() -> None:
            n = 0
            while time.monotonic() < over:
                n += 1
                await writer.transact(partial(write, n=n), locks=[A])

        async def reads() -> None:
            while time.monotonic() < over:
                one, two = await view(reader, read_two)
                assert one == two
                spanned = await view(reader, lambda r: (r.get(b"two"), r.scan(Span(b"o", b"p"), 1)))
                assert spanned == (spanned[0], [(b"one", spanned[0])] if spanned[0] else [])
                seen.add(one)

        await asyncio.gather(
            *(asyncio.create_task(Fiber(each())) for each in (writes, reads, reads))
        )
        assert len(seen) > 3

    on_two(url, scene)


def test_a_snapshot_in_a_fiber_lets_others_go_on(url: str) -> None:
    """While the database takes its time, the loop turns."""

    async def scene(engine: PostgresEngine) -> None:
        await put(engine, b"k", b"v")
        with Operator(url) as operator, views_held(operator):
            asked = view(engine, lambda r: r.get(b"k"))
            await until(lambda: bool(operator.waiting()))
            for _ in range(10):
                await asyncio.sleep(0.001)
            assert not asked.done()
        assert await asked == b"v"

    on_one(url, scene)


def test_a_snapshot_that_is_cut_reads_again(url: str) -> None:
    """One row, several, and a scan alike, in a fiber and outside of one."""
    works: tuple[Callable[[Reader], Any], ...] = (
        lambda r: r.get(b"one"),
        read_two,
        lambda r: r.scan(Span(b"a", b"z"), 5),
    )
    wanted = [b"1", (b"1", None), [(b"one", b"1")]]

    async def scene(engine: PostgresEngine) -> None:
        await put(engine, b"one", b"1")
        with Operator(url) as operator:
            for work, result in zip(works, wanted, strict=True):
                with views_held(operator):
                    asked = view(engine, work)
                    await until(lambda: bool(operator.waiting()))
                    operator.cut(operator.waiting()[0])
                    assert not asked.done()
                assert await asked == result
                for pid in operator.processes():
                    operator.cut(pid)
                assert engine.snapshot(work) == result

    on_one(url, scene)


def test_a_view_that_is_cancelled_leaves_its_connection_to_the_next(url: str) -> None:
    """However many are, no more connections are open than views may have."""

    async def scene(engine: PostgresEngine) -> None:
        await put(engine, b"one", b"1")
        with Operator(url) as operator:
            for _ in range(3):
                with views_held(operator):
                    asked: list[Any] = [view(engine, read_two) for _ in range(9)]
                    await until(lambda: len(operator.waiting()) >= 1)
                    for each in asked:
                        each.cancel()
                    await asyncio.wait(asked)
            assert await view(engine, read_two) == (b"1", None)
            assert len(operator.processes()) <= limits.postgres_views + 2

    on_one(url, scene)


def test_a_turn_that_comes_to_a_cancelled_view_goes_to_the_next(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who is cancelled in the moment in which its turn comes does not keep it."""

    async def scene(engine: PostgresEngine) -> None:
        await put(engine, b"one", b"1")
        await warm_up(engine)
        monkeypatch.setattr(limits, "postgres_views", 1)
        views = engine._views
        late: list[asyncio.Task[Any]] = []
        take_back = views._take_back

        def cancelling(lent: Any) -> None:
            take_back(lent)
            late[0].cancel()

        with Operator(url) as operator:
            with views_held(operator):
                served = view(engine, read_two)
                await until(lambda: len(operator.waiting()) == 1)
                late += [view(engine, read_two) for _ in range(2)]
                await until(lambda: len(views._turns) == 2)
                monkeypatch.setattr(views, "_take_back", cancelling)
            assert await served == (b"1", None)
            assert await asyncio.wait_for(late[1], 10) == (b"1", None)
            assert late[0].cancelled()

    on_one(url, scene)


def test_views_that_cannot_be_opened_let_the_next_try(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever waited behind them hears of it too, and does not wait for ever."""

    async def scene(engine: PostgresEngine) -> None:
        await put(engine, b"one", b"1")
        await warm_up(engine)
        for each in engine._views._free:
            each.close()

        def refused() -> Connection:
            raise EngineUnavailable("no")

        monkeypatch.setattr(engine._cluster, "open", refused)
        monkeypatch.setattr(limits, "postgres_group_seconds_max", 0.0)
        engine._views._lent.update(object() for _ in range(limits.postgres_views))  # type: ignore[misc]
        late = [view(engine, read_two) for _ in range(3)]
        await until(lambda: len(engine._views._turns) == 3)
        engine._views._lent.clear()
        engine._views._next_turn()
        done, pending = await asyncio.wait(late, timeout=10)
        assert not pending
        assert all(isinstance(each.exception(), EngineUnavailable) for each in done)

    on_one(url, scene)


def test_closing_the_store_ends_every_snapshot_under_way(url: str) -> None:
    """Those that read, those that wait for a connection, and those that are asked for just now."""

    async def scene(engine: PostgresEngine) -> None:
        await put(engine, b"one", b"1")
        await warm_up(engine)
        with Operator(url) as operator:
            with views_held(operator):
                asked = [view(engine, read_two) for _ in range(7)]
                asked += [view(engine, lambda r: r.get(b"one"))]
                await until(lambda: len(operator.waiting()) == limits.postgres_views + 1)
                late = view(engine, lambda r: r.get(b"two"))
                await asyncio.sleep(0)  # it has asked, and nobody has sent it yet
                begun = time.monotonic()
                engine.close()
                done, pending = await asyncio.wait([*asked, late], timeout=10)
                assert not pending
                assert time.monotonic() - begun < limits.postgres_close_seconds_max + 2
                assert all(isinstance(each.exception(), EngineUnavailable) for each in done)
            await until(lambda: not operator.processes())

    on_one(url, scene)


def test_a_view_that_is_cancelled_as_its_connection_opens_leaves_none_open(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The connection is there, and nobody to have it."""

    async def scene(engine: PostgresEngine) -> None:
        await put(engine, b"one", b"1")
        await warm_up(engine)
        asked: list[asyncio.Task[Any]] = []

        async def opening(url: str, clock: Clock) -> Connection:
            connection = await open_soon(url, clock)
            asyncio.get_running_loop().call_soon(asked[-1].cancel)
            return connection

        with Operator(url) as operator, monkeypatch.context() as patch:
            patch.setattr(postgres_cluster, "open_soon", opening)
            for connection in engine._views._free:
                connection.close()
            await until(lambda: len(operator.processes()) == 2)
            for _ in range(3):
                asked.append(view(engine, read_two))
                await asyncio.wait([asked[-1]])
                assert asked[-1].cancelled()
            await until(lambda: len(operator.processes()) == 2)

    on_one(url, scene)


def test_readers_that_are_cancelled_leave_what_was_opened_for_them_to_the_next(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The connection that readers share is opened once, whoever waits for it at the end."""

    async def scene(engine: PostgresEngine) -> None:
        await put(engine, b"one", b"1")
        gate = asyncio.Event()

        async def opening(url: str, clock: Clock) -> Connection:
            await gate.wait()
            return await open_soon(url, clock)

        monkeypatch.setattr(postgres_cluster, "open_soon", opening)
        with Operator(url) as operator:
            for _ in range(3):
                await until(lambda: engine._cluster.connection is not None)  # by the beat, at first
                assert engine._cluster.connection is not None
                engine._cluster.connection.close()
                asked = view(engine, lambda r: r.get(b"one"))
                await until(lambda: engine._cluster._opening is not None)
                asked.cancel()
                for task in list(engine._cluster._tasks):  # the beat and the reader's
                    task.cancel()
                await asyncio.wait([asked])
                opening_task = engine._cluster._opening
                assert opening_task is not None
                gate.set()
                await asyncio.wait([opening_task])
                gate.clear()
                reading = view(engine, lambda r: r.get(b"one"))
                await asyncio.sleep(0)
                gate.set()
                assert await reading == b"1"
                gate.clear()
            await until(lambda: len(operator.processes()) == 2)

    on_one(url, scene)


def test_a_snapshot_outside_of_a_loop_reads_what_is_there(url: str) -> None:
    """Before a loop, and after it: the thread stands still for it."""
    with nodes(url) as (engine,):
        assert stored(engine, b"k") is None
        asyncio.run(_put_both(engine))
        assert engine.snapshot(read_two) == (b"1", b"2")


async def _put_both(engine: PostgresEngine) -> None:
    await asyncio.gather(put(engine, b"one", b"1"), put(engine, b"two", b"2", [B]))
