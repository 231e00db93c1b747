"""The tables on PostgreSQL: made by many nodes at once, upgraded under a lock, refused, checked."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

from penstock.base.clock import SystemClock
from penstock.base.errors.engine import EngineError, EngineUnavailable, StoreIncompatible
from penstock.base.ids import Entropy
from penstock.storage import postgres_connection, postgres_schema
from penstock.storage.postgres import PostgresEngine
from penstock.storage.postgres_connection import Connection, open_blocking
from penstock.storage.postgres_statements import SESSION, slots_of
from unit.storage.postgres_nodes import A, Operator, lock, named, nodes, on_one, put, stored


@pytest.fixture
def url(postgres_url: str) -> str:
    return named(postgres_url)


def opened(url: str) -> None:
    PostgresEngine.open(url, SystemClock(), Entropy()).close()


@pytest.fixture
def next_release(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Make this release the next one, whose tables have one more."""

    def become() -> None:
        monkeypatch.setattr(postgres_schema, "VERSION", 2)
        more = "CREATE TABLE penstock_more (n int8 NOT NULL); INSERT INTO penstock_more VALUES (7)"
        monkeypatch.setattr(postgres_schema, "STEPS", (*postgres_schema.STEPS, more))
        raised = postgres_schema._RAISE.replace("= 1", "= 2").replace(
            "WHERE id = 2", "WHERE id = 1"
        )
        monkeypatch.setattr(postgres_schema, "_RAISE", raised)

    return become


def test_many_nodes_may_make_the_tables_at_once(url: str) -> None:
    """They are made once, whoever is first, and everybody can use them."""
    start = threading.Barrier(6)

    def node() -> None:
        start.wait()
        opened(url)

    with ThreadPoolExecutor(6) as pool:
        for each in [pool.submit(node) for _ in range(6)]:
            each.result(60)
    with Operator(url) as operator:
        assert operator.sql("SELECT version, oldest FROM penstock_schema") == [(1, 1)]
        assert operator.sql("SELECT count(*), max(slot) FROM penstock_lock") == [(4096, 4095)]


def test_tables_of_an_older_release_are_upgraded_once(
    url: str, next_release: Callable[[], None], caplog: pytest.LogCaptureFixture
) -> None:
    """By whichever of the nodes that start at once is first; what is stored stays."""
    with nodes(url) as (engine,):
        asyncio.run(put(engine, b"k", b"v"))
    next_release()
    with ThreadPoolExecutor(4) as pool:
        for each in [pool.submit(opened, url) for _ in range(4)]:
            each.result(60)
    with Operator(url) as operator:
        assert operator.sql("SELECT version, oldest FROM penstock_schema") == [(2, 2)]
        assert operator.sql("SELECT n FROM penstock_more") == [(7,)]
    with nodes(url) as (engine,):
        assert stored(engine, b"k") == b"v"


def test_an_upgrade_that_fails_leaves_all_as_it_was(
    url: str, next_release: Callable[[], None]
) -> None:
    """It is one transaction, and the next start tries again."""
    opened(url)
    next_release()
    with Operator(url) as operator:
        operator.sql("CREATE VIEW penstock_more AS SELECT 1 AS n")
        with pytest.raises(EngineError):
            opened(url)
        assert operator.sql("SELECT version, oldest FROM penstock_schema") == [(1, 1)]
        operator.sql("DROP VIEW penstock_more")
        opened(url)
        assert operator.sql("SELECT version FROM penstock_schema") == [(2,)]


def test_tables_of_a_newer_release_are_refused(url: str) -> None:
    """With a line that says which, and what to do; not where that release lets this one go on."""
    opened(url)
    with Operator(url) as operator:
        operator.sql("UPDATE penstock_schema SET version = 9")
        opened(url)
        operator.sql("UPDATE penstock_schema SET oldest = 8")
        with pytest.raises(StoreIncompatible, match=r"version 9.*version 8.*: upgrade"):
            opened(url)


