"""A node among others over one PostgreSQL: how it is reached, who else is there, and hints to them.

A node says every second that it is there, in a row that the database's own clock lets expire. So a
node that is alone need tell nobody anything, and one that is not alone knows it:

- What a node has written it tells the others by NOTIFY, after the commit and not as a part of it,
  since commits with a NOTIFY wait for each other. It is a hint: a lost one delays a reader.
- A node may give out a table's descriptor that it read at most `postgres_table_age_ms_max` ago. So
  who replaces one lets a row say so first, with which nobody keeps what they read, and commits that
  much later if others are there: then everybody sees the change at one moment. Only time that
  passes is compared, never the clocks of two machines.
"""

import asyncio
import base64
import contextlib
import logging
import threading
from collections.abc import Callable, Coroutine, Iterable
from typing import Any
from zlib import crc32

from penstock.base import limits
from penstock.base.clock import SystemClock
from penstock.base.errors.engine import (
    EngineError,
    EngineFull,
    EngineUnavailable,
    StoreIncompatible,
    TransactionConflict,
)
from penstock.storage.fibers import in_fiber, wait_for
from penstock.storage.postgres_connection import Connection, Reply, open_blocking, open_soon
from penstock.storage.postgres_schema import VERSION
from penstock.storage.postgres_statements import END_STUCK, Request, gets, int8, number_of
from penstock.storage.watchers import Watchers, wake

log = logging.getLogger(__name__)

_ANYTHING = b"*"
_QUEUE_IS_FULL = "(54000)"
"""How it is told that a NOTIFY found no room: somebody else's session does not listen."""
_PASSING = (EngineUnavailable, EngineFull, TransactionConflict)
"""Errors after which the same may be done the next time."""
Send = Callable[[Connection], Reply]


