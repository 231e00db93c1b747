"""The logs of functions, kept in the store: what takes their lines, and writes them together.

A line goes into a buffer in memory, and a moment later into the store with all others that came
meanwhile: a transaction for each log group. What is acknowledged to nobody need not be durable at
once, so a crash costs what was in the buffer, and no more. Where the store fails, the lines wait in
the buffer. Where that is full, lines are dropped, and a line in their place says how many.

The lines of one stream come from one place, in order, and stay in it.
"""

import asyncio
import logging
from collections.abc import Iterable

from penstock.base import limits
from penstock.base.background import Alarm
from penstock.base.clock import Clock
from penstock.base.errors.engine import EngineError
from penstock.functions.log_rows import Line, LogGroup, Place, add_lines
from penstock.functions.log_trimming import Keeping, trim_log
from penstock.storage.waist import Engine, Transaction

log = logging.getLogger(__name__)


class _Buffer:
    """The lines of one stream that are not stored yet, and what could not be taken."""

    __slots__ = ("dropped", "dropped_bytes", "dropped_ms", "held_bytes", "lines")

    def __init__(self) -> None:
        self.lines: list[Line] = []
        self.held_bytes = limits.log_stream_extra_bytes
        self.dropped = self.dropped_bytes = self.dropped_ms = 0

    def drop(self, at_ms: int, text_bytes: int) -> None:
        """Count a line that has no room."""
        self.dropped += 1
        self.dropped_bytes += text_bytes
        self.dropped_ms = at_ms

    @property
    def with_notice(self) -> list[Line]:
        """The lines, and after them one that says what was dropped, if anything was."""
        if not self.dropped:
            return self.lines
        text = (
            f"PENSTOCK: {self.dropped} lines of {self.dropped_bytes} bytes are missing here: they"
            " came faster than they could be stored"
        )
        return [*self.lines, Line(self.dropped_ms, text.encode())]

    def settle_dropped(self) -> None:
        """Tell of what was dropped, and begin to count anew: more lines come."""
        self.lines = self.with_notice
        self.dropped = self.dropped_bytes = 0


_Buffers = dict[str, _Buffer]
"""By the names of a group's streams."""


