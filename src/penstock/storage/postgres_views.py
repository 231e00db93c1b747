"""Reading PostgreSQL outside of transactions: what `snapshot` is made of.

Most snapshots read one row. Those that are asked for in the same turn of the loop are one
statement, which is a consistent view for each. A snapshot that reads more is run once more from
its beginning, in a read-only transaction whose statements all see the same state.

A table's descriptor, which every request reads by itself, is given without asking where it was read
a moment ago: see `postgres_cluster` for why nobody can tell.
"""

import asyncio
import contextlib
import logging
from collections import OrderedDict, deque
from collections.abc import Callable, Collection
from math import inf
from types import CodeType
from typing import Any

from penstock.base import limits
from penstock.base.errors.engine import EngineError, EngineUnavailable
from penstock.storage.fibers import in_fiber, wait_for
from penstock.storage.postgres_cluster import Cluster
from penstock.storage.postgres_connection import Connection, Reply
from penstock.storage.postgres_statements import (
    BEGIN_VIEW,
    COMMIT,
    HELD,
    Request,
    Row,
    gets,
    scan,
    scanned,
)
from penstock.storage.prefixes import Prefix
from penstock.storage.waist import Reader, Span, T

log = logging.getLogger(__name__)

_TABLE = Prefix.TABLE.key


class _ReadsMore(BaseException):
    """A work asks for a second read, which has to see the state of the first."""


