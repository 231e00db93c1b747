"""Capacity units: what a request would consume, and how it is told.

Facts: a write costs the larger of the old and the new item in whole KB, at least 1, also where it
finds or changes nothing. A read costs whole 4 KB, at least 1, half of it where it is eventually
consistent. Tables without indexes; AWS and Alternator's notes, 2026-10.
"""

from collections.abc import Mapping
from typing import Any

from penstock.base import limits
from penstock.tables.write import Change


def write_units(change: Change) -> float:
    """Return the write units of one change."""
    size = max(0 if item is None else item.size for item in (change.old, change.new))
    return float(max(1, -(-size // limits.write_unit_bytes)))


def read_units(size: int, consistent: bool) -> float:
    """Return the read units of `size` bytes."""
    units = max(1, -(-size // limits.read_unit_bytes))
    return float(units) if consistent else units / 2


def consumed(request: Mapping[str, Any], table: str, units: float) -> dict[str, Any]:
    """Return the ConsumedCapacity member of an answer; empty where the request asked for none."""
    told = _told(request, table, units)
    return {} if told is None else {"ConsumedCapacity": told}


def consumed_by_table(request: Mapping[str, Any], units: Mapping[str, float]) -> dict[str, Any]:
    """Return the ConsumedCapacity list of a batch's answer; empty where none was asked for."""
    told = [_told(request, table, amount) for table, amount in units.items()]
    return {"ConsumedCapacity": told} if told and None not in told else {}


def _told(request: Mapping[str, Any], table: str, units: float) -> dict[str, Any] | None:
    asked = request.get("ReturnConsumedCapacity", "NONE")
    if asked == "NONE":
        return None
    told: dict[str, Any] = {"TableName": table, "CapacityUnits": units}
    if asked == "INDEXES":
        told["Table"] = {"CapacityUnits": units}
    return told
