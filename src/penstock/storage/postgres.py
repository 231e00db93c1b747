"""The PostgreSQL engine: many nodes over one database, with nothing between them but its rows.

Keys and values are rows of one table. A transaction owns the rows of its locks until it commits, so
everything above them is ordered by them: stamps become visible in order, because whoever appends to
a log holds its lock until the append is durable. One group's life:

1. Transactions wait until no group on its way has a lock in common with them, and go together.
2. One round trip: begin, take the locks in sorted order, read all rows that are worth it.
3. The transactions run one after the other over an overlay; what else they read is fetched.
4. One round trip: delete, put, commit. Then all are answered together.

Groups without a lock in common are on their way side by side, on connections of their own. Where
the database drops a group before its commit was sent, it runs again; where the connection is lost
while it commits, nobody knows, and its callers are told to try again.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence

from penstock.base import limits
from penstock.base.clock import Clock
from penstock.base.errors.engine import EngineError, EngineUnavailable, TransactionConflict
from penstock.base.ids import Entropy
from penstock.storage.fibers import Fiber
from penstock.storage.overlay import Overlay
from penstock.storage.postgres_cluster import Cluster
from penstock.storage.postgres_connection import Connection, Reply, open_blocking
from penstock.storage.postgres_group import Group, GroupReader, Operation, Queue, UsualKeys
from penstock.storage.postgres_schema import prepare_schema
from penstock.storage.postgres_statements import BEGIN, COMMIT, ROLLBACK, changes, gets, lock, scan
from penstock.storage.postgres_views import Views
from penstock.storage.prefixes import Prefix, tip_key
from penstock.storage.waist import Lock, Reader, Span, Stamp, T, Transaction, log_span
from penstock.storage.watchers import Watchers, wake

log = logging.getLogger(__name__)

_TIP = Prefix.LOG_TIP.key
_TABLE = Prefix.TABLE.key
_TABLES = Span.of_prefix(_TABLE)
_COMMITTED = b"COMMIT"


class InDoubt(EngineUnavailable):
    """The connection was lost while a group committed: it is there as a whole, or not at all."""


class PostgresEngine:
    """An `Engine` over PostgreSQL; see the waist for the contract of its public methods."""

    snapshots_wait = True

    def __init__(self, url: str, clock: Clock, node: bytes, schema: str) -> None:
        self._clock = clock
        self._watchers = Watchers()
        self._cluster = Cluster(url, node, schema, self._watchers)
        self._views = Views(self._cluster)
        self._usual = UsualKeys()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._queue = Queue()
        self._groups: dict[Group, asyncio.Task[None]] = {}
        self._lanes: list[Connection] = []
        self._scheduled = False
        self._late: asyncio.TimerHandle | None = None
        self._closed = False

    @classmethod
    def open(cls, url: str, clock: Clock, entropy: Entropy) -> "PostgresEngine":
        """Connect to the database of `url`, and make its tables or upgrade them; blocks.

        `url` is what libpq takes. Raises EngineUnavailable where the database cannot be reached,
        StoreIncompatible where its tables are of a release that lets this one not use them, and
        EngineError for anything else that it refuses.
        """
        connection = open_blocking(url, clock, prepared=False)
        try:
            prepare_schema(connection)
            _warn_of_settings(connection)
            schema = _text(connection, "SELECT current_schema()")
        finally:
            connection.close()
        return cls(url, clock, entropy.bits(64).to_bytes(8, "big"), schema)

    async def transact(
        self,
        work: Callable[[Transaction], T],
        *,
        locks: Sequence[Lock] = (),
        reads: Sequence[bytes] = (),
    ) -> T:
        loop = asyncio.get_running_loop()
        self._begin(loop)
        answer: asyncio.Future[T] = loop.create_future()
        until_ms = self._cluster.now_ms() + limits.postgres_group_seconds_max * 1000
        self._queue.add(Operation(work, locks, reads, answer, until_ms))
        if not self._scheduled:
            # On the loop's next turn, so that everything that is ready now joins the group.
            self._scheduled = True
            loop.call_soon(self._start_groups)
        return await answer

    def snapshot(self, work: Callable[[Reader], T]) -> T:
        self._begin(asyncio._get_running_loop())  # noqa: SLF001 - public by its documentation
        return self._views.run(work)

    def watch(self, log: bytes, seen: Stamp, seconds_max: float) -> asyncio.Future[None]:
        self._begin(asyncio.get_running_loop())
        tip = tip_key(log)
        woken = self._watchers.add(tip, seconds_max)
        span = log_span(log, after=seen)

        async def look() -> None:
            try:
                _, reply = await self._cluster.patiently(
                    lambda connection: connection.send(
                        [*gets([tip]), scan(span, 1, backward=False)]
                    )
                )
            except EngineError:
                return  # who waits asks when its time is over, and hears of it
            rows = dict(reply.rows())
            self._cluster.saw_tip(tip, rows.pop(tip, None))
            if rows:
                wake(woken)

        self._cluster.start(look())
        return woken

    def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        closed = EngineUnavailable("the store was closed before this was durable")
        for operation in self._queue.drop():
            operation.fail(closed)
        for group, task in list(self._groups.items()):
            group.fail(closed)
            if self._loop is not None and not self._loop.is_closed():
                task.cancel()
        self._cluster.leave()
        self._views.close()
        for connection in self._lanes:
            connection.close()
        if self._loop is not None and not self._loop.is_closed():
            self._watchers.wake_all()

    # --- the life of a group

    def _start_groups(self) -> None:
        """Let groups go for as long as there is one that can, and a lane for it."""
        self._scheduled = False
        loop = asyncio.get_running_loop()
        while len(self._groups) <= limits.postgres_lanes:
            if len(self._groups) < limits.postgres_lanes:
                group = self._queue.take(widely=self._cluster.others > 0)
            else:  # what only reads, as the check of the store does, is kept up by no other
                group = self._queue.take_free()
            if group is None:
                break
            self._groups[group] = loop.create_task(Fiber(self._see_through(group)))
        if self._queue and self._late is None:
            self._late = loop.call_later(limits.postgres_late_seconds, self._drop_late)

    def _drop_late(self) -> None:
        """Fail what has waited too long for a group, and look again while anything waits."""
        self._late = None
        self._queue.drop_late(self._cluster.now_ms())
        self._start_groups()

    async def _see_through(self, group: Group) -> None:
        """Carry a group out, again where that may help, and answer all that are in it."""
        try:
            while not await self._try(group):
                await asyncio.sleep(limits.postgres_retry_seconds)
        except EngineError as error:
            group.fail(error)
        except Exception as error:  # a bug of ours ends one group, never the node
            log.exception("A group of transactions failed")
            group.fail(EngineUnavailable(f"the store failed: {error!r}"))
        except BaseException:
            group.fail(EngineUnavailable("the store was closed before this was durable"))
            raise
        finally:
            if self._groups.pop(group, None) is not None and not self._closed:
                self._queue.free(group)
                self._start_groups()
            else:
                group.fail(EngineUnavailable("the store was closed before this was durable"))

    async def _try(self, group: Group) -> bool:
        """Carry a group out; False where it is worth another try. Raises EngineError for good."""
        try:
            connection = await self._lane()
            try:
                await self._carry_out(group, connection)
            except BaseException:
                connection.close()
                raise
        except InDoubt:
            self._watchers.wake_all()  # it may be there all the same
            raise
        except (EngineUnavailable, TransactionConflict) as error:
            if self._closed:
                raise
            return not group.drop_late(self._cluster.now_ms(), error)
        self._lanes.append(connection)
        return True

    async def _lane(self) -> Connection:
        while self._lanes:
            connection = self._lanes.pop()
            if connection.failure is None:
                return connection
        return await self._cluster.open_soon()

    async def _carry_out(self, group: Group, connection: Connection) -> None:
        """Run the works of a group in a transaction of the database, and answer them."""
        requests = [BEGIN]
        locked: Reply | None = None
        if group.slots:
            requests.append(lock(sorted(group.slots)))
            if self._cluster.others:
                # Another node may hold the locks for a while, in which more comes that can go too.
                locked = connection.send(requests)
                await locked.future()
                _check_locked(locked, group)
                requests = []
                self._queue.join(group)
        keys = group.keys(self._usual)
        if keys:
            requests += gets(keys)
        reply = connection.send(requests)
        await reply.future()
        rows: dict[bytes, bytes | None] = dict.fromkeys(keys)
        rows.update(reply.rows())
        if group.slots and locked is None:
            _check_locked(reply, group)
        reader = GroupReader(connection, rows)
        overlay = group.run(reader, self._clock)
        if overlay.changed:
            await self._commit(connection, reader, overlay)
        else:  # nothing to wait for: a commit would wait for the disk, since locks are written
            connection.send([ROLLBACK])
        self._note(reader, overlay)
        group.settle()

    async def _commit(self, connection: Connection, reader: GroupReader, overlay: Overlay) -> None:
        """Write all of `overlay` and commit; InDoubt where nobody can know whether that is done."""
        requests = [*changes(list(overlay.clears), overlay.writes), COMMIT]
        seconds_max = (
            limits.postgres_clear_seconds_max
            if overlay.clears
            else limits.postgres_reply_seconds_max
        )
        hold = await self._cluster.hold(seconds_max) if _replaces_tables(reader, overlay) else None
        if connection.failure is not None:  # before anything was sent, so that nothing is in doubt
            if hold is not None:
                self._cluster.release(hold)
            raise type(connection.failure)(*connection.failure.args)
        self._forget_tables(overlay)
        reply = connection.send(requests, seconds_max)
        await reply.future()
        if reply.error is not None and connection.failure is not None:
            raise InDoubt(*reply.error.args)
        if hold is not None:  # what is in doubt holds on for its time
            self._cluster.release(hold)
        _check_committed(reply)

    def _forget_tables(self, overlay: Overlay) -> None:
        """Keep none of the descriptors at hand that `overlay` replaces."""
        tables = self._views.tables
        for key in overlay.writes:
            if key[:1] == _TABLE:
                tables.replaced(key)
        if _clears_tables(overlay):
            tables.all_replaced()

    def _note(self, reader: GroupReader, overlay: Overlay) -> None:
        """Learn from a group that is committed, and tell who waits for what it wrote."""
        for name, keys in reader.missed.items():
            self._usual.learn(name, keys)
        writes = overlay.writes
        self._watchers.wake(writes.keys())
        if self._cluster.others:
            self._cluster.tell(key for key in writes if key[:1] == _TIP)

    # --- the rest

    def _begin(self, loop: asyncio.AbstractEventLoop | None) -> None:
        if self._closed:
            raise EngineUnavailable("the store is closed")
        if self._cluster.refusal is not None:
            raise type(self._cluster.refusal)(*self._cluster.refusal.args)
        if loop is not None and loop is not self._loop:
            self._move_to(loop)

    def _move_to(self, loop: asyncio.AbstractEventLoop) -> None:
        """Serve `loop` from now on; what an earlier loop left behind is dropped with it."""
        self._loop = loop
        self._scheduled = False
        self._late = None
        self._queue.drop()
        self._groups.clear()
        self._watchers.forget_all()
        self._views.move()
        self._cluster.move(loop)


def _check_locked(reply: Reply, group: Group) -> None:
    """Raise EngineError where a lock of a group has no row, and so nobody to keep out."""
    if reply.checked()[1].ntuples < len(group.slots):
        raise EngineError("rows of the table of locks are missing")


def _replaces_tables(reader: GroupReader, overlay: Overlay) -> bool:
    """Say whether a descriptor is written where one may be; nobody keeps that there is none."""
    written = (key for key in overlay.writes if key[:1] == _TABLE)
    return any(reader.rows.get(key, b"") is not None for key in written) or _clears_tables(overlay)


def _clears_tables(overlay: Overlay) -> bool:
    start, end = _TABLES
    return any(span.end > start and span.start < end for span in overlay.clears)


def _check_committed(reply: Reply) -> None:
    """Raise where a group that was answered is not surely committed and durable."""
    results = reply.checked()
    if results[-1].command_status != _COMMITTED:
        raise EngineUnavailable("PostgreSQL has rolled a transaction back")
    if reply.warning:
        # Such as: the wait for the synchronous replica was cancelled.
        raise InDoubt(f"PostgreSQL warned while it committed: {reply.warning}")


def _warn_of_settings(connection: Connection) -> None:
    """Tell the log of settings with which what is acknowledged may be lost."""
    for name in ("fsync", "full_page_writes"):
        if _text(connection, f"SELECT current_setting('{name}', true)") == "off":
            log.warning(
                "PostgreSQL may lose what it acknowledged", extra={"setting": f"{name}=off"}
            )


def _text(connection: Connection, statement: str) -> str:
    results = connection.block(connection.send_text([statement])).checked()
    value = results[-1].get_value(0, 0) if results[-1].ntuples else None
    return (value or b"").decode()
