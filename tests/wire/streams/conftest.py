"""Servers of the stream tests' own: one whose time a test can move, and some with other shards."""

import uuid
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pytest

from penstock.testing.clock import FakeClock
from penstock.testing.server import RunningServer
from wire.clients import connect, stream_of


class Own(NamedTuple):
    """A server of its own: its clock, and clients to talk to it."""

    clock: FakeClock
    ddb: Any
    streams: Any

    def table(self, view_type: str = "KEYS_ONLY") -> tuple[str, str]:
        """Make a table with a stream; return its name and the stream's ARN."""
        name = f"test-{uuid.uuid4().hex[:12]}"
        self.ddb.create_table(
            TableName=name,
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
            StreamSpecification={"StreamEnabled": True, "StreamViewType": view_type},
        )
        return name, stream_of(self.ddb, name)

    def put(self, table: str, *names: str) -> None:
        """Put an item of each name, with a value that no earlier one had."""
        for name in names:
            value = uuid.uuid4().hex
            self.ddb.put_item(TableName=table, Item={"pk": {"S": name}, "v": {"S": value}})


def _own(shards: int) -> Iterator[Own]:
    clock = FakeClock()
    # Shards roll where a test is about that, and not because another one moved the clock.
    with RunningServer(clock=clock, shards=shards, shard_roll_minutes=0) as server:
        yield Own(clock, connect(server.url, "dynamodb"), connect(server.url, "dynamodbstreams"))


@pytest.fixture(scope="session")
def own() -> Iterator[Own]:
    """A server with one shard to a stream, whose clock goes forward only."""
    yield from _own(1)


@pytest.fixture
def own_with() -> Iterator[Callable[[int], Own]]:
    """Start a server with a number of shards: `own_with(7)`."""
    started: list[Iterator[Own]] = []

    def start(shards: int) -> Own:
        started.append(_own(shards))
        return next(started[-1])

    yield start
    for each in started:
        next(each, None)
