"""What the demo writes: pure, and the same on every run.

Hour by hour the readings of both cities arrive together. Each is an item of its own and also
replaces its city's one "latest" item. Every 20th reading is then corrected and every 33rd deleted,
some both. Each write carries the item's next version, so that every write can be matched with its
stream record; a delete counts as the version after the last.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import zip_longest
from typing import Any, Literal

from penstock.app.readings import Reading

Event = Literal["INSERT", "MODIFY", "REMOVE"]
Item = dict[str, dict[str, Any]]
Key = tuple[str, str]

PARTITION_KEY, SORT_KEY, VERSION = "series", "hour", "version"
LATEST = "latest"

_CORRECTED_EVERY, _CORRECTED_AT = 20, 7
_DELETED_EVERY, _DELETED_AT = 33, 11
_CORRECTION = Decimal("0.5")


@dataclass(frozen=True, slots=True)
class Step:
    """One write of an item: its key, the event it must cause, its version, its other attributes."""

    key: Key
    event: Event
    version: int
    attributes: Item


@dataclass(frozen=True, slots=True)
class Hour:
    """The writes of one hour: puts that go into one batch, corrections and deletions after it."""

    puts: list[Step]
    later: list[Step]


def hours(readings: Mapping[str, Sequence[Reading]]) -> Iterator[Hour]:
    """Yield the writes of each hour, in order of time; `readings` are those of each city."""
    for at, together in enumerate(zip_longest(*readings.values())):
        present = [reading for reading in together if reading is not None]
        puts = [step for reading in present for step in _put_steps(at, reading)]
        later = [step for reading in present for step in _later_steps(at, reading)]
        yield Hour(puts, later)


def writes_planned(readings: Mapping[str, Sequence[Reading]]) -> int:
    """Return how many writes all hours together make."""
    return sum(len(hour.puts) + len(hour.later) for hour in hours(readings))


def key_item(key: Key) -> Item:
    """Return the key as attribute values."""
    return {PARTITION_KEY: {"S": key[0]}, SORT_KEY: {"S": key[1]}}


def item_key(item: Item) -> Key:
    """Return the key that `item` holds."""
    return item[PARTITION_KEY]["S"], item[SORT_KEY]["S"]


def _key(reading: Reading) -> Key:
    """Return a reading's key: one series per city and month, so that all shards have work."""
    return f"{reading.city} {reading.hour[:7]}", reading.hour


def _put_steps(at: int, reading: Reading) -> Iterator[Step]:
    temperature = _temperature(reading)
    yield Step(_key(reading), "INSERT", 1, temperature)
    latest = {**temperature, "read_at": {"S": reading.hour}}
    yield Step((reading.city, LATEST), "INSERT" if at == 0 else "MODIFY", at + 1, latest)


def _temperature(reading: Reading) -> Item:
    return {"temperature": {"N": reading.temperature}}


def _later_steps(at: int, reading: Reading) -> Iterator[Step]:
    version = 1
    if at % _CORRECTED_EVERY == _CORRECTED_AT:
        version += 1
        corrected = str(Decimal(reading.temperature) + _CORRECTION)
        attributes: Item = {"temperature": {"N": corrected}, "corrected": {"BOOL": True}}
        yield Step(_key(reading), "MODIFY", version, attributes)
    if at % _DELETED_EVERY == _DELETED_AT:
        yield Step(_key(reading), "REMOVE", version + 1, {})
