"""Nodes over one PostgreSQL: what they show of each other's tables, how they wake each other."""

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from penstock.base import limits
from penstock.base.errors.engine import EngineUnavailable, StoreIncompatible
from penstock.storage.fibers import wait_for
from penstock.storage.postgres import PostgresEngine
from penstock.storage.postgres_cluster import Cluster
from penstock.storage.postgres_views import TablesAtHand
from penstock.storage.prefixes import Prefix
from penstock.storage.waist import Span, Stamp, Transaction, last_stamp, touch
from unit.storage.postgres_nodes import (
    SOON_SECONDS,
    TABLE,
    A,
    B,
    Operator,
    acquainted,
    lock,
    named,
    nodes,
    on_one,
    on_two,
    put,
    until,
    view,
)

LOG = b"\x22log-one."


@pytest.fixture
def url(postgres_url: str) -> str:
    return named(postgres_url)


def table(number: int) -> bytes:
    return Prefix.TABLE.key + b"here\x00%d" % number


async def append(engine: PostgresEngine, log: bytes = LOG) -> Stamp:
    return await engine.transact(lambda t: t.append(log, lambda _: b"r"), locks=[A])


async def shown(engine: PostgresEngine, key: bytes = TABLE) -> bytes | None:
    """Return what a request is shown of the row of `key`."""
    row: bytes | None = await view(engine, lambda r: r.get(key))
    return row


# --- tables at hand


class Told:
    """What a node knows of the others, as a test says."""

    known_since_ms = 1000.0
    known_until_ms = 9000.0

    def __init__(self) -> None:
        self.ms = 1000.0

    def now_ms(self) -> float:
        return self.ms


def at_hand() -> tuple[TablesAtHand, Told]:
    told = Told()
    return TablesAtHand(told), told  # type: ignore[arg-type]


def test_a_row_is_at_hand_for_a_moment() -> None:
    """From when it was asked for, not from when the answer came."""
    tables, told = at_hand()
    tables.note(TABLE, b"row", 2000.0)
    told.ms = 2000.0 + limits.postgres_table_age_ms_max - 1
    assert tables.get(TABLE) == b"row"
    told.ms += 1
    assert tables.get(TABLE) is None


def test_a_row_is_at_hand_only_while_the_others_know_of_this_node() -> None:
    """Neither what was asked for before they did, nor anything once they may not any more."""
    tables, told = at_hand()
    told.ms = 1050.0
    tables.note(TABLE, b"row", 999.0)
    assert tables.get(TABLE) is None
    tables.note(TABLE, b"row", 1000.0)
    assert tables.get(TABLE) == b"row"
    told.ms = 9000.0
    tables.note(TABLE, b"row", 8999.0)
    assert tables.get(TABLE) is None


def test_an_answer_that_took_long_brings_nothing_replaced_back() -> None:
    """Answers come in any order; what was asked for before a change tells nothing after it."""
    tables, told = at_hand()
    told.ms = 2000.0
    tables.note(TABLE, b"new", 1990.0)
    tables.note(TABLE, b"old", 1980.0)
    assert tables.get(TABLE) == b"new"
    tables.replaced(TABLE)
    tables.note(TABLE, b"old", 1995.0)
    assert tables.get(TABLE) is None
    tables.note(TABLE, b"newer", 2001.0)
    assert tables.get(TABLE) == b"newer"
    tables.note(TABLE, None, 2002.0)
    assert tables.get(TABLE) is None
    told.ms = 2010.0
    tables.all_replaced()
    tables.note(table(7), b"old", 2005.0)
    assert tables.get(table(7)) is None


