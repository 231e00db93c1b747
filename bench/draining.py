"""Reading a whole stream as fast as the server gives it, with readers that do not decode.

A reader takes a shard's pages one after the other. Of a page it looks for the next iterator, and
counts the records: by a mark that each has once, and that no item of this benchmark holds. Looking
for it costs a small part of receiving the page, and proves that every record came.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from bench.filling import Progress, call_json, create_table, stream_arn, write_batches
from bench.raw_client import Answer, RawClient, ServerError
from bench.workers import Link, Worker, run_together, start_together

KEYS = 10_000

RECORD = b'"eventSource":"aws:dynamodb"'
_EMPTY = b'"Records":[]'
_NEXT = b'"NextShardIterator":"'
_NEXT_MARGIN = 4096
"""In how many bytes at either end of a page the next iterator is looked for at first."""


class Drained(NamedTuple):
    """What readers read, from the first request of the first to the last answer of the last."""

    records: int
    seconds: float
    readers: int
    """How many there were."""


class Draining:
    """What a reader read meanwhile: known when the context of `draining` has ended."""

    records = 0


class Share(NamedTuple):
    """What one reader did, its times those of `time.monotonic`."""

    records: int
    began: float
    ended: float


def fill(host: str, port: int, table: str, records: int, progress: Progress | None = None) -> str:
    """Make a table and write so often to KEYS keys that its stream has `records` records.

    Returns the ARN of the stream. No two of the items are equal, so that each leaves its record.
    """
    create_table(host, port, table, streamed=True)
    write_batches(host, port, table, range(records), KEYS, progress)
    return stream_arn(host, port, table)


def drain(host: str, port: int, stream_arn: str, readers: int) -> Drained:
    """Read all of a stream that nobody writes to, with `readers` processes.

    Each has its share of the shards, and reads them one after the other. A stream of fewer shards
    has as many readers as shards.
    """
    with RawClient(host, port) as client:
        shards = shard_ids(client, stream_arn)
    portions = [shards[first::readers] for first in range(min(readers, len(shards)))]
    shares: list[Share] = run_together(
        *(Worker(_read_once, host, port, stream_arn, portion) for portion in portions)
    )
    seconds = max(share.ended for share in shares) - min(share.began for share in shares)
    return Drained(sum(share.records for share in shares), seconds, len(shares))


@contextmanager
def draining(host: str, port: int, stream_arn: str) -> Iterator[Draining]:
    """Keep one reader process reading a stream from its start, again and again, inside the `with`.

    Raises WorkFailed at the end where the reader failed.
    """
    told = Draining()
    with Worker(_read_until_stopped, host, port, stream_arn) as worker:
        start_together(worker)
        yield told
        worker.stop()
        told.records = worker.result()


def _read_once(link: Link, host: str, port: int, arn: str, shards: Sequence[str]) -> Share:
    """Read these shards to their ends, one after the other."""
    with RawClient(host, port) as client:
        iterators = [oldest(client, arn, shard) for shard in shards]
        link.wait_for_start()
        began = time.monotonic()
        records = sum(sum(pages(client, iterator)) for iterator in iterators)
        return Share(records, began, time.monotonic())


def _read_until_stopped(link: Link, host: str, port: int, arn: str) -> int:
    """Read all shards again and again until told to stop; return how many records that were."""
    records = 0
    with RawClient(host, port) as client:
        link.wait_for_start()
        while True:
            for shard in shard_ids(client, arn):
                for count in pages(client, oldest(client, arn, shard)):
                    records += count
                    if link.is_stopped():
                        return records


def pages(client: RawClient, iterator: bytes | None) -> Iterator[int]:
    """Yield how many records each page has, from an iterator on to the end of its shard.

    A closed shard ends where no iterator follows, an open one with a page without records.
    """
    while iterator is not None:
        answer = client.call("GetRecords", b'{"ShardIterator":"%b"}' % iterator)
        count = answer.count(RECORD)
        if count == 0 and answer.find(_EMPTY, _NEXT_MARGIN) < 0:
            raise ServerError(f"a page of unknown records: {answer.body[:_NEXT_MARGIN]!r}")
        yield count
        iterator = next_iterator(answer) if count else None


def next_iterator(answer: Answer) -> bytes | None:
    """Return the iterator that a page gives, None where its shard has ended."""
    found = answer.find(_NEXT, _NEXT_MARGIN)
    if found < 0:
        return None
    start = found + len(_NEXT)
    return bytes(answer.buffer[start : answer.buffer.index(b'"', start, answer.end)])


def shard_ids(client: RawClient, arn: str, *, only_open: bool = False) -> list[str]:
    """Return the ids of a stream's shards, in the order in which it tells them.

    Raises ServerError where there are none.
    """
    shards: list[dict[str, Any]] = []
    start: dict[str, str] = {}
    while True:
        described = call_json(client, "DescribeStream", {"StreamArn": arn, **start})
        description = described["StreamDescription"]
        shards += description["Shards"]
        if (last := description.get("LastEvaluatedShardId")) is None:
            break
        start = {"ExclusiveStartShardId": last}
    ids = [shard["ShardId"] for shard in shards if not (only_open and _is_closed(shard))]
    if not ids:
        raise ServerError(f"the stream {arn} has no shards to read")
    return ids


def _is_closed(shard: dict[str, Any]) -> bool:
    return "EndingSequenceNumber" in shard["SequenceNumberRange"]


def oldest(client: RawClient, arn: str, shard: str) -> bytes:
    """Return the iterator at the oldest record of a shard."""
    return iterator_at(client, arn, shard, "TRIM_HORIZON")


def iterator_at(client: RawClient, arn: str, shard: str, kind: str) -> bytes:
    """Return an iterator of `kind` of a shard."""
    request = {"StreamArn": arn, "ShardId": shard, "ShardIteratorType": kind}
    iterator: str = call_json(client, "GetShardIterator", request)["ShardIterator"]
    return iterator.encode()
