"""Which transactions go together, which wait, and what they fetch ahead: without a database."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest

from penstock.base import limits
from penstock.base.clock import SystemClock
from penstock.base.errors.engine import EngineUnavailable, TransactionConflict
from penstock.storage.overlay import Overlay
from penstock.storage.postgres_group import Group, GroupReader, Operation, Queue, UsualKeys
from penstock.storage.postgres_statements import Row
from penstock.storage.waist import Span, Transaction
from unit.storage.postgres_nodes import lock


class Rows(GroupReader):
    """A store in a dict, which can fail."""

    def __init__(self) -> None:
        super().__init__(None, {})  # type: ignore[arg-type]
        self.fails: TransactionConflict | None = None

    def get(self, key: bytes) -> bytes | None:
        if self.fails is not None:
            self.failure = self.fails
            raise self.fails
        return self.rows.get(key)

    def scan(self, span: Span, limit: int, backward: bool = False) -> list[Row]:
        return []


@pytest.fixture(autouse=True)
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    made = asyncio.new_event_loop()
    yield made
    made.close()


Make = Callable[..., Operation]


@pytest.fixture
def make(loop: asyncio.AbstractEventLoop) -> Make:
    """Make an operation by the names of its locks, one letter each."""

    def made(
        names: str = "",
        work: Callable[[Transaction], Any] = lambda _: None,
        reads: Sequence[bytes] = (),
        until_ms: float = 100.0,
    ) -> Operation:
        locks = [lock(name.encode()) for name in names]
        return Operation(work, locks, reads, loop.create_future(), until_ms)

    return made


def queued(*operations: Operation) -> Queue:
    queue = Queue()
    for operation in operations:
        queue.add(operation)
    return queue


def group_of(*operations: Operation) -> Group:
    return Group(
        list(operations), frozenset(slot for operation in operations for slot in operation.slots)
    )


def taken(queue: Queue) -> list[Operation]:
    group = queue.take()
    return [] if group is None else group.operations


def test_what_comes_while_a_group_waits_for_its_locks_joins_it(make: Make) -> None:
    """If the group has all its locks, and nothing that waits before it has one of them."""
    queue = queued(make("ab"))
    group = queue.take()
    assert group is not None
    fits, beyond, behind, free = make("a"), make("bc"), make("b"), make()
    for operation in (fits, beyond, behind, free):
        queue.add(operation)
    queue.join(group)
    assert group.operations[1:] == [fits, free]
    queue.free(group)
    assert taken(queue) == [beyond, behind]


def test_a_group_that_is_taken_widely_has_the_locks_of_the_last(make: Make) -> None:
    """So that what comes while it waits can join it; not where another group has one of them."""
    queue = queued(make("ab"))
    first = queue.take(widely=True)
    assert first is not None
    queue.free(first)
    queue.add(make("a"))
    wide = queue.take(widely=True)
    assert wide is not None
    assert wide.slots == first.slots
    queue.free(wide)
    queue.add(make("b"))
    narrow = queue.take()
    assert narrow is not None
    assert len(narrow.slots) == 1
    queue.add(make("a"))
    beside = queue.take(widely=True)
    assert beside is not None
    assert beside.slots.isdisjoint(narrow.slots)


def test_a_group_that_is_full_is_joined_by_nothing(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What finds no room goes with the next."""
    monkeypatch.setattr(limits, "commit_group_transactions_max", 2)
    queue = queued(make("a"))
    group = queue.take()
    assert group is not None
    joins, waits = make("a"), make("a")
    queue.add(joins)
    queue.add(waits)
    queue.join(group)
    assert group.operations[1:] == [joins]
    queue.free(group)
    assert taken(queue) == [waits]


def test_what_has_waited_too_long_is_refused_and_goes_nowhere(make: Make) -> None:
    """Nothing of it was sent, so its client may try again."""
    queue = queued(make("a"))
    group = queue.take()
    assert group is not None
    late, soon = make("a", until_ms=5.0), make("a", until_ms=50.0)
    queue.add(late)
    queue.add(soon)
    queue.drop_late(5.0)
    assert isinstance(late.answer.exception(), EngineUnavailable)
    queue.free(group)
    assert taken(queue) == [soon]


