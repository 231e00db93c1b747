"""Load: how many changes the open shards take in, counted where they are made.

Counts live in memory, of one process: they decide only when a shard is worth splitting. Where
several nodes share a store, `penstock.tables.shared_load` brings them together.
"""

from typing import NamedTuple

from penstock.items.keys import ItemKey
from penstock.tables.descriptor import Partition


class Halves(NamedTuple):
    """What fell to the lower and the upper half of a shard's hashes."""

    lower: float
    upper: float

    @property
    def total(self) -> float:
        """What fell to both."""
        return self.lower + self.upper

    def plus(self, more: "Halves", times: float = 1) -> "Halves":
        """Return this and `more`, that so many times."""
        return Halves(self.lower + more.lower * times, self.upper + more.upper * times)


NONE = Halves(0, 0)


class Load:
    """The changes of all open shards since they were taken last."""

    def __init__(self) -> None:
        self._counts: dict[bytes, list[int]] = {}

    def note(self, partition: Partition, key: ItemKey) -> None:
        """Count a change of the item of `key`, which is of `partition`."""
        log = partition.log
        if log is None:
            return
        counts = self._counts.get(log)
        if counts is None:
            counts = self._counts[log] = [0, 0]
        counts[key.hash >= partition.middle] += 1

    def take(self) -> dict[bytes, Halves]:
        """Return the counts by the logs of the shards, and begin anew."""
        counts, self._counts = self._counts, {}
        return {log: Halves(*halves) for log, halves in counts.items()}
