"""The seeded simulation: seeds pass, bugs put in on purpose are found, and runs replay exactly."""

import subprocess
import sys
from pathlib import Path

import pytest

from penstock.base.environment import environment
from simulation.__main__ import main
from simulation.mutants import MUTANTS, Mutant
from simulation.run import Outcome, simulate
from simulation.wrong import Checker, Wrong

CHUNK = 50
CHUNKS = 20
FOUND_WITHIN = 100
PROCESS_SECONDS_MAX = 60

_TESTS = Path(__file__).resolve().parent.parent


def _pass(seeds: range) -> None:
    for seed in seeds:
        outcome = simulate(seed)
        assert outcome.wrong is None, outcome.report()


def test_some_seeds_pass() -> None:
    """The promises hold after every step of the first runs."""
    _pass(range(CHUNK))


@pytest.mark.slow
@pytest.mark.parametrize("chunk", range(1, CHUNKS))
def test_a_thousand_seeds_pass(chunk: int) -> None:
    """The promises hold after every step of the others."""
    _pass(range(chunk * CHUNK, (chunk + 1) * CHUNK))


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.what)
def test_a_bug_is_found(mutant: Mutant) -> None:
    """Within a hundred seeds the bug is found by the checker of the promise that it breaks."""
    found: dict[Checker, int] = {}
    with mutant.patch():
        for seed in range(FOUND_WITHIN):
            wrong = simulate(seed, make_engine=mutant.make_engine).wrong
            if wrong is not None:
                found.setdefault(wrong.checker, seed)
            if mutant.checker in found:
                print(f"{mutant.what}: seed {seed}, by the checker that {mutant.checker}")
                return
    pytest.fail(f"no seed below {FOUND_WITHIN} shows it to the right checker: {found}")


@pytest.mark.parametrize("seed", [3, 17, 42])
def test_a_run_replays_exactly(seed: int) -> None:
    """The same seed gives the same trace, whatever ran before it in the same process."""
    first = simulate(seed)
    simulate(seed + 1)
    assert simulate(seed).trace == first.trace


def test_a_run_replays_exactly_in_another_process() -> None:
    """Neither the hashes of a process nor anything else of it decides what happens."""
    seeds = (5, 23)
    for number, hashes in enumerate(("1", "77")):
        seed = seeds[number]
        done = subprocess.run(
            [sys.executable, "-m", "simulation", "--seed", str(seed)],
            env={**environment(), "PYTHONHASHSEED": hashes, "PYTHONPATH": str(_TESTS)},
            capture_output=True,
            text=True,
            check=True,
            timeout=PROCESS_SECONDS_MAX,
        )
        here = simulate(seed)
        *trace, digest, last = done.stdout.splitlines()
        assert trace == here.trace
        assert (digest, last) == (f"digest {here.digest}", f"seed {seed} passes")


def test_runs_differ_by_their_seed() -> None:
    """So that many seeds are many runs."""
    assert len({simulate(seed, steps=20).digest for seed in range(20)}) == 20


def test_a_failure_tells_how_to_have_it_again() -> None:
    """Seed, step, what is wrong, the end of the trace, and the command."""
    trace = [f"{step:4} {step * 10:10} something happens" for step in range(90)]
    report = Outcome(7, 150, trace, Wrong(Checker.FOLD, "the item a is lost")).report()
    assert "seed 7 fails at step 89" in report
    assert "the item a is lost\n(the promise: folding the stream gives the table)" in report
    assert trace[60] in report
    assert trace[59] not in report
    assert report.endswith("to replay it: make sim SEED=7")
    short = Outcome(7, 20, trace, Wrong(Checker.FOLD, "lost")).report()
    assert short.endswith('to replay it: make sim SEED=7 ARGS="--steps 20"')


def test_the_command_says_whether_all_passed(capsys: pytest.CaptureFixture[str]) -> None:
    """Status 0 and a count, or 1 and the report of the first seed that fails."""
    assert main(["--seeds", "3"]) == 0
    assert capsys.readouterr().out.endswith("3 of 3 seeds pass\n")
    with MUTANTS[1].patch():
        assert main(["--seeds", "100"]) == 1
        assert "to replay it: make sim SEED=" in capsys.readouterr().out
        assert main(["--seed", "0"]) == 1
        assert "seed 0 fails" in capsys.readouterr().out
