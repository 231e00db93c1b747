"""The tags of tables: kept apart from their descriptors, gone with them.

Every function works inside a transaction or a snapshot of its caller's, which holds the table's
lock where it writes.
"""

import msgspec

from penstock.storage.format import pack, unpack
from penstock.storage.waist import Reader, Transaction
from penstock.tables.descriptor import tags_key


class Tags(msgspec.Struct, frozen=True):
    """The tags of one table, and until when they cannot be changed again."""

    values: dict[str, str] = {}
    until_ms: int = 0


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Tags).decode


def read_tags(reader: Reader, arn: str) -> Tags:
    """Return the tags of the table of that ARN, none where it never had any."""
    stored = reader.get(tags_key(arn))
    return Tags() if stored is None else _decode(unpack(stored))


def write_tags(txn: Transaction, arn: str, tags: Tags) -> None:
    """Store the tags of the table of that ARN in place of those that it had."""
    txn.set(tags_key(arn), pack(_encode(tags)))


def clear_tags(txn: Transaction, arn: str) -> None:
    """Forget the tags of the table of that ARN."""
    txn.set(tags_key(arn), None)
