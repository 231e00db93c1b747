"""Plain HTTP to a server of our own: one request on a connection of its own, with limits.

It needs nothing but the standard library and asks no proxy. Whatever goes wrong is an
`EndpointError` of one line.
"""

import http.client
from urllib.parse import SplitResult, urlsplit

from penstock.base import limits


class EndpointError(Exception):
    """The endpoint cannot be used as asked; the text is one line for a person."""


class OwnServer:
    """A server of our own, named by a URL without a path; raises `EndpointError` for another."""

    def __init__(self, url: str) -> None:
        parts = split_url(url)
        if parts.path not in {"", "/"} or parts.query or parts.fragment:
            raise _no_url(url)
        self.url = url
        self._is_secure = parts.scheme == "https"
        default_port = http.client.HTTPS_PORT if self._is_secure else http.client.HTTP_PORT
        # Always a port: without one the end of an IPv6 address would be taken for it.
        self._host, self._port = parts.hostname or "", parts.port or default_port

    def get(self, path: str, *, seconds_max: float) -> tuple[int, bytes]:
        """Return the status and body of what is at `path`; no wait is longer than `seconds_max`."""
        return self._exchange("GET", path, None, {}, seconds_max)

    def post(self, path: str, body: bytes, *, seconds_max: float) -> tuple[int, bytes]:
        """Return what answers a JSON `body` sent to `path`, as `get` does."""
        headers = {"Content-Type": "application/json"}
        return self._exchange("POST", path, body, headers, seconds_max)

    def _exchange(
        self,
        method: str,
        path: str,
        body: bytes | None,
        headers: dict[str, str],
        seconds_max: float,
    ) -> tuple[int, bytes]:
        asked = path.rpartition("/")[2]
        connection = self._connect()
        try:
            connection.sock.settimeout(seconds_max)
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            read = response.read(limits.own_answer_bytes_max + 1)
        except TimeoutError:
            text = f"{self.url} did not answer {asked} within {seconds_max:g} s"
            raise EndpointError(text) from None
        except (OSError, http.client.HTTPException) as error:
            raise EndpointError(f"{self.url} did not answer {asked}: {error!r}") from error
        finally:
            connection.close()
        if len(read) > limits.own_answer_bytes_max:
            text = f"more than {limits.own_answer_bytes_max} bytes for {asked}"
            raise EndpointError(f"{self.url} does not answer as Penstock does: {text}")
        return response.status, read

    def _connect(self) -> http.client.HTTPConnection:
        make = http.client.HTTPSConnection if self._is_secure else http.client.HTTPConnection
        try:
            connection = make(self._host, self._port, timeout=limits.own_connect_seconds_max)
            connection.connect()
        except (OSError, ValueError, http.client.HTTPException) as error:
            reason = "" if isinstance(error, ConnectionRefusedError) else f" ({error})"
            text = f"cannot connect to {self.url}{reason}: is the server running?"
            raise EndpointError(text) from error
        return connection


def split_url(url: str) -> SplitResult:
    """Return the parts of an endpoint's URL; raises `EndpointError` for what is none."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise _no_url(url) from None
    if parts.scheme not in {"http", "https"} or not parts.hostname or port == 0:
        raise _no_url(url)
    return parts


def _no_url(url: str) -> EndpointError:
    return EndpointError(f"not a URL of an endpoint: {url!r} (expected http://host:port)")
