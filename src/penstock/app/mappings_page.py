"""The page of event source mappings, `/_penstock/mappings`: what `penstock mappings` shows.

Counts are of this process, since it began to run the mapping.
"""

from collections.abc import Iterable
from typing import Any

import msgspec

from penstock.consumers.engine import MappingShown

MAPPINGS_PATH = "/_penstock/mappings"


def _member_name(name: str) -> str:
    return "UUID" if name == "uuid" else "".join(map(str.capitalize, name.split("_")))


class MappingRow(msgspec.Struct, frozen=True, rename=_member_name):
    """One mapping as the page has it."""

    uuid: str
    function_arn: str
    event_source_arn: str
    state: str
    lag_records: int
    """Records at hand and not finished."""
    lag_is_more: bool
    """Whether more are known to wait behind those."""
    lag_seconds: float | None
    shards: int
    in_flight: int
    invocations: int
    errors: int
    throttles: int
    retries: int
    last_error: str
    last_error_ms: int


class MappingsPage(msgspec.Struct, frozen=True, rename=_member_name):
    """The whole page."""

    mappings: list[MappingRow]


def mappings_page(shown: Iterable[MappingShown], now_ms: int) -> dict[str, Any]:
    """Return the members of the page at `now_ms`."""
    return {"Mappings": [_row(each, now_ms) for each in shown]}


def _row(shown: MappingShown, now_ms: int) -> MappingRow:
    mapping, counts = shown
    return MappingRow(
        mapping.uuid,
        mapping.function_arn,
        mapping.source_arn,
        mapping.state,
        counts.lag_records,
        counts.is_behind,
        counts.lag_seconds(now_ms),
        len(counts.shards),
        counts.in_flight,
        counts.invocations,
        counts.errors,
        counts.throttles,
        counts.retries,
        counts.last_error,
        counts.last_error_ms,
    )