def test_what_needs_no_lock_can_go_beside_all_lanes(make: Make) -> None:
    """And is in no group that waits for locks, however widely that is taken."""
    queue = queued(make("ab"))
    group = queue.take(widely=True)
    assert group is not None
    check, waits = make(), make("a")
    queue.add(waits)
    queue.add(check)
    free = queue.take_free()
    assert free is not None
    assert (free.operations, free.slots) == ([check], frozenset())
    assert queue.take_free() is None
    queue.free(group)
    queue.free(free)
    assert taken(queue) == [waits]
    queue.add(make())
    alone = queue.take(widely=True)
    assert alone is not None
    assert alone.slots == frozenset()


def test_a_group_reads_no_more_than_the_last_could_write(make: Make) -> None:
    """Where that left something; then more from group to group, as before."""
    queue = queued(*(make("a") for _ in range(9)))
    group = queue.take()
    assert group is not None
    group.left = group.operations[2:]
    del group.operations[2:]
    queue.free(group)
    sizes = []
    while (group := queue.take()) is not None:
        sizes.append(len(group.operations))
        queue.free(group)
    assert sizes == [4, 3]


def test_what_is_ready_goes_together(make: Make) -> None:
    """Also what has a lock in common: it runs one after the other."""
    operations = [make("a"), make("b"), make("ab"), make()]
    queue = queued(*operations)
    group = queue.take()
    assert group is not None
    assert group.operations == operations
    assert len(group.slots) == 2
    assert queue.take() is None


def test_nothing_overtakes_what_it_shares_a_lock_with(make: Make) -> None:
    """Neither a group on its way, nor what waits for one, for whichever of its locks."""
    first, both, after, free, none = make("a"), make("ab"), make("b"), make("c"), make()
    queue = queued(first)
    group = queue.take()
    assert group is not None
    for operation in (both, after, free, none):
        queue.add(operation)
    assert taken(queue) == [free, none]
    assert taken(queue) == []
    queue.free(group)
    assert taken(queue) == [both, after]
    assert len(queue) == 0


