"""The hourly temperatures of two cities in 2010 that ship inside the PyPI package `vega_datasets`.

Only the package's two CSV files are read, never its code, which would need pandas.
"""

import csv
import importlib.metadata
from dataclasses import dataclass

_PACKAGE = "vega_datasets"
_FILES = {"Seattle": "seattle-temps.csv", "San Francisco": "sf-temps.csv"}
_HOUR_CHARS = len("2010-01-01 00:00")


@dataclass(frozen=True, slots=True)
class Reading:
    """One temperature in degrees Fahrenheit, as decimal text, and its hour, `2010-01-01 00:00`."""

    city: str
    hour: str
    temperature: str


class ReadingsError(Exception):
    """The readings are not there or not readable; the text is one line for a person."""


def load_readings(package: str = _PACKAGE) -> dict[str, list[Reading]]:
    """Return the readings of each city in order of time; raises `ReadingsError`."""
    try:
        files = importlib.metadata.files(package) or []
    except importlib.metadata.PackageNotFoundError as missing:
        raise ReadingsError(
            f"the demo's data are in the package {package}; install it: pip install {package}"
        ) from missing
    found = {file.name: file for file in files}
    readings: dict[str, list[Reading]] = {}
    for city, name in _FILES.items():
        if name not in found:
            raise ReadingsError(f"the installed package {package} has no file {name}")
        readings[city] = parse_readings(city, found[name].read_text(encoding="utf-8"))
    return readings


def parse_readings(city: str, text: str) -> list[Reading]:
    """Return the rows of a CSV with the columns `date` and `temp`, sorted by hour."""
    rows = csv.DictReader(text.splitlines())
    try:
        read = [Reading(city, _hour(row["date"]), _degrees(row["temp"])) for row in rows]
    except (KeyError, ValueError) as wrong:
        raise ReadingsError(f"the readings of {city} are not as expected: {wrong}") from wrong
    return sorted(read, key=lambda reading: reading.hour)


def _hour(date: str) -> str:
    hour = date.replace("/", "-")[:_HOUR_CHARS]
    if len(hour) != _HOUR_CHARS:
        raise ValueError(f"no date with an hour: {date!r}")
    return hour


def _degrees(text: str) -> str:
    float(text)
    return text
