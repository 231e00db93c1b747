"""The registry of key prefixes: one entry for each kind of key, with a number that never changes.

Numbers are never used again. A key is its prefix's byte followed by what the entry describes.
"""

from enum import IntEnum


class Prefix(IntEnum):
    """The first byte of every key."""

    STORE = 0x01
    """What the store itself is: format, account."""
    LOG_TIP = 0x02
    """+ log -> the log's last stamp, 8 bytes; kept when the log is trimmed."""
    TABLE = 0x10
    """+ region NUL name -> table descriptor."""
    NUMBER = 0x11
    """-> the last number given to a table or a stream, 8 bytes."""
    ITEM = 0x12
    """+ table number (8) + hash (8) + partition key's length (2) + it + sort key -> item."""
    TABLE_COUNT = 0x13
    """+ table number (8) + partition number (4) -> items (8) and bytes (8) of that partition."""
    STREAM = 0x20
    """+ stream ARN -> stream descriptor."""
    SHARD = 0x21
    """+ stream number (8) + shard id -> shard descriptor."""
    STREAM_RECORD = 0x22
    """+ stream number (8) + shard number (4): a log of stream records."""

    @property
    def key(self) -> bytes:
        """Return the prefix as bytes."""
        return bytes((self,))


def tip_key(log: bytes) -> bytes:
    """Return the key that holds the last stamp of `log`."""
    return Prefix.LOG_TIP.key + log
