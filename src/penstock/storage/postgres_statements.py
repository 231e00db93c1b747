"""What Penstock says to PostgreSQL: its statements, and keys and values as their parameters.

Only statements that CockroachDB and YugabyteDB document too, but for `SESSION`, of which a server
may know less (decision 0018). All parameters and results are in binary form.

Facts: PostgreSQL 18 manual, 2026-11: an entry of a B-tree has at most 2,704 bytes, so keys beyond
`postgres_key_bytes_max` live in a table of their own. There a key is found by its digest, and lies
in order by its head first and all of it then.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from hashlib import sha256
from itertools import chain
from struct import Struct
from typing import NamedTuple
from zlib import crc32

from penstock.base.limits import (
    postgres_idle_seconds_max,
    postgres_key_bytes_max,
    postgres_lock_seconds_max,
    postgres_lock_slots,
    postgres_transaction_seconds_max,
    postgres_unheard_seconds_max,
)
from penstock.storage.waist import Span

Row = tuple[bytes, bytes]

SESSION = (
    # Whoever is stopped in the middle of a transaction loses it, and its locks with it.
    f"SET idle_in_transaction_session_timeout = '{postgres_idle_seconds_max}s'",
    # So does who is stopped or cut off in the middle of a message, which is no idling: the server
    # waits for the rest, or for room to answer. PostgreSQL 17 and later know the first; for older
    # ones there is `END_STUCK`.
    f"SET transaction_timeout = '{postgres_transaction_seconds_max}s'",
    f"SET tcp_user_timeout = '{postgres_unheard_seconds_max}s'",
    f"SET tcp_keepalives_idle = {postgres_unheard_seconds_max // 2}",
    f"SET tcp_keepalives_interval = {max(postgres_unheard_seconds_max // 5, 1)}",
    "SET tcp_keepalives_count = 3",
    f"SET lock_timeout = '{postgres_lock_seconds_max}s'",
    # A statement that is cancelled while it commits is committed, and told as if it were durable.
    "SET statement_timeout = 0",
    # A wait for a replica that was cancelled is told by a warning, and by nothing else.
    "SET client_min_messages = 'warning'",
    # Acknowledged is durable, whatever the server's default says.
    """SELECT set_config('synchronous_commit', 'on', false)
       WHERE current_setting('synchronous_commit') IN ('off', 'local')""",
    # A statement by itself, such as a read outside of transactions, never conflicts with others.
    "SET default_transaction_isolation = 'read committed'",
    # Every statement here is a walk along one index, also while statistics say that tables are
    # small, as they do of new ones.
    "SET enable_seqscan = off",
    "SET enable_bitmapscan = off",
    "SET plan_cache_mode = force_generic_plan",
    "SET jit = off",
)
"""What is set for each connection; one that the server does not know is passed over."""

_SCAN = """
    (SELECT k, v FROM penstock_kv WHERE k >= $1::bytea AND k < $2::bytea
     ORDER BY k {way} LIMIT $3::int8)
    UNION ALL
    (SELECT k, v FROM penstock_long
     WHERE head >= $4::bytea AND head <= $5::bytea AND k >= $1::bytea AND k < $2::bytea
     ORDER BY head {way}, k {way} LIMIT $3::int8)
"""

NO_TIME_LIMIT = """
    SELECT set_config('transaction_timeout', '0', true)
    WHERE current_setting('transaction_timeout', true) IS NOT NULL
"""
"""Lets the transaction under way take as long as it needs, where there is a limit."""

END_STUCK = f"""
    SELECT count(pg_terminate_backend(a.pid))
    FROM pg_stat_activity a JOIN pg_locks l ON l.pid = a.pid
    WHERE a.datname = current_database()
      AND l.relation = 'penstock_lock'::regclass AND l.mode = 'RowShareLock' AND l.granted
      AND a.wait_event_type = 'Client'
      AND a.xact_start < clock_timestamp() - interval '{postgres_transaction_seconds_max} s'
