"""The tags of functions and mappings: kept apart from them, by their ARNs.

Who changes the tags of something holds its lock and `tags_lock`.
"""

import msgspec

from penstock.storage.format import pack, unpack
from penstock.storage.prefixes import Prefix
from penstock.storage.waist import Lock, Reader, Span, Transaction

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(dict[str, str]).decode


def _key(arn: str) -> bytes:
    return Prefix.TAGS.key + arn.encode()


def tags_lock(arn: str) -> Lock:
    """Return the lock on the tags of what has that ARN."""
    return Lock(b"tags/" + arn.encode(), (Span.of_key(_key(arn)),))


def read_tags(reader: Reader, arn: str) -> dict[str, str]:
    """Return the tags of what has that ARN."""
    stored = reader.get(_key(arn))
    return {} if stored is None else _decode(unpack(stored))


def write_tags(txn: Transaction, arn: str, tags: dict[str, str]) -> None:
    """Store the tags of what has that ARN in place of those that it had; none are no row."""
    txn.set(_key(arn), pack(_encode(tags)) if tags else None)
