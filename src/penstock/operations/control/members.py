"""Shapes that the test controls share."""

from typing import Any

from penstock.base import limits
from penstock.base.errors import control, dynamodb
from penstock.operations.dynamodb_streams import members
from penstock.operations.operation import Context
from penstock.streams.stream import Stream, Succession
from penstock.wire.shapes import (
    Failures,
    Integer,
    Member,
    Place,
    Shape,
    String,
    Structure,
    required,
)

REGION = String(1, 63, pattern="[a-z][a-z0-9]*(-[a-z0-9]+)*")
TABLE_NAME = members.TABLE_NAME
SHARD_ID = members.SHARD_ID
CONSUMER = String(1, limits.consumer_chars_max)
"""The SDK's application id of whoever reads, or else the id of its access key."""

TABLE: dict[str, Shape | Member] = {"TableName": required(TABLE_NAME), "Region": REGION}
"""A table, and the region that it is in."""

SHARDS: dict[str, Shape | Member] = {**TABLE, "ShardId": SHARD_ID}
"""One shard of a table's stream, or without ShardId whichever the action means."""


class Whole(Integer):
    """A JSON number that is whole as it stands: AWS's API cuts off decimals in silence."""

    def read(self, value: Any, path: Place, failures: Failures) -> Any:
        if isinstance(value, float):
            raise control.not_whole(path)
        return super().read(value, path, failures)


class Number:
    """A JSON number, whole or not."""

    def __init__(self, low: float, high: float) -> None:
        self._low, self._high = low, high

    def read(self, value: Any, path: Place, failures: Failures) -> Any:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise control.not_a_number(path)
        if not self._low <= value <= self._high:
            constraint = f"Member must have value from {self._low:g} to {self._high:g}"
            failures.add(self.text(value), path, constraint)
        return value

    def text(self, value: Any) -> str:
        return str(value)


class ControlInput(Structure):
    """The body of one action; a member that it does not have is refused, unlike in AWS's API."""

    def __init__(self, java_name: str, **members: Shape | Member) -> None:
        super().__init__(java_name, **members)
        self._names = tuple(members)

    def request(self, body: dict[str, Any]) -> dict[str, Any]:
        unknown = sorted(set(body) - set(self._names))
        if unknown:
            raise control.unknown_members(unknown, self._names)
        return super().request(body)


MILLISECONDS = Whole(0, limits.clock_ms_max, "Long")
TIME = Whole(limits.clock_ms_min, limits.clock_ms_max, "Long")


def latest_stream(context: Context, table_name: str) -> Stream:
    """Return the stream that a table has or had last.

    Raises ResourceNotFoundException for an unknown table, ValidationException for one that never
    had a stream.
    """
    table = context.tables.find(context.region, table_name)
    if table is None:
        raise dynamodb.table_not_found(table_name)
    arn = table.descriptor.latest_stream_arn
    if arn is None:
        raise control.table_without_stream(table_name)
    return context.tables.read(lambda reader: members.existing_stream(context, reader, arn))


def shown_succession(succession: Succession) -> dict[str, Any]:
    """Return a shard and its children as the actions tell of them."""
    children = [child.id for child in succession.children]
    return {"Parent": succession.parent.id, "Children": children}
