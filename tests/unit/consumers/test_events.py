"""Events made by splicing bytes are what decoding and encoding would make, whatever users write."""

import json
import zlib
from base64 import b64encode
from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.consumers.events import (
    Window,
    encode_event_record,
    event,
    event_record,
    lane_of,
    sequence_number_of,
    source_member,
    window_event,
)
from penstock.items.canonical import encode_item
from penstock.storage.format import unpack
from penstock.streams.sequence import sequence_number
from penstock.streams.stream import ViewType
from penstock.tables.record import Recorder
from penstock.tables.stored_item import stored_item

Item = dict[str, Any]

ARN = "arn:aws:dynamodb:us-east-1:000000000000:table/t/stream/2026-11-28T00:00:00.000"
STAMP = 1571849028123 << 20
VIEW_TYPES: tuple[ViewType, ...] = ("KEYS_ONLY", "NEW_IMAGE", "OLD_IMAGE", "NEW_AND_OLD_IMAGES")
LANES = 7

# What the records themselves have where something is spliced or looked for, and pieces of it.
TRAPS = [
    ',"Keys":',
    '"Keys":',
    "Keys",
    '"SequenceNumber":"',
    '","SequenceNumber":"1',
    "SequenceNumber",
    ',"userIdentity":{"PrincipalId":"dynamodb.amazonaws.com","Type":"Service"}}',
    "userIdentity",
    '"eventVersion":"1.1"}',
    "ApproximateCreationDateTime",
    "\\",
    '\\"',
    '"}',
    '"},"b":{"S":"',
    "",
    "a",
    "b",
    "dynamodb",
    "é\U0001f600\u2028\0",
]
texts = st.sampled_from(TRAPS) | st.text(max_size=8)
names = texts.filter(bool)
key_values = st.one_of(
    st.builds(lambda text: {"S": text}, texts),
    st.builds(lambda number: {"N": str(number)}, st.integers()),
    st.builds(lambda data: {"B": b64encode(data).decode()}, st.binary(max_size=8)),
)
values = st.recursive(
    key_values | st.sampled_from([{"BOOL": True}, {"NULL": True}]),
    lambda inner: (
        st.builds(lambda elements: {"L": elements}, st.lists(inner, max_size=2))
        | st.builds(lambda members: {"M": members}, st.dictionaries(names, inner, max_size=2))
    ),
    max_leaves=5,
)


@st.composite
def changes(draw: st.DrawFn) -> tuple[Item, Item | None, Item | None]:
    """Return the keys of an item, and the item before and after a change."""
    keys = draw(st.dictionaries(names, key_values, min_size=1, max_size=2))
    images = st.dictionaries(names, values, max_size=3).map(lambda others: others | keys)
    old, new = draw(st.none() | images), draw(images)
    return (keys, old, None) if old is not None and draw(st.booleans()) else (keys, old, new)


def stored(
    change: tuple[Item, Item | None, Item | None],
    view_type: ViewType = "NEW_AND_OLD_IMAGES",
    by_service: bool = False,
) -> bytes:
    """Return the record of a change as the log keeps it."""
    keys, *images = change
    old, new = (None if image is None else stored_item(image) for image in images)
    recorder = Recorder(b"log", "us-east-1", view_type)
    return unpack(recorder.record(STAMP, keys, old, new, by_service))


def as_lambda_has_it(record: bytes) -> dict[str, Any]:
    """Return what a function is to get, by way of decoding."""
    made: dict[str, Any] = json.loads(record)
    made["eventSourceARN"] = ARN
    if "userIdentity" in made:
        made["userIdentity"] = {"principalId": "dynamodb.amazonaws.com", "type": "Service"}
    return made


@given(changes(), st.sampled_from(VIEW_TYPES), st.booleans())
def test_a_record_is_spliced_as_decoding_would_make_it(
    change: tuple[Item, Item | None, Item | None], view_type: ViewType, by_service: bool
) -> None:
    record = stored(change, view_type, by_service)
    spliced = event_record(record, source_member(ARN))
    assert json.loads(spliced) == as_lambda_has_it(record)
    created = json.loads(spliced)["dynamodb"]["ApproximateCreationDateTime"]
    assert isinstance(created, float)
    assert b'"ApproximateCreationDateTime":1571849028.0,' in spliced
    assert ("userIdentity" in json.loads(spliced)) is by_service
    assert json.loads(encode_event_record(json.loads(record), ARN)) == json.loads(spliced)


