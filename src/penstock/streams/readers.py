"""Who reads a shard now, and what was read of it: always counted, refused where that is asked for.

A reader is whoever goes on from one GetShardIterator: its number is in every iterator that follows
from that one. It reads a shard for two seconds after its last GetRecords there, which is twice what
the Kinesis Adapter waits between its reads. Of more readers than two at a time the first two go on.

Facts: AWS developer guide and botocore 1.43, 2026-10: two processes may read one shard at the same
time, and a stream can be read at twice the rate of its table's provisioned write capacity. How AWS
measures either is not documented: see docs/differences.md.

The counts are of this process, since it first saw the shard; of more shards than are remembered,
the one that was not read for longest is forgotten. Times are milliseconds that never step back.
"""

from collections import OrderedDict
from typing import Any, NamedTuple

from penstock.base import limits
from penstock.base.bucket import Bucket
from penstock.base.errors import streams
from penstock.streams.read import Page
from penstock.streams.stream import Shard, Stream

ReaderNumber = int


class ShardReading:
    """What is known of the reading of one shard."""

    __slots__ = (
        "_read_ms",
        "bytes",
        "calls",
        "calls_beyond_rate",
        "calls_beyond_readers",
        "calls_throttled",
        "records",
        "shard_id",
        "stream_arn",
        "table_name",
    )

    def __init__(self, stream: Stream, shard: Shard) -> None:
        self.stream_arn, self.table_name, self.shard_id = stream.arn, stream.table_name, shard.id
        self.calls = self.records = self.bytes = 0
        self.calls_beyond_readers = self.calls_beyond_rate = self.calls_throttled = 0
        self._read_ms: dict[ReaderNumber, float] = {}
        """When each reader read last, in the order in which they came."""

    def is_beyond(self, reader: ReaderNumber, now_ms: float) -> bool:
        """Say whether two others read this shard, and have done so for longer than `reader`."""
        if reader in self._read_ms and len(self._read_ms) <= limits.shard_readers_max:
            return False
        self.readers(now_ms)
        for place, known in enumerate(self._read_ms):
            if known == reader:
                return place >= limits.shard_readers_max
        return len(self._read_ms) >= limits.shard_readers_max

    def note(self, reader: ReaderNumber, now_ms: float) -> None:
        """Remember that `reader` reads now; of too many readers the last are not remembered."""
        if reader in self._read_ms or len(self._read_ms) < limits.shard_readers_remembered_max:
            self._read_ms[reader] = now_ms

    def readers(self, now_ms: float) -> int:
        """Return how many read this shard at `now_ms`, and forget those who no longer do."""
        began_ms = now_ms - limits.reader_window_ms
        for reader in [each for each, at_ms in self._read_ms.items() if at_ms <= began_ms]:
            del self._read_ms[reader]
        return len(self._read_ms)

    def shown(self, now_ms: float) -> dict[str, Any]:
        """Return the counts as they are shown."""
        return {
            "TableName": self.table_name,
            "StreamArn": self.stream_arn,
            "ShardId": self.shard_id,
            "Readers": self.readers(now_ms),
            "Calls": self.calls,
            "Records": self.records,
            "Bytes": self.bytes,
            "CallsBeyondReaders": self.calls_beyond_readers,
            "CallsBeyondRate": self.calls_beyond_rate,
            "CallsThrottled": self.calls_throttled,
        }


class Admission(NamedTuple):
    """A call of GetRecords that may go on: what counts it, whose it is, what its records cost.

    A call that is held is still one call, and its reader reads all the while.
    """

    reading: ShardReading
    reader: ReaderNumber
    rate: Bucket | None

    def note(self, read_ms: float) -> None:
        """Let the call's reader have read last at `read_ms`, which may be to come."""
        self.reading.note(self.reader, read_ms)

    def deliver(self, page: Page, now_ms: float) -> None:
        """Count the records that the call is answered with."""
        records = len(page.records)
        if records:
            self.reading.records += records
            self.reading.bytes += page.size
            if self.rate is not None:
                self.rate.take(records, now_ms)


class Readers:
    """The readers of all shards of one server."""

    def __init__(self, *, throttling: bool = False) -> None:
        self._throttling = throttling
        self._readings: OrderedDict[tuple[int, int], ShardReading] = OrderedDict()
        self._rates: OrderedDict[int, Bucket] = OrderedDict()
        self.waiting = 0
        """How many calls wait for records now."""

    def admit(
        self,
        stream: Stream,
        shard: Shard,
        reader: ReaderNumber,
        write_units: int | None,
        now_ms: float,
    ) -> Admission:
        """Count a call of GetRecords, and let it go on.

        `write_units` is the provisioned write capacity of the stream's table, None where it has
        none. Raises LimitExceededException where throttling is on, and two others read the shard or
        the stream was read at more than its rate. A call beyond a limit takes nothing of the rate:
        without throttling, the calls are counted that would have been refused.
        """
        reading = self._reading(stream, shard)
        rate = None if write_units is None else self._rate(stream, write_units, now_ms)
        reading.calls += 1
        beyond_readers = reading.is_beyond(reader, now_ms)
        beyond_rate = rate is not None and rate.level(now_ms) <= 0
        if not beyond_readers or not self._throttling:
            reading.note(reader, now_ms)
        if not beyond_readers and not beyond_rate:
            return Admission(reading, reader, rate)
        reading.calls_beyond_readers += beyond_readers
        reading.calls_beyond_rate += beyond_rate
        if self._throttling:
            reading.calls_throttled += 1
            raise streams.too_many_readers() if beyond_readers else streams.read_rate_exceeded()
        return Admission(reading, reader, None)

    def shown(self, now_ms: float, arn_prefix: str = "") -> list[dict[str, Any]]:
        """Return the counts of each shard of the streams with that prefix, in their order."""
        chosen = [
            reading
            for reading in self._readings.values()
            if reading.stream_arn.startswith(arn_prefix)
        ]
        chosen.sort(key=lambda reading: (reading.stream_arn, reading.shard_id))
        return [reading.shown(now_ms) for reading in chosen]

    def _reading(self, stream: Stream, shard: Shard) -> ShardReading:
        key = (stream.number, shard.number)
        reading = self._readings.get(key)
        if reading is None:
            if len(self._readings) >= limits.shards_remembered_max:
                self._readings.popitem(last=False)
            reading = self._readings[key] = ShardReading(stream, shard)
        else:
            self._readings.move_to_end(key)
        return reading

    def _rate(self, stream: Stream, write_units: int, now_ms: float) -> Bucket:
        """Return what is left of a stream's rate; it begins full, for what was written before."""
        records, seconds = (
            limits.stream_reads_per_write_unit * write_units,
            limits.throughput_burst_seconds,
        )
        rate = self._rates.get(stream.number)
        if rate is None:
            if len(self._rates) >= limits.throughput_buckets_max:
                self._rates.popitem(last=False)
            rate = Bucket(records, seconds, now_ms, begin=records * seconds)
            self._rates[stream.number] = rate
        else:
            self._rates.move_to_end(stream.number)
        rate.set_rate(records, seconds)
        return rate
