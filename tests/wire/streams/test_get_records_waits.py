"""GetRecords with the header to wait, through boto3: held until there is something to tell."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from typing import Any

import pytest

from penstock.base import limits
from wire.clients import connect, iterator_of, shards_of, stream_of
from wire.streams.test_get_records import GET_RECORDS

LONG_MS = limits.get_records_wait_ms_max
SOON_SECONDS = 15
"""Under the longest wait, and long enough on a machine with much to do."""

Page = dict[str, Any]


class Waiting:
    """A client of its own whose GetRecords wait, and threads to wait in."""

    def __init__(self, endpoint: str, pool: ThreadPoolExecutor) -> None:
        self.streams = connect(endpoint, "dynamodbstreams")
        self.streams.meta.events.register("before-sign.dynamodb-streams.GetRecords", self._ask)
        self._sent = threading.Semaphore(0)
        self._pool = pool

    def _ask(self, request: Any, **_: Any) -> None:
        request.headers["X-Penstock-Wait-Ms"] = str(LONG_MS)
        self._sent.release()

    def read(self, *iterators: str) -> "list[Future[Page]]":
        """Return reads under way, all of them on their way to the server."""
        reads = [
            self._pool.submit(self.streams.get_records, ShardIterator=each) for each in iterators
        ]
        for _ in iterators:
            assert self._sent.acquire(timeout=SOON_SECONDS)
        return reads


@pytest.fixture
def waiting(endpoint: str) -> Iterator[Waiting]:
    with ThreadPoolExecutor(8) as pool:
        yield Waiting(endpoint, pool)


@pytest.fixture
def table(new_table: Callable[..., str]) -> str:
    return new_table(view_type="KEYS_ONLY")


def tips(streams: Any, ddb: Any, table: str) -> list[str]:
    """Return an iterator at the tip of each shard."""
    arn = stream_of(ddb, table)
    return [
        iterator_of(streams, arn, each["ShardId"], "LATEST") for each in shards_of(streams, arn)
    ]


def off(ddb: Any, table: str) -> None:
    ddb.update_table(TableName=table, StreamSpecification={"StreamEnabled": False})


# --- validation


@pytest.mark.parametrize("asked", ["-1", "20001", "1.5", "soon", "5, 5"])
def test_what_is_no_wait_is_refused(
    raw: Callable[..., Any], streams: Any, ddb: Any, table: str, asked: str
) -> None:
    body = {"ShardIterator": tips(streams, ddb, table)[0]}
    answer = raw(GET_RECORDS, body, X_Penstock_Wait_Ms=asked)
    assert answer.status == 400
    assert answer.json["__type"].rpartition("#")[2] == "ValidationException"
    text = "X-Penstock-Wait-Ms must be a whole number of milliseconds from 0 to 20000"
    assert answer.json["message"] == text


def test_other_actions_do_not_look_at_it(raw: Callable[..., Any]) -> None:
    listed = raw("DynamoDBStreams_20120810.ListStreams", b"{}", X_Penstock_Wait_Ms="soon")
    assert listed.status == 200


# --- behaviour


def test_a_record_answers_the_read_of_its_shard(
    waiting: Waiting, streams: Any, ddb: Any, table: str
) -> None:
    """The others wait on, until the stream is disabled: then there is no more for them."""
    reads = waiting.read(*tips(streams, ddb, table))
    ddb.put_item(TableName=table, Item={"pk": {"S": "a"}})
    first = next(as_completed(reads, SOON_SECONDS)).result()
    (record,) = first["Records"]
    assert record["dynamodb"]["Keys"] == {"pk": {"S": "a"}}
    assert streams.get_records(ShardIterator=first["NextShardIterator"])["Records"] == []
    off(ddb, table)
    pages = [read.result(SOON_SECONDS) for read in reads]
    assert sorted((len(page["Records"]), "NextShardIterator" in page) for page in pages) == [
        *[(0, False)] * (len(pages) - 1),
        (1, True),
    ]


def test_the_answer_is_empty_when_the_time_is_over(
    raw: Callable[..., Any], streams: Any, ddb: Any, table: str
) -> None:
    body = {"ShardIterator": tips(streams, ddb, table)[0]}
    answer = raw(GET_RECORDS, body, X_Penstock_Wait_Ms="30")
    assert answer.status == 200
    assert answer.json["Records"] == []
    assert answer.json["NextShardIterator"] != body["ShardIterator"]


def test_requests_of_others_are_answered_meanwhile(
    waiting: Waiting, streams: Any, ddb: Any, table: str
) -> None:
    (read,) = waiting.read(tips(streams, ddb, table)[0])
    for _ in range(3):
        assert ddb.describe_table(TableName=table)["Table"]["TableName"] == table
    assert not read.done()
    off(ddb, table)
    assert read.result(SOON_SECONDS)["Records"] == []
