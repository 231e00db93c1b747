"""Filling tables: items of 500 bytes, written by BatchWriteItem over several connections at once.

One process and no threads: each connection in turn has its answer received and its next request
sent, so that as many requests are under way as there are connections.
"""

import json
import random
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from typing import Any

from bench.raw_client import Answer, RawClient, ServerError

Progress = Callable[[int], None]
"""Is told how many items have been written so far."""

ITEM_BYTES = 500
"""The size of an item as DynamoDB counts it: the bytes of all names and values."""
BATCH_ITEMS = 25
CONNECTIONS = 32

MARK_CHARS = 16
KEY, MARK, DATA = "pk", "mark", "data"
_DONE = b'"UnprocessedItems":{}'
_KEY_CHARS = len("key-0000000000")
_DATA_CHARS = ITEM_BYTES - len(KEY + MARK + DATA) - _KEY_CHARS - MARK_CHARS
_POOL_CHARS = 64 * 1024
_PROGRESS_REQUESTS = 400
_ACTIVE_SECONDS_MAX = 60.0
_POLL_SECONDS = 0.01
_STREAM = {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}


def mark(number: int, tag: bytes = b"") -> bytes:
    """Return what tells an item from all others; those of one `tag` are told by their numbers."""
    return tag + b"%0*d" % (MARK_CHARS - len(tag), number)


class ItemMaker:
    """Makes items of ITEM_BYTES in DynamoDB's JSON.

    Their data is taken from a pool of random letters: it can be compressed like text, not like a
    row of one letter.
    """

    def __init__(self, seed: int = 5) -> None:
        letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
        pool = random.Random(seed).choices(letters, k=_POOL_CHARS)
        self._pool = "".join(pool).encode()

    def item(self, key_number: int, number: int, tag: bytes = b"") -> bytes:
        """Return the item with this key, distinct from all others by its `mark`."""
        at = (number * 4099) % (_POOL_CHARS - _DATA_CHARS)
        return b'{"pk":{"S":"key-%010d"},"mark":{"S":"%b"},"data":{"S":"%b"}}' % (
            key_number,
            mark(number, tag),
            self._pool[at : at + _DATA_CHARS],
        )

    def batch(self, table: str, numbers: Iterable[int], keys: int) -> bytes:
        """Return the body of a BatchWriteItem of the items of these numbers over `keys` keys."""
        puts = b",".join(
            b'{"PutRequest":{"Item":%b}}' % self.item(number % keys, number) for number in numbers
        )
        return b'{"RequestItems":{"%b":[%b]}}' % (table.encode(), puts)


def write_batches(
    host: str,
    port: int,
    table: str,
    numbers: range,
    keys: int,
    progress: Progress | None = None,
) -> None:
    """Write the items of `numbers` to a table, the key of each its number modulo `keys`.

    Raises ServerError where any item is not written.
    """
    maker = ItemMaker()
    bodies = (
        maker.batch(table, numbers[at : at + BATCH_ITEMS], keys)
        for at in range(0, len(numbers), BATCH_ITEMS)
    )
    for done, answer in enumerate(_answers(host, port, bodies), 1):
        if answer.find(_DONE, len(_DONE) + 1) < 0:
            raise ServerError(f"items were not written: {answer.body[:200]!r}")
        if progress is not None and done % _PROGRESS_REQUESTS == 0:
            progress(min(done * BATCH_ITEMS, len(numbers)))
    if progress is not None:
        progress(len(numbers))


def _answers(host: str, port: int, bodies: Iterator[bytes]) -> Iterator[Answer]:
    """Yield the answers to BatchWriteItem of all `bodies`, CONNECTIONS of them under way."""
    with ExitStack() as stack:
        clients = [stack.enter_context(RawClient(host, port)) for _ in range(CONNECTIONS)]
        waiting: deque[RawClient] = deque()
        for client, body in zip(clients, bodies, strict=False):
            client.send("BatchWriteItem", body)
            waiting.append(client)
        while waiting:
            client = waiting.popleft()
            yield client.receive()
            following = next(bodies, None)
            if following is not None:
                client.send("BatchWriteItem", following)
                waiting.append(client)


def create_table(host: str, port: int, table: str, *, streamed: bool) -> None:
    """Create a table with the key `pk`, with a stream of both images or none; wait for it."""
    request: dict[str, Any] = {
        "TableName": table,
        "KeySchema": [{"AttributeName": KEY, "KeyType": "HASH"}],
        "AttributeDefinitions": [{"AttributeName": KEY, "AttributeType": "S"}],
        "BillingMode": "PAY_PER_REQUEST",
    }
    if streamed:
        request["StreamSpecification"] = _STREAM
    with RawClient(host, port) as client:
        call_json(client, "CreateTable", request)
        await_active(client, table)


def switch_stream_on(host: str, port: int, table: str) -> str:
    """Give a table a stream of both images, wait for it, and return its ARN."""
    with RawClient(host, port) as client:
        call_json(client, "UpdateTable", {"TableName": table, "StreamSpecification": _STREAM})
        arn: str = await_active(client, table)["LatestStreamArn"]
    return arn


def stream_arn(host: str, port: int, table: str) -> str:
    """Return the ARN of a table's stream."""
    with RawClient(host, port) as client:
        arn: str = await_active(client, table)["LatestStreamArn"]
    return arn


def await_active(client: RawClient, table: str) -> dict[str, Any]:
    """Wait until a table is ACTIVE and return its description."""
    deadline = time.monotonic() + _ACTIVE_SECONDS_MAX
    while True:
        described = call_json(client, "DescribeTable", {"TableName": table})["Table"]
        if described["TableStatus"] == "ACTIVE":
            found: dict[str, Any] = described
            return found
        if time.monotonic() > deadline:
            raise ServerError(f"the table {table} is still {described['TableStatus']}")
        time.sleep(_POLL_SECONDS)


def call_json(client: RawClient, action: str, request: dict[str, Any]) -> dict[str, Any]:
    """Return the decoded answer to a request."""
    answer: dict[str, Any] = json.loads(client.call(action, json.dumps(request).encode()).body)
    return answer
