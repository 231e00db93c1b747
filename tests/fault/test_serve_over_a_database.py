"""`penstock serve` over PostgreSQL: what it tells, its nodes' health, and who does the jobs."""

import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from fault.load import wait_until
from fault.observer import KEY, create_table
from fault.raw_client import RawClient
from fault.refusals import refusal
from penstock import __version__
from penstock.base import limits
from postgres.server import PostgresServer
from server_process import ServerProcess

TABLE = "fault"
PASSWORD = "hushhush"


@pytest.fixture(scope="module")
def database() -> Iterator[PostgresServer]:
    """A database of these tests' own, which they pause."""
    with PostgresServer() as server:
        yield server


@pytest.fixture
def start(database: PostgresServer, tmp_path: Path) -> Iterator[Callable[..., ServerProcess]]:
    """Start nodes over the database; they are gone at the end of the test."""
    nodes: list[ServerProcess] = []
    environment = {"PENSTOCK_ENGINE": with_password(database.url)}

    def started(*arguments: str) -> ServerProcess:
        log = tmp_path / f"node{len(nodes)}.log"
        nodes.append(ServerProcess(*arguments, log=log, environment=environment))
        nodes[-1].await_ready()
        return nodes[-1]

    yield started
    for node in nodes:
        node.kill()
    database.sql("DROP SCHEMA public CASCADE")
    database.sql("CREATE SCHEMA public")


def with_password(url: str) -> str:
    """Return the URL with a password, which the server takes without asking for it."""
    return url.replace("penstock@", f"penstock:{PASSWORD}@")


def health(node: ServerProcess) -> tuple[int, dict[str, Any]]:
    """Return the health page of a node, and its status."""
    try:
        url = f"http://127.0.0.1:{node.port}/_penstock/health"
        with urllib.request.urlopen(url, timeout=10) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


def test_a_node_tells_its_database_and_never_the_password(
    database: PostgresServer, start: Callable[..., ServerProcess]
) -> None:
    one, other = start(), start()
    ready = {"status": "ready", "version": __version__, "engine": "postgresql"}
    assert health(one) == health(other) == (200, ready)
    with RawClient(one.port) as client:
        create_table(client, TABLE)
    with RawClient(other.port) as client:
        assert client.call("ListTables")["TableNames"] == [TABLE]
    for node in (one, other):
        node.stop()
        assert "(postgresql, data in postgres on 127.0.0.1)" in node.said
        assert PASSWORD not in node.said + node.stderr


def test_a_database_that_cannot_be_reached_is_refused_without_its_password() -> None:
    url = f"postgresql://penstock:{PASSWORD}@127.0.0.1:1/postgres"
    text = refusal("--engine", url, "--port", "0", status=1)
    assert "127.0.0.1" in text
    assert PASSWORD not in text


def test_a_node_that_cannot_reach_its_database_says_so_and_goes_on_when_it_can(
    database: PostgresServer, start: Callable[..., ServerProcess]
) -> None:
    """The page answers at once meanwhile, whatever hangs."""
    node = start()
    assert health(node)[0] == 200
    database.pause()
    try:
        wait_until(lambda: health(node)[0] == 503, "the health page to say so")
        before = time.monotonic()
        status, shown = health(node)
        assert (status, shown["status"]) == (503, "unavailable")
        assert shown["reason"].startswith("the store has not answered for ")
        assert time.monotonic() - before < limits.store_silent_ms_max / 1000
    finally:
        database.resume()
    wait_until(lambda: health(node)[0] == 200, "the health page to say so")
    with RawClient(node.port) as client:
        create_table(client, TABLE)


def test_the_jobs_of_a_node_that_is_killed_are_done_by_another(
    database: PostgresServer, start: Callable[..., ServerProcess]
) -> None:
    """An item whose time is over goes, though the node that had that job is gone."""
    quick = ("--ttl-interval-seconds", "1")
    holder, other = start(*quick), start(*quick)
    with RawClient(other.port) as client:
        create_table(client, TABLE)
        live = {"Enabled": True, "AttributeName": "ends"}
        client.call("UpdateTimeToLive", TableName=TABLE, TimeToLiveSpecification=live)

        def put(name: str) -> None:
            item = {KEY: {"S": name}, "ends": {"N": str(int(time.time()) - 2)}}
            client.call("PutItem", TableName=TABLE, Item=item)

        def is_gone(name: str) -> bool:
            return "Item" not in client.call("GetItem", TableName=TABLE, Key={KEY: {"S": name}})

        put("a")
        wait_until(lambda: is_gone("a"), "the first item to go")
        holder.kill()
        put("b")
        wait_until(lambda: is_gone("b"), "the second item to go")
        assert database.sql("SELECT count(*) FROM penstock_kv WHERE get_byte(k, 0) = 4") == [(7,)]
        other.stop()
        assert database.sql("SELECT count(*) FROM penstock_kv WHERE get_byte(k, 0) = 4") == [(0,)]
