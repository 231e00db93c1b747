"""The auditor: reads all that is durable after every step, and judges it by what was there before.

It asks the server nothing. It reads the rows of the disk, keeps every record that it ever found,
and compares each snapshot with the one before it: the new records must make the items of the one of
the items of the other, and what is gone must have been allowed to go.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import msgspec

from penstock.base import limits
from penstock.storage.format import unpack
from penstock.storage.prefixes import Prefix
from penstock.storage.waist import Reader, Span, Stamp, stamp_at, stamp_key, stamp_of
from penstock.streams.stream import Shard, Stream, record_log
from penstock.tables.catalog import find_table
from penstock.tables.descriptor import Table
from penstock.tables.stored_item import unpack_item
from penstock.testing.faulty_engine import Disk
from simulation.fold import check_fold
from simulation.ledger import EXPIRES, KEY, Image, Ledger, Logged
from simulation.lineage import Lineage
from simulation.server import REGION
from simulation.wrong import Checker, Wrong

_ROWS_MAX = 1_000_000
_decode_record = msgspec.json.Decoder().decode
_decode_stream = msgspec.json.Decoder(Stream).decode
_decode_shard = msgspec.json.Decoder(Shard).decode

LogName = tuple[int, int]
"""The number of a stream and of a shard of it."""


class _Row(NamedTuple):
    """An item as it is stored, and as it is read."""

    stored: bytes
    key: str
    image: Image


class Auditor:
    """Judges the snapshots of `disk` as they come."""

    def __init__(self, disk: Disk, ledger: Ledger, tables: Iterable[str]) -> None:
        self._disk = disk
        self._ledger = ledger
        self._commits = -1
        self._names = tuple(tables)
        self._live: dict[bytes, bytes] = {}
        self._rows: dict[str, dict[bytes, _Row]] = {name: {} for name in self._names}
        self._latest: dict[tuple[int, str], Logged] = {}
        self._steady: dict[str, int | None] = dict.fromkeys(self._names)
        self._born: dict[str, int] = {}
        self._lineage = Lineage()
        self.number = 0
        """How many snapshots there were."""
        self.tables: dict[str, Table] = {}
        self.streams: dict[int, Stream] = {}
        self.shards: dict[LogName, Shard] = {}
        """All shards that are there."""
        self.archive: defaultdict[LogName, list[Logged]] = defaultdict(list)
        """Every record that was ever there, by its log, in the order of stamps."""
        self.latest_ms = 0
        """The latest that the clock ever was."""

    # --- what others ask

    def items(self, name: str) -> dict[str, Image]:
        """Return the items of a table, by their keys."""
        return {row.key: row.image for row in self._rows[name].values()}

    def streamed_since(self, name: str, snapshot: int) -> bool:
        """Say whether a table has had one and the same stream since that snapshot."""
        since = self._steady[name]
        return since is not None and since <= snapshot

    def is_whole(self, name: str) -> bool:
        """Say whether a table has had one and the same stream from its birth on."""
        return name in self._born and self._steady[name] == self._born[name]

    def shards_of(self, stream: int) -> list[Shard]:
        """Return the shards of a stream in the order of their ids."""
        found = [shard for (number, _), shard in self.shards.items() if number == stream]
        return sorted(found, key=lambda shard: shard.id)

    def is_readable(self, log: LogName, stamp: Stamp, now_ms: int) -> bool:
        """Say whether a record that was once there may be, and must be, read at `now_ms`."""
        return (
            not self.is_past(log, stamp, now_ms)
            and stamp_key(record_log(*log), stamp) in self._live
        )

    def is_past(self, log: LogName, stamp: Stamp, now_ms: int) -> bool:
        """Say whether a record was trimmed by command, or is too old at `now_ms`."""
        shard = self.shards.get(log)
        oldest = stamp_at(now_ms - limits.stream_retention_ms)
        return shard is None or stamp <= shard.trimmed or stamp < oldest

    def readable(self, log: LogName, after: Stamp, now_ms: int) -> list[Logged]:
        """Return what of a log can be read above a stamp."""
        return [
            logged
            for logged in self.archive[log]
            if logged.stamp > after and self.is_readable(log, logged.stamp, now_ms)
        ]

    def was_over(self, logged: Logged) -> bool:
        """Say whether a record has ever been too old to be read, or was trimmed."""
        shard = self.shards.get((logged.stream, logged.shard))
        return shard is None or self._is_over(shard, logged.stamp)

    # --- judging a snapshot

    def audit(self, step: int, now_ms: int) -> list[str]:
        """Judge what is durable now, if it is new; return the new records, one line each."""
        self.latest_ms = max(self.latest_ms, now_ms)
        if self._disk.commits == self._commits:
            return []
        self._commits = self._disk.commits
        self.number += 1
        reader = self._disk.durable
        self._read_descriptors(reader)
        records = self._read_records(reader)
        for logged in records:
            self._check_place(logged)
            self._ledger.record(logged, step)
            self._check_expiry(logged)
        for name in self._names:
            self._read_table(reader, name, records)
        self._lineage.check(self)
        return [str(logged) for logged in records]

    def _read_descriptors(self, reader: Reader) -> None:
        rows = reader.scan(Span.of_prefix(Prefix.STREAM.key), _ROWS_MAX)
        streams = [_decode_stream(unpack(stored)) for _, stored in rows]
        self.streams = {stream.number: stream for stream in streams}
        shards: dict[LogName, Shard] = {}
        for key, stored in reader.scan(Span.of_prefix(Prefix.SHARD.key), _ROWS_MAX):
            shard = _decode_shard(unpack(stored))
            log = (int.from_bytes(key[1:9], "big"), shard.number)
            if log in shards:
                raise Wrong(Checker.LINEAGE, f"{shards[log]} and {shard} share a log")
            shards[log] = shard
        self._check_changes(shards)
        self.shards = shards

    def _check_changes(self, shards: Mapping[LogName, Shard]) -> None:
        """Raise Wrong where a shard is gone that may still be read, or is another than it was."""
        for log, was in self.shards.items():
            now = shards.get(log)
            if now is None:
                left = [r for r in self.archive[log] if not self._is_over(was, r.stamp)]
                if was.end is None or left:
                    raise Wrong(Checker.RETENTION, f"shard {was.id} of {log} is gone too early")
                continue
            same = (now.start, now.parent, now.id) == (was.start, was.parent, was.id)
            ended_anew = was.end is not None and now.end != was.end
            if not same or ended_anew or now.trimmed < was.trimmed:
                raise Wrong(Checker.LINEAGE, f"{was} became {now}")

    def _read_records(self, reader: Reader) -> list[Logged]:
        """Return the records that are new, in the order of streams and their stamps."""
        rows = dict(reader.scan(Span.of_prefix(Prefix.STREAM_RECORD.key), _ROWS_MAX))
        new = [key for key in rows if key not in self._live]
        for key, stored in self._live.items():
            found = rows.get(key)
            if found is None:
                self._check_gone(key)
            elif found is not stored and found != stored:
                raise Wrong(Checker.BELOW, f"record {key.hex()} is not what it was")
        self._live = rows
        logged = (self._logged(key, rows[key]) for key in new)
        return sorted(logged, key=lambda each: (each.stream, each.stamp))

    def _logged(self, key: bytes, stored: bytes) -> Logged:
        stream, shard = _log_of(key)
        found = self.streams.get(stream)
        if found is None:
            raise Wrong(Checker.ONCE, f"record {key.hex()} is of no stream that there is")
        record = _decode_record(unpack(stored))
        return Logged(found.table_name, stream, shard, stamp_of(key), record)

    def _check_gone(self, key: bytes) -> None:
        log, stamp = _log_of(key), stamp_of(key)
        shard = self.shards.get(log)
        if shard is not None and not self._is_over(shard, stamp):
            raise Wrong(Checker.RETENTION, f"the record at {stamp} of {log} is gone too early")

    def _is_over(self, shard: Shard, stamp: Stamp) -> bool:
        """Say whether a record was trimmed, or has been older than 24 hours."""
        oldest = stamp_at(self.latest_ms - limits.stream_retention_ms)
        return stamp <= shard.trimmed or stamp < oldest

    def _check_place(self, logged: Logged) -> None:
        """Raise Wrong unless a new record lies above all that was in its log before."""
        log = (logged.stream, logged.shard)
        shard = self.shards.get(log)
        if shard is None:
            raise Wrong(Checker.ONCE, f"{logged} is in no shard that there is")
        above = logged.stamp > shard.start
        if not above or (shard.end is not None and logged.stamp > shard.end):
            raise Wrong(Checker.LINEAGE, f"{logged} is not within {shard}")
        known = self.archive[log]
        if known and logged.stamp <= known[-1].stamp:
            raise Wrong(Checker.BELOW, f"{logged} is new, but {known[-1]} was there before")
        known.append(logged)
        latest = self._latest.get((logged.stream, logged.key))
        if latest is not None and logged.stamp <= latest.stamp:
            raise Wrong(Checker.ONCE, f"{logged} has not the order of its item: {latest}")
        self._latest[logged.stream, logged.key] = logged
        if logged.old == logged.new:
            raise Wrong(Checker.FOLD, f"{logged} changes nothing")

    def _check_expiry(self, logged: Logged) -> None:
        if not logged.by_service:
            return
        old = logged.old or {}
        expires = int(old.get(EXPIRES, {}).get("N", "0"))
        if logged.new is not None or not 0 < expires < self.latest_ms // 1000:
            raise Wrong(Checker.ANSWERS, f"the service had no reason for {logged}")

    # --- folding

    def _read_table(self, reader: Reader, name: str, records: Iterable[Logged]) -> None:
        """Read the items of a table, and judge whether the new records make them."""
        table = find_table(reader, REGION, name)
        if table is None:
            return
        known = self.tables.get(name)
        was, self.tables[name] = self.items(name), table
        self._rows[name] = self._read_items(reader, table, self._rows[name])
        stream = _stream_of(table)
        earlier = stream if known is None else _stream_of(known)
        if known is None:
            self._born[name] = self.number
        if known is None or stream != earlier:
            self._steady[name] = None if stream is None else self.number
        check_fold(was, self.items(name), [r for r in records if r.table == name], earlier, stream)

    def _read_items(
        self, reader: Reader, table: Table, known: Mapping[bytes, _Row]
    ) -> dict[bytes, _Row]:
        rows: dict[bytes, _Row] = {}
        for place, stored in reader.scan(table.items, _ROWS_MAX):
            row = known.get(place)
            if row is None or row.stored != stored:
                image = unpack_item(stored).item()
                row = _Row(stored, image[KEY]["S"], image)
            rows[place] = row
        return rows


def _stream_of(table: Table) -> int | None:
    """Return the number of the stream that a table's changes go to."""
    stream = table.descriptor.stream
    return None if stream is None else stream.number


def _log_of(key: bytes) -> LogName:
    """Return the log that the key of a record lies in."""
    return int.from_bytes(key[1:9], "big"), int.from_bytes(key[9:13], "big")
