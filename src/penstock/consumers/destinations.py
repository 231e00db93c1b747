"""Telling destinations of batches that were given up; each kind in threads of its own, with limits.

A kind's client is loaded and made when its first document is to be delivered. What a kind's threads
hang in delays no other kind, and no caller waits longer than `destination_seconds_max`.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple, Protocol

from penstock.base import limits
from penstock.consumers.deliverer import DeliveryFailed
from penstock.consumers.documents import Document
from penstock.functions.destination import (
    BadDestination,
    Destination,
    Endpoints,
    Kind,
    parse_destination,
)


class Delivery(NamedTuple):
    """What is to be delivered: a document, and the event of the batch that it tells of.

    `key` names it in a bucket.
    """

    destination: Destination
    document: Document
    payload: bytes
    key: str

    @property
    def region(self) -> str:
        """Return the region of the function."""
        return str(self.document["requestContext"]["functionArn"]).split(":")[3]


class Sender(Protocol):
    """What delivers to destinations of a kind, in a thread."""

    def send(self, delivery: Delivery) -> None:
        """Deliver; DeliveryFailed. May be called by several threads at once."""
        ...

    def close(self) -> None:
        """Let go of what it holds."""
        ...


class Destinations:
    """The destinations that one server can reach."""

    def __init__(self, endpoints: Endpoints) -> None:
        self._endpoints = endpoints
        self._threads: dict[Kind, ThreadPoolExecutor] = {}
        self._senders: dict[Kind, Sender] = {}
        self._is_closed = False

    async def deliver(self, destination: str, document: Document, payload: bytes, key: str) -> None:
        """Tell `destination` of a batch that was given up; DeliveryFailed.

        `payload` is the batch's event. Buckets, topics of Kafka and files get it in the document.
        Where this fails for want of time, the document may arrive all the same.
        """
        try:
            parsed = parse_destination(destination)
        except BadDestination as error:
            raise DeliveryFailed(f"{destination!r} is no destination: {error}") from None
        if refusal := self._endpoints.refusal(parsed):
            raise DeliveryFailed(f"{destination} cannot be reached: {refusal}")
        if self._is_closed:
            raise _stopping(destination)
        delivery = Delivery(parsed, document, payload, key)
        sent = asyncio.get_running_loop().run_in_executor(
            self._executor(parsed.kind), self._send, delivery
        )
        try:
            await asyncio.wait_for(sent, limits.destination_seconds_max)
        except TimeoutError:
            raise DeliveryFailed(
                f"{destination} did not take it within {limits.destination_seconds_max:.0f} s"
            ) from None
        except asyncio.CancelledError:
            if _is_cancelled():
                raise
            raise _stopping(destination) from None

    def close(self) -> None:
        """Give up what waits for a thread, and let go of connections; safe twice."""
        self._is_closed = True
        for executor in self._threads.values():
            executor.shutdown(wait=False, cancel_futures=True)
        for sender in list(self._senders.values()):  # a thread may just be adding one
            sender.close()
        self._threads.clear()
        self._senders.clear()

    def _executor(self, kind: Kind) -> ThreadPoolExecutor:
        if kind not in self._threads:
            threads = 1 if kind == "file" else limits.destination_threads_max
            self._threads[kind] = ThreadPoolExecutor(threads, f"penstock-{kind}")
        return self._threads[kind]

    def _send(self, delivery: Delivery) -> None:
        kind = delivery.destination.kind
        sender = self._senders.get(kind)
        if sender is None:
            sender = self._senders.setdefault(kind, _MAKERS[kind](self._endpoints))
        sender.send(delivery)


def _stopping(destination: str) -> DeliveryFailed:
    return DeliveryFailed(f"{destination} did not take it: the server stops")


def _is_cancelled() -> bool:
    """Say whether the task that runs is cancelled, rather than what it waited for."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _aws(endpoints: Endpoints) -> Sender:
    from penstock.consumers.destination_aws import AwsSender  # noqa: PLC0415 - loads boto3

    return AwsSender(endpoints)


def _kafka(endpoints: Endpoints) -> Sender:
    from penstock.consumers.destination_kafka import (  # noqa: PLC0415 - not everybody has the client
        KafkaSender,
    )

    return KafkaSender(endpoints)


def _file(endpoints: Endpoints) -> Sender:
    from penstock.consumers.destination_file import FileSender  # noqa: PLC0415 - as the others

    return FileSender(endpoints)


_MAKERS: dict[Kind, Callable[[Endpoints], Sender]] = {
    "sqs": _aws,
    "sns": _aws,
    "s3": _aws,
    "kafka": _kafka,
    "file": _file,
}
