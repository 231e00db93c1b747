"""What the demo writes: pure, and the same on every run.

Each reading is an item of its own and also updates its city's one "latest" item. Every 20th reading
is corrected and every 33rd deleted, some both. Each write carries the item's next version, so that
every write can be matched with its stream record; a delete counts as the version after the last.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

from penstock.app.readings import Reading

Event = Literal["INSERT", "MODIFY", "REMOVE"]
Item = dict[str, dict[str, Any]]
Key = tuple[str, str]

PARTITION_KEY, SORT_KEY, VERSION = "series", "hour", "version"
LATEST = "latest"
BATCH = 25

_corrected_every, _corrected_at = 20, 7
_deleted_every, _deleted_at = 33, 11
_correction = Decimal("0.5")


@dataclass(frozen=True, slots=True)
class Step:
    """One write of an item: its key, the event it must cause, its version, its other attributes."""

    key: Key
    event: Event
    version: int
    attributes: Item


def reading_steps(readings: Sequence[Reading]) -> Iterator[tuple[list[Step], list[Step]]]:
    """Yield, for each batch of readings, their puts and then their corrections and deletions."""
    for start in range(0, len(readings), BATCH):
        batch = readings[start : start + BATCH]
        puts = [Step(_key(reading), "INSERT", 1, _temperature(reading)) for reading in batch]
        later = [
            step for at, reading in enumerate(batch, start) for step in _later_steps(at, reading)
        ]
        yield puts, later


def latest_steps(readings: Sequence[Reading]) -> Iterator[Step]:
    """Yield the updates of a city's latest item, one per reading, to be written in this order."""
    for version, reading in enumerate(readings, 1):
        attributes = {**_temperature(reading), "read_at": {"S": reading.hour}}
        event: Event = "INSERT" if version == 1 else "MODIFY"
        yield Step((reading.city, LATEST), event, version, attributes)


def writes_planned(readings: Sequence[Reading]) -> int:
    """Return how many writes all steps of one city's readings make."""
    return len(readings) + sum(len(puts) + len(later) for puts, later in reading_steps(readings))


def key_item(key: Key) -> Item:
    """Return the key as attribute values."""
    return {PARTITION_KEY: {"S": key[0]}, SORT_KEY: {"S": key[1]}}


def item_key(item: Item) -> Key:
    """Return the key that `item` holds."""
    return item[PARTITION_KEY]["S"], item[SORT_KEY]["S"]


def _key(reading: Reading) -> Key:
    """Return a reading's key: one series per city and month, so that all shards have work."""
    return f"{reading.city} {reading.hour[:7]}", reading.hour


def _temperature(reading: Reading) -> Item:
    return {"temperature": {"N": reading.temperature}}


def _later_steps(at: int, reading: Reading) -> Iterator[Step]:
    version = 1
    if at % _corrected_every == _corrected_at:
        version += 1
        corrected = str(Decimal(reading.temperature) + _correction)
        attributes: Item = {"temperature": {"N": corrected}, "corrected": {"BOOL": True}}
        yield Step(_key(reading), "MODIFY", version, attributes)
    if at % _deleted_every == _deleted_at:
        yield Step(_key(reading), "REMOVE", version + 1, {})
