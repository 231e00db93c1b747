"""The catalogue of tables: how a table comes, is found, changes its stream, and goes.

Every function works inside a transaction or a snapshot of its caller's. A table lives in the region
that the request was signed for; the same name in two regions is two tables.
"""

from functools import lru_cache

import msgspec

from penstock.base import limits
from penstock.base.errors import dynamodb
from penstock.base.errors.tables import table_in_use
from penstock.storage.format import pack, unpack
from penstock.storage.prefixes import Prefix
from penstock.storage.waist import Lock, Reader, Span, Transaction
from penstock.streams.stream import Stream, close_stream, find_stream, open_stream
from penstock.tables.descriptor import Descriptor, OpenStream, Table, table_key
from penstock.tables.index import Index
from penstock.tables.state import is_gone, table_state
from penstock.tables.tags import Tags, clear_tags, write_tags

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Descriptor).decode

NUMBER_LOCK = Lock(b"number", (Span.of_key(Prefix.NUMBER.key),))


class StaleTable(Exception):
    """What a transaction was prepared from is no longer as it was: prepare it anew."""


@lru_cache(limits.table_cache_entries_max)
def _table(stored: bytes) -> Table:
    return Table(_decode(unpack(stored)), stored)


def table_of(descriptor: Descriptor) -> Table:
    """Return the table that `descriptor` describes."""
    return _table(pack(_encode(descriptor)))


def find_table(reader: Reader, region: str, name: str) -> Table | None:
    """Return what is stored under that name in that region, or None; it may be gone by now."""
    stored = reader.get(table_key(region, name))
    return None if stored is None else _table(stored)


def provisioned_write_units(reader: Reader, region: str, stream: Stream) -> int | None:
    """Return the write units a second of the table that writes to that stream; None without any.

    An on-demand table has none, nor has a stream that was disabled or whose table was deleted.
    """
    table = find_table(reader, region, stream.table_name)
    if table is None or table.descriptor.billing_mode != "PROVISIONED":
        return None
    opened = table.descriptor.stream
    return None if opened is None or opened.arn != stream.arn else table.descriptor.write_units


def list_tables(
    reader: Reader, region: str, after_name: str | None, limit: int, now_ms: int
) -> tuple[list[str], bool]:
    """Return at most `limit` table names above `after_name` in order, and if there are more.

    Those that are gone at `now_ms` are left out.
    """
    span = Span.of_prefix(table_key(region, ""))
    if after_name is not None:
        span = Span(table_key(region, after_name) + b"\x00", span.end)
    names: list[str] = []
    while len(names) <= limit and span.start < span.end:
        rows = reader.scan(span, limit + 1)
        tables = [_table(stored) for _, stored in rows]
        names += [table.name for table in tables if not is_gone(table.descriptor, now_ms)]
        if len(rows) <= limit:
            break
        span = Span(rows[-1][0] + b"\x00", span.end)
    return names[:limit], len(names) > limit


def next_number(txn: Transaction) -> int:
    """Give out a number that no table and no stream had before; needs NUMBER_LOCK."""
    stored = txn.get(Prefix.NUMBER.key)
    number = 1 if stored is None else int.from_bytes(unpack(stored), "big") + 1
    txn.set(Prefix.NUMBER.key, pack(number.to_bytes(8, "big")))
    return number


def check_current(txn: Reader, table: Table) -> None:
    """Raise StaleTable unless the table is still what `table` says."""
    if txn.get(table.key) != table.stored:
        raise StaleTable


def locks_of_both(old: Table, new: Table) -> tuple[Lock, ...]:
    """Return the locks on all there is of a table before and after, those of one name as one."""
    covers: dict[bytes, tuple[Span, ...]] = {}
    for lock in (*old.locks, *new.locks):
        covers[lock.name] = tuple(dict.fromkeys((*covers.get(lock.name, ()), *lock.covers)))
    return tuple(Lock(name, spans) for name, spans in covers.items())


