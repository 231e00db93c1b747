"""A stream at any endpoint that speaks DynamoDB Streams, read as an ordinary boto3 client reads it.

boto3's calls block: each has a thread. Positions are places in a shard:

| text | reading begins |
|---|---|
| `trim` | with the oldest record that is kept |
| `after:N` | behind the record of sequence number N |
| `since:S` | with the first record of second S (epoch), or a later one |
| `since:S:after:N` | the same, where all up to N is known to be older |

`since` is what LATEST becomes: a text that means the same after a restart. `fix_latest` asks for an
iterator at the tip of every open shard; as long as it lives, what is older is not even read.

Where the endpoint is a server of ours it is asked to hold a read while there is nothing
(docs/decisions/0016), and `wait` hears of a change at once. Others are polled, four times a second.
"""

import asyncio
import re
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, NamedTuple

from botocore.exceptions import BotoCoreError, ClientError

from penstock.base import limits
from penstock.base.clock import Clock
from penstock.consumers.events import encode_event_record
from penstock.consumers.source import (
    Source,
    SourceGone,
    SourcePage,
    SourceRecord,
    SourceShard,
    SourceUnavailable,
)

TRIM_HORIZON = "trim"

_HELD_EVENT = "before-sign.dynamodb-streams.GetRecords"
_HELD_HEADER = "X-Penstock-Wait-Ms"
_OWN_SERVER = "Penstock"
_MISSING = "ResourceNotFoundException"
_EXPIRED = "ExpiredIteratorException"
_TRIMMED = "TrimmedDataAccessException"

_POSITION = re.compile(
    r"trim|(?:since:(?P<since>[0-9]{1,15})(?:$|:(?=a)))?(?:after:(?P<after>[0-9]{1,40}))?"
)


class Position(NamedTuple):
    """A position, read: see the table above. Without either it is the trim horizon."""

    since_s: int | None = None
    after: str | None = None

    @classmethod
    def of(cls, text: str) -> "Position":
        """Return what `text` says; ValueError where it is no position."""
        found = _POSITION.fullmatch(text)
        if not text or found is None:
            raise ValueError(f"{text!r} is no position of a shard")
        return cls(int(found["since"]) if found["since"] else None, found["after"])

    def __str__(self) -> str:
        parts = [] if self.since_s is None else [f"since:{self.since_s}"]
        parts += [] if self.after is None else [f"after:{self.after}"]
        return ":".join(parts) or TRIM_HORIZON


@dataclass(slots=True)
class _Place:
    """How far a shard was read: the iterator at a position, and what was read ahead from there."""

    position: str | None = None
    iterator: str | None = None
    ahead: Mapping[str, Any] | None = None
    limit: int = limits.get_records_max
    """How many are wanted of what is read: the server is always asked for as many as it gives."""
    held: asyncio.Future[None] | None = None
    """The read that the server was asked to hold last."""
    read_ms: float = float("-inf")