class TablesAtHand:
    """Descriptors of tables as they were read a moment ago."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._rows: OrderedDict[bytes, tuple[bytes | None, float]] = OrderedDict()
        """What was read and when it was asked for; None and when it was replaced."""
        self._since_ms = -inf
        """When all of them were replaced."""

    def get(self, key: bytes) -> bytes | None:
        """Return the row of `key`, None where it has to be read."""
        row = self._rows.get(key)
        if row is None:
            return None
        value, asked_ms = row
        cluster = self._cluster
        now_ms = cluster.now_ms()
        is_known = cluster.known_since_ms <= asked_ms and now_ms < cluster.known_until_ms
        if is_known and now_ms < asked_ms + limits.postgres_table_age_ms_max:
            return value
        return None

    def note(self, key: bytes, value: bytes | None, asked_ms: float) -> None:
        """Keep what the row of `key` was at `asked_ms` or later; None for one that is not there.

        An answer that took long may be of what was replaced meanwhile: the newest question counts.
        """
        known = self._rows.get(key)
        if asked_ms <= (self._since_ms if known is None else known[1]):
            return
        if value is None:
            self._rows.pop(key, None)
        else:
            self._keep(key, value, asked_ms)

    def replaced(self, key: bytes) -> None:
        """Give out no row of `key` that was asked for before now."""
        self._keep(key, None, self._cluster.now_ms())

    def all_replaced(self) -> None:
        """Give out no row at all that was asked for before now."""
        self._rows.clear()
        self._since_ms = self._cluster.now_ms()

    def _keep(self, key: bytes, value: bytes | None, asked_ms: float) -> None:
        self._rows[key] = (value, asked_ms)
        self._rows.move_to_end(key)
        if len(self._rows) > limits.postgres_tables_at_hand_max:
            self._rows.popitem(last=False)

    def note_all(self, rows: dict[bytes, bytes | None], asked_ms: float) -> None:
        """Keep those of `rows` that are descriptors."""
        for key, value in rows.items():
            if key[:1] == _TABLE:
                self.note(key, value, asked_ms)


class Views:
    """All reading outside of transactions."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self.tables = TablesAtHand(cluster)
        self._asked: dict[bytes, list[asyncio.Future[bytes | None]]] = {}
        self._scheduled = False
        self._reads: dict[CodeType, int] = {}
        """Works that have read more than once before, and how many rows before any scan."""
        self._free: list[Connection] = []
        self._lent: set[_Lent] = set()
        self._turns: deque[asyncio.Future[None]] = deque()

    def move(self) -> None:
        """Forget what an earlier event loop left behind."""
        self._asked.clear()
        self._scheduled = False
        self._turns.clear()
        lent = [each.connection for each in self._lent if each.connection is not None]
        self._lent.clear()
        for connection in [*self._free, *lent]:
            connection.close()
        self._free.clear()

    def close(self) -> None:
        """Close every connection; whoever waits hears of it."""
        waiting = [found for each in self._asked.values() for found in each]
        turns = list(self._turns)
        self.move()
        closed = EngineUnavailable("the store is closed")
        for found in waiting:
            _refuse(found, closed)
        for turn in turns:
            _refuse(turn, closed)

    def run(self, work: Callable[[Reader], T]) -> T:
        """Run `work` on a consistent view; raises EngineError where there is none to be had."""
        code = _code_of(work)
        if code not in self._reads:
            with contextlib.suppress(_ReadsMore):
                return work(_FirstRead(self))
        return self._consistently(work, code)

    def get(self, key: bytes) -> bytes | None:
        """Return the value at `key` as it is now, or was a moment ago where nobody can tell."""
        if key[:1] == _TABLE:
            row = self.tables.get(key)
            if row is not None:
                return row
        if in_fiber():
            return self._get_soon(key)
        asked_ms = self._cluster.now_ms()
        reply = self._patiently(lambda connection: connection.send(_looks((key,))))
        rows = reply.rows()
        value = rows[0][1] if rows else None
        if not _is_held(reply):
            self.tables.note_all({key: value}, asked_ms)
        return value

    def scan(self, span: Span, limit: int, backward: bool) -> list[Row]:
        """Return at most `limit` rows of `span` as they are now."""
        if limit <= 0 or span.start >= span.end:
            return []
        request = scan(span, limit, backward)
        reply = self._patiently(lambda connection: connection.send([request]))
        return scanned(reply.rows(), limit, backward)

    # --- one row of many

    def _get_soon(self, key: bytes) -> bytes | None:
        """Ask for `key` together with what others ask for in this turn of the loop."""
        loop = asyncio.get_running_loop()
        found: asyncio.Future[bytes | None] = loop.create_future()
        self._asked.setdefault(key, []).append(found)
        if not self._scheduled:
            self._scheduled = True
            loop.call_soon(self._ask)
        return wait_for(found)

    def _ask(self) -> None:
        self._scheduled = False
        asked, self._asked = self._asked, {}
        if not asked:  # closed meanwhile
            return
        loop = asyncio.get_running_loop()
        connection = self._cluster.connection
        if connection is None or connection.failure is not None:
            self._cluster.keep(loop.create_task(self._ask_again(asked)))
            return
        asked_ms = self._cluster.now_ms()
        reply = connection.send(_looks(asked))

        def answered(reply: Reply) -> None:
            if reply.error is None:
                self._answer(asked, reply, asked_ms)
            elif self._cluster.closed:
                _refuse_all(asked, reply.error)
            elif not loop.is_closed():
                self._cluster.keep(loop.create_task(self._ask_again(asked)))

        reply.then(answered)

    async def _ask_again(self, asked: "dict[bytes, list[asyncio.Future[bytes | None]]]") -> None:
        """Ask for rows that could not be had, until they can or it is too late."""
        try:
            asked_ms, reply = await self._cluster.patiently(
                lambda connection: connection.send(_looks(asked))
            )
            self._answer(asked, reply, asked_ms)
        except EngineError as error:
            _refuse_all(asked, error)
        except Exception as error:  # a bug of ours ends these snapshots, which would wait for ever
            log.exception("Rows could not be read")
            _refuse_all(asked, EngineUnavailable(f"the store failed: {error!r}"))

    def _answer(
        self,
        asked: "dict[bytes, list[asyncio.Future[bytes | None]]]",
        reply: Reply,
        asked_ms: float,
    ) -> None:
        rows: dict[bytes, bytes | None] = dict.fromkeys(asked)
        rows.update(reply.rows())
        if not _is_held(reply):
            self.tables.note_all(rows, asked_ms)
        for key, waiting in asked.items():
            for found in waiting:
                if not found.done():
                    found.set_result(rows[key])

    # --- more than one read

    def _consistently(self, work: Callable[[Reader], T], code: CodeType | None) -> T:
        """Run `work` in a transaction that sees one state; anew where the connection is lost."""
        until_ms = self._cluster.now_ms() + limits.postgres_group_seconds_max * 1000
        while True:
            lent = _Lent()
            try:
                connection = self._lend(lent, until_ms)
                connection.send([BEGIN_VIEW])
                view = _View(connection)
                if code is not None and self._reads.get(code, 0) > 1:
                    view.fetch(_asked_by(work))
                result = work(view)
                if code is not None:
                    self._reads[code] = view.gets
            except EngineUnavailable:
                lost = lent.connection is None or lent.connection.failure is not None
                if not lost or self._is_over(until_ms):
                    raise
            else:
                return result
            finally:
                self._take_back(lent)
            self._cluster.pause()

    def _lend(self, lent: "_Lent", until_ms: float) -> Connection:
        """Return a connection for one view alone, which is in `lent` too until that is back."""
        waited = False
        while len(self._lent) >= limits.postgres_views and in_fiber():
            self._wait_for_turn(until_ms, first=waited)
            waited = True
        self._lent.add(lent)
        while self._free:
            connection = self._free.pop()
            if connection.failure is None:
                break
        else:
            connection = self._cluster.open()
        lent.connection = connection
        if lent not in self._lent:  # while it was opened, the store was closed
            raise EngineUnavailable("the store is closed")
        return connection

    def _wait_for_turn(self, until_ms: float, *, first: bool) -> None:
        """Wait behind all who wait, or `first`; EngineUnavailable where it takes too long."""
        loop = asyncio.get_running_loop()
        turn = loop.create_future()
        if first:
            self._turns.appendleft(turn)
        else:
            self._turns.append(turn)
        left_ms = max(until_ms - self._cluster.now_ms(), 0.0)
        late = EngineUnavailable("PostgreSQL was busy for too long")
        limit = loop.call_later(left_ms / 1000, _refuse, turn, late)
        turn.add_done_callback(lambda _: limit.cancel())
        try:
            wait_for(turn)
        except BaseException:
            has_turn = turn.done() and not turn.cancelled() and turn.exception() is None
            if has_turn:  # its turn had come: it is the next one's
                self._next_turn()
            raise

    def _next_turn(self) -> None:
        while self._turns:
            turn = self._turns.popleft()
            if not turn.done():
                turn.set_result(None)
                break

    def _take_back(self, lent: "_Lent") -> None:
        connection = lent.connection
        if lent in self._lent:
            self._lent.discard(lent)
            if connection is not None and connection.failure is None:
                connection.send([COMMIT])
                self._free.append(connection)
                if len(self._free) > limits.postgres_views:
                    self._free.pop(0).close()
            self._next_turn()
        elif connection is not None:  # it was given up by all others before
            connection.close()

    def _is_over(self, until_ms: float) -> bool:
        """Say whether there is no use in trying again."""
        return self._cluster.closed or self._cluster.now_ms() > until_ms

    def _patiently(self, send: Callable[[Connection], Reply]) -> Reply:
        """Return the reply to what `send` sends, asking anew where the connection is lost."""
        until_ms = self._cluster.now_ms() + limits.postgres_group_seconds_max * 1000
        while True:
            try:
                connection = self._cluster.held()
                reply = connection.wait(send(connection))
                reply.checked()
            except EngineUnavailable:
                if self._is_over(until_ms):
                    raise
            else:
                return reply
            self._cluster.pause()


