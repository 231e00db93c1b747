"""Each checker is silent about a kept promise and says exactly which one is broken, and where."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from penstock.testing.checkers import StreamWatch, Write, lost_writes, wrong_fold, wrong_records

Records = list[dict[str, Any]]


def _key(name: str) -> dict[str, Any]:
    return {"pk": {"S": name}}


def _image(name: str, mark: str) -> dict[str, Any]:
    return {**_key(name), "v": {"S": mark}}


def _record(number: int, name: str, old: str | None, new: str | None) -> dict[str, Any]:
    body: dict[str, Any] = {"Keys": _key(name), "SequenceNumber": str(10**20 + number)}
    if old is not None:
        body["OldImage"] = _image(name, old)
    if new is not None:
        body["NewImage"] = _image(name, new)
    event = "INSERT" if old is None else "REMOVE" if new is None else "MODIFY"
    return {"eventID": f"e{number}", "eventName": event, "dynamodb": body}


def _write(name: str, mark: str | None, began: float, replaced: str | None = None) -> Write:
    return Write(_key(name), mark, began, began + 1, replaced=replaced)


A, B, C = (f'{{"pk": {{"S": "{name}"}}}}' for name in "abc")
WRITES = [
    _write("a", "a1", 0),
    _write("b", "b1", 0.5),
    _write("a", "a2", 2, replaced="a1"),
    _write("b", None, 3, replaced="b1"),
    _write("b", "b2", 5),
]


def _records() -> Records:
    return [
        _record(1, "a", None, "a1"),
        _record(2, "b", None, "b1"),
        _record(3, "a", "a1", "a2"),
        _record(4, "b", "b1", None),
        _record(5, "b", None, "b2"),
    ]


def _table() -> Records:
    return [_image("a", "a2"), _image("b", "b2")]


def _number(number: int) -> str:
    return str(10**20 + number)


def _wrong(writes: list[Write], records: Records) -> list[str]:
    return wrong_records(writes, records, "v")


def test_what_is_right_is_not_complained_about() -> None:
    assert _wrong(WRITES, _records()) == []
    assert wrong_fold(_records(), _table(), ["pk"]) == []
    assert lost_writes(WRITES, _table(), ["pk"], "v") == []


# --- every change once, in the order of its item


def test_an_acknowledged_write_without_a_record_is_named() -> None:
    records = _records()
    del records[4]
    assert _wrong(WRITES, records) == [f"write 'b2' of {B} was acknowledged and has no record"]


def test_a_write_without_an_answer_may_have_a_record_or_none() -> None:
    unsure = [replace(write, acknowledged=write.mark != "b2") for write in WRITES]
    assert _wrong(unsure, _records()) == []
    assert _wrong(unsure, _records()[:4]) == []


def test_a_write_with_two_records_is_named_with_both() -> None:
    records = [*_records(), _record(6, "b", "b2", "b2")]
    assert _wrong(WRITES, records) == [
        f"write 'b2' of {B} has 2 records: {_number(5)}, {_number(6)}"
    ]


def test_the_same_record_twice_is_told_as_such() -> None:
    records = _records()
    wrong = _wrong(WRITES, [*records, records[4]])
    assert wrong[0] == "the record with the eventID e5 is there 2 times"


def test_a_record_that_no_write_explains_is_named() -> None:
    wrong = _wrong(WRITES, [*_records(), _record(6, "c", None, "c1")])
    assert wrong == [(f"record {_number(6)} of {C} has the mark 'c1', which nobody wrote to it")]


def test_a_mark_on_another_item_than_it_was_written_to_is_found() -> None:
    records = _records()
    records[4] = _record(5, "a", "a2", "b2")
    assert any("'b2', which nobody wrote to it" in line for line in _wrong(WRITES, records))


def test_an_old_image_that_is_not_what_the_answer_told_is_found() -> None:
    records = _records()
    records[2] = _record(3, "a", "a0", "a2")
    assert _wrong(WRITES, records) == [
        (
            f"write 'a2' of {A} replaced 'a1', but record {_number(3)} of"
            f" {A} has 'a0' as the old mark"
        )
    ]


def test_a_delete_that_told_what_it_removed_needs_its_record() -> None:
    records = _records()
    del records[3]
    assert _wrong(WRITES, records) == [f"delete of {B} removed 'b1' and has no record"]


def test_a_removal_needs_a_delete_and_one_that_told_nothing_will_do() -> None:
    told_nothing = [replace(write, replaced=None) for write in WRITES]
    assert _wrong(told_nothing, _records()) == []
    none = [write for write in WRITES if write.mark is not None]
    assert _wrong(none, _records()) == [
        f"record {_number(4)} of {B} is a removal that nobody asked for"
    ]


def test_an_item_that_is_removed_twice_is_found() -> None:
    records = [*_records()[:4], _record(6, "b", "b1", None), _record(7, "b", None, "b2")]
    assert _wrong(WRITES, records) == [
        f"the item with the mark 'b1' was removed twice: {_number(4)}, {_number(6)}"
    ]


def test_a_write_that_had_ended_before_another_began_stands_before_it() -> None:
    records = _records()
    records[0], records[2] = _record(1, "a", "a1", "a2"), _record(3, "a", None, "a1")
    assert any(
        f"record {_number(3)} of {A} of write 'a1'" in line
        and "stands after the record of write 'a2'" in line
        for line in _wrong(WRITES, records)
    )


def test_writes_that_overlap_may_stand_in_either_order() -> None:
    overlapping = [replace(write, began=0, ended=9, replaced=None) for write in WRITES]
    records = _records()
    records[0], records[2] = _record(1, "a", "a1", "a2"), _record(3, "a", None, "a1")
    assert _wrong(overlapping, records) == []


def test_records_of_an_item_against_their_sequence_numbers_are_found() -> None:
    records = _records()
    records[2]["dynamodb"]["SequenceNumber"] = _number(0)
    assert _wrong(WRITES, records) == [f"record {_number(0)} of {A} stands after {_number(1)}"]


# --- folding


def test_a_gap_in_an_items_history_is_found_by_the_next_old_image() -> None:
    records = _records()
    del records[0]
    assert wrong_fold(records, _table(), ["pk"]) == [
        (
            f"record {_number(3)} of {A} has the old image"
            ' {"pk": {"S": "a"}, "v": {"S": "a1"}}, but the records before it left nothing'
        )
    ]


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda table: table[0].update(v={"S": "a1"}), '"a"}} folds to'),
        (lambda table: table.pop(0), "but the table has nothing"),
        (lambda table: table.append(_image("c", "c1")), "folds to nothing, but the table has"),
    ],
)
def test_a_table_that_is_not_the_fold_is_found(spoil: Callable[[Records], Any], told: str) -> None:
    table = _table()
    spoil(table)
    wrong = wrong_fold(_records(), table, ["pk"])
    assert len(wrong) == 1
    assert told in wrong[0]


def test_an_event_name_that_its_images_belie_is_found() -> None:
    records = _records()
    records[2]["eventName"] = "INSERT"
    assert wrong_fold(records, _table(), ["pk"]) == [
        (f"record {_number(3)} of {A} is a INSERT, but its images make it a MODIFY")
    ]


# --- the table alone


def test_an_item_older_than_an_acknowledged_write_is_a_lost_write() -> None:
    assert lost_writes(WRITES, [_image("a", "a1"), _image("b", "b2")], ["pk"], "v") == [
        (f"the item {A} has the mark 'a1', but write 'a2' of {A} came later")
    ]


def test_an_item_that_is_missing_after_its_last_write_is_a_lost_write() -> None:
    wrong = lost_writes(WRITES, [_image("a", "a2")], ["pk"], "v")
    assert wrong == [f"the item {B} has nothing, but write 'b2' of {B} came later"]


def test_an_item_that_outlives_its_acknowledged_delete_is_a_lost_write() -> None:
    assert lost_writes(WRITES[:4], [_image("a", "a2"), _image("b", "b1")], ["pk"], "v") == [
        (f"the item {B} has the mark 'b1', but delete of {B} came later")
    ]


def test_an_item_may_be_what_a_write_without_an_answer_made_it() -> None:
    unsure = Write(_key("a"), "a3", 2.5, 2.6, acknowledged=False)
    table = [_image("a", "a3"), _image("b", "b2")]
    assert lost_writes([*WRITES, unsure], table, ["pk"], "v") == []
    assert lost_writes([*WRITES, unsure], _table(), ["pk"], "v") == []


def test_an_item_that_nobody_wrote_is_found() -> None:
    assert lost_writes(WRITES, [*_table(), _image("c", "c1")], ["pk"], "v") == [
        f"the item {C} has the mark 'c1', which nobody wrote to it"
    ]


# --- a reader never sees anything undone


def _watch() -> StreamWatch:
    watch = StreamWatch()
    assert watch.read_on("s", _records()[:2]) == []
    assert watch.read_on("s", [_records()[3]]) == []
    return watch


def test_a_reader_that_goes_on_upwards_is_fine_and_shards_are_apart() -> None:
    watch = _watch()
    assert watch.read_on("t", _records()[:1]) == []
    seen = [*_records()[:2], *_records()[3:]]
    assert watch.read_again("s", seen) == []
    assert watch.records_seen == 4


def test_a_page_with_a_record_below_what_was_seen_is_found() -> None:
    assert _watch().read_on("s", [_records()[2]]) == [
        f"record {_number(3)} of {A} came after the reader of s saw {_number(4)}"
    ]


def test_a_new_record_below_what_was_seen_is_found_on_reading_again() -> None:
    assert _watch().read_again("s", _records()) == [
        (f"record {_number(3)} of {A} is new in s, whose reader had already seen {_number(4)}")
    ]


def test_a_seen_record_that_is_gone_or_changed_is_found() -> None:
    changed = _records()[:2]
    changed[0]["eventID"] = "other"
    wrong = _watch().read_again("s", changed)
    assert wrong[0] == (f"record {_number(4)} of {B} was seen in s and is gone")
    assert wrong[1].startswith(f"record {_number(1)} of {A} was {{")
    assert len(wrong) == 2
