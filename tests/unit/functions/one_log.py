"""The logs of one store in memory, whose time a test moves and whose disk it holds."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from typing import Any, TypeVar

from penstock.functions.log_reading import Event, Range, events
from penstock.functions.log_rows import (
    Line,
    LogGroup,
    LogStream,
    Place,
    add_lines,
    find_group,
    streams_of,
)
from penstock.functions.log_trimming import Keeping, LogTrimming
from penstock.functions.logs import StoredLogs
from penstock.storage.memory import MemoryEngine
from penstock.storage.waist import Reader
from penstock.testing.clock import FakeClock
from penstock.testing.held_flusher import HeldFlusher

T = TypeVar("T")
REGION, GROUP = "us-east-1", "/aws/lambda/f"
PLACE = Place(REGION, GROUP)
EVER = Range(0, 2**62)
DAY_MS = 24 * 3600 * 1000


class OneLog:
    """An engine, what writes to it, and what is in it."""

    def __init__(self, keeping: Keeping | None = None) -> None:
        self.clock = FakeClock()
        self.flusher = HeldFlusher()
        self.engine = MemoryEngine(self.clock, rehearse=True, flusher=self.flusher)
        self.keeping = keeping or Keeping()
        self.logs = StoredLogs(self.engine, self.clock, self.keeping)

    def write(self, line: str, stream: str = "s", group: str = GROUP) -> None:
        """Let a function print a line now."""
        self.logs.write(REGION, group, stream, self.clock.now_ms(), line)

    async def add(self, lines: list[Line], stream: str = "s") -> None:
        """Store lines in a transaction of their own."""
        await self.engine.transact(
            lambda txn: add_lines(txn, PLACE, stream, lines, self.clock.now_ms()),
            locks=[PLACE.lock],
        )

    async def trim(self) -> None:
        """Run the job."""
        await LogTrimming(self.engine, self.clock, self.keeping).run()

    def view(self, work: Callable[[Reader], T]) -> T:
        return self.engine.snapshot(work)

    def events(self, wanted: Range = EVER, place: Place = PLACE) -> list[Event]:
        """Return all lines of a range."""
        return self.view(
            lambda reader: list(events(reader, place, list(streams_of(reader, place)), wanted))
        )

    def texts(self, group: str = GROUP) -> list[str]:
        """Return the lines of a group in the order of their times."""
        return [event.text.decode() for event in self.events(place=Place(REGION, group))]

    @property
    def group(self) -> LogGroup:
        found = self.view(lambda reader: find_group(reader, PLACE))
        assert found is not None
        return found

    @property
    def streams(self) -> dict[str, LogStream]:
        return self.view(lambda reader: dict(streams_of(reader, PLACE)))

    @property
    def counted_bytes(self) -> int:
        """Return what the lines count that are there."""
        return sum(event.counted_bytes for event in self.events())

    def check_counts(self) -> None:
        """Check that what is known of the group and its streams is true of their lines."""
        found: dict[str, list[Event]] = {name: [] for name in self.streams}
        for event in self.events():
            found[event.stream].append(event)
        assert self.group.kept_bytes == self.counted_bytes
        for name, stream in self.streams.items():
            of_it = found[name]
            assert stream.kept_bytes == sum(event.counted_bytes for event in of_it)
            if of_it:
                assert stream.first_ms is not None
                assert stream.first_ms <= of_it[0].at_ms
                assert stream.last_ms == of_it[-1].at_ms


def run(test: Callable[[OneLog], Coroutine[Any, Any, None]], log: OneLog | None = None) -> None:
    """Run a test on a loop of its own."""

    async def whole() -> None:
        world = log or OneLog()
        try:
            await test(world)
        finally:
            world.flusher.hold = False
            world.flusher.release()
            await world.logs.stop()
            world.engine.close()

    asyncio.run(whole())


def numbered(lines: list[str]) -> Iterator[int]:
    """Yield the numbers of lines such as `line 5`."""
    for line in lines:
        yield int(line.split()[1])
