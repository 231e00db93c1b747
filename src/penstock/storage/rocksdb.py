"""The RocksDB engine, through `rocksdict`: what it acknowledges is on disk.

What this file knows of rocksdict 0.3.29 (tried 2026-11):

- The iterators of a `Snapshot` show the latest writes, not the snapshot's; its point reads are
  right. A plain iterator is consistent from the moment it is made, so that is what holds a state
  still.
- `set_iterate_lower_bound` sets the upper bound. It is not used; scans end by comparing keys.
- `items()` ends quietly at an unreadable block. `RdictIter` has a status, which is asked at
  the end.
- All failures are a bare `Exception`, so what they mean is found by asking the operating system.
- Without `column_families`, a store is opened with the options that it was made with, not ours.
- `compact_range` lets other threads run, and says nothing of failure or cancellation. While it
  runs, `close` is refused.
"""

import contextlib
from collections.abc import Callable
from functools import partial
from pathlib import Path

from rocksdict import (
    BlockBasedOptions,
    BottommostLevelCompaction,
    Cache,
    CompactOptions,
    DBCompressionType,
    DBRecoveryMode,
    Options,
    Rdict,
    RdictIter,
    ReadOptions,
    WriteBatch,
)

from penstock.base import limits
from penstock.base.clock import Clock
from penstock.base.errors.engine import (
    EngineError,
    EngineFull,
    EngineUnavailable,
    StoreCorrupt,
)
from penstock.storage.cleared import CLEARED_ROWS
from penstock.storage.commit import GroupCommitEngine
from penstock.storage.directory import StoreDirectory, complaint, free_bytes, os_errors
from penstock.storage.flusher import Flusher, ThreadFlusher
from penstock.storage.overlay import Overlay
from penstock.storage.prefixes import FEW_AND_BUSY
from penstock.storage.reclaim import Reclaimer, StoreFile, ThreadWorker, Worker
from penstock.storage.rocksdb_log import check_logs
from penstock.storage.waist import Reader, Span

_FORM = "rocksdb 1"
_FOLDER = "rocksdb"

Rows = list[tuple[bytes, bytes]]
Room = Callable[[Path], int]
"""Says how many bytes can still be written where a path is."""


class RocksEngine(GroupCommitEngine):
    """An `Engine` in a directory."""

    @classmethod
    def open(
        cls,
        path: Path,
        clock: Clock,
        *,
        flusher: Flusher | None = None,
        room: Room = free_bytes,
        worker: Worker | None = None,
        ends_with_process: bool = False,
    ) -> "RocksEngine":
        """Open the store in `path`, making it if there is none.

        With `ends_with_process` RocksDB is left as it is by `close`, for the process ends then. All
        that was acknowledged is in its log; to close it would write its memory to a new file, and
        on a disk that others keep busy that takes seconds.

        `flusher` lets a test hold back or fail a sync, `room` lets it fill the disk, `worker` lets
        it say when cleared space is given back. Raises StoreLocked, StoreIncompatible,
        StoreCorrupt, EngineFull, or EngineError for anything else that the operating system
        refuses.
        """
        directory = StoreDirectory(path)
        reclaimer = Reclaimer(clock, worker or ThreadWorker("penstock-reclaim"))
        try:
            store = _RocksStore(directory, room, reclaimer, ends_with_process)
        except EngineError:
            directory.release()
            raise
        return cls(store, flusher or ThreadFlusher("penstock-flush"), clock)


