"""Shapes that the actions of DynamoDB Streams share, and how a stream is named in a request.

Limits: botocore 1.43 model, 2026-10.
"""

import re

from penstock.base import limits
from penstock.base.errors import dynamodb, streams
from penstock.operations.control.observed_pages import is_observer
from penstock.operations.operation import Context
from penstock.storage.waist import Reader
from penstock.streams.call_rates import Action
from penstock.streams.stream import Stream, find_stream
from penstock.wire.shapes import String

STREAM_ARN = String(37, 1024)
SHARD_ID = String(28, 65)
TABLE_NAME = String(
    limits.table_name_chars_min, limits.table_name_chars_max, pattern="[a-zA-Z0-9_.-]+"
)

_ARN = re.compile(
    r"arn:aws[a-z-]*:dynamodb:[a-z0-9-]+:[0-9]{12}:table/[a-zA-Z0-9_.-]{3,255}/stream/[0-9T:.-]+"
)


def admit(context: Context, action: Action) -> None:
    """Count a call of an action that has a rate; ThrottlingException where it comes too soon.

    Those of a test that looks at a stream beside its consumers are not counted.
    """
    if not is_observer(context):
        elapsed_ms = context.tables.clock.elapsed_ms()
        context.services.call_rates.admit(action, context.region, elapsed_ms)


def check_arn(arn: str) -> None:
    """Raise ValidationException for what cannot be a stream's ARN."""
    if not _ARN.fullmatch(arn):
        raise dynamodb.validation(f"Invalid StreamArn: {arn}")


def existing_stream(context: Context, reader: Reader, arn: str) -> Stream:
    """Return the caller's stream of that ARN; ResourceNotFoundException without one.

    A stream that has expired is no longer there.
    """
    check_arn(arn)
    stream = find_stream(reader, arn) if arn.startswith(context.arn_prefix) else None
    if stream is None or stream.has_expired(context.tables.clock.now_ms()):
        raise streams.stream_not_found(arn)
    return stream
