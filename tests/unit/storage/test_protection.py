"""Transactions that locks do not keep apart are found by the engine of the tests, and no others."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from penstock.base import limits
from penstock.base.clock import Clock
from penstock.base.errors.engine import EngineUnavailable
from penstock.base.ids import Entropy
from penstock.storage.memory import MemoryEngine
from penstock.storage.protection import Unprotected, UnprotectedRead, UnprotectedWrite
from penstock.storage.waist import Lock, Span, Transaction, log_span
from penstock.testing.clock import FakeClock
from penstock.testing.engine_conformance import LOG
from penstock.testing.faulty_engine import Disk, Faults, FaultyEngine

Work = Callable[[Transaction], Any]
_ALL = (Span(b"\x00", b"\xff"),)


class Bench:
    """A rehearsing engine, and transactions whose locks cover everything, whatever their names."""

    def __init__(self, engine: MemoryEngine | None = None) -> None:
        self.engine = engine or MemoryEngine(FakeClock(), rehearse=True)

    def __call__(self, names: str, *works: Work) -> None:
        """Do `works` in one transaction, with a lock for each letter of `names`."""
        locks = [Lock(name.encode(), _ALL) for name in names]
        asyncio.run(self.engine.transact(lambda t: [work(t) for work in works], locks=locks))


def get(key: bytes) -> Work:
    return lambda t: t.get(key)


def put(key: bytes) -> Work:
    return lambda t: t.set(key, b"v")


def scan(start: bytes, end: bytes, limit: int = 9, *, backward: bool = False) -> Work:
    return lambda t: t.scan(Span(start, end), limit, backward)


def clear(start: bytes, end: bytes) -> Work:
    return lambda t: t.clear(Span(start, end))


def append() -> Work:
    return lambda t: t.append(LOG, lambda _: b"r")


def test_a_write_skew_is_found() -> None:
    """Each reads what the other writes, under the lock of what it writes itself alone."""
    do = Bench()
    do("x", get(b"x"), get(b"y"), put(b"x"))
    with pytest.raises(
        UnprotectedRead, match=r"the locks b'x' .* the locks b'y' .* no name is in both"
    ):
        do("y", get(b"x"), get(b"y"), put(b"y"))


@pytest.mark.parametrize(
    ("before", "now"),
    [
        ([get(b"k"), put(b"a")], [put(b"k")]),
        ([get(b"k"), put(b"a")], [clear(b"j", b"l")]),
        ([put(b"k")], [get(b"k"), put(b"b")]),
        ([put(b"k")], [scan(b"j", b"l"), put(b"b")]),
        ([clear(b"j", b"l")], [get(b"k"), put(b"b")]),
        ([scan(b"j", b"l"), put(b"a")], [put(b"k")]),
        ([scan(b"j", b"l"), put(b"a")], [clear(b"k", b"m")]),
        ([append()], [lambda t: t.scan(log_span(LOG), 9), put(b"b")]),
    ],
)
def test_a_missing_lock_is_found_in_either_order(before: list[Work], now: list[Work]) -> None:
    """A read and a write of one key, there or not, alone or in a span."""
    do = Bench()
    do("x", *before)
    with pytest.raises(UnprotectedRead):
        do("y", *now)
    do = Bench()
    do("xz", *before)
    do("yz", *now)


@pytest.mark.parametrize("second", [put(b"k"), clear(b"j", b"l")])
@pytest.mark.parametrize("first", [put(b"k"), clear(b"j", b"l")])
def test_two_that_write_one_key_share_a_lock_though_both_cover_it(
    first: Work, second: Work
) -> None:
    do = Bench()
    do("x", put(b"k"), first)
    with pytest.raises(UnprotectedWrite, match="no name is in both"):
        do("y", second)


def test_two_appends_to_one_log_share_a_lock() -> None:
    """An append reads the log's tip, and writes it."""
    do = Bench()
    do("x", append())
    with pytest.raises(UnprotectedRead):
        do("y", append())


