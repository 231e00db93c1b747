"""Mappings on two nodes over PostgreSQL: one node at a time runs each, and another takes it over.

What is held against their functions' journals is in `journal.py`; here the life of a mapping is the
time in which one node runs it.
"""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from fault.journal import servers_of
from fault.journaled import Journaled, Watch, needs_workers, tree_of
from fault.lambda_client import LambdaClient
from fault.load import Worker, Writer, running
from fault.nodes import Moving, Nodes, await_true
from fault.observer import create_table, stream_arn
from fault.promises import check_promises, writes_of
from fault.raw_client import RawClient
from penstock.base import limits
from postgres.schemas import Schemas
from postgres.server import PostgresServer

pytestmark = needs_workers

TABLE = "fault"
KEYS = [f"item-{number}" for number in range(10)]
WRITERS = 4
PAUSE_SECONDS = 0.03
AT_WORK_SECONDS_MAX = 20.0
TAKEN_OVER_SECONDS_MAX = (limits.lease_ms + 2 * limits.lease_renewal_ms) / 1000 + 10.0
"""A lease is seen, has to stand still for its time, and is looked at again; then workers start."""
HANDED_OVER_SECONDS_MAX = limits.lease_renewal_ms / 1000 + 5.0
FOLLOWED_SECONDS_MAX = limits.mapping_look_interval_ms / 1000 + 4.0
AT_WORK_BYTES = 10_000
STOP_SECONDS_MAX = 2.0
MOODS = {"MOODS": "6,3,0,1", "DAWDLE_SECONDS": "0.05"}


class Trial:
    """Two nodes, a table with a stream, and a mapping that one of them runs."""

    def __init__(self, nodes: Nodes, room: Path) -> None:
        self.nodes = nodes
        self.writers: list[Writer] = []
        self._room = room
        with RawClient(nodes.port("a")) as client:
            create_table(client, TABLE)
            self._arn = stream_arn(client, TABLE)
        reports = {"FunctionResponseTypes": ["ReportBatchItemFailures"]}
        self.mapping = self.map("f", MOODS, **reports)

    def map(self, name: str, environment: dict[str, str], **settings: object) -> Journaled:
        """Make a function and its mapping of the stream."""
        client, journal = LambdaClient(self.nodes.port("a")), self._room / f"{name}.journal"
        client.create_function(name, journal, **environment)
        settings = {"BatchSize": 10, **settings}
        return Journaled(name, client.create_mapping(name, self._arn, **settings), journal)

    @contextmanager
    def load(self, *beside: Worker) -> Iterator[None]:
        """Write meanwhile, by one node or the other."""
        begun = len(self.writers)
        self.writers += [
            Writer(f"{n}", TABLE, KEYS, f"{n}", tolerant=True, pause_seconds=PAUSE_SECONDS)
            for n in range(begun, begun + WRITERS)
        ]
        moving = [Moving(each, self.nodes, n) for n, each in enumerate(self.writers[begun:])]
        with running(0, *moving, *beside):
            yield

    def owner(self) -> str:
        """Return the name of the node that has run the function last."""
        last = self.mapping.entries[-1].server
        return next(n for n, each in self.nodes.running.items() if each.process.pid == last)

    def await_work(self) -> None:
        """Wait until the function has done some more."""
        goal = self.mapping.journal_bytes + AT_WORK_BYTES
        done = lambda: self.mapping.journal_bytes >= goal  # noqa: E731 - short
        await_true(done, AT_WORK_SECONDS_MAX, "the function is at work")

    def await_owner(self, name: str, seconds_max: float) -> None:
        """Wait until a node runs the function."""
        pid = self.nodes.running[name].process.pid
        begun = self.mapping.journal_bytes

        def runs() -> bool:
            return any(each.server == pid for each in self.mapping.entries_after(begun))

        print(f"{name} runs it after {await_true(runs, seconds_max, f'{name} runs it'):.1f} s")

    def check(self, lives: int, *others: Journaled) -> None:
        """Check that nothing is missing, and that one node after the other ran the mapping."""
        port = self.nodes.ports[0]
        tree = tree_of(port, TABLE)
        for mapping in (self.mapping, *others):
            mapping.await_all(tree)
            audit = mapping.audit(tree)
            assert audit.wrong == []
        check_promises(port, TABLE, writes_of(self.writers))
        assert len(servers_of(self.mapping.entries)) == lives


