"""The sockets of the Runtime API: a small HTTP/1.1 server for each worker, on loopback.

The port is the worker's own, so a request needs no name of the worker. What a worker sends is
never trusted: every size has a limit, and what is not HTTP is refused and closed.
"""

import asyncio
from typing import cast

import httptools

from penstock.base import limits
from penstock.functions.runtime_api import (
    ApiRequest,
    ApiResponse,
    RuntimeApi,
    refusal,
)

_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_MALFORMED = refusal(b"400 Bad Request", "BadRequest", "Malformed HTTP", closes=True)
_HEADERS_TOO_LARGE = refusal(
    b"431 Request Header Fields Too Large", "BadRequest", "Headers are too large", closes=True
)
_ENDLESS = refusal(
    b"413 Request Entity Too Large", "RequestEntityTooLarge", "Body is too large", closes=True
)


class _Stop(Exception):
    """Raised in a callback of the parser to end the connection."""


class RuntimeConnection(asyncio.Protocol):
    """One connection of a worker's process; its requests come one after the other."""

    def __init__(self, api: RuntimeApi, among: set["RuntimeConnection"]) -> None:
        self._api = api
        self._among = among
        self._transport: asyncio.Transport
        self._parser = httptools.HttpRequestParser(self)
        self._refused: ApiResponse | None = None
        self._head_bytes = 0
        self._body_bytes = 0
        self._url = b""
        self._headers: dict[bytes, bytes] = {}
        self._chunks: list[bytes] = []
        self._closes = False
        self._method = b""
        self._is_replaying = False
        """Whether the parser is told again what it has told us of a head."""

    # --- called by the transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        if len(self._among) >= limits.runtime_connections_max:
            self._transport.abort()
            return
        self._among.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._among.discard(self)
        self._api.lost(self)
        self._chunks = []
        del self._parser  # which knows us

    def pause_writing(self) -> None:
        """Take no more requests of who does not read the answers: they would fill our memory."""
        self._transport.pause_reading()

    def resume_writing(self) -> None:
        self._transport.resume_reading()

    def data_received(self, data: bytes) -> None:
        self._head_bytes += len(data)  # taken off again where the head ends
        try:
            while data and not self._transport.is_closing():
                data = self._feed(data)
        except httptools.HttpParserError:
            self.answer(self._refused or _MALFORMED)
        else:
            if self._head_bytes > limits.runtime_header_bytes_max:
                self.answer(_HEADERS_TOO_LARGE)

    def _feed(self, data: bytes) -> bytes:
        """Let the parser go on; return what it stopped before.

        It stops behind the head of a request that offers another protocol, as Java's client does.
        The offer is declined: a parser that is told the same framing reads the body.
        """
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            if self._parser.get_method() == b"CONNECT":
                self.answer(_MALFORMED)
                return b""
            framing = b"".join(
                b"%b: %b\r\n" % (name, self._headers[name])
                for name in (b"content-length", b"transfer-encoding")
                if name in self._headers
            )
            self._parser = httptools.HttpRequestParser(self)
            self._is_replaying = True
            self._parser.feed_data(b"POST / HTTP/1.1\r\n%b\r\n" % framing)
            offset: int = upgrade.args[0]
            return data[offset:]
        return b""

    # --- called by the API

    def answer(self, response: ApiResponse) -> None:
        """Send `response`."""
        if self._transport.is_closing():
            return
        self._transport.writelines(response.pieces)
        if response.closes or self._closes:
            self._transport.close()

    def cut(self) -> None:
        """Close at once."""
        self._transport.abort()

    # --- called by the parser

    def on_message_begin(self) -> None:
        if not self._is_replaying:
            self._url, self._headers, self._chunks, self._body_bytes = b"", {}, [], 0

    def on_url(self, url: bytes) -> None:
        if self._is_replaying:
            return
        self._url += url
        if len(self._url) > limits.runtime_header_bytes_max:
            self._refused = _HEADERS_TOO_LARGE
            raise _Stop

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers[name.lower()] = value.strip()
        if len(self._headers) > limits.header_count_max:
            self._refused = _HEADERS_TOO_LARGE
            raise _Stop

    def on_headers_complete(self) -> None:
        self._head_bytes = 0
        if self._is_replaying:
            return
        self._method = self._parser.get_method()
        self._closes = not self._parser.should_keep_alive()
        if self._headers.get(b"expect", b"").lower() == b"100-continue":
            self._transport.write(_CONTINUE)

    def on_body(self, body: bytes) -> None:
        self._head_bytes = 0
        self._body_bytes += len(body)
        if self._body_bytes <= limits.function_answer_bytes_max:
            self._chunks.append(body)
        elif self._body_bytes <= limits.runtime_body_bytes_max:
            self._chunks = []
        else:
            self._refused = _ENDLESS
            raise _Stop

    def on_message_complete(self) -> None:
        self._head_bytes = 0
        if self._parser.should_upgrade():  # its body is still to come
            return
        self._is_replaying = False
        chunks, self._chunks = self._chunks, []
        request = ApiRequest(
            self._method,
            self._url,
            self._headers,
            chunks[0] if len(chunks) == 1 else b"".join(chunks),
            self._body_bytes > limits.function_answer_bytes_max,
        )
        response = self._api.handle(request, self)
        if response is not None:
            self.answer(response)


class RuntimeServer:
    """The Runtime API of one worker on a port of its own."""

    def __init__(self, api: RuntimeApi) -> None:
        self._api = api
        self._connections: set[RuntimeConnection] = set()
        self._server: asyncio.Server | None = None

    async def start(self) -> str:
        """Listen on a free port of loopback; return its address, as the runtime is told it."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: RuntimeConnection(self._api, self._connections), "127.0.0.1", 0
        )
        host, port = self._server.sockets[0].getsockname()
        return f"{host}:{port}"

    def close(self) -> None:
        """End it and all its connections; safe twice."""
        if self._server is not None:
            self._server.close()
        for each in tuple(self._connections):
            each.cut()
