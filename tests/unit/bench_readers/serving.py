"""Where a server of a test is."""

from urllib.parse import urlsplit

from penstock.testing.server import RunningServer

HOST = "127.0.0.1"


def port_of(server: RunningServer) -> int:
    """Return the port of a server."""
    port = urlsplit(server.url).port
    assert port is not None
    return port
