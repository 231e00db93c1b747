"""Servers that programs run on: the operations in this process, or any endpoint by boto3."""

import asyncio
import itertools
import json
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, Protocol

import msgspec
from botocore.exceptions import ClientError

from penstock.app.jobs import jobs
from penstock.app.settings import Settings
from penstock.base.background import Job
from penstock.base.clock import Clock
from penstock.base.errors.api import ApiError
from penstock.base.ids import Entropy
from penstock.operations.operation import Operation, Services
from penstock.operations.registry import operations
from penstock.storage.waist import Engine
from penstock.tables.tables import Tables
from penstock.testing.clock import FakeClock
from penstock.testing.server import RunningServer
from penstock.wire.sigv4 import Caller

TABLES = "DynamoDB_20120810."
STREAMS = "DynamoDBStreams_20120810."
_CALLER = Caller("us-east-1", "AKIDEXAMPLE")
OpenEngine = Callable[[Clock], Engine]


class Failure(Exception):
    """An error that the server answered with: its code and body."""

    def __init__(self, code: str, body: dict[str, Any]) -> None:
        super().__init__(f"{code}: {body}")
        self.code = code
        self.body = body


class Bench(Protocol):
    """A server under test, whose clock the test moves."""

    clock: FakeClock
    fills_at_once: bool
    """Whether new indexes are filled beside the requests, asked or not."""

    def call(self, target: str, body: dict[str, Any]) -> dict[str, Any]:
        """Return the answer to a request, both as JSON; Failure where there is none."""
        ...

    def begin_fill(self) -> None:
        """Let new indexes be filled while the next requests are answered."""
        ...

    def catch_up(self) -> None:
        """Let all jobs of the server run once."""
        ...

    def restart(self) -> None:
        """Stop the server in what it does, and start it again, if it outlasts that."""
        ...


class _Node(NamedTuple):
    engine: Engine
    operations: Mapping[str, Operation]
    jobs: list[Job]


class InProcess:
    """The operations of a server, without its edge; its loop runs while a request is answered.

    Where it is several nodes, each request and each round of jobs goes to the next.
    """

    fills_at_once = False

    def __init__(self, open_engine: OpenEngine, *, is_durable: bool, nodes: int = 1) -> None:
        """Open an engine for each node; they are opened again at a restart where they are durable.

        Without one that is durable, a restart is none.
        """
        self.clock = FakeClock()
        self._open_engine = open_engine
        self._is_durable = is_durable
        self._node_count = nodes
        self._entropy = Entropy(0)
        self._runner = asyncio.Runner()  # which ends at its end what engines have going
        self._loop = self._runner.get_loop()
        self._fills: list[asyncio.Task[None]] = []
        self._loop.run_until_complete(self._start())

    async def _start(self) -> None:
        """Open the engines, and make a server over each."""
        self._nodes = [self._new_node() for _ in range(self._node_count)]
        self._turns = itertools.cycle(self._nodes)

    def _new_node(self) -> _Node:
        account = "000000000000"
        engine = self._open_engine(self.clock)
        services = Services(
            Tables(engine, self.clock, self._entropy, account), 4, lsi_stream_rule="aws"
        )
        settings = Settings("127.0.0.1", 0, None, "memory", account, 4)
        return _Node(engine, operations(services), jobs(services, settings))

    async def _stop(self) -> None:
        """Break off what runs beside the requests, and close the engines."""
        fills, self._fills = self._fills, []
        for fill in fills:
            fill.cancel()
        await asyncio.gather(*fills, return_exceptions=True)
        for node in self._nodes:
            node.engine.close()

    def call(self, target: str, body: dict[str, Any]) -> dict[str, Any]:
        operation = next(self._turns).operations[target]
        asked = json.loads(json.dumps(body))  # an operation may keep what it was given
        try:
            answer = self._loop.run_until_complete(operation.call(_CALLER, asked))
        except ApiError as error:
            raise Failure(error.code, _decoded(error.body())) from None
        return _decoded(answer)

    def begin_fill(self) -> None:
        (backfill,) = (job for job in next(self._turns).jobs if job.name == "backfill")
        self._fills.append(self._loop.create_task(_run(backfill)))

    def catch_up(self) -> None:
        while self._fills:
            self._loop.run_until_complete(self._fills.pop())
        for job in next(self._turns).jobs:
            self._loop.run_until_complete(job.run())

    def restart(self) -> None:
        if self._is_durable:
            self._loop.run_until_complete(self._stop())
            self._loop.run_until_complete(self._start())

    def close(self) -> None:
        """End the server for good."""
        self._loop.run_until_complete(self._stop())
        self._runner.close()


async def _run(job: Job) -> None:
    await job.run()


def _decoded(answer: dict[str, Any]) -> dict[str, Any]:
    """Return an answer as its client sees it."""
    decoded: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(answer))
    return decoded


class ByClient:
    """A server behind boto3 clients."""

    fills_at_once = True

    def __init__(self, server: RunningServer, clock: FakeClock, ddb: Any, streams: Any) -> None:
        self.clock = clock
        self._server = server
        self._clients = {TABLES: ddb, STREAMS: streams}

    def call(self, target: str, body: dict[str, Any]) -> dict[str, Any]:
        service, _, action = target.rpartition(".")
        client = self._clients[service + "."]
        try:
            answer = client._make_api_call(action, _with_bytes(body))
        except ClientError as error:
            found = error.response
            raise Failure(found["Error"]["Code"], _with_base64(found)) from None
        answer.pop("ResponseMetadata")
        decoded: dict[str, Any] = _with_base64(answer)
        return decoded

    def begin_fill(self) -> None:
        """Do nothing: it has begun."""

    def catch_up(self) -> None:
        for _ in range(2):  # what one job leaves may be another's to do
            self._server.catch_up()

    def restart(self) -> None:
        """Do nothing: its engine is memory."""


def _with_bytes(node: Any) -> Any:
    """Return a JSON request with its binary values as boto3 takes them."""
    if isinstance(node, list):
        return [_with_bytes(each) for each in node]
    if not isinstance(node, dict):
        return node
    if len(node) == 1 and isinstance(node.get("B"), str):
        return {"B": b64decode(node["B"])}
    if len(node) == 1 and isinstance(node.get("BS"), list):
        return {"BS": [b64decode(member) for member in node["BS"]]}
    return {name: _with_bytes(each) for name, each in node.items()}


def _with_base64(node: Any) -> Any:
    """Return boto3's answer with its binary values as JSON has them."""
    if isinstance(node, bytes):
        return b64encode(node).decode()
    if isinstance(node, list):
        return [_with_base64(each) for each in node]
    return {k: _with_base64(v) for k, v in node.items()} if isinstance(node, dict) else node
