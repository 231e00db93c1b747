"""The faulty engine: the conformance suite while nothing fails, and what each fault does."""

import asyncio
import contextlib
from collections.abc import Callable
from pathlib import Path

import pytest

from penstock.base import limits
from penstock.base.clock import Clock
from penstock.base.errors.engine import (
    EngineError,
    EngineFull,
    EngineUnavailable,
    TransactionConflict,
)
from penstock.base.ids import Entropy
from penstock.storage.flusher import Flusher
from penstock.storage.waist import Engine, Span, Transaction
from penstock.testing.clock import FakeClock
from penstock.testing.engine_conformance import SingleWriterConformance, put, stored, turns
from penstock.testing.engine_model import EVERYTHING
from penstock.testing.faulty_engine import Disk, Faults, FaultyEngine
from penstock.testing.group_commit_conformance import GroupCommitConformance
from penstock.testing.held_flusher import HeldFlusher

_DISKS: dict[Path, Disk] = {}


class TestFaultyEngine(GroupCommitConformance, SingleWriterConformance):
    """The waist's contract, with group commit and a disk that outlives its engines."""

    def open_engine(self, path: Path, clock: Clock) -> Engine:
        return FaultyEngine(clock, _DISKS.setdefault(path, Disk()), Faults(Entropy(0)))

    def open_held(self, path: Path, clock: Clock, flusher: Flusher) -> Engine:
        return FaultyEngine(clock, Disk(), Faults(Entropy(0)), flusher)


