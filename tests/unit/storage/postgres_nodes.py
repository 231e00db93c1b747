"""Nodes over one PostgreSQL schema, and what a test does to them from a session of its own."""

import asyncio
import contextlib
import time
import uuid
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Sequence
from typing import Any, LiteralString, Self, TypeVar

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from penstock.base.clock import SystemClock
from penstock.base.ids import Entropy
from penstock.storage.postgres import PostgresEngine
from penstock.storage.postgres_statements import slots_of
from penstock.storage.prefixes import Prefix
from penstock.storage.waist import Lock, Reader, Span
from unit.storage.fiber_calls import run_sync

T = TypeVar("T")

EVERYTHING = Span(b"", b"\xff")
SOON_SECONDS = 30.0
"""Long enough on a machine with much to do."""
TABLE = Prefix.TABLE.key + b"here\x00table"


def lock(name: bytes) -> Lock:
    """Return a lock of that name."""
    return Lock(name, (EVERYTHING,))


A, B = lock(b"a"), lock(b"b")
assert slots_of([b"a"]) != slots_of([b"b"])


def put(
    engine: PostgresEngine, key: bytes, value: bytes | None, locks: Sequence[Lock] = (A,)
) -> Coroutine[Any, Any, None]:
    """Return the transaction that writes `value` at `key`."""
    return engine.transact(lambda t: t.set(key, value), locks=locks)


def stored(engine: PostgresEngine, key: bytes) -> bytes | None:
    """Return the durable value at `key`."""
    return engine.snapshot(lambda r: r.get(key))


def view(engine: PostgresEngine, work: Callable[[Reader], Any]) -> "asyncio.Task[Any]":
    """Run `work` in a snapshot, in a fiber."""
    return asyncio.create_task(run_sync(engine.snapshot, work))


@contextlib.contextmanager
def nodes(url: str, count: int = 1) -> Iterator[list[PostgresEngine]]:
    """Give engines over one schema, closed in the end."""
    with contextlib.ExitStack() as stack:
        opened = []
        for _ in range(count):
            engine = PostgresEngine.open(url, SystemClock(), Entropy())
            stack.callback(engine.close)
            opened.append(engine)
        yield opened


def on_one(url: str, scene: Callable[[PostgresEngine], Awaitable[T]]) -> T:
    """Run `scene` with an engine."""

    async def run(engine: PostgresEngine) -> T:
        return await asyncio.wait_for(scene(engine), SOON_SECONDS * 2)

    with nodes(url) as (engine,):
        return asyncio.run(run(engine))


def on_two(url: str, scene: Callable[[PostgresEngine, PostgresEngine], Awaitable[T]]) -> T:
    """Run `scene` with two engines that know of each other."""

    async def run(one: PostgresEngine, two: PostgresEngine) -> T:
        await acquainted(one, two)
        return await asyncio.wait_for(scene(one, two), SOON_SECONDS * 2)

    with nodes(url, 2) as (one, two):
        return asyncio.run(run(one, two))


async def acquainted(*engines: PostgresEngine) -> None:
    """Return once each engine knows that it is not alone."""
    for engine in engines:
        await view(engine, lambda r: r.get(b"k"))  # it lives from its first use on
        await engine._cluster.beat()
    for engine in engines:
        await engine._cluster.beat()
        assert engine._cluster.others == len(engines) - 1


async def until(true: Callable[[], bool]) -> None:
    """Return once `true` is."""
    deadline = time.monotonic() + SOON_SECONDS
    while not true():
        assert time.monotonic() < deadline, "it does not come"
        await asyncio.sleep(0.002)


class Operator:
    """A session beside the engines of a URL, in their schema."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._session = psycopg.connect(url, autocommit=True, application_name="operator")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._session.close()

    def sql(self, statement: LiteralString, *parameters: Any) -> list[tuple[Any, ...]]:
        """Run one statement; return its rows."""
        cursor = self._session.execute(statement, parameters or None)
        return cursor.fetchall() if cursor.description else []

    def session(self) -> psycopg.Connection:
        """Return another session, in a transaction from its first statement on."""
        return psycopg.connect(self._url, application_name="holder")

    def holds(self, name: bytes) -> contextlib.AbstractContextManager[None]:
        """Hold the lock of that name meanwhile, in a session of its own."""
        return self.holds_all([name])

    @contextlib.contextmanager
    def holds_all(self, names: Sequence[bytes]) -> Iterator[None]:
        """Hold the locks of those names meanwhile."""
        with self.session() as session:
            session.execute(
                "SELECT slot FROM penstock_lock WHERE slot = ANY(%s) FOR UPDATE",
                [slots_of(names)],
            )
            yield

    @contextlib.contextmanager
    def holds_row(self, key: bytes) -> Iterator[None]:
        """Be about to write a row meanwhile, and give it up in the end."""
        with self.session() as session:
            session.execute("INSERT INTO penstock_kv (k, v) VALUES (%s, 'mine')", [key])
            yield
            session.rollback()

    def refuses(self, code: str, times: int, *, after: bool = False) -> None:
        """Have so many transactions that put a row fail, as that or only as they commit."""
        self.sql("CREATE SEQUENCE tries")
        self._session.execute(
            sql.SQL(
                """CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
                BEGIN
                  IF nextval('tries') <= {times} THEN
                    RAISE EXCEPTION 'not now' USING ERRCODE = {code};
                  END IF;
                  RETURN NEW;
                END $$"""
            ).format(times=sql.Literal(times), code=sql.Literal(code))
        )
        if after:
            self.sql(
                """CREATE CONSTRAINT TRIGGER refusing AFTER INSERT OR UPDATE ON penstock_kv
                   DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION refuse()"""
            )
        else:
            self.sql(
                """CREATE TRIGGER refusing BEFORE INSERT OR UPDATE ON penstock_kv
                   FOR EACH ROW EXECUTE FUNCTION refuse()"""
            )

    def tried(self) -> int:
        """Return how many rows were tried since `refuses`."""
        return int(self.sql("SELECT last_value FROM tries")[0][0])

    def processes(self, event: str = "%", kind: str = "%", state: str = "%") -> list[int]:
        """Return the server's processes that the engines speak to, by what they wait for."""
        return [
            pid
            for (pid,) in self.sql(
                """SELECT pid FROM pg_stat_activity WHERE application_name = %s
                   AND coalesce(wait_event, '') LIKE %s
                   AND coalesce(wait_event_type, '') LIKE %s AND coalesce(state, '') LIKE %s""",
                application_of(self._url),
                event,
                kind,
                state,
            )
        ]

    def waiting(self) -> list[int]:
        """Return the server's processes that wait for a lock for an engine."""
        return self.processes(kind="Lock")

    def cut(self, pid: int) -> None:
        """End the session of a process of the server's."""
        assert self.sql("SELECT pg_terminate_backend(%s, 20000)", pid) == [(True,)]


def application_of(url: str) -> str:
    """Return the name by which the server knows connections of a URL of `named`."""
    return str(conninfo_to_dict(url)["application_name"])


def named(url: str) -> str:
    """Return `url` with a name of its own for its connections."""
    return f"{url}&application_name=engine_{uuid.uuid4().hex[:8]}"
