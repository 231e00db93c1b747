"""Load on a server: writers that remember what they were told, and a reader of the stream.

Every write leaves a mark of its own, so that it can be found again. Writers share a few items.
"""

import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

from fault.observer import KEY, MARK, first_iterator, shard_ids, stream_arn
from fault.raw_client import NoAnswer, RawClient, Refused
from penstock.testing.checkers import StreamWatch, Write

WAIT_SECONDS_MAX = 100.0
POLL_SECONDS = 0.002
TOGETHER_MAX = 10
"""How many items a batch or transaction of a writer changes at most."""


class Writer:
    """Writes at random to the items of `keys` until the connection is lost or `stop` is set.

    `writes` is what it did, for the checkers. `failures` are answers that it should not have had;
    with `tolerant`, an answer that asks to try again counts as none. With `transactions` it writes
    some items by transactions, and then the other writes have to expect conflicts with those.
    `pause_seconds` is how long it rests after each.
    """

    def __init__(
        self,
        name: str,
        table: str,
        keys: list[str],
        seed: str,
        *,
        tolerant: bool = False,
        transactions: bool = False,
        pad_chars_max: int = 400,
        pause_seconds: float = 0.0,
    ) -> None:
        self.writes: list[Write] = []
        self.failures: list[str] = []
        self._name = name
        self._table = table
        self._keys = keys
        self._random = random.Random(seed)
        self._tolerant = tolerant
        self._transactions = transactions
        self._pad_chars_max = pad_chars_max
        self._pause_seconds = pause_seconds
        self._count = 0
        self._seen: dict[str, str] = {}

    def run(self, port: int, stop: threading.Event) -> None:
        """Write to the server at `port`."""
        actions = [self._put, self._put, self._update, self._update_if, self._delete, self._batch]
        if self._transactions:
            actions.append(self._transact)
        with RawClient(port) as client:
            while not stop.is_set():
                try:
                    self._random.choice(actions)(client)
                    if self._pause_seconds:
                        stop.wait(self._pause_seconds)
                except NoAnswer:
                    return

    def _put(self, client: RawClient) -> None:
        key, mark = self._any_key(), self._next_mark()
        self._one(client, key, mark, "PutItem", Item=self._item(key, mark))

    def _update(self, client: RawClient) -> None:
        key, mark = self._any_key(), self._next_mark()
        values = {":v": {"S": mark}, ":one": {"N": "1"}}
        self._one(
            client,
            key,
            mark,
            "UpdateItem",
            Key=_key(key),
            UpdateExpression=f"SET {MARK} = :v ADD changes :one",
            ExpressionAttributeValues=values,
        )

    def _update_if(self, client: RawClient) -> None:
        """Update an item if it is still as this writer last saw it."""
        key, mark = self._any_key(), self._next_mark()
        values = {":v": {"S": mark}, ":seen": {"S": self._seen.get(key, "-")}}
        self._one(
            client,
            key,
            mark,
            "UpdateItem",
            Key=_key(key),
            UpdateExpression=f"SET {MARK} = :v",
            ConditionExpression=f"{MARK} = :seen",
            ExpressionAttributeValues=values,
        )

    def _delete(self, client: RawClient) -> None:
        key = self._any_key()
        self._one(client, key, None, "DeleteItem", Key=_key(key))

    def _one(
        self, client: RawClient, key: str, mark: str | None, action: str, **request: Any
    ) -> None:
        """Make one write that answers with what it replaced."""

        def call() -> list[Write]:
            answer = client.call(action, TableName=self._table, ReturnValues="ALL_OLD", **request)
            old = answer.get("Attributes", {}).get(MARK, {}).get("S")
            if mark is None and old is None:
                return []  # there was nothing to delete
            return [Write(_key(key), mark, 0, 0, replaced=old)]

        self._remember([Write(_key(key), mark, 0, 0)], call)

    def _batch(self, client: RawClient) -> None:
        """Put and delete several items at once; the answer tells nothing of what was there."""
        writes = self._several()
        requests = [
            {"DeleteRequest": {"Key": write.key}}
            if write.mark is None
            else {"PutRequest": {"Item": self._item(write.key[KEY]["S"], write.mark)}}
            for write in writes
        ]

        def call() -> list[Write]:
            answer = client.call("BatchWriteItem", RequestItems={self._table: requests})
            left = answer["UnprocessedItems"].get(self._table, [])
            if left and not self._transactions:
                self.failures.append(f"a batch was left unprocessed: {answer}")
            return [
                write for write, asked in zip(writes, requests, strict=True) if asked not in left
            ]

        self._remember(writes, call)

    def _transact(self, client: RawClient) -> None:
        """Put, update and delete several items, all or none; the answer tells as little."""
        writes = self._several()
        requests = [self._transacted(write) for write in writes]

        def call() -> list[Write]:
            client.call("TransactWriteItems", TransactItems=requests)
            return writes

        self._remember(writes, call)

    def _several(self) -> list[Write]:
        """Return writes of some items, most with a mark and the others deletes."""
        count = self._random.randint(2, min(len(self._keys), TOGETHER_MAX))
        return [
            Write(_key(key), self._next_mark() if self._random.random() < 0.75 else None, 0, 0)
            for key in self._random.sample(self._keys, count)
        ]

    def _transacted(self, write: Write) -> dict[str, Any]:
        """Return the request of one write of a transaction."""
        table: dict[str, Any] = {"TableName": self._table}
        if write.mark is None:
            return {"Delete": {**table, "Key": write.key}}
        if self._random.random() < 0.5:
            return {"Put": {**table, "Item": self._item(write.key[KEY]["S"], write.mark)}}
        values = {":v": {"S": write.mark}}
        update = {"UpdateExpression": f"SET {MARK} = :v", "ExpressionAttributeValues": values}
        return {"Update": {**table, "Key": write.key, **update}}

    def _remember(self, asked: list[Write], call: Callable[[], list[Write]]) -> None:
        """Do `call` and remember what it says was done, or all of `asked` as doubtful."""
        began = time.monotonic()
        try:
            done, acknowledged = call(), True
        except NoAnswer:
            self._keep(asked, began, acknowledged=False)
            raise
        except Refused as refusal:
            if refusal.code == "ConditionalCheckFailedException" or self._is_conflict(refusal):
                self._seen.clear()
                return
            if not (self._tolerant and refusal.status >= 500):
                self.failures.append(str(refusal))
            done, acknowledged = asked, False
        self._keep(done, began, acknowledged=acknowledged)

    def _is_conflict(self, refusal: Refused) -> bool:
        """Return whether a write met a transaction, and so was not made."""
        codes = {"TransactionCanceledException", "TransactionConflictException"}
        return self._transactions and refusal.code in codes and "Conflict" in str(refusal)

    def _keep(self, writes: list[Write], began: float, *, acknowledged: bool) -> None:
        ended = time.monotonic()
        for write in writes:
            kept = Write(write.key, write.mark, began, ended, acknowledged, write.replaced)
            self.writes.append(kept)
            if write.mark is not None:
                self._seen[write.key[KEY]["S"]] = write.mark

    def _any_key(self) -> str:
        return self._random.choice(self._keys)

    def _next_mark(self) -> str:
        self._count += 1
        return f"{self._name}-{self._count}"

    def _item(self, key: str, mark: str) -> dict[str, Any]:
        pad = "x" * self._random.randrange(self._pad_chars_max)
        return {**_key(key), MARK: {"S": mark}, "pad": {"S": pad}}


