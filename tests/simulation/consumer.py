"""A consumer written by the rules of AWS's documentation, which knows nothing but the API.

It lists the streams of its tables and pages through their shards; begins each shard at its trim
horizon once the parent is finished; remembers how far it has processed each, as a checkpoint that
outlives it; and begins again from there after a crash, an expired iterator, or trimmed records.

Its judge knows more: what the auditor found in the log is compared with every page.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any, Literal

import msgspec

from penstock.base import limits
from penstock.base.errors.api import ApiError
from penstock.storage.waist import Stamp
from penstock.streams.sequence import sequence_number, stamp_of_sequence
from penstock.streams.stream import Shard, Stream
from penstock.testing.clock import FakeClock
from simulation.auditor import Auditor, LogName
from simulation.ledger import Logged
from simulation.wrong import Checker, Wrong

_BEGINNING: Stamp = -1
_PAGES_MAX = 1000

Read = Callable[[str, dict[str, Any]], dict[str, Any]]


@dataclass
class Lease:
    """A shard as the consumer knows it."""

    arn: str
    shard: str
    parent: str | None
    delivered: set[Stamp]
    """What any life of the consumer has processed."""
    checkpoint: Stamp | Literal["SHARD_END"] | None = None
    after: Stamp = _BEGINNING
    """The last record that this life of the consumer has processed."""
    iterator: str | None = None
    issued_ms: int = 0
    from_horizon: bool = False
    """Whether the iterator began at the trim horizon and has read nothing yet."""
    hidden: set[Stamp] = field(default_factory=set)
    """What could not be read any more when the iterator came by."""
    passed: set[Stamp] = field(default_factory=set)
    """What could not be read any more when any life of the consumer came by."""

    def pass_by(self, stamps: Iterable[Stamp]) -> None:
        """Note what cannot be read any more, by the consumer as it stands."""
        gone = set(stamps)
        self.hidden |= gone
        self.passed |= gone

    @property
    def is_finished(self) -> bool:
        """Whether the consumer has processed the shard to its end."""
        return self.checkpoint == "SHARD_END"


class Consumer:
    """One application that reads all streams of some tables."""

    def __init__(
        self, name: str, tables: Sequence[str], auditor: Auditor, clock: FakeClock
    ) -> None:
        self.name = name
        self._tables = tables
        self._auditor = auditor
        self._clock = clock
        self._leases: dict[tuple[str, str], Lease] = {}
        self._delivered: defaultdict[tuple[str, str], set[Stamp]] = defaultdict(set)
        self._newest: dict[tuple[str, str], Stamp] = {}

    def step(self, read: Read, random: Random) -> str:
        """Do one thing; return what."""
        chosen = random.randrange(16)
        if chosen == 0:
            return self.crash()
        if chosen <= 2 or not self._leases:
            return self.discover(read, random.randint(1, 4))
        ready = self._ready()
        if not ready:
            return "has nothing to read"
        lease = random.choice(ready)
        if chosen <= 5:
            return self._checkpoint(lease)
        return self._read(read, lease, random.choice((1, 2, 3, 1000)))

    def drain(self, read: Read) -> None:
        """Read all there is; Wrong where anything is left, or was never delivered."""
        for _ in range(_PAGES_MAX):
            before = self._progress()
            self.discover(read, 100)
            for lease in self._ready():
                self._read(read, lease, 1000)
            if self._progress() == before:
                break
        for lease in self._leases.values():
            stream, shard = self._find(lease)
            if stream is None or shard is None:
                continue
            log = (stream.number, shard.number)
            for logged in self._auditor.readable(log, _BEGINNING, self._now_ms()):
                if logged.stamp not in lease.delivered and not self._auditor.was_over(logged):
                    raise Wrong(Checker.ONCE, f"{self.name} never got {logged}")
            if shard.end is not None and not lease.is_finished:
                raise Wrong(Checker.LIVES, f"{self.name} cannot finish {shard}")

    def crash(self) -> str:
        """Forget everything but the checkpoints."""
        for lease in self._leases.values():
            lease.iterator = None
            if not lease.is_finished:
                assert lease.checkpoint != "SHARD_END"
                lease.after = _BEGINNING if lease.checkpoint is None else lease.checkpoint
        return "crashes"

    def discover(self, read: Read, limit: int) -> str:
        """Look for streams and shards, `limit` in a page; those that are gone are dropped."""
        arns = [arn for table in self._tables for arn in self._streams(read, table, limit)]
        found: dict[tuple[str, str], Lease] = {}
        for arn in arns:
            for shown in self._shards(read, arn, limit):
                place = (arn, shown["ShardId"])
                lease = self._leases.get(place)
                found[place] = lease or Lease(
                    *place, shown.get("ParentShardId"), self._delivered[place]
                )
        for place, lease in self._leases.items():
            if place not in found and self._owed(lease):
                raise Wrong(Checker.RETENTION, f"shard {place} is not shown any more")
        self._leases = found
        return f"finds {len(arns)} streams with {len(found)} shards"

    # --- discovery

    def _streams(self, read: Read, table: str, limit: int) -> list[str]:
        body: dict[str, Any] = {"TableName": table, "Limit": limit}
        arns: list[str] = []
        for _ in range(_PAGES_MAX):
            answer = read("ListStreams", body)
            arns += [each["StreamArn"] for each in answer["Streams"]]
            if "LastEvaluatedStreamArn" not in answer:
                return arns
            body["ExclusiveStartStreamArn"] = answer["LastEvaluatedStreamArn"]
        raise Wrong(Checker.LIVES, "ListStreams has no last page")

    def _shards(self, read: Read, arn: str, limit: int) -> list[dict[str, Any]]:
        body: dict[str, Any] = {"StreamArn": arn, "Limit": limit}
        shards: list[dict[str, Any]] = []
        for _ in range(_PAGES_MAX):
            description = read("DescribeStream", body)["StreamDescription"]
            shards += description["Shards"]
            if "LastEvaluatedShardId" not in description:
                return shards
            body["ExclusiveStartShardId"] = description["LastEvaluatedShardId"]
        raise Wrong(Checker.LIVES, "DescribeStream has no last page")

    def _ready(self) -> list[Lease]:
        """Return the leases that may be read: a parent that is there is finished first."""
        return [
            lease
            for lease in self._leases.values()
            if not lease.is_finished
            and (
                (parent := self._leases.get((lease.arn, lease.parent or ""))) is None
                or parent.is_finished
            )
        ]

    # --- reading

    def _read(self, read: Read, lease: Lease, limit: int) -> str:
        """Read the next page of a shard; return what came."""
        told = f"reads {lease.shard}"
        stream, shard = self._find(lease)
        try:
            if lease.iterator is None:
                self._begin(read, lease)
            now_ms = self._now_ms()
            answer = read("GetRecords", {"ShardIterator": lease.iterator, "Limit": limit})
        except ApiError as error:
            self._take_error(lease, error)
            return f"{told}: {error.code}"
        if stream is None or shard is None:
            raise Wrong(Checker.RETENTION, f"{self.name} reads {lease.shard}, which is gone")
        if now_ms - lease.issued_ms > limits.iterator_life_ms:
            raise Wrong(Checker.RETENTION, f"an iterator of {lease.issued_ms} is still taken")
        log = (stream.number, shard.number)
        stamps = [_stamp(record) for record in answer["Records"]]
        self._judge(lease, log, stamps, limit)
        lease.from_horizon = False
        self._take_next(read, lease, answer.get("NextShardIterator"), stream, shard)
        return f"{told}: {len(stamps)} records{' and its end' if lease.is_finished else ''}"

    def _begin(self, read: Read, lease: Lease) -> None:
        body = {"StreamArn": lease.arn, "ShardId": lease.shard}
        lease.issued_ms = self._now_ms()
        lease.from_horizon = lease.after == _BEGINNING
        lease.hidden.clear()
        if lease.from_horizon:
            body["ShardIteratorType"] = "TRIM_HORIZON"
        else:
            body["ShardIteratorType"] = "AFTER_SEQUENCE_NUMBER"
            body["SequenceNumber"] = sequence_number(lease.after)
        lease.iterator = read("GetShardIterator", body)["ShardIterator"]

    def _judge(self, lease: Lease, log: LogName, stamps: Sequence[Stamp], limit: int) -> None:
        """Compare a page with what there is to read, and take it."""
        now_ms = self._now_ms()
        if lease.from_horizon:
            lease.pass_by(
                logged.stamp
                for logged in self._auditor.archive[log]
                if not self._auditor.is_readable(log, logged.stamp, now_ms)
            )
        elif lost := self._lost(lease, log):
            # What went while the clock was ahead is not told of after it stepped back.
            if any(self._auditor.is_past(log, stamp, now_ms) for stamp in lost):
                raise Wrong(Checker.CHECKPOINT, f"{self.name} was not told that it lost {lost}")
            lease.pass_by(lost)
        expected = self._left(lease, log)[:limit]
        if stamps != [logged.stamp for logged in expected]:
            old = [s for s in stamps if not self._auditor.is_readable(log, s, now_ms)]
            checker = Checker.RETENTION if old else Checker.CHECKPOINT
            shown = [logged.stamp for logged in expected]
            raise Wrong(checker, f"{self.name} got {stamps} of {lease.shard}, not {shown}")
        for logged in expected:
            # A clock that stepped back can show again what everybody took for gone.
            if logged.stamp not in lease.delivered and not self._auditor.was_over(logged):
                newest = self._newest.get((lease.arn, logged.key), _BEGINNING)
                if logged.stamp <= newest:
                    raise Wrong(Checker.LINEAGE, f"{self.name} got {newest} before {logged}")
                self._newest[lease.arn, logged.key] = logged.stamp
        lease.delivered.update(stamps)
        if stamps:
            lease.after = stamps[-1]

    def _take_next(
        self, read: Read, lease: Lease, iterator: str | None, stream: Stream, shard: Shard
    ) -> None:
        """Go on with the next iterator; without one, the shard must be at its end."""
        log = (stream.number, shard.number)
        left = self._left(lease, log)
        is_end = shard.end is not None and not left
        if is_end != (iterator is None):
            how = "ends" if iterator is None else "does not end"
            raise Wrong(Checker.ANSWERS, f"{shard} {how} for {self.name} with {len(left)} to read")
        lease.iterator, lease.issued_ms = iterator, self._now_ms()
        if iterator is not None:
            return
        self._check_delivered(lease)
        lease.checkpoint = "SHARD_END"
        if stream.closed_ms is None:
            self._check_children(read, lease)

    def _check_children(self, read: Read, lease: Lease) -> None:
        """Raise Wrong unless the children of a shard that has ended can be found at once."""
        only = {"Type": "CHILD_SHARDS", "ShardId": lease.shard}
        answer = read("DescribeStream", {"StreamArn": lease.arn, "ShardFilter": only})
        shown = [each["ShardId"] for each in answer["StreamDescription"]["Shards"]]
        stream = self._stream(lease)
        assert stream is not None
        children = [s for s in self._auditor.shards_of(stream.number) if s.parent == lease.shard]
        owed = [s.id for s in children if s.end is None]
        if not shown and (owed or not children):
            raise Wrong(Checker.LINEAGE, f"no children of {lease.shard} are shown")

    def _take_error(self, lease: Lease, error: ApiError) -> None:
        """Begin again where an error allows it; Wrong where there was no reason for it."""
        age_ms = self._now_ms() - lease.issued_ms
        if error.code == "ExpiredIteratorException":
            lease.iterator = None
            if age_ms <= limits.iterator_life_ms:
                raise Wrong(Checker.ANSWERS, f"an iterator expired after {age_ms} ms")
        elif error.code == "TrimmedDataAccessException":
            self._take_trimmed(lease)
        elif error.code == "ResourceNotFoundException":
            if self._owed(lease):
                raise Wrong(Checker.RETENTION, f"{lease.shard} cannot be read any more")
            lease.checkpoint = "SHARD_END"
        else:
            raise Wrong(Checker.ANSWERS, f"{self.name} got {error}")

    def _take_trimmed(self, lease: Lease) -> None:
        stream, shard = self._find(lease)
        if stream is None or shard is None:
            raise Wrong(Checker.ANSWERS, f"{lease.shard} is gone, and said to be trimmed")
        log = (stream.number, shard.number)
        lost = self._lost(lease, log)
        if not lost and self._auditor.is_readable(log, lease.after, self._now_ms()):
            raise Wrong(Checker.ANSWERS, f"nothing is trimmed of {shard} after {lease.after}")
        lease.pass_by(lost)
        lease.iterator, lease.after = None, _BEGINNING

    def _left(self, lease: Lease, log: LogName) -> list[Logged]:
        """Return what there is to read of a log where the consumer stands."""
        readable = self._auditor.readable(log, lease.after, self._now_ms())
        return [logged for logged in readable if logged.stamp not in lease.hidden]

    def _lost(self, lease: Lease, log: LogName) -> list[Stamp]:
        """Return what the consumer has not processed of a log, and cannot read any more."""
        now_ms = self._now_ms()
        return [
            logged.stamp
            for logged in self._auditor.archive[log]
            if logged.stamp > lease.after
            and logged.stamp not in lease.delivered
            and logged.stamp not in lease.hidden
            and not self._auditor.is_readable(log, logged.stamp, now_ms)
        ]

    # --- checkpoints

    def _checkpoint(self, lease: Lease) -> str:
        if lease.after == _BEGINNING:
            return f"has nothing to checkpoint of {lease.shard}"
        self._check_delivered(lease)
        lease.checkpoint = lease.after
        return f"checkpoints {lease.shard} at {lease.after}"

    def _check_delivered(self, lease: Lease) -> None:
        """Raise Wrong where a record up to here was not delivered, and could have been."""
        stream, shard = self._find(lease)
        if stream is None or shard is None:
            return
        log = (stream.number, shard.number)
        for logged in self._auditor.archive[log]:
            if logged.stamp > lease.after:
                break
            if logged.stamp not in lease.delivered and logged.stamp not in lease.passed:
                raise Wrong(Checker.CHECKPOINT, f"{self.name} passes {logged}, which it never got")

    # --- what the judge knows

    def _now_ms(self) -> int:
        return self._clock.now_ms()

    def _stream(self, lease: Lease) -> Stream | None:
        streams = self._auditor.streams.values()
        return next((stream for stream in streams if stream.arn == lease.arn), None)

    def _find(self, lease: Lease) -> tuple[Stream | None, Shard | None]:
        stream = self._stream(lease)
        shards = [] if stream is None else self._auditor.shards_of(stream.number)
        return stream, next((shard for shard in shards if shard.id == lease.shard), None)

    def _owed(self, lease: Lease) -> bool:
        """Say whether a shard must be there: it is open, or holds what can be read."""
        stream, shard = self._find(lease)
        if stream is None or shard is None:
            return False
        log = (stream.number, shard.number)
        return shard.end is None or bool(self._auditor.readable(log, _BEGINNING, self._now_ms()))

    def _progress(self) -> list[tuple[object, ...]]:
        """Return what changes wherever a round of reading did something."""
        return [
            (place, lease.after, lease.is_finished, lease.iterator is None)
            for place, lease in self._leases.items()
        ]


def _stamp(record: Any) -> Stamp:
    """Return the stamp that a record's sequence number spells."""
    stamp = stamp_of_sequence(msgspec.json.decode(record)["dynamodb"]["SequenceNumber"])
    assert stamp is not None
    return stamp
