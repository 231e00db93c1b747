"""A server on a real socket with made-up operations, and a raw client to talk to it."""

import asyncio
import json
import socket
import struct
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import uvloop

from penstock.base.clock import SystemClock
from penstock.base.health import Health
from penstock.base.ids import Entropy
from penstock.edge.dispatch import Dispatch, Operation
from penstock.edge.limits import EdgeLimits
from penstock.edge.pipeline import DispatchFunction
from penstock.edge.server import Server
from penstock.wire.sigv4 import Caller

TARGET = "DynamoDB_20120810."
RUN_SECONDS_MAX = 100.0
CREDENTIAL = "AKIDEXAMPLE/20261001/eu-west-1/dynamodb/aws4_request"
SIGNED_HEADERS = {
    "Host": "localhost",
    "Content-Type": "application/x-amz-json-1.0",
    "X-Amz-Date": "20261001T120000Z",
    "Authorization": f"AWS4-HMAC-SHA256 Credential={CREDENTIAL}, "
    "SignedHeaders=host;x-amz-date, Signature=0a1b2c",
}


class Answer(NamedTuple):
    """One answer as it came; header names in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Act:
    """An operation made of a function; an awaitable result is awaited."""

    def __init__(self, function: Callable[[Caller, dict[str, Any]], Any]) -> None:
        self._function = function

    async def call(self, caller: Caller, body: dict[str, Any]) -> dict[str, Any]:
        result = self._function(caller, body)
        answer: dict[str, Any] = await result if isinstance(result, Awaitable) else result
        return answer


class Gate:
    """An operation that waits until it is let through; says when it has begun and ended."""

    def __init__(self) -> None:
        self.begun = asyncio.Event()
        self.opened = asyncio.Event()
        self.ended = False
        self.cancelled = False

    async def __call__(self, _caller: Caller, _body: dict[str, Any]) -> dict[str, Any]:
        self.begun.set()
        try:
            await self.opened.wait()
        except asyncio.CancelledError:
            self.cancelled = True
            raise
        self.ended = True
        return {"done": True}


def echo(caller: Caller, body: dict[str, Any]) -> dict[str, Any]:
    return {"Region": caller.region, "Key": caller.access_key, "Body": body}


def dispatch_of(**acts: Callable[[Caller, dict[str, Any]], Any]) -> Dispatch:
    """Return a dispatch with an operation per keyword, and always `Echo`."""
    operations: dict[str, Operation] = {
        TARGET + name: Act(function) for name, function in {"Echo": echo, **acts}.items()
    }
    return Dispatch(operations, engine="memory", health=healthy(), entropy=Entropy(7))


def healthy() -> Health:
    """Return the health of a server whose store nobody asks after."""
    return Health(SystemClock())


def run(work: Coroutine[Any, Any, None]) -> None:
    """Run a test on the loop that the server runs on in life.

    What never comes fails it: this is the one limit, so that a busy machine has one to keep.
    """
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(asyncio.wait_for(work, RUN_SECONDS_MAX))


async def until(condition: Callable[[], bool]) -> None:
    """Let the loop turn until `condition()` holds."""
    while not condition():
        await asyncio.sleep(0.001)


@asynccontextmanager
async def serving(dispatch: DispatchFunction, **changed: Any) -> AsyncIterator[Server]:
    """Serve on a free port, with some limits changed, and stop at the end."""
    server = Server(dispatch, "127.0.0.1", 0, limits=EdgeLimits(**changed))
    await server.start()
    try:
        yield server
    finally:
        await server.stop(0.5)


def age(server: Server, seconds: float) -> None:
    """Let so many seconds pass for every connection, on top of those that already have.

    Each finds out, as it would by a sweep.
    """
    now = asyncio.get_running_loop().time()
    for connection in list(server._shared.connections):
        connection._since -= seconds
        connection.check_time(now)


class Client:
    """One raw connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    def send(self, data: bytes) -> None:
        self.writer.write(data)

    async def receive(self, *, body: bool = True) -> Answer:
        """Read one answer; `body` says whether a body follows the head."""
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        pairs = (line.split(": ", 1) for line in head[1:] if line)
        headers = {name.lower(): value for name, value in pairs}
        length = int(headers.get("content-length", "0")) if body else 0
        return Answer(int(head[0].split()[1]), headers, await self.reader.readexactly(length))

    async def ask(self, data: bytes) -> Answer:
        self.send(data)
        return await self.receive()

    def reset_on_abort(self) -> None:
        """Make the end of this connection a reset, as of a process that was killed."""
        raw = self.writer.transport.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    async def is_closed(self) -> bool:
        """Wait until the server closes; say whether it did so without sending more."""
        try:
            return await self.reader.read() == b""
        except ConnectionError:
            return True


@asynccontextmanager
async def connected(server: Server) -> AsyncIterator[Client]:
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    try:
        yield Client(reader, writer)
    finally:
        writer.transport.abort()


def request(
    body: bytes = b"{}",
    *,
    action: str | None = "Echo",
    without: tuple[str, ...] = (),
    method: str = "POST",
    target: str = "/",
    chunked: bool = False,
    **headers: str,
) -> bytes:
    """Return the bytes of a signed API call; underscores in header names stand for dashes."""
    lines = {**SIGNED_HEADERS, **{name.replace("_", "-"): v for name, v in headers.items()}}
    if action is not None:
        lines["X-Amz-Target"] = TARGET + action
    if chunked:
        lines["Transfer-Encoding"] = "chunked"
    else:
        lines.setdefault("Content-Length", str(len(body)))
    text = f"{method} {target} HTTP/1.1\r\n" + "".join(
        f"{name}: {value}\r\n" for name, value in lines.items() if name not in without
    )
    return text.encode("latin-1") + b"\r\n" + (_chunks(body) if chunked else body)


def _chunks(body: bytes, size: int = 7) -> bytes:
    pieces = [body[at : at + size] for at in range(0, len(body), size)]
    return b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"


def crc32_matches(answer: Answer) -> bool:
    return answer.headers["x-amz-crc32"] == str(zlib.crc32(answer.body))
