"""Failures: what a mapping gives up is told to its destination, or kept where that is down.

AWS drops a document that the destination does not take, and counts that. Here the document is
written to the server's log besides, so that what was given up can be found.
"""

from penstock.base import limits
from penstock.consumers.context import MappingContext, log
from penstock.consumers.deliverer import DeliveryFailed
from penstock.consumers.documents import GivenUp, encode_document, failure_document, object_key


async def tell(
    context: MappingContext, destination: str, given_up: GivenUp, payload: bytes
) -> None:
    """Tell `destination` what was given up; `payload` is the event that failed.

    Tries a few times, with back-off, and goes on all the same. Raises Stopped where the mapping is
    to stop meanwhile.
    """
    counts, now_ms = context.counts, context.clock.now_ms()
    document = failure_document(given_up, now_ms)
    key = object_key(context.mapping.uuid, given_up.shard_id, now_ms, context.entropy)
    for attempt in range(1, limits.destination_attempts_max + 1):
        try:
            await context.failures.deliver(destination, document, payload, key)
        except DeliveryFailed as failed:
            context.note_error(str(failed))
            if attempt < limits.destination_attempts_max:
                await context.pause(limits.destination_pause_ms * attempt)
        else:
            counts.delivered_on_failure += given_up.records
            return
    counts.delivery_failures += 1
    counts.dropped += given_up.records
    log.error(
        "A destination did not take what a mapping has given up",
        extra={
            "mapping": context.mapping.uuid,
            "destination": destination,
            "error": counts.last_error,
            "document": encode_document(document).decode(),
        },
    )
