"""A node that is stopped (SIGSTOP) while it holds locks, and wakes up when others have gone on.

Its transaction dies with its session, which PostgreSQL ends. So nobody waits for it for long, and
nothing that it had begun can be committed after it wakes.
"""

import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from fault.cluster_load import KEYS, TABLE, ClusterLoad
from fault.database_view import DatabaseView, Holder
from fault.load import running
from fault.nodes import (
    Nodes,
    await_true,
    let_write,
    try_to_write,
    within,
)
from fault.observer import KEY, MARK, all_items, all_records, create_table
from fault.raw_client import RawClient, Refused
from penstock.base import limits
from postgres.schemas import Schemas
from postgres.server import PostgresServer

WRITERS = 32
STOPS_MAX = 200
MINUTE_SECONDS = 60.0
STOP_SECONDS = limits.postgres_idle_seconds_max + 3.0
ENDED_SECONDS_MAX = limits.postgres_idle_seconds_max + 3.0
"""How long after a stop a session that holds locks may be there."""
GOES_ON_SECONDS_MAX = limits.postgres_idle_seconds_max + 7.0
"""How long a stopped node may keep another one from writing the same items."""
RECOVERED_SECONDS_MAX = 15.0


class Trial:
    """Two nodes, `a` that is stopped and `b`, over one schema of a PostgreSQL."""

    def __init__(self, server: PostgresServer, schemas: Schemas, nodes: Nodes) -> None:
        schema = nodes.url.rpartition("search_path%3D")[2]
        self.nodes = nodes
        self.view = DatabaseView(server, schema)
        nodes.start("a")
        nodes.start("b")

    def stop_with_locks(self) -> Holder:
        """Stop node `a` at a moment when it holds locks; return the session that does."""
        for _ in range(STOPS_MAX):
            self.nodes.running["a"].send_signal(signal.SIGSTOP)
            deadline = time.monotonic() + 0.1
            while time.monotonic() < deadline:  # a reply that is on its way may still take locks
                if holders := self.view.holders("a"):
                    return holders[0]
            self.wake()
            time.sleep(0.005)  # the moment is what varies
        raise AssertionError("the node was never stopped while it held locks")

    def wake(self) -> None:
        """Let node `a` go on."""
        self.nodes.running["a"].send_signal(signal.SIGCONT)

    def await_end(self, holder: Holder) -> None:
        """Wait until a session of the stopped node is gone, and see what it leaves: nothing."""
        await_true(
            lambda: not self.view.is_there(holder), ENDED_SECONDS_MAX, "the session has ended"
        )
        assert self.view.outcome(holder) == "aborted"


@pytest.fixture
def trial(tmp_path: Path) -> Iterator[Trial]:
    """Two nodes over a PostgreSQL of their own."""
    with (
        PostgresServer() as server,
        Schemas(server.url) as schemas,
        Nodes(schemas.new_url(), tmp_path) as nodes,
    ):
        yield Trial(server, schemas, nodes)


class Single:
    """Writes one item by one node, a write at a time, and keeps what it was told of each."""

    def __init__(self) -> None:
        self.told: dict[str, bool] = {}
        self.asked = ""

    def run(self, port: int, stop: threading.Event) -> None:
        """Write until `stop` is set or a write fails."""
        with RawClient(port, seconds_max=MINUTE_SECONDS * 2) as client:
            while not stop.is_set() and all(self.told.values()):
                self.asked = f"single-{len(self.told)}"
                try:
                    put(client, self.asked)
                    self.told[self.asked] = True
                except Refused as refused:
                    assert refused.status == 503, refused
                    self.told[self.asked] = False


def put(client: RawClient, mark: str) -> None:
    """Replace the one item."""
    client.call("PutItem", TableName=TABLE, Item={KEY: {"S": KEYS[0]}, MARK: {"S": mark}})


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_what_a_node_had_begun_that_is_stopped_for_a_minute_is_never_there(trial: Trial) -> None:
    """Of one write at a time nobody can say that it was another one that was seen to be missing."""
    single = Single()
    with RawClient(trial.nodes.port("b")) as client:
        create_table(client, TABLE)
    with running(trial.nodes.port("a"), single):
        await_true(lambda: len(single.told) > 20, 20, "the writer is at work")
        holder = trial.stop_with_locks()
        began = time.monotonic()
        zombie = single.asked
        with RawClient(trial.nodes.port("b")) as client:
            with within(GOES_ON_SECONDS_MAX, "a write of the same item"):
                put(client, "of-b")
            trial.await_end(holder)
            time.sleep(
                max(0.0, began + MINUTE_SECONDS - time.monotonic())
            )  # the stop is the subject
            assert trial.view.holders("a") == []
            trial.wake()
            await_true(lambda: zombie in single.told, RECOVERED_SECONDS_MAX, "the zombie answers")
    assert not single.told[zombie]
    for name in ("a", "b"):
        with RawClient(trial.nodes.port(name)) as client:
            with within(RECOVERED_SECONDS_MAX, f"a write by {name}"):
                put(client, f"after-{name}")
            marks = [
                record["dynamodb"]["NewImage"][MARK]["S"]
                for records in all_records(client, TABLE).values()
                for record in records
            ]
            items = all_items(client, TABLE)
        done = [mark for mark, is_done in single.told.items() if is_done]
        after = [f"after-{each}" for each in ("a", "b") if each <= name]
        assert marks == [*done, "of-b", *after]
        assert [item[MARK]["S"] for item in items] == [after[-1]]


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_a_stop_under_load_holds_nobody_up_and_breaks_no_promise(trial: Trial) -> None:
    """The other node goes on with the same items; the stopped one wakes, and serves again."""
    load = ClusterLoad(trial.nodes, writers=WRITERS)
    with load.running():
        let_write(load.begun_at(0), 100)
        holder = trial.stop_with_locks()
        began = time.monotonic()
        let_write_all(trial.nodes.port("b"), GOES_ON_SECONDS_MAX)
        let_write(load.begun_at(1), 100, GOES_ON_SECONDS_MAX)
        trial.await_end(holder)
        sleep_until(began + STOP_SECONDS)
        trial.wake()
        let_write(load.begun_at(0), 100, RECOVERED_SECONDS_MAX)
    load.check()


def let_write_all(port: int, seconds_max: float) -> None:
    """Check that a write of every item that there may be a lock on is done within a limit."""
    with RawClient(port) as client, within(seconds_max, "a write of every item"):
        for key in KEYS:
            assert try_to_write(client, TABLE, key) == 200


def sleep_until(moment: float) -> None:
    """Let a stop last, whose length is what a test is about."""
    time.sleep(max(0.0, moment - time.monotonic()))
