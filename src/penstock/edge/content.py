"""The content coding of a request body: plain, or gzip within the limit of a body."""

import zlib

from penstock.base.errors import dynamodb
from penstock.edge.messages import Refusal

_GZIP = 16 + zlib.MAX_WBITS


def plain_body(coding: bytes, body: bytes, bytes_max: int) -> bytes:
    """Return `body` without its content coding (the value of Content-Encoding).

    Refusal 413 where it would be over `bytes_max`, Refusal 415 for a coding other than gzip, and a
    SerializationException where the bytes are not one whole gzip member.
    """
    coding = coding.strip().lower()
    if coding in (b"", b"identity"):
        return body
    if coding not in (b"gzip", b"x-gzip"):
        raise Refusal(415, "Content-Encoding may be gzip or identity")
    inflater = zlib.decompressobj(wbits=_GZIP)
    try:
        plain = inflater.decompress(body, bytes_max + 1)
    except zlib.error:
        raise dynamodb.serialization(None) from None
    if len(plain) > bytes_max:
        raise Refusal(413, f"Request body over {bytes_max} bytes")
    if not inflater.eof or inflater.unused_data:
        raise dynamodb.serialization(None)
    return plain
