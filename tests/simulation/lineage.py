"""Whether the shards of every stream descend from one another as they must."""

from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING

from penstock.streams.stream import Shard, Stream
from simulation.wrong import Checker, Wrong

if TYPE_CHECKING:
    from simulation.auditor import Auditor


class Lineage:
    """Judges the shards of each snapshot; it remembers which ones ever had children."""

    def __init__(self) -> None:
        self._judged: tuple[object, ...] = ()
        self._children: defaultdict[int, set[str]] = defaultdict(set)
        self._known: defaultdict[int, set[str]] = defaultdict(set)

    def check(self, auditor: "Auditor") -> None:
        """Raise Wrong where a parent is not finished before its children begin."""
        shown = (auditor.shards, auditor.streams, list(auditor.tables.values()))
        if shown == self._judged:
            return
        self._judged = shown
        opened = {
            table.descriptor.stream.number: table.descriptor.stream.shards
            for table in auditor.tables.values()
            if table.descriptor.stream is not None
        }
        for number, stream in auditor.streams.items():
            shards = auditor.shards_of(number)
            self._check_parents(number, shards)
            for shard in shards:
                _check_end(auditor, number, shard)
            _check_open(stream, shards, opened.get(number, []))
            self._check_succession(stream, shards, is_open=number in opened)

    def _check_parents(self, number: int, shards: Sequence[Shard]) -> None:
        by_id = {shard.id: shard for shard in shards}
        self._known[number].update(by_id)
        for shard in shards:
            if shard.parent is None:
                continue
            self._children[number].add(shard.parent)
            parent = by_id.get(shard.parent)
            if shard.parent not in self._known[number]:
                raise Wrong(Checker.LINEAGE, f"nobody knows the parent of {shard}")
            if parent is None:
                continue
            if parent.end is None or parent.end >= shard.start:
                raise Wrong(Checker.LINEAGE, f"{shard} begins before its parent ends: {parent}")
            if parent.id >= shard.id:
                raise Wrong(Checker.LINEAGE, f"{shard} is listed before its parent {parent}")

    def _check_succession(self, stream: Stream, shards: Sequence[Shard], *, is_open: bool) -> None:
        """Raise Wrong where a shard ended without children although its stream goes on."""
        for shard in shards if is_open else ():
            if shard.end is not None and shard.id not in self._children[stream.number]:
                raise Wrong(Checker.LINEAGE, f"{shard} is closed and has no children")


def _check_end(auditor: "Auditor", number: int, shard: Shard) -> None:
    """Raise Wrong unless a shard ends with its last record, and what is trimmed was there."""
    records = auditor.archive[number, shard.number]
    last = records[-1].stamp if records else shard.start
    if shard.end is not None and shard.end != last:
        raise Wrong(Checker.LINEAGE, f"{shard} should end at {last}")
    if shard.trimmed > last:
        raise Wrong(Checker.RETENTION, f"{shard} is trimmed beyond its last record at {last}")


def _check_open(stream: Stream, shards: Sequence[Shard], opened: Sequence[int]) -> None:
    """Raise Wrong unless the open shards are those that the table's changes go to."""
    found = sorted(shard.number for shard in shards if shard.end is None)
    if found != sorted(opened):
        raise Wrong(
            Checker.LINEAGE,
            f"the open shards of {stream.arn} are {found}, but its table writes to {list(opened)}",
        )
