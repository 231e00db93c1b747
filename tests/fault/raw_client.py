"""A small, quick DynamoDB client on one connection that never repeats a request by itself."""

import json
import socket
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

_SERVICES = {"DescribeStream", "GetRecords", "GetShardIterator", "ListStreams"}
_HEAD = (
    "POST / HTTP/1.1\r\n"
    "Host: localhost\r\n"
    "Content-Type: application/x-amz-json-1.0\r\n"
    "X-Amz-Date: 20261001T120000Z\r\n"
    "Authorization: AWS4-HMAC-SHA256"
    " Credential=AKIDEXAMPLE/20261001/us-east-1/dynamodb/aws4_request,"
    " SignedHeaders=host;x-amz-date, Signature=0a1b2c\r\n"
    "X-Amz-Target: {target}\r\n"
    "Content-Length: {length}\r\n"
    "{more}"
    "\r\n"
)


class NoAnswer(Exception):
    """The connection ended before the answer came: the request may have had its effect or not."""


class Refused(Exception):
    """The server answered with an error."""

    def __init__(self, status: int, body: dict[str, Any]) -> None:
        super().__init__(f"{status} {body}")
        self.status = status
        self.code = str(body.get("__type", "")).rpartition("#")[2]


class RawClient:
    """One keep-alive connection, opened by the first call; a context that closes it."""

    def __init__(self, port: int, seconds_max: float = 60.0) -> None:
        self._port = port
        self._seconds_max = seconds_max
        self._socket: socket.socket | None = None
        self._buffer = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def call(self, action: str, **parameters: Any) -> dict[str, Any]:
        """Return the answer to an action; raises Refused or NoAnswer."""
        self.send(action, **parameters)
        return self.receive()

    def send(self, action: str, **parameters: Any) -> None:
        """Send a request; NoAnswer where there is no connection to be had."""
        self.send_bytes(request_bytes(action, parameters))

    def send_bytes(self, data: bytes) -> None:
        """Send any bytes."""
        try:
            if self._socket is None:
                self._socket = socket.create_connection(
                    ("127.0.0.1", self._port), self._seconds_max
                )
                self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._socket.sendall(data)
        except OSError as error:
            self.close()
            raise NoAnswer(str(error)) from error

    def receive(self) -> dict[str, Any]:
        """Return the next answer; raises Refused or NoAnswer."""
        try:
            status, body = self._read_answer()
        except OSError as error:
            self.close()
            raise NoAnswer(str(error)) from error
        answer: dict[str, Any] = json.loads(body)
        if status != 200:
            raise Refused(status, answer)
        return answer

    def close(self) -> None:
        """Close the connection."""
        if self._socket is not None:
            self._socket.close()
        self._socket, self._buffer = None, b""

    def _read_answer(self) -> tuple[int, bytes]:
        head = self._read_until(b"\r\n\r\n")
        length = 0
        for line in head.split(b"\r\n")[1:]:
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        while len(self._buffer) < length:
            self._fill()
        body, self._buffer = self._buffer[:length], self._buffer[length:]
        return int(head[9:12]), body

    def _read_until(self, mark: bytes) -> bytes:
        while mark not in self._buffer:
            self._fill()
        head, _, self._buffer = self._buffer.partition(mark)
        return head

    def _fill(self) -> None:
        assert self._socket is not None
        piece = self._socket.recv(256 * 1024)
        if not piece:
            raise ConnectionResetError("the server closed the connection")
        self._buffer += piece


def request_bytes(
    action: str, parameters: dict[str, Any], headers: Mapping[str, str] | None = None
) -> bytes:
    """Return the bytes of a request as a client that signs would send them."""
    service = "DynamoDBStreams_20120810." if action in _SERVICES else "DynamoDB_20120810."
    body = json.dumps(parameters).encode()
    more = "".join(f"{name}: {value}\r\n" for name, value in (headers or {}).items())
    head = _HEAD.format(target=service + action, length=len(body), more=more)
    return head.encode() + body