class _Lent:
    """A place among the views on their way, and the connection of that view once it has one."""

    __slots__ = ("connection",)

    def __init__(self) -> None:
        self.connection: Connection | None = None


class _FirstRead(Reader):
    """The view of a work that may read once."""

    __slots__ = ("_used", "_views")

    def __init__(self, views: Views) -> None:
        self._views = views
        self._used = False

    def get(self, key: bytes) -> bytes | None:
        self._use()
        return self._views.get(key)

    def scan(self, span: Span, limit: int, backward: bool = False) -> list[Row]:
        self._use()
        return self._views.scan(span, limit, backward)

    def _use(self) -> None:
        if self._used:
            raise _ReadsMore
        self._used = True


class _View(Reader):
    """The view of a read-only transaction. Rows that were read are kept: they do not change."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._rows: dict[bytes, bytes | None] = {}
        self._scanned = False
        self.gets = 0
        """How many rows were asked for before anything was scanned."""

    def fetch(self, keys: Collection[bytes]) -> None:
        """Read the rows of `keys` in one statement."""
        if keys:
            self._rows = dict.fromkeys(keys)
            self._rows.update(self._connection.wait(self._connection.send(gets(keys))).rows())

    def get(self, key: bytes) -> bytes | None:
        self.gets += not self._scanned
        if key in self._rows:
            return self._rows[key]
        rows = self._connection.wait(self._connection.send(gets((key,)))).rows()
        value = self._rows[key] = rows[0][1] if rows else None
        return value

    def scan(self, span: Span, limit: int, backward: bool = False) -> list[Row]:
        self._scanned = True
        if limit <= 0 or span.start >= span.end:
            return []
        reply = self._connection.wait(self._connection.send([scan(span, limit, backward)]))
        return scanned(reply.rows(), limit, backward)


class _Rehearsal(Reader):
    """A view of nothing, which remembers what was asked of it."""

    def __init__(self) -> None:
        self.keys: dict[bytes, None] = {}

    def get(self, key: bytes) -> bytes | None:
        if len(self.keys) == limits.postgres_rehearsed_keys_max:  # it may look for ever here
            raise _ReadsMore
        self.keys[key] = None
        return None

    def scan(self, span: Span, limit: int, backward: bool = False) -> list[Row]:
        raise _ReadsMore


def _looks(keys: Collection[bytes]) -> list[Request]:
    """Return the requests that read `keys`, and first whether descriptors may be kept.

    In this order: who finds no hold where there was one reads the row after it was replaced.
    """
    has_table = any(key[:1] == _TABLE for key in keys)
    return [HELD, *gets(keys)] if has_table else gets(keys)


def _is_held(reply: Reply) -> bool:
    """Say whether the descriptors in the reply to `_looks` may not be kept."""
    return any(result.nfields == 1 and result.ntuples for result in reply.results)


def _asked_by(work: Callable[[Reader], Any]) -> Collection[bytes]:
    """Return the keys that `work` asks for, whatever they hold, so that they are read together.

    It runs for nothing, over an empty store: what it returns or raises there is nobody's answer.
    """
    rehearsal = _Rehearsal()
    with contextlib.suppress(Exception, _ReadsMore):
        work(rehearsal)
    return rehearsal.keys


def _code_of(work: Any) -> CodeType | None:
    """Return what tells works of one kind from others; None where nothing does."""
    return getattr(getattr(work, "func", work), "__code__", None)


def _refuse_all(
    asked: "dict[bytes, list[asyncio.Future[bytes | None]]]", error: EngineError
) -> None:
    for waiting in asked.values():
        for found in waiting:
            _refuse(found, error)


def _refuse(waiting: "asyncio.Future[Any]", error: EngineError) -> None:
    """Have who waits raise `error`, as an object of its own, if it waits still."""
    if not waiting.done() and not waiting.get_loop().is_closed():
        waiting.set_exception(type(error)(*error.args))
