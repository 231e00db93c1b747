"""A server that is killed with `kill -9` under load loses, repeats and reorders nothing.

Seeded: the seed is printed, and `PENSTOCK_SEED` sets it. `PENSTOCK_KILLS` sets how often the loaded
server is killed, for a longer soak. What threads and machine do stays chance.
"""

import os
import random
import time
from pathlib import Path

import pytest

from fault.load import StreamReader, Writer, running, wait_for_writes
from fault.observer import KEY, MARK, all_items, create_table
from fault.promises import check_promises, writes_of
from fault.raw_client import RawClient
from penstock.testing.checkers import Write, lost_writes
from server_process import ServerProcess

SEED = int(os.environ.get("PENSTOCK_SEED", "20261001"))
KILLS = int(os.environ.get("PENSTOCK_KILLS", "20"))
WRITES_TO_A_KILL = (20, 1500)
KEYS = [f"item-{number}" for number in range(8)]
WRITERS = 10
TABLE = "fault"


class Trial:
    """One store over many lives of its server, and everything that clients were told."""

    def __init__(self, data: Path, seed: int) -> None:
        self.data = data
        self.random = random.Random(seed)
        self.reader = StreamReader(TABLE)
        self.writers: list[Writer] = []
        self.lives = 0

    @property
    def writes(self) -> list[Write]:
        return writes_of(self.writers)

    def new_writers(self) -> list[Writer]:
        self.lives += 1
        names = [f"{self.lives}.{number}" for number in range(WRITERS)]
        made = [Writer(name, TABLE, KEYS, f"{self.random.random()}") for name in names]
        self.writers += made
        return made

    def kill_under_load(self, server: ServerProcess) -> None:
        """Kill `server` in the middle of a load, after a random number of writes."""
        writers, count = self.new_writers(), self.random.randint(*WRITES_TO_A_KILL)
        with running(server.port, self.reader, *writers):
            wait_for_writes(writers, count)
            server.kill()

    def check(self, port: int) -> None:
        """Check every promise against the server at `port`, which nobody else uses."""
        check_promises(port, TABLE, self.writes, self.reader)


@pytest.mark.slow
@pytest.mark.timeout(60 + 15 * KILLS)
def test_nothing_acknowledged_is_lost_repeated_or_undone_by_kills(tmp_path: Path) -> None:
    print(f"seed {SEED}, {KILLS} kills")
    trial = Trial(tmp_path / "store", SEED)
    with ServerProcess.on(trial.data) as server, RawClient(server.port) as client:
        create_table(client, TABLE)
        trial.kill_under_load(server)
    for kill in range(1, KILLS + 1):
        with ServerProcess.on(trial.data) as server:
            trial.check(server.port)
            if kill < KILLS:
                trial.kill_under_load(server)
    _report(trial)


@pytest.mark.slow
def test_kills_in_a_row_while_starting_change_nothing(tmp_path: Path) -> None:
    """Also the start that makes the store: a new directory is first killed over, then used."""
    print(f"seed {SEED}")
    trial = Trial(tmp_path / "store", SEED)
    for _ in range(2):
        _kill_while_starting(trial, times=5)
        with ServerProcess.on(trial.data) as server:
            if not trial.lives:
                with RawClient(server.port) as client:
                    create_table(client, TABLE)
            else:
                trial.check(server.port)
            trial.kill_under_load(server)
    with ServerProcess.on(trial.data) as server:
        trial.check(server.port)


def _kill_while_starting(trial: Trial, times: int) -> None:
    for _ in range(times):
        with ServerProcess("--data", str(trial.data), log=trial.data.with_suffix(".log")):
            time.sleep(trial.random.uniform(0.05, 0.4))  # the moment is what varies


@pytest.mark.slow
def test_a_kill_of_an_idle_server_changes_nothing(tmp_path: Path) -> None:
    trial = Trial(tmp_path / "store", SEED)
    with ServerProcess.on(trial.data) as server, RawClient(server.port) as client:
        create_table(client, TABLE)
        writers = trial.new_writers()
        with running(server.port, trial.reader, *writers):
            wait_for_writes(writers, 100)
        trial.check(server.port)
        server.kill()
    for _ in range(3):
        with ServerProcess.on(trial.data) as server:
            trial.check(server.port)
            server.kill()
    assert all(write.acknowledged for write in trial.writes)


@pytest.mark.slow
def test_kills_while_the_store_moves_large_items_to_its_tables_lose_nothing(tmp_path: Path) -> None:
    """Enough bytes that RocksDB changes its log, writes tables and merges them under the load."""
    print(f"seed {SEED}")
    chance = random.Random(SEED)
    data = tmp_path / "store"
    writes: list[Write] = []
    with ServerProcess.on(data) as server, RawClient(server.port) as client:
        create_table(client, TABLE, streamed=False)
    for life in range(4):
        writers = [
            Writer(f"{life}.{n}", TABLE, KEYS, f"{chance.random()}", pad_chars_max=300_000)
            for n in range(4)
        ]
        with ServerProcess.on(data) as server, running(server.port, *writers):
            wait_for_writes(writers, chance.randint(200, 500))
            server.kill()
        writes += writes_of(writers)
        with ServerProcess.on(data) as server, RawClient(server.port) as client:
            assert lost_writes(writes, all_items(client, TABLE), [KEY], MARK) == []
    assert len(list((data / "rocksdb").glob("*.sst"))) > 1


def _report(trial: Trial) -> None:
    """Show that the kills met a server at work: else the test would prove little."""
    writes = trial.writes
    doubtful = sum(not write.acknowledged for write in writes)
    print(f"{len(writes)} writes, {doubtful} without an answer")
    assert doubtful > KILLS
    assert trial.reader.watch.records_seen > 10 * KILLS
