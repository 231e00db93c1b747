"""An engine in memory that fails and crashes on purpose, and the disk that outlives it.

It is the memory engine, with its real group commit, over a store whose every step can be told to
fail, as a machine's disk or the database behind an engine does. What it shows of a failure keeps
the waist's contract, and no more: a failed group is there as a whole after the store was opened
again, or not at all; a refusal acknowledged nothing, and may have been made all the same.

Nothing happens by itself. A test arms a fault, and it strikes when its point comes by:

| point | what happens there |
|---|---|
| `reserve` | there is no room for the next group: EngineFull, and nothing is touched |
| `write` | the next group cannot be written |
| `sync` | the group that is written cannot be made durable |
| `reopen` | the store cannot be opened again after a failure |
| `unavailable` | a transaction is refused before its work runs |
| `conflict` | its work runs, is dropped, and TransactionConflict is raised |
| `lost answer` | it is made durable, and EngineUnavailable is raised all the same |
| `rehearsal` | its work runs once for nothing before it runs in earnest |

What a test leaves open is drawn from the entropy that it gave, so a run can be replayed.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Literal

from penstock.base.clock import Clock
from penstock.base.errors.engine import (
    EngineFull,
    EngineUnavailable,
    StoreLocked,
    TransactionConflict,
)
from penstock.base.ids import Entropy
from penstock.storage.flusher import Flusher
from penstock.storage.memory import MemoryEngine, MemoryStore, Rows
from penstock.storage.overlay import Overlay
from penstock.storage.protection import Protection
from penstock.storage.waist import Lock, Reader, T, Transaction

Point = Literal[
    "reserve", "write", "sync", "reopen", "unavailable", "conflict", "lost answer", "rehearsal"
]


class Faults:
    """What shall fail next, for any number of engines.

    `keeps` says what is found of a group that failed or was in flight at a crash: all of it or
    nothing; None draws it anew each time.
    """

    def __init__(self, entropy: Entropy) -> None:
        self.keeps: bool | None = None
        self._entropy = entropy
        self._armed: Counter[Point] = Counter()

    def arm(self, point: Point, times: int = 1) -> None:
        """Let the fault of `point` strike at the next `times` times that it comes by."""
        self._armed[point] += times

    def disarm(self) -> None:
        """Let nothing fail any more."""
        self._armed.clear()

    def strikes(self, point: Point) -> bool:
        """Say whether the fault of `point` strikes now, and count it."""
        if not self._armed[point]:
            return False
        self._armed[point] -= 1
        return True

    def keeps_group(self) -> bool:
        """Say whether a group that is in doubt is found on the disk."""
        return bool(self._entropy.bits(1)) if self.keeps is None else self.keeps


class Disk:
    """The rows that are durable, for one engine after the other."""

    def __init__(self) -> None:
        self._rows = Rows()
        self._in_use = False
        self.commits = 0
        """How many groups have become durable."""

    @property
    def durable(self) -> Reader:
        """What is durable now, whichever engine is open or none."""
        return self._rows

    def take(self) -> Rows:
        """Return the rows for an engine to use; StoreLocked while another one does."""
        if self._in_use:
            raise StoreLocked("another engine has this disk")
        self._in_use = True
        return self._rows

    def release(self) -> None:
        """Let the next engine have the rows."""
        self._in_use = False


class FaultyEngine(MemoryEngine):
    """An `Engine` over what is on `disk`; StoreLocked while another one is.

    `flusher` lets a test hold a group back between written and durable.
    """

    def __init__(
        self, clock: Clock, disk: Disk, faults: Faults, flusher: Flusher | None = None
    ) -> None:
        self._faulty_store = _FaultyStore(disk, faults)
        super().__init__(clock, flusher=flusher, store=self._faulty_store)
        self._faults = faults
        self._protection = Protection()

    async def transact(
        self,
        work: Callable[[Transaction], T],
        *,
        locks: Sequence[Lock] = (),
        reads: Sequence[bytes] = (),
    ) -> T:
        if self._faults.strikes("unavailable"):
            raise EngineUnavailable("a fault was armed")
        if self._faults.strikes("conflict"):
            work = _conflicting(work)
        result = await super().transact(work, locks=locks, reads=reads)
        if self._faults.strikes("lost answer"):
            raise EngineUnavailable("the answer was lost")
        return result

    @property
    def is_in_doubt(self) -> bool:
        """Say whether a group is written, and yet neither durable nor known to be lost."""
        return self._faulty_store.is_in_doubt

    def crash(self) -> None:
        """End as a process that is killed: what is not durable is gone.

        Of the group in flight all is found on the disk or nothing. Transactions under way fail with
        EngineUnavailable, as everything does from now on; the disk is free for a new engine.
        """
        if self._closed:
            return
        self._closed = True
        self._trouble = EngineUnavailable("the engine crashed")
        self._flusher.stop()
        self._faulty_store.crash()
        self._drop_pending(self._trouble)
        self._watchers.wake_all()

    def _rehearses(self) -> bool:
        return self._faults.strikes("rehearsal")


class _FaultyStore(MemoryStore):
    """The rows of a disk, and over them the group that is not yet settled, or in doubt."""

    def __init__(self, disk: Disk, faults: Faults) -> None:
        super().__init__(disk.take())
        self._disk = disk
        self._faults = faults

    @property
    def is_in_doubt(self) -> bool:
        """Say whether a group is written and not settled."""
        return self._written is not None

    def reserve(self) -> None:
        if self._faults.strikes("reserve"):
            raise EngineFull("a fault was armed: no room")

    def write(self, changes: Overlay) -> None:
        super().write(changes)
        self._fail_at("write")

    def sync(self) -> None:
        self._fail_at("sync")

    def settle(self) -> None:
        super().settle()
        self._disk.commits += 1

    def reopen(self) -> None:
        self._fail_at("reopen")
        if not self._faults.keeps_group():
            super().reopen()

    def crash(self) -> None:
        """Leave on the disk what is durable, and all or nothing of what is in flight."""
        if self._written is not None and self._faults.keeps_group():
            self.settle()
        self.close()

    def close(self) -> None:
        super().close()
        self._written = None
        self._disk.release()

    def _fail_at(self, point: Point) -> None:
        if self._faults.strikes(point):
            raise EngineUnavailable(f"a fault was armed: {point}")


def _conflicting(work: Callable[[Transaction], T]) -> Callable[[Transaction], T]:
    def run(transaction: Transaction) -> T:
        work(transaction)
        raise TransactionConflict("a fault was armed")

    return run
