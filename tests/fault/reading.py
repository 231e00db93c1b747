"""Readers of a stream that remember what they were given.

A documented consumer over its lives: it crashes, and the next goes on with its checkpoints. And the
feed of `penstock tail`.
"""

import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

import boto3
from botocore.config import Config
from botocore.exceptions import ConnectionError as NoConnection
from botocore.exceptions import HTTPClientError

from fault.documented_consumer import Checkpoint, DocumentedConsumer, Record
from penstock.app.feed import Feed, Start
from penstock.app.held_reads import HeldReads
from penstock.base import limits
from penstock.base.clock import SystemClock

REGION = "us-east-1"
SAVED_BY_A_LIFE = (3, 12)
"""How many checkpoints a consumer that crashes gets to, at least and at most."""
_CONFIG = Config(
    retries={"mode": "standard", "total_max_attempts": 3},
    max_pool_connections=limits.feed_held_reads_max + 1,
)


class Crash(Exception):
    """The end of a consumer's life."""


@dataclass(slots=True)
class Page:
    """Some records of a shard as the consumer was given them at once."""

    shard_id: str
    records: list[Record]
    checkpointed: bool = False


class Reading:
    """Reads a stream, and remembers in `pages` what was processed, in that order.

    The consumer crashes at random at its checkpoints: before one is stored, so that the page has to
    come again, or after it. `ended` is whether the stream has, which takes that it is disabled.
    """

    def __init__(
        self,
        stream_arn: str,
        seed: str,
        *,
        crash: Literal["before", "after", "never"] = "never",
        follow_children: bool = False,
        records_max: int = 1000,
    ) -> None:
        self.pages: list[Page] = []
        self.lives = 0
        self.ended = False
        self.lost: list[str] = []
        self.children: dict[str, set[str]] = {}
        self._stream_arn = stream_arn
        self._random = random.Random(seed)
        self._crash = crash
        self._follow_children = follow_children
        self._records_max = records_max
        self._checkpoints = _Checkpoints(self)
        self._unsaved: Page | None = None
        self._left = 0

    def run(self, port: int, stop: threading.Event) -> None:
        """Let consumers of the server at `port` live until it is gone or `stop` is set."""
        streams = streams_client(port)
        while not stop.is_set() and not self.ended:
            consumer = self._new_consumer(streams)
            try:
                self.ended = consumer.run(stop)
            except Crash:
                continue
            except (HTTPClientError, NoConnection):
                return
            finally:
                self.lost += consumer.lost
                self.children |= consumer.children

    @contextmanager
    def saving(self) -> Iterator[None]:
        """Store a checkpoint in the `with`; the consumer may crash before that, or after."""
        self._left -= 1
        crashes = self._crash != "never" and self._left <= 0
        if crashes and self._crash == "before":
            raise Crash
        yield
        if self._unsaved is not None:
            self._unsaved.checkpointed = True
        self._unsaved = None
        if crashes:
            raise Crash

    def _new_consumer(self, streams: Any) -> DocumentedConsumer:
        self.lives += 1
        self._left = self._random.randint(*SAVED_BY_A_LIFE)
        self._unsaved = None
        return DocumentedConsumer(
            streams,
            self._stream_arn,
            self._checkpoints,
            self._process,
            follow_children=self._follow_children,
            records_max=self._records_max,
        )

    def _process(self, shard_id: str, records: list[Record]) -> None:
        self._unsaved = Page(shard_id, records)
        self.pages.append(self._unsaved)


class _Checkpoints(dict[str, Checkpoint]):
    """The checkpoints of a reading, which outlive its consumers."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading

    def __setitem__(self, shard_id: str, checkpoint: Checkpoint) -> None:
        with self._reading.saving():
            super().__setitem__(shard_id, checkpoint)


class FeedReading:
    """Reads a stream by the feed of `penstock tail`, from `start` to its end, in one life.

    With `held` the server holds its reads, as it does for `penstock tail`; otherwise it polls.
    """

    def __init__(self, stream_arn: str, start: Start, *, held: bool = True) -> None:
        self.pages: list[Page] = []
        self.notices: list[str] = []
        self.opened = threading.Event()
        self.ended = False
        self._stream_arn = stream_arn
        self._start = start
        self._held = held

    def run(self, port: int, stop: threading.Event) -> None:
        """Read from the server at `port`."""
        client, clock = streams_client(port), SystemClock()
        feed = Feed(
            client,
            self._stream_arn,
            clock=clock,
            start=self._start,
            stop=stop,
            on_notice=self.notices.append,
            held_reads=HeldReads(client, clock) if self._held else None,
        )
        feed.open()
        self.opened.set()
        for changes in feed.batches():
            records = [dict(change.record) for change in changes]
            self.pages.append(Page(changes[0].shard_id, records, checkpointed=True))
        self.ended = feed.ended


def streams_client(port: int) -> Any:
    """Return a client of a session of its own: sessions are not for several threads."""
    return boto3.Session("AKIDEXAMPLE", "secret", region_name=REGION).client(
        "dynamodbstreams", endpoint_url=f"http://127.0.0.1:{port}", config=_CONFIG
    )