class _RocksStore:
    """One RocksDB. Reading it reads the latest written state."""

    def __init__(
        self,
        directory: StoreDirectory,
        room: Room,
        reclaimer: Reclaimer,
        ends_with_process: bool,
    ) -> None:
        self._ends_with_process = ends_with_process
        self._directory = directory
        self._room = room
        self._reclaimer = reclaimer
        self._folder = directory.folder(_FOLDER, _FORM, partial(_build, room))
        self._frozen: _Frozen | None = None
        self._db: Rdict
        self._latest: _Latest | None
        self._begin()

    @property
    def durable(self) -> Reader:
        frozen = self._frozen
        return frozen if frozen is not None else self._written()

    def get(self, key: bytes) -> bytes | None:
        latest = self._latest
        if latest is None:
            latest = self._written()
        at_hand = latest.at_hand
        return at_hand[key] if key in at_hand else latest.get(key)

    def scan(self, span: Span, limit: int, backward: bool = False) -> Rows:
        return self._written().scan(span, limit, backward)

    def reserve(self) -> None:
        full = _fullness(self._room, self._folder)
        if full is not None:
            raise full

    def write(self, changes: Overlay) -> None:
        latest = self._written()
        batch = WriteBatch(raw_mode=True)
        clears = list(changes.clears)
        for start, end in clears:
            batch.delete_range(start, end)
        for key, value in changes.writes.items():
            if value is None:
                batch.delete(key)
            else:
                batch.put(key, value)
        for key, value in self._reclaimer.write(clears).items():
            if value is None:
                batch.delete(key)
            else:
                batch.put(key, value)
        try:
            # Made before anything of the group is visible, when all there is is durable.
            self._frozen = _Frozen(self._db, latest, changes)
            latest.write(batch, changes)
        except Exception as error:
            raise self._unwritable(error) from error

    def sync(self) -> None:
        try:
            self._db.flush_wal(True)
        except Exception as error:
            raise self._unwritable(error) from error

    def settle(self) -> None:
        # In this order: what `_frozen` holds still is what a compaction would have to keep.
        self._frozen = None
        self._reclaimer.settle()

    def detach(self) -> None:
        # Whatever still holds an iterator keeps RocksDB open, and its files locked.
        self._frozen = None
        self._latest = None

    def reopen(self) -> None:
        if not self._reclaimer.detach(limits.store_close_seconds_max):
            raise EngineUnavailable(f"{self._folder} is still being compacted")
        self._end()
        self._begin()

    def close(self) -> None:
        self.detach()
        ended = self._reclaimer.stop(limits.store_close_seconds_max)
        if ended and not self._ends_with_process:
            self._end()
            self._directory.release()
        # else the end of the process frees it: also where a compaction still uses it

    def _begin(self) -> None:
        self._db = _open(self._room, self._folder)
        self._latest = _Latest(self._db, self._folder)
        rows = _all_rows(self._latest, CLEARED_ROWS)
        self._reclaimer.attach(_Compactor(self._db, self._folder, self._room), rows)

    def _end(self) -> None:
        # After a failed write or sync `close` fails once more, and lets go all the same.
        with contextlib.suppress(Exception):
            self._db.close()

    def _written(self) -> "_Latest":
        if self._latest is None:
            raise EngineUnavailable("the store is being opened again after a failure")
        return self._latest

    def _unwritable(self, error: Exception) -> EngineError:
        return (
            _fullness(self._room, self._folder)
            or complaint(self._folder)
            or EngineUnavailable(f"{self._folder} could not be written: {error}")
        )


class _Latest:
    """All that is written so far.

    Rows that every write reads are kept at hand as they are read, and follow what is written. The
    engine is the only one that writes, so they are what a read of the store would find.
    """

    __slots__ = ("_db", "at_hand", "folder")

    def __init__(self, db: Rdict, folder: Path) -> None:
        self._db = db
        self.folder = folder
        self.at_hand: dict[bytes, bytes | None] = {}

    def get(self, key: bytes) -> bytes | None:
        if key in self.at_hand:
            return self.at_hand[key]
        try:
            value: bytes | None = self._db.get(key)
        except Exception as error:
            raise _unreadable(self.folder, error) from error
        if key[:1] in FEW_AND_BUSY:
            if len(self.at_hand) >= limits.store_rows_at_hand_max:
                self.at_hand.clear()
            self.at_hand[key] = value
        return value

    def write(self, batch: WriteBatch, changes: Overlay) -> None:
        """Write `batch`, which holds `changes`; raises the driver's exception."""
        at_hand = self.at_hand
        self.at_hand = {}  # for good, where this fails
        self._db.write(batch)
        if changes.clears:
            return
        for key in at_hand.keys() & changes.writes.keys():
            at_hand[key] = changes.writes[key]
        self.at_hand = at_hand

    def scan(self, span: Span, limit: int, backward: bool = False) -> Rows:
        bounds = ReadOptions()
        bounds.set_iterate_upper_bound(span.end)
        try:
            return _rows(self._db.iter(bounds), span, limit, backward)
        except Exception as error:
            raise _unreadable(self.folder, error) from error


class _Frozen:
    """All that was written when this was made, before `changes`, which alone are written later.

    What they do not touch is read where it is: a missing key costs no seek there, which would walk
    over all deleted rows behind it.
    """

    __slots__ = ("_changes", "_iterator", "_latest", "_snapshot")

    def __init__(self, db: Rdict, latest: _Latest, changes: Overlay) -> None:
        self._latest = latest
        self._changes = changes
        self._snapshot = db.snapshot()
        self._iterator = db.iter()

    def get(self, key: bytes) -> bytes | None:
        if not self._changes.touches(key):
            return self._latest.get(key)
        try:
            value: bytes = self._snapshot[key]
        except Exception:  # noqa: BLE001 - a missing key and a failed read look alike
            return self._sought(key)
        return value

    def scan(self, span: Span, limit: int, backward: bool = False) -> Rows:
        try:
            return _rows(self._iterator, span, limit, backward)
        except Exception as error:
            raise _unreadable(self._latest.folder, error) from error

    def _sought(self, key: bytes) -> bytes | None:
        """Return the value at `key` by a seek, which tells a missing key from a failed read."""
        rows = self.scan(Span.of_key(key), 1)
        return rows[0][1] if rows else None


