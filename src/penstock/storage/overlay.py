"""Writes that are not in the store yet, laid over a reader: what a transaction and a group are.

An overlay answers `get` and `scan` as if its writes had been made, so overlays stack: a transaction
lies over its group, the group over the store. What an overlay holds is its clears first, then its
writes.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator

from penstock.base.clock import Clock
from penstock.storage.format import PLAIN, unpack
from penstock.storage.prefixes import tip_key
from penstock.storage.waist import (
    STAMP_BYTES,
    STAMP_COUNTER_BITS,
    Reader,
    Span,
    Stamp,
)


class SpanSet:
    """Spans joined into disjoint ones, in key order."""

    __slots__ = ("_ends", "_starts")

    def __init__(self) -> None:
        self._starts: list[bytes] = []
        self._ends: list[bytes] = []

    def __len__(self) -> int:
        return len(self._starts)

    def __iter__(self) -> Iterator[Span]:
        return map(Span, self._starts, self._ends)

    def add(self, span: Span) -> None:
        """Add the keys of `span`, which is not empty."""
        first = bisect_left(self._ends, span.start)
        last = bisect_right(self._starts, span.end)
        start, end = span
        if first < last:
            start = min(start, self._starts[first])
            end = max(end, self._ends[last - 1])
        self._starts[first:last] = [start]
        self._ends[first:last] = [end]

    def covers(self, key: bytes) -> bool:
        """Say whether `key` lies in one of the spans."""
        at = bisect_right(self._starts, key) - 1
        return at >= 0 and key < self._ends[at]

    def gaps(self, span: Span) -> list[Span]:
        """Return the parts of `span` outside all the spans, in key order."""
        gaps = []
        start = span.start
        for at in range(bisect_right(self._ends, start), len(self._starts)):
            if self._starts[at] >= span.end:
                break
            if start < self._starts[at]:
                gaps.append(Span(start, self._starts[at]))
            start = self._ends[at]
        if start < span.end:
            gaps.append(Span(start, span.end))
        return gaps


_NONE = SpanSet()  # what most overlays have cleared; nobody adds to it


class Overlay:
    """A `Transaction` over `base`: reads see its own writes, and `base` is never touched."""

    __slots__ = ("_base", "_clock", "_order", "bytes_held", "clears", "writes")

    def __init__(self, base: Reader, clock: Clock) -> None:
        self._base = base
        self._clock = clock
        self._order: list[bytes] = []
        self.writes: dict[bytes, bytes | None] = {}
        """Key -> value, None for a deleted key; a key is never taken out again."""
        self.clears = _NONE
        """Spans cleared before all of `writes`, to be read only."""
        self.bytes_held = 0
        """Bytes of keys and values written, counting a key as often as it was written."""

    @property
    def changed(self) -> bool:
        """Say whether anything was written."""
        return bool(self.writes) or self.clears is not _NONE

    def touches(self, key: bytes) -> bool:
        """Say whether `key` was written or deleted here."""
        return key in self.writes or (self.clears is not _NONE and self.clears.covers(key))

    def get(self, key: bytes) -> bytes | None:
        """Return the value at `key`, or None."""
        if key in self.writes:
            return self.writes[key]
        if self.clears is not _NONE and self.clears.covers(key):
            return None
        return self._base.get(key)

    def scan(self, span: Span, limit: int, backward: bool = False) -> list[tuple[bytes, bytes]]:
        """Return at most `limit` pairs of `span` in key order, or from its end in reverse order."""
        if limit <= 0 or span.start >= span.end:
            return []
        own = self._written_in(span)
        if not own and self.clears is _NONE:
            return self._base.scan(span, limit, backward)
        # Only a key deleted here can hide a row below, so this many rows below are always enough.
        enough = limit + sum(1 for key in own if self.writes[key] is None)
        merged: dict[bytes, bytes | None] = dict(self._scan_below(span, enough, backward))
        merged.update((key, self.writes[key]) for key in own)
        rows: list[tuple[bytes, bytes]] = []
        for key in sorted(merged, reverse=backward):
            value = merged[key]
            if value is not None:
                rows.append((key, value))
                if len(rows) == limit:
                    break
        return rows

    def set(self, key: bytes, value: bytes | None) -> None:
        """Write `value` at `key`; None deletes the key."""
        self.writes[key] = value
        self.bytes_held += len(key) if value is None else len(key) + len(value)

    def clear(self, span: Span) -> None:
        """Delete every key of `span`."""
        if span.start >= span.end:
            return
        if span == Span.of_key(span.start):
            self.set(span.start, None)
            return
        for key in self._written_in(span):
            self.writes[key] = None
        if self.clears is _NONE:
            self.clears = SpanSet()
        self.clears.add(span)
        self.bytes_held += len(span.start) + len(span.end)

    def append(self, log: bytes, record: Callable[[Stamp], bytes]) -> Stamp:
        """Add `record(stamp)` to `log` at a new stamp and return the stamp."""
        # What `last_stamp`, `next_stamp`, `stamp_key` and `set` do, in one: most writes are this.
        tip = tip_key(log)
        stored = self.get(tip)
        last = 0 if stored is None else int.from_bytes(unpack(stored), "big")
        stamp = max(last + 1, self._clock.now_ms() << STAMP_COUNTER_BITS)
        place = stamp.to_bytes(STAMP_BYTES, "big")
        key, value = log + place, record(stamp)
        self.writes[key] = value
        self.writes[tip] = PLAIN + place
        self.bytes_held += len(key) + len(value) + len(tip) + len(place) + 1
        return stamp

    def absorb(self, above: "Overlay") -> None:
        """Take over what `above`, an overlay on this one, has written."""
        if above.clears is not _NONE:
            for span in above.clears:
                self.clear(span)
        self.writes.update(above.writes)
        self.bytes_held += above.bytes_held

    def over(self, base: Reader) -> "Overlay":
        """Return these very writes, shared, laid over another `base`."""
        same = Overlay(base, self._clock)
        same.writes, same.clears = self.writes, self.clears
        same.bytes_held = self.bytes_held
        return same

    def _written_in(self, span: Span) -> list[bytes]:
        """Return the keys of `span` written here, in key order."""
        if not self.writes:
            return []
        if len(self._order) != len(self.writes):  # keys are only ever added
            self._order = sorted(self.writes)
        low = bisect_left(self._order, span.start)
        return self._order[low : bisect_left(self._order, span.end, low)]

    def _scan_below(self, span: Span, limit: int, backward: bool) -> list[tuple[bytes, bytes]]:
        gaps = self.clears.gaps(span) if self.clears is not _NONE else [span]
        rows: list[tuple[bytes, bytes]] = []
        for gap in reversed(gaps) if backward else gaps:
            rows += self._base.scan(gap, limit - len(rows), backward)
            if len(rows) == limit:
                break
        return rows
