"""The conformance suite of the waist: an engine that passes it can carry everything above.

Make a test class of `EngineConformance` and give it `open_engine`; of `DurableConformance` if the
store outlives the engine; of `SingleWriterConformance` if one engine at a time has the store, or of
`ManyNodesConformance`, in a module of its own, if several may; and of `GroupCommitConformance`, in
a module of its own too, if the engine is a `GroupCommitEngine`. pytest and Hypothesis run it.
"""

import asyncio
import contextlib
import itertools
import tempfile
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings

from penstock.base import limits
from penstock.base.clock import Clock
from penstock.base.errors.engine import EngineUnavailable, StoreLocked
from penstock.storage.format import pack
from penstock.storage.prefixes import tip_key
from penstock.storage.waist import (
    STAMP_BYTES,
    Engine,
    Lock,
    Reader,
    Span,
    Stamp,
    T,
    Transaction,
    last_stamp,
    log_span,
    stamp_at,
    stamp_ms,
    stamp_of,
    touch,
)
from penstock.testing.clock import FakeClock
from penstock.testing.engine_model import EVERYTHING, PLANS, Plan, Refused, follow

LOG = b"\x22log-one."
CHILD = b"\x22log-two."
SOON_SECONDS = 30
"""What is under the time that a watch is given, and long enough on a machine with much to do."""


def put(engine: Engine, key: bytes, value: bytes | None) -> Coroutine[Any, Any, None]:
    """Return the transaction that writes `value` at `key`."""
    return engine.transact(lambda t: t.set(key, value), locks=[EVERYTHING])


def append(engine: Engine, log: bytes = LOG, record: bytes = b"r") -> Coroutine[Any, Any, Stamp]:
    """Return the transaction that appends `record` to `log`."""
    return engine.transact(lambda t: t.append(log, lambda _: record), locks=[EVERYTHING])


def stored(engine: Engine, key: bytes) -> bytes | None:
    """Return the durable value at `key`."""
    return engine.snapshot(lambda r: r.get(key))


def stamps(engine: Engine, log: bytes = LOG) -> list[Stamp]:
    """Return the durable stamps of `log`, in order."""
    return [stamp_of(key) for key, _ in engine.snapshot(lambda r: r.scan(log_span(log), 10_000))]


async def turns(count: int = 20) -> None:
    """Let every task that can go on do so."""
    for _ in range(count):
        await asyncio.sleep(0)