def test_records_may_be_cleared_under_another_lock_than_that_of_appends() -> None:
    """Nobody decides by a record, and those that are cleared lie below what is appended."""
    do = Bench()
    do("x", append())
    do("trim", lambda t: t.clear(log_span(LOG)))
    do("x", append())


@pytest.mark.parametrize(
    ("before", "now"),
    [
        ([get(b"k")], [put(b"k")]),
        ([put(b"k"), get(b"k")], [put(b"b"), get(b"b")]),
        ([scan(b"j", b"k"), put(b"a")], [put(b"k")]),
        ([put(b"j1"), scan(b"j", b"l", 1)], [put(b"k")]),
        ([put(b"l"), scan(b"j", b"m", 1, backward=True)], [put(b"k")]),
        ([scan(b"j", b"l", 0), put(b"a")], [put(b"k")]),
    ],
)
def test_who_uses_nothing_of_the_other_needs_no_lock_of_its(
    before: list[Work], now: list[Work]
) -> None:
    """Nor does who changed nothing; a scan that was full has not read what lies beyond."""
    do = Bench()
    do("x", *before)
    do("y", *now)


def test_a_write_that_shares_a_lock_makes_what_was_read_before_forgotten() -> None:
    do = Bench()
    do("x", get(b"k"), put(b"a"))
    do("xy", put(b"k"))
    do("y", put(b"k"))


def test_what_both_saw_and_a_third_replaced_keeps_two_apart() -> None:
    """As a table's row does: who comes with the old lock finds that it has changed."""
    do = Bench()
    do("x", get(b"row"), put(b"k"))
    do("xy", get(b"row"), put(b"row"))
    do("y", get(b"row"), get(b"k"), put(b"k"))


@pytest.mark.parametrize(
    "third",
    [
        ("xy", [put(b"row")], [put(b"k")]),  # the later one has not seen it
        ("xy", [get(b"row")], [get(b"row"), put(b"k")]),  # it was not replaced
    ],
)
def test_a_third_keeps_nobody_apart_whom_it_tells_nothing(
    third: tuple[str, list[Work], list[Work]],
) -> None:
    names, works, later = third
    do = Bench()
    do("x", get(b"row"), put(b"k"))
    do(names, *works)
    with pytest.raises(UnprotectedWrite):
        do("y", *later)


def test_what_is_found_once_is_raised_for_ever() -> None:
    """Also where the first who saw it only wrote a line to the log."""
    do = Bench()
    do("x", put(b"k"))
    for names in ("y", "x"):
        with pytest.raises(UnprotectedWrite, match="key b'k'"):
            do(names, put(b"k"))


def test_what_is_found_is_not_written() -> None:
    do = Bench()
    do("x", put(b"k"))
    with pytest.raises(Unprotected):
        do("y", put(b"k"), put(b"other"))
    assert do.engine.snapshot(lambda r: r.get(b"other")) is None


def test_what_was_lost_protects_nothing() -> None:
    """A transaction that never became durable is as if it had never been."""
    faults = Faults(Entropy(0))
    do = Bench(FaultyEngine(FakeClock(), Disk(), faults))
    faults.arm("write")
    with pytest.raises(EngineUnavailable):
        do("x", put(b"k"))
    clock: Clock = do.engine._clock
    assert isinstance(clock, FakeClock)
    clock.advance(int(limits.store_reopen_ms_min))
    do("y", put(b"k"))
    with pytest.raises(Unprotected):
        do("x", put(b"k"))


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the limit of keys it begins anew; of spans and readers the oldest go."""
    monkeypatch.setattr(limits, "protected_readers_remembered_max", 1)
    monkeypatch.setattr(limits, "protected_spans_remembered_max", 1)
    do = Bench()
    do("x", get(b"k"), put(b"a"), scan(b"m", b"n"))
    do("y", get(b"k"), put(b"b"), scan(b"n", b"o"))
    do("y", put(b"k"), put(b"m"))
    with pytest.raises(Unprotected):
        do("z", put(b"n"))
    monkeypatch.setattr(limits, "protected_keys_remembered_max", 3)
    do = Bench()
    do("x", put(b"k"))
    do("x", put(b"a"), put(b"b"), put(b"c"))
    do("y", put(b"k"))
