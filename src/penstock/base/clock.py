"""Time: the one place that asks the machine what time it is.

Everything above takes a `Clock`, so that tests and the simulation can move it.
"""

import re
import time
from datetime import UTC, datetime
from typing import Protocol, runtime_checkable

_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
_UNIT_MS = {"d": 86_400_000, "h": 3_600_000, "m": 60_000, "s": 1000, "ms": 1}
_PIECE = re.compile(r"([0-9]{1,15})(ms|[dhms])")


class Clock(Protocol):
    """What the product knows of time."""

    def now_ms(self) -> int:
        """Return wall-clock time in whole milliseconds since the Unix epoch; may step back."""
        ...

    def elapsed_ms(self) -> float:
        """Return milliseconds of a clock that never steps back, from an arbitrary start."""
        ...


class SystemClock:
    """The machine's own clocks."""

    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000

    def elapsed_ms(self) -> float:
        return time.monotonic() * 1000.0


@runtime_checkable
class MovableClock(Clock, Protocol):
    """A clock that can be moved, as tests do."""

    def advance(self, ms: int) -> None:
        """Let `ms` milliseconds pass at once, in both of its times; ValueError below 0."""
        ...

    def set(self, ms: int) -> None:
        """Step the wall clock to `ms` epoch milliseconds, back or forward; no time passes."""
        ...


class ShiftedClock:
    """A movable clock over another, whose times go on from wherever it was moved to.

    What it was moved by is gone with it: the clock below is left alone.
    """

    def __init__(self, below: Clock) -> None:
        self._below = below
        self._wall_shift_ms = 0
        self._passed_ms = 0

    def now_ms(self) -> int:
        return self._below.now_ms() + self._wall_shift_ms

    def elapsed_ms(self) -> float:
        return self._below.elapsed_ms() + self._passed_ms

    def advance(self, ms: int) -> None:
        if ms < 0:
            raise ValueError("time does not pass backwards; use `set` to step the wall clock")
        self._wall_shift_ms += ms
        self._passed_ms += ms

    def set(self, ms: int) -> None:
        self._wall_shift_ms = ms - self._below.now_ms()


def duration_ms(text: str) -> int:
    """Return the milliseconds of a text such as `24h1s`; ValueError where it tells no duration."""
    if not re.fullmatch(f"({_PIECE.pattern})+", text):
        raise ValueError(f"{text!r} is not a time such as 24h1s, 90m or 500ms")
    return sum(int(count) * _UNIT_MS[unit] for count, unit in _PIECE.findall(text))


def iso_label(at_ms: int) -> str:
    """Return `at_ms` as UTC with milliseconds and no zone, the form of a stream label."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S.") + (
        f"{at_ms % 1000:03d}"
    )


def utc_sentence(at_ms: int) -> str:
    """Return `at_ms` as DynamoDB writes a time into a text, to the second and in UTC."""
    at = datetime.fromtimestamp(at_ms / 1000, UTC)
    noon = "AM" if at.hour < 12 else "PM"
    day = f"{_DAYS[at.weekday()]}, {_MONTHS[at.month - 1]} {at.day}, {at.year}"
    return f"{day} at {at.hour % 12 or 12}:{at:%M:%S} {noon} Coordinated Universal Time"
