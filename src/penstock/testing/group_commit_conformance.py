"""What an engine with group commit promises while its disk is slow or fails.

The tests hold the disk with a `HeldFlusher`, so that a group stays written and not yet durable.
"""

import asyncio
import contextlib
import tempfile
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest

from penstock.base import limits
from penstock.base.clock import Clock
from penstock.base.errors.engine import EngineError, EngineFull, EngineUnavailable
from penstock.storage.flusher import Flusher
from penstock.storage.waist import Engine, Span, Transaction, log_span
from penstock.testing.clock import FakeClock
from penstock.testing.engine_conformance import (
    LOG,
    SOON_SECONDS,
    append,
    put,
    stamps,
    stored,
    turns,
)
from penstock.testing.engine_model import EVERYTHING, Refused
from penstock.testing.held_flusher import HeldFlusher

Scene = Callable[[Engine, HeldFlusher], Coroutine[Any, Any, None]]


class GroupCommitConformance:
    """What every `GroupCommitEngine` promises."""

    def open_held(self, path: Path, clock: Clock, flusher: Flusher) -> Engine:
        """Return an engine on the store in the directory `path` whose syncs `flusher` runs."""
        raise NotImplementedError

    @contextlib.contextmanager
    def held(self, clock: Clock) -> Iterator[tuple[Engine, HeldFlusher]]:
        """Give a new engine and its flusher, closed in the end."""
        with tempfile.TemporaryDirectory() as directory:
            flusher = HeldFlusher()
            engine = self.open_held(Path(directory) / "store", clock, flusher)
            try:
                yield engine, flusher
            finally:
                engine.close()

    def run_held(self, scene: Scene, clock: Clock | None = None) -> None:
        """Run `scene` with a new engine and the flusher that it can hold."""
        with self.held(clock or FakeClock()) as (engine, flusher):
            asyncio.run(scene(engine, flusher))

    def test_nothing_is_answered_or_seen_before_it_is_durable(self) -> None:
        """Neither `get` nor `scan` of a snapshot shows it; then all of a group come at once."""

        async def scene(engine: Engine, flusher: HeldFlusher) -> None:
            await put(engine, b"k1", b"old")
            await put(engine, b"k2", b"old")
            await put(engine, b"l", b"the end of the span")
            flusher.hold = True
            jobs = [asyncio.ensure_future(put(engine, key, b"new")) for key in (b"k1", b"k3")]
            jobs.append(asyncio.ensure_future(put(engine, b"k2", None)))
            await flusher.came()
            await turns()
            assert not any(job.done() for job in jobs)
            before = [(b"k1", b"old"), (b"k2", b"old")]
            assert engine.snapshot(lambda r: r.scan(Span(b"k", b"l"), 9)) == before
            assert engine.snapshot(lambda r: r.scan(Span(b"k", b"l"), 9, True)) == before[::-1]
            assert [stored(engine, k) for k in (b"k1", b"k2", b"k3")] == [b"old", b"old", None]
            flusher.release()
            await turns()
            assert all(job.done() for job in jobs)
            assert engine.snapshot(lambda r: r.scan(Span(b"k", b"l"), 9)) == [
                (b"k1", b"new"),
                (b"k3", b"new"),
            ]

        self.run_held(scene)

    def test_the_next_group_fills_while_one_is_made_durable(self) -> None:
        """It sees the first, is answered after it, and makes one group whatever its size."""

        async def scene(engine: Engine, flusher: HeldFlusher) -> None:
            flusher.hold = True
            first = asyncio.ensure_future(put(engine, b"k", b"1"))
            await flusher.came()

            def work(t: Transaction) -> bytes | None:
                seen = t.get(b"k")
                assert t.scan(Span(b"k", b"l"), 9) == [(b"k", seen)]
                t.set(b"k", b"2")
                return seen

            later = [
                asyncio.ensure_future(engine.transact(work, locks=[EVERYTHING])) for _ in range(9)
            ]
            await turns()
            flusher.release()
            await turns()
            assert first.done()
            assert not any(job.done() for job in later)
            assert stored(engine, b"k") == b"1"
            flusher.release()
            assert await asyncio.gather(*later) == [b"1"] + [b"2"] * 8
            assert flusher.jobs == 2

        self.run_held(scene)

    def test_a_refusal_waits_for_what_it_may_have_read(self) -> None:
        """It tells what it read, so it is answered only once that is durable."""

        async def scene(engine: Engine, flusher: HeldFlusher) -> None:
            def refuse(t: Transaction) -> None:
                raise Refused(t.get(b"k"))

            flusher.hold = True
            first = asyncio.ensure_future(put(engine, b"k", b"v"))
            beside = asyncio.ensure_future(engine.transact(refuse, locks=[EVERYTHING]))
            await flusher.came()
            during = asyncio.ensure_future(engine.transact(refuse, locks=[EVERYTHING]))
            await turns()
            assert not any(job.done() for job in (first, beside, during))
            flusher.release()
            for job in (beside, during):
                with pytest.raises(Refused, match="b'v'"):
                    await job
            assert flusher.jobs == 1

        self.run_held(scene)

    def test_reading_waits_for_what_is_pending_and_costs_no_sync(self) -> None:
        """A transaction that writes nothing waits as long as it could have read the undurable."""

        async def scene(engine: Engine, flusher: HeldFlusher) -> None:
            assert await engine.transact(lambda t: t.get(b"k")) is None
            assert flusher.jobs == 0
            flusher.hold = True
            write = asyncio.ensure_future(put(engine, b"k", b"v"))
            await flusher.came()
            read = asyncio.ensure_future(engine.transact(lambda t: t.get(b"k")))
            await turns()
            assert not read.done()
            flusher.release()
            assert await read == b"v"
            await write
            assert await engine.transact(lambda t: t.get(b"k")) == b"v"
            assert flusher.jobs == 1

        self.run_held(scene)

    def test_transactions_share_their_syncs(self) -> None:
        """64 tasks with ten transactions each need far fewer syncs than transactions."""

        async def writer(engine: Engine, number: int) -> None:
            for _ in range(10):
                await put(engine, b"k%d" % number, b"v")

        async def scene(engine: Engine, flusher: HeldFlusher) -> None:
            await asyncio.gather(*(writer(engine, n) for n in range(64)))
            assert 10 <= flusher.jobs <= 64

        self.run_held(scene)

    def test_a_group_is_limited_by_number_and_by_bytes(self) -> None:
        """What comes beyond either waits for the next group, so no group holds the loop long."""
        number = 2 * limits.commit_group_transactions_max + 1
        large = bytes(limits.commit_group_bytes_max)

        async def scene(engine: Engine, flusher: HeldFlusher) -> None:
            await asyncio.gather(*(put(engine, b"k%05d" % n, b"v") for n in range(number)))
            assert flusher.jobs == 3
            await asyncio.gather(*(put(engine, b"k%05d" % n, large) for n in range(2)))
            assert flusher.jobs == 5

        self.run_held(scene)

    def test_a_watcher_wakes_only_for_what_is_durable(self) -> None:
        """A stamp that was given but is not durable neither wakes nor returns at once."""

        async def scene(engine: Engine, flusher: HeldFlusher) -> None:
            flusher.hold = True
            appending = asyncio.ensure_future(append(engine))
            await flusher.came()
            watching = asyncio.ensure_future(engine.watch(LOG, 0, 60))
            await turns()
            assert not watching.done()
            assert stamps(engine) == []
            flusher.release()
            async with asyncio.timeout(SOON_SECONDS):
                await watching
            assert stamps(engine) == [await appending]

        self.run_held(scene)

    def test_who_watches_looks_again_when_the_store_is_back(self) -> None:
        """What failed may be there all the same, and nobody appends it a second time."""
        clock = FakeClock()

        async def scene(engine: Engine, flusher: HeldFlusher) -> None:
            await append(engine)
            watching = engine.watch(LOG, stamps(engine)[-1], 60)
            flusher.errors.append(OSError("the disk is gone"))
            with pytest.raises(EngineUnavailable):
                await append(engine)
            await turns()
            assert not watching.done()
            clock.advance(int(limits.store_reopen_ms_min) + 1)
            await put(engine, b"k", b"v")
            async with asyncio.timeout(SOON_SECONDS):
                await watching

        self.run_held(scene, clock)

    def test_a_failed_sync_fails_all_who_could_have_seen_it(self) -> None:
        """It, the group over it and who read them fail; snapshots keep what was durable."""

        def refuse(t: Transaction) -> None:
            raise Refused(t.get(b"k"))

        async def scene(engine: Engine, flusher: HeldFlusher) -> None:
            await put(engine, b"k", b"old")
            flusher.hold = True
            jobs = [asyncio.ensure_future(put(engine, b"k", b"lost"))]
            await flusher.came()
            jobs.append(asyncio.ensure_future(put(engine, b"k2", b"lost")))
            jobs.append(asyncio.ensure_future(put(engine, b"k3", b"lost")))
            jobs.append(asyncio.ensure_future(engine.transact(refuse, locks=[EVERYTHING])))
            flusher.errors.append(EngineFull("no room"))
            await turns()
            flusher.release()
            for outcome in await asyncio.gather(*jobs, return_exceptions=True):
                assert isinstance(outcome, EngineFull)
            assert engine.snapshot(lambda r: r.scan(Span(b"k", b"l"), 9)) == [(b"k", b"old")]
            with pytest.raises(EngineFull, match="no room"):
                await put(engine, b"k", b"too soon")

        self.run_held(scene)

    def test_after_a_failure_the_store_comes_back(self) -> None:
        """A second later it takes writes again; of the failed group there is all or nothing."""
        clock = FakeClock()

        def both(t: Transaction) -> None:
            t.set(b"k1", b"lost")
            t.set(b"k2", b"lost")
            t.append(LOG, lambda _: b"lost")

        async def scene(engine: Engine, flusher: HeldFlusher) -> None:
            await put(engine, b"k", b"old")
            last = await append(engine)
            flusher.errors.append(OSError("the disk is gone"))
            with pytest.raises(EngineUnavailable):
                await engine.transact(both, locks=[EVERYTHING])
            clock.advance(int(limits.store_reopen_ms_min) + 1)
            clock.set(1)
            await asyncio.gather(*(put(engine, b"n%d" % n, b"v") for n in range(9)))
            stamp = await append(engine)
            found = [stored(engine, b"k1"), stored(engine, b"k2")]
            assert found in ([None, None], [b"lost", b"lost"])
            assert stamps(engine)[0] == last
            assert stamps(engine)[-1] == stamp
            assert len(stamps(engine)) == (2 if found[0] is None else 3)
            assert stored(engine, b"k") == b"old"
            assert stored(engine, b"n8") == b"v"

        self.run_held(scene, clock)

    def test_a_store_that_does_not_come_back_is_tried_once_a_second(self) -> None:
        """Each try fails who waits for it; between tries transactions fail at once."""
        clock = FakeClock()

        async def scene(engine: Engine, flusher: HeldFlusher) -> None:
            flusher.errors.append(OSError("first"))
            with pytest.raises(EngineError):
                await put(engine, b"k", b"v")
            for _ in range(3):
                tried = flusher.jobs
                clock.advance(int(limits.store_reopen_ms_min) + 1)
                flusher.errors.append(OSError("still gone"))
                jobs = [put(engine, b"k", b"v") for _ in range(5)]
                outcomes = await asyncio.gather(*jobs, return_exceptions=True)
                assert all(isinstance(outcome, EngineError) for outcome in outcomes)
                assert flusher.jobs == tried + 1
            clock.advance(int(limits.store_reopen_ms_min) + 1)
            await put(engine, b"k", b"v")
            assert stored(engine, b"k") == b"v"

        self.run_held(scene, clock)

    def test_close_makes_durable_what_is_pending(self) -> None:
        """What is in flight and what fills behind it are finished and answered as successes."""

        async def scene(engine: Engine, flusher: HeldFlusher) -> None:
            flusher.hold = True
            first = asyncio.ensure_future(put(engine, b"k1", b"v"))
            await flusher.came()
            second = asyncio.ensure_future(put(engine, b"k2", b"v"))
            await turns()
            engine.close()
            await asyncio.gather(first, second)
            assert flusher.jobs == 2

        self.run_held(scene)

    def test_close_fails_what_it_cannot_make_durable(self) -> None:
        """If the disk fails then, nobody is told that it went well."""

        async def scene(engine: Engine, flusher: HeldFlusher) -> None:
            flusher.hold = True
            first = asyncio.ensure_future(put(engine, b"k1", b"v"))
            await flusher.came()
            second = asyncio.ensure_future(put(engine, b"k2", b"v"))
            await turns()
            flusher.errors.append(EngineUnavailable("gone"))
            engine.close()
            for job in (first, second):
                with pytest.raises(EngineUnavailable):
                    await job

        self.run_held(scene)

    def test_a_loop_that_ended_early_leaves_a_usable_engine(self) -> None:
        """What a loop left in flight is finished when the next loop comes."""
        with self.held(FakeClock()) as (engine, flusher):

            async def leave() -> None:
                task = asyncio.ensure_future(append(engine))
                await flusher.came()
                task.cancel()

            flusher.hold = True
            asyncio.run(leave())
            flusher.hold = False
            second = asyncio.run(append(engine))
            assert stamps(engine)[-1] == second
            assert len(engine.snapshot(lambda r: r.scan(log_span(LOG), 9))) == 2
