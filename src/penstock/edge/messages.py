"""What passes between a connection and the dispatch: requests, responses, and refusals.

Header names of a request are lower-case bytes; a name that came twice has its values joined by
commas. Nothing here knows of sockets.
"""

import json
from collections.abc import Mapping
from email.utils import formatdate
from http import HTTPStatus
from typing import NamedTuple

from penstock.base.clock import Clock
from penstock.base.wait import Wait

TEXT = b"text/plain; charset=utf-8"
JSON = b"application/json"
WAIT_HEADER = b"x-penstock-wait-ms"


class HttpRequest(NamedTuple):
    """One whole request; `body` is as sent, with chunks joined but compression left in place.

    `wait` is there where the client asks for it by `WAIT_HEADER`.
    """

    method: bytes
    target: bytes
    headers: Mapping[bytes, bytes]
    body: bytes
    version: str = "1.1"
    keep_alive: bool = True
    wait: Wait | None = None


class HttpResponse(NamedTuple):
    """One answer, without the headers that every answer has (see `ResponseWriter`).

    `headers` are whole lines, each with its end.
    """

    status: int
    headers: bytes
    body: bytes


def page(status: int, content_type: bytes, body: bytes, request_id: str) -> HttpResponse:
    """Return an answer to what is not an API call."""
    lines = b"Content-Type: %b\r\nx-amzn-RequestId: %b\r\n" % (content_type, request_id.encode())
    return HttpResponse(status, lines, body)


class TextPage(NamedTuple):
    """A page about the server that is not JSON, as whoever shows it makes it."""

    content_type: bytes
    body: bytes


class Refusal(Exception):
    """A request that is turned down for its HTTP, before or without asking a service."""

    def __init__(self, status: int, text: str, error_type: str | None = None) -> None:
        super().__init__(text)
        self.status = status
        self.text = text
        self.error_type = error_type
        """The code of an error of Lambda, where it is one."""

    def response(self, request_id: str) -> HttpResponse:
        """Return the answer that says so: plain text, or as Lambda tells its errors."""
        if self.error_type is None:
            return page(self.status, TEXT, f"{self.text}\n".encode(), request_id)
        body = json.dumps({"Type": "User", "message": self.text}).encode()
        answer = page(self.status, JSON, body, request_id)
        return answer._replace(
            headers=answer.headers + b"x-amzn-ErrorType: %b\r\n" % self.error_type.encode()
        )


def too_large_upload(target: bytes, bytes_max: int) -> Refusal:
    """Return the refusal of a request with more code than may be sent."""
    action = "UpdateFunctionCode" if target.rstrip(b"/").endswith(b"code") else "CreateFunction"
    return Refusal(
        413,
        f"Request must be smaller than {bytes_max} bytes for the {action} operation",
        "RequestEntityTooLargeException",
    )


_STATUS_LINES = {
    status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n".encode() for status in HTTPStatus
}


class ResponseWriter:
    """Turns responses into HTTP/1.1, adding Server, Date, Content-Length and Connection."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._second = -1
        self._fixed_lines = b""

    def head(self, response: HttpResponse, request: HttpRequest | None, *, last: bool) -> bytes:
        """Return all that stands before the body; `last` says that the connection then closes.

        `request` is None where none could be read.
        """
        status, headers, body = response
        connection = b""
        if last:
            connection = b"Connection: close\r\n"
        elif request is not None and request.version == "1.0":
            connection = b"Connection: keep-alive\r\n"
        return b"%b%b%bContent-Length: %d\r\n%b\r\n" % (
            _STATUS_LINES[status],
            self._server_and_date(),
            headers,
            len(body),
            connection,
        )

    def _server_and_date(self) -> bytes:
        second = self._clock.now_ms() // 1000
        if second != self._second:
            self._second = second
            self._fixed_lines = (
                f"Server: Penstock\r\nDate: {formatdate(second, usegmt=True)}\r\n".encode()
            )
        return self._fixed_lines
