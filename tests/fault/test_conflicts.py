"""Deadlocks, serialisation failures and locks that others hold: real ones, in PostgreSQL itself.

A group runs again, so that clients notice nothing, or are told to try again.
"""

import random
import re
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest

from fault.cluster_load import KEYS, TABLE, ClusterLoad
from fault.nodes import Nodes, await_true, try_to_read, try_to_write, within
from fault.raw_client import RawClient
from penstock.base import limits
from postgres.schemas import Schemas
from postgres.server import PostgresServer

SETTINGS = {"deadlock_timeout": "20ms", "log_line_prefix": "[%a] "}
DEADLOCKS = 10
FAILURES_PER_THOUSAND = 50
FAILURES_MIN = 20
CONFLICT_SECONDS_MAX = 60.0
LOCKED_SECONDS_MAX = limits.postgres_lock_seconds_max + limits.postgres_group_seconds_max + 3.0
TAKEN = "SELECT slot FROM penstock_lock WHERE xmax::text <> '0' ORDER BY slot DESC"
FAIL = """
CREATE SEQUENCE failures;
CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF random() * 1000 < {often} THEN
        PERFORM nextval('failures');
        RAISE EXCEPTION 'failed for a test' USING ERRCODE = '{state}';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER fail AFTER INSERT ON penstock_kv FOR EACH STATEMENT EXECUTE FUNCTION fail();
"""


class Intruder:
    """Takes the rows of locks in the wrong order, again and again.

    A session that waits last finds the deadlock, unless another one has looked once more before.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._random = random.Random(20261001)

    def run(self, port: int, stop: threading.Event) -> None:
        """Work until `stop` is set."""
        with psycopg.connect(self._url, autocommit=True) as connection:
            connection.execute("SET deadlock_timeout = '200ms'")
            while not stop.is_set():
                taken = [slot for (slot,) in connection.execute(TAKEN)]
                with suppress(psycopg.errors.DeadlockDetected), connection.transaction():
                    for slot in taken:
                        take = "SELECT slot FROM penstock_lock WHERE slot = %s FOR UPDATE"
                        connection.execute(take, (slot,))
                        stop.wait(0.005)
                stop.wait(self._random.uniform(0, 0.05))


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    """A PostgreSQL that looks for deadlocks early, and says who met one."""
    with PostgresServer(SETTINGS) as made:
        yield made


@pytest.fixture
def nodes(server: PostgresServer, tmp_path: Path) -> Iterator[Nodes]:
    """Two nodes over a schema of that server."""
    with Schemas(server.url) as schemas, Nodes(schemas.new_url(), tmp_path) as made:
        made.start("a")
        made.start("b")
        yield made


@pytest.mark.slow
def test_a_deadlock_is_noticed_by_no_client(server: PostgresServer, nodes: Nodes) -> None:
    """Another session takes the same rows in another order."""
    load = ClusterLoad(nodes)
    met = [f"[{name}] ERROR:  deadlock detected" for name in ("a", "b")]

    def has_met() -> bool:
        said = server.log.read_text()
        return all(said.count(each) >= DEADLOCKS // 2 for each in met)

    intruder = Intruder(nodes.url)
    with load.running():
        load.let_write(50)
        stop = threading.Event()
        thread = threading.Thread(target=intruder.run, args=(0, stop), daemon=True)
        thread.start()
        try:
            await_true(has_met, CONFLICT_SECONDS_MAX, "deadlocks")
        finally:
            stop.set()
            thread.join(CONFLICT_SECONDS_MAX)
        load.let_write(50)
    assert load.doubtful == 0
    load.check()


@pytest.mark.slow
@pytest.mark.parametrize("state", ["40001", "40P01", "53200", "57014"])
def test_a_transaction_that_fails_for_now_is_noticed_by_no_client(nodes: Nodes, state: str) -> None:
    """A trigger raises what databases say when the same may succeed if it is tried again."""
    load = ClusterLoad(nodes)
    with psycopg.connect(nodes.url, autocommit=True) as connection:
        connection.execute(FAIL.format(often=FAILURES_PER_THOUSAND, state=state).encode())

        def has_failed() -> bool:
            rows = connection.execute("SELECT last_value FROM failures").fetchall()
            return int(rows[0][0]) >= FAILURES_MIN

        with load.running():
            await_true(has_failed, CONFLICT_SECONDS_MAX, f"{FAILURES_MIN} failures")
            connection.execute("DROP TRIGGER fail ON penstock_kv")
            load.let_write(50)
    assert load.doubtful == 0
    load.check()


@pytest.mark.slow
def test_a_database_whose_transactions_are_serialisable_by_default_is_no_other(
    server: PostgresServer, tmp_path: Path
) -> None:
    """Nodes start on it at once too, and say themselves what they need."""
    with Schemas(server.url) as schemas:
        url = schemas.new_url() + "%20-cdefault_transaction_isolation%3Dserializable"
        with Nodes(url, tmp_path) as nodes:
            for name in ("a", "b", "c"):
                nodes.begin(name)
            for node in nodes.running.values():
                node.await_ready()
            load = ClusterLoad(nodes)
            with load.running():
                load.let_write(300)
            assert load.doubtful == 0
            load.check()
            for log in nodes.logs:
                assert not re.search("WARNING|ERROR", log.read_text())


@pytest.mark.slow
def test_locks_that_are_never_given_back_hold_nobody_up_for_ever(nodes: Nodes) -> None:
    """As by an operator's session; reads go on."""
    load = ClusterLoad(nodes)
    with load.running():
        load.let_write(50)
    with psycopg.connect(nodes.url) as connection, RawClient(nodes.port("a")) as client:
        connection.execute("SELECT slot FROM penstock_lock ORDER BY slot FOR UPDATE")
        with within(LOCKED_SECONDS_MAX, "an answer"):
            assert try_to_write(client, TABLE, KEYS[0]) == 503
        assert try_to_read(client, TABLE, KEYS[0]) == 200
        connection.rollback()
        assert try_to_write(client, TABLE, KEYS[0]) == 200
    with load.running():
        load.let_write(50)
    load.check()
