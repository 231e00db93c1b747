"""Events: invocations that nobody waits for, kept in the store until they are done or given up.

An event is a row, written before it is acknowledged and taken away when its function has run. The
row's key begins with when it is due, so what waits for a retry lies behind what is to run now. A
server that dies leaves its rows, and whoever looks next runs them again: at least once.

AWS, 2026-11: after an error of the function two more attempts, one and two minutes later; where it
could not run (throttled, or a fault of the service) again after a second, then twice as long each
time up to five minutes; all within six hours of its coming. A function may have less of both, and
one whose reserved concurrency is 0 is not tried at all: its events are given up.

What is throttled first waits a moment for its turn: beside a mapping that leaves no worker idle, it
would find none at any time of its own.
"""

import asyncio
import logging
from collections import Counter
from typing import NamedTuple

import msgspec

from penstock.base import limits
from penstock.base.background import Alarm, Job
from penstock.base.clock import Clock
from penstock.base.errors.engine import EngineError
from penstock.base.timers import Signal, Timers
from penstock.functions import catalog
from penstock.functions.function import LATEST, EventConfig
from penstock.functions.invoker import Invoker, NotInvoked, Outcome
from penstock.functions.names import parse_function_name
from penstock.functions.turns import Turns
from penstock.storage.fibers import alike
from penstock.storage.format import pack, unpack
from penstock.storage.prefixes import Prefix
from penstock.storage.waist import Engine, Lock, Reader, Span, Transaction, after_prefix

log = logging.getLogger(__name__)

_ALL = Span.of_prefix(Prefix.INVOCATION.key)
_DUE_BYTES = 8
_RETRY_MS = (60_000, 120_000)


class Event(msgspec.Struct, frozen=True):
    """An event that waits, as it is stored."""

    id: str
    function_arn: str
    """With the version or alias that was asked for."""
    payload: bytes
    accepted_ms: int
    client_context: bytes | None = None
    errors: int = 0
    """How often the function has failed with it."""
    refusals: int = 0
    """How often it could not run, since it ran last."""


class _Row(NamedTuple):
    key: bytes
    event: Event


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Event).decode


def _function_prefix(function_arn: str) -> bytes:
    name = parse_function_name(function_arn)
    assert name is not None and name.region is not None, function_arn
    return Prefix.INVOCATION.key + name.region.encode() + b"\0" + name.name.encode() + b"\0"


def _key(event: Event, due_ms: int) -> bytes:
    due = due_ms.to_bytes(_DUE_BYTES, "big")
    return _function_prefix(event.function_arn) + due + event.id.encode()


def _lock(event: Event, *keys: bytes) -> Lock:
    return Lock(b"event/" + event.id.encode(), tuple(map(Span.of_key, keys)))


def _prefix_of(key: bytes) -> bytes:
    """Return what the keys of all events of one function begin with, from one of them."""
    region_end = key.index(b"\0")
    return key[: key.index(b"\0", region_end + 1) + 1]


