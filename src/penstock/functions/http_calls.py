"""HTTP calls of functions: each on a thread, over connections that are kept, within its time.

The standard library's client, whose calls block: so each has a thread of a bounded pool. When a
call's time is over, or nobody wants its answer any more, its socket is shut down, which ends what
the thread waits for, whatever the server does.
"""

import asyncio
import contextlib
import http.client
import select
import socket
import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Literal, NamedTuple
from urllib.parse import urlsplit

from penstock.base import limits

Place = tuple[bool, str, int]
"""Where a connection leads: whether by TLS, host, port."""


class HttpAnswer(NamedTuple):
    """An answer; names of headers are in lower case. `is_whole` where `body` is all of it."""

    status: int
    reason: str
    headers: Mapping[str, str]
    body: bytes
    is_whole: bool


class CallFailed(Exception):
    """No answer came; `kind` says why: no connection, no time left, or what came was no HTTP."""

    def __init__(self, kind: Literal["unreached", "late", "garbled"], text: str) -> None:
        super().__init__(text)
        self.kind = kind
        self.text = text


class _Call:
    """One call under way, which the loop's thread may give up while another thread waits in it."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._socket: socket.socket | None = None
        self.is_given_up = False

    def uses(self, connected: socket.socket | None) -> None:
        """Remember the socket that the call waits for; None where it waits for none."""
        with self._guard:
            self._socket = connected
            if self.is_given_up:
                self._shut_down()

    def give_up(self) -> None:
        with self._guard:
            self.is_given_up = True
            self._shut_down()

    def _shut_down(self) -> None:
        if self._socket is not None:
            with contextlib.suppress(OSError):  # gone already
                # Not an SSLSocket's own, which takes the other thread's state away.
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)


class HttpCalls:
    """POST requests to any servers."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(limits.remote_invocations_max, "penstock-remote-call")
        self._under_way: set[_Call] = set()
        self._is_closed = False
        self._guard = threading.Lock()
        self._idle: dict[Place, list[http.client.HTTPConnection]] = {}

    async def post(
        self, url: str, headers: Mapping[str, str], body: bytes, *, seconds_max: float
    ) -> HttpAnswer:
        """Return the answer to `body`, of which no more is read than a function may answer.

        Raises CallFailed after `seconds_max` at the latest.
        """
        if self._is_closed:
            raise _closed(url)
        call = _Call()
        self._under_way.add(call)
        future = asyncio.get_running_loop().run_in_executor(
            self._threads, self._perform, call, url, headers, body, seconds_max
        )
        try:  # not `asyncio.timeout`: an action may be under way outside of any task
            ended, _ = await asyncio.wait((future,), timeout=seconds_max)
            if self._is_closed:  # what came then tells nothing of the function
                raise _closed(url)
            if not ended:
                raise _late(url, seconds_max)
            return future.result()
        finally:
            future.cancel()
            call.give_up()
            self._under_way.discard(call)

    def close(self) -> None:
        """Give up what is under way, and all connections; safe twice.

        Whoever waits for a call is told that it was not reached, so that it counts as not made.
        """
        self._is_closed = True
        for call in tuple(self._under_way):
            call.give_up()
        self._threads.shutdown(wait=False, cancel_futures=True)
        with self._guard:
            idle, self._idle = self._idle, {}
        for connections in idle.values():
            for connection in connections:
                connection.close()

    # --- on a thread of the pool

    def _perform(
        self,
        call: _Call,
        url: str,
        headers: Mapping[str, str],
        body: bytes,
        seconds_max: float,
    ) -> HttpAnswer:
        place, path = _place(url)
        kept = self._take(place)
        try:
            if kept is not None:
                try:
                    return self._exchange(call, place, kept, path, headers, body, seconds_max)
                except (http.client.RemoteDisconnected, ConnectionError):
                    if call.is_given_up:
                        raise
                    # It was closed while nobody looked. The function may run twice, as it may
                    # whenever an answer is lost.
            connection = _connect(url, place)
            return self._exchange(call, place, connection, path, headers, body, seconds_max)
        except TimeoutError:
            raise _late(url, seconds_max) from None
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise CallFailed("garbled", f"{url} gave no answer: {error!r}") from error

    def _exchange(
        self,
        call: _Call,
        place: Place,
        connection: http.client.HTTPConnection,
        path: str,
        headers: Mapping[str, str],
        body: bytes,
        seconds_max: float,
    ) -> HttpAnswer:
        is_kept = False
        connection.sock.settimeout(seconds_max)
        call.uses(connection.sock)
        try:
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                # A server may answer before it has read all, and close; its answer may be there.
                connection.request("POST", path, body, dict(headers))
            response = connection.getresponse()
            read = response.read(limits.function_answer_bytes_max + 1)
            is_whole = len(read) <= limits.function_answer_bytes_max
            if is_whole and response.length:
                raise http.client.IncompleteRead(read, response.length)
            told = {name.lower(): value for name, value in response.getheaders()}
            is_kept = is_whole and not response.will_close
            return HttpAnswer(response.status, response.reason, told, read, is_whole)
        finally:
            call.uses(None)
            if is_kept and not call.is_given_up:
                self._keep(place, connection)
            else:
                connection.close()

    def _take(self, place: Place) -> http.client.HTTPConnection | None:
        """Return a connection that was kept and that its server has not closed, or None."""
        while True:
            with self._guard:
                connections = self._idle.get(place)
                if not connections:
                    return None
                connection = connections.pop()
            if not _can_be_read(connection.sock):
                return connection
            connection.close()  # closed by its server, or something is there that nobody asked for

    def _keep(self, place: Place, connection: http.client.HTTPConnection) -> None:
        with self._guard:
            connections = self._idle.setdefault(place, [])
            if len(connections) < limits.remote_invocations_max:
                connections.append(connection)
                return
        connection.close()


def _closed(url: str) -> CallFailed:
    return CallFailed("unreached", f"{url} is not called any more: the process stops")


def _late(url: str, seconds_max: float) -> CallFailed:
    return CallFailed("late", f"{url} did not answer within {seconds_max:g} s")


def _place(url: str) -> tuple[Place, str]:
    parts = urlsplit(url)
    is_secure = parts.scheme == "https"
    default_port = http.client.HTTPS_PORT if is_secure else http.client.HTTP_PORT
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return (is_secure, parts.hostname or "", parts.port or default_port), path


def _connect(url: str, place: Place) -> http.client.HTTPConnection:
    is_secure, host, port = place
    make = http.client.HTTPSConnection if is_secure else http.client.HTTPConnection
    try:
        connection = make(host, port, timeout=limits.remote_connect_seconds_max)
        connection.connect()
    except (OSError, ValueError) as error:
        raise CallFailed("unreached", f"cannot connect to {url}: {error}") from error
    return connection


def _can_be_read(connected: socket.socket) -> bool:
    poll = select.poll()
    poll.register(connected, select.POLLIN)
    return bool(poll.poll(0))
