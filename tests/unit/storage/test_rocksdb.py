"""The RocksDB engine: the conformance suite, bad stores, full and failing disks, kill -9."""

import asyncio
import random
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from rocksdict import Options, Rdict

from penstock.base import limits
from penstock.base.clock import Clock, SystemClock
from penstock.base.errors.engine import (
    EngineError,
    EngineFull,
    EngineUnavailable,
    StoreCorrupt,
    StoreIncompatible,
    StoreLocked,
)
from penstock.storage import rocksdb
from penstock.storage.directory import StoreDirectory
from penstock.storage.flusher import Flusher
from penstock.storage.rocksdb import RocksEngine
from penstock.storage.rocksdb_log import check_logs
from penstock.storage.waist import Engine, Reader, Span
from penstock.testing.clock import FakeClock
from penstock.testing.engine_conformance import (
    LOG,
    SingleWriterConformance,
    append,
    put,
    stamps,
    stored,
)
from penstock.testing.group_commit_conformance import GroupCommitConformance
from penstock.testing.held_flusher import HeldFlusher

ALL = Span(b"k", b"l")


class TestRocksEngine(GroupCommitConformance, SingleWriterConformance):
    """The waist's contract, on disk, with group commit."""

    def open_engine(self, path: Path, clock: Clock) -> Engine:
        return RocksEngine.open(path, clock)

    def open_held(self, path: Path, clock: Clock, flusher: Flusher) -> Engine:
        return RocksEngine.open(path, clock, flusher=flusher)