@given(changes(), st.sampled_from(VIEW_TYPES), st.booleans())
def test_a_sequence_number_is_found_wherever_it_stands(
    change: tuple[Item, Item | None, Item | None], view_type: ViewType, by_service: bool
) -> None:
    record = stored(change, view_type, by_service)
    number = sequence_number(STAMP)
    assert sequence_number_of(record) == number
    assert sequence_number_of(event_record(record, source_member(ARN))) == number
    assert sequence_number_of(encode_event_record(json.loads(record), ARN)) == number


@given(changes(), st.booleans())
def test_a_lane_follows_from_the_partition_key_alone(
    change: tuple[Item, Item | None, Item | None], by_service: bool
) -> None:
    keys = change[0]
    record = event_record(stored(change, by_service=by_service), source_member(ARN))
    for name, value in keys.items():
        expected = zlib.crc32(encode_item(value)) % LANES
        assert lane_of(record, name, LANES) == expected
        same = encode_event_record(json.loads(stored(({name: value}, None, keys))), ARN)
        assert lane_of(same, name, LANES) == expected
    whole = zlib.crc32(encode_item(keys)) % LANES
    assert lane_of(record, None, LANES) == whole
    assert lane_of(record, "no name of a key", LANES) == whole
    assert lane_of(record, None, 1) == 0


def test_a_lane_does_not_depend_on_how_names_and_values_are_spelled() -> None:
    """Another server may escape what ours does not."""
    keys = {"né": {"S": "é/1"}}
    ours = event_record(stored((keys, None, keys)), source_member(ARN))
    theirs = encode_event_record(json.loads(json.dumps(json.loads(ours))), ARN)
    assert lane_of(ours, "né", 1009) == lane_of(theirs, "né", 1009)


def test_lanes_are_about_evenly_used() -> None:
    used: Counter[int] = Counter()
    for number in range(1000):
        keys = {"id": {"S": f"item-{number}"}}
        used[lane_of(stored((keys, None, keys)), "id", 10)] += 1
    assert len(used) == 10
    assert max(used.values()) < 150


@pytest.mark.parametrize("count", [0, 1, 3])
def test_an_event_holds_its_records(count: int) -> None:
    records = [b'{"eventID":"%d"}' % number for number in range(count)]
    assert event(records) == b'{"Records":[' + b",".join(records) + b"]}"
    assert json.loads(event(records)) == {"Records": [json.loads(record) for record in records]}


@pytest.mark.parametrize(("is_final", "early"), [(False, False), (True, False), (True, True)])
def test_an_event_of_a_window_tells_of_it(is_final: bool, early: bool) -> None:
    window = Window(
        start_ms=1607497440000,
        end_ms=1607497560000,
        state=b'{"sum": 7}',
        shard_id='shardId-"1"',
        source_arn=ARN,
        is_final=is_final,
        terminated_early=early,
    )
    records = [] if is_final else [b'{"eventID":"1"}']
    assert json.loads(window_event(records, window)) == {
        "Records": [] if is_final else [{"eventID": "1"}],
        "window": {"start": "2020-12-09T07:04:00Z", "end": "2020-12-09T07:06:00Z"},
        "state": {"sum": 7},
        "shardId": 'shardId-"1"',
        "eventSourceARN": ARN,
        "isFinalInvokeForWindow": is_final,
        "isWindowTerminatedEarly": early,
    }


def test_a_record_of_another_server_may_lack_its_time_and_have_members_in_any_order() -> None:
    record = {
        "eventName": "INSERT",
        "dynamodb": {"SequenceNumber": "17", "NewImage": {"Keys": {"S": "x"}}, "Keys": {"a": 1}},
        "awsRegion": "r",
    }
    made = encode_event_record(record, ARN)
    assert json.loads(made) == {**record, "eventSourceARN": ARN}
    assert sequence_number_of(made) == "17"
