"""Whether the stream kept its promises: what was written checked against what was received, purely.

Promises: every acknowledged write has its record, once, in per-item order; each old image is the
item as the records before left it; folding all records gives the table.
"""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from penstock.app.demo_plan import VERSION, Event, Item, Key, item_key
from penstock.items.folding import Change, differing, fold

Identity = tuple[Key, int, Event]


@dataclass(frozen=True, slots=True)
class Write:
    """One acknowledged write: what identifies it, and when it was begun and acknowledged."""

    key: Key
    version: int
    event: Event
    started_ms: float
    acknowledged_ms: float

    @property
    def identity(self) -> Identity:
        """What a write has in common with its record and with no other."""
        return self.key, self.version, self.event


@dataclass(frozen=True, slots=True)
class Receipt:
    """One stream record as it was received."""

    key: Key
    event: Event
    old: Item | None
    new: Item | None
    received_ms: float

    @property
    def identity(self) -> Identity:
        """The same as of the write that caused it; a removal is the version after its old image."""
        if self.new is not None:
            return self.key, _version(self.new), self.event
        return self.key, _version(self.old) + 1, self.event


@dataclass(frozen=True, slots=True)
class Latency:
    """Median and 99th percentile of some times in milliseconds."""

    median_ms: float
    p99_ms: float


@dataclass(frozen=True, slots=True)
class Findings:
    """What the check found; counts of records, except where said."""

    written: int  # acknowledged writes
    received: int
    lost: int  # acknowledged writes without a record
    duplicated: int
    out_of_order: int
    unexpected: int  # records that no acknowledged write explains
    old_images_wrong: int
    fold_differences: int  # items that differ between the folded stream and the table
    items: int  # in the table
    from_start: Latency | None
    from_acknowledgement: Latency | None

    @property
    def kept(self) -> bool:
        """Whether no promise is broken."""
        broken = self.lost + self.duplicated + self.out_of_order + self.unexpected
        return broken + self.old_images_wrong + self.fold_differences == 0


def receipt(record: Mapping[str, Any], received_ms: float) -> Receipt:
    """Return what matters of a stream record of a stream with new and old images."""
    body = record["dynamodb"]
    key = item_key(body["Keys"])
    return Receipt(
        key, record["eventName"], body.get("OldImage"), body.get("NewImage"), received_ms
    )


def judge(
    writes: Sequence[Write], receipts: Sequence[Receipt], table: Mapping[Key, Item]
) -> Findings:
    """Return the findings on `receipts`, in order of receipt, and `table` as it is at the end."""
    written = {write.identity for write in writes}
    counts = Counter(receipt.identity for receipt in receipts)
    folded = fold(Change(each.key, each.old, each.new) for each in receipts)
    return Findings(
        written=len(writes),
        received=len(receipts),
        lost=len(written - counts.keys()),
        duplicated=len(receipts) - len(counts),
        out_of_order=_out_of_order(receipts),
        unexpected=len(counts.keys() - written),
        old_images_wrong=len(folded.misfits),
        fold_differences=len(differing(folded.items, table)),
        items=len(table),
        from_start=_latency(writes, receipts, lambda write: write.started_ms),
        from_acknowledgement=_latency(writes, receipts, lambda write: write.acknowledged_ms),
    )


def percentile(ordered: Sequence[float], share: float) -> float:
    """Return the least value of `ordered`, not empty, that `share` of the values do not exceed."""
    return ordered[max(math.ceil(share * len(ordered)) - 1, 0)]


def _version(item: Item | None) -> int:
    return int(item[VERSION]["N"]) if item is not None else 0


def _out_of_order(receipts: Iterable[Receipt]) -> int:
    """Count the records that came after a later version of their item, repetitions left out."""
    highest: dict[Key, int] = {}
    seen: set[Identity] = set()
    late = 0
    for each in receipts:
        version = each.identity[1]
        if each.identity not in seen:
            late += version < highest.get(each.key, 0)
        seen.add(each.identity)
        highest[each.key] = max(version, highest.get(each.key, 0))
    return late


def _latency(
    writes: Iterable[Write], receipts: Iterable[Receipt], since: Callable[[Write], float]
) -> Latency | None:
    """Return the times from `since` to the first receipt; a receipt before it counts as 0."""
    first: dict[Identity, float] = {}
    for each in receipts:
        first.setdefault(each.identity, each.received_ms)
    times = sorted(
        max(first[write.identity] - since(write), 0.0)
        for write in writes
        if write.identity in first
    )
    return Latency(percentile(times, 0.5), percentile(times, 0.99)) if times else None