class TestRowsAtHand(TestRocksEngine):
    """The same where every row is kept at hand, with room for all of them or for two."""

    @pytest.fixture(autouse=True, params=[1000, 2])
    def all_at_hand(self, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(rocksdb, "FEW_AND_BUSY", {bytes((first,)) for first in range(256)})
        monkeypatch.setattr(limits, "store_rows_at_hand_max", request.param)


def opened(path: Path) -> RocksEngine:
    return RocksEngine.open(path, FakeClock(), flusher=HeldFlusher())


def noise(length: int, seed: int = 0) -> bytes:
    """Return bytes without a pattern, the same in every run."""
    return random.Random(seed).randbytes(length)


def files(path: Path) -> dict[str, bytes]:
    """Return what all files under `path` hold, but RocksDB's own diary and empty lock files."""
    return {
        str(file.relative_to(path)): file.read_bytes()
        for file in path.rglob("*")
        if file.is_file() and not file.name.startswith("LOG") and file.stat().st_size
    }


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """A closed store with 400 rows, in one table file."""
    path = tmp_path / "store"
    engine = opened(path)

    async def fill() -> None:
        await asyncio.gather(*(put(engine, b"k%03d" % n, noise(500, n)) for n in range(400)))
        await append(engine)

    asyncio.run(fill())
    engine.close()
    return path


# --- the files of a store


def test_a_store_held_by_another_process_is_locked(store: Path) -> None:
    """While the other lives, opening is StoreLocked; once it is killed, all is well."""
    script = """
import sys
from pathlib import Path
from penstock.base.clock import SystemClock
from penstock.storage.rocksdb import RocksEngine
engine = RocksEngine.open(Path(sys.argv[1]), SystemClock())
print("open", flush=True)
sys.stdin.read()
"""
    with subprocess.Popen(
        [sys.executable, "-c", script, str(store)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"open\n"
        with pytest.raises(StoreLocked, match="in use by another server"):
            opened(store)
        other.kill()
    opened(store).close()


def test_a_missing_directory_is_made(tmp_path: Path) -> None:
    """With its parents."""
    engine = opened(tmp_path / "a" / "b")
    asyncio.run(put(engine, b"k", b"v"))
    assert stored(engine, b"k") == b"v"
    engine.close()


def test_a_directory_with_other_files_is_left_alone(tmp_path: Path) -> None:
    """It is not a store, so it is StoreIncompatible, and nothing is added to it."""
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(StoreIncompatible, match=r"not a store .* thesis.txt"):
        opened(tmp_path)
    assert files(tmp_path) == {"thesis.txt": b"years of work"}


def test_another_programs_rocksdb_is_left_alone(tmp_path: Path) -> None:
    """A RocksDB that is not ours is StoreIncompatible."""
    Rdict(str(tmp_path), Options(raw_mode=True)).close()
    before = files(tmp_path)
    with pytest.raises(StoreIncompatible):
        opened(tmp_path)
    assert files(tmp_path) == before


def test_a_store_of_another_format_is_incompatible(store: Path) -> None:
    """The format file says by whom a store can be read."""
    (store / "rocksdb" / "PENSTOCK-FORMAT").write_text("rocksdb 2\n")
    before = files(store)
    with pytest.raises(StoreIncompatible, match="rocksdb 2"):
        opened(store)
    assert files(store) == before


def test_a_file_in_place_of_the_directory_is_a_clear_error(tmp_path: Path) -> None:
    """The path is named."""
    (tmp_path / "file").write_text("")
    with pytest.raises(EngineError, match="file is not a directory"):
        opened(tmp_path / "file")


def test_a_store_whose_making_was_cut_short_is_made_again(tmp_path: Path) -> None:
    """Nothing in it was ever acknowledged."""
    directory = StoreDirectory(tmp_path)
    (tmp_path / "rocksdb.new").mkdir()
    (tmp_path / "rocksdb.new" / "CURRENT").write_text("half of")
    directory.release()
    engine = opened(tmp_path)
    asyncio.run(put(engine, b"k", b"v"))
    engine.close()
    assert not (tmp_path / "rocksdb.new").exists()


def test_a_failed_open_lets_go_of_the_directory(store: Path) -> None:
    """Once mended, the same process can open it."""
    current = store / "rocksdb" / "CURRENT"
    text = current.read_text()
    current.write_text("garbage")
    with pytest.raises(StoreCorrupt):
        opened(store)
    current.write_text(text)
    opened(store).close()


def test_a_store_that_fails_to_open_on_a_full_disk_is_called_full(store: Path) -> None:
    """Opening needs room; without it nobody should be told that their data is corrupt."""
    (store / "rocksdb" / "CURRENT").write_text("garbage")
    with pytest.raises(EngineFull):
        RocksEngine.open(store, FakeClock(), room=lambda _: 0)
    with pytest.raises(StoreCorrupt):
        RocksEngine.open(store, FakeClock(), room=lambda _: limits.store_free_bytes_min)


# --- damage


@pytest.mark.parametrize(
    ("pattern", "damage"),
    [
        ("CURRENT", lambda data: b"garbage"),
        ("CURRENT", lambda data: b""),
        ("CURRENT", None),
        ("MANIFEST-*", lambda data: noise(len(data))),
        ("MANIFEST-*", lambda data: data[:20]),
        ("MANIFEST-*", None),
        ("*.sst", lambda data: noise(len(data))),
        ("*.sst", lambda data: data[: len(data) // 2]),
        ("*.sst", None),
    ],
)
def test_a_damaged_store_is_corrupt_and_not_overwritten(
    store: Path, pattern: Any, damage: Any
) -> None:
    """Garbled, cut off or missing: StoreCorrupt, and what is left stays as it is."""
    for file in (store / "rocksdb").glob(pattern):
        if damage is None:
            file.unlink()
        else:
            file.write_bytes(damage(file.read_bytes()))
    before = files(store)
    with pytest.raises(StoreCorrupt):
        opened(store)
    after = files(store)
    assert {name: after.get(name) for name in before} == before


def _all_rows(reader: Reader, *, backward: bool) -> list[tuple[bytes, bytes]]:
    return reader.scan(ALL, 1000, backward)


def test_a_scan_over_a_damaged_block_fails_instead_of_ending_early(store: Path) -> None:
    """Reading past a bad block is StoreCorrupt, both ways, with a group in flight or without."""
    (table,) = (store / "rocksdb").glob("*.sst")
    data = bytearray(table.read_bytes())
    data[len(data) // 2] ^= 0xFF
    table.write_bytes(data)
    flusher = HeldFlusher(hold=True)
    engine = RocksEngine.open(store, FakeClock(), flusher=flusher)

    def check() -> None:
        for backward in (False, True):
            with pytest.raises(StoreCorrupt):
                engine.snapshot(partial(_all_rows, backward=backward))
        read = [_value_or_corrupt(engine, b"k%03d" % n) for n in range(400)]
        assert 0 < read.count("corrupt") < 400
        assert None not in read
        assert stored(engine, b"none") is None

    async def scene() -> None:
        check()
        job = asyncio.ensure_future(put(engine, b"beside", b"v"))
        await flusher.came()
        check()
        flusher.release()
        await job

    asyncio.run(scene())
    engine.close()


def _value_or_corrupt(engine: Engine, key: bytes) -> bytes | str | None:
    try:
        return stored(engine, key)
    except StoreCorrupt:
        return "corrupt"


# --- the log after kill -9


WRITER = """
import asyncio, os, sys
from pathlib import Path
from penstock.base.clock import SystemClock
from penstock.storage.rocksdb import RocksEngine
from penstock.testing.engine_conformance import append, put

engine = RocksEngine.open(Path(sys.argv[1]), SystemClock())
count = int(sys.argv[2])

async def writer(number):
    for turn in range(count):
        await put(engine, b"k%02d-%06d" % (number, turn), b"v" * 700)
        stamp = await append(engine)
        os.write(1, b"%02d-%06d %d\\n" % (number, turn, stamp))

async def main():
    await asyncio.gather(*(writer(number) for number in range(int(sys.argv[3]))))
    os.kill(os.getpid(), 9)

asyncio.run(main())
"""


def killed_store(path: Path) -> Path:
    """Make a store of 60 rows that was killed, and return its write-ahead log."""
    command = [sys.executable, "-c", WRITER, str(path), "60", "1"]
    killed = subprocess.run(command, stdout=subprocess.DEVNULL, check=False)
    assert killed.returncode == -signal.SIGKILL
    return max((path / "rocksdb").glob("*.log"), key=lambda file: file.stat().st_size)


def test_a_log_cut_off_at_its_end_loses_only_its_last_record(tmp_path: Path) -> None:
    """A torn tail is what a kill in the middle of a write leaves: opened, the rest is there."""
    log = killed_store(tmp_path)
    log.write_bytes(log.read_bytes()[:-10])
    engine = opened(tmp_path)
    assert len(engine.snapshot(lambda r: r.scan(ALL, 1000))) == 60
    assert len(stamps(engine)) == 59
    engine.close()


@pytest.mark.parametrize("place", [0.0, 0.3, 0.7, 0.999])
def test_a_log_damaged_anywhere_else_is_corrupt(tmp_path: Path, place: Any) -> None:
    """What was acknowledged is never dropped in silence, not even from the last record."""
    log = killed_store(tmp_path)
    data = bytearray(log.read_bytes())
    data[int((len(data) - 1) * place)] ^= 0x10
    log.write_bytes(data)
    with pytest.raises(StoreCorrupt):
        opened(tmp_path)


def test_a_log_that_would_hang_rocksdb_is_corrupt(tmp_path: Path) -> None:
    """RocksDB 9.8 reads for ever at a header of type 11 that is too long; we look first."""
    log = killed_store(tmp_path)
    data = bytearray(log.read_bytes())
    length = int.from_bytes(data[4:6], "little")
    data[7 + length + 4 : 7 + length + 7] = (64_874).to_bytes(2, "little") + b"\x0b"
    log.write_bytes(data)
    with pytest.raises(StoreCorrupt, match=f"damaged at byte {7 + length}"):
        check_logs(log.parent)


def test_nothing_acknowledged_is_lost_by_kill_9(tmp_path: Path) -> None:
    """Rounds of a loaded engine killed at no chosen moment, on one store."""
    acknowledged: dict[bytes, int] = {}
    for _ in range(4):
        with subprocess.Popen(
            [sys.executable, "-c", WRITER, str(tmp_path), "100000", "32"], stdout=subprocess.PIPE
        ) as process:
            # The line that is read last says when to kill; the rest of the pipe was said before.
            assert process.stdout is not None
            lines = [process.stdout.readline() for _ in range(400)]
            process.kill()
            lines += process.stdout.read().splitlines(keepends=True)
        for line in lines:
            if line.endswith(b"\n"):
                key, stamp = line.split()
                acknowledged[key] = int(stamp)
        engine = opened(tmp_path)
        present = {key[1:] for key, _ in engine.snapshot(lambda r: r.scan(ALL, 1_000_000))}
        given = engine.snapshot(lambda r: r.scan(Span.of_prefix(LOG), 1_000_000))
        engine.close()
        assert acknowledged.keys() <= present
        assert set(acknowledged.values()) <= {int.from_bytes(key[-8:], "big") for key, _ in given}


# --- disks that are full or fail


def test_a_full_disk_refuses_writes_and_goes_on_reading(tmp_path: Path) -> None:
    """EngineFull while there is no room; without a restart or a wait it writes once there is."""
    room = [limits.store_free_bytes_min]
    engine = RocksEngine.open(tmp_path, FakeClock(), room=lambda _: room[0])
    asyncio.run(put(engine, b"k", b"old"))
    room[0] -= 1
    with pytest.raises(EngineFull):
        asyncio.run(put(engine, b"k", b"new"))
    assert stored(engine, b"k") == b"old"
    assert asyncio.run(engine.transact(lambda t: t.get(b"k"))) == b"old"
    room[0] += 1
    asyncio.run(put(engine, b"k", b"new"))
    assert stored(engine, b"k") == b"new"
    engine.close()


def test_a_disk_that_fills_while_writing_keeps_reads_until_there_is_room(tmp_path: Path) -> None:
    """The store stays open for reading, and is opened again only when it has room to."""
    room = [limits.store_free_bytes_min]
    clock, flusher = FakeClock(), HeldFlusher()
    engine = RocksEngine.open(tmp_path, clock, flusher=flusher, room=lambda _: room[0])

    async def scene() -> None:
        await put(engine, b"k", b"old")
        flusher.hold = True
        job = asyncio.ensure_future(put(engine, b"k", b"new"))
        await flusher.came()
        room[0] = 0
        flusher.errors.append(EngineFull("no room"))
        flusher.release()
        flusher.hold = False
        for _ in range(3):
            with pytest.raises(EngineFull):
                await job
            assert stored(engine, b"k") == b"old"
            clock.advance(2000)
            job = asyncio.ensure_future(put(engine, b"k", b"new"))
        assert flusher.jobs == 2
        with pytest.raises(EngineFull):
            await job
        room[0] = limits.store_free_bytes_min
        await put(engine, b"k", b"newer")
        assert stored(engine, b"k") == b"newer"

    asyncio.run(scene())
    engine.close()


LIMITED = """
import asyncio, resource, signal, sys
from pathlib import Path
from penstock.base.errors.engine import EngineError, EngineUnavailable
from penstock.storage.rocksdb import RocksEngine
from penstock.testing.clock import FakeClock
from penstock.testing.engine_conformance import append, put, stamps, stored

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
clock = FakeClock()
engine = RocksEngine.open(Path(sys.argv[1]), clock)

async def main():
    first = await append(engine)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, resource.RLIM_INFINITY))
    acknowledged = 0
    try:
        while True:
            await put(engine, b"k%05d" % acknowledged, b"v" * 5000)
            acknowledged += 1
    except EngineError as error:
        assert type(error) is EngineUnavailable, error
    assert 0 < acknowledged < 50, acknowledged
    for number in range(acknowledged):
        assert stored(engine, b"k%05d" % number), number
    assert stored(engine, b"k%05d" % acknowledged) is None
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    clock.advance(1001)
    clock.set(1)
    assert await append(engine) == first + 1
    for number in range(acknowledged):
        assert stored(engine, b"k%05d" % number), number
    print("recovered", acknowledged)

asyncio.run(main())
engine.close()
"""


def test_a_real_failure_to_write_is_survived(tmp_path: Path) -> None:
    """The system refuses a write: reads go on, nothing acknowledged is lost, writing comes back."""
    command = [sys.executable, "-c", LIMITED, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stdout.startswith("recovered"), done.stderr
    engine = opened(tmp_path)
    assert len(stamps(engine)) == 2
    engine.close()


def test_beside_a_group_in_flight_only_its_own_keys_cost_a_seek(
    tmp_path: Path, monkeypatch: Any
) -> None:
    """A seek for a missing key walks over all deleted rows behind it."""
    flusher = HeldFlusher()
    engine = RocksEngine.open(tmp_path, FakeClock(), flusher=flusher)

    def seek(*_: object) -> None:
        raise AssertionError("sought")

    async def scene() -> None:
        await asyncio.gather(put(engine, b"k1", b"old"), put(engine, b"k2", b"old"))
        flusher.hold = True
        written = asyncio.gather(put(engine, b"k2", b"new"), put(engine, b"k3", b"new"))
        await flusher.came()
        assert stored(engine, b"k3") is None
        with monkeypatch.context() as patched:
            patched.setattr(rocksdb, "_rows", seek)
            assert stored(engine, b"k0") is None
            assert stored(engine, b"k1") == stored(engine, b"k2") == b"old"
        flusher.release()
        await written
        assert stored(engine, b"k2") == stored(engine, b"k3") == b"new"

    asyncio.run(scene())
    engine.close()


def test_syncs_run_on_a_thread_of_their_own(tmp_path: Path) -> None:
    """With its own flusher the engine answers through the loop, and closes with work in flight."""
    engine = RocksEngine.open(tmp_path, SystemClock())

    async def scene() -> None:
        await asyncio.gather(*(put(engine, b"k%d" % n, b"v") for n in range(100)))
        last = asyncio.ensure_future(put(engine, b"k-last", b"v"))
        await asyncio.sleep(0)
        engine.close()
        await last

    asyncio.run(scene())
    with pytest.raises(EngineUnavailable):
        stored(engine, b"k1")
    engine = opened(tmp_path)
    assert stored(engine, b"k-last") == b"v"
    assert len(engine.snapshot(lambda r: r.scan(ALL, 1000))) == 101
    engine.close()
