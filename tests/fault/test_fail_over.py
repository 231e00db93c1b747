"""A fail-over to the synchronous replica; PostgreSQL that ends, dies or stands still under load.

Nodes go on by themselves, and whatever they had acknowledged is there.
"""

import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import psycopg
import pytest

from fault.cluster_load import KEYS, TABLE, ClusterLoad
from fault.nodes import Nodes, await_true, try_to_read, try_to_write, within
from fault.raw_client import RawClient
from fault.refusals import refusal
from penstock.base import limits
from postgres.pair import PostgresPair
from postgres.server import HOST, USER, PostgresServer

BACK_SECONDS_MAX = 5.0
"""How long after PostgreSQL takes connections nodes may still refuse."""
PAUSES_SECONDS = (2.0, limits.postgres_idle_seconds_max + 2.0)
REFUSED_SECONDS_MAX = limits.postgres_group_seconds_max + limits.postgres_connect_seconds_max + 3.0

CONNECTIONS = 24
END_SESSIONS = (
    "SELECT count(pg_terminate_backend(pid))::int FROM pg_stat_activity"
    " WHERE application_name IN ('a', 'b')"
)


@pytest.fixture
def server() -> Iterator[PostgresServer]:
    """A PostgreSQL that loses nothing."""
    with PostgresServer() as made:
        yield made


@pytest.fixture
def load(server: PostgresServer, tmp_path: Path) -> Iterator[ClusterLoad]:
    """Two nodes over it, and their load."""
    with Nodes(server.url, tmp_path) as nodes:
        nodes.start("a")
        nodes.start("b")
        yield ClusterLoad(nodes)


@pytest.mark.slow
def test_a_fail_over_to_the_synchronous_replica_loses_nothing(tmp_path: Path) -> None:
    """Of two servers in the URL the nodes find the one that takes writes."""
    with PostgresPair() as pair, Nodes(pair.url, tmp_path) as nodes:
        nodes.start("a")
        nodes.start("b")
        load = ClusterLoad(nodes)
        with load.running():
            load.let_write(200)
            pair.fail_over()
            took = load.let_write(1, BACK_SECONDS_MAX)
            print(f"the first write came {took:.2f} s after the replica was promoted")
            load.let_write(300)
        load.check()
        assert pair.primary.process is None


@pytest.mark.slow
def test_a_replica_that_stops_answering_holds_commits_up_and_loses_nothing(tmp_path: Path) -> None:
    """Nothing is acknowledged that only the primary has, also where the replica then takes over."""
    with PostgresPair() as pair, Nodes(pair.url, tmp_path) as nodes:
        assert pair.replica is not None
        nodes.start("a")
        nodes.start("b")
        load = ClusterLoad(nodes)
        with load.running():
            load.let_write(200)
            pair.replica.pause()
            time.sleep(2.0)  # commits wait for the replica meanwhile
            pair.replica.resume()
            load.let_write(100)
            pair.replica.pause()
            time.sleep(1.0)
            pair.primary.kill()  # with commits that only it has
            pair.replica.resume()
            pair.promote()
            load.let_write(300, BACK_SECONDS_MAX + 10)
        load.check()


@pytest.mark.slow
def test_a_node_never_uses_a_server_that_takes_no_writes(tmp_path: Path) -> None:
    """A replica may be behind, and it is named first; nobody says what is asked of a server."""
    with PostgresPair() as pair:
        assert pair.replica is not None
        hosts = f"{HOST}:{pair.replica.port},{HOST}:{pair.primary.port}"
        with Nodes(f"postgresql://{USER}@{hosts}/postgres", tmp_path) as nodes:
            nodes.start("a")
            nodes.start("b")
            load = ClusterLoad(nodes)
            with load.running():
                load.let_write(100)
            assert load.doubtful == 0
            users = (
                "SELECT count(*)::int FROM pg_stat_activity WHERE application_name IN ('a', 'b')"
            )
            assert pair.replica.sql(users) == [(0,)]
            load.check()
        alone = f"postgresql://{USER}@{HOST}:{pair.replica.port}/postgres"
        assert "read-only" in refusal("--engine", alone)


