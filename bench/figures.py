"""The figures that Penstock is to reach: a line for each number that is asked for."""

import statistics
from dataclasses import dataclass
from enum import StrEnum

from bench.disk import IN_MEMORY_TOLD
from bench.outcome import Outcome
from bench.register import QUANTITIES
from bench.servers import FLOOR, LOCAL_DISK, LOCAL_MEMORY, PENSTOCK, POSTGRES
from bench.stream_measurements import PACE_MIN, RATE
from bench.work import BATCH_ITEMS

Source = tuple[str, str]
"""A server and a quantity."""


class Verdict(StrEnum):
    """What is to be said of a figure."""

    HOLDS = "holds"
    FAILS = "does not hold"
    UNKNOWN = "not measured"


@dataclass(frozen=True)
class Figure:
    """A median times `factor`, or the ratio of two, and what it has to be.

    Where both of a ratio are taken close together (`is_paired`), each round has a ratio of its own,
    and what counts is their median: so it matters less that the machine changes its pace.
    """

    title: str
    target: float
    top: Source
    bottom: Source | None = None
    factor: float = 1.0
    at_most: bool = False
    unit: str = ""
    digits: int = 2
    is_paired: bool = False
    pace: Source | None = None
    """The writes/s that were reached meanwhile: with less than PACE_MIN it does not hold."""

    def rounds(self, outcome: Outcome) -> list[float]:
        """Return what each round came to."""
        if self._lacks_disk(outcome):
            return []
        if self.bottom is None:
            found = outcome.values.get(self.top[0], {}).get(self.top[1], [])
        else:
            found = outcome.round_ratios(self.top, self.bottom)
        return [each * self.factor for each in found]

    def value(self, outcome: Outcome) -> float | None:
        """Return what was measured, None where something is missing."""
        if self._lacks_disk(outcome):
            return None
        if self.is_paired:
            rounds = self.rounds(outcome)
            return statistics.median(rounds) if rounds else None
        if self.bottom is None:
            found = outcome.median(*self.top)
        else:
            found = outcome.ratio(self.top, self.bottom)
        return None if found is None else found * self.factor

    def verdict(self, outcome: Outcome) -> Verdict:
        """Say whether it holds."""
        value = self.value(outcome)
        if value is None:
            return Verdict.UNKNOWN
        if self._missed_pace(outcome) is not None:
            return Verdict.FAILS
        holds = value <= self.target if self.at_most else value >= self.target
        return Verdict.HOLDS if holds else Verdict.FAILS

    def why(self, outcome: Outcome) -> str:
        """Return why it is not measured, or does not hold for another reason; else nothing."""
        if self._lacks_disk(outcome):
            return IN_MEMORY_TOLD
        for source in (self.top, self.bottom):
            if source is not None and outcome.median(*source) is None:
                return outcome.why(*source)
        missed = self._missed_pace(outcome)
        return "" if missed is None else f"it took {missed:,.0f} of {RATE:,} writes/s"

    def told(self, outcome: Outcome) -> str:
        """Return what was measured as it is shown; empty where that is nothing."""
        value, missed = self.value(outcome), self._missed_pace(outcome)
        if value is None:
            return ""
        at = f" at {missed:,.0f} writes/s" if missed is not None else ""
        return f"{self._number(value)}{self._unit()}{at}"

    def told_rounds(self, outcome: Outcome) -> str:
        """Return the lowest and the highest round as they are shown; empty where is but one."""
        rounds = self.rounds(outcome)
        if len(rounds) < 2:
            return ""
        return f"{self._number(min(rounds))}–{self._number(max(rounds))}"

    def told_target(self, *, with_unit: bool = True) -> str:
        """Return the target as it is shown."""
        sign = "≤" if self.at_most else "≥"
        return f"{sign} {self._number(self.target)}{self._unit() if with_unit else ''}"

    def _number(self, value: float) -> str:
        return f"{round(value, self.digits) + 0.0:,.{self.digits}f}"  # no -0.00

    def _unit(self) -> str:
        return f" {self.unit}" if self.unit else ""

    def _lacks_disk(self, outcome: Outcome) -> bool:
        return outcome.is_in_memory and QUANTITIES[self.top[1]].is_durable

    def _missed_pace(self, outcome: Outcome) -> float | None:
        """Return the pace of the slowest round where that is too slow."""
        if self.pace is None:
            return None
        rounds = outcome.values.get(self.pace[0], {}).get(self.pace[1], [])
        slowest = min(rounds, default=PACE_MIN)
        return slowest if slowest < PACE_MIN else None


