"""A group of transactions on PostgreSQL: which go together, what they read, what they write."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from collections.abc import Set as AbstractSet
from typing import Any

from penstock.base import limits
from penstock.base.clock import Clock
from penstock.base.errors.engine import EngineError, EngineUnavailable
from penstock.storage.overlay import Overlay
from penstock.storage.postgres_connection import Connection
from penstock.storage.postgres_statements import Request, Row, gets, scan, scanned, slots_of
from penstock.storage.prefixes import FEW_AND_BUSY
from penstock.storage.waist import Lock, Reader, Span, Transaction


class Operation:
    """One call of `transact`."""

    __slots__ = (
        "answer",
        "error",
        "lock",
        "reads",
        "result",
        "slots",
        "until_ms",
        "weight",
        "work",
    )

    def __init__(
        self,
        work: Callable[[Transaction], Any],
        locks: Sequence[Lock],
        reads: Sequence[bytes],
        answer: "asyncio.Future[Any]",
        until_ms: float,
    ) -> None:
        self.work = work
        self.reads = reads
        self.slots = slots_of([lock.name for lock in locks])
        self.lock = locks[0].name if len(locks) == 1 else None
        """The name of its lock, where it has one only."""
        self.answer = answer
        self.until_ms = until_ms
        """Until when it may be tried again."""
        self.weight = max(len(reads), 1)
        """How much of a group's room it takes."""
        self.result: Any = None
        self.error: Exception | None = None

    def run(self, group: Overlay, clock: Clock) -> None:
        """Do its work over what `group` has done."""
        transaction = Overlay(group, clock)
        self.error = None
        try:
            self.result = self.work(transaction)
        except Exception as error:  # noqa: BLE001 - what it raises is its answer
            self.error = error
        else:
            if transaction.changed:
                group.absorb(transaction)

    def settle(self) -> None:
        """Give its caller what its work returned or raised."""
        if self.error is not None:
            self.fail(self.error)
        elif not self.answer.done():
            self.answer.set_result(self.result)

    def fail(self, error: Exception) -> None:
        """Have its call raise `error`."""
        if isinstance(error, StopIteration):  # which no future takes
            error = RuntimeError(f"a transaction raised {error!r}")
        if not self.answer.done():
            self.answer.set_exception(error)


class Queue:
    """The operations that wait for their group, in the order in which they came."""

    def __init__(self) -> None:
        self._waiting: list[Operation] = []
        self._busy: set[int] = set()
        """The locks of the groups on their way."""
        self._last: frozenset[int] = frozenset()
        """The locks of the last group that had more than one."""
        self._room = limits.commit_group_transactions_max
        """How much a group may hold: less while groups turn out to be large in bytes."""

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, operation: Operation) -> None:
        """Let `operation` wait."""
        self._waiting.append(operation)

    def drop_late(self, now_ms: float) -> None:
        """Fail what has waited for its time and was not tried yet."""
        for operation in self._waiting:
            if operation.until_ms <= now_ms:
                operation.fail(EngineUnavailable("the store was busy for too long"))

    def take_free(self) -> "Group | None":
        """Return a group of what needs no lock and can go beside all that waits, or None."""
        taken = self._pick(frozenset(), Group([], frozenset()))
        return Group(taken, frozenset()) if taken else None

    def take(self, *, widely: bool = False) -> "Group | None":
        """Return a group of all that can go now, or None; an operation never overtakes another.

        What has a lock in common with a group on its way waits for the end of that, and whatever
        has one in common with what waits, waits too. Taken `widely`, a group takes the locks of the
        last one too where it needs some of them: what comes while it waits can `join` it.
        """
        taken = self._pick(self._busy, None)
        if not taken:
            return None
        slots = frozenset(slot for operation in taken for slot in operation.slots)
        if widely and slots and slots < self._last and self._last.isdisjoint(self._busy):
            slots = self._last
        elif len(slots) > 1:
            self._last = slots
        self._busy.update(slots)
        return Group(taken, slots)

    def join(self, group: "Group") -> None:
        """Let what came since `group` was taken go with it, as far as that has the locks."""
        group.operations += self._pick(self._busy.difference(group.slots), group)

    def _pick(self, busy: AbstractSet[int], group: "Group | None") -> list[Operation]:
        """Take out what waits and can go: none of its locks is `busy`, and `group` has them all."""
        picked: list[Operation] = []
        left: list[Operation] = []
        blocked = set(busy)
        room = self._room - (0 if group is None else group.weight)
        for operation in self._waiting:
            if operation.answer.done():  # its caller has gone
                continue
            can_go = group is None or group.slots.issuperset(operation.slots)
            if room > 0 and can_go and blocked.isdisjoint(operation.slots):
                picked.append(operation)
                room -= operation.weight
            else:
                left.append(operation)
                blocked.update(operation.slots)
        self._waiting = left
        return picked

    def free(self, group: "Group") -> None:
        """Let what has a lock in common with `group` go, first what it had no room for."""
        self._busy.difference_update(group.slots)
        self._waiting[:0] = group.left
        if group.left:  # read for nothing: the next reads what it can write
            self._room = max(2 * group.weight, 1)
        elif self._room < limits.commit_group_transactions_max:
            self._room = min(2 * self._room, limits.commit_group_transactions_max)

    def drop(self) -> list[Operation]:
        """Take out all that waits."""
        waiting, self._waiting = self._waiting, []
        self._busy.clear()
        return waiting


