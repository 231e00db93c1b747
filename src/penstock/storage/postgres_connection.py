"""One connection to PostgreSQL, in libpq's pipeline mode: many requests on their way at once.

`psycopg` opens the connection and wraps libpq. From there this file drives the socket itself,
because a group of transactions is two round trips, and what a general client does for each
statement would cost more than the statement. A `Reply` is waited for by a coroutine, by a fiber, or
by nobody's leave: then the thread stands still, as in tests and at the start.

Facts: PostgreSQL 18 manual, libpq, pipeline mode, 2026-11: statements of a batch after a failed one
are not carried out, up to the batch's sync; replies come in the order of the requests.
"""

import asyncio
import select
from collections.abc import Callable, Sequence

import psycopg
from psycopg import pq
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from penstock.base import limits
from penstock.base.clock import Clock
from penstock.base.errors.engine import EngineError, EngineUnavailable
from penstock.storage.fibers import in_fiber, wait_for
from penstock.storage.postgres_errors import engine_error, why
from penstock.storage.postgres_statements import PREPARED, SESSION, Request

_BINARY = 1
_ENDED = pq.ExecStatus.PIPELINE_SYNC
_FAILED = pq.ExecStatus.FATAL_ERROR
_SKIPPED = pq.ExecStatus.PIPELINE_ABORTED
_SQLSTATE = pq.DiagnosticField.SQLSTATE
_SEVERITY = pq.DiagnosticField.SEVERITY_NONLOCALIZED
_UNKNOWN_SETTING = "42704"
_LIMITS_TRANSACTIONS = 17_00_00
_DEFAULTS: dict[str, str | int] = {
    "connect_timeout": limits.postgres_connect_seconds_max,
    "fallback_application_name": "penstock",
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": int(limits.postgres_reply_seconds_max * 1000),
    # A replica may be behind, and what was acknowledged would not be seen.
    "target_session_attrs": "read-write",
}
"""Parameters of libpq, for a URL that does not name them."""

Rows = list[tuple[bytes, bytes]]
OnNotify = Callable[[bytes], None]


class Reply:
    """What comes back for one batch: the results of its statements, or the error of the first."""

    __slots__ = ("_then", "_waiter", "_warned", "done", "error", "limit", "results")

    def __init__(self) -> None:
        self.results: list[pq.abc.PGresult] = []
        self.error: EngineError | None = None
        self.done = False
        self.limit: asyncio.TimerHandle | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._then: Callable[[Reply], None] | None = None
        self._warned = ""

    @property
    def warning(self) -> str:
        """What the server warned of while it carried out the batch, or nothing."""
        return self._warned

    def warn(self, text: str) -> None:
        """Keep a warning of the server's."""
        self._warned = self._warned or text

    def end(self) -> None:
        """Let whoever waits go on: all is here, or never will be."""
        self.done = True
        if self.limit is not None:
            self.limit.cancel()
            self.limit = None
        if self._then is not None:
            self._then(self)
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def then(self, call: "Callable[[Reply], None]") -> None:
        """Have `call` called with this reply once it is done; it raises nothing."""
        self._then = call
        if self.done:
            call(self)

    def future(self) -> asyncio.Future[None]:
        """Return what is done when the reply is, for one who waits."""
        waiter = self._waiter
        if waiter is None or waiter.cancelled():
            waiter = self._waiter = asyncio.get_running_loop().create_future()
            if self.done:
                waiter.set_result(None)
        return waiter

    def checked(self) -> list[pq.abc.PGresult]:
        """Return the results of a reply that is done; raises its error."""
        if self.error is not None:
            raise type(self.error)(*self.error.args) from self.error
        return self.results

    def rows(self) -> Rows:
        """Return the rows of all results that have two columns."""
        return [
            (result.get_value(row, 0) or b"", result.get_value(row, 1) or b"")
            for result in self.checked()
            if result.nfields == 2
            for row in range(result.ntuples)
        ]


