"""The figures that Penstock is to reach: issue 5's table, a line for each number in it."""

from dataclasses import dataclass
from enum import StrEnum

from bench.disk import IN_MEMORY_TOLD
from bench.outcome import Outcome
from bench.register import QUANTITIES
from bench.servers import FLOOR, LOCAL_DISK, LOCAL_MEMORY, PENSTOCK
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
    """A median times `factor`, or the ratio of two, and what it has to be."""

    title: str
    target: float
    top: Source
    bottom: Source | None = None
    factor: float = 1.0
    at_most: bool = False
    unit: str = ""
    digits: int = 2

    def value(self, outcome: Outcome) -> float | None:
        """Return what was measured, None where something is missing."""
        if self._lacks_disk(outcome):
            return None
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
        holds = value <= self.target if self.at_most else value >= self.target
        return Verdict.HOLDS if holds else Verdict.FAILS

    def why(self, outcome: Outcome) -> str:
        """Return why it is not measured; empty where it is."""
        if self._lacks_disk(outcome):
            return IN_MEMORY_TOLD
        for source in (self.top, self.bottom):
            if source is not None and outcome.median(*source) is None:
                return outcome.why(*source)
        return ""

    def told(self, value: float) -> str:
        """Return a value or a target as it is shown."""
        text = f"{value:,.{self.digits}f}"
        return f"{text} {self.unit}" if self.unit else text

    def told_target(self) -> str:
        """Return the target as it is shown."""
        return f"{'≤' if self.at_most else '≥'} {self.told(self.target)}"

    def _lacks_disk(self, outcome: Outcome) -> bool:
        return outcome.is_in_memory and QUANTITIES[self.top[1]].is_durable


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
    Figure("PutItem with stream ÷ without stream", 0.95, _own("put"), _own("put-plain")),
    Figure("GetItem ÷ DynamoDB Local in memory", 3, _own("get"), (LOCAL_MEMORY, "get"), digits=1),
    Figure(
        "BatchWriteItem, items ÷ its own PutItem",
        2.5, _own("batch"), _own("put"), BATCH_ITEMS,
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
        unit="ms",
    ),
    Figure(
        "acknowledged write to receipt, 99th percentile", 8, _own("receipt-p99"), at_most=True,
        unit="ms",
    ),
    Figure(
        "PutItem at 10,000,000 items ÷ at 100,000", 0.7,
        (f"{PENSTOCK}-10000000", "put-at-10000000"), (f"{PENSTOCK}-100000", "put-at-100000"),
    ),
    Figure("share of the bare HTTP floor, GetItem", 0.5, _own("get"), (FLOOR, "get")),
    Figure("share of the bare HTTP floor, PutItem", 0.3, _own("put"), (FLOOR, "put")),
    Figure("start to healthy", 0.6, _own("start"), at_most=True, unit="s"),
    Figure("idle memory", 90, _own("idle-memory"), at_most=True, unit="MB", digits=0),
)  # fmt: skip

QUICK_FIGURES = FIGURES[:5]


def figures_of(kind: str) -> tuple[Figure, ...]:
    """Return the figures that a kind of run is about."""
    return QUICK_FIGURES if kind == "quick" else FIGURES
