"""Connections between a node and PostgreSQL that are cut, slow, or silent from a moment on."""

import random
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fault.cluster_load import KEYS, TABLE, ClusterLoad
from fault.cut_proxy import CutProxy, Strike
from fault.nodes import (
    Nodes,
    await_true,
    let_write,
    try_to_read,
    try_to_write,
    within,
)
from fault.observer import KEY, MARK, all_items, all_records, create_table
from fault.promises import writes_of
from fault.raw_client import RawClient, Refused
from penstock.base import limits
from postgres.schemas import Schemas
from postgres.server import PostgresServer

CUTS = 12
LARGE_ITEMS, LARGE_CHARS = 24, 390_000
ANSWER_SECONDS_MAX = 5.0
"""How long a write takes while nothing is wrong, or when it is known at once that something is."""
SILENCE_SECONDS_MAX = limits.postgres_reply_seconds_max + 5.0
FREED_SECONDS_MAX = limits.postgres_transaction_seconds_max + 5.0
"""How long another node waits for the locks of one that is cut off."""
TRIED_SECONDS_MAX = limits.postgres_group_seconds_max + limits.postgres_connect_seconds_max + 3.0
"""How long a node tries by itself where it finds nobody."""
RECOVERED_SECONDS_MAX = limits.postgres_reply_seconds_max + 10.0


Ask = Callable[[RawClient, str, str], int]


class Trial:
    """Two nodes, of which `a` goes to its PostgreSQL by a proxy."""

    def __init__(self, proxy: CutProxy, server: PostgresServer, nodes: Nodes) -> None:
        self.proxy = proxy
        self.nodes = nodes
        by_proxy = nodes.url.replace(f":{server.port}/", f":{proxy.port}/")
        nodes.start("a", f"{by_proxy}&sslmode=disable&gssencmode=disable")
        nodes.start("b")

    def client(self, name: str) -> RawClient:
        """Return a client of a node."""
        return RawClient(self.nodes.port(name))

    def marks(self) -> list[str]:
        """Return the marks of all records, as each node shows them."""
        shown = []
        for name in ("a", "b"):
            with self.client(name) as client:
                records = all_records(client, TABLE).values()
                shown.append([mark_of(record) for shard in records for record in shard])
        assert shown[0] == shown[1]
        return shown[0]


def mark_of(record: dict[str, dict[str, dict[str, dict[str, str]]]]) -> str:
    return record["dynamodb"]["NewImage"][MARK]["S"]


def put(client: RawClient, mark: str, key: str = KEYS[0]) -> None:
    """Write an item."""
    client.call("PutItem", TableName=TABLE, Item={KEY: {"S": key}, MARK: {"S": mark}})


def await_answer(ask: Ask, client: RawClient, seconds_max: float, key: str = KEYS[0]) -> None:
    """Wait until a node does what it is asked."""
    await_true(lambda: ask(client, TABLE, key) == 200, seconds_max, "an answer")


def await_put(client: RawClient, mark: str, seconds_max: float) -> None:
    """Write the item as an SDK does: again, as long as it is told to."""

    def is_done() -> bool:
        try:
            put(client, mark)
        except Refused as refused:
            assert refused.status == 503, refused
            return False
        return True

    await_true(is_done, seconds_max, "a write that is tried again")


@pytest.fixture
def trial(tmp_path: Path) -> Iterator[Trial]:
    """Two nodes over a PostgreSQL of their own."""
    with (
        PostgresServer() as server,
        Schemas(server.url) as schemas,
        CutProxy(server.port) as proxy,
        Nodes(schemas.new_url(), tmp_path) as nodes,
    ):
        yield Trial(proxy, server, nodes)


@pytest.mark.slow
@pytest.mark.parametrize(("strike", "there"), [(Strike.BEFORE, False), (Strike.AFTER, True)])
def test_a_commit_without_an_answer_is_there_once_or_not_at_all(
    trial: Trial, strike: Strike, there: bool
) -> None:
    """Its client is told to try again, and the node has not tried again by itself."""
    with trial.client("a") as client:
        create_table(client, TABLE)
        put(client, "first")
        trial.proxy.strike(strike, having=b"doubtful")
        with within(ANSWER_SECONDS_MAX, "the answer"), pytest.raises(Refused) as refused:
            put(client, "doubtful")
        assert (refused.value.status, refused.value.code) == (503, "ServiceUnavailable")
        assert trial.proxy.struck == 1
        with within(ANSWER_SECONDS_MAX, "the next write"):
            put(client, "last")
    assert trial.marks() == ["first", *(["doubtful"] if there else []), "last"]


@pytest.mark.slow
@pytest.mark.parametrize("strike", [Strike.BEFORE, Strike.AFTER])
def test_a_transaction_in_doubt_is_made_once_by_whichever_node_is_asked_again(
    trial: Trial, strike: Strike
) -> None:
    """With the same token, as SDKs do by themselves."""
    update = {
        "TableName": TABLE,
        "Key": {KEY: {"S": KEYS[0]}},
        "UpdateExpression": f"SET {MARK} = :v ADD n :one",
        "ExpressionAttributeValues": {":v": {"S": "doubtful"}, ":one": {"N": "1"}},
    }
    request = {"TransactItems": [{"Update": update}], "ClientRequestToken": "the-same"}
    with trial.client("a") as one, trial.client("b") as other:
        create_table(one, TABLE)
        trial.proxy.strike(strike, having=b"doubtful")
        with pytest.raises(Refused) as refused:
            one.call("TransactWriteItems", **request)
        assert refused.value.status == 503
        for client in (other, one, other):
            client.call("TransactWriteItems", **request)
        (item,) = all_items(one, TABLE)
        assert item["n"] == {"N": "1"}
    assert trial.marks() == ["doubtful"]