class RemoteSource(Source):
    """A stream by its ARN; `client` is a boto3 client of `dynamodbstreams`, for this source alone.

    The client should try little by itself: whoever reads tries again.
    """

    def __init__(self, client: Any, stream_arn: str, clock: Clock) -> None:
        self._client = client
        self._stream_arn = stream_arn
        self._clock = clock
        self._threads = ThreadPoolExecutor(limits.remote_reads_max, "penstock-remote-read")
        self._places: dict[str, _Place] = {}
        self._past: set[str] = set()
        self._partition_key: str | None = None
        self._own = threading.local()
        self._can_hold = False
        self._held = 0
        client.meta.events.register(_HELD_EVENT, self._ask_to_wait)

    @property
    def partition_key(self) -> str | None:
        return self._partition_key

    async def fix_latest(self, now_ms: int) -> None:
        """Let LATEST of a mapping that is created now, at `now_ms`, mean the tips of this moment.

        Shards that are closed are over and done; those born while this looks are read whole.
        """
        listed = await self.shards()
        open_ids = {shard.id for shard in listed if not shard.is_closed}
        since = str(Position(now_ms // 1000))
        for shard in listed:
            if shard.parent in open_ids:
                open_ids.discard(shard.id)  # its parent was open a moment ago: it has just begun
            elif shard.is_closed:
                self._past.add(shard.id)
        for shard_id in sorted(open_ids):
            place = self._place(shard_id)
            place.iterator = await self._iterator(shard_id, {"ShardIteratorType": "LATEST"})
            place.position = since

    async def shards(self) -> Sequence[SourceShard]:
        try:
            listed = await self._on_thread(self._list_shards)
        except (ClientError, BotoCoreError) as failure:
            raise _failed(failure) from failure
        known = {shard.id for shard in listed}
        for gone in self._places.keys() - known:
            del self._places[gone]
        self._past &= known
        return sorted(listed)

    async def begin(self, shard_id: str, starting_position: str, created_ms: int) -> str | None:
        if starting_position == "TRIM_HORIZON":
            return TRIM_HORIZON
        return None if shard_id in self._past else str(Position(created_ms // 1000))

    async def read(self, shard_id: str, position: str, limit: int) -> SourcePage:
        place = self._place(shard_id)
        asked = Position.of(position)
        place.limit = min(limit, limits.get_records_max)
        try:
            answer, trimmed = await self._answer(place, shard_id, asked)
        except (ClientError, BotoCoreError) as failure:
            if _code(failure) == _MISSING:
                return await self._without(shard_id)
            raise _failed(failure) from failure
        return self._page(place, asked, answer, trimmed)

    def after(self, record: SourceRecord) -> str:
        return str(Position(after=record.sequence_number))

    async def wait(self, shard_id: str, position: str, seconds_max: float) -> None:
        place = self._place(shard_id)
        wait_ms = min(int(seconds_max * 1000), limits.feed_held_ms)
        is_known = place.position == position and place.iterator is not None
        is_full = self._held >= limits.remote_held_reads_max
        if not (self._can_hold and is_known) or is_full or wait_ms == 0:
            next_ms = place.read_ms + limits.remote_poll_ms
            left_ms = min(next_ms - self._clock.elapsed_ms(), seconds_max * 1000)
            await asyncio.sleep(max(0.0, left_ms) / 1000)
            return
        if place.ahead is not None:
            return
        if place.held is None or place.held.done():
            place.held = asyncio.ensure_future(self._hold(place, position, wait_ms))
        await asyncio.wait((place.held,), timeout=seconds_max)

    def close(self) -> None:
        """Begin no more reads; threads end with those that they have under way."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    # --- one shard

    def _place(self, shard_id: str) -> _Place:
        return self._places.setdefault(shard_id, _Place())

    async def _answer(
        self, place: _Place, shard_id: str, asked: Position
    ) -> tuple[Mapping[str, Any], bool]:
        """Return the page at a position, and whether records between the two were trimmed."""
        trimmed = False
        if place.position == str(asked):
            if (ahead := place.ahead) is not None:
                place.ahead = None
                return ahead, False
            if place.iterator is not None:
                try:
                    return await self._get_records(place, place.iterator), False
                except ClientError as failure:
                    if _code(failure) not in {_EXPIRED, _TRIMMED}:
                        raise
                    trimmed = _code(failure) == _TRIMMED
        place.position, place.iterator, place.ahead = str(asked), None, None
        kind = {"ShardIteratorType": "TRIM_HORIZON"}
        try:
            if asked.after is not None:
                after = {"SequenceNumber": asked.after}
                place.iterator = await self._iterator(
                    shard_id, {"ShardIteratorType": "AFTER_SEQUENCE_NUMBER"} | after
                )
            else:
                place.iterator = await self._iterator(shard_id, kind)
            return await self._get_records(place, place.iterator), trimmed
        except ClientError as failure:
            if _code(failure) != _TRIMMED:
                raise
        place.iterator = await self._iterator(shard_id, kind)
        return await self._get_records(place, place.iterator), True

    async def _iterator(self, shard_id: str, kind: Mapping[str, str]) -> str:
        def ask() -> Mapping[str, Any]:
            answer: Mapping[str, Any] = self._client.get_shard_iterator(
                StreamArn=self._stream_arn, ShardId=shard_id, **kind
            )
            return answer

        answer = await self._on_thread(ask)
        self._note_server(answer)
        return str(answer["ShardIterator"])

    async def _get_records(
        self, place: _Place, iterator: str, wait_ms: int = 0
    ) -> Mapping[str, Any]:
        def ask() -> Mapping[str, Any]:
            self._own.wait_ms = wait_ms
            answer: Mapping[str, Any] = self._client.get_records(
                ShardIterator=iterator, Limit=limits.get_records_max
            )
            return answer

        place.read_ms = self._clock.elapsed_ms()
        given: Mapping[str, Any] = await self._on_thread(ask)
        return given

    async def _hold(self, place: _Place, position: str, wait_ms: int) -> None:
        """Read at the place once the server has something, and keep that for who reads next."""
        iterator = place.iterator
        assert iterator is not None  # `wait`
        self._held += 1
        try:
            answer = await self._get_records(place, iterator, wait_ms)
        except (ClientError, BotoCoreError):
            place.iterator = None  # who reads next finds out what is wrong
            return
        finally:
            self._held -= 1
        if place.position == position and place.iterator == iterator:
            place.ahead = answer
        if not answer["Records"] and answer.get("NextShardIterator") is not None:
            # A server that holds too many reads answers at once: then this is polling, too.
            next_ms = place.read_ms + min(wait_ms, limits.remote_poll_ms)
            await asyncio.sleep(max(0.0, next_ms - self._clock.elapsed_ms()) / 1000)

    def _page(
        self, place: _Place, asked: Position, answer: Mapping[str, Any], trimmed: bool
    ) -> SourcePage:
        """Return the records of an answer that are wanted, and note where reading goes on."""
        given = answer["Records"]
        records = [_record(record, self._stream_arn) for record in given[: place.limit]]
        since_ms = 0 if asked.since_s is None else asked.since_s * 1000
        wanted = [record for record in records if record.created_ms >= since_ms]
        after = asked
        if records:
            is_past = bool(wanted) or asked.since_s is None
            after = Position(None if is_past else asked.since_s, records[-1].sequence_number)
        elif trimmed:
            after = Position(asked.since_s)
        place.position, place.ahead = str(after), None
        place.iterator = answer.get("NextShardIterator")
        if len(given) > len(records):  # the rest is for who asks next
            place.ahead = {**answer, "Records": given[len(records) :]}
        elif place.iterator is None:
            return SourcePage(wanted, None, at_tip=True, trimmed=trimmed)
        return SourcePage(wanted, place.position, at_tip=not given, trimmed=trimmed)

    async def _without(self, shard_id: str) -> SourcePage:
        """Return the end of a shard that its stream does not have any more, or raise SourceGone."""
        if any(shard.id == shard_id for shard in await self.shards()):
            raise SourceUnavailable(f"{shard_id} is listed, but cannot be read")
        return SourcePage((), None, at_tip=True, trimmed=True)

    # --- on a thread

    async def _on_thread(self, ask: Callable[[], Any]) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._threads, ask)

    def _list_shards(self) -> list[SourceShard]:
        listed: list[SourceShard] = []
        page: dict[str, str] = {}
        while True:
            answer = self._client.describe_stream(StreamArn=self._stream_arn, **page)
            self._note_server(answer)
            described = answer["StreamDescription"]
            listed += map(_shard, described["Shards"])
            for key in described.get("KeySchema", ()):
                if key["KeyType"] == "HASH":
                    self._partition_key = key["AttributeName"]
            last = described.get("LastEvaluatedShardId")
            if last is None:
                return listed
            page = {"ExclusiveStartShardId": last}

    def _note_server(self, answer: Mapping[str, Any]) -> None:
        headers = answer.get("ResponseMetadata", {}).get("HTTPHeaders", {})
        self._can_hold = headers.get("server") == _OWN_SERVER

    def _ask_to_wait(self, request: Any, **_: Any) -> None:
        """Add the header to a request of a thread of ours: boto3 calls this on the thread."""
        if wait_ms := getattr(self._own, "wait_ms", 0):
            request.headers[_HELD_HEADER] = str(wait_ms)


def _shard(listed: Mapping[str, Any]) -> SourceShard:
    is_closed = "EndingSequenceNumber" in listed["SequenceNumberRange"]
    return SourceShard(listed["ShardId"], listed.get("ParentShardId"), is_closed)


def _record(given: Mapping[str, Any], stream_arn: str) -> SourceRecord:
    """Return a record as a function gets it, out of what boto3 makes of it."""
    change = given["dynamodb"]
    created_s = float(change["ApproximateCreationDateTime"].timestamp())
    record = {**given, "dynamodb": {**change, "ApproximateCreationDateTime": created_s}}
    data = encode_event_record(record, stream_arn)
    return SourceRecord(data, change["SequenceNumber"], int(created_s * 1000))


def _code(failure: Exception) -> str:
    if isinstance(failure, ClientError):
        return str(failure.response.get("Error", {}).get("Code", ""))
    return ""


def _failed(failure: Exception) -> SourceGone | SourceUnavailable:
    """Return what a failed call means to whoever reads."""
    text = " ".join(str(failure).split())
    if isinstance(failure, ClientError):
        text = f"{_code(failure)}: {failure.response.get('Error', {}).get('Message', '')}"
        if _code(failure) == _MISSING:
            return SourceGone(text)
    return SourceUnavailable(text)
