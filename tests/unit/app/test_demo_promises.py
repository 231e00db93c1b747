"""The demo's check finds lost, repeated, reordered and invented records, and a wrong fold."""

from dataclasses import replace

import pytest

from penstock.app.demo_plan import Event, Item, Key, key_item
from penstock.app.demo_promises import (
    Findings,
    Latency,
    Receipt,
    Write,
    judge,
    percentile,
    receipt,
)

_LATEST: Key = ("Seattle", "latest")
_READING: Key = ("Seattle 2010-01", "2010-01-01 00:00")
_HISTORY: list[tuple[Key, int, Event]] = [
    (_LATEST, 1, "INSERT"),
    (_READING, 1, "INSERT"),
    (_LATEST, 2, "MODIFY"),
    (_LATEST, 3, "MODIFY"),
    (_READING, 2, "REMOVE"),
]


def _item(key: Key, version: int) -> Item:
    return {**key_item(key), "version": {"N": str(version)}, "temperature": {"N": "39.4"}}


def _receipt(key: Key, version: int, event: Event) -> Receipt:
    old = None if event == "INSERT" else _item(key, version - 1)
    new = None if event == "REMOVE" else _item(key, version)
    return Receipt(key, event, old, new, received_ms=30.0)


def _writes() -> list[Write]:
    return [Write(*each, started_ms=10.0, acknowledged_ms=20.0) for each in _HISTORY]


def _receipts() -> list[Receipt]:
    return [_receipt(*each) for each in _HISTORY]


def _table() -> dict[Key, Item]:
    return {_LATEST: _item(_LATEST, 3)}


def _judge(receipts: list[Receipt]) -> Findings:
    return judge(_writes(), receipts, _table())


def test_a_faithful_stream_keeps_every_promise() -> None:
    assert _judge(_receipts()) == Findings(
        written=5,
        received=5,
        lost=0,
        duplicated=0,
        out_of_order=0,
        unexpected=0,
        old_images_wrong=0,
        fold_differences=0,
        items=1,
        from_start=Latency(20.0, 20.0),
        from_acknowledgement=Latency(10.0, 10.0),
    )
    assert _judge(_receipts()).kept


def test_items_may_overtake_each_other_as_long_as_each_keeps_its_own_order() -> None:
    receipts = sorted(_receipts(), key=lambda each: each.key == _READING)
    assert _judge(receipts).kept


@pytest.mark.parametrize("at", range(len(_HISTORY)))
def test_any_lost_record_is_found(at: int) -> None:
    receipts = _receipts()
    del receipts[at]
    findings = _judge(receipts)
    assert (findings.lost, findings.duplicated, findings.out_of_order) == (1, 0, 0)
    assert not findings.kept


@pytest.mark.parametrize("at", range(len(_HISTORY)))
def test_any_repeated_record_is_found_at_once_or_later(at: int) -> None:
    at_once = _receipts()
    at_once.insert(at, at_once[at])
    for receipts in (at_once, [*_receipts(), _receipts()[at]]):
        findings = _judge(receipts)
        assert (findings.lost, findings.duplicated, findings.out_of_order) == (0, 1, 0)
        assert not findings.kept


@pytest.mark.parametrize(("first", "second"), [(0, 2), (2, 3), (1, 4)])
def test_two_records_of_an_item_in_the_wrong_order_are_found(first: int, second: int) -> None:
    receipts = _receipts()
    receipts[first], receipts[second] = receipts[second], receipts[first]
    findings = _judge(receipts)
    assert (findings.lost, findings.duplicated, findings.out_of_order) == (0, 0, 1)
    assert not findings.kept


def test_a_record_that_no_write_explains_is_found() -> None:
    findings = _judge([*_receipts(), _receipt(_LATEST, 4, "MODIFY")])
    assert (findings.lost, findings.unexpected) == (0, 1)
    assert not findings.kept


def test_a_record_with_the_wrong_event_is_one_lost_and_one_unexpected() -> None:
    receipts = _receipts()
    receipts[2] = replace(receipts[2], event="INSERT")
    findings = _judge(receipts)
    assert (findings.lost, findings.unexpected) == (1, 1)


def test_a_wrong_new_image_makes_the_fold_differ_from_the_table() -> None:
    receipts = _receipts()
    warm = {**_item(_LATEST, 3), "temperature": {"N": "99"}}
    receipts[3] = replace(receipts[3], new=warm)
    findings = _judge(receipts)
    assert (findings.lost, findings.fold_differences, findings.old_images_wrong) == (0, 1, 0)
    assert not findings.kept


def test_an_item_too_many_in_the_table_makes_the_fold_differ() -> None:
    table = {**_table(), _READING: _item(_READING, 1)}
    findings = judge(_writes(), _receipts(), table)
    assert findings.fold_differences == 1
    assert not findings.kept


def test_a_wrong_old_image_is_found_though_the_fold_agrees() -> None:
    receipts = _receipts()
    warm = {**_item(_LATEST, 1), "temperature": {"N": "99"}}
    receipts[2] = replace(receipts[2], old=warm)
    findings = _judge(receipts)
    assert (findings.fold_differences, findings.old_images_wrong) == (0, 1)
    assert not findings.kept


def test_folding_applies_records_in_the_order_of_receipt() -> None:
    assert _judge(_receipts()).fold_differences == 0
    assert _judge(list(reversed(_receipts()))).fold_differences == 2


def test_a_removal_is_the_version_after_its_old_image() -> None:
    body = {"Keys": key_item(_READING), "OldImage": _item(_READING, 1)}
    removal = receipt({"eventName": "REMOVE", "dynamodb": body}, 30.0)
    assert removal == _receipt(_READING, 2, "REMOVE")
    assert removal.identity == (_READING, 2, "REMOVE")


def test_latency_counts_from_the_first_receipt_and_never_below_zero() -> None:
    writes = [Write(_LATEST, 1, "INSERT", started_ms=25.0, acknowledged_ms=40.0)]
    first = _receipt(_LATEST, 1, "INSERT")
    findings = judge(writes, [first, replace(first, received_ms=900.0)], {})
    assert findings.from_start == Latency(5.0, 5.0)
    assert findings.from_acknowledgement == Latency(0.0, 0.0)


def test_nothing_received_has_no_latency() -> None:
    findings = judge(_writes(), [], {})
    assert findings.from_start is None
    assert findings.lost == 5


@pytest.mark.parametrize(("share", "value"), [(0.5, 50), (0.99, 99), (1.0, 100), (0.001, 1)])
def test_a_percentile_is_the_least_value_that_its_share_does_not_exceed(
    share: float, value: int
) -> None:
    assert percentile(range(1, 101), share) == value