class _Compactor:
    """RocksDB's own work on its files, for the `Reclaimer`."""

    def __init__(self, db: Rdict, folder: Path, room: Room) -> None:
        self._db = db
        self._folder = folder
        self._room = room
        self._options = CompactOptions()
        self._options.set_exclusive_manual_compaction(False)
        # A file on the lowest level is rewritten too: it holds cleared rows where a compaction met
        # them while a view from before their clear was held.
        self._options.set_bottommost_level_compaction(BottommostLevelCompaction.force_optimized())

    def files(self) -> list[StoreFile]:
        try:
            return [
                StoreFile(
                    file["name"], file["level"], file["start_key"], file["end_key"], file["size"]
                )
                for file in self._db.live_files()
            ]
        except Exception as error:
            raise _unreadable(self._folder, error) from error

    def memory_bytes(self) -> int:
        return self._number("rocksdb.cur-size-all-mem-tables")

    def room_bytes(self) -> int:
        return self._room(self._folder)

    def failures(self) -> int:
        return self._number("rocksdb.background-errors")

    def compact(self, span: Span) -> None:
        try:
            self._db.compact_range(span.start, span.end, self._options)
        except Exception as error:
            raise EngineUnavailable(f"{self._folder} could not be compacted: {error}") from error

    def cancel(self) -> None:
        self._db.cancel_all_background(False)

    def _number(self, name: str) -> int:
        try:
            return self._db.property_int_value(name) or 0
        except Exception as error:
            raise _unreadable(self._folder, error) from error


def _all_rows(reader: Reader, span: Span) -> Rows:
    """Return all pairs of `span`."""
    rows = page = reader.scan(span, limits.scan_rows_max)
    while len(page) == limits.scan_rows_max:
        page = reader.scan(Span(page[-1][0] + b"\x00", span.end), limits.scan_rows_max)
        rows = rows + page
    return rows


def _rows(iterator: RdictIter, span: Span, limit: int, backward: bool) -> Rows:
    """Return at most `limit` pairs of `span`; raises where a block cannot be read."""
    start, end = span
    rows: Rows = []
    if limit <= 0 or start >= end:
        return rows
    valid, key_of, value_of = iterator.valid, iterator.key, iterator.value
    if backward:
        step = iterator.prev
        iterator.seek_for_prev(end)
        if valid() and key_of() == end:  # `end` itself is outside
            step()
    else:
        step = iterator.next
        iterator.seek(start)
    while valid():
        key = key_of()
        if not start <= key < end:
            return rows
        rows.append((key, value_of()))
        if len(rows) == limit:
            return rows
        step()
    iterator.status()
    return rows


def _unreadable(folder: Path, error: Exception) -> EngineError:
    return complaint(folder) or StoreCorrupt(f"{folder} could not be read: {error}")


def _fullness(room: Room, folder: Path) -> EngineFull | None:
    """Return the error of a disk with too little room, or None."""
    if room(folder) >= limits.store_free_bytes_min:
        return None
    return EngineFull(f"{folder} has less than {limits.store_free_bytes_min} free bytes")


def _build(room: Room, folder: Path) -> None:
    _open(room, folder, create=True).close()


def _open(room: Room, folder: Path, *, create: bool = False) -> Rdict:
    """Open RocksDB in `folder`; what neither room nor the system explain is StoreCorrupt."""
    options = _options(create)
    with os_errors(f"{folder} cannot be read"):
        check_logs(folder)
    try:
        return Rdict(str(folder), options, column_families={"default": options})
    except Exception as error:
        raise (
            _fullness(room, folder)
            or complaint(folder)
            or StoreCorrupt(f"{folder} cannot be opened: {error}")
        ) from error


def _options(create: bool) -> Options:
    options = Options(raw_mode=True)
    options.create_if_missing(create)
    # A record cut off at the end of the log is what a killed process leaves; it was acknowledged to
    # nobody. Any other damage must be an error: `point_in_time`, the default, would stop there in
    # silence and drop what was acknowledged after it; `absolute` would refuse after every kill.
    options.set_wal_recovery_mode(DBRecoveryMode.tolerate_corrupted_tail_records())
    options.set_recycle_log_file_num(0)  # an old file's records could pass for the end of a new one
    options.set_paranoid_checks(True)
    options.set_write_buffer_size(limits.store_write_buffer_bytes)
    options.set_max_background_jobs(2)
    options.set_avoid_unnecessary_blocking_io(True)  # what lets go of a view unlinks no files
    options.set_bytes_per_sync(1024 * 1024)
    options.set_max_open_files(limits.store_open_files_max)
    options.set_compression_type(DBCompressionType.lz4())
    options.set_keep_log_file_num(2)
    options.set_max_log_file_size(1024 * 1024)
    options.set_stats_dump_period_sec(0)
    options.set_block_based_table_factory(_tables())
    return options


def _tables() -> BlockBasedOptions:
    tables = BlockBasedOptions()
    tables.set_block_cache(Cache(limits.store_cache_bytes))
    tables.set_block_size(16 * 1024)
    tables.set_bloom_filter(10, False)
    return tables
