"""Progress: how far each consumer has read in each shard, so that a test can wait for it.

What a consumer was given counts as read when it comes back for more beyond it, and at the end of a
closed shard, from where nobody comes back, when it was given. It is never unread: who begins again
reads once more. Of too many consumers and shards those are forgotten that were not read for
longest.
"""

import asyncio
from collections import OrderedDict
from typing import Any, TypeVar

from penstock.base import limits
from penstock.storage.waist import Stamp
from penstock.streams.sequence import sequence_number

K = TypeVar("K")
V = TypeVar("V")


class Progress:
    """How far the consumers of one server are; all of it on the loop's thread."""

    def __init__(self) -> None:
        self._read: OrderedDict[tuple[str, str, str], Stamp] = OrderedDict()
        self._consumers: OrderedDict[str, None] = OrderedDict()
        self._waiting: set[asyncio.Future[None]] = set()
        self.moves = 0
        """How often any consumer has read more, or `wake` was called."""

    def note(self, consumer: str, stream_arn: str, shard_id: str, read_to: Stamp) -> None:
        """Note that `consumer` has read all of a shard up to `read_to`, that included."""
        _keep(self._consumers, consumer, None, limits.consumers_remembered_max)
        key = (consumer, stream_arn, shard_id)
        before = self._read.get(key, 0)
        _keep(self._read, key, max(before, read_to), limits.consumed_shards_remembered_max)
        if read_to > before:
            self.wake()

    def read_to(self, consumer: str, stream_arn: str, shard_id: str) -> Stamp:
        """Return the stamp up to which `consumer` has read a shard; 0 where it has read nothing."""
        return self._read.get((consumer, stream_arn, shard_id), 0)

    @property
    def consumers(self) -> list[str]:
        """The consumers that have called GetRecords, in the order of their names."""
        return sorted(self._consumers)

    async def moved(self, moves: int, seconds_max: float) -> None:
        """Return once there are more than `moves` moves, `seconds_max` from now at the latest.

        For an action's first steps too, which run outside any task.
        """
        if self.moves > moves:
            return
        loop = asyncio.get_running_loop()
        woken = loop.create_future()
        limit = loop.call_later(seconds_max, _answer, woken)
        self._waiting.add(woken)
        try:
            await woken
        finally:
            limit.cancel()
            self._waiting.discard(woken)

    def wake(self) -> None:
        """Let everybody who waits look again, though nobody has read more."""
        self.moves += 1
        for woken in self._waiting:
            _answer(woken)

    def shown(self, arn_prefix: str, most: int) -> tuple[list[dict[str, Any]], int]:
        """Return how far each consumer is in the shards of the streams with that prefix.

        By consumers, streams and shards the first `most`, and how many more there are.
        """
        chosen = sorted(key for key in self._read if key[1].startswith(arn_prefix))
        rows = [
            {
                "Consumer": consumer,
                "StreamArn": stream_arn,
                "ShardId": shard_id,
                "ReadTo": sequence_number(self.read_to(consumer, stream_arn, shard_id)),
            }
            for consumer, stream_arn, shard_id in chosen[:most]
        ]
        return rows, len(chosen) - len(rows)


def _answer(woken: "asyncio.Future[None]") -> None:
    if not woken.done():
        woken.set_result(None)


def _keep(kept: OrderedDict[K, V], key: K, value: V, most: int) -> None:
    """Put a value last, and drop the first where there are too many."""
    kept[key] = value
    kept.move_to_end(key)
    if len(kept) > most:
        kept.popitem(last=False)
