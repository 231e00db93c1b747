"""Pipelined group commit: the `Engine` that every store with one writer is.

Transactions run one after the other over the overlay of the open group, and the group becomes
durable as one. While it does, the next group is applied. One group's life:

1. `transact` runs `work` over the open group at once, and waits for one future of its own.
2. When the flusher is free the group is written: transactions see it, readers do not.
3. The flusher syncs it, off the loop's thread.
4. The group is settled: readers see it, and all who wrote or read it are answered together.

Between 2 and 4 the next group fills. It lies over what is written, which may not be durable; that
is safe because nobody who read it is answered before it is. If 2 or 3 fails, the group and
everything applied over it are dropped, readers stay on the last durable state, and the store is
opened again from disk: what it then holds of the failed group is all of it or nothing, and was
acknowledged to nobody.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from functools import partial
from typing import Protocol

from penstock.base import limits
from penstock.base.clock import Clock
from penstock.base.errors.engine import EngineError, EngineUnavailable
from penstock.storage.flusher import Flusher
from penstock.storage.overlay import Overlay
from penstock.storage.prefixes import tip_key
from penstock.storage.waist import Lock, Reader, Stamp, T, Transaction, log_span
from penstock.storage.watchers import Watchers

log = logging.getLogger(__name__)

Answer = asyncio.Future[None]


class Store(Reader, Protocol):
    """What group commit needs of a driver. Reading it shows all that is written, durable or not.

    All methods raise `EngineError` only. `sync` and `reopen` run on the flusher's thread.
    """

    @property
    def durable(self) -> Reader:
        """The last settled state, also while a later one is written or has failed."""
        ...

    def reserve(self) -> None:
        """Raise EngineFull while there is no room for a group; nothing is touched."""
        ...

    def write(self, changes: Overlay) -> None:
        """Make all of `changes` visible to reads of the store, and none to `durable`."""
        ...

    def sync(self) -> None:
        """Put on disk what is written."""
        ...

    def settle(self) -> None:
        """Make what is written what `durable` shows."""
        ...

    def detach(self) -> None:
        """Let go of the durable state, before `reopen`."""
        ...

    def reopen(self) -> None:
        """Begin again from what is on disk, after a failed `write` or `sync`."""
        ...

    def close(self) -> None:
        """Let go of the store."""
        ...


class _Group:
    """The transactions that commit together."""

    __slots__ = ("answers", "full", "overlay", "transactions")

    def __init__(self, overlay: Overlay) -> None:
        self.overlay = overlay
        self.answers: list[Answer] = []
        self.transactions = 0
        self.full = False

    def add(self, transaction: Overlay) -> None:
        """Take in what `transaction`, which lies over this group, has written."""
        self.overlay.absorb(transaction)
        self.transactions += 1
        self.full = (
            self.transactions >= limits.commit_group_transactions_max
            or self.overlay.bytes_held >= limits.commit_group_bytes_max
        )


class GroupCommitEngine:
    """An `Engine` over a `Store`; see the waist for the contract of its public methods."""

    snapshots_wait = False
    """What is durable is at hand."""

    def __init__(self, store: Store, flusher: Flusher, clock: Clock) -> None:
        self._store = store
        self._flusher = flusher
        self._clock = clock
        self._loop: asyncio.AbstractEventLoop | None = None
        self._open = self._new_group()
        self._flushing: _Group | None = None
        self._scheduled = False
        self._trouble: EngineError | None = None
        self._has_room = True
        self._reopening = False
        self._reopen_at = 0.0
        self._closed = False
        self._turns: list[Answer] = []
        self._watchers = Watchers()

    async def transact(
        self,
        work: Callable[[Transaction], T],
        *,
        locks: Sequence[Lock] = (),
        reads: Sequence[bytes] = (),
    ) -> T:
        loop = asyncio.get_running_loop()
        if loop is not self._loop:
            self._move_to(loop)
        while self._trouble is not None or self._open.full:
            await self._admission(loop)
        transaction = self._begin(self._open.overlay, locks)
        try:
            result = work(transaction)
        except Exception:
            await self._reads_durable(loop)
            raise
        if transaction.changed:
            await self._join(transaction, loop)
        else:
            await self._reads_durable(loop)
        return result

    def snapshot(self, work: Callable[[Reader], T]) -> T:
        self._check_open()
        return work(self._store.durable)

    def watch(self, log: bytes, seen: Stamp, seconds_max: float) -> Answer:
        self._check_open()
        if self._store.durable.scan(log_span(log, after=seen), 1):
            woken: Answer = asyncio.get_running_loop().create_future()
            woken.set_result(None)
            return woken
        return self._watchers.add(tip_key(log), seconds_max)

    def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        self._start()
        ended = True
        while ended and (self._flushing is not None or self._reopening):
            ended = self._flusher.drain(limits.store_close_seconds_max)
        if self._trouble is None:
            self._trouble = EngineUnavailable("the store is closed")
        self._drop_pending(EngineUnavailable("the store was closed before this was durable"))
        self._watchers.wake_all()
        self._flusher.stop()
        if ended:  # else the flusher still uses it, and the end of the process frees it
            self._store.close()

    # --- the parts of `transact`

    def _begin(self, base: Overlay, locks: Sequence[Lock]) -> Overlay:
        """Return the transaction over `base`; an engine that checks locks replaces this."""
        return Overlay(base, self._clock)

    def _join(self, transaction: Overlay, loop: asyncio.AbstractEventLoop) -> Answer:
        """Add what `transaction` wrote to the open group; the answer comes when it is durable."""
        group = self._open
        group.add(transaction)
        answer = loop.create_future()
        group.answers.append(answer)
        if self._flushing is None and not self._scheduled:
            # On the loop's next turn, so that everything that is ready now joins the group.
            self._scheduled = True
            loop.call_soon(self._start)
        return answer

    async def _reads_durable(self, loop: asyncio.AbstractEventLoop) -> None:
        """Wait until everything that a transaction could have read just now is durable."""
        pending = self._open if self._open.transactions else self._flushing
        if pending is not None:
            answer = loop.create_future()
            pending.answers.append(answer)
            await answer

    async def _admission(self, loop: asyncio.AbstractEventLoop) -> None:
        """Wait for room in the open group, or for a failed store to be opened again.

        Raises what is wrong with the store if it is not yet time to try, or was tried in vain.
        """
        self._check_open()
        if self._trouble is not None and not self._reopening:
            self._store.reserve()
            if self._clock.elapsed_ms() < self._reopen_at:
                raise _again(self._trouble)
            self._reopen_at = self._clock.elapsed_ms() + limits.store_reopen_ms_min
            self._store.detach()
            self._reopening = True
            self._flusher.submit(self._store.reopen, self._reopened, loop)
        turn = loop.create_future()
        self._turns.append(turn)
        await turn

    # --- the life of a group

    def _start(self) -> None:
        """Write the open group and have it synced, if there is one and the flusher is free."""
        self._scheduled = False
        group = self._open
        if self._flushing is not None or not group.transactions or self._loop is None:
            return
        self._open = self._new_group()
        try:
            self._store.reserve()
        except EngineError as full:  # nothing is touched: only this group is lost
            self._note_room(full)
            self._end(group, full)
            self._take_turns()
            return
        self._note_room(None)
        self._flushing = group
        try:
            self._store.write(group.overlay)
        except EngineError as error:
            self._flushed(group, error)
            return
        self._flusher.submit(self._store.sync, partial(self._flushed, group), self._loop)
        self._take_turns()

    def _flushed(self, group: _Group, error: Exception | None) -> None:
        """Answer `group` after its sync: it is durable, or everything since is lost."""
        if group is not self._flushing:  # `close` was here before
            return
        if error is not None:
            self._fail(_engine_error(error))
            return
        self._flushing = None
        self._store.settle()
        self._end(group, None)
        self._watchers.wake(group.overlay.writes.keys())
        self._start()

    def _note_room(self, full: EngineError | None) -> None:
        """Tell the log when the room to write ends, and when there is some again."""
        if full is not None and self._has_room:
            log.error("There is no room to write", extra={"error": str(full)})
        elif full is None and not self._has_room:
            log.info("There is room to write again")
        self._has_room = full is None

    def _fail(self, error: EngineError) -> None:
        """Drop all that is not durable, and use the store no more until it is opened again."""
        log.error("The store failed and needs to be opened again", extra={"error": str(error)})
        self._trouble = error
        self._reopen_at = self._clock.elapsed_ms() + limits.store_reopen_ms_min
        self._drop_pending(error)

    def _reopened(self, error: Exception | None) -> None:
        if not self._reopening:
            return
        self._reopening = False
        self._trouble = None if error is None else _engine_error(error)
        if error is None:
            log.info("The store is open again")
            self._store.settle()
            self._watchers.wake_all()  # what failed may be there all the same
        else:
            log.error("The store could not be opened again", extra={"error": str(error)})
        self._take_turns()

    def _drop_pending(self, error: EngineError) -> None:
        groups = (self._flushing, self._open)
        self._flushing = None
        self._open = self._new_group()
        for group in groups:
            if group is not None:
                self._end(group, error)
        self._take_turns()

    def _end(self, group: _Group, error: EngineError | None) -> None:
        for answer in group.answers:
            _answer(answer, error)

    def _new_group(self) -> _Group:
        return _Group(Overlay(self._store, self._clock))

    # --- waking

    def _take_turns(self) -> None:
        turns, self._turns = self._turns, []
        for turn in turns:
            _answer(turn)

    # --- the rest

    def _check_open(self) -> None:
        if self._closed:
            raise EngineUnavailable("the store is closed")

    def _move_to(self, loop: asyncio.AbstractEventLoop) -> None:
        """Serve `loop` from now on; what an earlier loop left behind is finished first."""
        self._loop = loop
        if self._flushing is not None or self._reopening:
            self._flusher.drain(limits.store_close_seconds_max)
        self._start()


def _answer(answer: Answer, error: EngineError | None = None) -> None:
    if answer.done():  # its task was cancelled
        return
    if error is None:
        answer.set_result(None)
    else:
        answer.set_exception(_again(error))


def _again(error: EngineError) -> EngineError:
    """Return `error` as a new object: a raised exception keeps its raiser's trace."""
    return type(error)(*error.args)


def _engine_error(error: Exception) -> EngineError:
    if isinstance(error, EngineError):
        return error
    return EngineUnavailable(f"the store failed: {error!r}")
