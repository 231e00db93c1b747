"""Shard iterators: a place in a shard, spelled as an opaque text that lives for 15 minutes.

The form is AWS's, `<stream ARN>|1|<base64>`. A checksum over the whole tells an iterator of ours
from garbage; it is no secret, because reading the stream needs no iterator's permission.
"""

import base64
import binascii
import struct
from hashlib import blake2b
from typing import NamedTuple

from penstock.base import limits
from penstock.base.errors import dynamodb
from penstock.base.errors.streams import expired_iterator
from penstock.storage.waist import Stamp

_VERSION = 2
_BODY = struct.Struct(">B40sQ?QII")
NONCE_BITS = 32
READER_BITS = 32
_CHECK_BYTES = 4


class Iterator(NamedTuple):
    """A place in a shard.

    `position` is the smallest stamp not yet read. `gapless` says that whoever holds the iterator is
    owed nothing below it that may since have been trimmed: it began at the trim horizon, or had
    read all there was. `reader` is the same in every iterator that follows from one
    GetShardIterator, and `nonce` in none.
    """

    stream_arn: str
    shard_id: str
    position: Stamp
    gapless: bool
    issued_ms: int
    nonce: int
    reader: int


def encode_iterator(iterator: Iterator) -> str:
    """Return the text of `iterator`; two calls differ by their nonce."""
    body = _BODY.pack(_VERSION, iterator.shard_id.encode(), *iterator[2:])
    signed = _check(iterator.stream_arn, body) + body
    return f"{iterator.stream_arn}|1|{base64.b64encode(signed).decode()}"


def decode_iterator(text: str, now_ms: int) -> Iterator:
    """Return the iterator that `text` spells.

    Raises ValidationException for what is no iterator, ExpiredIteratorException for an old one.
    """
    iterator = read_iterator(text)
    if now_ms - iterator.issued_ms > limits.iterator_life_ms:
        raise expired_iterator()
    return iterator


def read_iterator(text: str) -> Iterator:
    """Return the iterator that `text` spells, however old; ValidationException for none."""
    arn, _, rest = text.partition("|1|")
    try:
        raw = base64.b64decode(rest, validate=True)
    except (binascii.Error, ValueError):
        raise _invalid() from None
    check, body = raw[:_CHECK_BYTES], raw[_CHECK_BYTES:]
    if len(body) != _BODY.size or check != _check(arn, body):
        raise _invalid()
    version, shard_id, position, gapless, issued_ms, nonce, reader = _BODY.unpack(body)
    if version != _VERSION:
        raise _invalid()
    shard = shard_id.rstrip(b"\x00").decode(errors="replace")
    return Iterator(arn, shard, position, gapless, issued_ms, nonce, reader)


def _check(arn: str, body: bytes) -> bytes:
    return blake2b(arn.encode() + body, digest_size=_CHECK_BYTES).digest()


def _invalid() -> Exception:
    return dynamodb.validation("Invalid ShardIterator")