class Bench:
    """An engine over a disk, and what is needed to break it."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.disk = Disk()
        self.faults = Faults(Entropy(0))
        self.open()

    def open(self) -> None:
        self.flusher = HeldFlusher()
        self.engine = FaultyEngine(self.clock, self.disk, self.faults, self.flusher)

    def pass_time_to_reopen(self) -> None:
        self.clock.advance(int(limits.store_reopen_ms_min) + 1)

    def rows(self) -> list[tuple[bytes, bytes]]:
        return self.disk.durable.scan(Span(b"k", b"l"), 99)


@pytest.mark.parametrize("point", ["write", "sync"])
@pytest.mark.parametrize("keeps", [True, False])
def test_a_failed_group_is_found_as_a_whole_or_not_at_all(point: str, keeps: bool) -> None:
    """Nobody is told that it went well; reopening shows all of it or nothing, as the test says."""
    bench = Bench()
    bench.faults.keeps = keeps

    async def scene() -> None:
        await put(bench.engine, b"k", b"old")
        bench.faults.arm("write" if point == "write" else "sync")
        jobs = [put(bench.engine, key, b"v") for key in (b"k1", b"k2")]
        for outcome in await asyncio.gather(*jobs, return_exceptions=True):
            assert isinstance(outcome, EngineUnavailable)
        assert bench.rows() == [(b"k", b"old")]
        assert bench.engine.is_in_doubt
        bench.pass_time_to_reopen()
        await put(bench.engine, b"k3", b"v")
        assert not bench.engine.is_in_doubt

    asyncio.run(scene())
    kept = [(b"k1", b"v"), (b"k2", b"v")] if keeps else []
    assert bench.rows() == [(b"k", b"old"), *kept, (b"k3", b"v")]


def test_a_store_that_cannot_be_opened_again_fails_as_often_as_was_armed() -> None:
    """Each try in vain is told to who made it, and the next one after its time succeeds."""
    bench = Bench()

    async def scene() -> None:
        bench.faults.arm("sync")
        bench.faults.arm("reopen", 2)
        for _ in range(3):
            with pytest.raises(EngineUnavailable):
                await put(bench.engine, b"k", b"v")
            bench.pass_time_to_reopen()
        await put(bench.engine, b"k", b"w")

    asyncio.run(scene())
    assert bench.rows() == [(b"k", b"w")]


def test_no_room_refuses_a_group_and_touches_nothing() -> None:
    """The next group is written at once, without opening the store again."""
    bench = Bench()

    async def scene() -> None:
        bench.faults.arm("reserve")
        with pytest.raises(EngineFull):
            await put(bench.engine, b"k", b"v")
        await put(bench.engine, b"k1", b"v")

    asyncio.run(scene())
    assert bench.rows() == [(b"k1", b"v")]


@pytest.mark.parametrize(
    ("arm", "error", "runs", "made"),
    [
        (lambda faults: faults.arm("unavailable"), EngineUnavailable, 0, False),
        (lambda faults: faults.arm("conflict"), TransactionConflict, 1, False),
        (lambda faults: faults.arm("lost answer"), EngineUnavailable, 1, True),
        (lambda faults: faults.arm("rehearsal"), None, 2, True),
    ],
)
def test_what_a_transaction_can_meet(
    arm: Callable[[Faults], None], error: type[EngineError] | None, runs: int, made: bool
) -> None:
    """How often its work runs, what it raises, and whether it was made all the same."""
    bench = Bench()
    seen = []

    def work(t: Transaction) -> None:
        seen.append(1)
        t.set(b"k", b"v")

    async def scene() -> None:
        arm(bench.faults)
        expected = contextlib.nullcontext() if error is None else pytest.raises(error)
        with expected:
            await bench.engine.transact(work, locks=[EVERYTHING])
        assert len(seen) == runs
        await bench.engine.transact(lambda t: None)
        assert bench.rows() == ([(b"k", b"v")] if made else [])

    asyncio.run(scene())


def test_disarmed_faults_strike_no_more() -> None:
    """What was armed and has not come by is forgotten."""
    bench = Bench()
    bench.faults.arm("sync", 9)
    bench.faults.disarm()
    asyncio.run(put(bench.engine, b"k", b"v"))
    assert bench.rows() == [(b"k", b"v")]


@pytest.mark.parametrize("keeps", [True, False])
def test_a_crash_loses_what_is_not_durable(keeps: bool) -> None:
    """Of the group in flight all or nothing is left, of the group over it nothing."""
    bench = Bench()
    bench.faults.keeps = keeps

    async def scene() -> None:
        await put(bench.engine, b"k", b"old")
        bench.flusher.hold = True
        first = asyncio.ensure_future(put(bench.engine, b"k1", b"v"))
        await bench.flusher.came()
        second = asyncio.ensure_future(put(bench.engine, b"k2", b"v"))
        await turns()
        bench.engine.crash()
        bench.engine.crash()
        for job in (first, second):
            with pytest.raises(EngineUnavailable):
                await job
        with pytest.raises(EngineUnavailable):
            await put(bench.engine, b"k3", b"v")
        with pytest.raises(EngineUnavailable):
            stored(bench.engine, b"k")
        bench.engine.close()

    asyncio.run(scene())
    left = [(b"k", b"old"), (b"k1", b"v")] if keeps else [(b"k", b"old")]
    assert bench.rows() == left
    bench.open()
    asyncio.run(put(bench.engine, b"k2", b"w"))
    assert bench.rows() == [*left, (b"k2", b"w")]


def test_a_crash_wakes_whoever_watches() -> None:
    """As `close` does, so that nobody waits for what will not come."""
    bench = Bench()

    async def scene() -> None:
        watching = asyncio.ensure_future(bench.engine.watch(b"\x22log.", 0, 60))
        await turns()
        bench.engine.crash()
        async with asyncio.timeout(30):
            await watching

    asyncio.run(scene())


def test_what_is_left_open_follows_from_the_entropy() -> None:
    """The same seed draws the same, and both happen."""

    def drawn(seed: int) -> list[bool]:
        faults = Faults(Entropy(seed))
        return [faults.keeps_group() for _ in range(20)]

    assert drawn(1) == drawn(1)
    assert set(drawn(1)) == {True, False}
