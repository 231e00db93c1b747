"""The horizon: 24 hours back, to the millisecond."""

from hypothesis import given
from hypothesis import strategies as st

from penstock.storage.waist import next_stamp, stamp_at
from penstock.streams.retention import horizon

DAY_MS = 24 * 3600 * 1000
times = st.integers(DAY_MS, 4_000_000_000_000)


@given(times, st.integers(0, 2**20 - 1))
def test_a_record_can_be_read_for_24_hours_and_no_longer(at_ms: int, place: int) -> None:
    """Whatever its place among the records of its millisecond."""
    stamp = stamp_at(at_ms) + place
    assert stamp >= horizon(at_ms + DAY_MS)
    assert stamp < horizon(at_ms + DAY_MS + 1)


@given(times)
def test_what_is_written_now_is_never_past_the_horizon(now_ms: int) -> None:
    assert next_stamp(0, now_ms) > horizon(now_ms)
