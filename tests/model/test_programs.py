"""Random programs of all ways to write, on every engine, compared with a model in plain Python."""

import itertools
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.bench import InProcess
from model.choices import Drawn, Seeded
from model.programs import TABLES, step, table_spec
from model.run import Run
from model.steps import Program, Step, TableSpec
from penstock.base.environment import environment

PROGRAMS = int(environment().get("PENSTOCK_MODEL_PROGRAMS", "40"))
"""How many programs a test runs; an hour of it is a matter of this variable."""
STEPS = 30

_names = (f"model-{number}" for number in itertools.count())


@st.composite
def _specs(draw: st.DrawFn) -> TableSpec:
    return table_spec(Drawn(draw))


@st.composite
def _steps(draw: st.DrawFn) -> Step:
    return step(Drawn(draw))


programs = st.builds(
    Program,
    st.tuples(*[_specs()] * TABLES),
    st.lists(_steps(), max_size=STEPS).map(tuple),
)


@pytest.fixture(scope="module", params=["memory", "rocksdb"])
def bench(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[InProcess]:
    """A server's operations over each engine."""
    data = tmp_path_factory.mktemp("model") / "store" if request.param == "rocksdb" else None
    made = InProcess(data)
    yield made
    made.close()


@given(program=programs)
@settings(max_examples=PROGRAMS)
def test_a_server_is_what_the_model_is(bench: InProcess, program: Program) -> None:
    """After any program items, indexes and streams are the model's, and so was every answer."""
    Run(bench, next(_names), TABLES).program(program)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2))
def test_a_long_program(bench: InProcess, seed: int) -> None:
    """The same holds for programs far longer than what Hypothesis makes."""
    choices = Seeded(seed)
    tables = tuple(table_spec(choices) for _ in range(TABLES))
    steps = tuple(step(choices) for _ in range(10 * PROGRAMS))
    Run(bench, next(_names), TABLES).program(Program(tables, steps))
