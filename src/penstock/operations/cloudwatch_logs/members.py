"""Shapes that the actions of CloudWatch Logs share, and how groups and streams are named.

Limits: botocore 1.43 model, 2026-11.
"""

import base64
import binascii
import re
from collections.abc import Callable
from typing import Any, TypeVar

import msgspec

from penstock.base import limits
from penstock.base.errors import logs
from penstock.functions.log_reading import Boundary
from penstock.functions.log_rows import (
    LogGroup,
    LogStream,
    Place,
    find_group,
    find_stream,
)
from penstock.operations.operation import Context, arn_root
from penstock.storage.waist import Reader, Transaction
from penstock.wire.shapes import Boolean, Integer, Member, Shape, String

T = TypeVar("T")

GROUP_PATTERN = r"[\.\-_/#A-Za-z0-9]+"
GROUP_NAME = String(1, limits.log_name_chars_max, GROUP_PATTERN)
GROUP_IDENTIFIER = String(1, limits.log_identifier_chars_max, r"[\w#+=/:,.@-]*")
STREAM_NAME = String(1, limits.log_name_chars_max, "[^:*]*")
TOKEN = String(1, limits.log_token_chars_max)
TIME = Integer(0, java_type="Long")
DESCRIBE_LIMIT = Integer(1, limits.log_describe_max)
EVENTS_LIMIT = Integer(1, limits.log_page_events_max)
FLAG = Boolean()

_ARN = re.compile(rf"(arn:[^:]*:logs:[^:]*:[^:]*:)log-group:({GROUP_PATTERN})")


def refused(what: str, shape: Shape) -> Member:
    """Return a member of the model that asks for what this release does not have."""
    return Member(shape, later=what)


def arn_prefix(context: Context) -> str:
    """Return what the ARN of every log group of the caller begins with, up to `log-group:`."""
    partition = arn_root(context.region, context.tables.account).split(":")[1]
    return f"arn:{partition}:logs:{context.region}:{context.tables.account}:"


def group_arn(context: Context, name: str) -> str:
    """Return the ARN of a group, without what would stand for its streams."""
    return f"{arn_prefix(context)}log-group:{name}"


def asked_place(context: Context, request: dict[str, Any]) -> Place:
    """Return the group that a request names, by its name or by its identifier."""
    name, identifier = request.get("logGroupName"), request.get("logGroupIdentifier")
    if (name is None) == (identifier is None):
        raise logs.not_one_group()
    return Place(context.region, name or identified(context, identifier))


def identified(context: Context, identifier: Any) -> str:
    """Return the name of a group that is named by its name or ARN."""
    text = str(identifier)
    if not text.startswith("arn:"):
        return text
    found = _ARN.fullmatch(text)
    if found is None or found[1] != arn_prefix(context):
        raise logs.not_ours(text)
    return found[2]


def existing_group(reader: Reader, place: Place) -> LogGroup:
    """Return a group; ResourceNotFoundException where there is none."""
    group = find_group(reader, place)
    if group is None:
        raise logs.group_not_found()
    return group


def existing_stream(reader: Reader, place: Place, name: str) -> LogStream:
    """Return a stream of a group that is there; ResourceNotFoundException where there is none."""
    stream = find_stream(reader, place, name)
    if stream is None:
        raise logs.stream_not_found()
    return stream


async def change(context: Context, place: Place, work: Callable[[Transaction], T]) -> T:
    """Run `work` in a transaction that may write all of a group."""
    engine = context.tables.engine
    return await engine.transact(work, locks=[place.lock], reads=[place.key])


def time_asked(request: dict[str, Any], member: str, otherwise: int) -> int:
    """Return a time of a request: no clock tells more than the highest that there is."""
    return min(int(request.get(member, otherwise)), limits.clock_ms_max)


def told_token(*parts: Any) -> str:
    """Return a token that means these parts."""
    encoded = base64.urlsafe_b64encode(msgspec.msgpack.encode(parts))
    return encoded.decode().rstrip("=")


def read_token(text: str, meaning: type[T]) -> T:
    """Return what a token means; InvalidParameterException where no page has given it."""
    try:
        encoded = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        return msgspec.msgpack.decode(encoded, type=meaning)
    except (ValueError, binascii.Error, msgspec.MsgspecError):
        raise logs.bad_token() from None


def checked(boundary: Boundary) -> Boundary:
    """Return a boundary of a token; InvalidParameterException where it is nowhere."""
    if not 0 <= boundary.at_ms <= limits.clock_ms_max:
        raise logs.bad_token()
    return boundary
