"""The memory engine: the conformance suite, the locking rules, rehearsal."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from penstock.base.clock import Clock
from penstock.storage.flusher import Flusher
from penstock.storage.memory import MemoryEngine, UnlockedWrite
from penstock.storage.prefixes import tip_key
from penstock.storage.waist import Engine, Lock, Span, Transaction, log_span
from penstock.testing.clock import FakeClock
from penstock.testing.engine_conformance import CHILD, LOG, EngineConformance, stored
from penstock.testing.engine_model import EVERYTHING
from penstock.testing.group_commit_conformance import GroupCommitConformance


class TestMemoryEngine(GroupCommitConformance, EngineConformance):
    """The waist's contract, with group commit."""

    def open_engine(self, path: Path, clock: Clock) -> Engine:
        return MemoryEngine(clock)

    def open_held(self, path: Path, clock: Clock, flusher: Flusher) -> Engine:
        return MemoryEngine(clock, flusher=flusher)


class TestRehearsingMemoryEngine(EngineConformance):
    """Work that runs twice changes nothing."""

    def open_engine(self, path: Path, clock: Clock) -> Engine:
        return MemoryEngine(clock, rehearse=True)


KEYS = Lock(b"keys", (Span(b"k", b"l"), Span(b"m", b"n")))
ONE_LOG = Lock(b"log", (log_span(LOG),))


@pytest.mark.parametrize(
    ("what", "work"),
    [
        ("key", lambda t: t.set(b"l", b"v")),
        ("deletion", lambda t: t.set(b"j", None)),
        ("span that reaches out of its lock", lambda t: t.clear(Span(b"k", b"m1"))),
        ("log", lambda t: t.append(CHILD, lambda _: b"r")),
        ("tip of a log", lambda t: t.set(tip_key(CHILD), b"v")),
        ("span of tips", lambda t: t.clear(Span.of_prefix(tip_key(LOG)))),
    ],
)
def test_what_no_lock_covers_cannot_be_written(what: str, work: Any) -> None:
    """Each kind of write outside the locks is refused, by name, and leaves nothing."""
    engine = MemoryEngine(FakeClock())

    def writes(t: Transaction) -> None:
        t.set(b"k1", b"v")
        work(t)

    with pytest.raises(UnlockedWrite, match="not covered by a lock; the locks are: b'keys'"):
        asyncio.run(engine.transact(writes, locks=[KEYS, ONE_LOG]))
    assert stored(engine, b"k1") is None


def test_what_a_lock_covers_can_be_written() -> None:
    """Any one span of any one lock will do; a log's lock covers its tip."""
    engine = MemoryEngine(FakeClock())

    def work(t: Transaction) -> None:
        t.set(b"m1", b"v")
        t.set(b"k1", b"v")
        t.clear(Span(b"k", b"l"))
        t.append(LOG, lambda _: b"r")
        t.set(tip_key(LOG), t.get(tip_key(LOG)))

    asyncio.run(engine.transact(work, locks=[KEYS, ONE_LOG]))
    assert (stored(engine, b"m1"), stored(engine, b"k1")) == (b"v", None)


def test_a_write_without_any_lock_is_refused() -> None:
    """No lock covers nothing; reading needs none."""
    engine = MemoryEngine(FakeClock())
    assert asyncio.run(engine.transact(lambda t: t.get(b"k"))) is None
    with pytest.raises(UnlockedWrite, match="the locks are: none"):
        asyncio.run(engine.transact(lambda t: t.set(b"k", b"v")))


@pytest.mark.parametrize(("rehearse", "runs"), [(False, 1), (True, 2)])
def test_rehearsal_runs_work_twice_and_keeps_the_second(rehearse: bool, runs: int) -> None:
    """Work that keeps state of its own is found by the number it leaves."""
    engine = MemoryEngine(FakeClock(), rehearse=rehearse)
    seen = []

    def impure(t: Transaction) -> None:
        assert t.get(b"k") is None
        seen.append(1)
        t.set(b"k", b"%d" % len(seen))

    asyncio.run(engine.transact(impure, locks=[EVERYTHING]))
    assert stored(engine, b"k") == b"%d" % runs


@pytest.mark.parametrize("cleared", [1, 50, 70, 900, 1000])
def test_clearing_many_rows_or_few_takes_out_just_these(cleared: int) -> None:
    """On both ways to do it: what is beside stays, in order, and what is written again is there."""
    engine = MemoryEngine(FakeClock())
    keys = [b"k%03d" % n for n in range(1000)]
    first = (1000 - cleared) // 2
    end = b"k%03d" % (first + cleared) if first + cleared < 1000 else b"l"

    def fill(t: Transaction) -> None:
        for key in reversed(keys):
            t.set(key, b"old" + key)

    def clear(t: Transaction) -> None:
        t.clear(Span(keys[first], end))
        t.set(keys[first], b"new")
        t.set(b"k0005", b"between")

    asyncio.run(engine.transact(fill, locks=[EVERYTHING]))
    asyncio.run(engine.transact(clear, locks=[EVERYTHING]))
    expected = {key: b"old" + key for key in keys[:first] + keys[first + cleared :]}
    expected |= {keys[first]: b"new", b"k0005": b"between"}
    rows = engine.snapshot(lambda r: r.scan(Span(b"k", b"l"), 2000))
    assert rows == sorted(expected.items())
    assert [stored(engine, key) for key in keys] == [expected.get(key) for key in keys]
