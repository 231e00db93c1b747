"""Documents: what a mapping tells its destination of a batch that it gave up.

Facts: documents that AWS wrote, 2025-11.
"""

from datetime import UTC, datetime
from typing import Any, Literal, NamedTuple

import msgspec

from penstock.base.clock import iso_label
from penstock.base.ids import Entropy
from penstock.consumers.events import seconds_label
from penstock.functions.invoker import Outcome

Condition = Literal["RetryAttemptsExhausted", "RecordAgeExceeded"]
"""Why a batch was given up: all its tries failed, or its first record is too old."""

Document = dict[str, Any]


class GivenUp(NamedTuple):
    """A batch that a mapping gave up: of what failed in part, the part that was not done.

    `outcome` is what came of its last invocation, None where none ran; `request_id` is that
    invocation's, or a fresh one. `invocations` counts them.
    """

    request_id: str
    function_arn: str
    condition: Condition
    invocations: int
    outcome: Outcome | None
    shard_id: str
    source_arn: str
    first_sequence_number: str
    last_sequence_number: str
    first_created_ms: int
    last_created_ms: int
    records: int


def failure_document(batch: GivenUp, now_ms: int) -> Document:
    """Return what is told of a batch that was given up.

    What the function answered is told only where retries were used up; its `functionError` is null
    where it ran and reported failed records. A batch too old before any call counts as one call.
    """
    document: Document = {
        "requestContext": {
            "requestId": batch.request_id,
            "functionArn": batch.function_arn,
            "condition": batch.condition,
            "approximateInvokeCount": max(1, batch.invocations),
        }
    }
    if batch.condition == "RetryAttemptsExhausted" and batch.outcome is not None:
        document["responseContext"] = {
            "statusCode": batch.outcome.status,
            "executedVersion": batch.outcome.executed_version,
            "functionError": batch.outcome.error,
        }
    return document | {
        "version": "1.0",
        "timestamp": iso_label(now_ms) + "Z",
        "DDBStreamBatchInfo": {
            "shardId": batch.shard_id,
            "startSequenceNumber": batch.first_sequence_number,
            "endSequenceNumber": batch.last_sequence_number,
            "approximateArrivalOfFirstRecord": seconds_label(batch.first_created_ms),
            "approximateArrivalOfLastRecord": seconds_label(batch.last_created_ms),
            "batchSize": batch.records,
            "streamArn": batch.source_arn,
        },
    }


def encode_document(document: Document, payload: bytes | None = None) -> bytes:
    """Return a document as JSON; with the event of the batch in it, where that is given."""
    encoded = msgspec.json.encode(document)
    if payload is None:
        return encoded
    return b'%b,"payload":%b}' % (encoded[:-1], payload)


def object_key(mapping_uuid: str, shard_id: str, now_ms: int, entropy: Entropy) -> str:
    """Return the key that a document has in a bucket."""
    at = datetime.fromtimestamp(now_ms // 1000, UTC)
    stem = f"aws/lambda/{mapping_uuid}/{shard_id}/{at:%Y/%m/%d/%Y-%m-%dT%H.%M.%S}"
    return f"{stem}-{entropy.uuid()}"
