"""The documents of failures, as AWS writes them: which members there are, and which are null."""

import json
from typing import Any

import pytest

from penstock.base.ids import Entropy
from penstock.consumers.documents import (
    Condition,
    GivenUp,
    encode_document,
    failure_document,
    object_key,
)
from penstock.functions.invoker import Outcome

FUNCTION = "arn:aws:lambda:us-east-2:123456789012:function:myfunction:live"
STREAM = "arn:aws:dynamodb:us-east-2:123456789012:table/t/stream/2019-11-14T00:13:00.000"
NOW_MS = 1573690429717
ERROR = Outcome(b'{"errorMessage":"no"}', "Unhandled")
PARTIAL = Outcome(b'{"batchItemFailures":[{"itemIdentifier":"2"}]}', executed_version="7")


def given_up(condition: Condition, outcome: Outcome | None, invocations: int) -> GivenUp:
    return GivenUp(
        request_id="316aa6d0-8154-xmpl-9af7-85d5f4a6bc81",
        function_arn=FUNCTION,
        condition=condition,
        invocations=invocations,
        outcome=outcome,
        shard_id="shardId-00000001573689847184-864758bb",
        source_arn=STREAM,
        first_sequence_number="800000000003126276362",
        last_sequence_number="800000000003126276364",
        first_created_ms=1573690399999,
        last_created_ms=1573690400000,
        records=3,
    )


def context(condition: str, invocations: int) -> dict[str, Any]:
    return {
        "requestId": "316aa6d0-8154-xmpl-9af7-85d5f4a6bc81",
        "functionArn": FUNCTION,
        "condition": condition,
        "approximateInvokeCount": invocations,
    }


BATCH = {
    "version": "1.0",
    "timestamp": "2019-11-14T00:13:49.717Z",
    "DDBStreamBatchInfo": {
        "shardId": "shardId-00000001573689847184-864758bb",
        "startSequenceNumber": "800000000003126276362",
        "endSequenceNumber": "800000000003126276364",
        "approximateArrivalOfFirstRecord": "2019-11-14T00:13:19Z",
        "approximateArrivalOfLastRecord": "2019-11-14T00:13:20Z",
        "batchSize": 3,
        "streamArn": STREAM,
    },
}


@pytest.mark.parametrize(
    ("condition", "outcome", "invocations", "told", "response"),
    [
        (
            "RetryAttemptsExhausted",
            ERROR,
            2,
            2,
            {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"},
        ),
        (
            "RetryAttemptsExhausted",
            PARTIAL,
            4,
            4,
            {"statusCode": 200, "executedVersion": "7", "functionError": None},
        ),
        ("RecordAgeExceeded", ERROR, 5, 5, None),
        ("RecordAgeExceeded", None, 0, 1, None),
    ],
)
def test_documents(
    condition: Condition,
    outcome: Outcome | None,
    invocations: int,
    told: int,
    response: dict[str, Any] | None,
) -> None:
    document = failure_document(given_up(condition, outcome, invocations), NOW_MS)
    expected = {"requestContext": context(condition, told)}
    if response is not None:
        expected["responseContext"] = response
    assert document == expected | BATCH
    assert list(document) == [*expected, *BATCH], "in the order of AWS"
    assert json.loads(encode_document(document)) == document


def test_with_a_payload_it_holds_the_event_as_an_object() -> None:
    document = failure_document(given_up("RetryAttemptsExhausted", ERROR, 1), NOW_MS)
    event = b'{"Records":[{"eventID":"1","dynamodb":{"Keys":{"id":{"S":"}"}}}}]}'
    encoded = encode_document(document, event)
    assert json.loads(encoded) == document | {"payload": json.loads(event)}
    assert b"\n" not in encoded


def test_the_key_of_an_object_tells_mapping_shard_and_time() -> None:
    key = object_key("4a5b", "shardId-1", NOW_MS, Entropy(7))
    stem = "aws/lambda/4a5b/shardId-1/2019/11/14/2019-11-14T00.13.49-"
    assert key == stem + Entropy(7).uuid()
