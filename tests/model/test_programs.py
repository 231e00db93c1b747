"""Random programs of all ways to write, on every engine, compared with a model in plain Python."""

import itertools
from collections.abc import Callable, Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from model.bench import ByClient, InProcess
from model.choices import Drawn, Seeded
from model.programs import TABLES, step, table_spec
from model.run import Run
from model.steps import Program, Step, TableSpec
from penstock.base.environment import environment
from penstock.base.ids import Entropy
from penstock.storage.memory import MemoryEngine
from penstock.storage.postgres import PostgresEngine
from penstock.storage.rocksdb import RocksEngine
from penstock.testing.clock import FakeClock
from penstock.testing.server import RunningServer
from slow_snapshots import SlowSnapshots
from wire.clients import connect

_ASKED = environment().get("PENSTOCK_MODEL_PROGRAMS")
PROGRAMS = int(_ASKED or "40")
"""How many programs Hypothesis makes; more of them are asked for by this variable."""
# Each takes several times as long: a change of a table waits until no node shows the old one.
CLUSTER_PROGRAMS = max(2, PROGRAMS // 4)
WIRE_PROGRAM_STEPS = 40
SHRINKING_SECONDS_MAX = 600  # Hypothesis looks for a shorter program that fails for five minutes
LONG_PROGRAMS = max(2, PROGRAMS // 100)
LONG_PROGRAM_STEPS = 500

_names = (f"model-{number}" for number in itertools.count())


@st.composite
def _specs(draw: st.DrawFn) -> TableSpec:
    return table_spec(Drawn(draw))


@st.composite
def _steps(draw: st.DrawFn) -> Step:
    return step(Drawn(draw))


@st.composite
def _programs(draw: st.DrawFn) -> Program:
    tables = tuple(draw(_specs()) for _ in range(TABLES))
    # Lists of lists: a list of Hypothesis has few elements, whatever its greatest length.
    bursts = draw(st.lists(st.lists(_steps(), min_size=2, max_size=8), min_size=2, max_size=8))
    return Program(tables, tuple(itertools.chain.from_iterable(bursts)))


@pytest.fixture(scope="module", params=["memory", "rocksdb"])
def bench(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[InProcess]:
    """A server's operations over each engine that one process has for itself."""
    if request.param == "memory":
        made = InProcess(lambda clock: MemoryEngine(clock, rehearse=True), is_durable=False)
    else:
        data = tmp_path_factory.mktemp("model") / "store"
        made = InProcess(lambda clock: RocksEngine.open(data, clock), is_durable=True)
    yield made
    made.close()


@pytest.fixture(scope="module", params=[1, 2], ids=["one node", "two nodes"])
def cluster(
    request: pytest.FixtureRequest, url_of_new_schema: Callable[[], str]
) -> Iterator[InProcess]:
    """The operations of nodes over PostgreSQL, which get the requests in turn."""
    store = url_of_new_schema()
    made = InProcess(
        lambda clock: PostgresEngine.open(store, clock, Entropy()),
        is_durable=True,
        nodes=request.param,
    )
    yield made
    made.close()


# The same programs at every run, so that a failure is of the change at hand; others where more are
# asked for. Shrinking what differs takes many runs, which is no concern of health.
@pytest.mark.timeout(SHRINKING_SECONDS_MAX)
@given(program=_programs())
@settings(
    max_examples=PROGRAMS,
    derandomize=_ASKED is None,
    suppress_health_check=[HealthCheck.too_slow],
)
def test_a_server_is_what_the_model_is(bench: InProcess, program: Program) -> None:
    """After any program items, indexes and streams are the model's, and so was every answer."""
    Run(bench, next(_names), TABLES).program(program)


@pytest.mark.slow
@pytest.mark.timeout(SHRINKING_SECONDS_MAX)
@given(program=_programs())
@settings(
    max_examples=CLUSTER_PROGRAMS,
    derandomize=_ASKED is None,
    suppress_health_check=[HealthCheck.too_slow],
)
def test_nodes_are_what_the_model_is(cluster: InProcess, program: Program) -> None:
    """The same holds where nodes share a database, whichever of them is asked."""
    Run(cluster, next(_names), TABLES).program(program)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(LONG_PROGRAMS))
def test_a_long_program(bench: InProcess, seed: int) -> None:
    """The same holds for programs far longer than what Hypothesis makes."""
    _run_seeded(bench, seed, LONG_PROGRAM_STEPS)


@pytest.mark.slow
def test_a_long_program_on_nodes(cluster: InProcess) -> None:
    """And of nodes."""
    _run_seeded(cluster, 0, LONG_PROGRAM_STEPS // 2)


def _run_seeded(bench: InProcess | ByClient, seed: int, steps: int) -> None:
    choices = Seeded(seed)
    tables = tuple(table_spec(choices) for _ in range(TABLES))
    chosen = tuple(step(choices) for _ in range(steps))
    Run(bench, next(_names), TABLES).program(Program(tables, chosen))


@pytest.mark.parametrize("engine", [None, SlowSnapshots], ids=["memory", "slow snapshots"])
def test_a_server_is_what_the_model_is_over_the_wire(engine: type[SlowSnapshots] | None) -> None:
    """The same holds for what boto3 sees of a server, its jobs beside the requests.

    Also where others run while a snapshot waits, and so in fibers.
    """
    clock = FakeClock()
    with RunningServer(
        engine, clock=clock, ttl_interval_seconds=86_400, lsi_stream_rule="aws"
    ) as server:
        ddb, streams = (connect(server.url, name) for name in ("dynamodb", "dynamodbstreams"))
        bench = ByClient(server, clock, ddb, streams)
        for seed in range(8):
            _run_seeded(bench, seed, WIRE_PROGRAM_STEPS)
