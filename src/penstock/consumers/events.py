"""Events: what a function is given, made of records as the log keeps them.

Nothing is decoded: what differs is spliced in. That is safe because what a user wrote, keys and
images, stands in one span of a record (`tables/record.py`): after the first `"Keys":` and before
the last `"SequenceNumber":`. No name or value can hide one of these, before or after that span.
Facts: docs on Lambda with DynamoDB and on tumbling windows, 2026-10.
"""

import re
import zlib
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, NamedTuple

import msgspec

from penstock.base import limits

_KEYS = b'"Keys":'
_AFTER_TIME = b',"Keys":'
_SEQUENCE_NUMBER = b'"SequenceNumber":"'
_STORED_IDENTITY = b',"userIdentity":{"PrincipalId":"dynamodb.amazonaws.com","Type":"Service"}}'
_IDENTITY = b',"userIdentity":{"principalId":"dynamodb.amazonaws.com","type":"Service"}}'
_STRING = rb'"(?:[^"\\]|\\.)*+"'
_VALUE = rb'\{"[SNB]":' + _STRING + rb"\}"

_encode = msgspec.json.Encoder(order="sorted").encode


class _Change(msgspec.Struct):
    keys: dict[str, msgspec.Raw] = msgspec.field(name="Keys")


class _Record(msgspec.Struct):
    dynamodb: _Change


_decode_keys = msgspec.json.Decoder(_Record).decode


class Window(NamedTuple):
    """What an event says of the tumbling window that it belongs to, beside its records."""

    start_ms: int
    end_ms: int
    state: bytes
    """The JSON object that the function returned last, `{}` at first."""
    shard_id: str
    source_arn: str
    is_final: bool
    terminated_early: bool


def source_member(source_arn: str) -> bytes:
    """Return what `event_record` splices in for the stream of that ARN."""
    return b',"eventSourceARN":' + _encode(source_arn)


def event_record(stored: bytes, member: bytes) -> bytes:
    """Return a record of GetRecords, as our log keeps it, as a function gets it.

    The time becomes a number with a fraction, the names in the service's identity begin in lower
    case, and the stream is named: `member` is `source_member` of it.
    """
    time_end = stored.index(_AFTER_TIME)
    if stored.endswith(_STORED_IDENTITY):
        end, tail = -len(_STORED_IDENTITY), member + _IDENTITY
    else:
        end, tail = -1, member + b"}"
    return b"%b.0%b%b" % (stored[:time_end], stored[time_end:end], tail)


def encode_event_record(record: dict[str, Any], source_arn: str) -> bytes:
    """Return a record of GetRecords of any server, decoded, as a function gets it.

    Its members are those of JSON: the time in seconds, binary values in base64. What comes out is
    laid out as `event_record` does it, which the functions below need.
    """
    change = dict(record["dynamodb"])
    if "ApproximateCreationDateTime" in change:
        change["ApproximateCreationDateTime"] = float(change["ApproximateCreationDateTime"])
    made = {**record, "dynamodb": change, "eventSourceARN": source_arn}
    if (identity := made.pop("userIdentity", None)) is not None:
        made["userIdentity"] = {name[:1].lower() + name[1:]: identity[name] for name in identity}
    return _encode(made)


def sequence_number_of(data: bytes) -> str:
    """Return the sequence number of a record, as stored or as a function gets it."""
    start = data.rindex(_SEQUENCE_NUMBER) + len(_SEQUENCE_NUMBER)
    return data[start : data.index(b'"', start)].decode()


def lane_of(data: bytes, partition_key_name: str | None, lanes: int) -> int:
    """Return the lane, from 0 on, of a record: one for all records of a partition key's value.

    By the whole key of the item where `partition_key_name` is None, or is none of its names.
    """
    if lanes == 1:
        return 0
    start = data.index(_KEYS) + len(_KEYS)
    if partition_key_name is not None:
        found = _partition_key(partition_key_name).match(data, start)
        if found is not None:
            return zlib.crc32(found[1]) % lanes
    keys = _decode_keys(data).dynamodb.keys
    value = keys.get(partition_key_name) if partition_key_name is not None else None
    return zlib.crc32(_encode(keys) if value is None else value) % lanes


@lru_cache(limits.partition_key_patterns_max)
def _partition_key(name: str) -> re.Pattern[bytes]:
    """Return what finds the partition key's value: that of the first or the second attribute."""
    another = rb"(?:" + _STRING + rb":" + _VALUE + rb",)?"
    return re.compile(
        rb"\{" + another + re.escape(_encode(name)) + rb":(" + _VALUE + rb")", re.DOTALL
    )


def event(records: Sequence[bytes]) -> bytes:
    """Return the event of records of `event_record`.

    Joined once, with the frame on its ends: `%` would copy what may be megabytes slowly.
    """
    if len(records) < 2:
        return b'{"Records":[%b]}' % b",".join(records)
    first, last = b'{"Records":[' + records[0], records[-1] + b"]}"
    return b",".join((first, *records[1:-1], last))


def window_event(records: Sequence[bytes], window: Window) -> bytes:
    """Return the event of records of `event_record` in a tumbling window."""
    return (
        b'{"Records":[%b],"window":{"start":"%b","end":"%b"},"state":%b,"shardId":%b'
        b',"eventSourceARN":%b,"isFinalInvokeForWindow":%b,"isWindowTerminatedEarly":%b}'
    ) % (
        b",".join(records),
        seconds_label(window.start_ms).encode(),
        seconds_label(window.end_ms).encode(),
        window.state,
        _encode(window.shard_id),
        _encode(window.source_arn),
        _encode(window.is_final),
        _encode(window.terminated_early),
    )


def seconds_label(at_ms: int) -> str:
    """Return a time as UTC in whole seconds: 2019-11-14T00:13:19Z."""
    return datetime.fromtimestamp(at_ms // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
