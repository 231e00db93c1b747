"""Space on disk that comes back in the RocksDB engine, and what must not suffer from it."""

import asyncio
import random
import signal
import subprocess
import sys
import threading
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from penstock.base import limits
from penstock.base.errors.engine import EngineUnavailable, StoreLocked
from penstock.storage import rocksdb
from penstock.storage.reclaim import Run, ThreadWorker
from penstock.storage.rocksdb import RocksEngine
from penstock.storage.waist import Engine, Span, Transaction
from penstock.testing.clock import FakeClock
from penstock.testing.engine_conformance import put, stored
from penstock.testing.engine_model import EVERYTHING
from penstock.testing.held_flusher import HeldFlusher

MB = 1024 * 1024
RUN_SECONDS_MAX = 30.0
"""How long a test waits for what must come."""


class HeldWorker:
    """A worker that runs only where the test calls `run`; `woken` says how often it was wanted."""

    def __init__(self) -> None:
        self.woken = 0
        self._run: Run | None = None

    def wake(self, run: Run) -> None:
        self.woken += 1
        self._run = run

    def stop(self) -> None:
        pass

    def run(self) -> float | None:
        assert self._run is not None
        return self._run()


class ToldWorker(ThreadWorker):
    """A thread that tells after each run."""

    def __init__(self) -> None:
        super().__init__("reclaim-test", gather_ms=0.0)
        self.ran = threading.Event()
        self.runs = threading.Semaphore(0)

    def wake(self, run: Run) -> None:
        super().wake(partial(self._told, run))

    def _told(self, run: Run) -> float | None:
        wait_ms = run()
        self.ran.set()
        self.runs.release()
        return wait_ms


@pytest.fixture(autouse=True)
def _small_files(monkeypatch: Any) -> None:
    """Let a few MB be many files."""
    monkeypatch.setattr(limits, "store_write_buffer_bytes", MB)


@pytest.fixture
def compacted(monkeypatch: Any) -> list[Span]:
    """The spans that were compacted."""
    spans: list[Span] = []
    compact = rocksdb._Compactor.compact

    def noted(self: Any, span: Span) -> None:
        spans.append(span)
        compact(self, span)

    monkeypatch.setattr(rocksdb._Compactor, "compact", noted)
    return spans


def rows_of(letter: str, megabytes: int) -> dict[bytes, bytes]:
    """Return rows under `letter` that no compression makes smaller, the same in every run."""
    noise = random.Random(letter)
    return {f"{letter}{n:06d}".encode(): noise.randbytes(8192) for n in range(megabytes * 128)}


def span_of(letter: str) -> Span:
    return Span.of_prefix(letter.encode())


async def fill(engine: Engine, rows: dict[bytes, bytes]) -> None:
    """Write `rows` in many groups."""
    items = list(rows.items())

    def write(t: Transaction, first: int) -> None:
        for key, value in items[first : first + 64]:
            t.set(key, value)

    for first in range(0, len(items), 64):
        await engine.transact(partial(write, first=first), locks=[EVERYTHING])


async def clear(engine: Engine, *spans: Span) -> None:
    def work(t: Transaction) -> None:
        for span in spans:
            t.clear(span)

    await engine.transact(work, locks=[EVERYTHING])


def held(engine: Engine, letter: str) -> dict[bytes, bytes]:
    """Return what readers see under `letter`."""
    return dict(engine.snapshot(lambda r: r.scan(span_of(letter), 1_000_000)))


def disk_bytes(path: Path) -> int:
    """Return the bytes of all files under `path`, a closed store: an open one unlinks late."""
    return sum(file.stat().st_size for file in path.rglob("*") if file.is_file())


def opened(path: Path, worker: Any, **kwargs: Any) -> RocksEngine:
    kwargs.setdefault("flusher", HeldFlusher())
    return RocksEngine.open(path, FakeClock(), worker=worker, **kwargs)


# --- space comes back


@pytest.mark.parametrize("runs", [False, True])
def test_cleared_space_comes_back_and_neighbours_stay(tmp_path: Path, runs: bool) -> None:
    """Only by the reclaimer's work: without it the bytes are still there."""
    worker = HeldWorker()
    engine = opened(tmp_path, worker)
    beside = {letter: rows_of(letter, 2) for letter in "ln"}

    async def scene() -> None:
        for rows in (beside["l"], rows_of("m", 8), beside["n"]):
            await fill(engine, rows)
        await clear(engine, span_of("m"))

    asyncio.run(scene())
    if runs:
        assert worker.run() is None
    assert {letter: held(engine, letter) for letter in "lmn"} == {**beside, "m": {}}
    engine.close()
    assert disk_bytes(tmp_path) < 5 * MB if runs else disk_bytes(tmp_path) > 11 * MB
    engine = opened(tmp_path, HeldWorker())
    assert {letter: held(engine, letter) for letter in "lmn"} == {**beside, "m": {}}
    engine.close()


