"""The demo's writer: a process of its own with two threads, an ordinary boto3 client.

One thread puts the readings and the latest items, a batch per hour, each after the one before was
acknowledged, so that the order of an item's versions is the order of its writes. The other
corrects and deletes what the first has written. Every acknowledged write is told to the parent
process over a pipe, then True if all was written, False if time ran out first, or a line of text
if a call failed.
"""

import threading
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from multiprocessing.connection import Connection
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from penstock.app.demo_plan import VERSION, Item, Step, hours, key_item
from penstock.app.demo_promises import Write
from penstock.app.endpoint import own_endpoint
from penstock.app.readings import Reading
from penstock.base.clock import Clock, SystemClock

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

Message = list[Write] | bool | str

_TOLD_TOGETHER = 40
_BATCH_ATTEMPTS_MAX = 10
_BATCH_WAIT_SECONDS = 0.1


class WriteRefused(Exception):
    """The server left part of a batch unwritten again and again."""


@dataclass(frozen=True, slots=True)
class Assignment:
    """What to write and where; no hour is begun after `deadline_ms` of the clock."""

    url: str
    table: str
    readings: Mapping[str, Sequence[Reading]]
    deadline_ms: float


def write(assignment: Assignment, pipe: "Connection[Message, Any]") -> None:
    """Do `assignment`, telling `pipe`: the main function of the writer's process."""
    clock = SystemClock()
    client = own_endpoint(assignment.url).tables({"parameter_validation": False})
    told = _Told(pipe)
    work = _Work(client, assignment, told, clock)
    with ThreadPoolExecutor(2) as threads:
        parts = [threads.submit(work.write_hours), threads.submit(work.write_later)]
    try:
        told.flush()
        pipe.send(_outcome(parts))
    except BrokenPipeError:
        return  # the demo is gone: there is nobody left to tell


def _outcome(parts: Iterable[Future[bool]]) -> bool | str:
    try:
        finished = [part.result() for part in parts]
    except (ClientError, BotoCoreError, WriteRefused) as failure:
        return " ".join(str(failure).split())
    return all(finished)


class _Told:
    """Acknowledged writes on their way to the parent, some at a time."""

    def __init__(self, pipe: "Connection[Message, Any]") -> None:
        self._pipe = pipe
        self._lock = threading.Lock()
        self._writes: list[Write] = []

    def add(self, writes: Iterable[Write]) -> None:
        with self._lock:
            self._writes += writes
            if len(self._writes) >= _TOLD_TOGETHER:
                self._send()

    def flush(self) -> None:
        with self._lock:
            self._send()

    def _send(self) -> None:
        self._pipe.send(self._writes)
        self._writes = []


class _Work:
    """The calls of the writer; both methods run in threads of their own, False if time ran out."""

    def __init__(
        self, client: "DynamoDBClient", assignment: Assignment, told: _Told, clock: Clock
    ) -> None:
        self._client = client
        self._assignment = assignment
        self._told = told
        self._clock = clock
        self._failed = threading.Event()
        self._later: SimpleQueue[Step | None] = SimpleQueue()  # None: there will be no more

    def write_hours(self) -> bool:
        """Put the readings and latest items of each hour in turn."""
        try:
            for hour in hours(self._assignment.readings):
                if self._failed.is_set() or self._over():
                    return False
                self._put_batch(hour.puts)
                for step in hour.later:
                    self._later.put(step)
        finally:
            self._later.put(None)
        return True

    def write_later(self) -> bool:
        """Write the corrections and deletions of what is already written."""
        try:
            while (step := self._later.get()) is not None:
                self._write_one(step)
        except BaseException:
            self._failed.set()  # the other thread ends as well
            raise
        return True

    def _over(self) -> bool:
        return self._clock.elapsed_ms() > self._assignment.deadline_ms

    def _put_batch(self, steps: Sequence[Step]) -> None:
        table = self._assignment.table
        started_ms = self._clock.elapsed_ms()
        left: Any = [{"PutRequest": {"Item": _item(step)}} for step in steps]
        for _ in range(_BATCH_ATTEMPTS_MAX):
            answer = self._client.batch_write_item(RequestItems={table: left})
            left = answer["UnprocessedItems"].get(table)
            if not left:
                self._acknowledged(steps, started_ms)
                return
            self._failed.wait(_BATCH_WAIT_SECONDS)
        raise WriteRefused(f"{len(left)} items of a batch stayed unprocessed")

    def _write_one(self, step: Step) -> None:
        table, key = self._assignment.table, key_item(step.key)
        started_ms = self._clock.elapsed_ms()
        if step.event == "REMOVE":
            self._client.delete_item(TableName=table, Key=key)
        else:
            changed = {**step.attributes, VERSION: {"N": str(step.version)}}
            self._client.update_item(
                TableName=table,
                Key=key,
                UpdateExpression="SET " + ", ".join(f"#{name} = :{name}" for name in changed),
                ExpressionAttributeNames={f"#{name}": name for name in changed},
                ExpressionAttributeValues={f":{name}": changed[name] for name in changed},
            )
        self._acknowledged([step], started_ms)

    def _acknowledged(self, steps: Sequence[Step], started_ms: float) -> None:
        now_ms = self._clock.elapsed_ms()
        self._told.add(
            Write(step.key, step.version, step.event, started_ms, now_ms) for step in steps
        )


def _item(step: Step) -> Item:
    return {**key_item(step.key), **step.attributes, VERSION: {"N": str(step.version)}}
