"""Throughput as a table or an index is given it, and the rules of changing it: pure.

Facts: AWS, 2026-10: throughput may be lowered four times on a UTC day, and after that once an hour;
an on-demand table's maxima are optional; warm throughput only grows.
"""

from typing import NamedTuple

import msgspec

from penstock.base import limits

_DAY_MS = 24 * 3600 * 1000


class Units(NamedTuple):
    """Read and write units per second."""

    read: int
    write: int


class History(msgspec.Struct, frozen=True):
    """When provisioned throughput was raised and lowered last; 0 for never."""

    increased_ms: int = 0
    decreased_ms: int = 0
    decreases: int = 0
    """How often it was lowered on the UTC day of `decreased_ms`."""

    def decreases_today(self, now_ms: int) -> int:
        """Return how often it was lowered since midnight, UTC."""
        return self.decreases if self.decreased_ms // _DAY_MS == now_ms // _DAY_MS else 0

    def next_decrease_ms(self, now_ms: int) -> int:
        """Return when it may be lowered again; not after `now_ms` where that is now."""
        if self.decreases_today(now_ms) < limits.throughput_decreases_free_max:
            return now_ms
        return self.decreased_ms + limits.throughput_decrease_wait_ms

    def after(self, old: Units, new: Units, now_ms: int) -> "History":
        """Return the history once throughput has changed from `old` to `new`."""
        after = self
        if is_increase(old, new):
            after = msgspec.structs.replace(after, increased_ms=now_ms)
        if is_decrease(old, new):
            count = self.decreases_today(now_ms) + 1
            after = msgspec.structs.replace(after, decreased_ms=now_ms, decreases=count)
        return after


class Maxima(msgspec.Struct, frozen=True):
    """The most that an on-demand table or index serves per second; None for no maximum."""

    read: int | None = None
    write: int | None = None


def is_increase(old: Units, new: Units) -> bool:
    """Say whether `new` has more of anything than `old`."""
    return new.read > old.read or new.write > old.write


def is_decrease(old: Units, new: Units) -> bool:
    """Say whether `new` has less of anything than `old`."""
    return new.read < old.read or new.write < old.write
