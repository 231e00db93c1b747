"""A way to PostgreSQL that a test cuts: at any moment, or at one message of the protocol.

It reads what the client says (PostgreSQL's manual, message formats), so that it can strike exactly
when a transaction that has written something is about to commit. It knows no TLS.
"""

import asyncio
import socket
import struct
import threading
from collections.abc import Callable, Coroutine
from enum import Enum
from types import TracebackType
from typing import Any, Self, TypeVar

T = TypeVar("T")

HOST = "127.0.0.1"
START_SECONDS_MAX = 10.0
PIECE_BYTES = 64 * 1024
_REQUESTS = {80877103, 80877104}
"""Codes of what a client may ask before it begins: for TLS, for GSSAPI."""
_BIND = b"B"
_COMMITTED = b"C\x00\x00\x00\x0bCOMMIT\x00"
"""How the server says that it has committed."""


class Strike(Enum):
    """What befalls a transaction that has written something and is about to commit.

    The last one befalls a transaction that has its locks and is about to read.
    """

    BEFORE = "the connection is cut before the server is told to commit"
    AFTER = "the connection is cut when the server has committed, before its reply arrives"
    SILENCE = "the server commits, and nothing is heard any more"
    HALF = (
        "the server hears what is to be written, half of the word to commit, and nothing any more"
    )

    CLOG = "nothing is heard any more, and the server has no room to say what was asked before that"


_SILENT = {Strike.SILENCE, Strike.HALF, Strike.CLOG}


class CutProxy:
    """A loopback port that leads to another one; a context that closes it.

    `delay_seconds` is how long what the server says is on its way.
    """

    def __init__(self, goal_port: int) -> None:
        self.port = 0
        self.goal_port = goal_port
        self.delay_seconds = 0.0
        self.struck = 0
        """How many transactions were struck."""
        self.having = b""
        """What a transaction that is struck has written, or is about to read."""
        self._strike: Strike | None = None
        self._met = threading.Event()
        self._swallows = False
        self._refuses = False
        self._links: set[_Link] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._server: asyncio.Server | None = None

    def __enter__(self) -> Self:
        self._thread.start()
        self.port = self._run(self._start())
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._run(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(START_SECONDS_MAX)
        self._loop.close()

    # --- what a test does

    def cut(self) -> None:
        """Reset all connections, on both sides."""
        self._call(self._cut)

    def refuse(self) -> None:
        """Reset all connections, and new ones as they come."""

        def begin() -> None:
            self._refuses = True
            self._cut()

        self._call(begin)

    def swallow(self) -> None:
        """Forward nothing any more, in either direction, on connections old and new."""

        def begin() -> None:
            self._swallows = True
            for link in self._links:
                link.swallows = True

        self._call(begin)

    def heal(self) -> None:
        """Forward new connections; what was swallowed stays so, and its connections with it."""

        def end() -> None:
            self._swallows = self._refuses = False
            self._strike = None

        self._call(end)

    def strike(self, strike: Strike, having: bytes = b"") -> None:
        """Strike the next transaction that has written what has these bytes in it, as it commits.

        Or that is about to read it, where that is the moment of the strike.
        """

        def arm() -> None:
            self._met.clear()
            self._strike, self.having = strike, having

        self._call(arm)

    def await_struck(self, seconds_max: float) -> None:
        """Wait until the strike that was armed last has met a transaction."""
        assert self._met.wait(seconds_max), "nothing was struck"

    # --- inside

    def take_strike(self, *, commits: bool) -> Strike | None:
        """Return what befalls a transaction that is about to commit, or else to read."""
        if (self._strike is Strike.CLOG) is commits:
            return None
        strike, self._strike = self._strike, None
        if strike is not None:
            self.struck += 1
            self._met.set()
        return strike

    async def _start(self) -> int:
        self._server = await asyncio.start_server(self._serve, HOST, 0)
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    async def _stop(self) -> None:
        assert self._server is not None
        self._server.close()
        self._refuses = True
        self._cut()
        while self._links:
            await asyncio.sleep(0.001)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._refuses:
            _reset(writer)
            return
        try:
            away = await asyncio.open_connection(sock=await self._connected())
        except OSError:
            _reset(writer)
            return
        link = _Link(self, (reader, writer), away)
        link.swallows = self._swallows
        self._links.add(link)
        try:
            await link.run()
        finally:
            self._links.discard(link)

    async def _connected(self) -> socket.socket:
        """Return a connection to the server, with so little room that it can be clogged."""
        away = socket.socket()
        try:
            away.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, PIECE_BYTES)
            away.setblocking(False)
            await self._loop.sock_connect(away, (HOST, self.goal_port))
        except OSError:
            away.close()
            raise
        return away

    def _cut(self) -> None:
        for link in list(self._links):
            link.cut()

    def _call(self, call: Callable[[], None]) -> None:
        async def work() -> None:
            call()

        self._run(work())

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(START_SECONDS_MAX)