def test_tables_that_a_newer_release_upgrades_meanwhile_are_refused(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was faster, between the look and the lock."""
    opened(url)
    with Operator(url) as operator:
        operator.sql("UPDATE penstock_schema SET version = 0, oldest = 0")
        read = postgres_schema._read

        def looks(connection: Connection) -> postgres_schema.Schema | None:
            found = read(connection)
            operator.sql("UPDATE penstock_schema SET version = 9, oldest = 9")
            return found

        monkeypatch.setattr(postgres_schema, "_read", looks)
        with pytest.raises(StoreIncompatible, match="version 9"):
            opened(url)


def test_where_nothing_may_be_made_the_reason_is_told(url: str) -> None:
    """Neither an endless try nor a trace: what PostgreSQL says."""
    nowhere = make_conninfo(url, options="-csearch_path=nowhere_at_all")
    with pytest.raises(EngineError, match="no schema has been selected"):
        opened(nowhere)
    with pytest.raises(EngineUnavailable, match="cannot be reached"):
        opened(make_conninfo(url, port="1"))
    with pytest.raises(EngineUnavailable, match="cannot be reached"):
        opened("postgresql://?no_such_word=1")


def test_a_row_of_a_lock_that_is_missing_is_no_lock(url: str) -> None:
    """Whoever would take it is refused; others are not."""

    async def scene(engine: PostgresEngine) -> None:
        with Operator(url) as operator:
            operator.sql("DELETE FROM penstock_lock WHERE slot <> 7")
        for _ in range(2):
            with pytest.raises(EngineError, match="locks are missing"):
                await put(engine, b"k", b"v")
        assert stored(engine, b"k") is None
        name = next(b"%d" % n for n in range(99999) if _slot(b"%d" % n) == 7)
        await put(engine, b"k", b"v", [lock(name)])
        with pytest.raises(EngineError, match="locks are missing"):
            await put(engine, b"k", b"v", [lock(name), A])

    on_one(url, scene)


def _slot(name: bytes) -> int:
    return slots_of([name])[0]


@pytest.fixture
def role(url: str) -> Iterator[str]:
    """A role of the test's own, which may make tables in the schema."""
    with Operator(url) as operator:
        name = f"role_{Entropy().bits(32):08x}"
        (schema,) = operator.sql("SELECT current_schema()")[0]
        session = operator._session
        each = sql.Identifier(name)
        session.execute(sql.SQL("CREATE ROLE {} LOGIN").format(each))
        session.execute(
            sql.SQL("GRANT ALL ON SCHEMA {} TO {}").format(sql.Identifier(schema), each)
        )
        yield name
        session.execute(sql.SQL("DROP OWNED BY {}").format(each))
        session.execute(sql.SQL("DROP ROLE {}").format(each))


def settings_of(connection: Connection) -> dict[str, str]:
    reply = connection.send_text(["SELECT name, setting FROM pg_settings"])
    return {name.decode(): value.decode() for name, value in connection.block(reply).rows()}


@pytest.mark.parametrize(("given", "used"), [("off", "on"), ("local", "on"), ("remote_apply",) * 2])
def test_each_session_is_set_up(url: str, role: str, given: str, used: str) -> None:
    """Limits are really there, and what is acknowledged is durable whatever a role would have."""
    with Operator(url) as operator:
        for name, value in (
            ("synchronous_commit", given),
            ("statement_timeout", "50"),
            ("default_transaction_isolation", "serializable"),
            ("idle_in_transaction_session_timeout", "0"),
            ("client_min_messages", "error"),
        ):
            operator._session.execute(
                sql.SQL("ALTER ROLE {} SET {} = {}").format(
                    sql.Identifier(role), sql.Identifier(name), sql.Literal(value)
                )
            )
    own = make_conninfo(url, user=role)
    if "password" in url:
        pytest.skip("a role without a password cannot come in")

    async def scene(engine: PostgresEngine) -> None:
        await put(engine, b"k", b"v")
        soon = await engine._cluster.open_soon()
        for connection in (soon, open_blocking(own, SystemClock()), engine._lanes[0]):
            found = settings_of(connection)
            assert found["synchronous_commit"] == used
            assert found["statement_timeout"] == "0"
            assert found["idle_in_transaction_session_timeout"] == "5000"
            assert found["default_transaction_isolation"] == "read committed"
            assert found["client_min_messages"] == "warning"
            assert found["lock_timeout"] == "10000"
            assert found["enable_seqscan"] == "off"
            connection.close()

    on_one(own, scene)


def test_a_setting_that_is_refused_is_told_and_one_that_is_unknown_is_not(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that knows less is good enough; one that lets nothing be set is not."""
    session = ("SET no_such_setting = 1", *SESSION)
    monkeypatch.setattr(postgres_connection, "SESSION", session)

    async def scene(engine: PostgresEngine) -> None:
        await put(engine, b"k", b"v")

    on_one(url, scene)
    monkeypatch.setattr(postgres_connection, "SESSION", ("SET lock_timeout = 'much'",))
    with pytest.raises(EngineError, match="lock_timeout"):
        opened(url)


def test_the_operator_s_session_is_in_the_schema(url: str) -> None:
    """Or nothing of the above would show anything."""
    opened(url)
    with psycopg.connect(url) as session:
        found = session.execute("SELECT to_regclass('penstock_kv')::text").fetchone()
    assert found == ("penstock_kv",)