class StoredLogs:
    """A `LogSink` that keeps what it is given in a store. On the loop's thread.

    It does nothing until the first line comes. `keeping` says how much of it stays.
    """

    def __init__(self, engine: Engine, clock: Clock, keeping: Keeping | None = None) -> None:
        self.engine = engine
        self.clock = clock
        self.keeping = keeping or Keeping()
        self._buffers: dict[Place, _Buffers] = {}
        self._held_bytes = 0
        self._lost = 0
        """Lines of streams that there was no room for, which no line in their place tells of."""
        self._writer: asyncio.Task[None] | None = None
        self._wake = Alarm()
        self._one_at_a_time = asyncio.Lock()
        self._stopped = False

    @property
    def held_bytes(self) -> int:
        """Return how many bytes of memory the lines take that are not stored yet."""
        return self._held_bytes

    def write(self, region: str, group: str, stream: str, at_ms: int, line: str) -> None:
        """Take one line, without its end, that came at `at_ms` epoch milliseconds."""
        if self._stopped:
            return
        text = line.encode("utf-8", "replace")
        buffer = self._buffer(Place(region, group), stream)
        if buffer is None:
            self._lost += 1
            return
        at_ms = max(at_ms, 0)
        for piece in _pieces(text):
            held_bytes = len(piece) + limits.log_line_extra_bytes
            if (
                self._held_bytes + held_bytes > limits.log_buffer_bytes_max
                or buffer.held_bytes + held_bytes > limits.log_stream_buffer_bytes_max
            ):
                buffer.drop(at_ms, len(piece))
                continue
            buffer.settle_dropped()
            buffer.lines.append(Line(at_ms, piece))
            buffer.held_bytes += held_bytes
            self._held_bytes += held_bytes
        if self._writer is None:
            self._writer = asyncio.get_running_loop().create_task(self._write_on())

    def _buffer(self, place: Place, stream: str) -> _Buffer | None:
        """Return where the lines of a stream wait; None where there is no room for one more."""
        buffers = self._buffers.get(place, {})
        buffer = buffers.get(stream)
        if buffer is None:
            held_bytes = self._held_bytes + limits.log_stream_extra_bytes
            if held_bytes > limits.log_buffer_bytes_max:
                return None
            self._held_bytes = held_bytes
            buffer = buffers[stream] = _Buffer()
            self._buffers[place] = buffers
        return buffer

    async def flush(self) -> None:
        """Store what was taken before the call; EngineError where the store cannot take it now."""
        async with self._one_at_a_time:
            self._tell_lost()
            taken, self._buffers = self._buffers, {}
            places = list(taken)
            failures = []
            for at in range(0, len(places), limits.log_groups_written_max):
                some = places[at : at + limits.log_groups_written_max]
                results = await asyncio.gather(*(self._store(p, taken[p]) for p in some))
                failures += [failure for failure in results if failure is not None]
            if failures:
                raise failures[0]

    async def stop(self, seconds_max: float = limits.log_stop_seconds_max) -> None:
        """Store what is left, within `seconds_max`, and take no more; safe twice."""
        self._stopped = True
        writer = self._writer
        if writer is None:
            return
        self._wake.ring()
        await asyncio.wait([writer], timeout=seconds_max)
        writer.cancel()
        if self._held_bytes:
            log.warning(
                "Lines of functions' logs could not be stored before the end",
                extra={"bytes": self._held_bytes},
            )

    async def _write_on(self) -> None:
        """Store what comes, until nothing more does."""
        try:
            while self._buffers:
                await self._wake.wait(limits.log_gather_seconds * 1000)
                try:
                    await self.flush()
                except EngineError as error:
                    if self._stopped:
                        return
                    log.warning(
                        "The store cannot take the logs of functions", extra={"error": repr(error)}
                    )
                    await self._wake.wait(limits.log_retry_seconds * 1000)
        finally:
            self._writer = None

    def _tell_lost(self) -> None:
        lost, self._lost = self._lost, 0
        if lost:
            log.warning("Lines of functions' logs are lost for want of room", extra={"lines": lost})

    async def _store(self, place: Place, buffers: _Buffers) -> EngineError | None:
        """Store the lines of one group; where that fails, they wait again."""
        lines = {name: buffer.with_notice for name, buffer in buffers.items()}
        try:
            group = await self._add(place, lines)
            self._let_go(buffers.values())
            if group.kept_bytes > self.keeping.excess_bytes:
                await trim_log(self.engine, place, self.keeping, self.clock.now_ms())
        except EngineError as error:
            self._take_back(place, buffers)
            return error
        except asyncio.CancelledError:
            self._take_back(place, buffers)
            raise
        except Exception:  # a bug of ours costs these lines, never the function or the server
            log.exception("Lines of a log could not be stored", extra={"group": place.group})
            self._let_go(buffers.values())
        return None

    async def _add(self, place: Place, lines: dict[str, list[Line]]) -> LogGroup:
        now_ms = self.clock.now_ms()

        def work(txn: Transaction) -> LogGroup:
            for name, some in lines.items():
                group = add_lines(txn, place, name, some, now_ms)
            return group

        reads = [place.key, *(place.stream_key(name) for name in lines)]
        return await self.engine.transact(work, locks=[place.lock], reads=reads)

    def _let_go(self, buffers: Iterable[_Buffer]) -> None:
        for buffer in buffers:
            self._held_bytes -= buffer.held_bytes
            buffer.lines, buffer.held_bytes = [], 0

    def _take_back(self, place: Place, buffers: _Buffers) -> None:
        """Put lines that were not stored before those that came since."""
        later = self._buffers.setdefault(place, {})
        for name, buffer in buffers.items():
            since = later.get(name)
            if since is not None:
                if since.lines:
                    buffer.settle_dropped()
                buffer.lines += since.lines
                buffer.held_bytes += since.held_bytes
                buffer.dropped += since.dropped
                buffer.dropped_bytes += since.dropped_bytes
                buffer.dropped_ms = max(buffer.dropped_ms, since.dropped_ms)
            later[name] = buffer


def _pieces(text: bytes) -> Iterable[bytes]:
    """Return a line in pieces of the size that one may have, none of which splits a character."""
    if len(text) <= limits.log_line_bytes_max:
        return (text,)
    pieces = []
    begin = 0
    while begin < len(text):
        end = min(begin + limits.log_line_bytes_max, len(text))
        while end < len(text) and text[end] & 0xC0 == 0x80:
            end -= 1
        pieces.append(text[begin:end])
        begin = end
    return pieces
