"""The registry of key prefixes: one entry for each kind of key, with a number that never changes.

Numbers are never used again. A key is its prefix's byte followed by what the entry describes.
"""

from enum import IntEnum
from typing import Final, Self


class Prefix(IntEnum):
    """The first byte of every key."""

    key: bytes
    """The prefix as bytes."""

    def __new__(cls, number: int) -> Self:
        prefix = int.__new__(cls, number)
        prefix._value_ = number
        prefix.key = bytes((number,))
        return prefix

    STORE = 0x01
    """What the store itself is: format, account."""
    LOG_TIP = 0x02
    """+ log -> the log's last stamp, 8 bytes; kept when the log is trimmed."""
    CLEARED = 0x03
    """+ number (8) -> start's length (4), start and end of a cleared span whose space on disk is
    still to come back. Written by the engine itself, and by engines that need it only."""
    LEASE = 0x04
    """+ name -> holder (16), and a number (8) that the holder gives no second time: a lease, which
    one node holds. Only where several share a store."""
    TABLE = 0x10
    """+ region NUL name -> table descriptor."""
    NUMBER = 0x11
    """-> the last number given to a table or a stream, 8 bytes."""
    ITEM = 0x12
    """+ table number (8) + hash (8) + partition key's length (2) + it + sort key -> item."""
    TABLE_COUNT = 0x13
    """+ table number (8) + partition number (4) -> items (8) and bytes (8) of that partition."""
    INDEX_ENTRY = 0x14
    """+ index number (8) + the index's hash (8) + partition key's length (2) + it + sort key +
    hash (8), length (2), partition key and sort key of the item -> what is projected of it."""
    INDEX_COUNT = 0x15
    """+ index number (8) + the table's partition number (4) -> entries (8) and bytes (8)."""
    COLLECTION_SIZE = 0x16
    """+ table number (8) + hash (8) + partition key's length (2) + it -> bytes (8) of the items and
    local index entries of that partition key; only of tables with local indexes."""
    EXPIRY = 0x17
    """+ table number (8) + epoch seconds of expiry (8) + hash, length, partition and sort key of
    the item -> empty."""
    TRANSACTION_TOKEN = 0x18
    """+ region NUL action NUL ClientRequestToken -> when it came (8), digest of its request."""
    TAGS = 0x19
    """+ ARN of a table -> its tags."""
    SHARD_LOAD = 0x1A
    """+ node (16) -> what that node has counted of the load of shards, until it is taken. Only
    where several share a store."""
    STREAM = 0x20
    """+ stream ARN -> stream descriptor."""
    SHARD = 0x21
    """+ stream number (8) + shard id -> shard descriptor."""
    STREAM_RECORD = 0x22
    """+ stream number (8) + shard number (4): a log of stream records."""

    FUNCTION = 0x30
    """+ region NUL name -> function descriptor: its settings as they are now ($LATEST)."""
    FUNCTION_VERSION = 0x31
    """+ region NUL name NUL version -> function descriptor as it was published."""
    FUNCTION_ALIAS = 0x32
    """+ region NUL name NUL alias -> what the alias points at."""
    FUNCTION_CODE = 0x33
    """+ region NUL name NUL digest of the code (32) + number (4) -> a piece of it."""
    INVOCATION = 0x34
    """+ region NUL name NUL when it is due (8) + request id -> an event that waits."""
    LOG_EVENT = 0x35
    """+ region NUL log group NUL log stream NUL milliseconds of the first line (8) + number (8) ->
    milliseconds of the last line (8), bytes (4), some lines with their times."""
    LOG_STREAM = 0x36
    """+ region NUL log group NUL log stream -> what is known of the stream."""
    LOG_GROUP = 0x37
    """+ region NUL log group -> what is known of the group."""
    MAPPING = 0x38
    """+ region NUL id -> event source mapping descriptor."""
    MAPPING_RESULT = 0x39
    """+ id of a mapping (16) -> what came of its last batch."""
    CHECKPOINT = 0x3A
    """+ id of a mapping (16) + shard id -> how far it has come in that shard."""


FEW_AND_BUSY: Final = frozenset(
    prefix.key for prefix in (Prefix.LOG_TIP, Prefix.TABLE, Prefix.TABLE_COUNT, Prefix.INDEX_COUNT)
)
"""Of these there is a row or two for a whole table or partition, and every write reads them: an
engine does well to keep them at hand."""

_LOG_TIP = Prefix.LOG_TIP.key


def tip_key(log: bytes) -> bytes:
    """Return the key that holds the last stamp of `log`."""
    return _LOG_TIP + log
