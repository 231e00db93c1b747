"""A client of the test controls: of a server that was started with `--test-controls`.

It needs nothing but the standard library, makes a connection for every call and may be used by
several threads. No call waits for ever. Whatever goes wrong is a `ControlError` of one line.
"""

import http.client
import json
from typing import Any, NamedTuple, TypeVar

from penstock.app.own_server import EndpointError, OwnServer
from penstock.base import limits

T = TypeVar("T")

_PATH = "/_penstock/control/"
_NOT_FOUND = 404
_PROGRESS = {"Consumer", "StreamArn", "ShardId", "ReadTo"}


class ControlError(Exception):
    """What was asked for is not done; the text is one line for a person.

    `code` is the server's name of the error, such as ResourceNotFoundException, or empty where the
    server did not answer so.
    """

    def __init__(self, text: str, code: str = "") -> None:
        super().__init__(" ".join(text.split()))
        self.code = code


class Succession(NamedTuple):
    """The id of a shard that was closed, and those of the shards that come after it."""

    parent: str
    children: tuple[str, ...]


class ControlClient:
    """The test controls of the server at `url`, for the tables of `region`.

    Every method returns when what it does is done, and raises ControlError where it is not.
    """

    def __init__(self, url: str, region: str = "us-east-1") -> None:
        self._url, self._region = url, region
        try:
            self._server = OwnServer(url)
        except EndpointError as error:
            raise ControlError(str(error)) from None

    def now_ms(self) -> int:
        """Return what the server's clock tells, in milliseconds since the Unix epoch."""
        return self._move({})

    def advance(self, ms: int) -> int:
        """Let `ms` milliseconds pass, 0 or more, and return what the clock tells then.

        Every background job has seen the new time before this returns.
        """
        return self._move({"Milliseconds": ms})

    def set_clock(self, epoch_ms: int) -> int:
        """Step the wall clock to `epoch_ms`, back or forward, and return what it tells then."""
        return self._move({"To": epoch_ms})

    def roll(self, table: str, shard_id: str | None = None) -> list[Succession]:
        """Close all open shards of a table's stream, or one, and open a child of each."""
        return self._succeed("RollShards", table, shard_id)

    def split(self, table: str, shard_id: str | None = None) -> Succession:
        """Close one shard of a table's stream, one of the widest or that named; two follow it."""
        (succession,) = self._succeed("SplitShard", table, shard_id)
        return succession

    def trim(self, table: str, shard_id: str | None = None) -> list[str]:
        """Let nothing be read any more that is in a table's stream now; return its shards' ids."""
        answer = self.call("TrimShards", self._shards(table, shard_id))
        return [str(each) for each in self._member(answer, "Shards", list)]

    def expire_iterators(
        self,
        table: str | None = None,
        shard_id: str | None = None,
        iterator: str | None = None,
    ) -> None:
        """Make iterators expire: one by its text, or all so far of a table's stream or shard."""
        named = {} if table is None else {"TableName": table, "Region": self._region}
        self.call("ExpireIterators", {**named, "ShardId": shard_id, "ShardIterator": iterator})

    def fault(
        self,
        kind: str,
        *,
        table: str | None = None,
        shard_id: str | None = None,
        consumer: str | None = None,
        calls: int | None = None,
        probability: float | None = None,
        seed: int | None = None,
        records: int | None = None,
        region: str | None = None,
    ) -> str:
        """Make GetRecords fail for the next `calls`, or with a `probability`.

        Returns the fault's id. `kind` is throttle, fewer, expired, trimmed or repeat. It meets the
        reads of a table, shard, consumer or region, or without those all; a table is one of this
        client's region, unless `region` names another. `records` is how many a page of
        `fewer` has, `seed` what makes the calls that are met the same every time.
        """
        members = {
            "Kind": kind,
            "TableName": table,
            "Region": region if table is None else region or self._region,
            "ShardId": shard_id,
            "Consumer": consumer,
            "Calls": calls,
            "Probability": probability,
            "Seed": seed,
            "Records": records,
        }
        return str(self._member(self.call("PutFault", members), "FaultId", str))

    def faults(self) -> list[dict[str, Any]]:
        """Return the faults that are set, as the server tells of them; `Hits` is how often."""
        return self._member(self.call("ListFaults"), "Faults", list)

    def clear_faults(self, fault_id: str | None = None) -> None:
        """Take back one fault, or all."""
        self.call("ClearFaults", {"FaultId": fault_id})

    def drain(self, table: str, consumer: str, seconds_max: float = 30.0) -> None:
        """Return when `consumer` has read all that was written to `table` before this call.

        Where that takes longer than `seconds_max` the error, of code DrainTimeout, names the shards
        and how far behind it is.
        """
        members = {
            "TableName": table,
            "Region": self._region,
            "Consumer": consumer,
            "SecondsMax": seconds_max,
        }
        self.call("Drain", members, waiting_seconds_max=seconds_max)

    def readers(self, table: str | None = None) -> dict[str, Any]:
        """Return who has read the streams of one table, or of this client's region.

        As the server tells it: `Shards` with the calls that each has had, and `Consumers` with how
        far each is in each shard; `ShardsLeftOff` and `ConsumersLeftOff` are how many rows there
        are beyond those told.
        """
        answer = self.call("ListReaders", {"TableName": table, "Region": self._region})
        self._member(answer, "Shards", list)
        for name in ("ShardsLeftOff", "ConsumersLeftOff"):
            self._member(answer, name, int)
        for row in self._member(answer, "Consumers", list):
            if not isinstance(row, dict) or not row.keys() >= _PROGRESS:
                raise self._strange("ListReaders", http.client.OK)
        return answer

    def call(
        self,
        action: str,
        members: dict[str, Any] | None = None,
        *,
        waiting_seconds_max: float = 0.0,
    ) -> dict[str, Any]:
        """Return the answer to an action; members that are None are left out of its body.

        `waiting_seconds_max` is how long the action itself may wait for something.
        """
        given = {name: value for name, value in (members or {}).items() if value is not None}
        try:
            asked = json.dumps(given, allow_nan=False).encode()
        except (TypeError, ValueError) as error:
            raise ControlError(f"{action} cannot be asked for: {error}") from error
        waiting_seconds = min(waiting_seconds_max, limits.control_waiting_seconds_max)
        seconds_max = limits.control_answer_seconds_max + waiting_seconds
        try:
            status, body = self._server.post(_PATH + action, asked, seconds_max=seconds_max)
        except EndpointError as error:
            raise ControlError(str(error)) from error
        if status == _NOT_FOUND:
            raise ControlError(f"the server at {self._url} was not started with --test-controls")
        try:
            answer = json.loads(body)
        except ValueError:
            answer = None
        if not isinstance(answer, dict):
            raise self._strange(action, status)
        if status == http.client.OK:
            return answer
        raise self._refusal(action, status, answer)

    def _move(self, members: dict[str, Any]) -> int:
        return self._member(self.call("MoveClock", members), "Now", int)

    def _succeed(self, action: str, table: str, shard_id: str | None) -> list[Succession]:
        answer = self.call(action, self._shards(table, shard_id))
        try:
            return [
                Succession(each["Parent"], tuple(each["Children"]))
                for each in self._member(answer, "Successions", list)
            ]
        except (KeyError, TypeError):
            raise self._strange(action, http.client.OK) from None

    def _shards(self, table: str, shard_id: str | None) -> dict[str, Any]:
        return {"TableName": table, "Region": self._region, "ShardId": shard_id}

    def _member(self, answer: dict[str, Any], name: str, kind: type[T]) -> T:
        """Return a member of an answer, which has to be of that kind."""
        value = answer.get(name)
        if not isinstance(value, kind):
            raise ControlError(f"{self._url} does not answer as Penstock does: no {name}")
        return value

    def _refusal(self, action: str, status: int, answer: dict[str, Any]) -> ControlError:
        """Return what an error of the server says."""
        kind = answer.get("__type")
        if not isinstance(kind, str):
            return self._strange(action, status)
        code = kind.rpartition("#")[2]
        message = answer.get("message", answer.get("Message"))
        return ControlError(code if message is None else f"{code}: {message}", code)

    def _strange(self, action: str, status: int) -> ControlError:
        return ControlError(
            f"{self._url} does not answer as Penstock does: {action} has brought HTTP {status}"
        )