class Cluster:
    """One node: the connection that it shares among readers, and what it knows of other nodes."""

    def __init__(self, url: str, node: bytes, schema: str, watchers: Watchers) -> None:
        self._url = url
        self._node = node
        self._channel = f"penstock_{crc32(schema.encode()):08x}".encode()
        self._watchers = watchers
        self._tips: dict[bytes, bytes] = {}
        """What the tips that somebody waits for were when they were last looked at."""
        self._clock = SystemClock()  # of the network and of other nodes: no test moves these
        self._tasks: set[asyncio.Task[Any]] = set()
        self._opening: asyncio.Task[Connection] | None = None
        self._adopted_ms = 0.0
        self._holds = 0
        self._told: set[bytes] = set()
        self._telling: asyncio.TimerHandle | None = None
        self._can_tell = True
        self._can_end = True
        self._trouble: str | None = None
        self._closed = False
        self.connection: Connection | None = None
        """What is read by, and heard by; None while there is none."""
        self.others = 0
        """How many other nodes there were at the last beat."""
        self.known_since_ms = 0.0
        """Since when the others know that this node is there, by `now_ms`."""
        self.known_until_ms = 0.0
        """Until when they do."""
        self.refusal: EngineError | None = None
        """Why this node may use the store no more, if so."""

    def now_ms(self) -> float:
        """Return milliseconds that pass, whatever a test does to the clock."""
        return self._clock.elapsed_ms()

    # --- connections

    @property
    def closed(self) -> bool:
        """Say whether this node has left, so that nothing is worth another try."""
        return self._closed

    def open(self) -> Connection:
        """Return a new connection; a fiber lets others go on meanwhile."""
        self._check_open()
        if not in_fiber():
            return open_blocking(self._url, self._clock)
        task = asyncio.get_running_loop().create_task(open_soon(self._url, self._clock))
        self.keep(task)
        try:
            return wait_for(task)
        except BaseException:  # it may be open by now, and nobody has it
            task.add_done_callback(_close_opened)
            raise

    async def open_soon(self) -> Connection:
        """Return a new connection."""
        return await open_soon(self._url, self._clock)

    def held(self) -> Connection:
        """Return the shared connection, opened anew where it was lost."""
        if self.connection is None or self.connection.failure is not None:
            if in_fiber():
                task = asyncio.get_running_loop().create_task(self._hold())
                self.keep(task)
                return wait_for(task)
            return self._adopt(self.open())
        return self.connection

    async def _hold(self) -> Connection:
        """Do what `held` does; many at once open one connection, whoever of them is cancelled."""
        if self.connection is not None and self.connection.failure is None:
            return self.connection
        self._check_open()
        if self._opening is None or self._opening.done():
            self._opening = asyncio.get_running_loop().create_task(self._open_held())
            self._opening.add_done_callback(_seen)
        return await asyncio.shield(self._opening)

    async def _open_held(self) -> Connection:
        return self._adopt(await self.open_soon())

    def _adopt(self, connection: Connection) -> Connection:
        """Share `connection` from now on; return what is shared, if another was opened faster."""
        if self._closed:
            connection.close()
        self._check_open()
        if self.connection is not None and self.connection.failure is None:
            connection.close()
            return self.connection
        is_another = self.connection is not None
        self.connection = connection
        connection.on_notify = self._heard
        self._adopted_ms = self.now_ms()
        self.known_until_ms = 0.0  # another server, or the same again, may not know what one knew
        # What is written here is worth no wait of readers for the disk or a replica.
        connection.send_text(["SET synchronous_commit = off"])
        connection.send_text([f"LISTEN {self._channel.decode()}"])  # where there is such a thing
        if is_another:  # what was told meanwhile was not heard
            self._watchers.wake_all()
        return connection

    def _check_open(self) -> None:
        if self._closed:
            raise EngineUnavailable("the store is closed")

    async def patiently(self, send: Send) -> tuple[float, Reply]:
        """Return the reply to what `send` sends and when it was sent, trying for some seconds."""
        until_ms = self.now_ms() + limits.postgres_group_seconds_max * 1000
        while True:
            try:
                connection = await self._hold()
                asked_ms = self.now_ms()
                reply = send(connection)
                await reply.future()
                reply.checked()
            except EngineUnavailable:
                if self.now_ms() > until_ms or self._closed:
                    raise
                await asyncio.sleep(limits.postgres_retry_seconds)
            else:
                return asked_ms, reply

    def pause(self) -> None:
        """Wait before another try; a fiber lets others go on."""
        if in_fiber():
            loop = asyncio.get_running_loop()
            over = loop.create_future()
            loop.call_later(limits.postgres_retry_seconds, wake, over)
            wait_for(over)
        else:
            threading.Event().wait(limits.postgres_retry_seconds)

    # --- the life of a node

    def move(self, loop: asyncio.AbstractEventLoop) -> None:
        """Live on `loop` from now on."""
        self._tasks.clear()
        self._opening = self._telling = None
        self._told.clear()
        self.keep(loop.create_task(self._live()))

    def keep(self, task: "asyncio.Task[Any]") -> None:
        """Keep a task until it is done: the loop does not."""
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def start(self, work: Coroutine[Any, Any, Any]) -> None:
        """Let `work` run beside what calls."""
        self.keep(asyncio.get_running_loop().create_task(work))

    def leave(self) -> None:
        """Say that this node is gone, if that can be said quickly, and close the connection."""
        self._closed = True
        if self._telling is not None:
            self._telling.cancel()
        connection, self.connection = self.connection, None
        if connection is not None:
            if connection.failure is None:
                reply = connection.send([Request(b"leave", (self._node,))])
                connection.block(reply, limits.postgres_close_seconds_max)
            connection.close()

    async def _live(self) -> None:
        while not self._closed:
            try:
                await self.beat()
            except EngineError as error:
                self._note(str(error))
            except Exception:  # a bug of ours ends one beat, never the node
                log.exception("A node's beat failed")
            else:
                self._note(None)
            await asyncio.sleep(limits.postgres_beat_seconds)

    async def beat(self) -> None:
        """Say that this node is there, and see who else is; EngineError where nobody hears."""
        requests = [
            Request(b"beat", (self._node, int8(limits.postgres_node_life_ms))),
            Request(b"forget_nodes"),
            Request(b"others", (self._node,)),
            Request(b"oldest"),
        ]
        connection = await self._hold()
        sent_ms = self.now_ms()
        reply = connection.send(requests)
        await reply.future()
        *_, others, oldest = reply.checked()
        self.others = number_of(others.get_value(0, 0))
        now_ms = self.now_ms()
        if connection is self.connection:
            if now_ms >= self.known_until_ms:
                self.known_since_ms = now_ms
            self.known_until_ms = sent_ms + limits.postgres_node_life_ms / 2
        if not oldest.ntuples or number_of(oldest.get_value(0, 0)) > VERSION:
            self._refuse()
        if self.others:
            await self._look_at_tips(connection)
        else:
            self._tips = {}
        await self._end_stuck(connection)

    async def _end_stuck(self, connection: Connection) -> None:
        """End the session of a node that stands still in the middle of a message, if need be.

        It is no longer among the others then.
        """
        if self._can_end and not connection.limits_transactions:
            reply = connection.send_text([END_STUCK])
            await reply.future()
            self._can_end = reply.error is None or isinstance(reply.error, _PASSING)

    async def _look_at_tips(self, connection: Connection) -> None:
        """Hint at the watched tips that have changed since the last beat: a NOTIFY can be lost."""
        watched = list(self._watchers.tips)
        if not watched:
            self._tips = {}
            return
        reply = connection.send(gets(watched))
        await reply.future()
        before, self._tips = self._tips, dict(reply.rows())
        self._watchers.wake([tip for tip, value in self._tips.items() if before.get(tip) != value])

    def saw_tip(self, tip: bytes, value: bytes | None) -> None:
        """Note what a tip was when somebody began to wait for it."""
        if value is not None:
            self._tips.setdefault(tip, value)

    def _refuse(self) -> None:
        if self.refusal is None:
            self.refusal = StoreIncompatible(
                "the tables were upgraded by a newer release, which lets this one not use them"
            )
            log.error(
                "This node may not use the store any more", extra={"error": str(self.refusal)}
            )

    def _note(self, trouble: str | None) -> None:
        """Tell the log when trouble begins and when it ends, not at every beat."""
        if trouble is not None and self._trouble is None:
            log.error("PostgreSQL cannot be reached", extra={"error": trouble})
        elif trouble is None and self._trouble is not None:
            log.info("PostgreSQL can be reached again")
        self._trouble = trouble

    # --- others

    async def hold(self, seconds_max: float) -> bytes:
        """Keep every node from keeping descriptors; return once none gives out one that it kept.

        It lasts until `release` of what is returned, or twice `seconds_max`.

        1. Who asks for a descriptor from now on finds the hold, and keeps nothing.
        2. Who is not among the others by now has kept nothing from before.
        3. What the others have kept grows too old.
        """
        self._holds += 1
        hold = self._node + int8(self._holds)
        until = int8(int(seconds_max * 2000))
        await self.patiently(
            lambda connection: connection.send([Request(b"hold", (hold, until))])  # 1
        )
        _, reply = await self.patiently(
            lambda connection: connection.send([Request(b"others", (self._node,))])  # 2
        )
        age_ms = limits.postgres_table_age_ms_max * 1.1
        # A server that has only just started may have forgotten the last ones who came.
        is_new = self.now_ms() < self._adopted_ms + age_ms
        if is_new or number_of(reply.checked()[0].get_value(0, 0)):
            await asyncio.sleep(age_ms / 1000)  # 3
        return hold

    def release(self, hold: bytes) -> None:
        """End a hold, if that can be said; time ends it otherwise."""
        if self.connection is not None and self.connection.failure is None:
            self.connection.send([Request(b"release", (hold,))])

    def tell(self, written: Iterable[bytes]) -> None:
        """Hint to the other nodes that rows were written: the tips of logs."""
        if not self.others or not self._can_tell:
            return
        self._told.update(written)
        if self._told and self._telling is None:
            loop = asyncio.get_running_loop()
            self._telling = loop.call_later(limits.postgres_notify_seconds, self._tell)

    def _tell(self) -> None:
        self._telling = None
        told, self._told = self._told, set()
        connection = self.connection
        if connection is None or connection.failure is not None:
            return
        words = b" ".join(base64.b64encode(key) for key in told)
        if len(words) > limits.postgres_notify_bytes_max:
            words = _ANYTHING
        hint = self._node.hex().encode() + b" " + words
        connection.send([Request(b"tell", (self._channel, hint))]).then(self._has_told)

    def _has_told(self, reply: Reply) -> None:
        is_passing = isinstance(reply.error, _PASSING) or _QUEUE_IS_FULL in str(reply.error)
        if reply.error is not None and not is_passing:
            self._can_tell = False
            log.warning("Other nodes cannot be told of changes", extra={"error": str(reply.error)})

    def _heard(self, hint: bytes) -> None:
        node, *words = hint.split(b" ")
        if node == self._node.hex().encode():
            return
        if _ANYTHING in words:
            self._watchers.wake_all()
            return
        with contextlib.suppress(ValueError):  # a hint of somebody else's
            self._watchers.wake([base64.b64decode(word, validate=True) for word in words])


def _seen(task: "asyncio.Task[Any]") -> None:
    """Take note of how a task ended, of which nobody may be left to hear."""
    if not task.cancelled():
        task.exception()


def _close_opened(opening: "asyncio.Task[Connection]") -> None:
    """Close what nobody waits for any longer."""
    if not opening.cancelled() and opening.exception() is None:
        opening.result().close()