"""  # noqa: S608 - a number of ours
"""Ends who holds locks and is waited for in the middle of a message, where there is no limit."""

PREPARED = {
    b"no_time_limit": NO_TIME_LIMIT,
    b"begin": "BEGIN ISOLATION LEVEL READ COMMITTED",
    b"begin_view": "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
    b"commit": "COMMIT",
    b"rollback": "ROLLBACK",
    b"lock": "SELECT slot FROM penstock_lock WHERE slot = ANY($1::int4[]) ORDER BY slot FOR UPDATE",
    b"get": "SELECT k, v FROM penstock_kv WHERE k = ANY($1::bytea[])",
    b"get_long": "SELECT k, v FROM penstock_long WHERE digest = ANY($1::bytea[])",
    b"scan": _SCAN.format(way="ASC"),
    b"scan_back": _SCAN.format(way="DESC"),
    b"clear": "DELETE FROM penstock_kv WHERE k >= $1::bytea AND k < $2::bytea",
    b"clear_long": "DELETE FROM penstock_long"
    " WHERE head >= $3::bytea AND head <= $4::bytea AND k >= $1::bytea AND k < $2::bytea",
    b"delete": "DELETE FROM penstock_kv WHERE k = ANY($1::bytea[])",
    b"delete_long": "DELETE FROM penstock_long WHERE digest = ANY($1::bytea[])",
    b"put": "INSERT INTO penstock_kv (k, v) SELECT * FROM unnest($1::bytea[], $2::bytea[])"
    " ON CONFLICT (k) DO UPDATE SET v = excluded.v",
    b"put_long": "INSERT INTO penstock_long (digest, head, k, v)"
    " SELECT * FROM unnest($1::bytea[], $2::bytea[], $3::bytea[], $4::bytea[])"
    " ON CONFLICT (digest) DO UPDATE SET v = excluded.v",
    b"beat": "INSERT INTO penstock_node (id, until)"
    " VALUES ($1::bytea, now() + $2::int8 * interval '1 millisecond')"
    " ON CONFLICT (id) DO UPDATE SET until = excluded.until",
    b"others": "SELECT count(*) FROM penstock_node WHERE id <> $1::bytea AND until > now()",
    b"forget_nodes": "DELETE FROM penstock_node WHERE until < now() - interval '1 hour'",
    b"oldest": "SELECT oldest FROM penstock_schema WHERE id = 1",
    b"tell": "SELECT pg_notify($1::text, $2::text)",
    b"leave": "DELETE FROM penstock_node WHERE id = $1::bytea",
    b"hold": "INSERT INTO penstock_hold (id, until)"
    " VALUES ($1::bytea, now() + $2::int8 * interval '1 millisecond')"
    " ON CONFLICT (id) DO UPDATE SET until = excluded.until",
    b"release": "DELETE FROM penstock_hold WHERE id = $1::bytea OR until < now()",
    b"held": "SELECT id FROM penstock_hold WHERE until > now() LIMIT 1",
}
"""Every statement that runs again and again, by the name that it is prepared under."""


class Request(NamedTuple):
    """A prepared statement by its name, and its parameters."""

    name: bytes
    parameters: Sequence[bytes] = ()


BEGIN = Request(b"begin")
BEGIN_VIEW = Request(b"begin_view")
COMMIT = Request(b"commit")
ROLLBACK = Request(b"rollback")
HELD = Request(b"held")

_BYTEA_OID, _INT4_OID = 17, 23
_ARRAY = Struct(">iiIii")  # dimensions, whether any is null, type, length, first place
_LENGTH = Struct(">i")
_NUMBER = Struct(">ii")
_INT8 = Struct(">q")


def int8(number: int) -> bytes:
    """Return a number of 64 bits as a parameter."""
    return _INT8.pack(number)


def number_of(value: bytes | None) -> int:
    """Return the number of 64 bits in a result."""
    return 0 if value is None else int(_INT8.unpack(value)[0])


def slots_of(names: Iterable[bytes]) -> list[int]:
    """Return the slots of locks of these names, each once, in the order in which they are taken.

    Two names may have one slot: then those who take them wait for each other without need.
    """
    return sorted({crc32(name) % postgres_lock_slots for name in names})


def lock(slots: Sequence[int]) -> Request:
    """Return the request that takes the locks of `slots`, in their order."""
    head = _ARRAY.pack(1, 0, _INT4_OID, len(slots), 1)
    return Request(b"lock", (head + b"".join(_NUMBER.pack(4, slot) for slot in slots),))


def gets(keys: Collection[bytes]) -> list[Request]:
    """Return the requests that read the rows of `keys`."""
    long = [key for key in keys if len(key) >= postgres_key_bytes_max]
    if not long:
        return [Request(b"get", (_array(keys),))]
    short = [key for key in keys if len(key) < postgres_key_bytes_max]
    found = [Request(b"get_long", (_array(map(_digest, long), len(long)),))]
    return [Request(b"get", (_array(short),)), *found] if short else found


def scan(span: Span, limit: int, backward: bool) -> Request:
    """Return the request that reads at most `limit` rows of `span`; see `scanned`."""
    start, end = span
    name = b"scan_back" if backward else b"scan"
    return Request(name, (start, end, int8(limit), _head(start), _head(end)))


def scanned(rows: list[Row], limit: int, backward: bool) -> list[Row]:
    """Return the rows of a scan in order: it finds short keys and long ones, each in theirs."""
    if any(len(key) >= postgres_key_bytes_max for key, _ in rows):
        rows.sort(reverse=backward)
    return rows[:limit]


def changes(clears: Collection[Span], writes: Mapping[bytes, bytes | None]) -> list[Request]:
    """Return the requests that make `clears` first, then `writes`; None deletes a key."""
    requests: list[Request] = []
    if clears:
        requests.append(Request(b"no_time_limit"))
    for start, end in clears:
        requests.append(Request(b"clear", (start, end)))
        requests.append(Request(b"clear_long", (start, end, _head(start), _head(end))))
    puts = {key: value for key, value in writes.items() if value is not None}
    long = any(len(key) >= postgres_key_bytes_max for key in writes)
    if len(puts) < len(writes):
        requests += _deletes([key for key, value in writes.items() if value is None])
    if long:
        requests += _long_puts(puts)
        puts = {key: value for key, value in puts.items() if len(key) < postgres_key_bytes_max}
    if puts:
        requests.append(Request(b"put", (_array(puts), _array(puts.values()))))
    return requests


def _deletes(keys: Sequence[bytes]) -> list[Request]:
    long = [_digest(key) for key in keys if len(key) >= postgres_key_bytes_max]
    requests = [Request(b"delete_long", (_array(long),))] if long else []
    if len(long) < len(keys):
        short = [key for key in keys if len(key) < postgres_key_bytes_max]
        requests.append(Request(b"delete", (_array(short),)))
    return requests


def _long_puts(puts: Mapping[bytes, bytes]) -> list[Request]:
    keys = [key for key in puts if len(key) >= postgres_key_bytes_max]
    if not keys:
        return []
    columns = (map(_digest, keys), map(_head, keys), keys, (puts[key] for key in keys))
    return [Request(b"put_long", tuple(_array(column, len(keys)) for column in columns))]


def _digest(key: bytes) -> bytes:
    return sha256(key).digest()


def _head(key: bytes) -> bytes:
    return key[:postgres_key_bytes_max]


def _array(values: Iterable[bytes], length: int | None = None) -> bytes:
    """Return an array of `bytea` in binary form."""
    if length is None:
        values = values if isinstance(values, Collection) else list(values)
        length = len(values)
    if not length:
        return _ARRAY_OF_NONE
    pack = _LENGTH.pack
    head = _ARRAY.pack(1, 0, _BYTEA_OID, length, 1)
    return head + b"".join(chain.from_iterable((pack(len(value)), value) for value in values))


_ARRAY_OF_NONE = Struct(">iiI").pack(0, 0, _BYTEA_OID)
