"""When a batch of a lane is due, and what it holds."""

from penstock.base import limits
from penstock.consumers.lane import Lane, Terms
from penstock.consumers.progress import Item
from penstock.consumers.source import SourceRecord


def _item(number: int, size: int = 10, at_ms: int = 0) -> Item:
    return Item(SourceRecord(b"x" * size, str(number), at_ms))


def test_without_records_nothing_is_due() -> None:
    assert Lane(Terms(10)).due_in_ms(5.0, no_more=False) is None
    assert Lane(Terms(10, 1000.0)).due_in_ms(5.0, no_more=True) is None


def test_without_a_window_what_is_there_is_due() -> None:
    lane = Lane(Terms(10))
    lane.add(_item(1), 5.0)
    assert lane.due_in_ms(5.0, no_more=False) == 0


def test_a_window_begins_with_its_first_record_or_the_end_of_the_batch_before() -> None:
    lane = Lane(Terms(10, 1000.0))
    lane.add(_item(1), 100.0)
    lane.add(_item(2), 600.0)
    assert lane.due_in_ms(700.0, no_more=False) == 400.0
    lane.note_idle(650.0)
    assert lane.due_in_ms(700.0, no_more=False) == 950.0
    assert lane.due_in_ms(700.0, no_more=True) == 0


def test_a_full_batch_is_due() -> None:
    lane = Lane(Terms(2, 1000.0))
    lane.add(_item(1), 0.0)
    assert lane.due_in_ms(0.0, no_more=False) == 1000.0
    lane.add(_item(2), 0.0)
    assert lane.due_in_ms(0.0, no_more=False) == 0


def test_more_bytes_than_fit_make_a_batch_full() -> None:
    lane = Lane(Terms(100, 1000.0))
    half = limits.invocation_bytes_max // 2
    lane.add(_item(1, half), 0.0)
    assert lane.due_in_ms(0.0, no_more=False) == 1000.0
    lane.add(_item(2, half), 0.0)
    assert lane.due_in_ms(0.0, no_more=False) == 0
    assert len(lane.take()) == 1
    assert lane.due_in_ms(0.0, no_more=False) == 1000.0


def test_what_is_larger_than_an_event_is_sent_alone() -> None:
    lane = Lane(Terms(100))
    lane.add(_item(1, limits.invocation_bytes_max + 1), 0.0)
    lane.add(_item(2), 0.0)
    assert [len(lane.take()), len(lane.take()), len(lane.take())] == [1, 1, 0]


def test_a_later_tumbling_window_makes_a_batch_full() -> None:
    lane = Lane(Terms(100, 300_000.0, 60_000))
    lane.add(_item(1, at_ms=59_000), 0.0)
    lane.add(_item(2, at_ms=59_999), 0.0)
    assert lane.due_in_ms(0.0, no_more=False) == 300_000.0
    lane.add(_item(3, at_ms=60_000), 0.0)
    assert lane.due_in_ms(0.0, no_more=False) == 0
    assert [item.record.sequence_number for item in lane.take()] == ["1", "2"]
    assert [item.record.sequence_number for item in lane.take()] == ["3"]


def test_the_state_of_a_window_takes_room_in_the_event() -> None:
    lane = Lane(Terms(100))
    for number in range(3):
        lane.add(_item(number, 2_000_000), 0.0)
    assert len(lane.take(state_bytes=1_000_000)) == 2
