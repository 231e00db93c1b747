"""Nodes of one store, each a process of its own, and clients that move between them.

A node's connections to PostgreSQL carry its name, so that a test can ask the database what that
node is doing. Whatever happens to nodes, none of them may meet a bug: `close` looks at what they
said.
"""

import itertools
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from fault.load import Worker, Writer
from fault.observer import KEY, MARK
from fault.raw_client import NoAnswer, RawClient, Refused
from penstock.testing.checkers import Write
from server_process import ServerProcess

RETRIED = {500, 503}
"""Statuses after which every SDK tries again."""
PAUSE_SECONDS = 0.02
"""Between two attempts of a client that finds nobody."""
POLL_SECONDS = 0.02


def with_parameters(url: str, **parameters: str) -> str:
    """Return a URL of PostgreSQL with more parameters."""
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query, keep_blank_values=True)) | parameters
    return parts._replace(query=urlencode(query, quote_via=quote)).geturl()


class Nodes:
    """The nodes that run, by their names; a context that leaves none behind.

    `room` is a directory for what they say. `arguments` are those of each.
    """

    def __init__(self, url: str, room: Path, *arguments: str) -> None:
        self.url = url
        self.running: dict[str, ServerProcess] = {}
        self.logs: list[Path] = []
        self._room = room
        self._arguments = arguments
        self._lives = itertools.count(1)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for server in self.running.values():
            server.kill()
        if kind is None:
            assert self.bugs() == []

    def begin(self, name: str, url: str | None = None) -> ServerProcess:
        """Start a node, by `url` if that is its own way to the store; it may not be ready yet."""
        log = self._room / f"node-{name}-{next(self._lives)}.log"
        own = with_parameters(url or self.url, application_name=name)
        server = ServerProcess("--engine", own, *self._arguments, log=log)
        self.logs.append(log)
        self.running[name] = server
        return server

    def start(self, name: str, url: str | None = None) -> ServerProcess:
        """Start a node and wait until it is ready."""
        server = self.begin(name, url)
        server.await_ready()
        return server

    def kill(self, name: str) -> None:
        """End a node as a crash would."""
        self.running.pop(name).kill()

    def port(self, name: str) -> int:
        """Return where a node is."""
        return self.running[name].port

    @property
    def ports(self) -> list[int]:
        """Where there are nodes."""
        return [server.port for server in list(self.running.values()) if server.port]

    def bugs(self) -> list[str]:
        """Return what nodes have said that they must never say."""
        marks = ("Traceback", "by a bug", "failed a request", "A group of transactions failed")
        return [
            f"{log.name}: {line}"
            for log in self.logs
            for line in log.read_text("utf-8", "replace").splitlines()
            if any(mark in line for mark in marks)
        ]


class Moving:
    """Has a worker use one node after the other: it moves whenever its connection is lost."""

    def __init__(self, worker: Worker, nodes: Nodes, first: int = 0) -> None:
        self._worker = worker
        self._nodes = nodes
        self._turn = first

    def run(self, port: int, stop: threading.Event) -> None:
        """Work until `stop` is set; `port` says nothing here."""
        while not stop.is_set():
            ports = self._nodes.ports
            if ports:
                try:
                    self._worker.run(ports[self._turn % len(ports)], stop)
                except Refused as refused:
                    if refused.status not in RETRIED:
                        raise
            self._turn += 1
            stop.wait(PAUSE_SECONDS)


class Witness:
    """Writes an item of its own by one node after the other, and reads each write by the next.

    `wrong` is where a node showed something else than what was acknowledged last, or may have been
    done since. `writes` is what it did, for the checkers; `seen` counts the reads.
    """

    def __init__(self, name: str, table: str, nodes: Nodes) -> None:
        self.wrong: list[str] = []
        self.seen = 0
        self.writes: list[Write] = []
        self._key = {KEY: {"S": f"witness-{name}"}}
        self._table = table
        self._nodes = nodes
        self._count = 0
        self._possible = {0}

    def run(self, port: int, stop: threading.Event) -> None:
        """Work until `stop` is set; `port` says nothing here."""
        clients: dict[int, RawClient] = {}
        turn = 0
        while not stop.is_set():
            ports = self._nodes.ports
            turn += 1
            if not ports:
                stop.wait(PAUSE_SECONDS)
                continue
            chosen = ports[turn % len(ports)]
            client = clients.setdefault(chosen, RawClient(chosen))
            try:
                self._read(client)
                self._write(client)
            except (NoAnswer, Refused) as error:
                if isinstance(error, Refused) and error.status not in RETRIED:
                    self.wrong.append(str(error))
                stop.wait(PAUSE_SECONDS)
        for client in clients.values():
            client.close()

    def _write(self, client: RawClient) -> None:
        self._count += 1
        item = {**self._key, MARK: {"S": f"{self._count}"}}
        self._possible.add(self._count)
        began, done = time.monotonic(), False
        try:
            client.call("PutItem", TableName=self._table, Item=item)
            done, self._possible = True, {self._count}
        finally:
            ended = time.monotonic()
            self.writes.append(Write(self._key, f"{self._count}", began, ended, done))

    def _read(self, client: RawClient) -> None:
        answer = client.call("GetItem", TableName=self._table, Key=self._key, ConsistentRead=True)
        found = int(answer.get("Item", {}).get(MARK, {}).get("S", "0"))
        self.seen += 1
        if found not in self._possible:
            self.wrong.append(f"{found} was read, and not one of {sorted(self._possible)}")
        self._possible = {count for count in self._possible if count >= found}


@contextmanager
def within(seconds: float, what: str) -> Iterator[None]:
    """Check that what is done in the `with` takes no longer."""
    began = time.monotonic()
    yield
    took = time.monotonic() - began
    assert took <= seconds, f"{what} took {took:.1f} s"


def await_true(done: Callable[[], Any], seconds_max: float, what: str) -> float:
    """Wait until `done` returns something true; return how many seconds that took."""
    began = time.monotonic()
    while not done():
        took = time.monotonic() - began
        assert took < seconds_max, f"{what}: not within {seconds_max} s"
        time.sleep(POLL_SECONDS)
    return time.monotonic() - began


def acknowledged(writers: Iterable[Writer | Witness]) -> int:
    """Return how many writes were acknowledged so far."""
    return sum(write.acknowledged for writer in writers for write in list(writer.writes))


def let_write(writers: Iterable[Writer | Witness], count: int, seconds_max: float = 30.0) -> float:
    """Wait until so many more writes are acknowledged; return how many seconds that took."""
    known = list(writers)
    goal = acknowledged(known) + count
    return await_true(
        lambda: acknowledged(known) >= goal, seconds_max, f"{count} writes acknowledged"
    )


def try_to_write(client: RawClient, table: str, key: str) -> int:
    """Ask for a write of an item whose condition does not hold; return 200, or why it could not be.

    It takes the item's locks and leaves no trace.
    """
    try:
        client.call(
            "DeleteItem",
            TableName=table,
            Key={KEY: {"S": key}},
            ConditionExpression="attribute_exists(nothing_has_this)",
        )
    except Refused as refused:
        return 200 if refused.code == "ConditionalCheckFailedException" else refused.status
    raise AssertionError("the condition held")


def try_to_read(client: RawClient, table: str, key: str) -> int:
    """Ask for an item; return 200, or why it could not be read."""
    try:
        client.call("GetItem", TableName=table, Key={KEY: {"S": key}}, ConsistentRead=True)
    except Refused as refused:
        return refused.status
    return 200
