"""What is owed after clears: which spans, and the rows that remember them."""

from itertools import pairwise
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from penstock.storage.cleared import CLEARED_ROWS, ClearedSpans
from penstock.storage.waist import Span

SPANS = st.tuples(st.integers(0, 40), st.integers(0, 40)).filter(lambda p: p[0] < p[1])


def span_of(ends: tuple[int, int]) -> Span:
    return Span(bytes(ends[:1]), bytes(ends[1:]))


def owed(cleared: ClearedSpans) -> list[Span]:
    return [each.span for each in cleared.owed()]


class Rows:
    """The rows of a store, as the groups that are written change them."""

    def __init__(self) -> None:
        self.rows: dict[bytes, bytes] = {}

    def write(self, cleared: ClearedSpans, *clears: Span) -> None:
        for key, value in cleared.write(clears).items():
            assert CLEARED_ROWS.covers(key)
            if value is None:
                del self.rows[key]
            else:
                self.rows[key] = value

    def reopened(self) -> ClearedSpans:
        return ClearedSpans(sorted(self.rows.items()))


def clear(rows: Rows, cleared: ClearedSpans, *clears: Span) -> None:
    rows.write(cleared, *clears)
    cleared.settle()


@given(st.lists(st.lists(SPANS, max_size=3), max_size=12), st.integers(1, 5), st.data())
def test_what_is_cleared_is_owed_until_it_is_given_back(
    groups: Any, spans_max: int, data: Any
) -> None:
    """Whatever is cleared, joined and given back, no key is forgotten, nor after a restart."""
    cleared, rows, keys = ClearedSpans((), spans_max), Rows(), set()
    for group in groups:
        clear(rows, cleared, *map(span_of, group))
        keys |= {key for start, end in group for key in range(start, end)}
        if cleared.owed() and data.draw(st.booleans()):
            done = data.draw(st.sampled_from(cleared.owed()))
            cleared.give_back(done)
            keys -= {key for key in keys if done.span.covers(bytes([key]))}
        for known in (cleared, rows.reopened()):
            held = {key for key in range(41) for s in owed(known) if s.covers(bytes([key]))}
            assert keys <= held
        spans = sorted(owed(cleared))
        assert len(spans) <= spans_max
        assert all(one.end < other.start for one, other in pairwise(spans))
    rows.write(cleared)
    assert sorted(owed(rows.reopened())) == sorted(owed(cleared))
    assert len(rows.rows) == len(cleared.owed())


def test_a_clear_is_owed_when_its_group_is_settled() -> None:
    """Not when it is written: a view from before may still be held."""
    cleared = ClearedSpans()
    cleared.write([Span(b"a", b"b")])
    assert owed(cleared) == []
    assert cleared.settle()
    assert owed(cleared) == [Span(b"a", b"b")]
    assert not cleared.settle()


def test_spans_that_meet_are_one_as_old_as_the_oldest() -> None:
    """A log trimmed again and again is one span, and keeps its turn."""
    cleared, rows = ClearedSpans(), Rows()
    clear(rows, cleared, Span(b"a", b"a5"))
    clear(rows, cleared, Span(b"x", b"y"))
    clear(rows, cleared, Span(b"a5", b"a7"))
    assert owed(cleared) == [Span(b"a", b"a7"), Span(b"x", b"y")]


def test_a_span_joined_with_a_later_clear_is_not_given_back() -> None:
    """The compaction that ends now began before that clear."""
    cleared, rows = ClearedSpans(), Rows()
    clear(rows, cleared, Span(b"a", b"b"))
    (compacted,) = cleared.owed()
    clear(rows, cleared, Span(b"a", b"b"))
    assert not cleared.owes(compacted)
    cleared.give_back(compacted)
    assert owed(cleared) == [Span(b"a", b"b")]


def test_beyond_its_limit_a_span_joins_its_neighbour() -> None:
    """The one below, or the lowest where there is none."""
    cleared, rows = ClearedSpans((), 2), Rows()
    clear(rows, cleared, Span(b"c", b"d"), Span(b"m", b"n"))
    clear(rows, cleared, Span(b"x", b"y"))
    assert sorted(owed(cleared)) == [Span(b"c", b"d"), Span(b"m", b"y")]
    clear(rows, cleared, Span(b"a", b"b"))
    assert sorted(owed(cleared)) == [Span(b"a", b"d"), Span(b"m", b"y")]
