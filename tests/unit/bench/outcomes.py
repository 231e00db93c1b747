"""Runs for the tests of the benchmark, made up where only their arithmetic is looked at."""

import argparse
from typing import Any

from bench.outcome import Outcome
from bench.plan import Plan, add_arguments, plan_of
from bench.results import Stored, stored
from bench.servers import ENGINE, FLOOR, LOCAL_DISK, LOCAL_MEMORY, PENSTOCK


def plan(*arguments: str) -> Plan:
    """Return the plan of a command line."""
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    return plan_of(parser.parse_args(arguments))


def whole_run() -> Outcome:
    """Return a run in which both kinds of DynamoDB Local were there."""
    outcome = Outcome()
    medians: dict[str, dict[str, Any]] = {
        PENSTOCK: {"put": 9000, "put-plain": 9000, "get": 15000, "batch": 900, "drain-1": 160000},
        LOCAL_DISK: {"put": 300},
        LOCAL_MEMORY: {"put": 1000, "get": 3000, "batch": 100, "drain-1": 20000},
        FLOOR: {"put": 36000, "get": 37500},
        ENGINE: {"commits": 30000},
    }
    for server, quantities in medians.items():
        for quantity, median in quantities.items():
            for value in (median * 0.5, median, median * 3):  # the middle one, not the mean
                outcome.add(server, quantity, value)
    outcome.add(PENSTOCK, "idle-memory", 89)
    outcome.add(PENSTOCK, "start", 0.7)
    outcome.absent["dynalite-memory"] = "node is not on this machine: install it"
    return outcome


def stored_run(outcome: Outcome | None = None, *arguments: str) -> Stored:
    """Return that run as it is stored."""
    versions = {PENSTOCK: "0.1.0", LOCAL_DISK: "2.0", LOCAL_MEMORY: "2.0"}
    kept = stored(plan(*arguments), outcome or whole_run(), 2, versions)
    kept["machine"]["file_system"] = "ext4"  # whatever this machine has
    return kept