def test_the_front_of_a_log_comes_back(tmp_path: Path) -> None:
    """Cut off again and again while it grows behind, as trimming does."""
    worker = HeldWorker()
    engine = opened(tmp_path, worker)
    rows = rows_of("m", 16)
    keys = sorted(rows)

    async def scene() -> None:
        for cut in range(0, len(keys), len(keys) // 8):
            await fill(engine, {key: rows[key] for key in keys[cut : cut + len(keys) // 8]})
            await clear(engine, Span(b"m", keys[cut]))
            assert worker.run() is None

    asyncio.run(scene())
    assert sorted(held(engine, "m")) == keys[-len(keys) // 8 :]
    engine.close()
    assert disk_bytes(tmp_path) < 4 * MB


def test_space_comes_back_on_a_thread_while_writes_go_on(tmp_path: Path) -> None:
    """Nothing is asked of the writers, and what they are told is written stays."""
    worker = ToldWorker()
    engine = RocksEngine.open(tmp_path, FakeClock(), worker=worker)
    written: dict[bytes, bytes] = {}

    async def write(letter: str) -> None:
        for key, value in rows_of(letter, 4).items():
            await put(engine, key, value)
            written[key] = value
            if worker.ran.is_set():
                return

    async def scene() -> None:
        await fill(engine, rows_of("m", 8))
        writers = asyncio.gather(*(write(letter) for letter in "abcd"))
        await clear(engine, span_of("m"))
        await writers

    asyncio.run(scene())
    assert worker.ran.wait(RUN_SECONDS_MAX)
    assert {key: value for letter in "abcdm" for key, value in held(engine, letter).items()} == (
        written
    )
    engine.close()
    assert disk_bytes(tmp_path) < sum(map(len, written.values())) * 1.1 + 2 * MB


# --- what readers see


def test_a_view_from_before_a_group_in_flight_stays_right(tmp_path: Path) -> None:
    """A compaction keeps what the view needs, and the space still comes back afterwards."""
    worker, flusher = HeldWorker(), HeldFlusher()
    engine = opened(tmp_path, worker, flusher=flusher)
    second = rows_of("n", 4)

    async def scene() -> None:
        await fill(engine, rows_of("m", 4))
        await fill(engine, second)
        await clear(engine, span_of("m"))
        flusher.hold = True
        later = asyncio.gather(clear(engine, span_of("n")), put(engine, b"o", b"new"))
        await flusher.came()
        assert worker.run() is None
        assert (held(engine, "m"), held(engine, "n")) == ({}, second)
        assert stored(engine, b"o") is None
        flusher.release()
        await later
        assert (held(engine, "n"), held(engine, "o")) == ({}, {b"o": b"new"})
        assert worker.run() is None

    asyncio.run(scene())
    engine.close()
    assert disk_bytes(tmp_path) < MB


def test_a_clear_in_flight_is_not_compacted_for(tmp_path: Path, compacted: list[Span]) -> None:
    """Before it is durable nobody is told of it, and nothing is owed."""
    worker, flusher = HeldWorker(), HeldFlusher()
    engine = opened(tmp_path, worker, flusher=flusher)

    async def scene() -> None:
        await fill(engine, rows_of("m", 1))
        flusher.hold = True
        job = asyncio.ensure_future(clear(engine, span_of("m")))
        await flusher.came()
        assert worker.woken == 0
        flusher.release()
        await job
        assert worker.woken == 1

    asyncio.run(scene())
    worker.run()
    assert compacted == [span_of("m")]
    engine.close()


# --- what is done, and what is not


def test_nothing_is_compacted_where_nothing_was_cleared(
    tmp_path: Path, compacted: list[Span]
) -> None:
    """Not even a thread is there, neither after writes nor in a store opened again."""
    for _ in range(2):
        engine = RocksEngine.open(tmp_path, FakeClock())
        asyncio.run(fill(engine, rows_of("m", 2)))
        asyncio.run(put(engine, b"m000001", None))
        assert "penstock-reclaim" not in {thread.name for thread in threading.enumerate()}
        engine.close()
    assert compacted == []


def test_small_clears_gather_once_much_was_rewritten_for_little(
    tmp_path: Path, monkeypatch: Any, compacted: list[Span]
) -> None:
    """Within the budget there is one compaction, however often the log's front is cut off."""
    monkeypatch.setattr(limits, "reclaim_budget_bytes", MB)
    monkeypatch.setattr(limits, "reclaim_run_bytes_min", 8 * MB)
    worker, clock = HeldWorker(), FakeClock()
    engine = RocksEngine.open(tmp_path, clock, flusher=HeldFlusher(), worker=worker)
    keys = sorted(rows_of("m", 8))

    async def scene() -> None:
        await fill(engine, rows_of("m", 8))
        await clear(engine, Span(b"m", keys[1]))
        assert worker.run() is None
        for cut in range(2, 60):
            await clear(engine, Span(b"m", keys[cut]))
            wait_ms = worker.run()
            assert wait_ms is not None
            assert 0 < wait_ms < 60_000
        clock.advance(60_000)
        assert worker.run() is None

    asyncio.run(scene())
    assert compacted == [Span(b"m", keys[1]), Span(b"m", keys[59])]
    assert sorted(held(engine, "m")) == keys[59:]
    engine.close()


# --- ends and failures


class CompactionUnderWay:
    """Holds each compaction at its beginning, until it is cancelled; then RocksDB has it."""

    def __init__(self, monkeypatch: Any) -> None:
        # That it ends in time depends on the machine; that it ends does not.
        monkeypatch.setattr(limits, "store_close_seconds_max", RUN_SECONDS_MAX)
        self.began = threading.Event()
        self.cancelled = threading.Event()
        compact, cancel = rocksdb._Compactor.compact, rocksdb._Compactor.cancel

        def held_compact(compactor: Any, span: Span) -> None:
            self.began.set()
            assert self.cancelled.wait(RUN_SECONDS_MAX)
            compact(compactor, span)

        def told_cancel(compactor: Any) -> None:
            cancel(compactor)
            self.cancelled.set()

        monkeypatch.setattr(rocksdb._Compactor, "compact", held_compact)
        monkeypatch.setattr(rocksdb._Compactor, "cancel", told_cancel)


KILLED = """
import asyncio, os, sys
from pathlib import Path
from penstock.base import limits
from penstock.storage.rocksdb import RocksEngine
from penstock.testing.clock import FakeClock
from tests.unit.storage.test_rocksdb_reclaim import HeldWorker, clear, fill, rows_of, span_of

limits.store_write_buffer_bytes = 1024 * 1024
engine = RocksEngine.open(Path(sys.argv[1]), FakeClock(), worker=HeldWorker())

async def main():
    await fill(engine, rows_of("l", 1) | rows_of("m", 8))
    await clear(engine, span_of("m"))
    os.kill(os.getpid(), 9)

asyncio.run(main())
"""


def run_script(script: str, store: Path) -> "subprocess.CompletedProcess[str]":
    """Run `script`, which imports from this file, on `store`."""
    command = [sys.executable, "-c", script, str(store)]
    root = Path(__file__).parents[3]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=root)


def close_while_compacting(store: Path, monkeypatch: Any) -> None:
    """Make a store that is closed in the middle of its compaction."""
    with monkeypatch.context() as patched:
        under_way = CompactionUnderWay(patched)
        engine = opened(store, ToldWorker())
        asyncio.run(fill(engine, rows_of("l", 1) | rows_of("m", 8)))
        asyncio.run(clear(engine, span_of("m")))
        assert under_way.began.wait(RUN_SECONDS_MAX)
        engine.close()


@pytest.mark.parametrize("end", ["close", "kill"])
def test_what_is_owed_outlives_the_process(tmp_path: Path, monkeypatch: Any, end: str) -> None:
    """Closed in the middle of a compaction or killed before it: the next start does it, once."""
    if end == "close":
        close_while_compacting(tmp_path, monkeypatch)
    else:
        killed = run_script(KILLED, tmp_path)
        assert killed.returncode == -signal.SIGKILL, killed.stderr
    worker = HeldWorker()
    engine = opened(tmp_path, worker)
    assert worker.woken == 1
    assert worker.run() is None
    assert held(engine, "l") == rows_of("l", 1)
    asyncio.run(put(engine, b"n", b"v"))  # the row of what was owed goes with the next group
    engine.close()
    assert disk_bytes(tmp_path) < 2 * MB
    worker = HeldWorker()
    opened(tmp_path, worker).close()
    assert worker.woken == 0


def test_a_store_that_fails_during_a_compaction_is_opened_again(
    tmp_path: Path, monkeypatch: Any
) -> None:
    """The compaction ends first; what was owed is owed again, and nothing is lost."""
    clock, flusher, worker = FakeClock(), HeldFlusher(), ToldWorker()
    engine = RocksEngine.open(tmp_path, clock, flusher=flusher, worker=worker)

    async def scene() -> None:
        with monkeypatch.context() as patched:
            under_way = CompactionUnderWay(patched)
            await fill(engine, rows_of("l", 1) | rows_of("m", 8))
            await clear(engine, span_of("m"))
            assert under_way.began.wait(RUN_SECONDS_MAX)
            flusher.errors.append(EngineUnavailable("the disk is gone"))
            with pytest.raises(EngineUnavailable):
                await put(engine, b"o", b"refused")
            clock.advance(1001)
            await put(engine, b"o", b"v")

    asyncio.run(scene())
    for _ in ("cancelled", "done"):
        assert worker.runs.acquire(timeout=RUN_SECONDS_MAX)
    assert held(engine, "l") == rows_of("l", 1)
    assert stored(engine, b"o") == b"v"
    engine.close()
    assert disk_bytes(tmp_path) < 2 * MB


def test_a_compaction_that_does_not_end_is_left_to_the_end_of_the_process(
    tmp_path: Path, monkeypatch: Any
) -> None:
    """`close` comes back, what was written is safe, and the store stays locked until then."""
    under_way = CompactionUnderWay(monkeypatch)
    monkeypatch.setattr(limits, "store_close_seconds_max", 0.01)
    monkeypatch.setattr(rocksdb._Compactor, "cancel", lambda _: None)
    worker = ToldWorker()
    engine = opened(tmp_path, worker)
    asyncio.run(fill(engine, rows_of("m", 1)))
    asyncio.run(clear(engine, Span(b"m", b"m00001")))
    assert under_way.began.wait(RUN_SECONDS_MAX)
    engine.close()
    with pytest.raises(EngineUnavailable):
        stored(engine, b"m000127")
    with pytest.raises(StoreLocked):
        opened(tmp_path, HeldWorker())
    under_way.cancelled.set()
    assert worker.ran.wait(RUN_SECONDS_MAX)
    engine._store.close()
    again = opened(tmp_path, HeldWorker())
    assert held(again, "m") == {k: v for k, v in rows_of("m", 1).items() if k >= b"m00001"}
    again.close()


LIMITED = """
import asyncio, resource, signal, sys
from pathlib import Path
from penstock.base import limits
from penstock.base.errors.engine import EngineUnavailable
from penstock.storage.rocksdb import RocksEngine
from penstock.testing.clock import FakeClock
from penstock.testing.engine_conformance import put, stored
from tests.unit.storage.test_rocksdb_reclaim import HeldWorker, clear, fill, held, rows_of, span_of

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
limits.store_write_buffer_bytes = 1024 * 1024
clock, worker = FakeClock(), HeldWorker()
engine = RocksEngine.open(Path(sys.argv[1]), clock, worker=worker)

async def main():
    await fill(engine, rows_of("l", 3) | rows_of("m", 8))
    await clear(engine, span_of("m"))
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, resource.RLIM_INFINITY))
    assert worker.run() == limits.reclaim_retry_ms
    assert held(engine, "l") == rows_of("l", 3)
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    try:
        await put(engine, b"n", b"v")
    except EngineUnavailable:  # RocksDB writes no more after some failures, until opened again
        clock.advance(1001)
        await put(engine, b"n", b"v")
    assert worker.run() is None
    assert (held(engine, "l"), held(engine, "m")) == (rows_of("l", 3), {})
    assert stored(engine, b"n") == b"v"
    engine.close()
    print("recovered")

asyncio.run(main())
"""


def test_a_compaction_that_really_fails_is_survived(tmp_path: Path) -> None:
    """The system refuses to write its files: reads go on, and the space comes back later."""
    done = run_script(LIMITED, tmp_path)
    assert done.stdout == "recovered\n", done.stderr
    assert disk_bytes(tmp_path) < 5 * MB