class Group:
    """Operations that commit together."""

    def __init__(self, operations: list[Operation], slots: frozenset[int]) -> None:
        self.operations = operations
        self.left: list[Operation] = []
        """What it had no room for, and goes with a later one."""
        self.slots = slots
        """The locks that it takes: those of its operations, or more."""

    @property
    def weight(self) -> int:
        """How much there is in it, in rows to be read, or operations that read none."""
        return sum(operation.weight for operation in self.operations)

    def keys(self, usual: "UsualKeys") -> list[bytes]:
        """Return the keys of all rows that are worth fetching ahead, each once."""
        keys: dict[bytes, None] = {}
        locks: dict[bytes, None] = {}
        for operation in self.operations:
            for key in operation.reads:
                keys[key] = None
            if operation.lock is not None:
                locks[operation.lock] = None
        for lock in locks:
            keys.update(usual.of(lock))
        return list(keys)

    def run(self, reader: "GroupReader", clock: Clock) -> Overlay:
        """Do the work of every operation, one after the other; return all that they wrote.

        Once that is large, what remains is left for another group. Raises the error of a reader
        that failed, whatever the works made of it.
        """
        overlay = Overlay(reader, clock)
        for at, operation in enumerate(self.operations):
            if overlay.bytes_held >= limits.commit_group_bytes_max:
                self.left = self.operations[at:] + self.left
                del self.operations[at:]
                break
            reader.lock = operation.lock
            operation.run(overlay, clock)
            if reader.failure is not None:
                raise reader.failure
        return overlay

    def settle(self) -> None:
        """Answer all."""
        for operation in self.operations:
            operation.settle()

    def fail(self, error: EngineError) -> None:
        """Have all raise `error`, each a new one: a raised exception keeps its raiser's trace."""
        for operation in self.all():
            operation.fail(type(error)(*error.args))

    def all(self) -> list[Operation]:
        """Return everything in it, what it had no room for too."""
        return self.operations + self.left

    def drop_late(self, now_ms: float, error: EngineError) -> bool:
        """Fail what may not be tried again after `now_ms`; say whether anything is left."""
        kept = []
        for operation in self.all():
            if operation.until_ms > now_ms and not operation.answer.done():
                kept.append(operation)
            else:
                operation.fail(type(error)(*error.args))
        self.operations, self.left = kept, []
        return bool(kept)


class UsualKeys:
    """The few rows that every write under a lock reads, so that they are fetched ahead.

    Learned from what was missing; what was learned first is forgotten first.
    """

    def __init__(self) -> None:
        self._of: OrderedDict[bytes, dict[bytes, None]] = OrderedDict()

    def of(self, lock: bytes) -> dict[bytes, None]:
        """Return the keys that are usually read under `lock`."""
        return self._of.get(lock, {})

    def learn(self, lock: bytes, missed: Iterable[bytes]) -> None:
        """Fetch `missed` too from now on; the oldest keys of a lock with too many are forgotten."""
        keys = self._of.setdefault(lock, {})
        self._of.move_to_end(lock)
        keys.update(dict.fromkeys(missed))
        while len(keys) > limits.postgres_usual_keys_max:
            del keys[next(iter(keys))]
        if len(self._of) > limits.postgres_usual_locks_max:
            self._of.popitem(last=False)


class GroupReader(Reader):
    """The store as a group's transaction sees it: rows fetched ahead, the rest when asked for."""

    def __init__(self, connection: Connection, rows: dict[bytes, bytes | None]) -> None:
        self._connection = connection
        self.rows = rows
        """What was read by its key; None for a row that is not there."""
        self.lock: bytes | None = None
        """The lock of the operation at work."""
        self.missed: dict[bytes, set[bytes]] = {}
        """The few and busy rows that were not fetched ahead, by lock."""
        self.failure: EngineError | None = None
        """Why it can read no more."""

    def get(self, key: bytes) -> bytes | None:
        if key in self.rows:
            return self.rows[key]
        if self.lock is not None and key[:1] in FEW_AND_BUSY:
            self.missed.setdefault(self.lock, set()).add(key)
        rows = self._rows(gets((key,)))
        value = self.rows[key] = rows[0][1] if rows else None
        return value

    def scan(self, span: Span, limit: int, backward: bool = False) -> list[Row]:
        if limit <= 0 or span.start >= span.end:
            return []
        return scanned(self._rows([scan(span, limit, backward)]), limit, backward)

    def _rows(self, requests: Sequence[Request]) -> list[Row]:
        try:
            return self._connection.wait(self._connection.send(requests)).rows()
        except EngineError as error:
            self.failure = error
            raise
