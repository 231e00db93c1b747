"""The waist itself: its size, spans, and stamps."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.storage import waist
from penstock.storage.memory import MemoryEngine
from penstock.storage.postgres import PostgresEngine
from penstock.storage.rocksdb import RocksEngine
from penstock.storage.waist import (
    Span,
    after_prefix,
    log_span,
    next_stamp,
    stamp_at,
    stamp_key,
    stamp_ms,
    stamp_of,
)
from penstock.testing.clock import FakeClock


def methods(kind: type) -> set[str]:
    return {name for name in vars(kind) if not name.startswith("_")}


def test_the_waist_has_fewer_than_ten_methods() -> None:
    """What an engine must offer is small, for ever."""
    offered = methods(waist.Reader) | methods(waist.Transaction) | methods(waist.Engine)
    assert len(offered) < 10


@pytest.mark.parametrize("engine", [MemoryEngine, RocksEngine, PostgresEngine])
def test_an_engine_offers_no_more_than_the_waist(engine: Any) -> None:
    """But for being opened, everything public is the waist's, so nobody leans on one engine."""
    public = {name for name in dir(engine) if not name.startswith("_")}
    assert public - {"open"} == methods(waist.Engine) | waist.Engine.__annotations__.keys()


@given(st.binary(max_size=4).map(lambda b: b"k" + b), st.binary(max_size=6))
def test_the_span_of_a_prefix_covers_the_keys_that_begin_with_it(prefix: bytes, key: bytes) -> None:
    """And no other."""
    assert Span.of_prefix(prefix).covers(key) == key.startswith(prefix)
    assert Span.of_prefix(prefix).covers(prefix + key)


def test_a_prefix_without_a_key_above_it_is_refused() -> None:
    """There is no end for the span of everything."""
    for prefix in (b"", b"\xff\xff"):
        with pytest.raises(ValueError, match="below 0xFF"):
            after_prefix(prefix)


@given(st.integers(0, 2**62), st.integers(0, 2**42))
def test_a_stamp_is_above_the_last_and_never_before_its_time(last: int, now_ms: int) -> None:
    """It carries the time of its record, or a later one where the clock stepped back."""
    stamp = next_stamp(last, now_ms)
    assert stamp > last
    assert stamp_ms(stamp) >= now_ms
    assert stamp == last + 1 or stamp == stamp_at(now_ms)


def test_the_span_of_a_log_takes_what_is_above_and_up_to() -> None:
    """`after` is out, `upto` is in, and another log is out."""
    log = b"\x22log1"
    keys = [stamp_key(log, stamp) for stamp in (0, 1, 2, 3)] + [stamp_key(b"\x22log2", 1)]
    covered = [stamp_of(key) for key in keys if log_span(log, after=0, upto=2).covers(key)]
    assert covered == [1, 2]
    assert [key for key in keys if log_span(log).covers(key)] == keys[:4]


def test_the_fake_clock_moves_only_when_told() -> None:
    """Both times pass together; stepping the wall clock passes none."""
    clock = FakeClock(1000)
    clock.advance(5)
    assert (clock.now_ms(), clock.elapsed_ms()) == (1005, 5.0)
    clock.set(3)
    assert (clock.now_ms(), clock.elapsed_ms()) == (3, 5.0)
    with pytest.raises(ValueError, match="backwards"):
        clock.advance(-1)