def test_a_group_has_room_for_so_many(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """Counting what they read; what has no room keeps its place before what came later."""
    monkeypatch.setattr(limits, "commit_group_transactions_max", 5)
    one = [make("a", reads=[b"k"] * 2) for _ in range(3)]
    other = make("a")
    queue = queued(*one, other, make("b"))
    group = queue.take()
    assert group is not None
    assert group.operations == one
    assert [operation.slots for operation in taken(queue)] == [make("b").slots]
    queue.free(group)
    assert taken(queue) == [other]


def test_whose_caller_has_gone_does_not_go(make: Make) -> None:
    """Nor does it keep others waiting."""
    gone, other = make("a"), make("a")
    gone.answer.cancel()
    assert taken(queued(gone, other)) == [other]
    assert taken(queued(gone)) == []


def test_a_group_that_is_large_leaves_the_rest(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it has no room for goes with the next, first of all, and in order."""
    monkeypatch.setattr(limits, "commit_group_bytes_max", 10)
    ran: list[int] = []

    def write(n: int) -> Callable[[Transaction], None]:
        def work(t: Transaction) -> None:
            ran.append(n)
            t.set(b"k%d" % n, b"12345")

        return work

    operations = [make("a", write(n)) for n in range(5)]
    queue = queued(*operations)
    group = queue.take()
    assert group is not None
    later = make("a", write(5))
    queue.add(later)
    overlay = group.run(Rows(), SystemClock())
    assert set(overlay.writes) == {b"k0", b"k1"}
    assert group.operations == operations[:2]
    assert group.left == operations[2:]
    assert group.all() == operations
    group.settle()
    assert [each.answer.done() for each in operations] == [True, True, False, False, False]
    queue.free(group)
    again = queue.take()
    assert again is not None
    again.run(Rows(), SystemClock())
    assert [*again.operations, *again.left] == [*operations[2:], later]
    assert ran == [0, 1, 2, 3]


def test_a_group_that_runs_again_runs_all_of_it(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it had left before, too, in the same order; but what is late, or whose caller went."""
    monkeypatch.setattr(limits, "commit_group_bytes_max", 1)
    operations = [make("a", lambda t: t.set(b"k", b"v"), until_ms=n) for n in (10, 1, 10, 10)]
    group = group_of(*operations)
    group.run(Rows(), SystemClock())
    assert group.operations == operations[:1]
    operations[2].answer.cancel()
    assert group.drop_late(5, TransactionConflict("again"))
    assert group.all() == [operations[0], operations[3]]
    assert isinstance(operations[1].answer.exception(), TransactionConflict)
    assert not group.drop_late(11, EngineUnavailable("late"))
    assert isinstance(operations[3].answer.exception(), EngineUnavailable)


def test_what_a_work_raises_is_its_own(make: Make) -> None:
    """Nothing of it is written, and the next one runs."""

    def fails(t: Transaction) -> None:
        t.set(b"k", b"bad")
        raise ValueError("mine")

    bad = make("a", fails)
    good = make("a", lambda t: (t.get(b"k"), t.set(b"l", b"good"))[0])
    group = group_of(bad, good)
    overlay = group.run(Rows(), SystemClock())
    assert overlay.writes == {b"l": b"good"}
    group.settle()
    assert isinstance(bad.answer.exception(), ValueError)
    assert good.answer.result() is None


def test_even_a_stop_of_an_iteration_is_an_answer(make: Make) -> None:
    """No future takes that, and the others of the group are answered all the same."""
    bad = make("a", lambda _: next(iter(())))
    good = make("a")
    group = group_of(bad, good)
    group.run(Rows(), SystemClock())
    group.settle()
    assert isinstance(bad.answer.exception(), RuntimeError)
    assert good.answer.done()


def test_a_store_that_fails_fails_the_group(make: Make) -> None:
    """Whatever a work makes of the error: the transaction of the database is over."""

    def careless(t: Transaction) -> None:
        try:
            t.get(b"k")
        except TransactionConflict:
            t.set(b"k", b"v")

    rows = Rows()
    rows.fails = TransactionConflict("no")
    with pytest.raises(TransactionConflict):
        group_of(make("a", careless)).run(rows, SystemClock())


def test_an_error_of_one_try_is_forgotten_in_the_next(make: Make) -> None:
    """What counts is the try that was committed."""
    tries: list[int] = []

    def work(t: Transaction) -> str:
        tries.append(1)
        if len(tries) == 1:
            raise ValueError("first")
        return "second"

    operation = make("a", work)
    for _ in range(2):
        operation.run(Overlay(Rows(), SystemClock()), SystemClock())
    operation.settle()
    assert operation.answer.result() == "second"


def test_each_of_a_group_that_fails_has_an_error_of_its_own(make: Make) -> None:
    """A raised exception keeps its raiser's trace."""
    group = group_of(make("a"), make("b"))
    group.fail(EngineUnavailable("gone"))
    errors = [each.answer.exception() for each in group.operations]
    assert [type(error) for error in errors] == [EngineUnavailable] * 2
    assert errors[0] is not errors[1]
    group.fail(EngineUnavailable("twice"))
    group.settle()


def test_a_group_fetches_what_is_asked_for_and_what_is_usual(make: Make) -> None:
    """Each key once; usual is what was missed under the only lock of an operation."""
    usual = UsualKeys()
    usual.learn(b"a", [b"u1", b"k1"])
    usual.learn(b"b", [b"u2"])
    group = group_of(make("a", reads=[b"k1", b"k2"]), make("a", reads=[b"k1"]), make("bc"))
    assert group.keys(usual) == [b"k1", b"k2", b"u1"]


def test_what_is_usual_has_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a lock, and of all locks; what was learned first goes first."""
    monkeypatch.setattr(limits, "postgres_usual_keys_max", 3)
    monkeypatch.setattr(limits, "postgres_usual_locks_max", 2)
    usual = UsualKeys()
    usual.learn(b"a", [b"1", b"2"])
    usual.learn(b"a", [b"3", b"4"])
    assert list(usual.of(b"a")) == [b"2", b"3", b"4"]
    usual.learn(b"b", [b"1"])
    usual.learn(b"a", [b"5"])
    usual.learn(b"c", [b"1"])
    assert list(usual.of(b"b")) == []
    assert list(usual.of(b"a")) == [b"3", b"4", b"5"]
