"""A server that is killed with `kill -9` while its mappings run functions: nothing is skipped.

Functions keep a journal of what they were given and what they did; `journal.py` says what is held
against it. Seeded as `test_kill.py` is; `PENSTOCK_KILLS` sets how often the server is killed.
"""

import os
import random
from pathlib import Path

import pytest

from fault.journal import windows_of, windows_owed
from fault.journaled import Journaled, needs_workers, tree_of
from fault.lambda_client import LambdaClient
from fault.load import Writer, running, wait_until
from fault.nodes import await_true
from fault.observer import create_table, stream_arn
from fault.promises import check_promises, writes_of
from fault.raw_client import RawClient
from penstock.app.control_client import ControlClient
from server_process import ServerProcess

pytestmark = needs_workers

SEED = int(os.environ.get("PENSTOCK_SEED", "20261001"))
KILLS = int(os.environ.get("PENSTOCK_KILLS", "20"))
TABLE = "fault"
KEYS = [f"item-{number}" for number in range(12)]
WRITERS = 4
PAUSE_SECONDS = 0.03
JOURNAL_BYTES_TO_A_KILL = (1, 20_000)
FACTOR = 4
WINDOW_SECONDS = 3
CLOSED_SECONDS_MAX = 20.0
ARGUMENTS = ("--test-controls", "on", "--shards", "2")


class Trial:
    """One store over many lives of its server, with three mappings on one stream."""

    def __init__(self, room: Path, seed: int) -> None:
        self.data = room / "store"
        self.random = random.Random(seed)
        self.writers: list[Writer] = []
        self.mappings: list[Journaled] = []
        self.successions = 0
        self._room = room
        self._lives = 0

    def begin(self, port: int) -> None:
        """Make the table, the functions and their mappings."""
        with RawClient(port) as client:
            create_table(client, TABLE)
            arn = stream_arn(client, TABLE)
        self._map(port, arn, "plain", 1, {"MOODS": "5,5", "DAWDLE_SECONDS": "0.05"}, BatchSize=10)
        self._map(
            port,
            arn,
            "moody",
            FACTOR,
            {"MOODS": "80,8,2,6,2,1", "DAWDLE_SECONDS": "0.1"},
            BatchSize=20,
            ParallelizationFactor=FACTOR,
            FunctionResponseTypes=["ReportBatchItemFailures"],
        )
        moods = {"MOODS": "80,8,6", "DAWDLE_SECONDS": "0.05"}
        self._map(
            port, arn, "windowed", 1, moods, BatchSize=10, TumblingWindowInSeconds=WINDOW_SECONDS
        )

    def _map(
        self,
        port: int,
        arn: str,
        name: str,
        factor: int,
        environment: dict[str, str],
        **settings: object,
    ) -> None:
        client, journal = LambdaClient(port), self._room / f"{name}.journal"
        client.create_function(name, journal, **environment)
        uuid = client.create_mapping(name, arn, **settings)
        self.mappings.append(Journaled(name, uuid, journal, factor))

    def kill_at_work(self, server: ServerProcess) -> None:
        """Kill a server in the middle of what one of the functions does, and look at its store."""
        chosen = self.random.choice(self.mappings)
        goal = chosen.journal_bytes + self.random.randint(*JOURNAL_BYTES_TO_A_KILL)
        with running(server.port, *self.new_writers()):
            if self.random.random() < 0.6:
                self._succeed(server.port)
            wait_until(lambda: chosen.journal_bytes >= goal, f"{chosen.name} at work")
            server.kill()
        assert "Traceback" not in server.stderr
        for mapping in self.mappings:
            mapping.await_no_workers()
            mapping.look(self.data)

    def new_writers(self) -> list[Writer]:
        """Return the writers of a life."""
        self._lives += 1
        names = [f"{self._lives}.{number}" for number in range(WRITERS)]
        made = [
            Writer(name, TABLE, KEYS, f"{self.random.random()}", pause_seconds=PAUSE_SECONDS)
            for name in names
        ]
        self.writers += made
        return made

    def _succeed(self, port: int) -> None:
        """Let other shards follow those that are written to."""
        control = ControlClient(f"http://127.0.0.1:{port}")
        if self.random.random() < 0.8:
            control.roll(TABLE)
        else:
            control.split(TABLE)
        self.successions += 1


@pytest.mark.slow
@pytest.mark.timeout(120 + 15 * KILLS)
def test_kills_while_functions_run_skip_and_reorder_nothing(tmp_path: Path) -> None:
    print(f"seed {SEED}, {KILLS} kills")
    trial = Trial(tmp_path, SEED)
    for life in range(KILLS):
        with ServerProcess.on(trial.data, *ARGUMENTS) as server:
            if not life:
                trial.begin(server.port)
            trial.kill_at_work(server)
    with ServerProcess.on(trial.data, *ARGUMENTS) as server:
        tree = tree_of(server.port, TABLE)
        for mapping in trial.mappings:
            mapping.await_all(tree)
        windowed, owed = trial.mappings[-1], windows_owed(tree, WINDOW_SECONDS)
        closed = lambda: windows_of(windowed.entries) == owed  # noqa: E731 - short
        await_true(closed, CLOSED_SECONDS_MAX, "each window has been closed with its records")
        check_promises(server.port, TABLE, writes_of(trial.writers))
        server.stop()
        assert "Traceback" not in server.stderr
    cut_off = 0
    for mapping in trial.mappings:
        mapping.await_no_workers()
        mapping.look(trial.data)
        audit = mapping.audit(tree)
        print(f"{mapping.name}: {len(tree.shard_of)} records, {audit.cut_off} calls cut off")
        assert audit.wrong == []
        cut_off += audit.cut_off
    # The kills met functions at work: else the test would prove little.
    assert cut_off > KILLS / 2
    print(f"{trial.successions} times other shards followed")
