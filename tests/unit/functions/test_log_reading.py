"""Whatever came in whatever order: reading gives it by time, in either direction, from any place.

The model is a sorted list.
"""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.base import limits
from penstock.functions.log_reading import Event, Range, events
from penstock.functions.log_rows import Line
from unit.functions.one_log import EVER, PLACE, OneLog, run
from unit.noting_reader import NotingReader

SPREAD_MS = 4 * limits.log_chunk_ms_max

batches = st.lists(
    st.tuples(
        st.sampled_from(["a", "b", "c"]),
        st.lists(st.integers(0, SPREAD_MS), min_size=1, max_size=30),
    ),
    max_size=12,
)
times = st.integers(-1, SPREAD_MS + 1)


async def filled(log: OneLog, given_batches: list[tuple[str, list[int]]]) -> list[tuple[int, ...]]:
    """Store lines at these times and return them in their order."""
    begin_ms, wanted, number = log.clock.now_ms(), [], 0
    for stream, ages in given_batches:
        lines = []
        for age in ages:
            lines.append(Line(begin_ms + age, b"%d" % number))
            wanted.append((begin_ms + age, ord(stream), number))
            number += 1
        await log.add(lines, stream)
    return sorted(wanted)


def told(event: Event) -> tuple[int, int, int]:
    return event.at_ms, ord(event.stream), int(event.text)


@settings(max_examples=150, deadline=None)
@given(batches, times, times)
def test_any_range_in_either_direction_is_what_a_sorted_list_has(
    given_batches: list[tuple[str, list[int]]], since: int, until: int
) -> None:
    async def test(log: OneLog) -> None:
        begin_ms = log.clock.now_ms()
        lines = await filled(log, given_batches)
        low, high = begin_ms + since, begin_ms + until
        wanted = [line for line in lines if low <= line[0] < high]
        assert [told(e) for e in log.events(Range(low, high))] == wanted
        assert [told(e) for e in log.events(Range(low, high, backward=True))] == wanted[::-1]
        if lines:
            log.check_counts()

    run(test)


@settings(max_examples=60, deadline=None)
@given(batches)
def test_from_the_boundary_before_or_behind_any_line_the_rest_follows(
    given_batches: list[tuple[str, list[int]]],
) -> None:
    async def test(log: OneLog) -> None:
        await filled(log, given_batches)
        everything = log.events()
        for place, event in enumerate(everything[::7]):
            at = place * 7
            on = Range(0, EVER.until_ms, boundary=event.before)
            assert log.events(on) == everything[at:]
            on = Range(0, EVER.until_ms, boundary=event.behind)
            assert log.events(on) == everything[at + 1 :]
            back = Range(0, EVER.until_ms, backward=True, boundary=event.before)
            assert log.events(back) == everything[:at][::-1]
            back = Range(0, EVER.until_ms, backward=True, boundary=event.behind)
            assert log.events(back) == everything[: at + 1][::-1]

    run(test)


@pytest.mark.parametrize("backward", [False, True])
def test_only_what_is_next_is_read(backward: bool) -> None:
    """Of many streams, one after the other, the first line costs one of them."""
    wanted = Range(0, EVER.until_ms, backward)

    async def test(log: OneLog) -> None:
        for stream in range(50):
            lines = [Line(log.clock.now_ms() + n, b"x" * 1000) for n in range(200)]
            await log.add(lines, f"s{stream:02}")
            log.clock.advance(10 * limits.log_chunk_ms_max)
        streams = list(log.streams.items())
        asked: list[int] = []
        log.view(lambda reader: next(events(NotingReader(reader, asked), PLACE, streams, wanted)))
        assert len(asked) <= 2, "once or twice, as the engine makes sure of it"

    run(test)


def test_nothing_is_read_of_a_log_that_is_not_there() -> None:
    async def test(log: OneLog) -> None:
        assert log.events() == []

    run(test)
