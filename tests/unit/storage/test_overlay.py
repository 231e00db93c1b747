"""Sets of spans, and how little an overlay asks of what lies below it."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from penstock.storage.overlay import Overlay, SpanSet
from penstock.storage.waist import Span, last_stamp
from penstock.testing.clock import FakeClock

POINTS = [bytes((n,)) for n in range(12)]
SPANS = st.tuples(st.integers(0, 11), st.integers(0, 11)).filter(lambda p: p[0] < p[1])


def span_of(ends: tuple[int, int]) -> Span:
    return Span(POINTS[ends[0]], POINTS[ends[1]])


@given(st.lists(SPANS), SPANS)
def test_a_span_set_is_the_set_of_its_keys(added: Any, asked: Any) -> None:
    """It covers what was added, its gaps are the rest, and its spans stay disjoint, in order."""
    spans = SpanSet()
    for ends in added:
        spans.add(span_of(ends))
    expected = {n for start, end in added for n in range(start, end)}
    assert {n for n in range(12) if spans.covers(POINTS[n])} == expected
    flat = [end for span in spans for end in span]
    assert flat == sorted(set(flat))
    gaps = spans.gaps(span_of(asked))
    uncovered = {n for n in range(*asked) if any(gap.covers(POINTS[n]) for gap in gaps)}
    assert uncovered == set(range(*asked)) - expected
    assert gaps == sorted(gaps)


class Below:
    """A reader of 1,000 rows that remembers how many it was asked for."""

    def __init__(self) -> None:
        self.asked: list[int] = []

    def get(self, key: bytes) -> bytes | None:
        return None

    def scan(self, span: Span, limit: int, backward: bool = False) -> list[tuple[bytes, bytes]]:
        self.asked.append(limit)
        keys = [b"k%03d" % n for n in range(1000) if span.covers(b"k%03d" % n)]
        return [(key, b"v") for key in (keys[::-1] if backward else keys)[:limit]]


def test_a_scan_asks_for_no_more_rows_than_can_be_hidden() -> None:
    """With two deletions in the span, a page of five asks for seven rows below, whatever is set."""
    below = Below()
    overlay = Overlay(below, FakeClock())
    overlay.set(b"k000", None)
    overlay.set(b"k002", None)
    overlay.set(b"k003", b"own")
    rows = overlay.scan(Span(b"k", b"l"), 5)
    assert rows == [
        (b"k001", b"v"),
        (b"k003", b"own"),
        (b"k004", b"v"),
        (b"k005", b"v"),
        (b"k006", b"v"),
    ]
    assert below.asked == [7]


def test_a_scan_leaves_out_what_was_cleared_without_reading_it() -> None:
    """Cleared spans are jumped over, in both directions."""
    below = Below()
    overlay = Overlay(below, FakeClock())
    overlay.clear(Span(b"k001", b"k998"))
    keys = [b"k000", b"k998", b"k999"]
    assert [key for key, _ in overlay.scan(Span(b"k", b"l"), 5)] == keys
    assert [key for key, _ in overlay.scan(Span(b"k", b"l"), 5, True)] == keys[::-1]
    assert below.asked == [5, 4, 5, 3]


def test_a_log_never_written_has_the_stamp_zero() -> None:
    """So that any stamp is above it."""
    assert last_stamp(Overlay(Below(), FakeClock()), b"log") == 0
