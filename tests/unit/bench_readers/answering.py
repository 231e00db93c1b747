"""A server that says what the test wants, and a client of it."""

import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from bench.raw_client import RawClient

OK = b"HTTP/1.1 200 OK\r\n"


@contextmanager
def answering(*answers: Sequence[bytes]) -> Iterator[RawClient]:
    """Yield a client whose requests get these answers, each sent piece by piece."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                for pieces in answers:
                    connection.recv(64 * 1024)
                    for piece in pieces:
                        connection.sendall(piece)

        thread = threading.Thread(target=serve)
        thread.start()
        with RawClient("127.0.0.1", listener.getsockname()[1]) as client:
            yield client
        thread.join(10)
        assert not thread.is_alive()


def with_length(body: bytes) -> bytes:
    return OK + b"Content-Length: %d\r\n\r\n%b" % (len(body), body)
