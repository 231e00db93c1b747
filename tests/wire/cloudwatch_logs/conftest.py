"""The ground of the tests of CloudWatch Logs: a client, groups, and a server whose time moves."""

import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pytest

from penstock.testing.clock import FakeClock
from penstock.testing.server import RunningServer
from wire.clients import connect


@pytest.fixture(scope="session")
def logs(make_client: Callable[..., Any]) -> Any:
    """A client of CloudWatch Logs."""
    return make_client("logs")


class Group:
    """A log group of one test, and what is put there."""

    def __init__(self, client: Any, name: str, now_ms: int) -> None:
        self.client = client
        self.name = name
        self.now_ms = now_ms
        """When the test began: times are told from here."""
        self._streams: set[str] = set()

    def put(self, stream: str, *lines: tuple[int, str]) -> None:
        """Store lines, each so many milliseconds after the test began; make their stream."""
        if stream not in self._streams:
            self._streams.add(stream)
            self.client.create_log_stream(logGroupName=self.name, logStreamName=stream)
        events = [{"timestamp": self.now_ms + at, "message": text} for at, text in lines]
        answer = self.client.put_log_events(
            logGroupName=self.name, logStreamName=stream, logEvents=events
        )
        assert "rejectedLogEventsInfo" not in answer

    def get(self, stream: str, **more: Any) -> Any:
        """Return what GetLogEvents answers."""
        return self.client.get_log_events(logGroupName=self.name, logStreamName=stream, **more)

    def filter(self, **more: Any) -> list[str]:
        """Return the messages of all pages of FilterLogEvents."""
        return [event["message"] for event in self.filtered(**more)]

    def filtered(self, **more: Any) -> list[dict[str, Any]]:
        """Return the events of all pages of FilterLogEvents."""
        found = []
        while True:
            page = self.client.filter_log_events(logGroupName=self.name, **more)
            found += page["events"]
            if "nextToken" not in page:
                return found
            more["nextToken"] = page["nextToken"]

    def streams(self, **more: Any) -> list[str]:
        """Return the names on all pages of DescribeLogStreams."""
        names: list[str] = []
        while True:
            page = self.client.describe_log_streams(logGroupName=self.name, **more)
            names += [stream["logStreamName"] for stream in page["logStreams"]]
            if "nextToken" not in page:
                return names
            more["nextToken"] = page["nextToken"]


def messages(answer: Any) -> list[str]:
    """Return the messages of one page."""
    return [event["message"] for event in answer["events"]]


@pytest.fixture
def group(logs: Any) -> Iterator[Group]:
    """A new log group."""
    name = f"/aws/lambda/test-{uuid.uuid4().hex[:12]}"
    logs.create_log_group(logGroupName=name)
    yield Group(logs, name, time.time_ns() // 1_000_000)
    logs.delete_log_group(logGroupName=name)


class Own(NamedTuple):
    """A server of its own whose time a test moves, a client, and a group there."""

    clock: FakeClock
    server: RunningServer
    group: Group


@pytest.fixture
def own() -> Iterator[Own]:
    """A server that keeps a megabyte of a group for two days."""
    clock = FakeClock()
    with RunningServer(clock=clock, logs_keep_days=2, logs_keep_megabytes=1) as server:
        client = connect(server.url, "logs")
        client.create_log_group(logGroupName="g")
        yield Own(clock, server, Group(client, "g", clock.now_ms()))
