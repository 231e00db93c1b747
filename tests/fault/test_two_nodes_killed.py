"""Two nodes over PostgreSQL under load, of which one is killed with `kill -9` again and again.

Seeded: the seed is printed, and `PENSTOCK_SEED` sets it. What threads and machine do stays chance.
"""

import os
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from fault.load import StreamReader, Worker, Writer, running
from fault.nodes import Moving, Nodes, Witness, let_write, seen_and_done
from fault.observer import create_table
from fault.promises import check_promises, writes_of
from fault.raw_client import RawClient
from penstock.testing.checkers import Write
from postgres.schemas import Schemas
from postgres.server import PostgresServer

SEED = int(os.environ.get("PENSTOCK_SEED", "20261001"))
KILLS = 10
WRITERS = 64
WRITES_TO_A_KILL = (100, 400)
WRITES_OF_ONE_NODE = 60
KEYS = [f"item-{number}" for number in range(10)]
TABLE = "fault"


@pytest.fixture
def nodes(tmp_path: Path) -> Iterator[Nodes]:
    """No node yet, over a store in a PostgreSQL that loses nothing."""
    with (
        PostgresServer() as server,
        Schemas(server.url) as schemas,
        Nodes(schemas.new_url(), tmp_path) as made,
    ):
        yield made


@pytest.mark.slow
def test_kills_of_one_of_two_nodes_lose_repeat_and_reorder_nothing(nodes: Nodes) -> None:
    """64 writers on the same items; who loses a node goes on at the other one."""
    print(f"seed {SEED}, {KILLS} kills")
    chance = random.Random(SEED)
    nodes.start("a")
    nodes.start("b")
    with RawClient(nodes.port("a")) as client:
        create_table(client, TABLE)
    writers = [
        Writer(f"w{n}", TABLE, KEYS, f"{chance.random()}", tolerant=True) for n in range(WRITERS)
    ]
    readers = [StreamReader(TABLE), StreamReader(TABLE)]
    witnesses = [Witness(f"{n}", TABLE, nodes) for n in range(2)]
    workers: list[Worker] = [
        Moving(worker, nodes, n) for n, worker in enumerate([*writers, *readers])
    ]
    with running(0, *workers, *witnesses):
        for _ in range(KILLS):
            let_write(writers, chance.randint(*WRITES_TO_A_KILL))
            nodes.kill("a")
            let_write(writers, WRITES_OF_ONE_NODE)  # the other one goes on meanwhile
            nodes.start("a")
        let_write(writers, WRITES_TO_A_KILL[0])
    writes = writes_of(writers) + seen_and_done(witnesses)
    for name in ("a", "b"):
        check_promises(nodes.port(name), TABLE, writes, *readers)
    _report(writes, readers)


def _report(writes: list[Write], readers: list[StreamReader]) -> None:
    """Show that the kills met nodes at work: else the test would prove little."""
    doubtful = sum(not write.acknowledged for write in writes)
    print(f"{len(writes)} writes, {doubtful} of them in doubt")
    assert doubtful > KILLS
    assert all(reader.watch.records_seen > 10 * KILLS for reader in readers)
