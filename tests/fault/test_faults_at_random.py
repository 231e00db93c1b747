"""Every fault of a cluster in random order, also two at once, under load: all promises are kept.

Seeded: the seed is printed, and `PENSTOCK_SEED` sets it. `PENSTOCK_FAULTS` sets how many there are,
for a longer soak. What threads and machine do stays chance.
"""

import os
import random
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fault.cluster_load import ClusterLoad
from fault.cut_proxy import CutProxy, Strike
from fault.nodes import Nodes, with_parameters
from penstock.app.control_client import ControlClient, ControlError
from penstock.base import limits
from postgres.schemas import Schemas
from postgres.server import PostgresServer

SEED = int(os.environ.get("PENSTOCK_SEED", "20261001"))
FAULTS = int(os.environ.get("PENSTOCK_FAULTS", "24"))
WRITERS = 24
WRITES_BETWEEN = (10, 80)
CLOCK_STEP_S = (-20, 20)
PAUSE_S = (0.2, 2.0)
STOP_S = (0.2, limits.postgres_idle_seconds_max + 1.0)
GOES_ON_SECONDS_MAX = limits.postgres_transaction_seconds_max + 10.0
END_SESSIONS = (
    "SELECT count(pg_terminate_backend(pid))::int FROM pg_stat_activity WHERE application_name = %s"
)


class Faults:
    """What can go wrong with three nodes, one of which goes to its database by a proxy."""

    def __init__(
        self, server: PostgresServer, proxy: CutProxy, nodes: Nodes, chance: random.Random
    ) -> None:
        self._server = server
        self._proxy = proxy
        self._nodes = nodes
        self._random = chance
        by_proxy = nodes.url.replace(f":{server.port}/", f":{proxy.port}/")
        self._urls = {"a": nodes.url, "b": nodes.url, "p": with_parameters(by_proxy, **PLAIN)}
        for name, url in self._urls.items():
            nodes.start(name, url)
        self.kinds: list[Callable[[], None]] = [
            self._kill,
            self._kill,
            self._stop,
            self._cut,
            self._strike,
            self._strike,
            self._restart,
            self._crash,
            self._pause,
            self._end_sessions,
            self._step_clock,
        ]

    def befall(self) -> str:
        """Let one fault befall the cluster; return which."""
        kind = self._random.choice(self.kinds)
        kind()
        return kind.__name__

    def _kill(self) -> None:
        name = self._any_node()
        self._nodes.kill(name)
        self._nodes.start(name, self._urls[name])

    def _stop(self) -> None:
        server = self._nodes.running[self._any_node()]
        server.send_signal(signal.SIGSTOP)
        time.sleep(self._random.uniform(*STOP_S))  # the stop is the subject
        server.send_signal(signal.SIGCONT)

    def _cut(self) -> None:
        self._proxy.cut()

    def _strike(self) -> None:
        self._proxy.strike(self._random.choice([Strike.BEFORE, Strike.AFTER]))

    def _restart(self) -> None:
        self._server.restart()

    def _crash(self) -> None:
        self._server.kill()
        self._server.start()

    def _pause(self) -> None:
        self._server.pause()
        time.sleep(self._random.uniform(*PAUSE_S))  # the pause is the subject
        self._server.resume()

    def _end_sessions(self) -> None:
        self._server.sql(END_SESSIONS, self._any_node())

    def _step_clock(self) -> None:
        control = ControlClient(f"http://127.0.0.1:{self._nodes.port(self._any_node())}")
        try:
            control.set_clock(int((time.time() + self._random.uniform(*CLOCK_STEP_S)) * 1000))
        except ControlError:
            return  # its jobs could not use the store, after the fault before

    def _any_node(self) -> str:
        return self._random.choice(list(self._nodes.running))


PLAIN = {"sslmode": "disable", "gssencmode": "disable"}


@pytest.fixture
def faults(tmp_path: Path) -> Iterator[tuple[Faults, ClusterLoad]]:
    """Three nodes over a PostgreSQL, and their load."""
    with (
        PostgresServer() as server,
        Schemas(server.url) as schemas,
        CutProxy(server.port) as proxy,
        Nodes(schemas.new_url(), tmp_path, "--test-controls", "on") as nodes,
    ):
        made = Faults(server, proxy, nodes, random.Random(SEED))
        yield made, ClusterLoad(nodes, writers=WRITERS, seed=f"{SEED}")


@pytest.mark.slow
@pytest.mark.timeout(120 + 15 * FAULTS)
def test_faults_in_random_order_break_no_promise(faults: tuple[Faults, ClusterLoad]) -> None:
    print(f"seed {SEED}, {FAULTS} faults")
    made, load = faults
    chance = random.Random(SEED)
    with load.running():
        for _ in range(FAULTS):
            load.let_write(chance.randint(*WRITES_BETWEEN), GOES_ON_SECONDS_MAX)
            print(made.befall(), f"after {load.doubtful} writes without a success")
        load.let_write(WRITES_BETWEEN[1], GOES_ON_SECONDS_MAX)
    writes = load.check()
    print(f"{len(writes)} writes, {load.doubtful} of them in doubt")
    assert load.doubtful > 0