class StreamReader:
    """Follows every shard of a table's stream and goes on where it was after a restart.

    `wrong` is what its watch complained of.
    """

    def __init__(self, table: str) -> None:
        self.watch = StreamWatch()
        self.wrong: list[str] = []
        self._table = table
        self._iterators: dict[str, str] = {}

    def run(self, port: int, stop: threading.Event) -> None:
        """Read from the server at `port` until the connection is lost or `stop` is set."""
        with RawClient(port) as client:
            try:
                self._begin(client)
                while not stop.is_set():
                    self.read_once(client)
            except NoAnswer:
                return

    def read_once(self, client: RawClient) -> None:
        """Read one page of every shard."""
        for shard_id, iterator in self._iterators.items():
            page = client.call("GetRecords", ShardIterator=iterator)
            self.wrong += self.watch.read_on(shard_id, page["Records"])
            self._iterators[shard_id] = page["NextShardIterator"]

    def _begin(self, client: RawClient) -> None:
        if not self._iterators:
            arn = stream_arn(client, self._table)
            shards = shard_ids(client, arn)
            self._iterators = {shard: first_iterator(client, arn, shard) for shard in shards}


class Worker(Protocol):
    """What uses a server until it is gone or `stop` is set."""

    def run(self, port: int, stop: threading.Event) -> None:
        """Use the server at `port`."""


@contextmanager
def running(port: int, *workers: Worker) -> Iterator[None]:
    """Run workers on threads; at the end they stop, by themselves or as the server is gone."""
    stop = threading.Event()
    failed: list[BaseException] = []

    def work(worker: Worker) -> None:
        try:
            worker.run(port, stop)
        except BaseException as error:  # noqa: BLE001 - raised again on the test's thread
            failed.append(error)

    threads = [threading.Thread(target=work, args=(worker,), daemon=True) for worker in workers]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join(30)
    assert not any(thread.is_alive() for thread in threads), "a worker did not stop"
    if failed:
        raise failed[0]


def wait_until(done: Callable[[], bool], what: str) -> None:
    """Wait until a load has brought `done` about, which is told as `what` if it never does."""
    deadline = time.monotonic() + WAIT_SECONDS_MAX
    while not done():
        assert time.monotonic() < deadline, f"never {what}"
        time.sleep(POLL_SECONDS)


def wait_for_writes(writers: Sequence[Writer], count: int) -> None:
    """Wait until `writers` together have remembered `count` writes."""
    wait_until(lambda: sum(len(writer.writes) for writer in writers) >= count, f"{count} writes")


def _key(name: str) -> dict[str, Any]:
    return {KEY: {"S": name}}