def _own(quantity: str) -> Source:
    return PENSTOCK, quantity


FIGURES = (
    Figure(
        "durable PutItem with stream ÷ DynamoDB Local on disk",
        25, _own("put"), (LOCAL_DISK, "put"), digits=1,
    ),
    Figure(
        "durable PutItem with stream ÷ DynamoDB Local in memory",
        8, _own("put"), (LOCAL_MEMORY, "put"), digits=1,
    ),
    Figure(
        "PutItem with stream ÷ without stream", 0.95, _own("put"), _own("put-plain"),
        is_paired=True,
    ),
    Figure("GetItem ÷ DynamoDB Local in memory", 3, _own("get"), (LOCAL_MEMORY, "get"), digits=1),
    Figure(
        "BatchWriteItem, items ÷ its own PutItem",
        2.5, _own("batch"), _own("put"), BATCH_ITEMS, is_paired=True,
    ),
    Figure(
        "BatchWriteItem, items ÷ DynamoDB Local in memory",
        10, _own("batch"), (LOCAL_MEMORY, "batch"), digits=1,
    ),
    Figure(
        "draining a stream ÷ DynamoDB Local", 6, _own("drain-1"), (LOCAL_MEMORY, "drain-1"),
        digits=1,
    ),
    Figure("draining a stream", 150_000, _own("drain-1"), unit="records/s", digits=0),
    Figure(
        "acknowledged write to receipt, median", 1, _own("receipt-median"), at_most=True,
        unit="ms", pace=_own("receipt-pace"),
    ),
    Figure(
        "acknowledged write to receipt, 99th percentile", 8, _own("receipt-p99"), at_most=True,
        unit="ms", pace=_own("receipt-pace"),
    ),
    Figure(
        "acknowledged write to the handler's first line, median", 10, _own("first-line-median"),
        at_most=True, unit="ms",
    ),
    Figure(
        "one Python function over 4 shards, batches of 1,000", 20_000, _own("function-records"),
        unit="records/s", digits=0,
    ),
    Figure(
        "PutItem at 10,000,000 items ÷ at 100,000", 0.7,
        (f"{PENSTOCK}-10000000", "put-at-10000000"), (f"{PENSTOCK}-100000", "put-at-100000"),
        is_paired=True,
    ),
    Figure(
        "share of the bare HTTP floor, GetItem", 0.5, _own("get"), (FLOOR, "get"), is_paired=True
    ),
    Figure(
        "share of the bare HTTP floor, PutItem", 0.3, _own("put"), (FLOOR, "put"), is_paired=True
    ),
    Figure(
        "durable PutItem with stream over PostgreSQL, one node", 4_000, (POSTGRES, "put"),
        unit="requests/s", digits=0,
    ),
    Figure(
        "PutItem with stream over PostgreSQL, two nodes ÷ one", 1, (POSTGRES, "put-two-nodes"),
        (POSTGRES, "put"), is_paired=True,
    ),
    Figure("start to healthy", 0.6, _own("start"), at_most=True, unit="s"),
    Figure("idle memory", 90, _own("idle-memory"), at_most=True, unit="MB", digits=0),
)  # fmt: skip

QUICK_FIGURES = FIGURES[:5]


def figures_of(kind: str) -> tuple[Figure, ...]:
    """Return the figures that a kind of run is about."""
    return QUICK_FIGURES if kind == "quick" else FIGURES
