"""What a test does to a server through its test controls: time, shards, faults, drain."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from penstock.app.control_client import ControlClient, ControlError, Succession
from penstock.base.clock import SystemClock, duration_ms
from penstock.testing.stream_tables import table_name

_MS = timedelta(milliseconds=1)

Find = Callable[[Any], str]
"""Returns the name of the table that a test means; None is the test's own."""


class ServerClock:
    """The clock of a server."""

    def __init__(self, control: ControlClient) -> None:
        self._control = control

    def now_ms(self) -> int:
        """Return the server's time in milliseconds since the Unix epoch."""
        return self._control.now_ms()

    def now(self) -> datetime:
        """Return the server's time, in UTC."""
        return datetime.fromtimestamp(self.now_ms() / 1000, UTC)

    def advance(self, time: timedelta | int | str) -> datetime:
        """Let `time` pass at once: a timedelta, milliseconds, or a text such as `24h1s`.

        When it returns, everything that is due by then has happened: iterators and items have
        expired, shards have rolled, records are trimmed. Returns the new time.
        """
        self._control.advance(span_ms(time))
        return self.now()

    def set(self, to: datetime | int) -> datetime:
        """Step the clock to a time with a zone or to epoch milliseconds, back or forward."""
        if isinstance(to, datetime):
            if to.tzinfo is None:
                raise ValueError(f"{to!r} has no time zone")
            to = (to - datetime(1970, 1, 1, tzinfo=UTC)) // _MS
        self._control.set_clock(to)
        return self.now()

    def put_back(self) -> None:
        """Step the clock to the time of this machine."""
        self._control.set_clock(SystemClock().now_ms())


def span_ms(time: Any) -> int:
    """Return a timedelta, milliseconds or a text in milliseconds; ValueError, TypeError if none."""
    if isinstance(time, str):
        return duration_ms(time)
    if isinstance(time, timedelta):
        ms = -(-time // _MS)  # a part of a millisecond passes whole
    elif isinstance(time, int) and not isinstance(time, bool):
        ms = time
    else:
        raise TypeError(f"a span of time is a timedelta, milliseconds or a text, not {time!r}")
    if ms < 0:
        raise ValueError("time does not pass backwards; `set` steps the clock back")
    return ms


class Surgery:
    """Changes of streams that AWS makes when it likes; a table is named, or it is the test's own.

    Raises `ControlError` where the server refuses.
    """

    def __init__(self, control: ControlClient, find: Find) -> None:
        self._control = control
        self._find = find

    def roll(self, table: Any = None, shard_id: str | None = None) -> list[Succession]:
        """Close the open shards, or the one named; each gets one child. Returns them."""
        return self._control.roll(self._find(table), shard_id)

    def split(self, table: Any = None, shard_id: str | None = None) -> Succession:
        """Close the widest open shard, or the one named; it gets two children. Returns them."""
        return self._control.split(self._find(table), shard_id)

    def trim(self, table: Any = None, shard_id: str | None = None) -> list[str]:
        """Make all records so far unreadable; return the shards, which stay listed."""
        return self._control.trim(self._find(table), shard_id)

    def expire_iterators(
        self, table: Any = None, shard_id: str | None = None, *, iterator: str | None = None
    ) -> None:
        """Let the iterators issued so far, or the one given, be answered as expired."""
        if iterator is not None:
            self._control.expire_iterators(iterator=iterator)
        else:
            self._control.expire_iterators(self._find(table), shard_id)


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault that GetRecords has, until its calls are used up or it is cleared."""

    fault_id: str
    _control: ControlClient

    @property
    def hits(self) -> int:
        """How many calls it has hit so far."""
        for fault in self._control.faults():
            if fault["FaultId"] == self.fault_id:
                hits: int = fault["Hits"]
                return hits
        raise LookupError(f"the fault {self.fault_id} was cleared")

    def clear(self) -> None:
        """Take it away."""
        self._control.clear_faults(self.fault_id)


class Faults:
    """Makes GetRecords fail as it does on AWS; a table is named, or it is the test's own.

    Each takes `table`, `shard_id` and `consumer` (whose calls; everybody's if None), and either the
    number of `calls` (1 by default) or their `probability` with a `seed`. Returns the fault.
    """

    def __init__(self, control: ControlClient, find: Find) -> None:
        self._control = control
        self._find = find

    def throttle(self, **where: Any) -> Fault:
        """Refuse calls as AWS refuses what is beyond its rates."""
        return self._put("throttle", **where)

    def expired(self, **where: Any) -> Fault:
        """Answer calls with ExpiredIteratorException."""
        return self._put("expired", **where)

    def trimmed(self, **where: Any) -> Fault:
        """Answer calls with TrimmedDataAccessException."""
        return self._put("trimmed", **where)

    def repeat(self, **where: Any) -> Fault:
        """Deliver a page again to whoever has read it."""
        return self._put("repeat", **where)

    def fewer(self, records: int = 0, **where: Any) -> Fault:
        """Return at most `records` records, although there are more."""
        return self._put("fewer", records=records, **where)

    def clear(self) -> None:
        """Take all faults away."""
        self._control.clear_faults()

    def _put(self, kind: str, table: Any = None, **terms: Any) -> Fault:
        """Set a fault on the terms that `ControlClient.fault` takes; of one call if none says."""
        if terms.get("calls") is None and terms.get("probability") is None:
            terms["calls"] = 1
        fault_id = self._control.fault(kind, table=self._find(table), **terms)
        return Fault(fault_id, self._control)


def drain(control: ControlClient, table: Any, consumer: str, seconds_max: float) -> None:
    """Return when `consumer` has read all that was written to `table` so far.

    AssertionError, with the shards that it is behind in, where that takes over `seconds_max`.
    """
    __tracebackhide__ = True
    try:
        control.drain(table_name(table), consumer, seconds_max)
    except ControlError as error:
        raise AssertionError(str(error)) from None
