"""Reads of several shards under way at once, each held by the server until there is something.

For a server of ours, which takes the header `X-Penstock-Wait-Ms`. A boto3 call blocks its thread,
so each read has one: daemons, so that no process waits for them at its end. `begin`, `ended` and
`close` are called by one thread.
"""

import queue
import threading
from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol

from penstock.base import limits
from penstock.base.clock import Clock

_EVENT = "before-sign.dynamodb-streams.GetRecords"
_HEADER = "X-Penstock-Wait-Ms"
_SERVER = "Penstock"
_WHOLE_SHARE = 0.9  # of a wait: clocks differ a little


class StreamsClient(Protocol):
    """The part of boto3's `dynamodbstreams` client that a feed calls."""

    def describe_stream(self, **parameters: Any) -> Mapping[str, Any]: ...

    def get_shard_iterator(self, **parameters: Any) -> Mapping[str, Any]: ...

    def get_records(self, **parameters: Any) -> Mapping[str, Any]: ...


class _Read(NamedTuple):
    shard_id: str
    iterator: str
    wait_ms: int


class Outcome(NamedTuple):
    """How a read has ended: its answer or what it failed with, and when (`Clock.elapsed_ms`).

    `waited` says that the server held it for the whole time that it might.
    """

    shard_id: str
    answer: Mapping[str, Any] | Exception
    received_ms: float
    waited: bool


def can_hold(answer: Mapping[str, Any]) -> bool:
    """Say whether `answer`, as boto3 gives it, is of a server that holds reads."""
    headers = answer.get("ResponseMetadata", {}).get("HTTPHeaders", {})
    return bool(headers.get("server") == _SERVER)


class HeldReads:
    """The reads of one feed that are under way; `client` is a boto3 client of `dynamodbstreams`."""

    def __init__(self, client: Any, clock: Clock) -> None:
        self._client = client
        self._clock = clock
        self._own = threading.local()
        self._begun: queue.SimpleQueue[_Read | None] = queue.SimpleQueue()
        self._ended: queue.SimpleQueue[Outcome] = queue.SimpleQueue()
        self._threads = 0
        self.under_way: set[str] = set()
        """The shards that are being read."""
        client.meta.events.register(_EVENT, self._ask_to_wait)

    def begin(self, shard_id: str, iterator: str, wait_ms: int) -> None:
        """Read a shard, which is not being read, and let the server hold that for `wait_ms`."""
        self.under_way.add(shard_id)
        if len(self.under_way) > self._threads:
            self._threads += 1
            threading.Thread(target=self._work, name="penstock-held-read", daemon=True).start()
        self._begun.put(_Read(shard_id, iterator, wait_ms))

    def ended(self, seconds_max: float) -> list[Outcome]:
        """Return the reads that have ended, once any has; none after `seconds_max`."""
        outcomes: list[Outcome] = []
        try:
            outcomes.append(self._ended.get(timeout=seconds_max))
            while True:
                outcomes.append(self._ended.get_nowait())
        except queue.Empty:
            self.under_way -= {outcome.shard_id for outcome in outcomes}
            return outcomes

    def close(self) -> None:
        """Begin no more; threads end with the reads that they have under way."""
        for _ in range(self._threads):
            self._begun.put(None)

    def _work(self) -> None:
        while (read := self._begun.get()) is not None:
            self._own.wait_ms = read.wait_ms
            began_ms = self._clock.elapsed_ms()
            answer: Mapping[str, Any] | Exception
            try:
                answer = self._client.get_records(ShardIterator=read.iterator)
            except Exception as error:  # noqa: BLE001 - whoever takes the outcome knows what it means
                answer = error
            now_ms = self._clock.elapsed_ms()
            waited = 0 < read.wait_ms * _WHOLE_SHARE <= now_ms - began_ms
            self._ended.put(Outcome(read.shard_id, answer, now_ms, waited))

    def _ask_to_wait(self, request: Any, **_: Any) -> None:
        """Add the header to a request of a thread of ours: boto3 calls this on the thread."""
        wait_ms = getattr(self._own, "wait_ms", 0)
        if wait_ms:
            request.headers[_HEADER] = str(min(wait_ms, limits.get_records_wait_ms_max))