@pytest.mark.slow
def test_hosts_that_say_nothing_keep_no_node_from_the_one_that_does(
    server: PostgresServer, tmp_path: Path
) -> None:
    """Two of three take connections and never answer, as machines behind a dead network do."""
    with ExitStack() as stack:
        silent = [stack.enter_context(socket.create_server((HOST, 0))) for _ in range(2)]
        ports = [*(each.getsockname()[1] for each in silent), server.port]
        hosts = ",".join(f"{HOST}:{port}" for port in ports)
        nodes = stack.enter_context(Nodes(f"postgresql://{USER}@{hosts}/postgres", tmp_path))
        nodes.start("a")
        load = ClusterLoad(nodes, writers=4)
        with load.running():
            load.let_write(20)
            server.restart()
            load.let_write(20)
        load.check()


@pytest.mark.slow
def test_restarts_of_postgresql_under_load_lose_nothing(
    server: PostgresServer, load: ClusterLoad
) -> None:
    """Fast ones, as for an update of it, and kills of all its processes at once."""
    with load.running():
        for end in (server.stop, server.kill, server.stop, server.kill):
            load.let_write(150)
            end()
            server.start()
            load.let_write(1, BACK_SECONDS_MAX)
        load.let_write(150)
    assert load.slowest_seconds < REFUSED_SECONDS_MAX
    load.check()


@pytest.mark.slow
def test_while_postgresql_is_down_nodes_say_so_and_stay(
    server: PostgresServer, load: ClusterLoad
) -> None:
    """Clients are told to try again, of reads and writes alike, and then all goes on."""
    with load.running():
        load.let_write(100)
        server.kill()
        for name in ("a", "b"):
            with RawClient(load.nodes.port(name)) as client:
                for ask in (try_to_write, try_to_read):
                    with within(REFUSED_SECONDS_MAX, "an answer"):
                        assert ask(client, TABLE, KEYS[0]) == 503
        server.start()
        load.let_write(100, BACK_SECONDS_MAX + 5)
    load.check()


@pytest.mark.slow
@pytest.mark.parametrize("seconds", PAUSES_SECONDS)
def test_a_pause_of_postgresql_is_waited_for(
    server: PostgresServer, load: ClusterLoad, seconds: float
) -> None:
    """All its processes stand still for seconds, as on a machine that is moved; nothing is lost."""
    with load.running():
        load.let_write(150)
        server.pause()
        time.sleep(seconds)  # the pause is the subject
        server.resume()
        load.let_write(1, BACK_SECONDS_MAX)
        load.let_write(150)
    load.check()


@pytest.mark.slow
def test_sessions_that_an_operator_ends_are_made_anew(
    server: PostgresServer, load: ClusterLoad
) -> None:
    """Again and again, all of them, in the middle of what they do."""
    with load.running():
        for _ in range(10):
            load.let_write(50)
            ((ended,),) = server.sql(END_SESSIONS)
            assert ended > 0
        load.let_write(50, BACK_SECONDS_MAX)
    assert load.slowest_seconds < BACK_SECONDS_MAX
    load.check()


@pytest.mark.slow
def test_statements_that_an_operator_cancels_are_tried_again(
    server: PostgresServer, load: ClusterLoad
) -> None:
    """A commit is not a statement that can be half done."""
    cancel = (
        "SELECT count(pg_cancel_backend(pid))::int FROM pg_stat_activity"
        " WHERE application_name IN ('a', 'b') AND state = 'active'"
    )
    with load.running():
        cancelled = 0

        def cancel_some() -> bool:
            nonlocal cancelled
            cancelled += int(server.sql(cancel)[0][0])
            return cancelled > 100

        await_true(cancel_some, 60, "100 statements cancelled")
        load.let_write(50, BACK_SECONDS_MAX)
    load.check()


@pytest.mark.slow
def test_nodes_that_are_given_no_connection_go_on_when_they_are(tmp_path: Path) -> None:
    """Somebody else has them all."""
    settings = {"max_connections": f"{CONNECTIONS}"}
    with PostgresServer(settings) as server, Nodes(server.url, tmp_path) as nodes:
        nodes.start("a")
        nodes.start("b")
        load = ClusterLoad(nodes)
        with load.running():
            load.let_write(100)
            with ExitStack() as others:
                first = others.enter_context(psycopg.connect(server.url, autocommit=True))
                refused = load.doubtful

                def take_all() -> bool:
                    first.execute(END_SESSIONS)
                    with suppress(psycopg.OperationalError):
                        others.enter_context(psycopg.connect(server.url))
                    return load.doubtful > refused

                await_true(take_all, REFUSED_SECONDS_MAX * 2, "clients are told to try again")
            load.let_write(100, BACK_SECONDS_MAX)
        load.check()
