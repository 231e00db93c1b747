"""Reading a table's stream the right way: every shard, parents before children, nothing skipped.

A `Feed` is an ordinary client of DynamoDB Streams, of any server. It promises that the changes of
one item come in order, each once, unless the server trimmed records first: then it says so through
`on_notice`, as it does when reading fails and when it goes on. It waits only through its stop
event, and every wait has a limit.

Where a server of ours is asked (`held_reads`), open shards are not polled: each has a read at the
server, which answers it when there is something, and the feed waits for the answers.
"""

import threading
from collections.abc import Callable, Generator, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any, Literal

from botocore.exceptions import BotoCoreError, ClientError

from penstock.app.failures import Failure, error_code, failure_text, may_pass
from penstock.app.held_reads import HeldReads, Outcome, StreamsClient, can_hold
from penstock.base import limits
from penstock.base.clock import Clock
from penstock.base.ids import Entropy

Start = Literal["LATEST", "TRIM_HORIZON"]

_RESUMED = {"ExpiredIteratorException", "TrimmedDataAccessException"}
_JITTER_BITS = 10


class FeedError(Exception):
    """The stream cannot be read any further; the text is one line for a person."""


@dataclass(frozen=True, slots=True)
class Change:
    """One stream record as GetRecords gave it, its shard, and when it came (`Clock.elapsed_ms`)."""

    record: Mapping[str, Any]
    shard_id: str
    received_ms: float


@dataclass(frozen=True, slots=True)
class Pace:
    """How often open shards are polled, in milliseconds.

    A shard that gave records is read again after `idle_ms_min`, an empty one after twice its last
    wait up to `idle_ms_max`, or at once where the server held the read. Between two rounds the feed
    rests for `rest_share` of the time that the round took, so that a reader on the server's machine
    leaves it room to work.
    """

    idle_ms_min: float = limits.feed_idle_ms_min
    idle_ms_max: float = limits.feed_idle_ms_max
    rest_share: float = 1.0


class _State(Enum):
    WAITING = auto()  # for its parent, or for an iterator
    OPEN = auto()
    FINISHED = auto()


@dataclass(slots=True)
class _Trouble:
    """The failures of one shard, or of discovery, since its last success."""

    failures: int = 0
    since_ms: float = 0.0


@dataclass(slots=True)
class _Shard:
    shard_id: str
    parent_id: str | None
    start: Start
    state: _State = _State.WAITING
    iterator: str | None = None
    seen: str | None = None  # the last sequence number given out
    opened_s: int | None = None  # when LATEST was asked for
    since_s: int | None = None  # if set, records created before this second are left out
    idle_ms: float = 0.0
    due_ms: float = 0.0
    at_tip: bool = False  # its last read found nothing more
    trouble: _Trouble = field(default_factory=_Trouble)


@dataclass(slots=True)
class _Discovery:
    due_ms: float = 0.0
    wait_ms: float = limits.feed_discovery_ms_min
    status: str = "ENABLED"
    first: bool = True
    trouble: _Trouble = field(default_factory=_Trouble)


