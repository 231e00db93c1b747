"""The source of an event source mapping: a stream of DynamoDB in this store.

What is checked of it is that it is there. One that is disabled has records for another day, so it
is taken. It is looked for in a view before the mapping is stored: a stream may go at any time, and
its mapping stays.
"""

import re
from typing import Any

from penstock.base.errors import event_source_mappings as errors
from penstock.operations.operation import Context
from penstock.storage.waist import Reader
from penstock.streams.stream import find_stream

_SERVICE = re.compile(r"arn:[^:]*:([^:]*):.*", re.DOTALL)


def source_of(request: dict[str, Any]) -> str:
    """Return the ARN of the source that a request to create a mapping names.

    InvalidParameterValueException where it is not of DynamoDB, or the place to begin is none.
    """
    arn: str | None = request.get("EventSourceArn")
    if arn is None:
        raise errors.no_source()
    service = _SERVICE.fullmatch(arn)
    if service is None:
        raise errors.no_source()
    if service[1] != "dynamodb":
        raise errors.foreign_source(service[1], arn)
    position = request.get("StartingPosition")
    if position is None:
        raise errors.starting_position_missing()
    if position == "AT_TIMESTAMP":
        raise errors.starting_position_unsupported(arn)
    return arn


def check_stream(context: Context, reader: Reader, arn: str) -> None:
    """Raise InvalidParameterValueException where the caller has no stream of that ARN."""
    stream = find_stream(reader, arn) if arn.startswith(context.arn_prefix) else None
    if stream is None or stream.has_expired(context.tables.clock.now_ms()):
        raise errors.stream_not_found(arn)
