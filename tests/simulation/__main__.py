"""Runs seeds of the simulation: `python -m simulation [--seed N] [--seeds COUNT]`."""

import argparse
import sys
from collections.abc import Sequence

from simulation.run import STEPS, simulate

SEEDS = 300


def main(given: Sequence[str] | None = None) -> int:
    """Run one seed with its trace, or many; return the exit status."""
    parser = argparse.ArgumentParser(prog="make sim", description=__doc__)
    parser.add_argument("--seed", type=int, help="the one seed to run, with its trace")
    parser.add_argument("--seeds", type=int, default=SEEDS, help="how many seeds to run, from 0")
    parser.add_argument("--steps", type=int, default=STEPS, help="how many steps each run has")
    arguments = parser.parse_args(given)
    if arguments.seed is not None:
        return _one(arguments.seed, arguments.steps)
    return _many(arguments.seeds, arguments.steps)


def _one(seed: int, steps: int) -> int:
    outcome = simulate(seed, steps)
    print("\n".join(outcome.trace))
    print(f"digest {outcome.digest}")
    if outcome.wrong is None:
        print(f"seed {seed} passes")
        return 0
    print(f"seed {seed} fails: {outcome.wrong}")
    return 1


def _many(seeds: int, steps: int) -> int:
    for seed in range(seeds):
        outcome = simulate(seed, steps)
        if outcome.wrong is not None:
            print(f"\n{outcome.report()}")
            return 1
        if sys.stdout.isatty():
            print(f"\r{seed + 1} of {seeds} seeds pass", end="", flush=True)
        elif seed % 100 == 99 and seed + 1 < seeds:
            print(f"{seed + 1} of {seeds} seeds pass", flush=True)
    print(f"\r{seeds} of {seeds} seeds pass")
    return 0


if __name__ == "__main__":
    sys.exit(main())
