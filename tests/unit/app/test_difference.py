"""The difference of two images names every changed path and holds nothing a terminal obeys."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.app.difference import (
    Difference,
    Edit,
    Image,
    Kind,
    item_difference,
    path_name,
    printable,
    record_difference,
    value_text,
)

_KEYS = {"city": {"S": "Seattle"}}

_scalars = st.one_of(
    st.text(max_size=5).map(lambda text: {"S": text}),
    st.integers().map(lambda number: {"N": str(number)}),
    st.booleans().map(lambda flag: {"BOOL": flag}),
    st.binary(max_size=40).map(lambda data: {"B": data}),
    st.sets(st.binary(max_size=40), min_size=1).map(lambda data: {"BS": list(data)}),
)
_values: st.SearchStrategy[dict[str, Any]] = st.recursive(
    _scalars,
    lambda inner: (
        st.lists(inner, max_size=3).map(lambda values: {"L": values})
        | st.dictionaries(st.text(max_size=3), inner, max_size=3).map(lambda values: {"M": values})
    ),
    max_leaves=6,
)
_images = st.dictionaries(st.text(min_size=1, max_size=4), _values, max_size=4)


def _record(event: str, view: str, **images: Any) -> dict[str, Any]:
    body = {"Keys": _KEYS, "StreamViewType": view, **images}
    return {"eventName": event, "dynamodb": body}


def test_each_kind_of_edit_is_named_with_both_sides() -> None:
    old: Image = {"gone": {"S": "a"}, "same": {"N": "1"}, "temp": {"N": "39.4"}}
    new: Image = {"fresh": {"BOOL": True}, "same": {"N": "1"}, "temp": {"N": "40"}}
    assert item_difference(old, new) == Difference(
        (
            Edit(Kind.ADDED, "fresh", None, "true"),
            Edit(Kind.REMOVED, "gone", '"a"', None),
            Edit(Kind.CHANGED, "temp", "39.4", "40"),
        ),
        unchanged=1,
    )


def test_nested_maps_and_lists_differ_by_path() -> None:
    old = {"a": {"M": {"b": {"L": [{"N": "1"}, {"N": "2"}, {"N": "3"}]}, "c": {"NULL": True}}}}
    new = {"a": {"M": {"b": {"L": [{"N": "1"}, {"N": "5"}]}, "d": {"S": "x"}}}}
    assert item_difference(old, new).edits == (
        Edit(Kind.CHANGED, "a.b[1]", "2", "5"),
        Edit(Kind.REMOVED, "a.b[2]", "3", None),
        Edit(Kind.REMOVED, "a.c", "null", None),
        Edit(Kind.ADDED, "a.d", None, '"x"'),
    )


def test_a_set_differs_by_element_and_its_order_does_not_count() -> None:
    old = {"tags": {"SS": ["wet", "cold"]}, "n": {"NS": ["1", "2"]}}
    new = {"tags": {"SS": ["cold", "dry"]}, "n": {"NS": ["2", "1"]}}
    assert item_difference(old, new) == Difference(
        (Edit(Kind.REMOVED, "tags{}", '"wet"', None), Edit(Kind.ADDED, "tags{}", None, '"dry"')),
        unchanged=1,
    )


def test_binary_that_differs_beyond_what_is_shown_still_differs() -> None:
    head = bytes(20)
    difference = item_difference({"raw": {"BS": [head + b"a"]}}, {"raw": {"BS": [head + b"b"]}})
    assert [edit.kind for edit in difference.edits] == [Kind.REMOVED, Kind.ADDED]


def test_a_value_of_another_type_is_changed_as_a_whole() -> None:
    edits = item_difference({"a": {"N": "1"}}, {"a": {"L": [{"N": "1"}]}}).edits
    assert edits == (Edit(Kind.CHANGED, "a", "1", "[1]"),)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"S": 'a "b"\n'}, '"a \\"b\\"\\n"'),
        ({"S": "Zürich ☀"}, '"Zürich ☀"'),
        ({"N": "1e3"}, "1e3"),
        ({"NULL": True}, "null"),
        ({"B": b"\x00\xff"}, "0x00ff"),
        ({"B": bytes(17)}, "0x" + "00" * 16 + "… (17 bytes)"),
        ({"M": {"b c": {"L": []}, "a": {"BOOL": False}}}, '{a: false, "b c": []}'),
        ({"NS": ["2", "1"]}, "{1, 2}"),
    ],
)
def test_a_value_is_one_line_of_text(value: dict[str, Any], text: str) -> None:
    assert value_text(value) == text


def test_a_name_that_could_be_taken_for_a_path_is_quoted() -> None:
    assert path_name("plain_name-1") == "plain_name-1"
    assert path_name("a.b[1]") == '"a.b[1]"'


@pytest.mark.parametrize("char", ["\x1b", "\x9b", "\u202e", "\x7f", "\u2028", "\U000e0001"])
def test_characters_that_a_terminal_acts_upon_are_written_out(char: str) -> None:
    assert printable(f"a{char}b").isprintable()
    assert char not in value_text({"S": char})
    assert char not in path_name(char)


@given(_images)
def test_an_image_does_not_differ_from_itself(image: dict[str, Any]) -> None:
    assert item_difference(image, image) == Difference((), unchanged=len(image))


@given(_images, _images)
def test_edits_are_there_exactly_when_images_differ_and_mirror_each_other(
    old: dict[str, Any], new: dict[str, Any]
) -> None:
    forth, back = item_difference(old, new).edits, item_difference(new, old).edits
    assert bool(forth) == (_plain(old) != _plain(new))
    assert {(edit.path, edit.old, edit.new) for edit in forth} == {
        (edit.path, edit.new, edit.old) for edit in back
    }
    texts = [text for edit in forth for text in (edit.path, edit.old, edit.new) if text]
    assert all(text.isprintable() for text in texts)


def _plain(value: Any) -> Any:
    """Return `value` with sets as sets."""
    if isinstance(value, dict):
        return {
            name: frozenset(inner) if name == "BS" and isinstance(inner, list) else _plain(inner)
            for name, inner in value.items()
        }
    return [_plain(inner) for inner in value] if isinstance(value, list) else value


def test_keys_are_no_part_of_a_records_difference() -> None:
    image = {**_KEYS, "temp": {"N": "1"}}
    difference = record_difference(_record("INSERT", "NEW_AND_OLD_IMAGES", NewImage=image))
    assert difference == Difference((Edit(Kind.ADDED, "temp", None, "1"),), 0)


def test_a_modify_with_one_image_shows_its_side_without_calling_it_a_difference() -> None:
    image = {**_KEYS, "temp": {"N": "1"}}
    after = record_difference(_record("MODIFY", "NEW_IMAGE", NewImage=image))
    before = record_difference(_record("MODIFY", "OLD_IMAGE", OldImage=image))
    assert after.edits == (Edit(Kind.SHOWN, "temp", None, "1"),)
    assert before.edits == (Edit(Kind.SHOWN, "temp", "1", None),)
    assert "NEW_IMAGE" in after.note
    assert "OLD_IMAGE" in before.note


@pytest.mark.parametrize(
    ("event", "view", "note"),
    [
        ("MODIFY", "KEYS_ONLY", "keys only; the stream's view is KEYS_ONLY"),
        ("REMOVE", "NEW_IMAGE", "no old image of REMOVE; the stream's view is NEW_IMAGE"),
        ("INSERT", "OLD_IMAGE", "no new image of INSERT; the stream's view is OLD_IMAGE"),
    ],
)
def test_a_record_without_images_says_why(event: str, view: str, note: str) -> None:
    assert record_difference(_record(event, view)) == Difference((), 0, note)


def test_an_item_of_keys_only_was_still_inserted_and_has_no_note() -> None:
    difference = record_difference(_record("INSERT", "NEW_AND_OLD_IMAGES", NewImage=_KEYS))
    assert difference == Difference((), 0)
