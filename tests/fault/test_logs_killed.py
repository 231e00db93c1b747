"""A `kill -9` costs the logs of functions what was not stored yet, and leaves nothing half."""

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from fault.log_writer import GROUP, KEEPING, LINES_TOGETHER, REGION, STREAMS
from penstock.base.clock import SystemClock
from penstock.functions.log_reading import Event, Range, events
from penstock.functions.log_rows import LogGroup, Place, find_group, streams_of
from penstock.functions.log_trimming import trim_log
from penstock.storage.rocksdb import RocksEngine
from penstock.storage.waist import Reader

pytestmark = pytest.mark.slow

PLACE = Place(REGION, GROUP)
KILLS = 5
ROUNDS_TO_A_KILL = 12
FLUSH_BYTES_MAX = LINES_TOGETHER * 256
"""What the writer stores at once. It is trimmed after that: a kill may come in between."""


def write_and_be_killed(data: Path, rounds: int) -> int:
    """Return how many lines were stored when the writer was killed, at the least."""
    command = [sys.executable, str(Path(__file__).with_name("log_writer.py")), str(data)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        told = [int(writer.stdout.readline()) for _ in range(rounds)]
        writer.kill()
        told += [int(line) for line in writer.stdout if line.endswith("\n")]
    return told[-1]


def look(reader: Reader) -> tuple[LogGroup, list[Event]]:
    group = find_group(reader, PLACE)
    assert group is not None
    everything = list(events(reader, PLACE, list(streams_of(reader, PLACE)), Range(0, 2**62)))
    for name, stream in streams_of(reader, PLACE):
        of_it = [event for event in everything if event.stream == name]
        assert stream.kept_bytes == sum(event.counted_bytes for event in of_it)
    return group, everything


def test_what_was_stored_is_there_whole_and_in_order(tmp_path: Path) -> None:
    for kill in range(KILLS):
        data = tmp_path / f"store{kill}"
        stored = write_and_be_killed(data, ROUNDS_TO_A_KILL + 9 * kill)
        clock = SystemClock()
        engine = RocksEngine.open(data, clock)
        try:
            group, everything = engine.snapshot(look)
            assert group.kept_bytes == sum(event.counted_bytes for event in everything)
            assert group.kept_bytes <= KEEPING.excess_bytes + FLUSH_BYTES_MAX
            numbers = [int(event.text.split()[0]) for event in everything]
            for stream in range(STREAMS):
                of_it = [number for number in numbers if number % STREAMS == stream]
                assert of_it == list(range(of_it[0], of_it[-1] + 1, STREAMS)), "without a gap"
                assert of_it[-1] >= stored - STREAMS, "what was told is there"
            asyncio.run(trim_log(engine, PLACE, KEEPING, clock.now_ms()))
            group, everything = engine.snapshot(look)
            assert group.kept_bytes == sum(event.counted_bytes for event in everything)
            assert 0 < group.kept_bytes <= KEEPING.bytes
        finally:
            engine.close()
