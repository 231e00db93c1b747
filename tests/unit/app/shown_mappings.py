"""What is shown of a mapping, for tests of those who show it."""

from typing import Any, NamedTuple

from penstock.consumers.counts import MappingCounts
from penstock.consumers.engine import MappingShown
from penstock.functions.mapping import Mapping

FUNCTION = "arn:aws:lambda:us-east-1:000000000000:function:bill:live"
STREAM = "arn:aws:dynamodb:us-east-1:000000000000:table/orders/stream/2026-11-28T00:00:00.000"
NOW_MS = 1_790_000_100_000


class Lag(NamedTuple):
    """A shard whose records at hand are so many, the oldest so old."""

    records_at_hand: int = 0
    oldest_ms: int | None = None
    is_behind: bool = False


def idle(uuid: str = "u-1", **more: Any) -> MappingShown:
    """Return a mapping that has done nothing."""
    members = {"function_arn": FUNCTION, "source_arn": STREAM, "state": "Enabled"} | more
    mapping = Mapping(uuid, "us-east-1", starting_position="LATEST", **members)
    return MappingShown(mapping, MappingCounts())


def busy(**more: Any) -> MappingShown:
    """Return a mapping whose every count is another number."""
    counts = MappingCounts(
        invocations=11,
        errors=2,
        throttles=3,
        retries=4,
        polled=50,
        filtered=6,
        invoked=70,
        failed=8,
        dropped=9,
        delivered_on_failure=10,
        delivery_failures=1,
        duration_ms=12_500.0,
        in_flight=13,
        iterator_age_ms=14_250.0,
        last_error="it broke",
        last_error_ms=NOW_MS - 95_500,
        shards={"a": Lag(1200, NOW_MS - 15_250, is_behind=True), "b": Lag(34, NOW_MS), "c": Lag()},
    )
    return MappingShown(idle(**more).mapping, counts)