class EngineConformance:
    """What every engine promises."""

    def open_engine(self, path: Path, clock: Clock) -> Engine:
        """Return an engine on the store in the directory `path`, new or as it was left there."""
        raise NotImplementedError

    @contextlib.contextmanager
    def engine(self, clock: Clock | None = None) -> Iterator[Engine]:
        """Give a new engine, closed in the end."""
        with tempfile.TemporaryDirectory() as directory:
            engine = self.open_engine(Path(directory) / "store", clock or FakeClock())
            try:
                yield engine
            finally:
                engine.close()

    def run(
        self, scene: Callable[[Engine], Coroutine[Any, Any, T]], clock: Clock | None = None
    ) -> T:
        """Run `scene` with a new engine."""
        with self.engine(clock) as engine:
            return asyncio.run(scene(engine))

    # --- reading and writing

    def test_a_transaction_reads_its_own_writes(self) -> None:
        """Writes, deletions and clears show in `get` and `scan` before they are committed."""

        def work(t: Transaction) -> None:
            assert t.get(b"k1") == b"old"
            t.set(b"k1", b"new")
            t.set(b"k3", b"three")
            assert (t.get(b"k1"), t.get(b"k3"), t.get(b"k9")) == (b"new", b"three", None)
            assert t.scan(Span(b"k", b"l"), 9) == [
                (b"k1", b"new"),
                (b"k2", b"2"),
                (b"k3", b"three"),
            ]
            t.set(b"k2", None)
            assert t.scan(Span(b"k", b"l"), 9) == [(b"k1", b"new"), (b"k3", b"three")]
            t.clear(Span(b"k", b"k3"))
            assert (t.get(b"k1"), t.scan(Span(b"k", b"l"), 9)) == (None, [(b"k3", b"three")])
            t.set(b"k1", b"again")
            assert t.get(b"k1") == b"again"

        async def scene(engine: Engine) -> None:
            await put(engine, b"k1", b"old")
            await put(engine, b"k2", b"2")
            await engine.transact(work, locks=[EVERYTHING])
            rows = engine.snapshot(lambda r: r.scan(Span(b"k", b"l"), 9))
            assert rows == [(b"k1", b"again"), (b"k3", b"three")]

        self.run(scene)

    def test_a_commit_is_seen_by_what_comes_later(self) -> None:
        """Once acknowledged, snapshots and transactions see it."""

        async def scene(engine: Engine) -> None:
            assert stored(engine, b"k") is None
            await put(engine, b"k", b"v")
            assert stored(engine, b"k") == b"v"
            assert await engine.transact(lambda t: t.get(b"k")) == b"v"
            await put(engine, b"k", None)
            assert stored(engine, b"k") is None

        self.run(scene)

    def test_scans_keep_order_bounds_and_limits_both_ways(self) -> None:
        """The start of a span is in, its end is out; the limit counts from the side begun at."""
        keys = [b"a", b"b", b"b\x00", b"ba", b"c", b"d\xff", b"e"]

        async def scene(engine: Engine) -> None:
            for key in keys:
                await put(engine, key, b"v" + key)

            def check(r: Reader) -> None:
                def found(start: bytes, end: bytes, limit: int, backward: bool) -> list[bytes]:
                    rows = r.scan(Span(start, end), limit, backward)
                    assert all(value == b"v" + key for key, value in rows)
                    return [key for key, _ in rows]

                assert found(b"b", b"e", 9, False) == [b"b", b"b\x00", b"ba", b"c", b"d\xff"]
                assert found(b"b", b"e", 9, True) == [b"d\xff", b"c", b"ba", b"b\x00", b"b"]
                assert found(b"b", b"e", 2, False) == [b"b", b"b\x00"]
                assert found(b"b", b"e", 2, True) == [b"d\xff", b"c"]
                assert found(b"a\x00", b"b", 9, False) == found(b"a\x00", b"b", 9, True) == []
                assert found(b"bz", b"b", 9, False) == found(b"b", b"e", 0, True) == []

            engine.snapshot(check)
            await engine.transact(check)

        self.run(scene)

    def test_random_transactions_agree_with_a_dictionary(self) -> None:
        """Whatever is read, within a transaction and after it, is what a plain dictionary holds."""
        numbers = itertools.count()
        with self.engine() as engine:

            @settings(max_examples=60, deadline=None)
            @given(PLANS)
            def check(plan: Plan) -> None:
                asyncio.run(follow(engine, plan, b"k%08d" % next(numbers)))

            check()

    # --- transactions

    def test_an_exception_drops_its_own_writes_and_nothing_else(self) -> None:
        """Of transactions made together, those that raise leave nothing and hurt no other."""

        def work(number: int) -> Callable[[Transaction], int]:
            def write(t: Transaction) -> int:
                t.set(b"k%02d" % number, b"v")
                t.clear(Span(b"x", b"y"))
                if number % 3 == 0:
                    raise Refused(number)
                return number

            return write

        async def scene(engine: Engine) -> None:
            jobs = [engine.transact(work(n), locks=[EVERYTHING]) for n in range(30)]
            results = await asyncio.gather(*jobs, return_exceptions=True)
            for number, result in enumerate(results):
                refused = number % 3 == 0
                assert isinstance(result, Refused) if refused else result == number
                assert stored(engine, b"k%02d" % number) == (None if refused else b"v")

        self.run(scene)

    def test_no_update_is_lost(self) -> None:
        """64 tasks that each add 1 to a counter, time after time, add up."""

        def add(t: Transaction) -> None:
            t.set(b"n", str(int(t.get(b"n") or b"0") + 1).encode())

        async def adder(engine: Engine) -> None:
            for _ in range(5):
                await engine.transact(add, locks=[EVERYTHING])

        async def scene(engine: Engine) -> None:
            await asyncio.gather(*(adder(engine) for _ in range(64)))
            assert stored(engine, b"n") == b"320"

        self.run(scene)

    def test_more_transactions_than_a_group_holds_are_all_answered(self) -> None:
        """Beyond the size of a group they wait their turn, and none is forgotten."""
        count = 2 * limits.commit_group_transactions_max + 100

        async def scene(engine: Engine) -> None:
            await asyncio.gather(*(put(engine, b"k%05d" % n, b"v") for n in range(count)))
            assert len(engine.snapshot(lambda r: r.scan(Span(b"k", b"l"), 9999))) == count

        self.run(scene)

    def test_a_cancelled_transaction_harms_no_other(self) -> None:
        """A caller that goes away leaves the transactions beside it to be answered."""

        async def scene(engine: Engine) -> None:
            gone = asyncio.ensure_future(put(engine, b"a", b"v"))
            stays = asyncio.ensure_future(put(engine, b"b", b"v"))
            await asyncio.sleep(0)
            gone.cancel()
            await stays
            assert stored(engine, b"b") == b"v"

        self.run(scene)

    # --- logs

    def test_a_log_is_read_in_the_order_of_its_stamps(self) -> None:
        """Records lie under their stamps, which carry the time, and are made with their stamp."""
        clock = FakeClock()

        async def scene(engine: Engine) -> None:
            given_out = []
            for _ in range(3):
                clock.advance(7)
                stamp = await engine.transact(
                    lambda t: t.append(LOG, lambda s: b"at %d" % s), locks=[EVERYTHING]
                )
                assert stamp_ms(stamp) == clock.now_ms()
                given_out.append(stamp)
            rows = engine.snapshot(lambda r: r.scan(log_span(LOG), 9))
            assert [(stamp_of(key), value) for key, value in rows] == [
                (stamp, b"at %d" % stamp) for stamp in given_out
            ]
            later = log_span(LOG, after=given_out[0], upto=given_out[1])
            assert len(engine.snapshot(lambda r: r.scan(later, 9))) == 1

        self.run(scene, clock)

    def test_stamps_grow_whatever_the_clock_does(self) -> None:
        """Many in one millisecond, after a step back, and for logs apart from each other."""
        clock = FakeClock()

        async def scene(engine: Engine) -> None:
            first = [await append(engine) for _ in range(3)]
            clock.set(clock.now_ms() - 3_600_000)
            second = await asyncio.gather(*(append(engine) for _ in range(50)))
            clock.advance(7_200_000)
            third = await append(engine)
            expected = [*first, *second, third]
            assert stamps(engine) == sorted(set(expected)) == expected
            assert third == stamp_at(clock.now_ms())

        self.run(scene, clock)

    def test_stamps_grow_when_the_log_was_trimmed_empty(self) -> None:
        """A cleared log goes on above its last stamp, even if the clock stepped back."""
        clock = FakeClock()

        async def scene(engine: Engine) -> None:
            last = [await append(engine) for _ in range(5)][-1]
            await engine.transact(lambda t: t.clear(log_span(LOG)), locks=[EVERYTHING])
            assert stamps(engine) == []
            clock.set(1)
            assert await append(engine) == last + 1
            assert stamps(engine) == [last + 1]

        self.run(scene, clock)

    def test_a_child_log_starts_above_its_parent(self) -> None:
        """Who sets the tip of a new log decides what its first stamp is above."""

        async def scene(engine: Engine) -> None:
            far = stamp_at(FakeClock().now_ms() + 1000) + 5
            tip = pack(far.to_bytes(STAMP_BYTES, "big"))

            def split(t: Transaction) -> Stamp:
                t.set(tip_key(CHILD), tip)
                return t.append(CHILD, lambda _: b"r")

            lock = Lock(EVERYTHING.name, (log_span(CHILD),))
            assert await engine.transact(split, locks=[lock]) == far + 1
            assert await append(engine, CHILD) == far + 2

        self.run(scene)

    def test_a_record_that_cannot_be_made_gives_no_stamp_away(self) -> None:
        """If making the record raises, the log is as before, also for the same transaction."""

        def fail(stamp: Stamp) -> bytes:
            raise Refused(stamp)

        def work(t: Transaction) -> Stamp:
            with contextlib.suppress(Refused):
                t.append(LOG, fail)
            return t.append(LOG, lambda _: b"r")

        async def scene(engine: Engine) -> None:
            with pytest.raises(Refused):
                await engine.transact(lambda t: t.append(LOG, fail), locks=[EVERYTHING])
            assert stamps(engine) == []
            stamp = await engine.transact(work, locks=[EVERYTHING])
            assert stamps(engine) == [stamp]
            assert stamp == stamp_at(FakeClock().now_ms())

        self.run(scene)

    # --- watching

    def test_watch_returns_at_once_when_there_is_something_to_read(self) -> None:
        """A durable record above what was seen is enough; a trimmed one is not waited out."""

        async def scene(engine: Engine) -> None:
            stamp = await append(engine)
            async with asyncio.timeout(SOON_SECONDS):
                await engine.watch(LOG, stamp - 1, 60)

        self.run(scene)

    def test_watch_wakes_at_an_append_to_its_log(self) -> None:
        """It wakes for its own log once that is durable, and not for another."""

        async def scene(engine: Engine) -> None:
            seen = await append(engine)
            watching = asyncio.ensure_future(engine.watch(LOG, seen, 60))
            await turns()
            await append(engine, CHILD)
            await turns()
            assert not watching.done()
            await append(engine)
            async with asyncio.timeout(SOON_SECONDS):
                await watching
            assert stamps(engine)[-1] > seen

        self.run(scene)

    def test_watch_wakes_where_its_log_is_touched(self) -> None:
        """It wakes once that is durable, though nothing was appended; the tip stays as it was."""

        async def scene(engine: Engine) -> None:
            seen = await append(engine)
            watching = engine.watch(LOG, seen, 60)
            await engine.transact(lambda t: touch(t, CHILD), locks=[EVERYTHING])
            await turns()
            assert not watching.done()
            await engine.transact(lambda t: touch(t, LOG), locks=[EVERYTHING])
            async with asyncio.timeout(SOON_SECONDS):
                await watching
            assert engine.snapshot(lambda r: last_stamp(r, LOG)) == seen

        self.run(scene)

    def test_who_waits_no_longer_may_finish_or_cancel_a_watch(self) -> None:
        """Others who watch the same log go on."""

        async def scene(engine: Engine) -> None:
            seen = await append(engine)
            finished, cancelled, going_on = (engine.watch(LOG, seen, 60) for _ in range(3))
            finished.set_result(None)
            cancelled.cancel()
            await turns()
            assert not going_on.done()
            await append(engine)
            async with asyncio.timeout(SOON_SECONDS):
                await going_on

        self.run(scene)

    def test_watch_gives_up_after_its_time(self) -> None:
        """With nothing appended it returns when its time is over, trimmed records or not."""

        async def scene(engine: Engine) -> None:
            await append(engine)
            await engine.transact(lambda t: t.clear(log_span(LOG)), locks=[EVERYTHING])
            started = asyncio.get_running_loop().time()
            await engine.watch(LOG, 0, 0.05)
            assert asyncio.get_running_loop().time() - started >= 0.045

        self.run(scene)

    # --- closing

    def test_a_closed_engine_refuses_and_may_be_closed_again(self) -> None:
        """After `close`, which may be called twice, everything else is EngineUnavailable."""

        async def scene(engine: Engine) -> None:
            await put(engine, b"k", b"v")
            watching = asyncio.ensure_future(engine.watch(LOG, 0, 60))
            await turns()
            engine.close()
            engine.close()
            async with asyncio.timeout(SOON_SECONDS):
                await watching
            with pytest.raises(EngineUnavailable):
                await put(engine, b"k", b"w")
            with pytest.raises(EngineUnavailable):
                stored(engine, b"k")

        self.run(scene)


