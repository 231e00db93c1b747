"""A stream in memory that answers as boto3's `dynamodbstreams` client and fails on demand.

Iterators are `shard:position`; LATEST is the end of the shard at the time of the call.
"""

import math
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

from penstock.testing.clock import FakeClock

ARN = "arn:aws:dynamodb:us-east-1:000000000000:table/t/stream/2026-01-01T00:00:00.000"


def service_error(code: str, status: int = 400) -> ClientError:
    """Return the exception that boto3 raises for an error of the service."""
    answer: Any = {
        "Error": {"Code": code, "Message": "as asked"},
        "ResponseMetadata": {"HTTPStatusCode": status},
    }
    return ClientError(answer, "Any")


def stream_record(number: int, created_s: int = 1_790_000_000) -> dict[str, Any]:
    """Return a record as boto3 gives it; `number` is its sequence number."""
    return {
        "eventName": "INSERT",
        "dynamodb": {
            "Keys": {"k": {"S": str(number)}},
            "SequenceNumber": str(number).zfill(21),
            "ApproximateCreationDateTime": datetime.fromtimestamp(created_s, UTC),
        },
    }


@dataclass
class FakeShard:
    """One shard and its records; `closed` is what a split does to it."""

    shard_id: str
    parent_id: str | None = None
    records: list[dict[str, Any]] = field(default_factory=list)
    closed: bool = False

    def add(self, *numbers: int) -> None:
        self.records += [stream_record(number) for number in numbers]

    def described(self) -> dict[str, Any]:
        numbers = {"StartingSequenceNumber": "0" * 21}
        if self.closed:
            numbers["EndingSequenceNumber"] = "9" * 21
        parent = {} if self.parent_id is None else {"ParentShardId": self.parent_id}
        return {"ShardId": self.shard_id, "SequenceNumberRange": numbers, **parent}


class FakeStream:
    """Shards by id; `failures` maps an action to exceptions that its next calls raise, in order."""

    def __init__(self, *shards: FakeShard, page: int = 100) -> None:
        self.shards = {shard.shard_id: shard for shard in shards}
        self.status = "ENABLED"
        self.page = page
        self.failures: dict[str, list[Exception]] = {}
        self.calls: list[tuple[str, Mapping[str, Any]]] = []

    def add(self, shard: FakeShard) -> None:
        self.shards[shard.shard_id] = shard

    def remove(self, name: str) -> None:
        del self.shards[name]

    def fail(self, action: str, *failures: Exception) -> None:
        self.failures.setdefault(action, []).extend(failures)

    def count(self, action: str) -> int:
        return sum(called == action for called, _ in self.calls)

    def describe_stream(self, **parameters: Any) -> Mapping[str, Any]:
        self._called("describe_stream", parameters)
        names = sorted(self.shards)
        after = parameters.get("ExclusiveStartShardId", "")
        page = [name for name in names if name > after][: self.page]
        description: dict[str, Any] = {
            "StreamStatus": self.status,
            "Shards": [self.shards[name].described() for name in page],
        }
        if page and page[-1] != names[-1]:
            description["LastEvaluatedShardId"] = page[-1]
        return {"StreamDescription": description}

    def get_shard_iterator(self, **parameters: Any) -> Mapping[str, Any]:
        self._called("get_shard_iterator", parameters)
        shard = self._shard(parameters["ShardId"])
        match parameters["ShardIteratorType"]:
            case "TRIM_HORIZON":
                at = 0
            case "LATEST":
                at = len(shard.records)
            case _:
                seen = parameters["SequenceNumber"]
                numbers = [each["dynamodb"]["SequenceNumber"] for each in shard.records]
                at = numbers.index(seen) + 1
        return {"ShardIterator": f"{shard.shard_id}:{at}"}

    def get_records(self, **parameters: Any) -> Mapping[str, Any]:
        self._called("get_records", parameters)
        name, at = parameters["ShardIterator"].split(":")
        shard = self._shard(name)
        records = shard.records[int(at) :]
        answer: dict[str, Any] = {"Records": records}
        if not shard.closed:
            answer["NextShardIterator"] = f"{name}:{len(shard.records)}"
        return answer

    def _shard(self, name: str) -> FakeShard:
        if name not in self.shards:
            raise service_error("ResourceNotFoundException")
        return self.shards[name]

    def _called(self, action: str, parameters: Mapping[str, Any]) -> None:
        self.calls.append((action, parameters))
        if self.failures.get(action):
            raise self.failures[action].pop(0)


class FakeStop(threading.Event):
    """A stop event whose waits take no time but move `clock`; it is set after `waits` of them.

    `script` maps the number of a wait to what happens then.
    """

    def __init__(
        self, clock: FakeClock, waits: int, script: Mapping[int, Callable[[], None]] | None = None
    ) -> None:
        super().__init__()
        self._clock = clock
        self._left = waits
        self._script = script or {}
        self.waited_ms: list[float] = []

    def wait(self, timeout: float | None = None) -> bool:
        assert timeout is not None, "a wait without a limit"
        self.waited_ms.append(timeout * 1000)
        self._clock.advance(math.ceil(timeout * 1000))
        self._script.get(len(self.waited_ms), lambda: None)()
        self._left -= 1
        if self._left <= 0:
            self.set()
        return self.is_set()
