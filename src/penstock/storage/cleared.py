"""Cleared spans whose bytes are still on disk: what is owed, in memory and as rows of the store.

A clear hides rows at once, but their bytes stay where they are until something rewrites the files
that hold them. Each span owed is a row of the store too, written with the clear itself, so that
neither a kill nor a restart forgets it. The rows are for the engine alone.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from penstock.base import limits
from penstock.storage.format import pack, unpack
from penstock.storage.prefixes import Prefix
from penstock.storage.waist import Span

_NUMBER_BYTES = 8
_LENGTH_BYTES = 4

CLEARED_ROWS = Span.of_prefix(Prefix.CLEARED.key)
"""Where a store keeps what it owes."""


@dataclass(frozen=True, slots=True)
class Cleared:
    """A span owed. `number` names its row, `since` is the number of the oldest clear in it."""

    number: int
    since: int
    span: Span


class ClearedSpans:
    """All spans owed: disjoint, and at most `spans_max` of them.

    What is written with a group is owed once the group is settled. Spans that meet become one;
    beyond `spans_max` a new one is joined with a neighbour, and what lies between them is compacted
    for nothing.
    """

    def __init__(
        self,
        rows: Iterable[tuple[bytes, bytes]] = (),
        spans_max: int = limits.reclaim_spans_max,
    ) -> None:
        """Begin with what the store's `rows` say is owed."""
        self._spans_max = spans_max
        self._owed: list[Cleared] = []
        self._written: list[Cleared] = []
        self._changes: dict[bytes, bytes | None] = {}
        self._number = 0
        for key, value in rows:
            self._number = int.from_bytes(key[-_NUMBER_BYTES:], "big")
            self._add(Cleared(self._number, self._number, _span(value)))

    def write(self, clears: Iterable[Span]) -> dict[bytes, bytes | None]:
        """Return the rows to write together with `clears`: key -> value, None for a row to delete.

        Among them is what has changed since the last call.
        """
        rows, self._changes = self._changes, {}
        for span in clears:
            self._number += 1
            self._written.append(Cleared(self._number, self._number, span))
            rows[_key(self._number)] = _value(span)
        return rows

    def settle(self) -> bool:
        """Owe what was written, which is durable now; say whether that was anything."""
        written, self._written = self._written, []
        for cleared in written:
            self._add(cleared)
        return bool(written)

    def owed(self) -> list[Cleared]:
        """Return all that is owed, what has waited longest first."""
        return sorted(self._owed, key=lambda cleared: cleared.since)

    def owes(self, cleared: Cleared) -> bool:
        """Say whether `cleared` is owed just as it is, not joined with a later clear."""
        return cleared in self._owed

    def give_back(self, cleared: Cleared) -> None:
        """Owe `cleared` no more; nothing where it was joined with a later clear meanwhile."""
        if cleared in self._owed:
            self._owed.remove(cleared)
            self._changes[_key(cleared.number)] = None

    def _add(self, new: Cleared) -> None:
        joined = [old for old in self._owed if _meet(old.span, new.span)]
        if not joined and len(self._owed) >= self._spans_max:
            joined = [self._neighbour(new)]
        for old in joined:
            self._owed.remove(old)
            self._changes[_key(old.number)] = None
        parts = [new, *joined]
        hull = Span(min(part.span.start for part in parts), max(part.span.end for part in parts))
        if hull != new.span:
            self._changes[_key(new.number)] = _value(hull)
        self._owed.append(Cleared(new.number, min(part.since for part in parts), hull))

    def _neighbour(self, new: Cleared) -> Cleared:
        """Return the span owed just below `new`, or else the lowest."""
        below = [old for old in self._owed if old.span.start < new.span.start]
        if below:
            return max(below, key=lambda old: old.span.start)
        return min(self._owed, key=lambda old: old.span.start)


def _meet(one: Span, other: Span) -> bool:
    return one.start <= other.end and other.start <= one.end


def _key(number: int) -> bytes:
    return Prefix.CLEARED.key + number.to_bytes(_NUMBER_BYTES, "big")


def _value(span: Span) -> bytes:
    return pack(len(span.start).to_bytes(_LENGTH_BYTES, "big") + span.start + span.end)


def _span(value: bytes) -> Span:
    body = unpack(value)
    length, keys = int.from_bytes(body[:_LENGTH_BYTES], "big"), body[_LENGTH_BYTES:]
    return Span(keys[:length], keys[length:])
