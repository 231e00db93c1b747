"""Nodes that start: at once on nothing, on tables of a newer release, and where they must not."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from fault.nodes import Nodes, await_true, try_to_read
from fault.observer import create_table
from fault.raw_client import RawClient
from fault.refusals import refusal, run_to_end
from postgres.schemas import Schemas
from postgres.server import HOST, USER, PostgresServer

TABLE = "fault"
STARTS = 10
NEWER_SEEN_SECONDS_MAX = 10.0
PASSWORD = "Xyzzy-plugh"
POOR = "poor"
COUNTED = "SELECT (SELECT count(*)::int FROM {0}.penstock_lock), (SELECT version FROM {0}.{1})"


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    """A PostgreSQL of these tests' own, which asks one of its users for a password."""
    with PostgresServer() as made:
        made.sql(f"CREATE ROLE {POOR} LOGIN PASSWORD '{PASSWORD}'")
        rules = made.data / "pg_hba.conf"
        rules.write_text(f"host all {POOR} all scram-sha-256\n" + rules.read_text())
        made.sql("SELECT pg_reload_conf()")
        yield made


@pytest.fixture
def schemas(server: PostgresServer) -> Iterator[Schemas]:
    """Schemas of that server."""
    with Schemas(server.url) as made:
        yield made


def schema_of(url: str) -> str:
    return url.rpartition("search_path%3D")[2]


@pytest.mark.slow
def test_nodes_that_start_at_once_make_the_tables_once(
    server: PostgresServer, schemas: Schemas, tmp_path: Path
) -> None:
    for _ in range(STARTS):
        url = schemas.new_url()
        with Nodes(url, tmp_path) as nodes:
            started = [nodes.begin(name) for name in ("a", "b", "c")]
            for node in started:
                node.await_ready()
            with RawClient(nodes.port("a")) as client:
                create_table(client, TABLE)
            with RawClient(nodes.port("c")) as client:
                assert client.call("ListTables")["TableNames"] == [TABLE]
        assert server.sql(COUNTED.format(schema_of(url), "penstock_schema")) == [(4096, 1)]


@pytest.mark.slow
def test_tables_of_a_newer_release_are_refused_and_left_alone(
    server: PostgresServer, schemas: Schemas, tmp_path: Path
) -> None:
    """At the start with a clear line; and a node that runs uses them no more."""
    url = schemas.new_url()
    with Nodes(url, tmp_path) as nodes:
        nodes.start("a")
        with RawClient(nodes.port("a")) as client:
            create_table(client, TABLE)
            raised = f"UPDATE {schema_of(url)}.penstock_schema SET version = 9, oldest = 9"
            server.sql(raised)
            await_true(
                lambda: try_to_read(client, TABLE, "x") == 500, NEWER_SEEN_SECONDS_MAX, "it refuses"
            )
        (log,) = nodes.logs
        said = log.read_text()
        assert "may not use the store any more" in said
        assert "Traceback" not in said
        nodes.logs.clear()  # what it said is what it should
    text = refusal("--engine", url)
    assert re.search(r"version 9.*this release has version 1: upgrade it", text)


@pytest.mark.slow
def test_tables_of_a_newer_release_that_lets_this_one_use_them_are_used(
    server: PostgresServer, schemas: Schemas, tmp_path: Path
) -> None:
    """As while nodes are upgraded one at a time."""
    url = schemas.new_url()
    with Nodes(url, tmp_path) as nodes:
        nodes.start("a")
        server.sql(f"UPDATE {schema_of(url)}.penstock_schema SET version = 9")
        nodes.start("b")
        with RawClient(nodes.port("b")) as client:
            create_table(client, TABLE)
    assert server.sql(f"SELECT version FROM {schema_of(url)}.penstock_schema") == [(9,)]


def refusals(server: PostgresServer) -> dict[str, tuple[str, str]]:
    """Return URLs that must be refused, and what is told of each."""
    place = f"{HOST}:{server.port}"
    return {
        "a wrong password": (f"{POOR}:{PASSWORD}-not@{place}/postgres", "password authentication"),
        "no password": (f"{POOR}@{place}/postgres", "password"),
        "no rights": (f"{POOR}:{PASSWORD}@{place}/postgres", "permission denied"),
        "an unknown host": (f"{POOR}:{PASSWORD}@no-such-host.invalid/postgres", "no-such-host"),
        "nobody there": (f"{POOR}:{PASSWORD}@{HOST}:1/postgres", "refused"),
        "nobody at two places": (f"{POOR}:{PASSWORD}@{HOST}:1,{HOST}:2/postgres", "refused"),
        "no such database": (f"{USER}:{PASSWORD}@{place}/nothing", '"nothing" does not exist'),
        "no such user": (f"nobody-at-all:{PASSWORD}@{place}/postgres", "nobody-at-all"),
        "no such schema": (
            f"{USER}:{PASSWORD}@{place}/postgres?options=-csearch_path%3Dnothing",
            "no schema",
        ),
        "a setting that is unknown": (
            f"{USER}:{PASSWORD}@{place}/postgres?options=-cnothing%3D1",
            "nothing",
        ),
        "a database that takes no writes": (
            f"{USER}:{PASSWORD}@{place}/postgres?options=-cdefault_transaction_read_only%3Don",
            "read-only",
        ),
    }


@pytest.mark.slow
def test_what_keeps_a_node_from_its_database_is_told_in_one_line(server: PostgresServer) -> None:
    """With the status of other refusals, and never the password."""
    for kind, (url, told) in refusals(server).items():
        text = refusal("--engine", f"postgresql://{url}")
        assert told in text, (kind, text)
        assert PASSWORD not in text, (kind, text)


@pytest.mark.slow
def test_a_url_that_cannot_be_read_is_refused_without_any_of_it(server: PostgresServer) -> None:
    """A password whose signs are not escaped makes another URL of it, or none."""
    for sign in ("%zz", "@", "/", "?", "#", ":", "%", " ", "[", "]", "@@", "%00", "é", "'", "&"):
        password = f"Xyzzy{sign}plugh"
        url = f"postgresql://{POOR}:{password}@{HOST}:{server.port}/nothing"
        ended = run_to_end("serve", "--port", "0", "--engine", url)
        lines = ended.stderr.splitlines()
        assert ended.status in {1, 2}, (sign, ended)
        assert len(lines) == 1, (sign, ended)
        assert "Xyzzy" not in ended.stderr, (sign, ended)
        assert "plugh" not in ended.stderr, (sign, ended)
