"""Random programs of all ways to write, on every engine, compared with a model in plain Python."""

import itertools
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from model.bench import ByClient, InProcess
from model.choices import Drawn, Seeded
from model.programs import TABLES, step, table_spec
from model.run import Run
from model.steps import Program, Step, TableSpec
from penstock.base.environment import environment
from penstock.testing.clock import FakeClock
from penstock.testing.server import RunningServer
from slow_snapshots import SlowSnapshots
from wire.clients import connect

_ASKED = environment().get("PENSTOCK_MODEL_PROGRAMS")
PROGRAMS = int(_ASKED or "40")
"""How many programs Hypothesis makes; more of them are asked for by this variable."""
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
    """A server's operations over each engine."""
    data = tmp_path_factory.mktemp("model") / "store" if request.param == "rocksdb" else None
    made = InProcess(data)
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
@pytest.mark.parametrize("seed", range(LONG_PROGRAMS))
def test_a_long_program(bench: InProcess, seed: int) -> None:
    """The same holds for programs far longer than what Hypothesis makes."""
    _run_seeded(bench, seed, LONG_PROGRAM_STEPS)


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
