"""Bytes of a connection in, whole HTTP requests out: HTTP/1.x without sockets or clocks.

Every limit of a request's size is kept here, as early as it can be seen to be broken. What breaks
one, or is not HTTP, ends the reading for good: `refusal` then says how to answer.
"""

from enum import Enum
from typing import NoReturn

import httptools

from penstock.edge.limits import EdgeLimits
from penstock.edge.messages import HttpRequest, Refusal, too_large_upload

_HEADER_LINE_EXTRA_BYTES = 4  # the colon, the blank and the line end
_VERSIONS = ("1.0", "1.1")
_FUNCTIONS = b"/2015-03-31/functions"


class Stage(Enum):
    """How far the request at hand has come."""

    IDLE = "idle"
    HEAD = "head"
    BODY = "body"


class _Stop(Exception):
    """Raised in a callback to make the parser stop; the reason stands in `refusal`."""


class RequestReader:
    """Reads the requests of one connection; the `on_` methods are called by the parser."""

    def __init__(self, limits: EdgeLimits) -> None:
        self.stage = Stage.IDLE
        self.stages_begun = 0
        self.refusal: Refusal | None = None
        self.finished = False
        """Whether the last request said that the connection ends with it."""
        self.awaits_continue = False
        """Whether the client holds its body back until it is told to go on."""
        self._limits = limits
        self._parser = httptools.HttpRequestParser(self)
        self._complete: list[HttpRequest] = []
        self._replaying_head = False
        self._upgrade_offered = False
        self._method = b""
        self._version = ""
        self._target = b""
        self._headers: dict[bytes, bytes] = {}
        self._header_count = 0
        self._head_bytes = 0
        self._silent_bytes = 0
        """Bytes fed since the parser last said anything: a header still growing."""
        self._body: bytes | bytearray = b""
        self._body_bytes_max = limits.body_bytes_max

    @property
    def buffered_bytes(self) -> int:
        """How many bytes of an unfinished body are in memory."""
        return len(self._body)

    def abandon(self) -> None:
        """Let go of the request at hand; nothing more will be fed."""
        self._forget_request()

    def feed(self, data: bytes) -> list[HttpRequest]:
        """Take `data` in and return the requests that it completed, in order.

        After `finished` or a `refusal` nothing more is read.
        """
        self._silent_bytes += len(data)
        while data and self.refusal is None and not self.finished:
            data = self._feed(data)
        if self.stage is Stage.HEAD and self._head_is_over():
            self.refusal = self._over_head()
        complete, self._complete = self._complete, []
        return complete

    def _feed(self, data: bytes) -> bytes:
        """Let the parser go on; return the part of `data` that it stopped before."""
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            offset: int = upgrade.args[0]
            self._decline_upgrade()
            return data[offset:]
        except httptools.HttpParserCallbackError:
            if self.refusal is None:
                raise
        except httptools.HttpParserError as error:
            if not self.finished:
                self.refusal = Refusal(400, f"Malformed HTTP: {error}")
        return b""

    def _decline_upgrade(self) -> None:
        """Go on in HTTP/1.1 where the client offers another protocol, as RFC 9110 7.8 allows.

        The parser takes such a request as ended by its head. A fresh one, told the same framing,
        reads the body.
        """
        if not self._upgrade_offered:
            self.refusal = Refusal(501, "This server does not tunnel")
            return
        framing = b"".join(
            b"%b: %b\r\n" % (name, self._headers[name])
            for name in (b"content-length", b"transfer-encoding")
            if name in self._headers
        )
        closing = b"connection: close\r\n" if self._wants_close() else b""
        self._upgrade_offered = False
        self._parser = httptools.HttpRequestParser(self)
        self._replaying_head = True
        self._parser.feed_data(b"POST / HTTP/1.1\r\n%b%b\r\n" % (framing, closing))

    def _wants_close(self) -> bool:
        connection = self._headers.get(b"connection", b"").lower()
        return b"close" in connection or self._version == "1.0"

    # --- called by the parser

    def on_message_begin(self) -> None:
        if not self._replaying_head:
            self._silent_bytes = 0
            self._enter(Stage.HEAD)

    def on_url(self, url: bytes) -> None:
        if self._replaying_head:
            return
        self._target += url
        self._head_bytes += len(url)
        self._silent_bytes = 0
        if self._head_is_over():
            self._refuse(self._over_head())

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._replaying_head:
            return
        self._head_bytes += len(name) + len(value) + _HEADER_LINE_EXTRA_BYTES
        self._header_count += 1
        self._silent_bytes = 0
        if self._head_bytes > self._limits.header_bytes_max:
            self._refuse(self._over_head())
        if self._header_count > self._limits.header_count_max:
            self._refuse(Refusal(431, f"More than {self._limits.header_count_max} headers"))
        if self.stage is Stage.BODY:  # a trailer; none means anything here
            return
        name = name.lower()
        value = value.rstrip(b" \t")  # the parser keeps the blanks that may follow a value
        held = self._headers.get(name)
        self._headers[name] = value if held is None else held + b"," + value

    def on_headers_complete(self) -> None:
        if self._replaying_head:
            self._replaying_head = False
            return
        self._version = self._parser.get_http_version()
        self._method = self._parser.get_method()
        self._check_head()
        self._enter(Stage.BODY)
        expected = self._headers.get(b"expect", b"").lower()
        self.awaits_continue = expected == b"100-continue" and self._version == "1.1"

    def on_body(self, data: bytes) -> None:
        self.awaits_continue = False
        if len(self._body) + len(data) > self._body_bytes_max:
            self._refuse(self._over_body())
        if not self._body:
            self._body = data
        elif isinstance(self._body, bytearray):
            self._body += data
        else:  # from the second piece on, gather without copying what is there
            self._body = bytearray(self._body)
            self._body += data

    def on_message_complete(self) -> None:
        if self._parser.should_upgrade() and self._method != b"CONNECT":
            self._upgrade_offered = True
            return
        if self._method == b"CONNECT":
            return
        keep_alive = self._parser.should_keep_alive()
        self._complete.append(
            HttpRequest(
                self._method,
                self._target,
                self._headers,
                bytes(self._body),
                self._version,
                keep_alive,
            )
        )
        self.finished = not keep_alive
        self._forget_request()
        self._enter(Stage.IDLE)

    # --- the request at hand

    def _forget_request(self) -> None:
        self.awaits_continue = False
        self._target = b""
        self._headers = {}
        self._header_count = self._head_bytes = self._silent_bytes = 0
        self._body = b""
        self._body_bytes_max = self._limits.body_bytes_max

    def _enter(self, stage: Stage) -> None:
        self.stage = stage
        self.stages_begun += 1

    def _check_head(self) -> None:
        """Refuse, before the body, what the head already shows to be wrong."""
        if self._version not in _VERSIONS:
            self._refuse(Refusal(505, "HTTP/1.0 and HTTP/1.1 are spoken here"))
        if self._version == "1.1" and b"host" not in self._headers:
            self._refuse(Refusal(400, "Malformed HTTP: no Host header"))
        if self._target != b"/":
            is_upload = _is_upload(self._method, self._target)
            most = self._limits.upload_bytes_max if is_upload else self._limits.body_bytes_max
            self._body_bytes_max = most
        if int(self._headers.get(b"content-length", b"0")) > self._body_bytes_max:
            self._refuse(self._over_body())

    def _head_is_over(self) -> bool:
        return self._head_bytes + self._silent_bytes > self._limits.header_bytes_max

    def _over_head(self) -> Refusal:
        return Refusal(431, f"Headers over {self._limits.header_bytes_max} bytes")

    def _over_body(self) -> Refusal:
        if self._body_bytes_max != self._limits.body_bytes_max:
            return too_large_upload(self._target, self._body_bytes_max)
        return Refusal(413, f"Request body over {self._body_bytes_max} bytes")

    def _refuse(self, refusal: Refusal) -> NoReturn:
        """Stop the parser in the middle of its work."""
        self.refusal = refusal
        raise _Stop


def _is_upload(method: bytes, target: bytes) -> bool:
    """Say whether a request brings the code of a function, which may be larger than other bodies.

    CreateFunction and UpdateFunctionCode of Lambda.
    """
    if method not in (b"POST", b"PUT") or not target.startswith(_FUNCTIONS):
        return False
    path = target.partition(b"?")[0].removesuffix(b"/")
    return path == _FUNCTIONS or path.endswith(b"/code")
