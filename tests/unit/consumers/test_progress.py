"""Up to where everything is finished, in whatever order it was."""

from hypothesis import given
from hypothesis import strategies as st

from penstock.consumers.progress import Item, Progress
from penstock.consumers.source import SourceRecord


def _after(record: SourceRecord) -> str:
    return f"after {record.sequence_number}"


def _items(count: int, start: int = 0) -> list[Item]:
    return [Item(SourceRecord(b"{}", str(n), n)) for n in range(start, start + count)]


def test_the_position_is_behind_what_is_finished_without_a_gap() -> None:
    progress = Progress("begin", _after)
    items = _items(4)
    assert not progress.take_in(items, "page end")
    assert progress.finish([items[0]])
    assert progress.position == "after 0"
    assert not progress.finish([items[2]])
    assert progress.position == "after 0"
    assert progress.finish([items[1]])
    assert progress.position == "after 2"
    assert progress.finish([items[3]])
    assert progress.position == "page end"


def test_a_page_of_which_nothing_is_wanted_moves_the_position() -> None:
    progress = Progress("begin", _after)
    assert progress.take_in([], "page end")
    assert progress.position == "page end"
    items = _items(1)
    progress.take_in(items, "second")
    assert not progress.take_in([], "third")
    assert progress.position == "page end"
    progress.finish(items)
    assert progress.position == "third"


def test_a_shard_is_finished_when_it_is_read_and_all_of_it_is_finished() -> None:
    progress = Progress("begin", _after)
    items = _items(2)
    progress.take_in(items, None)
    assert progress.is_ended
    assert progress.position == "begin"
    progress.finish(items)
    assert progress.position is None


@given(st.permutations(range(12)), st.lists(st.integers(1, 4), min_size=3, max_size=12))
def test_the_position_never_passes_what_is_not_finished(order: list[int], sizes: list[int]) -> None:
    progress = Progress("begin", _after)
    items = _items(12)
    taken = 0
    for size in sizes:
        progress.take_in(items[taken : taken + size], f"page {taken + size}")
        taken = min(12, taken + size)
    progress.take_in(items[taken:], "the end")
    done: set[int] = set()
    for number in order:
        progress.finish([items[number]])
        done.add(number)
        first_open = next((n for n in range(12) if n not in done), None)
        if first_open is None:
            assert progress.position == "the end"
        elif first_open > 0:
            assert progress.position in (f"after {first_open - 1}", f"page {first_open}")
        assert len(progress) == (0 if first_open is None else 12 - first_open)
    assert progress.bytes_at_hand == 0