@pytest.mark.slow
@pytest.mark.parametrize("strike", [Strike.SILENCE, Strike.HALF])
def test_a_node_that_is_cut_off_as_it_commits_keeps_no_locks(trial: Trial, strike: Strike) -> None:
    """Another one writes the same item soon, though nobody has told the database of the cut."""
    told: list[bool] = []

    def write_doubtful() -> None:
        with trial.client("a") as client:
            try:
                put(client, "doubtful")
            except Refused as refused:
                told.append(refused.status == 503)

    with trial.client("a") as client:
        create_table(client, TABLE)
        put(client, "first")
    trial.proxy.strike(strike, having=b"doubtful")
    thread = threading.Thread(target=write_doubtful, daemon=True)
    thread.start()
    trial.proxy.await_struck(ANSWER_SECONDS_MAX)
    with trial.client("b") as client, within(FREED_SECONDS_MAX, "a write of the same item"):
        await_put(client, "of-b", FREED_SECONDS_MAX)
    thread.join(SILENCE_SECONDS_MAX)
    assert told == [True]
    there = ["doubtful"] if strike is Strike.SILENCE else []
    assert trial.marks() == ["first", *there, "of-b"]


@pytest.mark.slow
def test_a_node_that_hears_nothing_of_much_keeps_no_locks(trial: Trial) -> None:
    """The server has locks for it and more to say than there is room for on the way."""
    keys = [f"large-{n}" for n in range(LARGE_ITEMS)]
    told: list[int] = []

    def write(client: RawClient) -> None:
        item = {MARK: {"S": "large"}, "pad": {"S": "x" * LARGE_CHARS}}
        puts = [{"PutRequest": {"Item": {KEY: {"S": key}, **item}}} for key in keys]
        client.call("BatchWriteItem", RequestItems={TABLE: puts})

    def write_doubtful() -> None:
        with trial.client("a") as client:
            try:
                write(client)
            except Refused as refused:
                told.append(refused.status)

    with trial.client("b") as client:
        create_table(client, TABLE, streamed=False)
        write(client)
        trial.proxy.strike(Strike.CLOG, having=keys[0].encode())
        thread = threading.Thread(target=write_doubtful, daemon=True)
        thread.start()
        trial.proxy.await_struck(ANSWER_SECONDS_MAX)
        with within(FREED_SECONDS_MAX, "writes of the same items"):
            for key in keys:
                await_answer(try_to_write, client, FREED_SECONDS_MAX, key)
        thread.join(SILENCE_SECONDS_MAX + TRIED_SECONDS_MAX)
    assert not thread.is_alive()


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_cuts_under_load_break_no_promise(trial: Trial) -> None:
    """At any moment, just before a commit, and after it but before its reply."""
    chance = random.Random(20261001)
    load, proxy = ClusterLoad(trial.nodes), trial.proxy
    kinds = [None, Strike.BEFORE, Strike.AFTER] * (CUTS // 3)
    chance.shuffle(kinds)
    with load.running():
        for kind in kinds:
            load.let_write(chance.randint(20, 100))
            if kind is None:
                proxy.cut()
            else:
                proxy.strike(kind)
                proxy.await_struck(RECOVERED_SECONDS_MAX)
        load.let_write(100)
    assert proxy.struck == len(kinds) * 2 // 3
    load.check()


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_a_node_whose_network_goes_silent_serves_again_when_it_is_back(trial: Trial) -> None:
    """The other one goes on meanwhile, and nobody waits for an answer for ever."""
    load = ClusterLoad(trial.nodes)
    with load.running():
        load.let_write(100)
        trial.proxy.swallow()
        let_write(load.begun_at(1), 100)
        with trial.client("a") as client:
            for ask in (try_to_write, try_to_read):
                with within(SILENCE_SECONDS_MAX + TRIED_SECONDS_MAX, "an answer"):
                    assert ask(client, TABLE, KEYS[0]) == 503
            trial.proxy.heal()
            for ask in (try_to_write, try_to_read):
                await_answer(ask, client, RECOVERED_SECONDS_MAX)
        load.let_write(100)
    load.check()


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_a_node_that_finds_nobody_says_so_soon_and_serves_again_by_itself(trial: Trial) -> None:
    """Every connection is refused, as by a database that is down for good."""
    load = ClusterLoad(trial.nodes)
    with load.running():
        load.let_write(100)
        trial.proxy.refuse()
        with trial.client("a") as client:
            for ask in (try_to_write, try_to_read):
                with within(TRIED_SECONDS_MAX, "an answer"):
                    assert ask(client, TABLE, KEYS[0]) == 503
            let_write(load.begun_at(1), 100)
            trial.proxy.heal()
            for ask in (try_to_write, try_to_read):
                with within(ANSWER_SECONDS_MAX, "an answer"):
                    assert ask(client, TABLE, KEYS[0]) == 200
        load.let_write(100)
    load.check()


@pytest.mark.slow
@pytest.mark.timeout(240)
@pytest.mark.parametrize("seconds", [0.05, 0.7])
def test_a_slow_network_makes_a_node_slow_and_nothing_else(trial: Trial, seconds: float) -> None:
    """Nobody is told to try again."""
    load = ClusterLoad(trial.nodes)
    with load.running():
        load.let_write(50)
        trial.proxy.delay_seconds = seconds
        let_write(load.begun_at(0), 50)
        let_write(load.begun_at(1), 50)
        trial.proxy.delay_seconds = 0.0
    writes = writes_of(load.writers)
    assert all(write.acknowledged for write in writes)
    load.check()