class Feed:
    """All changes of one stream from a start position on; one thread calls it at a time.

    Raises `FeedError` when the stream does not exist (any more), when the server refuses a request,
    and when a shard cannot be read for `limits.feed_trouble_ms_max`.
    """

    def __init__(
        self,
        client: StreamsClient,
        stream_arn: str,
        *,
        clock: Clock,
        start: Start = "LATEST",
        pace: Pace | None = None,
        stop: threading.Event | None = None,
        on_notice: Callable[[str], None] = lambda _: None,
        entropy: Entropy | None = None,
        held_reads: HeldReads | None = None,
    ) -> None:
        self._client = client
        self._stream_arn = stream_arn
        self._clock = clock
        self._start: Start = start
        self._pace = pace or Pace()
        self._stop = stop or threading.Event()
        self._on_notice = on_notice
        self._entropy = entropy or Entropy()
        self._shards: dict[str, _Shard] = {}
        self._discovery = _Discovery()
        self._noticed = ""
        self._in_trouble = False  # and told so
        self._pool: ThreadPoolExecutor | None = None
        self._held_reads = held_reads
        self._can_hold = False  # by what the server says of itself
        self.shards_read: set[str] = set()

    def changes(self) -> Iterator[Change]:
        """Yield changes as they come, until told to stop or a disabled stream is at its end."""
        for batch in self.batches():
            yield from batch

    def batches(self) -> Iterator[list[Change]]:
        """Yield the changes of one read of one shard at a time, never an empty list."""
        try:
            self.open()
            while not self._stop.is_set() and not self.ended:
                began_ms = self._clock.elapsed_ms()
                if self._held_reads is not None and self._can_hold:
                    began_ms = yield from self._held(self._held_reads, began_ms)
                else:
                    yield from self._round(began_ms)
                self._tell_recovery()
                self._rest(began_ms)
        finally:
            if self._held_reads is not None:
                self._held_reads.close()
            if self._pool is not None:
                self._pool.shutdown(wait=False, cancel_futures=True)

    def present(self, seconds_max: float) -> list[Change]:
        """Return what is in the stream at this call and was not given out yet.

        It may hold some changes that came meanwhile. Raises `FeedError` also where the tips of all
        shards are not reached within `seconds_max`.
        """
        self.open()
        deadline_ms = self._clock.elapsed_ms() + seconds_max * 1000.0
        self._discovery.due_ms = 0.0
        for shard in self._shards.values():
            shard.due_ms, shard.at_tip = 0.0, False
        found: list[Change] = []
        while True:
            began_ms = self._clock.elapsed_ms()
            for batch in self._round(began_ms):
                found += batch
            if self._at_all_tips():
                return found
            if self._clock.elapsed_ms() > deadline_ms or self._stop.is_set():
                raise FeedError(f"the stream was not read to its end within {seconds_max} s")
            self._rest(began_ms)

    def open(self) -> None:
        """Find the shards and fix the start in each, so that LATEST means the moment of this call.

        Unlike later calls it does not try again: a first call that fails raises `FeedError`.
        """
        if not self._discovery.first:
            return
        try:
            self._discover()
            self._plan_discovery(self._clock.elapsed_ms())
            for shard in self._ready_shards():
                if shard.start == "LATEST":
                    self._acquire(shard)
        except (ClientError, BotoCoreError) as failure:
            raise FeedError(failure_text(failure)) from failure

    @property
    def ended(self) -> bool:
        """Whether the stream is disabled and all of it was read: no more changes will come."""
        return self._discovery.status == "DISABLED" and all(
            shard.state is _State.FINISHED for shard in self._shards.values()
        )

    def _at_all_tips(self) -> bool:
        discovered = self._discovery.trouble.failures == 0 and not self._children_missing()
        return discovered and all(shard.at_tip for shard in self._ready_shards())

    # --- one round: discovery when due, then every shard that is due

    def _round(self, now_ms: float) -> Iterator[list[Change]]:
        if now_ms >= self._discovery.due_ms:
            self._attempt_discovery(now_ms)
        due = [shard for shard in self._ready_shards() if shard.due_ms <= now_ms]
        for batch in self._read_all(due):
            if batch:
                yield batch

    def _read_all(self, due: list[_Shard]) -> Iterator[list[Change]]:
        if len(due) <= limits.feed_serial_shards_max:  # one connection, no thread hop
            return map(self._read, due)
        if self._pool is None:
            self._pool = ThreadPoolExecutor(limits.feed_threads_max, "penstock-feed")
        return self._pool.map(self._read, due)

    def _rest(self, began_ms: float) -> None:
        now_ms = self._clock.elapsed_ms()
        ready = self._ready_shards()
        due_ms = min([self._discovery.due_ms, *(shard.due_ms for shard in ready)])
        share_ms = min((now_ms - began_ms) * self._pace.rest_share, self._pace.idle_ms_max)
        rest_ms = max(due_ms - now_ms, share_ms)
        if rest_ms > 0:
            self._stop.wait(min(rest_ms, limits.feed_wait_ms_max) / 1000.0)

    # --- the same where the server holds reads

    def _held(self, reads: HeldReads, now_ms: float) -> Generator[list[Change], None, float]:
        """Begin the reads that are due, take what has ended, and return when that began."""
        if now_ms >= self._discovery.due_ms:
            self._attempt_discovery(now_ms)
        ready = self._ready_shards()
        wait_ms = limits.feed_held_ms if len(ready) <= limits.feed_held_reads_max else 0
        dues_ms = [self._discovery.due_ms]
        for shard in ready:
            if shard.shard_id in reads.under_way:
                continue
            if shard.due_ms > now_ms:
                dues_ms.append(shard.due_ms)
            elif len(reads.under_way) < limits.feed_held_reads_max:
                self._begin(reads, shard, wait_ms)
        left_ms = min(*dues_ms, now_ms + limits.feed_stop_ms_max) - self._clock.elapsed_ms()
        outcomes = reads.ended(max(0.0, left_ms) / 1000.0)
        waited_ms = self._clock.elapsed_ms()
        for outcome in outcomes:
            if batch := self._take_outcome(outcome):
                yield batch
        return waited_ms

    def _begin(self, reads: HeldReads, shard: _Shard, wait_ms: int) -> None:
        try:
            reads.begin(shard.shard_id, shard.iterator or self._acquire(shard), wait_ms)
        except (ClientError, BotoCoreError) as failure:
            self._recover(shard, failure)

    def _take_outcome(self, outcome: Outcome) -> list[Change]:
        shard, answer = self._shards[outcome.shard_id], outcome.answer
        if isinstance(answer, (ClientError, BotoCoreError)):
            self._recover(shard, answer)
            return []
        if isinstance(answer, Exception):
            raise answer
        batch = self._take(shard, answer, outcome.received_ms)
        if outcome.waited:
            shard.due_ms = 0.0
        return batch

    # --- shards

    def _ready_shards(self) -> list[_Shard]:
        return [
            shard
            for shard in self._shards.values()
            if shard.state is _State.OPEN
            or (shard.state is _State.WAITING and self._parent_finished(shard))
        ]

    def _parent_finished(self, shard: _Shard) -> bool:
        parent = self._shards.get(shard.parent_id or "")
        return parent is None or parent.state is _State.FINISHED

    def _attempt_discovery(self, now_ms: float) -> None:
        discovery = self._discovery
        try:
            self._discover()
        except (ClientError, BotoCoreError) as failure:
            discovery.due_ms = now_ms + self._judge(discovery.trouble, failure)
            return
        discovery.trouble.failures = 0
        self._plan_discovery(now_ms)

    def _plan_discovery(self, now_ms: float) -> None:
        discovery = self._discovery
        if self._children_missing():
            discovery.due_ms = now_ms + discovery.wait_ms
            discovery.wait_ms = min(discovery.wait_ms * 2, limits.feed_discovery_ms_max)
        else:
            discovery.due_ms = now_ms + limits.feed_discovery_ms_max
            discovery.wait_ms = limits.feed_discovery_ms_min

    def _children_missing(self) -> bool:
        """Return whether a finished shard of a living stream has no child yet."""
        parents = {shard.parent_id for shard in self._shards.values()}
        return self._discovery.status != "DISABLED" and any(
            shard.state is _State.FINISHED and shard.shard_id not in parents
            for shard in self._shards.values()
        )

    def _discover(self) -> None:
        listed, status = self._listed_shards()
        names = {shard["ShardId"] for shard in listed}
        young = _born_meanwhile(listed)
        for shard in listed:
            if shard["ShardId"] not in self._shards:
                self._shards[shard["ShardId"]] = self._new_shard(shard, young)
        for gone in self._shards.keys() - names:
            if self._shards[gone].state is _State.FINISHED:
                del self._shards[gone]
        self._discovery.status = status
        self._discovery.first = False

    def _listed_shards(self) -> tuple[list[Mapping[str, Any]], str]:
        listed: list[Mapping[str, Any]] = []
        page: dict[str, str] = {}
        while True:
            answer = self._client.describe_stream(StreamArn=self._stream_arn, **page)
            description = answer["StreamDescription"]
            listed += description["Shards"]
            last = description.get("LastEvaluatedShardId")
            if last is None:
                return listed, description["StreamStatus"]
            page = {"ExclusiveStartShardId": last}

    def _new_shard(self, listed: Mapping[str, Any], young: set[str]) -> _Shard:
        """Return the state of a shard just seen.

        LATEST holds only for the shards open at the first look. Those born during that look, the
        `young`, are read whole, after their parents.
        """
        shard = _Shard(listed["ShardId"], listed.get("ParentShardId"), "TRIM_HORIZON")
        if self._start == "LATEST" and self._discovery.first and shard.shard_id not in young:
            if _is_closed(listed):
                shard.state = _State.FINISHED
            else:
                shard.start = "LATEST"
        return shard

    # --- reading one shard

    def _read(self, shard: _Shard) -> list[Change]:
        try:
            iterator = shard.iterator or self._acquire(shard)
            answer = self._client.get_records(ShardIterator=iterator)
        except (ClientError, BotoCoreError) as failure:
            self._recover(shard, failure)
            return []
        received_ms = self._clock.elapsed_ms()
        return self._take(shard, answer, received_ms)

    def _take(self, shard: _Shard, answer: Mapping[str, Any], received_ms: float) -> list[Change]:
        shard.trouble.failures = 0
        records = answer["Records"]
        shard.at_tip = not records
        if records:
            shard.seen = records[-1]["dynamodb"]["SequenceNumber"]
            shard.idle_ms = self._pace.idle_ms_min
        else:
            doubled = max(shard.idle_ms * 2, self._pace.idle_ms_min)
            shard.idle_ms = min(doubled, self._pace.idle_ms_max)
        shard.due_ms = received_ms + shard.idle_ms
        shard.iterator = answer.get("NextShardIterator")
        if shard.iterator is None:
            self._finish(shard)
        return [Change(record, shard.shard_id, received_ms) for record in _wanted(shard, records)]

    def _acquire(self, shard: _Shard) -> str:
        answer = self._client.get_shard_iterator(
            StreamArn=self._stream_arn, ShardId=shard.shard_id, **self._position(shard)
        )
        self._can_hold = self._can_hold or can_hold(answer)
        shard.iterator = iterator = str(answer["ShardIterator"])
        shard.state = _State.OPEN
        self.shards_read.add(shard.shard_id)
        return iterator

    def _position(self, shard: _Shard) -> dict[str, str]:
        if shard.seen is not None:
            return {
                "ShardIteratorType": "AFTER_SEQUENCE_NUMBER",
                "SequenceNumber": shard.seen,
            }
        if shard.start == "TRIM_HORIZON":
            return {"ShardIteratorType": "TRIM_HORIZON"}
        if shard.opened_s is None:
            shard.opened_s = self._clock.now_ms() // 1000
            return {"ShardIteratorType": "LATEST"}
        # The first iterator was lost before a record came. LATEST again would skip what was written
        # meanwhile: read from the horizon, and leave out what is older than the first call.
        shard.since_s = shard.opened_s
        return {"ShardIteratorType": "TRIM_HORIZON"}

    def _finish(self, shard: _Shard) -> None:
        shard.state = _State.FINISHED
        shard.iterator = None
        if any(other.parent_id == shard.shard_id for other in self._shards.values()):
            return
        self._discovery.due_ms = 0.0  # look for its children at once
        self._discovery.wait_ms = limits.feed_discovery_ms_min

    # --- when a call fails

    def _recover(self, shard: _Shard, failure: Failure) -> None:
        """Put `shard` where its next read can go on; raise `FeedError` if none can."""
        code = error_code(failure)
        if code == "ResourceNotFoundException":
            self._notice(f"{shard.shard_id} is gone from the stream")
            self._finish(shard)
            return
        if code == "ExpiredIteratorException":
            shard.iterator = None
        elif code == "TrimmedDataAccessException":
            shard.iterator = shard.seen = None
            shard.start = "TRIM_HORIZON"
            self._notice(f"records of {shard.shard_id} were trimmed before they were read")
        wait_ms = self._judge(shard.trouble, failure)
        shard.due_ms = self._clock.elapsed_ms() + wait_ms

    def _judge(self, trouble: _Trouble, failure: Failure) -> float:
        """Return the milliseconds to wait before trying again, or raise `FeedError`."""
        text, resumes = failure_text(failure), error_code(failure) in _RESUMED
        if not resumes and not may_pass(failure):
            raise FeedError(text) from failure
        now_ms = self._clock.elapsed_ms()
        if trouble.failures == 0:
            trouble.since_ms = now_ms
        elif now_ms - trouble.since_ms > limits.feed_trouble_ms_max:
            raise FeedError(f"gave up after trying again and again: {text}") from failure
        trouble.failures += 1
        if not resumes:
            self._notice(f"{text}; trying again")
            self._in_trouble = True
        return self._backoff_ms(trouble.failures)

    def _tell_recovery(self) -> None:
        """Say that reading goes on, once nothing fails any more."""
        troubles = [self._discovery.trouble, *(shard.trouble for shard in self._shards.values())]
        if self._in_trouble and not any(trouble.failures for trouble in troubles):
            self._in_trouble = False
            self._notice("reading again")

    def _notice(self, text: str) -> None:
        if text != self._noticed:
            self._noticed = text
            self._on_notice(text)

    def _backoff_ms(self, failures: int) -> float:
        """Return a wait that doubles with each failure, of which the upper half is random."""
        doubled = limits.feed_backoff_ms_min * (1 << min(failures - 1, 16))
        most = min(doubled, limits.feed_backoff_ms_max)
        share = self._entropy.bits(_JITTER_BITS) / (1 << _JITTER_BITS)
        return most / 2 + most / 2 * share


def _is_closed(listed: Mapping[str, Any]) -> bool:
    return "EndingSequenceNumber" in listed["SequenceNumberRange"]


def _born_meanwhile(listed: list[Mapping[str, Any]]) -> set[str]:
    """Return the shards that descend from one which the same look, over several pages, saw open."""
    born: set[str] = set()
    parents = {shard["ShardId"] for shard in listed if not _is_closed(shard)}
    while parents:
        parents = {
            each["ShardId"] for each in listed if each.get("ParentShardId") in parents
        } - born
        born |= parents
    return born


def _wanted(shard: _Shard, records: list[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    if shard.since_s is None or not records:
        return records
    since_s = shard.since_s
    wanted = [
        record
        for record in records
        if record["dynamodb"]["ApproximateCreationDateTime"].timestamp() >= since_s
    ]
    if wanted:
        shard.since_s = None
    return wanted
