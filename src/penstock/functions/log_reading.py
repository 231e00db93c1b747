"""Reading logs: the lines of one stream or of many in the order of their times, either way.

A line's place is its time, the name of its stream, its chunk's number and its index there. A
boundary is such a place too: what stands at it or behind comes after it. Nothing is read before its
turn: a stream is opened when the first line that it can have is next, a chunk likewise.
"""

import heapq
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from penstock.base import limits
from penstock.functions.log_rows import Chunk, LogStream, Place
from penstock.storage.waist import Reader, Span, stamp_ms


class Boundary(NamedTuple):
    """A place between lines."""

    at_ms: int
    stream: str = ""
    number: int = 0
    nth: int = 0


class Event(NamedTuple):
    """A line of a stream, and where it stands."""

    at_ms: int
    stream: str
    number: int
    nth: int
    text: bytes

    @property
    def before(self) -> Boundary:
        """Return the boundary before this line."""
        return Boundary(self.at_ms, self.stream, self.number, self.nth)

    @property
    def behind(self) -> Boundary:
        """Return the boundary behind this line."""
        return Boundary(self.at_ms, self.stream, self.number, self.nth + 1)

    @property
    def stored_ms(self) -> int:
        """Return when the line was stored."""
        return stamp_ms(self.number)

    @property
    def counted_bytes(self) -> int:
        """Return how many bytes the line counts."""
        return len(self.text) + limits.log_event_extra_bytes


class Range(NamedTuple):
    """Which lines are wanted: of `since_ms <= time < until_ms`, from a boundary on or back."""

    since_ms: int
    until_ms: int
    backward: bool = False
    boundary: Boundary | None = None

    def has(self, event: Event) -> bool:
        """Say whether a line is wanted."""
        if not self.since_ms <= event.at_ms < self.until_ms:
            return False
        if self.boundary is None:
            return True
        return (event[:4] < self.boundary) if self.backward else (event[:4] >= self.boundary)

    def has_all(self, events: Sequence[Event]) -> bool:
        """Say whether lines in their order are all wanted, by the first and the last."""
        return self.has(events[0]) and self.has(events[-1])

    @property
    def low_ms(self) -> int:
        """Return the time that no line that is wanted is before."""
        if self.boundary is None or self.backward:
            return self.since_ms
        return max(self.since_ms, self.boundary.at_ms)

    @property
    def high_ms(self) -> int:
        """Return the time that every line that is wanted is before."""
        if self.boundary is None or not self.backward:
            return self.until_ms
        return min(self.until_ms, self.boundary.at_ms + 1)


_OPENED = 0
"""In the order of what waits for its turn: before any line of the same time."""
_LINE = 1

_Entry = tuple[int, int, int, int, int, Any]


def events(
    reader: Reader, place: Place, streams: Sequence[tuple[str, LogStream]], wanted: Range
) -> Iterator[Event]:
    """Yield the wanted lines of `streams`, which are in the order of their names."""
    return _Merge(reader, place, streams, wanted).events()


class _Cursor(NamedTuple):
    """The chunks of a stream that are still to be read; they begin with `rank` in the order."""

    name: str
    rank: int
    span: Span


class _Merge:
    """What waits for its turn: streams, chunks, and lines, by the first line that they can have."""

    def __init__(
        self,
        reader: Reader,
        place: Place,
        streams: Sequence[tuple[str, LogStream]],
        wanted: Range,
    ) -> None:
        self._reader, self._place, self._wanted = reader, place, wanted
        self._sign = -1 if wanted.backward else 1
        self._names = [name for name, _ in streams]
        self._waiting: list[_Entry] = []
        for rank, (name, stream) in enumerate(streams):
            self._add_stream(rank, name, stream)

    def _add_stream(self, rank: int, name: str, stream: LogStream) -> None:
        low, high = self._wanted.low_ms, self._wanted.high_ms
        if stream.first_ms is None or stream.last_ms is None:
            return
        if stream.last_ms < low or stream.first_ms >= high:
            return
        span = self._place.chunks_of(name, max(low - limits.log_chunk_ms_max, 0), high)
        first_ms = stream.last_ms if self._wanted.backward else stream.first_ms
        self._push(first_ms, _OPENED, rank, 0, 0, _Cursor(name, rank, span))

    def _push(self, at_ms: int, kind: int, rank: int, number: int, nth: int, thing: object) -> None:
        sign = self._sign
        entry = (sign * at_ms, kind, sign * rank, sign * number, sign * nth, thing)
        heapq.heappush(self._waiting, entry)

    def events(self) -> Iterator[Event]:
        while self._waiting:
            _, _, rank, _, _, thing = heapq.heappop(self._waiting)
            if isinstance(thing, _Cursor):
                self._read_on(thing)
            elif isinstance(thing, Chunk):
                self._open(thing, self._sign * rank)
            else:
                yield from self._next_of(thing, self._sign * rank)

    def _next_of(self, lines: list[Event], rank: int) -> Iterator[Event]:
        """Yield lines of a chunk, the last first, until something else is next."""
        sign, waiting = self._sign, self._waiting
        while lines:
            event = lines[-1]
            if waiting and sign * event.at_ms >= waiting[0][0]:
                here = (sign * event.at_ms, _LINE, sign * rank, sign * event.number)
                if (*here, sign * event.nth) > waiting[0][:5]:
                    heapq.heappush(waiting, (*here, sign * event.nth, lines))
                    return
            yield lines.pop()

    def _read_on(self, cursor: _Cursor) -> None:
        """Let the next few chunks of a stream wait for their turn, and then the rest."""
        backward = self._wanted.backward
        rows = self._reader.scan(cursor.span, limits.log_chunks_read_max, backward)
        for row in rows:
            chunk = Chunk(*row)
            if chunk.last_ms >= self._wanted.low_ms:
                first_ms = chunk.last_ms if backward else chunk.first_ms
                self._push(first_ms, _OPENED, cursor.rank, chunk.number, 0, chunk)
        if len(rows) < limits.log_chunks_read_max:
            return
        last = Chunk(*rows[-1])
        if backward:
            span = Span(cursor.span.start, last.key)
            first_ms = last.first_ms + limits.log_chunk_ms_max
        else:
            span = Span(last.key + b"\0", cursor.span.end)
            first_ms = last.first_ms
        self._push(first_ms, _OPENED, cursor.rank, 0, 0, cursor._replace(span=span))

    def _open(self, chunk: Chunk, rank: int) -> None:
        """Let the lines of a chunk wait for their turn, all as one."""
        name, number, wanted = self._names[rank], chunk.number, self._wanted
        lines = [
            Event(at_ms, name, number, nth, text) for nth, (at_ms, text) in enumerate(chunk.lines())
        ]
        if not wanted.has_all(lines):
            lines = [event for event in lines if wanted.has(event)]
        if not lines:
            return
        if not wanted.backward:
            lines.reverse()
        self._push(lines[-1].at_ms, _LINE, rank, number, lines[-1].nth, lines)