def test_no_more_rows_are_at_hand_than_may_be(monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest go; other rows than of tables are not kept at all."""
    monkeypatch.setattr(limits, "postgres_tables_at_hand_max", 3)
    tables, told = at_hand()
    told.ms = 2000.0
    rows: dict[bytes, bytes | None] = {table(n): b"row" for n in range(4)}
    tables.note_all(rows | {b"item": b"row"}, 2000.0)
    tables.replaced(table(4))
    assert len(tables._rows) == 3
    assert [tables.get(key) for key in map(table, range(5))] == [None, None, b"row", b"row", None]


def test_what_a_transaction_read_before_a_change_is_not_shown_after_it(url: str) -> None:
    """One that shares no lock with the change, and that ends after it was acknowledged."""

    async def scene(engine: PostgresEngine) -> None:
        await acquainted(engine)
        await put(engine, TABLE, b"old")
        gate: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        has_read = asyncio.Event()

        def work(t: Transaction) -> bytes | None:
            row = t.get(TABLE)
            has_read.set()
            wait_for(gate)
            return row

        slow = asyncio.create_task(engine.transact(work))
        await has_read.wait()
        await put(engine, TABLE, b"new")
        gate.set_result(None)
        assert await slow == b"old"
        assert await shown(engine) == b"new"

    on_one(url, scene)


def test_tables_that_are_cleared_are_not_shown(url: str) -> None:
    """Not only a write of its row ends a table."""

    async def scene(engine: PostgresEngine) -> None:
        await acquainted(engine)
        await put(engine, TABLE, b"row")
        assert await shown(engine) == b"row"
        await engine.transact(lambda t: t.clear(Span.of_prefix(Prefix.TABLE.key)), locks=[A])
        assert await shown(engine) is None

    on_one(url, scene)


async def hammer(
    writer: PostgresEngine, readers: list[PostgresEngine], tables: int, seconds: float
) -> tuple[int, int]:
    """Replace rows and read them for a while; return how many writes and reads there were.

    No reader is ever shown an older row than was acknowledged before it asked.
    """
    acknowledged = [0] * tables
    over = time.monotonic() + seconds
    reads = 0

    async def replaces(number: int) -> None:
        own = [lock(b"table/%d" % number)]
        while time.monotonic() < over:
            nth = acknowledged[number] + 1
            await put(writer, table(number), b"%d" % nth, own)
            acknowledged[number] = nth

    async def looks(reader: PostgresEngine, number: int) -> None:
        nonlocal reads
        while time.monotonic() < over:
            known = acknowledged[number]
            row = await shown(reader, table(number))
            assert int(row or b"0") >= known
            reads += 1
            await asyncio.sleep(0)

    async with asyncio.TaskGroup() as group:
        for number in range(tables):
            group.create_task(replaces(number))
            for reader in readers:
                group.create_task(looks(reader, number))
    return sum(acknowledged), reads


def test_a_node_shows_no_row_that_another_has_replaced(url: str) -> None:
    """Asked for at once after the acknowledgement, hundreds of times."""

    async def scene(one: PostgresEngine, two: PostgresEngine) -> None:
        writes, reads = await hammer(one, [one, two], 40, 2.0)
        assert writes >= 80
        assert reads >= 400

    on_two(url, scene)


def test_a_node_that_is_alone_shows_what_it_has_written(url: str) -> None:
    """It waits for nobody, so changes come fast; and its own rows are at hand all the same."""

    async def scene(engine: PostgresEngine) -> None:
        await acquainted(engine)
        writes, reads = await hammer(engine, [engine], 8, 1.0)
        assert writes >= 100
        assert reads >= 100
        await shown(engine)
        await put(engine, TABLE, b"row")
        await shown(engine)
        asked = engine._views._ask
        engine._views._ask = pytest.fail  # type: ignore[method-assign]
        assert await shown(engine) == b"row"
        engine._views._ask = asked  # type: ignore[method-assign]

    on_one(url, scene)


def test_a_node_that_nobody_knows_yet_shows_nothing_from_before(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who replaces a row does not wait for it: so it asks each time."""

    async def silent(cluster: Cluster) -> None:
        """Never say that this node is there."""

    monkeypatch.setattr(Cluster, "_live", silent)

    async def scene(one: PostgresEngine, two: PostgresEngine) -> None:
        writes, _ = await hammer(one, [two], 4, 0.7)
        assert writes > 20  # nobody is waited for

    with nodes(url, 2) as (one, two):
        asyncio.run(scene(one, two))


def test_a_node_that_falls_silent_shows_nothing_before_the_others_forget_it(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As one that was stopped, or lost the database: at first it is waited for, then not."""
    monkeypatch.setattr(limits, "postgres_node_life_ms", 800)

    async def scene(one: PostgresEngine, two: PostgresEngine) -> None:
        for task in list(two._cluster._tasks):
            task.cancel()
        await put(one, TABLE, b"1")
        assert await shown(two) == b"1"
        begun = time.monotonic()
        await put(one, TABLE, b"2")
        assert time.monotonic() - begun > limits.postgres_table_age_ms_max / 1000
        await hammer(one, [two], 4, 1.2)
        begun = time.monotonic()
        for n in range(3):
            await put(one, TABLE, b"%d" % n)
        assert time.monotonic() - begun < 3 * limits.postgres_table_age_ms_max / 1000

    on_two(url, scene)


def test_a_node_whose_connection_is_new_trusts_nothing_that_was_known(url: str) -> None:
    """The server may have started anew, and forgotten this node or another: its beat is the first.

    So it keeps nothing before that, and waits with a change for who may have kept something.
    """

    age = limits.postgres_table_age_ms_max / 1000

    async def replaced_in(engine: PostgresEngine) -> float:
        begun = time.monotonic()
        await put(engine, TABLE, b"row")
        return time.monotonic() - begun

    async def scene(engine: PostgresEngine) -> None:
        await acquainted(engine)
        await put(engine, TABLE, b"row")
        await asyncio.sleep(age * 1.2)
        assert min([await replaced_in(engine) for _ in range(4)]) < age
        assert engine._cluster.known_until_ms > engine._cluster.now_ms()
        assert engine._cluster.connection is not None
        engine._cluster.connection.close()
        await engine._cluster._hold()
        assert engine._cluster.known_until_ms == 0
        assert await replaced_in(engine) > age
        await engine._cluster.beat()
        assert engine._cluster.known_until_ms > engine._cluster.now_ms()

    on_one(url, scene)


def test_a_change_that_the_others_cannot_be_told_of_is_not_made(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They might show the old row beside the new one; it is tried again, and then given up."""
    monkeypatch.setattr(limits, "postgres_group_seconds_max", 0.5)
    runs = 0

    def work(t: Transaction) -> None:
        nonlocal runs
        runs += 1
        t.set(TABLE, b"new")

    async def scene(engine: PostgresEngine) -> None:
        await put(engine, TABLE, b"old")

        async def unheard(seconds_max: float) -> bytes:
            raise EngineUnavailable("no")

        monkeypatch.setattr(engine._cluster, "hold", unheard)
        with pytest.raises(EngineUnavailable, match=r"^no$"):
            await engine.transact(work, locks=[A])
        assert runs > 1
        assert await shown(engine) == b"old"

    on_one(url, scene)


def test_a_change_whose_connection_is_lost_while_it_holds_on_is_made_anew(url: str) -> None:
    """Nothing was sent that may have been committed, so nothing is in doubt."""
    runs = 0

    def work(t: Transaction) -> None:
        nonlocal runs
        runs += 1
        t.set(TABLE, b"new")

    async def scene(one: PostgresEngine, two: PostgresEngine) -> None:
        await put(one, TABLE, b"old")
        with Operator(url) as operator:
            asked = asyncio.create_task(one.transact(work, locks=[A]))
            await until(lambda: bool(operator.sql("SELECT 1 FROM penstock_hold")))
            (lane,) = operator.processes(state="idle in transaction")
            operator.cut(lane)
            await asked
        assert runs == 2
        assert await shown(two) == b"new"

    on_two(url, scene)


def test_a_table_that_was_not_there_is_made_without_waiting(url: str) -> None:
    """Nobody keeps that a row is not there."""

    async def scene(one: PostgresEngine, two: PostgresEngine) -> None:
        await shown(one)
        begun = time.monotonic()
        for n in range(4):
            key = table(50 + n)

            def work(t: Transaction, key: bytes = key) -> None:
                assert t.get(key) is None
                t.set(key, b"row")

            await one.transact(work, locks=[A])
            assert await shown(two, key) == b"row"
        assert time.monotonic() - begun < 4 * limits.postgres_table_age_ms_max / 1000

    on_two(url, scene)


# --- watching


async def woken_within(watched: "asyncio.Future[None]") -> float:
    """Return the seconds until a watch is done."""
    begun = time.monotonic()
    await asyncio.wait_for(watched, SOON_SECONDS)
    return time.monotonic() - begun


def deaf(engine: PostgresEngine) -> None:
    """Have hints of other nodes lost on the way."""
    assert engine._cluster.connection is not None
    engine._cluster.connection.on_notify = None


def test_another_node_s_commit_is_told_at_once(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """By NOTIFY alone: nothing is looked at meanwhile. What touches a log wakes too."""

    async def blind(cluster: Cluster, connection: Any) -> None:
        """See nothing."""

    async def scene(one: PostgresEngine, two: PostgresEngine) -> None:
        monkeypatch.setattr(Cluster, "_look_at_tips", blind)
        last = await append(one)
        writes: list[Callable[[], Coroutine[Any, Any, Any]]] = [
            lambda: append(one),
            lambda: one.transact(lambda t: touch(t, LOG), locks=[A]),
        ]
        for write in writes:
            await asyncio.sleep(0.1)  # what was told of the last change is heard by now
            watched = two.watch(LOG, last, 3600)
            other = two.watch(b"\x22log-two.", 0, 3600)
            await asyncio.sleep(0.05)
            assert not watched.done()
            await write()
            await woken_within(watched)
            assert not other.done()
            other.cancel()
            last = await two.transact(lambda t: last_stamp(t, LOG))

    on_two(url, scene)


def test_a_lost_hint_is_made_up_for_by_a_look(url: str) -> None:
    """Within some beats; also where the log was empty, and where it was changed before a beat."""

    async def scene(one: PostgresEngine, two: PostgresEngine) -> None:
        deaf(two)
        last = 0
        for _ in range(2):
            watched = two.watch(LOG, last, 3600)
            await asyncio.sleep(0.05)
            assert not watched.done()
            last = await append(one)
            assert await woken_within(watched) < 10 * limits.postgres_beat_seconds

    on_two(url, scene)


def test_what_is_there_already_wakes_at_once(url: str) -> None:
    """A watch from before it is done without any commit; also where nobody hears hints."""

    async def scene(one: PostgresEngine, two: PostgresEngine) -> None:
        deaf(two)
        last = await append(one)
        assert await woken_within(two.watch(LOG, last - 1, 3600)) < 5
        watched = two.watch(LOG, last, 3600)
        await asyncio.sleep(0.05)
        assert not watched.done()
        watched.cancel()
        await asyncio.sleep(0)
        assert len(two._watchers) == 0

    on_two(url, scene)


async def watches_many(engine: PostgresEngine) -> None:
    """Wait for a while for each of many logs, which all have something."""
    for n in range(20):
        log = b"\x22log-%d." % n
        last = await append(engine, log)
        watched = engine.watch(log, last, 3600)
        await until(lambda: len(engine._cluster._tasks) == 1)  # its life; it has looked
        watched.cancel()


def test_nothing_is_kept_of_what_nobody_waits_for(url: str) -> None:
    """Neither by a node that is alone nor by one that is not: streams come and go for years."""

    async def scene(one: PostgresEngine, two: PostgresEngine) -> None:
        await acquainted(one)
        for engine in (one, two):
            await watches_many(engine)
            await engine._cluster.beat()
            assert len(engine._watchers) == 0
            assert engine._cluster._tips == {}
            await acquainted(one, two)

    with nodes(url, 2) as (one, two):
        asyncio.run(scene(one, two))


def test_who_waited_on_a_loop_that_is_gone_is_no_harm(url: str) -> None:
    """What would wake them finds nobody there."""

    async def waits(engine: PostgresEngine) -> None:
        engine.watch(LOG, 0, 3600)
        await asyncio.sleep(0.05)

    with nodes(url) as (engine,):
        asyncio.run(waits(engine))
        assert engine._cluster.connection is not None
        engine._cluster.connection.close()
        assert engine.snapshot(lambda r: r.get(b"k")) is None


def test_who_hears_again_after_a_lost_connection_is_woken(url: str) -> None:
    """What was told meanwhile was not heard."""

    async def scene(one: PostgresEngine, two: PostgresEngine) -> None:
        watched = two.watch(LOG, 0, 3600)
        await asyncio.sleep(0.05)
        assert two._cluster.connection is not None
        two._cluster.connection.close()
        assert not watched.done()
        await shown(two)
        await woken_within(watched)

    on_two(url, scene)


def test_more_changes_than_one_hint_can_name_wake_everybody(url: str) -> None:
    """A hint that would be too long says that there is something somewhere."""
    logs = [b"\x22%d" % n + b"x" * 200 for n in range(40)]

    def work(t: Transaction) -> None:
        for log in logs:
            t.append(log, lambda _: b"r")

    async def scene(one: PostgresEngine, two: PostgresEngine) -> None:
        watched = [two.watch(log, 0, 3600) for log in (logs[0], logs[-1])]
        await asyncio.sleep(0.05)
        await one.transact(work, locks=[A])
        for each in watched:
            await woken_within(each)

    on_two(url, scene)


def test_hints_that_the_database_refuses_are_given_up(
    url: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """They cost a line in the log, once; looking is enough."""
    monkeypatch.setattr(limits, "postgres_notify_bytes_max", 1_000_000)
    log = b"\x22" + b"x" * 9000

    async def scene(one: PostgresEngine, two: PostgresEngine) -> None:
        watched = two.watch(log, 0, 3600)
        await asyncio.sleep(0.05)
        for _ in range(2):
            await append(one, log)
            await until(lambda: not one._cluster._can_tell)
        await woken_within(watched)
        told = [each for each in caplog.records if "cannot be told" in each.message]
        assert len(told) == 1

    on_two(url, scene)


def test_hints_of_somebody_else_are_no_harm(url: str) -> None:
    """Anybody may send anything on a channel."""

    async def scene(engine: PostgresEngine) -> None:
        watched = engine.watch(LOG, 0, 3600)
        await asyncio.sleep(0.05)
        channel = engine._cluster._channel.decode()
        with Operator(url) as operator:
            for hint in ("", "a", "a b", "\u00e4 \u00f6", "a  YQ==", "* *"):
                operator.sql("SELECT pg_notify(%s, %s)", channel, hint)
        await woken_within(watched)  # by the last

    on_one(url, scene)


# --- who is there


def test_nodes_know_of_each_other_until_one_leaves_or_is_gone(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that is closed is gone at once; one that is killed, once its time is over."""
    monkeypatch.setattr(limits, "postgres_node_life_ms", 500)

    async def scene(one: PostgresEngine, two: PostgresEngine, three: PostgresEngine) -> None:
        await acquainted(one, two, three)
        three.close()
        await one._cluster.beat()
        assert one._cluster.others == 1
        for task in list(two._cluster._tasks):
            task.cancel()
        await asyncio.sleep(0.6)
        await one._cluster.beat()
        assert one._cluster.others == 0

    with nodes(url, 3) as (one, two, three):
        asyncio.run(scene(one, two, three))


def test_a_node_stops_where_a_newer_release_has_changed_the_tables(url: str) -> None:
    """The row says which release may use them still; nobody tells the node."""

    async def scene(engine: PostgresEngine) -> None:
        await acquainted(engine)
        with Operator(url) as operator:
            operator.sql("UPDATE penstock_schema SET version = 9, oldest = 9")
        await until(lambda: engine._cluster.refusal is not None)
        calls: list[Callable[[], Any]] = [
            lambda: engine.snapshot(lambda r: r.get(b"k")),
            lambda: engine.watch(LOG, 0, 1),
        ]
        for call in calls:
            with pytest.raises(StoreIncompatible, match="newer release"):
                call()
        with pytest.raises(StoreIncompatible, match="newer release"):
            await put(engine, b"k", b"v")

    on_one(url, scene)


def test_a_node_goes_on_where_a_newer_release_lets_it(url: str) -> None:
    """A version above its own is no reason to stop."""

    async def scene(engine: PostgresEngine) -> None:
        with Operator(url) as operator:
            operator.sql("UPDATE penstock_schema SET version = 9")
        await acquainted(engine)
        await put(engine, b"k", b"v", [B])

    on_one(url, scene)
