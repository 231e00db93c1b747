"""What tests of destinations deliver, and servers that do not answer."""

import asyncio
import contextlib
import socket
from collections.abc import Iterator
from typing import Any

from penstock.consumers.destinations import Destinations

FUNCTION = "arn:aws:lambda:eu-west-1:123456789012:function:f"
DOCUMENT: dict[str, Any] = {
    "requestContext": {"functionArn": FUNCTION, "condition": "RetryAttemptsExhausted"},
    "version": "1.0",
    "DDBStreamBatchInfo": {"shardId": "shardId-1", "batchSize": 1},
}
EVENT: dict[str, Any] = {"Records": [{"eventID": "1", "dynamodb": {"Keys": {"id": {"S": "é\n"}}}}]}
PAYLOAD = '{"Records":[{"eventID":"1","dynamodb":{"Keys":{"id":{"S":"é\\n"}}}}]}'.encode()
WHOLE = DOCUMENT | {"payload": EVENT}
KEY = "aws/lambda/u/shardId-1/2019/11/14/2019-11-14T00.13.49-x"


def deliver(destinations: Destinations, *names: str) -> list[BaseException | None]:
    """Deliver to each, all at once; return what each failed with, and let go of all."""

    async def all_at_once() -> list[BaseException | None]:
        sent = [destinations.deliver(name, DOCUMENT, PAYLOAD, KEY) for name in names]
        return await asyncio.gather(*sent, return_exceptions=True)

    try:
        return asyncio.run(all_at_once())
    finally:
        destinations.close()


def refused_port() -> int:
    """Return a port of this machine where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
    return port


@contextlib.contextmanager
def silent_port() -> Iterator[int]:
    """Give a port that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as server:
        yield server.getsockname()[1]