def create_table(
    txn: Transaction, table: Table, stream: Stream | None, tags: dict[str, str] | None = None
) -> None:
    """Store a new table, its stream and its tags.

    ResourceInUseException for a name in use; StaleTable for a stream whose ARN is taken.
    """
    check_free(txn, table.descriptor.region, table.name, table.descriptor.created_ms)
    txn.set(table.key, table.stored)
    if tags:
        write_tags(txn, table.descriptor.arn, Tags(tags))
    if stream is not None:
        _open_stream(txn, table, stream)


def check_free(reader: Reader, region: str, name: str, now_ms: int) -> None:
    """Raise ResourceInUseException where a table of that name is there at `now_ms`."""
    table = find_table(reader, region, name)
    state = None if table is None else table_state(table.descriptor, now_ms)
    if state in {"CREATING", "DELETING"}:
        raise table_in_use(name, state)
    if state is not None:
        raise dynamodb.table_exists(name)


def replace_table(txn: Transaction, old: Table, new: Table) -> None:
    """Store `new` in place of `old`; StaleTable unless the table is still `old`."""
    check_current(txn, old)
    txn.set(new.key, new.stored)


def update_table(
    txn: Transaction, old: Table, new: Table, stream: Stream | None, now_ms: int
) -> None:
    """Store `new` in place of `old`, with `stream` as its open stream where one is given.

    A stream that `new` has no more is closed and stays readable; indexes that it has no more are
    cleared. A stream is ENABLING or DISABLING while the table is UPDATING. StaleTable unless the
    table is still `old`.
    """
    replace_table(txn, old, new)
    changed_ms = new.descriptor.status_until_ms
    if new.descriptor.stream is None:
        _close_stream(txn, old, now_ms, changed_ms)
    if stream is not None:
        _open_stream(txn, new, stream)
    for name, index in old.indexes.items():
        if name not in new.indexes:
            clear_index(txn, index)


def clear_index(txn: Transaction, index: Index) -> None:
    """Delete every entry of an index and their counts."""
    for span in index.spans:
        txn.clear(span)


def delete_table(txn: Transaction, table: Table, last: Table | None, now_ms: int) -> None:
    """Delete the table's items and tags; its stream is closed and stays readable.

    `last` is what is shown of the table while it is being deleted, None where it goes at once.
    """
    check_current(txn, table)
    _close_stream(txn, table, now_ms, 0 if last is None else last.descriptor.status_until_ms)
    for partition in table.partitions:
        txn.clear(partition.items)
        txn.set(partition.count_key, None)
    for span in table.followers:
        txn.clear(span)
    clear_tags(txn, table.descriptor.arn)
    txn.set(table.key, None if last is None else last.stored)


def forget_table(txn: Transaction, table: Table) -> None:
    """Take away what was shown of a table while it was being deleted."""
    check_current(txn, table)
    txn.set(table.key, None)


def with_stream(descriptor: Descriptor, stream: Stream) -> Descriptor:
    """Return `descriptor` with `stream` as its open stream, one shard for each partition."""
    shards = list(range(len(descriptor.partitions)))
    return msgspec.structs.replace(
        descriptor,
        stream=OpenStream(stream.number, stream.arn, stream.view_type, shards),
        latest_stream_arn=stream.arn,
        latest_stream_label=stream.label,
    )


def without_stream(descriptor: Descriptor) -> Descriptor:
    """Return `descriptor` with no open stream; the latest stream stays named."""
    return msgspec.structs.replace(descriptor, stream=None)


def _open_stream(txn: Transaction, table: Table, stream: Stream) -> None:
    """Store the new stream of `table`; StaleTable where its ARN was taken since it was made."""
    if find_stream(txn, stream.arn) is not None:
        raise StaleTable
    open_stream(txn, stream, len(table.partitions), table.descriptor.status_until_ms)


def _close_stream(txn: Transaction, table: Table, now_ms: int, disabled_ms: int) -> None:
    opened = table.descriptor.stream
    if opened is None:
        return
    stream = find_stream(txn, opened.arn)
    if stream is not None:
        close_stream(txn, stream, now_ms, disabled_ms)
