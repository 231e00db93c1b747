"""The JSON protocol of DynamoDB: a body in, a result or an error out, and the headers around it.

Facts: AWS and dynalite, 2026-10. Any bytes may come in; what is not a JSON object is refused as
DynamoDB refuses it, never by another exception.
"""

import zlib
from typing import Any

import msgspec

from penstock.base.errors import dynamodb

CONTENT_TYPE = b"application/x-amz-json-1.0"

_CONTENT_TYPE_LINE = b"Content-Type: %b\r\n" % CONTENT_TYPE

_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder()


def decode_body(body: bytes) -> dict[str, Any]:
    """Return the JSON object that `body` holds; SerializationException where it holds none."""
    try:
        value = _decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise dynamodb.serialization(None) from None
    if not isinstance(value, dict):
        raise dynamodb.serialization(None)
    return value


def encode_result(result: Any) -> bytes:
    """Return `result` as JSON; it may hold `msgspec.Raw` fragments, which go in as they are."""
    return _encoder.encode(result)


def answer_headers(body: bytes, request_id: str) -> bytes:
    """Return the header lines of an answer that carries `body`, whether a result or an error.

    `x-amz-crc32` is the unsigned CRC-32 of the body as sent; the JavaScript SDKs check it.
    """
    return b"%bx-amzn-RequestId: %b\r\nx-amz-crc32: %d\r\n" % (
        _CONTENT_TYPE_LINE,
        request_id.encode(),
        zlib.crc32(body),
    )


def is_content_type(value: bytes) -> bool:
    """Say whether a Content-Type header names this protocol; parameters may follow the name."""
    return value == CONTENT_TYPE or value.partition(b";")[0].strip().lower() == CONTENT_TYPE
