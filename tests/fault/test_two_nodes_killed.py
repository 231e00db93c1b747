"""Two nodes over PostgreSQL under load, which are killed with `kill -9`, or stopped in good order.

Seeded: the seed is printed, and `PENSTOCK_SEED` sets it. What threads and machine do stays chance.
"""

import os
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from fault.cluster_load import ClusterLoad
from fault.nodes import Nodes
from postgres.schemas import Schemas
from postgres.server import PostgresServer

SEED = int(os.environ.get("PENSTOCK_SEED", "20261001"))
KILLS = 10
WRITERS = 64
WRITES_TO_A_KILL = (100, 400)
WRITES_OF_ONE_NODE = 60
RESTARTS = 6


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    """A PostgreSQL that loses nothing."""
    with PostgresServer() as made:
        yield made


@pytest.fixture
def nodes(server: PostgresServer, tmp_path: Path) -> Iterator[Nodes]:
    """No node yet, over a store in it."""
    with (
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
    load = ClusterLoad(nodes, writers=WRITERS, seed=f"{SEED}")
    with load.running():
        for _ in range(KILLS):
            load.let_write(chance.randint(*WRITES_TO_A_KILL))
            nodes.kill("a")
            load.let_write(WRITES_OF_ONE_NODE)  # the other one goes on meanwhile
            nodes.start("a")
        load.let_write(WRITES_TO_A_KILL[0])
    writes = load.check()
    # The kills met nodes at work: else the test would prove little.
    print(f"{len(writes)} writes, {load.doubtful} of them in doubt")
    assert load.doubtful > KILLS
    assert all(reader.watch.records_seen > 10 * KILLS for reader in load.readers)


@pytest.mark.slow
def test_nodes_that_are_restarted_one_at_a_time_lose_nothing(
    server: PostgresServer, nodes: Nodes
) -> None:
    """They end in good order under load, and say that they are gone."""
    schema = nodes.url.rpartition("search_path%3D")[2]
    nodes.start("a")
    nodes.start("b")
    load = ClusterLoad(nodes)
    with load.running():
        for turn in range(RESTARTS):
            load.let_write(50)
            name = "ab"[turn % 2]
            stopped = nodes.running.pop(name)
            stopped.stop()
            there = f"SELECT count(*)::int FROM {schema}.penstock_node WHERE until > now()"
            assert server.sql(there) == [(1,)]
            load.let_write(WRITES_OF_ONE_NODE)
            nodes.start(name)
        load.let_write(50)
    load.check()
