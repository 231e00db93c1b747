"""Two nodes over one PostgreSQL write to one log at once, trim it, and read the same."""

import asyncio
from collections.abc import Callable

import pytest

from penstock.base.clock import SystemClock
from penstock.base.ids import Entropy
from penstock.functions.log_reading import Event, Range, events
from penstock.functions.log_rows import LogGroup, Place, find_group, streams_of
from penstock.functions.log_trimming import Keeping
from penstock.functions.logs import StoredLogs
from penstock.storage.fibers import in_fibers
from penstock.storage.postgres import PostgresEngine
from penstock.storage.waist import Reader

pytestmark = pytest.mark.slow

PLACE = Place("us-east-1", "/aws/lambda/f")
KEEPING = Keeping(bytes=256 * 1024)
ROUNDS, LINES = 20, 100


def look(reader: Reader) -> tuple[LogGroup | None, list[Event]]:
    streams = list(streams_of(reader, PLACE))
    return find_group(reader, PLACE), list(events(reader, PLACE, streams, Range(0, 2**62)))


def test_two_nodes_write_at_once_and_both_trim(url_of_new_schema: Callable[[], str]) -> None:
    url, clock = url_of_new_schema(), SystemClock()

    async def check() -> None:
        engines = [PostgresEngine.open(url, clock, Entropy()) for _ in range(2)]
        nodes = [StoredLogs(engine, clock, KEEPING) for engine in engines]
        for number in range(ROUNDS):
            for name, node in zip("ab", nodes, strict=True):
                for line in range(LINES):
                    text = f"{number * LINES + line} {'x' * 200}"
                    node.write(*PLACE, name, clock.now_ms(), text)
            await asyncio.gather(*(node.flush() for node in nodes))
        seen = [await in_fibers(_snapshot)(engine) for engine in engines]
        assert seen[0] == seen[1]
        group, everything = seen[0]
        assert group is not None
        assert group.kept_bytes == sum(event.counted_bytes for event in everything)
        assert 0 < group.kept_bytes <= KEEPING.excess_bytes
        for name in "ab":
            numbers = [int(e.text.split()[0]) for e in everything if e.stream == name]
            assert numbers == list(range(numbers[0], ROUNDS * LINES))
        for node, engine in zip(nodes, engines, strict=True):
            await node.stop()
            engine.close()

    asyncio.run(check())


async def _snapshot(engine: PostgresEngine) -> tuple[LogGroup | None, list[Event]]:
    return engine.snapshot(look)