_Side = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class _Link:
    """One connection, from the client to the server and back."""

    def __init__(self, proxy: CutProxy, client: _Side, server: _Side) -> None:
        self.swallows = False
        self._proxy = proxy
        self._client = client
        self._server = server
        self._over = asyncio.Event()
        self._heard = b""
        self._has_begun = False
        self._has_locks = False
        self._has_put = False
        self._strike: Strike | None = None

    async def run(self) -> None:
        """Forward until one side has ended; the server never hears of it once nothing is."""
        ask, answer = asyncio.ensure_future(self._ask()), asyncio.ensure_future(self._answer())
        try:
            await asyncio.wait((ask, answer), return_when=asyncio.FIRST_COMPLETED)
            if self.swallows or self._strike in _SILENT:
                over = asyncio.ensure_future(self._over.wait())
                await asyncio.wait((answer, over), return_when=asyncio.FIRST_COMPLETED)
                over.cancel()
        finally:
            for way in (ask, answer):
                way.cancel()
            await asyncio.gather(ask, answer, return_exceptions=True)
            for _, writer in (self._client, self._server):
                writer.close()

    def cut(self) -> None:
        """Reset both sides."""
        self._over.set()
        for _, writer in (self._client, self._server):
            _reset(writer)

    async def _ask(self) -> None:
        """Forward what the client says, message by message."""
        reader, writer = self._client[0], self._server[1]
        while piece := await reader.read(PIECE_BYTES):
            if self.swallows:
                continue
            self._heard += piece
            said = b""
            while (message := self._next_message()) is not None:
                said += message
                if (statement := self._statement(message)) is not None:
                    said = self._told(said, message, statement)
            if said:
                writer.write(said)
                await writer.drain()

    async def _answer(self) -> None:
        """Forward what the server says."""
        reader, writer = self._server[0], self._client[1]
        while piece := await reader.read(PIECE_BYTES):
            if self._strike is Strike.CLOG:
                await self._over.wait()
            if self._proxy.delay_seconds:
                await asyncio.sleep(self._proxy.delay_seconds)
            if self._strike is Strike.AFTER and _COMMITTED in piece:
                self.cut()
                return
            if not self.swallows and self._strike is None:
                writer.write(piece)
                await writer.drain()

    def _told(self, said: bytes, message: bytes, statement: bytes) -> bytes:
        """Do what befalls a transaction as `message` runs a statement; return what is told."""
        if statement == b"begin":
            self._has_put = self._has_locks = False
        elif statement == b"lock":
            self._has_locks = True
        elif statement in {b"put", b"put_long", b"delete", b"clear"}:
            self._has_put = self._has_put or self._proxy.having in message
        elif (statement == b"commit" and self._has_put) or (
            statement == b"get" and self._has_locks
        ):
            self._strike = self._proxy.take_strike(commits=statement == b"commit")
        if self._strike is Strike.BEFORE:
            self.cut()
            return b""
        if self._strike is Strike.HALF:
            self.swallows = True
            self._heard = b""
            return said[: -len(message) // 2]
        return said

    def _statement(self, message: bytes) -> bytes | None:
        """Return the name of the statement that a message runs."""
        return message[5:].split(b"\x00", 2)[1] if message[:1] == _BIND else None

    def _next_message(self) -> bytes | None:
        """Take the next whole message out of what was heard."""
        heard = self._heard
        at = 1 if self._has_begun else 0
        if len(heard) < at + 8 - at * 4:
            return None
        length = at + struct.unpack_from(">i", heard, at)[0]
        if len(heard) < length:
            return None
        message, self._heard = heard[:length], heard[length:]
        if not self._has_begun:
            self._has_begun = struct.unpack_from(">i", message, 4)[0] not in _REQUESTS
        return message


def _reset(writer: asyncio.StreamWriter) -> None:
    """Close a connection so that the other side hears of an error, not of an end."""
    sock = writer.get_extra_info("socket")
    if sock is not None and sock.fileno() >= 0:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