class Connection:
    """A connection that is open until something goes wrong with it."""

    def __init__(
        self, session: "psycopg.Connection | psycopg.AsyncConnection", clock: Clock
    ) -> None:
        self._session = session  # which closes the connection where it is forgotten
        self._libpq = session.pgconn
        self._clock = clock
        self._loop: asyncio.AbstractEventLoop | None = None
        self._sent: list[Reply] = []
        self._writing = False
        self._look: asyncio.TimerHandle | None = None
        self.on_notify: OnNotify | None = None
        self.failure: EngineError | None = None
        self._socket = self._libpq.socket
        self._libpq.notice_handler = self._noticed
        self._libpq.nonblocking = 1
        self._libpq.enter_pipeline_mode()

    def __del__(self) -> None:
        # One that was opened for a task that was cancelled meanwhile.
        self._libpq.finish()

    @property
    def limits_transactions(self) -> bool:
        """Say whether the server ends what takes too long (PostgreSQL 17, transaction_timeout)."""
        return self._libpq.server_version >= _LIMITS_TRANSACTIONS

    # --- asking

    def send(
        self, requests: Sequence[Request], seconds_max: float = limits.postgres_reply_seconds_max
    ) -> Reply:
        """Send a batch of statements; the connection fails where no reply comes in time."""
        reply = Reply()
        try:
            for request in requests:
                self._ask(request)
        except psycopg.Error as error:
            self.fail(_lost(error))
        return self._sent_off(reply, seconds_max)

    def send_text(
        self, statements: Sequence[str], seconds_max: float = limits.postgres_reply_seconds_max
    ) -> Reply:
        """Send a batch of statements that are not prepared."""
        reply = Reply()
        try:
            for statement in statements:
                self._libpq.send_query_params(statement.encode(), None, result_format=_BINARY)
        except psycopg.Error as error:
            self.fail(_lost(error))
        return self._sent_off(reply, seconds_max)

    def set_up(self) -> None:
        """Set the session up; blocks, raises EngineError."""
        for statement in SESSION:
            _check_set(self.block(self.send_text([statement])))

    def prepare(self) -> None:
        """Prepare every statement; blocks, raises EngineError."""
        self.block(self._send_prepares()).checked()

    async def prepare_soon(self) -> None:
        """Do what `set_up` and `prepare` do, on the event loop."""
        replies = [self.send_text([statement]) for statement in SESSION]
        prepared = self._send_prepares()
        await prepared.future()
        for reply in replies:
            _check_set(reply)
        prepared.checked()

    # --- waiting

    def wait(self, reply: Reply) -> Reply:
        """Return `reply` once it is done; a fiber lets others go on, all else stands still."""
        if not reply.done:
            if in_fiber():
                wait_for(reply.future())
            else:
                self.block(reply)
        return reply

    def block(self, reply: Reply, seconds_max: float = limits.postgres_reply_seconds_max) -> Reply:
        """Return `reply` once it is done, and let nothing else go on meanwhile."""
        until = self._clock.elapsed_ms() + seconds_max * 1000
        poll = select.poll()
        while not reply.done:
            left = until - self._clock.elapsed_ms()
            poll.register(self._socket, select.POLLIN | (select.POLLOUT if self._writing else 0))
            if left > 0 and poll.poll(left):
                self._ready()
            else:
                self._too_late(reply)
        return reply

    # --- the end

    def fail(self, error: EngineError) -> None:
        """Close the connection; whatever waits for a reply of it fails with `error`."""
        if self.failure is None:
            self.failure = error
            self._detach()
            self._libpq.finish()
        sent, self._sent = self._sent, []
        for reply in sent:
            reply.error = reply.error or error
            reply.end()

    def close(self) -> None:
        """Close the connection; safe twice."""
        self.fail(EngineUnavailable("the store is closed"))

    # --- inside

    def _ask(self, request: Request) -> None:
        parameters = request.parameters
        self._libpq.send_query_prepared(
            request.name, parameters, [_BINARY] * len(parameters), _BINARY
        )

    def _send_prepares(self) -> Reply:
        reply = Reply()
        try:
            for name, statement in PREPARED.items():
                self._libpq.send_prepare(name, statement.encode())
        except psycopg.Error as error:
            self.fail(_lost(error))
        return self._sent_off(reply, limits.postgres_reply_seconds_max)

    def _sent_off(self, reply: Reply, seconds_max: float) -> Reply:
        if self.failure is not None:
            reply.error = self.failure
            reply.end()
            return reply
        self._sent.append(reply)
        loop = asyncio._get_running_loop()  # noqa: SLF001 - public by its documentation; None where there is none
        if loop is not None:
            if loop is not self._loop:
                self._attach(loop)
            reply.limit = loop.call_later(seconds_max, self._too_late, reply)
            if self._look is None:
                self._look = loop.call_later(limits.postgres_look_seconds, self._look_again)
        try:
            self._libpq.pipeline_sync()
            self._flush()
        except psycopg.Error as error:
            self.fail(_lost(error))
        return reply

    def _too_late(self, reply: Reply) -> None:
        """Fail unless `reply` has come: a process that was stopped finds out here, all at once."""
        self._ready()
        if not reply.done:
            self.fail(EngineUnavailable("PostgreSQL did not answer in time"))

    def _look_again(self) -> None:
        """Look at the socket while anything is waited for, whatever the loop tells of it.

        uvloop, 2026-11: of a socket with an error, as of one that was reset, it tells its exception
        handler alone, and never again its reader.
        """
        self._look = None
        poll = select.poll()
        poll.register(self._socket, select.POLLIN)
        if self._sent and poll.poll(0):
            self._ready()
        if self._sent and self._loop is not None:
            self._look = self._loop.call_later(limits.postgres_look_seconds, self._look_again)

    def _attach(self, loop: asyncio.AbstractEventLoop) -> None:
        self._detach()
        self._loop = loop
        loop.add_reader(self._socket, self._ready)

    def _detach(self) -> None:
        loop, self._loop = self._loop, None
        if loop is not None and not loop.is_closed():
            loop.remove_reader(self._socket)
            loop.remove_writer(self._socket)
        self._writing = False
        if self._look is not None:
            self._look.cancel()
            self._look = None

    def _flush(self) -> None:
        writing = bool(self._libpq.flush())
        if writing != self._writing:
            self._writing = writing
            if self._loop is None:
                return
            if writing:
                self._loop.add_writer(self._socket, self._ready)
            else:
                self._loop.remove_writer(self._socket)

    def _ready(self) -> None:
        """Take in what has come, and send on what had no room."""
        libpq = self._libpq
        try:
            libpq.consume_input()
            if self._writing:
                self._flush()
            while self._sent and not libpq.is_busy():
                self._take(libpq.get_result())
            while self.failure is None and (notified := libpq.notifies()) is not None:
                if self.on_notify is not None:
                    self.on_notify(notified.extra)
        except psycopg.Error as error:
            said = self._sent[0].error if self._sent else None  # the server's last words
            self.fail(said or _lost(error))

    def _take(self, result: "pq.abc.PGresult | None") -> None:
        if result is None:  # the end of one statement's results
            return
        reply, status = self._sent[0], result.status
        if status == _ENDED:
            del self._sent[0]
            reply.end()
        elif status == _FAILED:
            if reply.error is None:
                reply.error = _error_of(result)
        elif status != _SKIPPED:
            reply.results.append(result)

    def _noticed(self, notice: "pq.abc.PGresult") -> None:
        if self._sent and notice.error_field(_SEVERITY) == b"WARNING":
            self._sent[0].warn(notice.get_error_message())


