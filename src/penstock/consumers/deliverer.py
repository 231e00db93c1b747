"""What takes the documents of what was given up to their destination."""

from typing import Protocol

from penstock.consumers.documents import Document


class DeliveryFailed(Exception):
    """A destination did not take a document, or not in time; the text says why in one line."""


class Deliverer(Protocol):
    """Takes documents to destinations, each in the way of its kind."""

    async def deliver(self, destination: str, document: Document, payload: bytes, key: str) -> None:
        """Tell `destination` of a batch that was given up; DeliveryFailed.

        `payload` is the batch's event, `key` the name that the document has in a bucket.
        """
        ...
