"""A stream of this store as the source of a mapping."""

from collections.abc import Sequence
from typing import NamedTuple

from penstock.base.clock import Clock
from penstock.base.errors.api import ApiError
from penstock.consumers.events import event_record, sequence_number_of, source_member
from penstock.consumers.source import SourceGone, SourcePage, SourceRecord, SourceShard
from penstock.storage.waist import Engine, Reader, Stamp, last_stamp, stamp_at, stamp_ms
from penstock.streams.read import Page, Place, begin, read_page
from penstock.streams.sequence import stamp_of_sequence
from penstock.streams.stream import Shard, Stream, find_shard, find_stream, shards_of

_GAPLESS = "+"


class _Read(NamedTuple):
    page: Page
    tip: Stamp
    trimmed: bool


class LocalSource:
    """The stream of that ARN. A position is a stamp, with a `+` where nothing below it is owed."""

    def __init__(self, engine: Engine, clock: Clock, stream_arn: str) -> None:
        self._engine = engine
        self._clock = clock
        self._arn = stream_arn
        self._member = source_member(stream_arn)
        self._partition_key: str | None = None
        self._logs: dict[str, bytes] = {}

    @property
    def partition_key(self) -> str | None:
        """The name of the attribute that is the partition key, once the shards were asked for."""
        return self._partition_key

    async def shards(self) -> Sequence[SourceShard]:
        """Return all shards that can be read; SourceGone where the stream is no more."""
        now_ms = self._clock.now_ms()

        def work(reader: Reader) -> tuple[Stream, list[Shard]]:
            stream = self._stream(reader)
            return stream, shards_of(reader, stream)

        stream, shards = self._engine.snapshot(work)
        hash_keys = (key for key in stream.key_schema if key["KeyType"] == "HASH")
        self._partition_key = next(hash_keys)["AttributeName"]
        return [
            SourceShard(shard.id, shard.parent, shard.end is not None)
            for shard in shards
            if not shard.has_expired(now_ms)
        ]

    async def begin(self, shard_id: str, starting_position: str, created_ms: int) -> str | None:
        """Return where to begin in a shard, or None where nothing of it is wanted."""

        def work(reader: Reader) -> str | None:
            stream, shard = self._found(reader, shard_id)
            if starting_position != "LATEST":
                place = begin(reader, stream, shard, "TRIM_HORIZON", None, self._clock.now_ms())
                return _position(place)
            since = stamp_at(created_ms)
            if shard.end is not None and shard.end < since:
                return None
            last = last_stamp(reader, stream.log(shard.number))
            if shard.start >= since:
                return _position(Place(shard.start, gapless=True))
            return _position(Place(since, gapless=last < since))

        return self._engine.snapshot(work)

    async def read(self, shard_id: str, position: str, limit: int) -> SourcePage:
        """Return at most `limit` records from `position` on."""
        now_ms = self._clock.now_ms()
        place = _place(position)

        def work(reader: Reader) -> _Read:
            stream, shard = self._found(reader, shard_id)
            trimmed = False
            try:
                page = read_page(reader, stream, shard, place, limit, now_ms)
            except ApiError:  # the only one: what is owed lies past the horizon
                trimmed = True
                start = begin(reader, stream, shard, "TRIM_HORIZON", None, now_ms)
                page = read_page(reader, stream, shard, start, limit, now_ms)
            return _Read(page, last_stamp(reader, stream.log(shard.number)), trimmed)

        page, tip, trimmed = self._engine.snapshot(work)
        records = [self._record(stored) for stored in page.records]
        at_tip = page.next is None or page.next.position > tip
        following = None if page.next is None else _position(page.next)
        return SourcePage(records, following, at_tip, trimmed)

    def after(self, record: SourceRecord) -> str:
        """Return the position behind a record."""
        stamp = stamp_of_sequence(record.sequence_number)
        assert stamp is not None  # one of ours
        return str(stamp + 1)

    async def wait(self, shard_id: str, position: str, seconds_max: float) -> None:
        """Return when there may be something to read at `position`, or after `seconds_max`."""
        log = self._logs.get(shard_id)
        if log is None:
            log = self._engine.snapshot(lambda reader: self._log(reader, shard_id))
            self._logs[shard_id] = log
        seen = _place(position).position - 1
        future = self._engine.watch(log, seen, seconds_max)
        try:
            # What came since `position` was found, while others ran, has woken nobody.
            if not self._engine.snapshot(lambda reader: self._has_more(reader, shard_id, seen)):
                await future
        finally:
            future.cancel()

    def _record(self, stored: bytes) -> SourceRecord:
        number = sequence_number_of(stored)
        stamp = stamp_of_sequence(number)
        assert stamp is not None  # one of ours
        return SourceRecord(event_record(stored, self._member), number, stamp_ms(stamp))

    def _stream(self, reader: Reader) -> Stream:
        stream = find_stream(reader, self._arn)
        if stream is None or stream.has_expired(self._clock.now_ms()):
            raise SourceGone(self._arn)
        return stream

    def _found(self, reader: Reader, shard_id: str) -> tuple[Stream, Shard]:
        stream = self._stream(reader)
        shard = find_shard(reader, stream, shard_id)
        if shard is None:
            raise SourceGone(f"{shard_id} of {self._arn}")
        return stream, shard

    def _has_more(self, reader: Reader, shard_id: str, seen: Stamp) -> bool:
        stream, shard = self._found(reader, shard_id)
        return shard.end is not None or last_stamp(reader, stream.log(shard.number)) > seen

    def _log(self, reader: Reader, shard_id: str) -> bytes:
        stream, shard = self._found(reader, shard_id)
        return stream.log(shard.number)


def _position(place: Place) -> str:
    return f"{place.position}{_GAPLESS if place.gapless else ''}"


def _place(position: str) -> Place:
    return Place(int(position.rstrip(_GAPLESS)), gapless=position.endswith(_GAPLESS))