def open_blocking(url: str, clock: Clock, *, prepared: bool = True) -> Connection:
    """Open a connection and stand still meanwhile; EngineError where that cannot be.

    One that is not `prepared` takes only text, as before there are any tables.
    """
    try:
        session = psycopg.Connection.connect(_with_defaults(url), autocommit=True)
    except psycopg.Error as error:
        raise EngineUnavailable(f"PostgreSQL cannot be reached: {why(error)}") from None
    connection = _connection(session, clock)
    try:
        connection.set_up()
        if prepared:
            connection.prepare()
    except EngineError:
        connection.close()
        raise
    return connection


async def open_soon(url: str, clock: Clock) -> Connection:
    """Open a connection on the event loop; EngineError where that cannot be."""
    try:
        async with asyncio.timeout(_connect_seconds_max(url)):
            session = await psycopg.AsyncConnection.connect(_with_defaults(url), autocommit=True)
    except (psycopg.Error, TimeoutError, OSError) as error:
        raise EngineUnavailable(f"PostgreSQL cannot be reached: {why(error)}") from None
    connection = _connection(session, clock)
    try:
        await connection.prepare_soon()
    except BaseException:
        connection.close()
        raise
    return connection


def _connection(
    session: "psycopg.Connection | psycopg.AsyncConnection", clock: Clock
) -> Connection:
    try:
        return Connection(session, clock)
    except psycopg.Error as error:  # it is lost again by now
        raise _lost(error) from None


def _lost(error: psycopg.Error) -> EngineUnavailable:
    return EngineUnavailable(f"the connection to PostgreSQL is lost: {why(error)}")


def _with_defaults(url: str) -> str:
    """Return `url` with what it does not say itself: limits, so that a dead peer is found out."""
    return make_conninfo("", **(_DEFAULTS | conninfo_to_dict(url)))


def _connect_seconds_max(url: str) -> float:
    """Return how long all hosts of `url` may take together: names are looked up, each is tried."""
    given = conninfo_to_dict(url)
    hosts = str(given.get("host") or given.get("hostaddr") or "").count(",") + 1
    return limits.postgres_connect_seconds_max * (hosts + 1)


def _error_of(result: "pq.abc.PGresult") -> EngineError:
    state = (result.error_field(_SQLSTATE) or b"").decode("ascii", "replace")
    return engine_error(state, result.get_error_message())


def _check_set(reply: Reply) -> None:
    """Raise the error of a setting that is refused; one that the server does not know may be."""
    if reply.error is not None and _UNKNOWN_SETTING not in str(reply.error):
        raise reply.error
