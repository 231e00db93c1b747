"""Found changes are held against expected ones per item, and every difference is told plainly."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any
from unittest.mock import ANY

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.testing import assert_changes, expired, inserted, modified, removed
from penstock.testing.changes import ItemChange
from penstock.testing.matching import Record, captured, mismatch
from penstock.testing.plain import as_image

SHARD = "shardId-00000001573689847184-864758bb"
A1, A2, A3 = ({"id": "a", "n": n} for n in (1, 2, 3))
B1 = {"id": "b", "n": 1}


def record(change: ItemChange, view: str = "NEW_AND_OLD_IMAGES", key: str = "id") -> Record:
    """Return the record that a stream of `view` has of `change`."""
    body: dict[str, Any] = {
        "Keys": as_image({key: change.image[key]}),
        "StreamViewType": view,
        "SequenceNumber": "100000000000000000001",
    }
    if change.old is not None and view in {"OLD_IMAGE", "NEW_AND_OLD_IMAGES"}:
        body["OldImage"] = as_image(change.old)
    if change.new is not None and view in {"NEW_IMAGE", "NEW_AND_OLD_IMAGES"}:
        body["NewImage"] = as_image(change.new)
    by = {"userIdentity": {"Type": "Service", "PrincipalId": "dynamodb.amazonaws.com"}}
    return {"eventName": change.event, "dynamodb": body, **(by if change.expired else {})}


def records(*changes: ItemChange, view: str = "NEW_AND_OLD_IMAGES") -> list[Record]:
    return [record(change, view) for change in changes]


def told(expected: Sequence[ItemChange], found: Sequence[Record]) -> list[str]:
    """Return the lines on a mismatch, which there has to be."""
    text = mismatch(expected, found)
    assert text is not None
    return text.splitlines()


def test_the_order_counts_within_an_item_and_not_between_items() -> None:
    a, a2, b = inserted(A1), modified(A1, A2), inserted(B1)
    for found in ([a, a2, b], [a, b, a2], [b, a, a2]):
        assert mismatch([a, a2, b], records(*found)) is None
    assert mismatch([a, a2, b], records(a2, a, b)) is not None


def test_nothing_expected_and_nothing_found_is_no_mismatch() -> None:
    assert mismatch([], []) is None


def test_what_is_missing_stands_between_what_is_there() -> None:
    expected = [inserted(A1), modified(A1, A2), removed(A2), inserted(B1)]
    assert told(expected, records(expected[0], expected[2], expected[3])) == [
        "4 changes expected, 3 found: 1 missing",
        "",
        'item id "a"',
        '               INSERT {id: "a", n: 1}',
        "  - missing    MODIFY n 1 → 2",
        '               REMOVE {id: "a", n: 2}',
    ]


def test_what_nobody_expects_is_told_and_a_repetition_as_one() -> None:
    found = records(inserted(A1), inserted(A1), removed(A2), inserted(B1))
    assert told([inserted(A1)], found) == [
        "1 change expected, 4 found: 3 unexpected",
        "",
        'item id "a"',
        '               INSERT {id: "a", n: 1}',
        '  + unexpected INSERT {id: "a", n: 1} (a repetition)',
        '  + unexpected REMOVE {id: "a", n: 2}',
        "",
        'item id "b"',
        '  + unexpected INSERT {id: "b", n: 1}',
    ]


def test_changes_in_the_wrong_order_are_told_to_be_out_of_order() -> None:
    expected = [modified(A1, A2), modified(A2, A3)]
    assert told(expected, records(*reversed(expected))) == [
        "2 changes expected, 2 found: 1 missing, 1 unexpected",
        "",
        'item id "a"',
        "  - missing    MODIFY n 1 → 2 (out of order)",
        "               MODIFY n 2 → 3",
        "  + unexpected MODIFY n 1 → 2 (out of order)",
    ]


def test_what_differs_is_told_attribute_by_attribute_in_plain_values() -> None:
    old, new = (
        {"id": "a", "n": 1, "tags": {"x", "y"}},
        {"id": "a", "paid": True, "at": [1, {"k": None}]},
    )
    other = {"id": "a", "n": 2, "tags": {"y", "z"}}
    found = records(modified(other, {"id": "a", "at": [1, {"k": b"\x00\xff"}], "more": "…"}))
    assert told([modified(old, new)], found)[3:] == [
        '  ~ differs    MODIFY +at [1, {k: null}], -n 1, +paid true, -tags {"x", "y"}',
        "      old.n        expected 1, found 2",
        '      old.tags{}   expected "x", not found',
        '      old.tags{}   not expected, found "z"',
        "      new.at[1].k  expected null, found 0x00ff",
        '      new.more     not expected, found "…"',
        "      new.paid     expected true, not found",
    ]


def test_long_strings_are_shown_from_where_they_begin_to_differ() -> None:
    same, one, other = "x" * 5000, {"id": "a", "s": ""}, {"id": "a", "s": ""}
    one["s"], other["s"] = f"{same}left", f"{same}right"
    lines = told([inserted(one)], records(inserted(other)))
    assert 'left" (5006 characters), found …' in lines[-1]
    assert max(map(len, lines)) < 1000


@pytest.mark.parametrize(
    ("plain", "other"),
    [
        (True, 1),
        (1, "1"),
        (None, False),
        (b"a", "a"),
        ([1, 2], [2, 1]),
        ([1], {1}),
        ({"a": {"b": 1}}, {"a": {"b": 2}}),
        ({"1"}, {1}),
        (Decimal("0.1"), Decimal("0.10000000000000000000000001")),
    ],
)
def test_values_that_dynamodb_tells_apart_differ(plain: Any, other: Any) -> None:
    assert (
        mismatch([inserted({"id": "a", "v": plain})], records(inserted({"id": "a", "v": plain})))
        is None
    )
    assert (
        mismatch([inserted({"id": "a", "v": plain})], records(inserted({"id": "a", "v": other})))
        is not None
    )


@pytest.mark.parametrize(
    ("plain", "wire"),
    [
        (0.1, {"N": "0.1"}),
        (1e3, {"N": "1000"}),
        (Decimal("1.50"), {"N": "1.5"}),
        ({2, 10}, {"NS": ["2", "10"]}),
        ({b"b", b"a"}, {"BS": ["Yg==", "YQ=="]}),
        (bytearray(b"ab"), {"B": "YWI="}),
        ((1, "x"), {"L": [{"N": "1"}, {"S": "x"}]}),
        ({"in": [b"ab"]}, {"M": {"in": {"L": [{"B": b"ab"}]}}}),
    ],
)
def test_plain_values_fit_attribute_values_of_boto3_and_of_lambda(plain: Any, wire: Any) -> None:
    found = record(inserted({"id": "a"}))
    found["dynamodb"]["NewImage"]["v"] = wire
    assert mismatch([inserted({"id": "a", "v": plain})], [found]) is None


def test_a_matcher_fits_what_it_equals_at_any_depth() -> None:
    found = records(inserted({"id": "a", "at": 17, "in": [{"x": b"1"}, 2]}))
    assert mismatch([inserted({"id": "a", "at": ANY, "in": [{"x": ANY}, 2]})], found) is None
    assert mismatch([inserted({"id": "a", "at": 17, "in": ANY})], found) is None
    assert told([inserted({"id": "a", "at": ANY, "no": ANY, "in": [{"x": ANY}, 2]})], found)[
        3:
    ] == [
        '  ~ differs    INSERT {at: <ANY>, id: "a", in: [{x: <ANY>}, 2], no: <ANY>}',
        "      new.no  expected <ANY>, not found",
    ]


@pytest.mark.parametrize("view", ["KEYS_ONLY", "NEW_IMAGE", "OLD_IMAGE", "NEW_AND_OLD_IMAGES"])
def test_what_the_view_leaves_out_is_not_compared(view: str) -> None:
    found = records(inserted(A1), modified(A1, A2), removed(A2), view=view)
    assert mismatch([inserted(A1), modified(A1, A2), removed(A2)], found) is None
    other_new = [inserted(A1), modified(A1, A3), removed(A2)]
    other_old = [inserted(A1), modified(A3, A2), removed(A2)]
    assert (mismatch(other_new, found) is None) == (view in {"KEYS_ONLY", "OLD_IMAGE"})
    assert (mismatch(other_old, found) is None) == (view in {"KEYS_ONLY", "NEW_IMAGE"})
    taken = [captured(each, SHARD) for each in found]
    assert mismatch(taken, found) is None
    assert mismatch(taken, found[:2]) is not None


def test_a_removal_by_time_to_live_is_another_than_one_by_hand() -> None:
    by_hand, by_time = records(removed(A1)), records(expired(A1))
    assert mismatch([expired(A1)], by_time) is None
    assert told([removed(A1)], by_time)[3:] == [
        '  - missing    REMOVE {id: "a", n: 1}',
        '  + unexpected REMOVE by time to live {id: "a", n: 1}',
    ]
    assert mismatch([expired(A1)], by_hand) is not None
    lambda_form = dict(by_time[0], userIdentity={"type": "Service", "principalId": "x"})
    assert mismatch([expired(A1)], [lambda_form]) is None


def test_a_captured_change_is_plain_and_knows_its_record() -> None:
    change = captured(record(modified(A1, {"id": "a", "b": b"1", "s": {b"2"}})), SHARD)
    assert (change.event, change.old, change.keys) == ("MODIFY", A1, {"id": "a"})
    assert change.new == {"id": "a", "b": b"1", "s": {b"2"}}
    assert type(change.new["b"]) is bytes
    assert (change.shard_id, change.sequence_number) == (SHARD, "100000000000000000001")
    assert captured(record(removed(A1), "KEYS_ONLY"), SHARD).image == {"id": "a"}


def test_only_a_little_around_a_difference_is_shown() -> None:
    changes = [modified({"id": "a", "n": n}, {"id": "a", "n": n + 1}) for n in range(100)]
    assert told(changes, records(*changes[:50], *changes[51:]))[3:] == [
        "    … 48 changes as expected",
        "               MODIFY n 48 → 49",
        "               MODIFY n 49 → 50",
        "  - missing    MODIFY n 50 → 51",
        "               MODIFY n 51 → 52",
        "               MODIFY n 52 → 53",
        "    … 47 changes as expected",
    ]


def test_a_text_stays_short_however_much_differs() -> None:
    """Beyond the pairs that are weighed, changes are compared in their places."""
    changes = [modified({"id": "a", "n": n}, {"id": "a", "n": n + 1}) for n in range(1000)]
    lines = told(changes, records(*changes[1:], inserted(A1)))
    assert lines[0].endswith("1 missing, 1 unexpected, 999 different")
    assert lines[-1] == "    … 941 changes more"
    many = [inserted({"id": f"{n}"}) for n in range(100)]
    assert told(many, records(inserted({"id": "x"})))[-1] == "and 81 more items"


def test_missing_changes_of_an_unknown_key_are_told_too() -> None:
    assert told([inserted(A1), inserted(B1)], []) == [
        "2 changes expected, 0 found: 2 missing",
        "",
        "any item",
        '  - missing    INSERT {id: "a", n: 1}',
        '  - missing    INSERT {id: "b", n: 1}',
    ]


@pytest.mark.parametrize(
    ("expected", "found", "text"),
    [
        ([A1], [], "expected change 1 is {'id': 'a', 'n': 1}; make it with inserted"),
        (
            [inserted(A1), inserted({"n": 1})],
            records(inserted(A1)),
            "expected change 2 has no 'id'",
        ),
        ([inserted({"id": ANY})], records(inserted(A1)), None),
        ([inserted({"id": True})], records(inserted(A1)), "expected change 1 has a key that is"),
        ([inserted({"id": "a", "v": set()})], records(inserted(A1)), "v: set() is no set of Dyn"),
        ([inserted({"id": "a", "v": {1, "a"}})], records(inserted(A1)), "is no set of DynamoDB"),
        ([inserted({"id": "a", "v": [{True}]})], records(inserted(A1)), "v[0]: {True} is no set"),
        (
            [inserted({"id": "a", "v": [float("nan")]})],
            records(inserted(A1)),
            "v[0]: nan is no num",
        ),
        ([], [{"Records": []}], "not a record of a stream: {'Records': []}"),
        ([], [A1], "not a record of a stream"),
        ([], ["x"], "not a record of a stream: 'x'"),
    ],
)
def test_what_makes_no_sense_is_refused_with_its_place(
    expected: Any, found: Any, text: str | None
) -> None:
    if text is None:
        assert mismatch(expected, found) is not None
    else:
        with pytest.raises(TypeError) as caught:
            mismatch(expected, found)
        assert text in str(caught.value)


@pytest.mark.parametrize("image", [None, {}, [("id", "a")], "a", {1: "a"}])
def test_a_change_is_made_of_items_only(image: Any) -> None:
    for make in (inserted, removed, expired, lambda wrong: modified(A1, wrong)):
        with pytest.raises(TypeError, match=r"^(inserted|modified|removed|expired)\(\)"):
            make(image)


def test_assert_changes_fails_with_that_text_and_passes_without_one() -> None:
    assert_changes(records(inserted(A1)), [inserted(A1)])
    with pytest.raises(AssertionError, match=r"^2 changes expected, 1 found: 1 missing\n"):
        assert_changes(records(inserted(A1)), [inserted(A1), inserted(B1)])


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 3)), max_size=12), st.data())
def test_one_change_more_or_less_is_always_found(
    pairs: list[tuple[str, int]], data: st.DataObject
) -> None:
    """Whatever the history, also one full of equal changes."""
    changes = [inserted({"id": key, "n": n}) for key, n in pairs]
    assert mismatch(changes, records(*changes)) is None
    if changes:
        at = data.draw(st.integers(0, len(changes) - 1))
        fewer = changes[:at] + changes[at + 1 :]
        assert " found: 1 missing" in (mismatch(changes, records(*fewer)) or "")
        assert " found: 1 unexpected" in (mismatch(fewer, records(*changes)) or "")