class Events:
    """The events of a store, run by whoever has its job."""

    def __init__(self, engine: Engine, clock: Clock, invoker: Invoker, turns: Turns) -> None:
        self._engine, self._clock, self._invoker = engine, clock, invoker
        self._turns, self._timers = turns, Timers(clock)
        self._waiting = Counter[bytes]()
        """How many events of each function wait for their turn."""
        self._under_way: dict[bytes, asyncio.Task[None]] = {}
        self._settled: set[bytes] = set()
        """The keys of what has ended since the last look: that may have been before they went."""
        self.alarm = Alarm()
        """Rings where an event may be due."""
        self.job = Job("events", self.run, limits.events_interval_ms, self.alarm)

    async def add(self, event: Event) -> None:
        """Keep an event, which is due now; return when that is durable."""
        key = _key(event, event.accepted_ms)
        stored = pack(_encode(event))
        await self._engine.transact(lambda txn: txn.set(key, stored), locks=(_lock(event, key),))
        self.alarm.ring()

    async def run(self) -> float | None:
        """Begin with what is due; return how long it is until more will be."""
        self._timers.moved()
        now_ms = self._clock.now_ms()
        self._settled.clear()
        room = limits.events_under_way_max - len(self._under_way)
        due, next_ms = self._engine.snapshot(lambda reader: self._due(reader, now_ms, room))
        for row in due:
            if row.key not in self._under_way and row.key not in self._settled:
                work = alike(self._work(row))
                self._under_way[row.key] = asyncio.create_task(work, name="event")
        return None if next_ms is None else max(float(next_ms - now_ms), 1.0)

    async def stop(self) -> None:
        """End the events under way, which run again at the next start; safe twice."""
        tasks = list(self._under_way.values())
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=limits.background_stop_seconds_max)

    def _due(self, reader: Reader, now_ms: int, room: int) -> tuple[list[_Row], int | None]:
        """Return as many rows that are due as there is room for, and when the first other is.

        What one function does with all the room holds up no other: each may have one event more.
        """
        due: list[_Row] = []
        next_ms: int | None = None
        span = _ALL
        while first := reader.scan(span, 1):
            prefix = _prefix_of(first[0][0])
            span = Span(after_prefix(prefix), _ALL.end)
            begun = sum(key.startswith(prefix) for key in self._under_way)
            wanted = max(room - len(due), 0 if begun else 1)
            if not wanted:  # the end of another one makes room, and rings
                continue
            rows = reader.scan(Span.of_prefix(prefix), begun + wanted + 1)
            for key, stored in rows:
                at_ms = int.from_bytes(key[len(prefix) : len(prefix) + _DUE_BYTES], "big")
                if at_ms > now_ms:
                    next_ms = at_ms if next_ms is None else min(next_ms, at_ms)
                    break
                if key not in self._under_way and wanted:
                    due.append(_Row(key, _decode(unpack(stored))))
                    wanted -= 1
        return due, next_ms

    async def _work(self, row: _Row) -> None:
        """Run one event once, and store what becomes of it."""
        try:
            again = await self._attempt(row.event)
            await self._settle(row, again)
            self._settled.add(row.key)
        except EngineError as error:  # the row stays, and is run again
            log.warning(
                "The store cannot take what became of an event",
                extra={"request_id": row.event.id, "error": repr(error)},
            )
            await asyncio.sleep(limits.events_retry_seconds)
        except Exception:  # a bug of ours, which the row outlives too
            log.exception("An event could not be run", extra={"request_id": row.event.id})
            await asyncio.sleep(limits.events_retry_seconds)
        finally:
            del self._under_way[row.key]
            self.alarm.ring()

    async def _attempt(self, event: Event) -> tuple[Event, int] | None:
        """Run an event; return what it is then and when it is due again, or None where it is over.

        1. One that is too old is given up, or whose function is to run never. 2. What could not run
        is tried again. 3. So is what failed, as often as it may.
        """
        config, never = self._engine.snapshot(lambda reader: _terms(reader, event.function_arn))
        age_ms_max = _or(config.age_seconds_max, limits.event_age_seconds_max) * 1000
        now_ms = self._clock.now_ms()
        if now_ms - event.accepted_ms > age_ms_max:  # 1
            _give_up(event, "it was too old")
            return None
        if never:
            _give_up(event, "its function's reserved concurrency is 0")
            return None
        try:
            outcome = await self._invoke(event)
        except NotInvoked as error:
            if error.reason == "missing":
                _give_up(event, error.text)
                return None
            wait_ms = min(1000 << min(event.refusals, 20), limits.event_backoff_ms_max)  # 2
            later = msgspec.structs.replace(event, refusals=event.refusals + 1)
            return later, self._clock.now_ms() + wait_ms
        if outcome.error is None:
            return None
        if event.errors >= _or(config.retry_attempts_max, limits.event_retry_attempts_max):
            _give_up(event, "its function failed")
            return None
        later = msgspec.structs.replace(event, errors=event.errors + 1, refusals=0)  # 3
        return later, self._clock.now_ms() + _RETRY_MS[min(event.errors, len(_RETRY_MS) - 1)]

    async def _invoke(self, event: Event) -> Outcome:
        """Run the function once; NotInvoked where it cannot, nor has room at its turn."""
        clock, function = self._clock, _function_prefix(event.function_arn)
        until_ms = clock.elapsed_ms() + limits.event_turn_ms_max
        while True:
            try:
                outcome = await self._invoker.invoke(
                    event.function_arn,
                    event.payload,
                    client_context=event.client_context,
                    request_id=event.id,
                )
            except NotInvoked as refused:
                left_ms = until_ms - clock.elapsed_ms()
                if refused.reason != "throttled" or left_ms <= 0:
                    raise
                if self._waiting[function] >= limits.event_turns_max:
                    raise
                self._waiting[function] += 1
                try:
                    await self._turns.wait(event.function_arn, self._timers, Signal(), left_ms)
                finally:
                    self._waiting -= Counter([function])
            else:
                await self._turns.pass_on(event.function_arn, self._timers)
                return outcome

    async def _settle(self, row: _Row, again: tuple[Event, int] | None) -> None:
        """Take the row of an event away, or move it to where it is due again."""
        key = row.key if again is None else _key(*again)

        def work(txn: Transaction) -> None:
            txn.set(row.key, None)
            if again is not None:
                txn.set(key, pack(_encode(again[0])))

        await self._engine.transact(work, locks=(_lock(row.event, row.key, key),))


class _Terms(NamedTuple):
    """How the events of a function are treated, and whether it never runs."""

    config: EventConfig
    never: bool


def _terms(reader: Reader, function_arn: str) -> _Terms:
    """Return how the events of a function are treated; the defaults where it is not there."""
    name = parse_function_name(function_arn)
    found = None
    if name is not None and name.region is not None:
        found = catalog.find_function(reader, name.region, name.name)
    if name is None or found is None:
        return _Terms(EventConfig(0), never=False)
    config = found.event_configs.get(name.qualifier or LATEST, EventConfig(0))
    return _Terms(config, never=found.concurrency_max == 0)


def _or(given: int | None, default: int) -> int:
    return default if given is None else given


def _give_up(event: Event, why: str) -> None:
    log.warning(
        "An event was given up",
        extra={"function": event.function_arn, "request_id": event.id, "reason": why},
    )
