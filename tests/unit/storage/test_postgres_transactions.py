"""Transactions on PostgreSQL: order, retries, and what comes of them where something breaks."""

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
import uvloop

from penstock.base import limits
from penstock.base.clock import Clock, SystemClock
from penstock.base.errors.engine import (
    EngineError,
    EngineFull,
    EngineUnavailable,
    StoreCorrupt,
    TransactionConflict,
)
from penstock.storage import postgres_cluster
from penstock.storage.postgres import InDoubt, PostgresEngine
from penstock.storage.postgres_connection import Connection, open_blocking
from penstock.storage.waist import Lock, Stamp, Transaction, last_stamp, log_span, stamp_of
from unit.storage.postgres_nodes import (
    A,
    B,
    Operator,
    lock,
    named,
    nodes,
    on_one,
    on_two,
    put,
    stored,
    until,
    view,
)

LOG = b"\x22log-one."

NewLoop = Callable[[], asyncio.AbstractEventLoop]
BOTH_LOOPS = pytest.mark.parametrize(
    "new_loop", [asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"]
)


@pytest.fixture
def url(postgres_url: str) -> str:
    return named(postgres_url)


def counting(key: bytes) -> Callable[[Transaction], int]:
    """Return a work that adds one to a number, and returns the sum."""

    def work(t: Transaction) -> int:
        number = int(t.get(key) or b"0") + 1
        t.set(key, b"%d" % number)
        return number

    return work


def running(
    engine: PostgresEngine, work: Callable[[Transaction], Any], *locks: Lock
) -> "asyncio.Task[Any]":
    return asyncio.create_task(engine.transact(work, locks=locks or (A,)))


async def said(task: "asyncio.Task[Any]") -> BaseException | None:
    """Return what a task raised once it has ended."""
    await asyncio.wait([task], timeout=30)
    return task.exception()


# --- broken connections and refusals


def test_a_transaction_that_is_cut_before_its_commit_runs_again(url: str) -> None:
    """Nothing of the first try is there, and its caller knows nothing of it."""

    async def scene(engine: PostgresEngine) -> None:
        assert await running(engine, counting(b"n")) == 1
        with Operator(url) as operator:
            with operator.holds(b"a"):
                asked = running(engine, counting(b"n"))
                for _ in range(2):
                    await until(lambda: bool(operator.waiting()))
                    operator.cut(operator.waiting()[0])
                    assert not asked.done()
                await until(lambda: bool(operator.waiting()))
            assert await asked == 2

    on_one(url, scene)


@pytest.mark.parametrize("step", range(4))
def test_connections_that_are_lost_as_they_are_opened_are_opened_again(
    url: str, step: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At whichever step of that, and for whomever: to the engine it is one more lost connection."""
    made = Connection.__init__
    sent = Connection.send_text
    lost: list[int] = []

    def connects(self: Connection, session: Any, clock: Clock) -> None:
        lost.append(0)
        if step == 0 and len(lost) <= 4:
            session.pgconn.finish()
        made(self, session, clock)

    def sends(self: Connection, statements: Any, *rest: Any) -> Any:
        reply = sent(self, statements, *rest)
        if len(lost) <= 4:
            if step == 1:
                self.close()
            elif step == 2:
                self._libpq.finish()
            elif step == 3:
                sent(self, ["SELECT pg_terminate_backend(pg_backend_pid())"])
        return reply

    async def scene(engine: PostgresEngine) -> None:
        monkeypatch.setattr(Connection, "__init__", connects)
        monkeypatch.setattr(Connection, "send_text", sends)
        found: Any = await asyncio.gather(
            running(engine, lambda t: t.get(b"k")),
            view(engine, lambda r: r.get(b"k")),
            view(engine, lambda r: (r.get(b"k"), r.get(b"l"))),
        )
        assert list(found) == [None, None, (None, None)]
        assert len(lost) > 4
        await until(lambda: engine._cluster.known_since_ms > 0)  # it lives

    on_one(url, scene)


def test_a_bug_of_ours_ends_what_met_it_alone(
    url: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Nobody waits for ever, and the node lives on."""

    async def bug(url: str, clock: Clock) -> Connection:
        raise ValueError("a bug")

    async def scene(engine: PostgresEngine) -> None:
        with monkeypatch.context() as patch:
            patch.setattr(postgres_cluster, "open_soon", bug)
            for task in (view(engine, lambda r: r.get(b"k")), running(engine, counting(b"n"))):
                error = await said(task)
                assert isinstance(error, EngineUnavailable)
                assert "a bug" in str(error)
            await until(lambda: "A node's beat failed" in caplog.messages)
        assert await running(engine, counting(b"n")) == 1
        await until(lambda: engine._cluster.known_since_ms > 0)

    on_one(url, scene)


def test_a_transaction_that_is_cut_while_idle_runs_again(url: str) -> None:
    """A connection that was lost before it was needed is not used."""

    async def scene(engine: PostgresEngine) -> None:
        with Operator(url) as operator:
            for nth in range(1, 4):
                assert await running(engine, counting(b"n")) == nth
                for pid in operator.processes():
                    operator.cut(pid)
                # Without a turn of the loop: nobody has heard of it yet.

    on_one(url, scene)


def test_a_transaction_that_is_cut_as_it_commits_is_in_doubt(url: str) -> None:
    """It does not run again: its caller is told to ask. Here nothing of it is there."""

    async def scene(engine: PostgresEngine) -> None:
        def work(t: Transaction) -> None:
            counting(b"n")(t)
            t.set(b"new", b"row")

        await put(engine, b"n", b"1")
        with Operator(url) as operator:
            with operator.holds_row(b"new"):
                asked = running(engine, work)
                behind = running(engine, counting(b"n"))
                await until(lambda: bool(operator.waiting()))
                later = running(engine, counting(b"n"))
                operator.cut(operator.waiting()[0])
                assert isinstance(await said(asked), InDoubt)
                assert isinstance(await said(behind), InDoubt)  # it was of the same group
            assert await later == 2
        assert stored(engine, b"new") is None

    on_one(url, scene)


@pytest.mark.parametrize("code", ["40001", "40P01"])
@pytest.mark.parametrize("when", ["BEFORE", "AFTER"])
def test_a_conflict_is_tried_again(url: str, code: str, when: str) -> None:
    """In the statement that finds it, or only in the commit; once each try is enough."""
    tries: list[int] = []

    def work(t: Transaction) -> None:
        tries.append(1)
        t.set(b"k", b"v%d" % len(tries))

    async def scene(engine: PostgresEngine) -> None:
        with Operator(url) as operator:
            operator.refuses(code, 2, after=when == "AFTER")
            await running(engine, work)
            assert operator.tried() == len(tries) == 3
        assert stored(engine, b"k") == b"v3"

    on_one(url, scene)


@pytest.mark.parametrize(
    ("code", "kind"),
    [("53100", EngineFull), ("XX001", StoreCorrupt), ("22023", EngineError)],
)
def test_what_trying_again_does_not_mend_is_told_at_once(
    url: str, code: str, kind: type[EngineError]
) -> None:
    """And the next transaction goes its way."""

    async def scene(engine: PostgresEngine) -> None:
        with Operator(url) as operator:
            operator.refuses(code, 1)
            error = await said(running(engine, lambda t: t.set(b"k", b"v")))
            assert type(error) is kind
            assert code in str(error)
            await put(engine, b"k", b"w")
            assert operator.tried() == 2
        assert stored(engine, b"k") == b"w"

    on_one(url, scene)


def test_trying_again_has_an_end(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each has its own, by when it came; those behind it get their turn."""
    monkeypatch.setattr(limits, "postgres_group_seconds_max", 0.5)

    async def scene(engine: PostgresEngine) -> None:
        with Operator(url) as operator:
            operator.refuses("40001", 1_000_000)
            begun = time.monotonic()
            first = running(engine, lambda t: t.set(b"k", b"v"))
            await asyncio.sleep(0.2)
            second = running(engine, lambda t: t.set(b"k", b"w"))
            assert isinstance(await said(first), TransactionConflict)
            assert 0.4 < time.monotonic() - begun < 5
            assert isinstance(await said(second), TransactionConflict)
            operator.sql("DROP TRIGGER refusing ON penstock_kv")
            await put(engine, b"k", b"x")

    on_one(url, scene)


def test_a_read_within_a_transaction_that_is_cut_runs_it_again(url: str) -> None:
    """Also where the work takes the error for an answer of its own."""
    tries: list[int] = []

    async def scene(engine: PostgresEngine) -> None:
        with Operator(url) as operator:

            def careless(t: Transaction) -> bytes | None:
                tries.append(1)
                if len(tries) == 1:
                    ours = operator.sql(
                        "SELECT pid FROM pg_stat_activity WHERE state = 'idle in transaction'"
                        " AND application_name LIKE 'engine_%%'"
                    )
                    for (pid,) in ours:
                        operator.cut(pid)
                try:
                    return t.get(b"elsewhere")
                except EngineError:
                    t.set(b"k", b"bad")
                    return b"nothing"

            assert await running(engine, careless) is None
            assert len(tries) == 2
            assert stored(engine, b"k") is None

    on_one(url, scene)


# --- groups


def test_a_group_with_much_to_write_is_several(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every one is committed, in order, and reads what came before it."""
    monkeypatch.setattr(limits, "commit_group_bytes_max", 100)
    order: list[int] = []

    def work(n: int) -> Callable[[Transaction], int]:
        def does(t: Transaction) -> int:
            before = t.get(b"last")
            assert int(before or b"-1") == n - 1
            t.set(b"last", b"%d" % n)
            t.set(b"k%d" % n, b"x" * 40)
            return n

        return does

    async def scene(engine: PostgresEngine) -> None:
        asked = [running(engine, work(n)) for n in range(20)]
        for each in asked:
            each.add_done_callback(lambda task: order.append(task.result()))
        await asyncio.gather(*asked)
        assert order == list(range(20))

    on_one(url, scene)


def test_groups_without_a_lock_in_common_go_side_by_side(url: str) -> None:
    """One that has to wait keeps nobody else; what is behind it waits, in its order."""

    async def scene(engine: PostgresEngine) -> None:
        order: list[int] = []
        with Operator(url) as operator:
            with operator.holds(b"a"):
                held = running(engine, counting(b"n"))
                await until(lambda: bool(operator.waiting()))
                behind = [running(engine, counting(b"n"), A, B), running(engine, counting(b"n"), B)]
                for each in [held, *behind]:
                    each.add_done_callback(lambda task: order.append(task.result()))
                await put(engine, b"free", b"v", [lock(b"c")])
                await put(engine, b"free", b"w", [])
                await asyncio.sleep(0.05)
                assert not any(each.done() for each in [held, *behind])
                assert len(operator.waiting()) == 1
            await asyncio.gather(held, *behind)
        assert order == [1, 2, 3]

    on_one(url, scene)


def test_more_groups_than_lanes_wait_for_one(url: str) -> None:
    """No more connections are open than lanes and what is read by."""

    async def scene(engine: PostgresEngine) -> None:
        with Operator(url) as operator:
            names = [b"x%d" % n for n in range(limits.postgres_lanes + 3)]
            with operator.holds_all(names):
                asked = []
                for name in names:
                    asked.append(running(engine, counting(name), lock(name)))
                    await asyncio.sleep(0)
                    await asyncio.sleep(0)
                await until(lambda: len(operator.waiting()) == limits.postgres_lanes)
                await asyncio.sleep(0.05)
                assert len(operator.processes()) <= limits.postgres_lanes + 1
            assert await asyncio.gather(*asked) == [1] * len(names)

    on_one(url, scene)


def test_a_caller_that_goes_away_keeps_nobody(url: str) -> None:
    """What has not begun is dropped; what has goes its way."""

    async def scene(engine: PostgresEngine) -> None:
        with Operator(url) as operator:
            with operator.holds(b"a"):
                begun = running(engine, counting(b"n"))
                await until(lambda: bool(operator.waiting()))
                gone = running(engine, counting(b"n"))
                last = running(engine, counting(b"n"))
                await asyncio.sleep(0)
                begun.cancel()
                gone.cancel()
            assert await last == 2

    on_one(url, scene)


# --- many writers


def test_two_nodes_count_together(url: str) -> None:
    """Each transaction sees all that came before it on either node: none is lost or twice."""

    async def scene(one: PostgresEngine, two: PostgresEngine) -> None:
        async def counts(engine: PostgresEngine) -> list[int]:
            return [await running(engine, counting(b"n")) for _ in range(40)]

        found = await asyncio.gather(*(counts(each) for each in (one, two) for _ in range(3)))
        assert sorted(n for each in found for n in each) == list(range(1, 241))
        assert all(each == sorted(each) for each in found)
        assert stored(one, b"n") == stored(two, b"n") == b"240"

    on_two(url, scene)


def test_stamps_come_to_light_in_order(url: str) -> None:
    """Who has seen a stamp never finds a smaller one later, on whichever node; and none twice."""

    async def scene(one: PostgresEngine, two: PostgresEngine) -> None:
        over = time.monotonic() + 2.0
        given: list[Stamp] = []

        async def appends(engine: PostgresEngine) -> None:
            last = 0
            while time.monotonic() < over:
                stamp = await running(engine, lambda t: t.append(LOG, lambda _: b"r"))
                assert stamp > last
                given.append(last := stamp)

        async def reads(engine: PostgresEngine) -> list[Stamp]:
            seen: list[Stamp] = []
            while time.monotonic() < over:
                known = len(given)
                floor = max(given[:known], default=0)
                everything, after = await asyncio.gather(
                    view(engine, lambda r: r.scan(log_span(LOG), 100_000)),
                    view(engine, lambda r: last_stamp(r, LOG)),
                )
                found = [stamp_of(key) for key, _ in everything]
                assert found[: len(seen)] == seen  # nothing came in between, or before
                assert max(found, default=0) >= floor
                assert after >= floor
                seen = found
            return seen

        seen, *_ = await asyncio.gather(
            reads(two), reads(one), appends(one), appends(two), appends(two)
        )
        assert len(seen) > 20
        final = [stamp_of(key) for key, _ in one.snapshot(lambda r: r.scan(log_span(LOG), 100_000))]
        assert sorted(given) == final

    on_two(url, scene)


def test_stamps_grow_where_clocks_do_not_agree(url: str) -> None:
    """A node whose clock is behind goes on where the other has come to."""

    class Behind(SystemClock):
        def now_ms(self) -> int:
            return super().now_ms() - 60_000

    async def scene(one: PostgresEngine, two: PostgresEngine) -> None:
        two._clock = Behind()
        stamps = [
            await running(engine, lambda t: t.append(LOG, lambda _: b"r"))
            for engine in (two, one, two, two, one)
        ]
        assert stamps == sorted(set(stamps))

    on_two(url, scene)


# --- the end


def test_closing_the_store_ends_every_transaction(url: str) -> None:
    """Those on their way and those that wait: at once, and no connection stays open."""

    async def scene(engine: PostgresEngine) -> None:
        with Operator(url) as operator:
            with operator.holds(b"a"):
                asked = [running(engine, counting(b"n"))]
                await until(lambda: bool(operator.waiting()))
                asked += [running(engine, counting(b"n")), running(engine, counting(b"m"), B)]
                await asyncio.sleep(0)
                begun = time.monotonic()
                engine.close()
                engine.close()
                for each in asked:
                    assert isinstance(await said(each), EngineUnavailable)
                assert time.monotonic() - begun < 2
                with pytest.raises(EngineUnavailable, match="closed"):
                    await put(engine, b"k", b"v")
                with pytest.raises(EngineUnavailable, match="closed"):
                    stored(engine, b"k")
            await until(lambda: not operator.processes())
            assert operator.sql("SELECT count(*) FROM penstock_node") == [(0,)]

    on_one(url, scene)


def test_closing_while_a_lane_is_opened_leaves_nothing_open(url: str) -> None:
    """At whichever step of that."""

    async def scene(operator: Operator) -> None:
        for turns in range(0, 40, 4):
            with nodes(url) as (engine,):
                asked = running(engine, counting(b"n"))
                for _ in range(turns):
                    await asyncio.sleep(0)
                engine.close()
                await said(asked)
        await until(lambda: not operator.processes())

    with Operator(url) as operator:
        asyncio.run(scene(operator))


@BOTH_LOOPS
@pytest.mark.parametrize("is_open", [True, False])
def test_an_engine_serves_one_loop_after_another(
    url: str, is_open: bool, new_loop: NewLoop
) -> None:
    """What the first loop left behind is not in the way of the second."""

    async def leaves_much(engine: PostgresEngine) -> None:
        await put(engine, b"k", b"v")
        for _ in range(3):
            running(engine, counting(b"n"))
            view(engine, lambda r: (r.get(b"k"), r.get(b"n")))
            view(engine, lambda r: r.get(b"k"))
        engine.watch(LOG, 0, 3600)
        for _ in range(3):
            await asyncio.sleep(0)

    async def works(engine: PostgresEngine) -> None:
        for _ in range(3):
            before = int(stored(engine, b"n") or b"0")
            assert await running(engine, counting(b"n")) == before + 1
        assert await view(engine, lambda r: (r.get(b"k"), r.get(b"x"))) == (b"v", None)
        watched = engine.watch(LOG, 0, 3600)
        await running(engine, lambda t: t.append(LOG, lambda _: b"r"))
        await asyncio.wait_for(watched, 30)

    def run(scene: Coroutine[Any, Any, None]) -> None:
        with asyncio.Runner(loop_factory=new_loop) as runner:
            runner.run(scene)

    with nodes(url) as (engine,):
        for _ in range(3):
            run(leaves_much(engine))
            if is_open:
                engine.snapshot(lambda r: r.get(b"k"))
            else:
                for connection in [engine._cluster.connection, *engine._lanes]:
                    if connection is not None:
                        connection.close()
            run(works(engine))


# --- a connection


async def late(connection: Connection) -> None:
    reply = connection.send_text(["SELECT pg_sleep(60)"], 0.2)
    await reply.future()
    with pytest.raises(EngineUnavailable, match="in time"):
        reply.checked()


def test_no_reply_is_waited_for_for_ever(url: str) -> None:
    """Neither on the loop nor where the thread stands still; the connection is lost with it."""
    waits: list[Callable[[Connection], Coroutine[Any, Any, None]] | None] = [late, None]
    for wait in waits:
        connection = open_blocking(url, SystemClock(), prepared=False)
        begun = time.monotonic()
        if wait is not None:
            asyncio.run(wait(connection))
        else:
            reply = connection.send_text(["SELECT pg_sleep(60)"])
            with pytest.raises(EngineUnavailable, match="in time"):
                connection.block(reply, 0.2).checked()
        assert time.monotonic() - begun < 10
        assert connection.failure is not None
        after = connection.send_text(["SELECT 1"])
        assert after.done
        with pytest.raises(EngineUnavailable, match="in time"):
            after.checked()


@BOTH_LOOPS
def test_a_connection_that_is_reset_is_lost_at_once(url: str, new_loop: NewLoop) -> None:
    """It ends with an error, not with an end, where the server had something left to read."""

    async def scene(operator: Operator) -> None:
        connection = open_blocking(url, SystemClock(), prepared=False)
        slow = connection.send_text(["SELECT pg_sleep(60)"])
        await until(lambda: bool(operator.processes(event="PgSleep")))
        unread = connection.send_text(["SELECT 1"])
        await asyncio.sleep(0.1)  # it is there
        begun = time.monotonic()
        operator.cut(operator.processes()[0])
        await unread.future()
        assert time.monotonic() - begun < limits.postgres_reply_seconds_max / 2
        assert slow.done
        for each in (slow, unread):
            with pytest.raises(EngineUnavailable):
                each.checked()

    with Operator(url) as operator, asyncio.Runner(loop_factory=new_loop) as runner:
        runner.get_loop().set_exception_handler(lambda _, __: None)
        runner.run(scene(operator))


def test_replies_come_in_the_order_of_the_questions(url: str) -> None:
    """However they are waited for; an error is of its own batch alone, and skips the rest of it."""

    async def scene(connection: Connection) -> None:
        good = connection.send_text(["SELECT 1::int8, 2::int8"])
        bad = connection.send_text(["SELECT 1", "SELECT 1/0", "SELECT 2"])
        last = connection.send_text(["SELECT 3::int8, 4::int8"])
        connection.block(bad)
        assert good.done
        await last.future()
        assert good.rows() == [((1).to_bytes(8, "big"), (2).to_bytes(8, "big"))]
        with pytest.raises(EngineError, match="22012"):
            bad.rows()
        assert last.rows() == [((3).to_bytes(8, "big"), (4).to_bytes(8, "big"))]
        assert connection.failure is None

    connection = open_blocking(url, SystemClock(), prepared=False)
    asyncio.run(scene(connection))
    connection.close()


def test_much_is_sent_and_received_at_once(url: str) -> None:
    """More than any buffer between holds, both ways."""

    async def scene(engine: PostgresEngine) -> None:
        big = {b"k%d" % n: bytes([n]) * 400_000 for n in range(16)}

        def fill(t: Transaction) -> None:
            for key, value in big.items():
                t.set(key, value)

        await running(engine, fill)
        works = [view(engine, lambda r, key=key: r.get(key)) for key in big]  # type: ignore[misc]
        assert await asyncio.gather(*works) == list(big.values())

    on_one(url, scene)


class _Ended(BaseException):
    """What ends a task and is no error, as GreenletExit is."""


def test_a_group_is_answered_whatever_ends_it(url: str) -> None:
    """Also by what no `except Exception` sees; what comes after it is carried out."""

    def ends(t: Transaction) -> None:
        t.set(b"a", b"half")
        raise _Ended

    async def scene(engine: PostgresEngine) -> None:
        unheard: list[dict[str, Any]] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, told: unheard.append(told))
        ended = asyncio.ensure_future(engine.transact(ends, locks=[A]))
        beside = asyncio.ensure_future(engine.transact(counting(b"n"), locks=[B]))
        outcomes = await asyncio.gather(ended, beside, return_exceptions=True)
        assert [type(each) for each in outcomes] == [EngineUnavailable, EngineUnavailable]
        assert await engine.transact(counting(b"n"), locks=[A, B]) == 1
        assert stored(engine, b"a") is None

    on_one(url, scene)


def test_what_waits_too_long_behind_a_lock_is_refused(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A group that takes long holds up what needs its locks, for a limited time, and no more."""
    monkeypatch.setattr(limits, "postgres_group_seconds_max", 0.6)
    monkeypatch.setattr(limits, "postgres_late_seconds", 0.1)

    async def scene(engine: PostgresEngine) -> None:
        await put(engine, b"a", b"1")
        with Operator(url) as operator:
            with operator.holds(A.name):
                first = asyncio.ensure_future(put(engine, b"a", b"2"))
                await asyncio.sleep(0.2)
                begun = time.monotonic()
                with pytest.raises(EngineUnavailable, match="busy for too long"):
                    await put(engine, b"a", b"3")
                assert time.monotonic() - begun < 5
                assert await engine.transact(lambda t: t.get(b"a")) == b"1"  # it needs no lock
            await first
        assert stored(engine, b"a") == b"2"

    on_one(url, scene)
