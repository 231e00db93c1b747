"""A feed of a server of ours has its reads held there, and keeps to its pace with any other."""

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.awsrequest import AWSRequest, AWSResponse

from penstock.app.endpoint import own_endpoint
from penstock.app.feed import Change, Feed
from penstock.app.held_reads import HeldReads
from penstock.base import limits
from penstock.base.clock import SystemClock
from penstock.testing.server import RunningServer

HEADER = "X-Penstock-Wait-Ms"
SOON_SECONDS = 60.0
RECORDS = "before-send.dynamodb-streams.GetRecords"
ITERATOR = "after-call.dynamodb-streams.GetShardIterator"


class Following:
    """A feed of a new table of a server, read by a thread; `waits` are those it asked for."""

    def __init__(self, url: str, shards: int, *, others: bool = False) -> None:
        endpoint = own_endpoint(url)
        self.ddb, self.streams = endpoint.tables(), endpoint.streams()
        self.ddb.create_table(
            TableName="tab",
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
            StreamSpecification={"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"},
        )
        arn = self.ddb.describe_table(TableName="tab")["Table"]["LatestStreamArn"]
        self.waits: list[int | None] = []
        client: Any = self.streams
        client.meta.events.register(RECORDS, self._note)
        if others:
            client.meta.events.register(ITERATOR, _hide)
        self.stop = threading.Event()
        clock = SystemClock()
        self.feed = Feed(
            self.streams,
            arn,
            clock=clock,
            start="TRIM_HORIZON",
            stop=self.stop,
            held_reads=HeldReads(client, clock),
        )
        self.changes: list[Change] = []
        self.failures: list[Exception] = []
        self._changed = threading.Condition()
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def put(self, *names: str) -> None:
        for name in names:
            self.ddb.put_item(TableName="tab", Item={"pk": {"S": name}})

    def off(self) -> None:
        self.ddb.update_table(TableName="tab", StreamSpecification={"StreamEnabled": False})

    def names(self, count: int) -> list[str]:
        """Return the keys of the changes so far, once there are so many."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.changes) >= count, SOON_SECONDS)
        return [change.record["dynamodb"]["Keys"]["pk"]["S"] for change in self.changes]

    def held(self, count: int) -> None:
        """Return once so many reads were sent that ask to be held."""
        with self._changed:
            assert self._changed.wait_for(
                lambda: sum(wait is not None for wait in self.waits) >= count, SOON_SECONDS
            )

    def end(self) -> None:
        self.stop.set()
        self.thread.join(SOON_SECONDS)
        assert not self.thread.is_alive()

    def _read(self) -> None:
        try:
            for batch in self.feed.batches():
                with self._changed:
                    self.changes += batch
                    self._changed.notify_all()
        except Exception as failure:
            self.failures.append(failure)
            raise

    def _note(self, request: AWSRequest, **_: Any) -> AWSResponse | None:
        wait = request.headers.get(HEADER)
        with self._changed:
            self.waits.append(None if wait is None else int(wait))
            self._changed.notify_all()
        return None


def _hide(parsed: dict[str, Any], **_: Any) -> None:
    """Let an answer be that of a server of others."""
    parsed["ResponseMetadata"]["HTTPHeaders"]["server"] = "Jetty"


@pytest.fixture
def url() -> Iterator[str]:
    with RunningServer(shards=2) as server:
        yield server.url


def test_an_idle_feed_has_one_read_of_each_shard_held_and_polls_none(url: str) -> None:
    """A change is answered by the read that waits for it, and another one follows that."""
    following = Following(url, 2)
    following.held(2)
    before = len(following.waits)
    assert following.waits[-2:] == [limits.feed_held_ms] * 2
    following.put("a")
    assert following.names(1) == ["a"]
    following.held(3)
    assert len(following.waits) == before + 1
    following.end()
    assert following.failures == []


def test_a_feed_goes_on_to_the_children_of_a_shard_and_ends_with_the_stream(url: str) -> None:
    following = Following(url, 2)
    following.held(2)
    following.put("a", "b", "c")
    assert sorted(following.names(3)) == ["a", "b", "c"]
    following.off()
    following.thread.join(SOON_SECONDS)
    assert not following.thread.is_alive()
    assert following.feed.ended


def test_a_feed_is_stopped_while_its_reads_are_held(url: str) -> None:
    following = Following(url, 2)
    following.held(2)
    began = time.monotonic()
    following.end()
    assert time.monotonic() - began < limits.feed_held_ms / 1000


def test_a_server_of_others_is_asked_to_hold_nothing(url: str) -> None:
    """It is polled at the feed's pace, as ever."""
    following = Following(url, 2, others=True)
    following.put("a")
    assert following.names(1) == ["a"]
    following.put("b")
    assert following.names(2) == ["a", "b"]
    following.end()
    assert set(following.waits) == {None}
