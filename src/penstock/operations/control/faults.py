"""Faults: what goes wrong with GetRecords because a test asked for it.

A fault is for the reads that match it, by table, shard and consumer. Of several, in the order of
their making, the first that matches and fires has its way, and only its hit is counted. One that
would change nothing does not fire: `fewer` and `repeat` wait for a page that they make a difference
to. A fault with a probability draws once for each read that matches it, from a seed of its own, so
that the same reads in the same order have the same faults.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, get_args

from penstock.base import limits
from penstock.base.errors import control
from penstock.base.ids import Entropy

Kind = Literal["throttle", "fewer", "expired", "trimmed", "repeat"]
KINDS: tuple[Kind, ...] = get_args(Kind)

OBSERVER = "penstock-capture"
"""The consumer that only looks for a test: no reader, and only faults that name it are for it."""

_DRAW_BITS = 53  # as many as a float holds


class Read(NamedTuple):
    """A call of GetRecords: of what, by whom, and how many records it would be answered with.

    One that is held is looked at twice. When it has `waited`, only what changes its records is left
    to go wrong: all else had its chance when the call came.
    """

    region: str
    table_name: str
    shard_id: str
    consumer: str
    records: int
    waited: bool = False


@dataclass(frozen=True, slots=True)
class Terms:
    """What a fault does to which reads; None where that is left open.

    Either `calls` or `probability` is given: it fires for as many reads, or for each with that
    probability, and for no more than `calls` where both are. `records` is the most that `fewer`
    lets through.
    """

    kind: Kind
    region: str | None = None
    table_name: str | None = None
    shard_id: str | None = None
    consumer: str | None = None
    calls: int | None = None
    probability: float | None = None
    seed: int | None = None
    records: int = 0

    def match(self, read: Read) -> bool:
        """Say whether these are the reads that are meant, and this one would be changed."""
        named = (self.region, self.table_name, self.shard_id, self.consumer)
        if any(mine not in (None, its) for mine, its in zip(named, read[:4], strict=True)):
            return False
        if self.consumer is None and read.consumer == OBSERVER:
            return False
        if self.kind == "fewer":
            return read.records > self.records
        if self.kind == "repeat":
            return read.records > 0
        return not read.waited


@dataclass(slots=True)
class Fault:
    """A fault that was made, and how often it has fired."""

    id: str
    terms: Terms
    hits: int = 0
    _entropy: Entropy = field(init=False)

    def __post_init__(self) -> None:
        self._entropy = Entropy(self.terms.seed or 0)

    @property
    def is_spent(self) -> bool:
        """Whether it has fired as often as it may."""
        return self.terms.calls is not None and self.hits >= self.terms.calls

    def fires(self, read: Read) -> bool:
        """Say whether it fires for `read`, and count that."""
        if self.is_spent or not self.terms.match(read):
            return False
        probability = self.terms.probability
        if probability is not None:
            drawn = self._entropy.bits(_DRAW_BITS)
            if drawn >= probability * (1 << _DRAW_BITS):
                return False
        self.hits += 1
        return True

    def shown(self) -> dict[str, Any]:
        """Return what was asked for, as it was, and the hits."""
        terms = self.terms
        asked: Mapping[str, Any] = {
            "Region": terms.region,
            "TableName": terms.table_name,
            "ShardId": terms.shard_id,
            "Consumer": terms.consumer,
            "Calls": terms.calls,
            "Probability": terms.probability,
            "Seed": terms.seed,
            "Records": terms.records if terms.kind == "fewer" else None,
        }
        given = {name: value for name, value in asked.items() if value is not None}
        return {"FaultId": self.id, "Kind": terms.kind, **given, "Hits": self.hits}


class Faults:
    """The faults of one server, in the order of their making."""

    def __init__(self) -> None:
        self._faults: dict[str, Fault] = {}
        self._made = 0

    def put(self, terms: Terms) -> str:
        """Make a fault and return its id.

        Where there are too many, the oldest that is spent gives way; LimitExceededException where
        none is.
        """
        if len(self._faults) >= limits.faults_max:
            spent = next((fault.id for fault in self._faults.values() if fault.is_spent), None)
            if spent is None:
                raise control.too_many_faults(limits.faults_max)
            del self._faults[spent]
        self._made += 1
        fault = Fault(f"fault-{self._made}", terms)
        self._faults[fault.id] = fault
        return fault.id

    def fired(self, read: Read) -> Terms | None:
        """Return what goes wrong with `read`, or None."""
        for fault in self._faults.values():
            if fault.fires(read):
                return fault.terms
        return None

    def clear(self, fault_id: str | None = None) -> None:
        """Take back the fault of that id, or all; ResourceNotFoundException for an unknown id."""
        if fault_id is None:
            self._faults.clear()
        elif self._faults.pop(fault_id, None) is None:
            raise control.fault_not_found(fault_id)

    def shown(self) -> list[dict[str, Any]]:
        """Return the faults as the actions tell of them, those that are spent among them."""
        return [fault.shown() for fault in self._faults.values()]