class DurableConformance(EngineConformance):
    """What an engine promises whose store outlives it."""

    @contextlib.contextmanager
    def reopened(self, path: Path, clock: Clock) -> Iterator[Engine]:
        """Give an engine on the store in `path`, closed in the end."""
        engine = self.open_engine(path, clock)
        try:
            yield engine
        finally:
            engine.close()

    def test_what_was_committed_is_there_after_reopening(self, tmp_path: Path) -> None:
        """Writes, deletions and clears survive, in order."""

        async def change(engine: Engine) -> None:
            await asyncio.gather(*(put(engine, b"k%02d" % n, b"v") for n in range(20)))
            await put(engine, b"k03", None)
            await engine.transact(lambda t: t.clear(Span(b"k10", b"k15")), locks=[EVERYTHING])

        with self.reopened(tmp_path, FakeClock()) as engine:
            asyncio.run(change(engine))
        with self.reopened(tmp_path, FakeClock()) as engine:
            rows = engine.snapshot(lambda r: r.scan(Span(b"k", b"l"), 99))
            left = [n for n in range(20) if n != 3 and not 10 <= n < 15]
            assert rows == [(b"k%02d" % n, b"v") for n in left]

    def test_stamps_grow_over_reopening(self, tmp_path: Path) -> None:
        """Also when the clock stands before the last stamp and the log was trimmed empty."""
        with self.reopened(tmp_path, FakeClock()) as engine:
            last = asyncio.run(append(engine))
        with self.reopened(tmp_path, FakeClock(5)) as engine:
            assert asyncio.run(append(engine)) == last + 1
            asyncio.run(engine.transact(lambda t: t.clear(log_span(LOG)), locks=[EVERYTHING]))
        with self.reopened(tmp_path, FakeClock(6)) as engine:
            assert asyncio.run(append(engine)) == last + 2


class SingleWriterConformance(DurableConformance):
    """What an engine promises that must have its store for itself."""

    def test_a_store_in_use_is_locked(self, tmp_path: Path) -> None:
        """A second engine is refused while the first is open, and welcome afterwards."""
        with self.reopened(tmp_path, FakeClock()) as engine:
            asyncio.run(put(engine, b"k", b"v"))
            with pytest.raises(StoreLocked):
                self.open_engine(tmp_path, FakeClock())
            assert stored(engine, b"k") == b"v"
        with self.reopened(tmp_path, FakeClock()) as engine:
            assert stored(engine, b"k") == b"v"
