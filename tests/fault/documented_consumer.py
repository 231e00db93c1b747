"""A consumer of a stream as AWS's public documentation tells one to write it, and no more.

It was written before any of the server's stream code was read. Read for it, 2026-10: of the
DynamoDB developer guide "Change data capture for DynamoDB Streams", of the API reference
DescribeStream, GetShardIterator, GetRecords and ShardFilter with what they name. The rules that are
taken from there are quoted where they are followed.
"""

import threading
import time
from collections.abc import Callable, Iterator, MutableMapping
from typing import Any, NamedTuple

Record = dict[str, Any]
Shard = dict[str, Any]

LISTING_SECONDS = 0.1  # "You can call DescribeStream at a maximum rate of 10 times per second."
IDLE_SECONDS = 0.02
LISTED_SHARDS_MAX = 20
"""So few that a stream has several pages of shards; 100 are allowed."""


class Checkpoint(NamedTuple):
    """How far a shard is processed: its last such record, if any, and whether that was its end."""

    sequence_number: str | None
    finished: bool


class DocumentedConsumer:
    """Reads every shard of a stream, parents before children, and keeps checkpoints.

    `streams` is a boto3 client. `process` is called with a shard's id and some of its records, and
    when it has returned their checkpoint is put into `checkpoints`: a consumer that is given the
    checkpoints of another goes on where that stopped.

    With `follow_children` the stream's shards are listed once; after that it asks, at the end of
    each, for its children.
    """

    def __init__(
        self,
        streams: Any,
        stream_arn: str,
        checkpoints: MutableMapping[str, Checkpoint],
        process: Callable[[str, list[Record]], None],
        *,
        follow_children: bool = False,
        records_max: int = 1000,
    ) -> None:
        self.lost: list[str] = []
        """The shards of which records were trimmed before they could be processed."""
        self.children: dict[str, set[str]] = {}
        """With `follow_children`, which children a shard had when it was read to its end."""
        self._streams = streams
        self._stream_arn = stream_arn
        self._checkpoints = checkpoints
        self._process = process
        self._follow_children = follow_children
        self._records_max = records_max
        self._shards: dict[str, Shard] = {}
        self._disabled = False
        self._listed_at = float("-inf")
        self._iterators: dict[str, str] = {}

    def run(self, stop: threading.Event) -> bool:
        """Read until `stop` is set, or the stream is disabled and read to its end: then True."""
        while not stop.is_set():
            if not (self._follow_children and self._shards):
                self._list_shards()
            ready = self._ready()
            if not ready and self._has_ended():
                return True
            if not sum(self._read_page(shard_id) for shard_id in ready):
                stop.wait(IDLE_SECONDS)
        return False

    def _ready(self) -> list[str]:
        """Return the shards to read now.

        "An application must always process a parent shard before it processes a child shard." A
        parent that is listed no longer has nothing left that could be processed.
        """
        return [
            shard_id
            for shard_id, shard in self._shards.items()
            if not self._is_finished(shard_id)
            and (
                shard.get("ParentShardId") not in self._shards
                or self._is_finished(shard["ParentShardId"])
            )
        ]

    def _is_finished(self, shard_id: str) -> bool:
        checkpoint = self._checkpoints.get(shard_id)
        return checkpoint is not None and checkpoint.finished

    def _has_ended(self) -> bool:
        """Return whether nothing more will come, by a listing that is newer than all reading.

        "If you disable a stream, any shards that are open will be closed."
        """
        self._listed_at = float("-inf")
        self._list_shards()
        return self._disabled and not self._ready()

    def _list_shards(self) -> None:
        if time.monotonic() < self._listed_at + LISTING_SECONDS:
            return
        self._shards = {shard["ShardId"]: shard for shard in self._described()}
        self._listed_at = time.monotonic()

    def _described(self, **asked: Any) -> Iterator[Shard]:
        """Yield the shards of all pages: "If LastEvaluatedShardId is empty", that was the last."""
        while True:
            answer = self._streams.describe_stream(
                StreamArn=self._stream_arn, Limit=LISTED_SHARDS_MAX, **asked
            )["StreamDescription"]
            self._disabled = answer["StreamStatus"] == "DISABLED"
            yield from answer["Shards"]
            if not answer.get("LastEvaluatedShardId"):
                return
            asked["ExclusiveStartShardId"] = answer["LastEvaluatedShardId"]

    def _read_page(self, shard_id: str) -> int:
        """Process a page of a shard; return how many records it had."""
        errors = self._streams.exceptions
        try:
            iterator = self._iterators.pop(shard_id, None) or self._new_iterator(shard_id)
            page = self._streams.get_records(ShardIterator=iterator, Limit=self._records_max)
        except errors.ExpiredIteratorException:
            # The next is right after the checkpoint, since "a shard iterator expires 15 minutes
            # after it is returned to the requester".
            return 0
        except errors.TrimmedDataAccessException:
            # "... before you use the iterator in a GetRecords request, a stream record in the shard
            # exceeds the 24 hour period and is trimmed."
            self._iterators[shard_id] = self._oldest(shard_id)
            return 0
        except errors.ResourceNotFoundException:
            # The shard has gone since it was listed, with what was not read of it.
            self.lost.append(shard_id)
            self._keep(shard_id, [], finished=True)
            self._shards.clear()
            return 0
        # "If set to null, the shard has been closed and the requested iterator will not return any
        # more data." Without that an empty page is no end: "it might take multiple calls to get to
        # a portion of the shard that contains stream records".
        following = page.get("NextShardIterator")
        if following:
            self._iterators[shard_id] = following
        self._take(shard_id, page["Records"], finished=not following)
        return len(page["Records"])

    def _new_iterator(self, shard_id: str) -> str:
        """Return an iterator right after the shard's checkpoint, or at its start without one."""
        checkpoint = self._checkpoints.get(shard_id)
        if checkpoint is None or checkpoint.sequence_number is None:
            return self._iterator(shard_id, "TRIM_HORIZON")
        number = checkpoint.sequence_number
        try:
            return self._iterator(shard_id, "AFTER_SEQUENCE_NUMBER", SequenceNumber=number)
        except self._streams.exceptions.TrimmedDataAccessException:
            # "You request a shard iterator with a sequence number older than the trim point".
            return self._oldest(shard_id)

    def _oldest(self, shard_id: str) -> str:
        """Return an iterator at the oldest record that is left after some were lost."""
        self.lost.append(shard_id)
        return self._iterator(shard_id, "TRIM_HORIZON")

    def _iterator(self, shard_id: str, kind: str, **position: str) -> str:
        answer = self._streams.get_shard_iterator(
            StreamArn=self._stream_arn, ShardId=shard_id, ShardIteratorType=kind, **position
        )
        iterator: str = answer["ShardIterator"]
        return iterator

    def _take(self, shard_id: str, records: list[Record], *, finished: bool) -> None:
        if records:
            self._process(shard_id, records)
        if records or finished:
            self._keep(shard_id, records, finished=finished)
        if finished and self._follow_children:
            self._find_children(shard_id)

    def _find_children(self, shard_id: str) -> None:
        asked = {"Type": "CHILD_SHARDS", "ShardId": shard_id}
        children = {shard["ShardId"]: shard for shard in self._described(ShardFilter=asked)}
        self._shards |= children
        self.children[shard_id] = set(children)

    def _keep(self, shard_id: str, records: list[Record], *, finished: bool) -> None:
        before = self._checkpoints.get(shard_id)
        number = before.sequence_number if before else None
        if records:
            number = records[-1]["dynamodb"]["SequenceNumber"]
        self._checkpoints[shard_id] = Checkpoint(number, finished)
