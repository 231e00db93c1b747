"""Mappings under test: functions that keep journals, what is stored of them, and their audit."""

import importlib.util
import json
import math
import shutil
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import psycopg
import pytest

from fault.journal import Audit, Entry, RecordId, Tree, read_journal, wrong_checkpoints
from fault.nodes import await_true
from fault.observer import all_records, all_shards, stream_arn
from fault.raw_client import RawClient
from penstock.base.clock import SystemClock
from penstock.base.ids import uuid_bytes
from penstock.consumers.checkpoints import load_checkpoints
from penstock.storage.format import unpack
from penstock.storage.prefixes import Prefix
from penstock.storage.rocksdb import RocksEngine
from penstock.storage.waist import Span

needs_workers = pytest.mark.skipif(
    sys.platform != "linux" or importlib.util.find_spec("awslambdaric") is None,
    reason="needs AWS's client for Python, and what Linux shows of processes",
)
DRAINED_SECONDS_MAX = 60.0
WORKERS_GONE_SECONDS_MAX = 5.0
WATCH_SECONDS = 0.1


class _Look(NamedTuple):
    """What was stored of a mapping at a moment, and how long its journal was afterwards."""

    positions: dict[str, str | None]
    offset: int


class Journaled:
    """A mapping whose function keeps a journal, over all lives of its servers."""

    def __init__(self, name: str, uuid: str, journal: Path, factor: int = 1) -> None:
        self.name = name
        self.uuid = uuid
        self.journal = journal
        self._factor = factor
        self._looks: list[_Look] = []
        self._done: set[RecordId] = set()
        self._read = 0

    @property
    def journal_bytes(self) -> int:
        """How long the journal is: it only grows."""
        return self.journal.stat().st_size if self.journal.exists() else 0

    @property
    def entries(self) -> list[Entry]:
        """All lines of the journal."""
        return read_journal(self.journal)

    def entries_after(self, offset: int) -> list[Entry]:
        """The lines of the journal from an offset on."""
        return read_journal(self.journal, offset)

    def look(self, data: Path) -> None:
        """Keep what a store that nobody has open says of the mapping now; it is left as it is."""
        copy = data.with_name("copy")
        shutil.copytree(data, copy)
        engine = RocksEngine.open(copy, SystemClock())
        try:
            found = engine.snapshot(lambda reader: load_checkpoints(reader, uuid_bytes(self.uuid)))
        finally:
            engine.close()
        shutil.rmtree(copy)
        self.note({shard: checkpoint.position for shard, checkpoint in found.items()})

    def note(self, positions: dict[str, str | None]) -> None:
        """Keep what is stored of the mapping at this moment."""
        self._looks.append(_Look(positions, self.journal_bytes))

    def await_all(self, tree: Tree, seconds_max: float = DRAINED_SECONDS_MAX) -> None:
        """Wait until every record of a stream is done."""
        owed = set(tree.shard_of)
        await_true(lambda: owed <= self._done_so_far(), seconds_max, f"{self.name} is through")

    def audit(self, tree: Tree) -> Audit:
        """Return what is held against the journal and the checkpoints that were kept."""
        entries = self.entries
        audit = Audit(tree, entries, self._factor)
        for look in self._looks:
            done = {e.record for e in entries if e.what == "done" and e.offset <= look.offset}
            audit.wrong += wrong_checkpoints(look.positions, done, tree)
        return audit

    def _done_so_far(self) -> set[RecordId]:
        for entry in read_journal(self.journal, self._read):
            self._read = entry.offset
            if entry.what == "done":
                self._done.add(entry.record)
        return self._done

    def workers(self) -> Iterator[int]:
        """Yield the processes that there are now of its function, and of what that has started."""
        mark = f"JOURNAL={self.journal}\0".encode()
        for directory in Path("/proc").iterdir():
            try:
                if directory.name.isdigit() and mark in (directory / "environ").read_bytes():
                    yield int(directory.name)
            except OSError:
                continue  # it has gone

    def await_no_workers(self, seconds_max: float = WORKERS_GONE_SECONDS_MAX) -> None:
        """Wait until no process is left of its function."""
        await_true(lambda: not list(self.workers()), seconds_max, f"no worker of {self.name}")


def tree_of(port: int, table: str) -> Tree:
    """Return the records and shards of a table's stream as a server shows them now."""
    with RawClient(port) as client:
        shards = all_shards(client, stream_arn(client, table))
        parents = {shard["ShardId"]: shard.get("ParentShardId") for shard in shards}
        return Tree(all_records(client, table), parents)


class Watch:
    """Looks at the checkpoints of a mapping in PostgreSQL, by a session of its own, as a worker.

    `wrong` is where one was further back than before.
    """

    def __init__(self, url: str, mapping: Journaled) -> None:
        self.wrong: list[str] = []
        self.looks = 0
        self._url = url
        self._mapping = mapping
        self._highest: dict[str, str | None] = {}

    def run(self, port: int, stop: threading.Event) -> None:
        """Look until `stop` is set; `port` says nothing here."""
        prefix = Prefix.CHECKPOINT.key + uuid_bytes(self._mapping.uuid)
        span = Span.of_prefix(prefix)
        rows = "SELECT k, v FROM penstock_kv WHERE k >= %s AND k < %s"
        with psycopg.connect(self._url, autocommit=True, connect_timeout=20) as connection:
            while not stop.is_set():
                found = connection.execute(rows, (span.start, span.end)).fetchall()
                self._take({key[len(prefix) :].decode(): unpack(value) for key, value in found})
                stop.wait(WATCH_SECONDS)

    def _take(self, rows: dict[str, bytes]) -> None:
        positions = {shard: json.loads(row)["position"] for shard, row in rows.items()}
        self.looks += 1
        for shard, position in positions.items():
            before = self._highest.get(shard, "0")
            if _place(position) < _place(before):
                self.wrong.append(f"{shard} went back from {before} to {position}")
            self._highest[shard] = position
        self._mapping.note(positions)


def _place(position: str | None) -> float:
    return math.inf if position is None else int(position.rstrip("+"))
