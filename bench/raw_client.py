"""A small, fast HTTP/1.1 client for DynamoDB requests over one kept connection.

Blocking sockets, and one buffer that every answer is received into: an answer of 1 MB costs one
copy out of the kernel, and is not decoded. Answers are read by Content-Length or as chunks.
"""

import socket
from types import TracebackType
from typing import NamedTuple, Self

from bench.trouble import Trouble

_STREAMS_ACTIONS = frozenset({"DescribeStream", "GetRecords", "GetShardIterator", "ListStreams"})
BUFFER_BYTES = 2 * 1024 * 1024
"""How large the buffer is at first: it grows with the largest answer."""

_HEAD_BYTES_MAX = 32 * 1024
_SHOWN_BYTES_MAX = 500
_HEAD_END = b"\r\n\r\n"
_HEAD = (
    "POST / HTTP/1.1\r\n"
    "Host: {host}\r\n"
    "Content-Type: application/x-amz-json-1.0\r\n"
    "X-Amz-Date: 20261001T120000Z\r\n"
    "Authorization: AWS4-HMAC-SHA256"
    " Credential=AKIDEXAMPLE/20261001/us-east-1/dynamodb/aws4_request,"
    " SignedHeaders=host;x-amz-date, Signature=0a1b2c\r\n"
    "X-Amz-Target: {target}\r\n"
    "{more}Content-Length: "
)


class ServerError(Trouble):
    """The server refused a request, closed the connection, or does not speak HTTP."""


class Head(NamedTuple):
    """What the head of an answer says; `length` is None where its body comes in chunks."""

    status: int
    length: int | None


class Answer(NamedTuple):
    """The body of an answer: a place in the client's buffer, overwritten by the next answer."""

    buffer: bytearray
    start: int
    end: int

    @property
    def body(self) -> bytes:
        """A copy of the body."""
        return bytes(memoryview(self.buffer)[self.start : self.end])

    def count(self, mark: bytes) -> int:
        """Return how often `mark` occurs in the body."""
        return self.buffer.count(mark, self.start, self.end)

    def find(self, mark: bytes, margin: int) -> int:
        """Return where `mark` begins in the buffer, or -1.

        It is looked for in the last and the first `margin` bytes of the body before all of it.
        """
        found = self.buffer.rfind(mark, max(self.start, self.end - margin), self.end)
        if found < 0:
            found = self.buffer.find(mark, self.start, min(self.end, self.start + margin))
        return found if found >= 0 else self.buffer.find(mark, self.start, self.end)


class RequestHead:
    """The head of all requests of one action to one server; `more` are further header lines."""

    def __init__(self, host: str, port: int, action: str, more: str = "") -> None:
        service = (
            "DynamoDBStreams_20120810." if action in _STREAMS_ACTIONS else "DynamoDB_20120810."
        )
        name = f"[{host}]" if ":" in host else host
        text = _HEAD.format(host=f"{name}:{port}", target=service + action, more=more)
        self._head = text.encode()

    def with_body(self, body: bytes) -> bytes:
        """Return the bytes of a request with this body."""
        return b"%b%d\r\n\r\n%b" % (self._head, len(body), body)


class RawClient:
    """One connection, opened at once and kept; a context that closes it."""

    def __init__(self, host: str, port: int, seconds_max: float = 120.0) -> None:
        self._host, self._port = host, port
        self._heads: dict[str, RequestHead] = {}
        self._buffer = bytearray(BUFFER_BYTES)
        self._view = memoryview(self._buffer)
        self._socket = socket.create_connection((host, port), seconds_max)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection."""
        self._socket.close()

    def call(self, action: str, body: bytes) -> Answer:
        """Send a request of `action` and return its answer; raises ServerError."""
        self.send(action, body)
        return self.receive()

    def send(self, action: str, body: bytes) -> None:
        """Send a request; its answer has to be received before the next one is sent."""
        head = self._heads.get(action)
        if head is None:
            head = self._heads[action] = RequestHead(self._host, self._port, action)
        try:
            self._socket.sendall(head.with_body(body))
        except OSError as error:
            raise ServerError(f"the server is gone: {error}") from error

    def receive(self) -> Answer:
        """Return the answer to what was sent; ServerError where it is another one than 200."""
        filled = self._fill(0)
        while (end := self._buffer.find(_HEAD_END, 0, filled)) < 0:
            if filled > _HEAD_BYTES_MAX:
                raise ServerError("the server's answer has no end of its head")
            filled = self._fill(filled)
        status, length = read_head(bytes(self._view[:end]))
        start = end + len(_HEAD_END)
        if length is None:
            end = self._receive_chunks(start, filled)
        else:
            end = start + length
            self._receive_until(end, filled)
        answer = Answer(self._buffer, start, end)
        if status != 200:
            shown = answer.body[:_SHOWN_BYTES_MAX].decode("utf-8", "replace")
            raise ServerError(f"the server answered {status}: {shown}")
        return answer

    def _receive_until(self, end: int, filled: int) -> int:
        """Receive until the buffer is filled up to `end` at least; return how far it is."""
        while filled < end:
            if end > len(self._buffer):
                self._grow(end)
            filled = self._fill(filled)
        return filled

    def _receive_chunks(self, start: int, filled: int) -> int:
        """Receive a body in chunks and put them together at `start`; return the body's end."""
        body_end, at = start, start
        while True:
            while (line_end := self._buffer.find(b"\r\n", at, filled)) < 0:
                filled = self._fill(filled)
            size = int(bytes(self._view[at:line_end]).partition(b";")[0], 16)
            at = line_end + 2
            filled = self._receive_until(at + size + 2, filled)
            if size == 0:  # no trailers: none of these servers sends any
                return body_end
            self._view[body_end : body_end + size] = self._view[at : at + size]
            body_end += size
            at += size + 2

    def _fill(self, filled: int) -> int:
        """Receive once behind the first `filled` bytes; return how many there are then."""
        if filled == len(self._buffer):
            self._grow(filled + 1)
        try:
            received = self._socket.recv_into(self._view[filled:])
        except OSError as error:
            raise ServerError(f"the server does not answer: {error}") from error
        if not received:
            raise ServerError("the server closed the connection")
        return filled + received

    def _grow(self, length: int) -> None:
        self._view.release()
        self._buffer.extend(bytes(max(length, 2 * len(self._buffer)) - len(self._buffer)))
        self._view = memoryview(self._buffer)


def read_head(head: bytes) -> Head:
    """Return what the head of an answer says; ServerError where it is none."""
    line, *fields = head.split(b"\r\n")
    if not line.startswith(b"HTTP/1."):
        raise ServerError(f"the server does not speak HTTP: {line[:80]!r}")
    status, length = int(line[9:12]), 0
    for each in fields:
        name, _, value = each.partition(b":")
        match name.strip().lower():
            case b"content-length":
                length = int(value)
            case b"transfer-encoding" if value.strip().lower() == b"chunked":
                return Head(status, None)
            case _:
                pass
    return Head(status, length)
