"""An endpoint that is several nodes: whoever talks to it talks to all of them in turn.

Each request goes to the next node, also those of one client on its kept connections, so a test that
passes shows that it does not matter which node serves what.
"""

import itertools
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import urlsplit

_NODES: dict[str, Sequence[str]] = {}
_TURNS: dict[str, Iterator[str]] = {}


def endpoint_of(nodes: Sequence[str]) -> str:
    """Return the URL that stands for the nodes at these URLs, wherever this module is asked."""
    endpoint = nodes[0]
    _NODES[endpoint] = nodes
    _TURNS[endpoint] = itertools.cycle(nodes)
    return endpoint


def nodes_of(endpoint: str) -> Sequence[str]:
    """Return the URLs of the nodes of an endpoint: of one that is a server, its own."""
    return _NODES.get(endpoint, [endpoint])


def next_node(endpoint: str) -> str:
    """Return the URL of the node that the next request to this endpoint goes to."""
    return next(_TURNS[endpoint]) if endpoint in _TURNS else endpoint


def take_turns(client: Any, endpoint: str) -> None:
    """Let each request of a boto3 client go to the next node, as through a balancer.

    The host that it names stays the endpoint's, and the path and the rest are as they were.
    """

    def turn(request: Any, **_: Any) -> None:
        request.headers["Host"] = urlsplit(endpoint).netloc
        request.url = next_node(endpoint) + request.url.removeprefix(endpoint)

    if endpoint in _TURNS:
        client.meta.events.register("before-send", turn)