@pytest.fixture
def trial(postgres_schemas: Schemas, tmp_path: Path) -> Iterator[Trial]:
    """Two nodes that share a store."""
    with Nodes(postgres_schemas.new_url(), tmp_path, "--shards", "2") as nodes:
        nodes.start("a")
        nodes.start("b")
        yield Trial(nodes, tmp_path)


def other(name: str) -> str:
    """Return the name of the other node."""
    return "b" if name == "a" else "a"


@pytest.mark.slow
def test_the_mapping_of_a_killed_node_goes_on_at_the_other_one(trial: Trial) -> None:
    """And then that one is stopped in good order, and gives it back at once."""
    with trial.load():
        trial.await_work()
        killed = trial.owner()
        trial.nodes.kill(killed)
        trial.await_owner(other(killed), TAKEN_OVER_SECONDS_MAX)
        trial.await_work()
        trial.nodes.start(killed)
        trial.nodes.running.pop(other(killed)).stop()
        trial.await_owner(killed, HANDED_OVER_SECONDS_MAX)
        trial.await_work()
    trial.check(lives=3)


@pytest.mark.slow
def test_a_node_that_slept_through_its_lease_calls_nothing_and_moves_nothing(trial: Trial) -> None:
    """It wakes with records at hand that the other node is long beyond."""
    watch = Watch(trial.nodes.url, trial.mapping)
    with trial.load(watch):
        trial.await_work()
        stopped = trial.owner()
        trial.nodes.running[stopped].send_signal(signal.SIGSTOP)
        trial.await_owner(other(stopped), TAKEN_OVER_SECONDS_MAX)
        trial.await_work()
        trial.nodes.running[stopped].send_signal(signal.SIGCONT)
        for _ in range(5):
            trial.await_work()
    trial.check(lives=2)
    assert watch.wrong == []
    assert watch.looks > 20


@pytest.mark.slow
def test_what_the_api_of_another_node_says_is_followed(trial: Trial) -> None:
    """By the node that runs the mapping, within a second or two."""
    beside, uuid = trial.map("beside", {}), trial.mapping.uuid
    with trial.load():
        trial.await_work()
        client = LambdaClient(trial.nodes.port(other(trial.owner())))
        client.update_mapping(uuid, BatchSize=1)
        await_state(client, uuid, "Enabled")
        changed = trial.mapping.journal_bytes
        trial.await_work()
        client.update_mapping(uuid, Enabled=False)
        await_state(client, uuid, "Disabled")
        disabled = trial.mapping.journal_bytes
    beside.await_all(tree_of(trial.nodes.ports[0], TABLE))
    seen = [each for each in trial.mapping.entries_after(changed) if each.what == "seen"]
    assert len(seen) == len({each.invocation for each in seen}) > 10  # a record in each
    assert trial.mapping.journal_bytes == disabled
    client.update_mapping(uuid, Enabled=True)
    await_state(client, uuid, "Enabled")
    trial.check(1, beside)
    client.delete_mapping(uuid)
    await_state(client, uuid, None)
    deleted = trial.mapping.journal_bytes
    before = beside.journal_bytes
    with trial.load():
        goes_on = lambda: beside.journal_bytes > before + AT_WORK_BYTES  # noqa: E731 - short
        await_true(goes_on, AT_WORK_SECONDS_MAX, "the other mapping goes on")
    assert trial.mapping.journal_bytes == deleted


@pytest.mark.slow
def test_a_node_whose_database_hangs_ends_in_time_with_its_functions(tmp_path: Path) -> None:
    hold = tmp_path / "hold"
    hold.touch()
    with (
        PostgresServer() as database,
        Schemas(database.url) as schemas,
        Nodes(schemas.new_url(), tmp_path) as nodes,
    ):
        nodes.start("a")
        nodes.start("b")
        trial = Trial(nodes, tmp_path)
        held = trial.map("held", {"HOLD": str(hold)})
        with trial.load():
            trial.await_work()
            await_true(lambda: held.entries, AT_WORK_SECONDS_MAX, "the function runs")
        node = nodes.running.pop(trial.owner())
        database.pause()
        try:
            before = node.fair_seconds()
            node.stop()
            assert node.fair_seconds() - before < STOP_SECONDS_MAX
        finally:
            database.resume()


def await_state(client: LambdaClient, uuid: str, state: str | None) -> None:
    """Wait until a mapping is in a state, as the node that was asked for it shows it."""
    seconds = await_true(lambda: client.state(uuid) == state, FOLLOWED_SECONDS_MAX, f"{state}")
    print(f"{state} after {seconds:.1f} s")
