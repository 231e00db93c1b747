"""GetRecords: types of members, refusals with their texts, records, and the pages of a shard."""

import base64
import itertools
import re
from collections import defaultdict
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from penstock.base import limits
from wire.clients import (
    all_records,
    iterator_of,
    number_of,
    pages_from,
    records_by_shard,
    records_from,
    shards_of,
    stream_of,
)
from wire.refusal_texts import constraint
from wire.streams.conftest import Own

GET_RECORDS = "DynamoDBStreams_20120810.GetRecords"
VALIDATION = "ValidationException"
EXPIRED = "ExpiredIteratorException"
TRIMMED = "TrimmedDataAccessException"


def horizon_of(own: Own, arn: str) -> str:
    """Return an iterator at the trim horizon of a stream's only shard."""
    (shard,) = shards_of(own.streams, arn)
    return iterator_of(own.streams, arn, shard["ShardId"], "TRIM_HORIZON")


def names(records: list[dict[str, Any]]) -> list[str]:
    return [record["dynamodb"]["Keys"]["pk"]["S"] for record in records]


def off(own: Own, table: str) -> None:
    own.ddb.update_table(TableName=table, StreamSpecification={"StreamEnabled": False})


# --- serialisation


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({"ShardIterator": 5}, "NUMBER_VALUE cannot be converted to String"),
        ({"ShardIterator": {}}, "Start of structure or map found where not expected"),
        ({"ShardIterator": "x", "Limit": "1"}, "STRING_VALUE cannot be converted to Integer"),
        (
            {"ShardIterator": "x", "Limit": []},
            "Unrecognized collection type class java.lang.Integer",
        ),
    ],
)
def test_wrong_json_types(rejected: Callable[..., Any], body: dict[str, Any], text: str) -> None:
    assert rejected(GET_RECORDS, body) == ("SerializationException", text)


# --- validation


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({}, constraint(None, "shardIterator", "not be null")),
        (
            {"ShardIterator": ""},
            constraint("", "shardIterator", "have length greater than or equal to 1"),
        ),
        (
            {"ShardIterator": "x" * 2049},
            constraint("x" * 2049, "shardIterator", "have length less than or equal to 2048"),
        ),
        (
            {"ShardIterator": "x", "Limit": 1001},
            constraint("1001", "limit", "have value less than or equal to 1000"),
        ),
        (
            {"ShardIterator": "x", "Limit": 0},
            constraint("0", "limit", "have value greater than or equal to 1"),
        ),
        (
            {"ShardIterator": "x", "Limit": -1},
            constraint("-1", "limit", "have value greater than or equal to 1"),
        ),
        ({"ShardIterator": "x"}, "Invalid ShardIterator"),
    ],
)
def test_refusals(rejected: Callable[..., Any], body: dict[str, Any], text: str) -> None:
    assert rejected(GET_RECORDS, body) == (VALIDATION, text)


@pytest.fixture
def streamed(ddb: Any, new_table: Callable[..., str]) -> str:
    """The ARN of a stream."""
    return stream_of(ddb, new_table(view_type="KEYS_ONLY"))


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_garbage_is_no_iterator(
    streamed: str, streams: Any, refused: Callable[..., str], data: st.DataObject
) -> None:
    """Neither any text nor a good iterator with characters changed, dropped or added is one."""
    good = iterator_of(streams, streamed, shards_of(streams, streamed)[0]["ShardId"], "LATEST")
    cut = data.draw(st.integers(0, len(good) - 1))
    until = data.draw(st.integers(cut, min(len(good), cut + 3)))
    text = data.draw(st.text(max_size=3))
    raw = data.draw(
        st.sampled_from(
            [
                good[:cut] + text + good[until:],
                good[:cut],
                text,
                f"{streamed}|1|{text}",
                f"{streamed}|1|{base64.b64encode(text.encode()).decode()}",
            ]
        )
    )
    if raw and raw != good:
        message = refused(VALIDATION, streams.get_records, ShardIterator=raw)
        assert message == "Invalid ShardIterator"


def test_an_iterator_of_another_region_or_account_is_not_found(
    ddb: Any,
    streams: Any,
    make_client: Callable[..., Any],
    refused: Callable[..., str],
    new_table: Callable[..., str],
) -> None:
    arn = stream_of(ddb, new_table(view_type="KEYS_ONLY"))
    iterator = iterator_of(streams, arn, shards_of(streams, arn)[0]["ShardId"], "TRIM_HORIZON")
    elsewhere = make_client("dynamodbstreams", "eu-west-1")
    message = refused("ResourceNotFoundException", elsewhere.get_records, ShardIterator=iterator)
    assert message == f"Requested resource not found: Stream: {arn} not found"


def test_an_iterator_lives_for_15_minutes(own: Own, refused: Callable[..., str]) -> None:
    """Each page's next iterator has its own 15 minutes."""
    table, arn = own.table()
    own.put(table, "a", "b")
    first = horizon_of(own, arn)
    own.clock.advance(limits.iterator_life_ms)
    page = own.streams.get_records(ShardIterator=first, Limit=1)
    assert names(page["Records"]) == ["a"]
    own.clock.advance(1)
    message = refused(EXPIRED, own.streams.get_records, ShardIterator=first)
    assert message == "Shard iterator has expired"
    own.clock.advance(limits.iterator_life_ms - 1)
    assert names(records_from(own.streams, page["NextShardIterator"])) == ["b"]


# --- behaviour: records

EVERYTHING = {
    "s": {"S": 'é\U0001f600"\\\n\x00'},
    "n": {"N": "-0012.50e1"},
    "b": {"B": b"\x00\xff"},
    "t": {"BOOL": False},
    "z": {"NULL": True},
    "ss": {"SS": ["b", "a"]},
    "ns": {"NS": ["2", "1.0"]},
    "bs": {"BS": [b"b", b"a"]},
    "l": {"L": [{"M": {}}, {"L": []}, {"S": ""}]},
    "m": {"M": {"y": {"N": "1"}, "x": {"M": {"k": {"S": "v"}}}}},
}


def test_the_members_of_a_record(
    ddb: Any, read_stream: Callable[[str], list[dict[str, Any]]], new_table: Callable[..., str]
) -> None:
    """Numbers come in canonical form, the size is that of keys and images, the time is whole."""
    table = new_table(sort="N", view_type="NEW_AND_OLD_IMAGES")
    keys = {"pk": {"S": "p"}, "sk": {"N": "07"}}
    ddb.put_item(TableName=table, Item={**keys, **EVERYTHING})
    (record,) = read_stream(table)
    image = record["dynamodb"].pop("NewImage")
    shown = {"pk": {"S": "p"}, "sk": {"N": "7"}}
    assert image == {
        **EVERYTHING,
        **shown,
        "n": {"N": "-125"},
        "ss": {"SS": ["a", "b"]},
        "ns": {"NS": ["1", "2"]},
        "bs": {"BS": [b"a", b"b"]},
    }
    change = record.pop("dynamodb")
    created = change.pop("ApproximateCreationDateTime")
    assert isinstance(created, datetime)
    assert created.microsecond == 0
    assert re.fullmatch(r"\d{21,40}", change.pop("SequenceNumber"))
    assert change.pop("SizeBytes") == 7 + 73
    assert change == {"Keys": shown, "StreamViewType": "NEW_AND_OLD_IMAGES"}
    assert re.fullmatch(r"[0-9a-f]{32}", record.pop("eventID"))
    assert record == {
        "awsRegion": "us-east-1",
        "eventName": "INSERT",
        "eventSource": "aws:dynamodb",
        "eventVersion": "1.1",
    }


@pytest.mark.parametrize(
    ("view_type", "images"),
    [
        ("KEYS_ONLY", set()),
        ("NEW_IMAGE", {"NewImage"}),
        ("OLD_IMAGE", {"OldImage"}),
        ("NEW_AND_OLD_IMAGES", {"NewImage", "OldImage"}),
    ],
)
def test_the_view_type_decides_which_images_there_are(
    ddb: Any,
    read_stream: Callable[[str], list[dict[str, Any]]],
    new_table: Callable[..., str],
    view_type: str,
    images: set[str],
) -> None:
    """INSERT has no old image, REMOVE no new one; images are whole; sizes count what is shown."""
    table = new_table(view_type=view_type)
    key = {"pk": {"S": "Fred"}}
    states: list[dict[str, Any] | None] = [None, key, {**key, "name": {"S": "long name!"}}, None]
    ddb.put_item(TableName=table, Item=states[1])
    ddb.put_item(TableName=table, Item=states[2])
    ddb.delete_item(TableName=table, Key=key)
    records = read_stream(table)
    assert [record["eventName"] for record in records] == ["INSERT", "MODIFY", "REMOVE"]
    for record, (old, new) in zip(records, itertools.pairwise(states), strict=True):
        change = record["dynamodb"]
        wanted = {"OldImage": old, "NewImage": new}
        shown = {name: wanted[name] for name in images if wanted[name] is not None}
        assert {name: change[name] for name in change if name.endswith("Image")} == shown
        assert change["Keys"] == key
        assert change["StreamViewType"] == view_type
        assert change["SizeBytes"] == 6 + sum(6 if image == key else 20 for image in shown.values())


@pytest.mark.parametrize(
    ("item", "size"),
    [
        ({"pk": {"S": "Fred"}}, 12),  # as recorded on AWS for an attribute name of two letters
        ({"pk": {"S": "é"}, "n": {"N": "100"}}, 4 + 4 + 1 + 2),
        ({"pk": {"S": "k"}, "l": {"L": [{"BOOL": True}, {"NULL": True}]}}, 3 + 3 + 1 + 3 + 2 + 2),
        ({"pk": {"S": "k"}, "m": {"M": {"ab": {"B": b"xyz"}}}}, 3 + 3 + 1 + 3 + 1 + 2 + 3),
    ],
)
def test_size_bytes_follow_the_rules_of_item_sizes(
    ddb: Any,
    read_stream: Callable[[str], list[dict[str, Any]]],
    new_table: Callable[..., str],
    item: dict[str, Any],
    size: int,
) -> None:
    table = new_table(view_type="NEW_IMAGE")
    ddb.put_item(TableName=table, Item=item)
    (record,) = read_stream(table)
    assert record["dynamodb"]["SizeBytes"] == size


def test_a_write_that_changes_nothing_has_no_record(
    ddb: Any, read_stream: Callable[[str], list[dict[str, Any]]], new_table: Callable[..., str]
) -> None:
    """Equal is equal by value: number spellings and the order of sets and members do not count."""
    table = new_table(view_type="KEYS_ONLY")
    key = {"pk": {"S": "p"}}
    item = {
        **key,
        "n": {"N": "1"},
        "s": {"SS": ["a", "b"]},
        "m": {"M": {"x": {"S": ""}, "y": {"N": "2"}}},
    }
    ddb.put_item(TableName=table, Item=item)
    same = {
        "m": {"M": {"y": {"N": "2.0"}, "x": {"S": ""}}},
        "s": {"SS": ["b", "a"]},
        "n": {"N": "1e0"},
    }
    ddb.put_item(TableName=table, Item={**same, **key})
    for expression, values in (
        ("SET n = :v", {":v": {"N": "1.00"}}),
        ("ADD n :v", {":v": {"N": "0"}}),
        ("ADD s :v", {":v": {"SS": ["a"]}}),
        ("SET n = if_not_exists(n, :v)", {":v": {"N": "5"}}),
    ):
        ddb.update_item(
            TableName=table, Key=key, UpdateExpression=expression, ExpressionAttributeValues=values
        )
    ddb.update_item(TableName=table, Key=key, UpdateExpression="REMOVE absent")
    absent = {"pk": {"S": "absent"}}
    ddb.delete_item(TableName=table, Key=absent)
    ddb.update_item(TableName=table, Key=absent, UpdateExpression="REMOVE a")
    assert "Item" not in ddb.get_item(TableName=table, Key=absent)
    with pytest.raises(ddb.exceptions.ConditionalCheckFailedException):
        ddb.delete_item(TableName=table, Key=key, ConditionExpression="attribute_not_exists(pk)")
    ddb.batch_write_item(
        RequestItems={
            table: [
                {"PutRequest": {"Item": item}},
                {"PutRequest": {"Item": {"pk": {"S": "new"}}}},
                {"DeleteRequest": {"Key": absent}},
            ]
        }
    )
    assert sorted(names(read_stream(table))) == ["new", "p"]


def test_key_only_upsert_is_an_insert_and_replacing_is_one_modify(
    ddb: Any, read_stream: Callable[[str], list[dict[str, Any]]], new_table: Callable[..., str]
) -> None:
    table = new_table(view_type="NEW_AND_OLD_IMAGES")
    key = {"pk": {"S": "p"}}
    ddb.update_item(TableName=table, Key=key)
    ddb.put_item(TableName=table, Item={**key, "a": {"S": "1"}})
    ddb.put_item(TableName=table, Item={**key, "b": {"S": "2"}})
    records = read_stream(table)
    assert [record["eventName"] for record in records] == ["INSERT", "MODIFY", "MODIFY"]
    assert records[0]["dynamodb"]["NewImage"] == key
    assert records[2]["dynamodb"]["OldImage"] == {**key, "a": {"S": "1"}}
    assert records[2]["dynamodb"]["NewImage"] == {**key, "b": {"S": "2"}}


def test_records_carry_the_time_and_region_of_the_change(
    own: Own, make_client: Callable[..., Any]
) -> None:
    table, arn = own.table()
    own.clock.advance(1234)
    own.put(table, "a")
    (record,) = all_records(own.streams, arn)
    created = record["dynamodb"]["ApproximateCreationDateTime"]
    assert created.timestamp() == own.clock.now_ms() // 1000
    assert record["awsRegion"] == "us-east-1"


# --- behaviour: order


@pytest.mark.parametrize("shards", [1, 4, 7])
def test_all_changes_of_an_item_are_in_one_shard_in_their_order(
    own_with: Callable[[int], Own], shards: int
) -> None:
    """Numbers rise within a shard, and items are spread over all shards."""
    own = own_with(shards)
    table, arn = own.table("NEW_IMAGE")
    written: dict[str, list[int]] = defaultdict(list)
    for n in range(150):
        name = f"item-{n * n % 37}"
        written[name].append(n)
        own.ddb.put_item(TableName=table, Item={"pk": {"S": name}, "n": {"N": str(n)}})
    by_shard = records_by_shard(own.streams, arn)
    assert len(by_shard) == shards
    assert all(by_shard.values())
    homes: dict[str, str] = {}
    read: dict[str, list[int]] = defaultdict(list)
    for shard, records in by_shard.items():
        numbers = [number_of(record) for record in records]
        assert numbers == sorted(set(numbers))
        for record in records:
            (name,) = names([record])
            assert homes.setdefault(name, shard) == shard
            read[name].append(int(record["dynamodb"]["NewImage"]["n"]["N"]))
    assert read == written
    events = [record["eventID"] for records in by_shard.values() for record in records]
    assert len(set(events)) == len(events)


def test_numbers_rise_also_when_the_clock_steps_back(own: Own) -> None:
    table, arn = own.table()
    now_ms = own.clock.now_ms()
    own.put(table, "a")
    own.clock.set(now_ms - 60_000)
    own.put(table, "b", "c")
    own.clock.set(now_ms)
    own.put(table, "d")
    records = records_from(own.streams, horizon_of(own, arn))
    assert names(records) == ["a", "b", "c", "d"]
    assert [number_of(r) for r in records] == sorted({number_of(r) for r in records})


# --- behaviour: pages


def test_every_limit_gives_the_same_records(own: Own) -> None:
    """Pages hold Limit records until the last; reading a page again gives the same page."""
    table, arn = own.table()
    own.put(table, *(f"{n}" for n in range(20)))
    whole = records_from(own.streams, horizon_of(own, arn))
    assert names(whole) == [str(n) for n in range(20)]
    for limit in (1, 2, 3, 7, 19, 20, 21, 1000):
        found = list(pages_from(own.streams, horizon_of(own, arn), limit))
        assert [record for page in found for record in page["Records"]] == whole
        assert {len(page["Records"]) for page in found[: 20 // limit]} <= {limit}
    again = horizon_of(own, arn)
    first, second = (own.streams.get_records(ShardIterator=again, Limit=5) for _ in range(2))
    assert first["Records"] == second["Records"]
    assert first["NextShardIterator"] != second["NextShardIterator"]


def test_a_page_holds_at_most_1000_records(own: Own) -> None:
    table, arn = own.table()
    for start in range(0, 1025, 25):
        puts = [{"PutRequest": {"Item": {"pk": {"S": str(start + n)}}}} for n in range(25)]
        own.ddb.batch_write_item(RequestItems={table: puts})
    found = list(pages_from(own.streams, horizon_of(own, arn)))
    assert [len(page["Records"]) for page in found] == [1000, 25, 0]
    assert len({number_of(r) for page in found for r in page["Records"]}) == 1025


def test_a_page_holds_at_most_1_mb(own: Own) -> None:
    """Large records end a page early; one that is larger than a page comes alone."""
    table, arn = own.table("NEW_AND_OLD_IMAGES")
    sizes = [300_000, 300_000, 300_000, 300_000, 10, 390_000, 390_000, 10]
    for n, size in enumerate(sizes):
        item = {"pk": {"S": f"{n}"}, "body": {"S": "x" * size}}
        own.ddb.put_item(TableName=table, Item=item)
    for version in "ab":
        body = {"B": version.encode() * 400_000}
        own.ddb.put_item(TableName=table, Item={"pk": {"S": "binary"}, "body": body})
    found = [names(page["Records"]) for page in pages_from(own.streams, horizon_of(own, arn))]
    assert found == [["0", "1", "2"], ["3", "4", "5"], ["6", "7", "binary"], ["binary"], []]
    found = [names(page["Records"]) for page in pages_from(own.streams, horizon_of(own, arn), 2)]
    assert found == [["0", "1"], ["2", "3"], ["4", "5"], ["6", "7"], ["binary"], ["binary"], []]


def test_an_open_shard_always_has_a_next_iterator(own: Own) -> None:
    table, arn = own.table()
    iterator = horizon_of(own, arn)
    for _ in range(3):
        page = own.streams.get_records(ShardIterator=iterator)
        assert page["Records"] == []
        assert page["NextShardIterator"] != iterator
        iterator = page["NextShardIterator"]
    own.put(table, "a")
    page = own.streams.get_records(ShardIterator=iterator)
    assert names(page["Records"]) == ["a"]
    page = own.streams.get_records(ShardIterator=page["NextShardIterator"])
    assert page["Records"] == []
    own.put(table, "b")
    assert names(records_from(own.streams, page["NextShardIterator"])) == ["b"]


@pytest.mark.parametrize("how", ["stream off", "table deleted"])
def test_a_closed_shard_has_no_next_iterator_at_its_end(own: Own, how: str) -> None:
    """Neither a reader at the end when it closes nor one that comes later is told to go on."""
    table, arn = own.table()
    own.put(table, "a", "b", "c")
    page = own.streams.get_records(ShardIterator=horizon_of(own, arn))
    waiting = page["NextShardIterator"]
    if how == "stream off":
        off(own, table)
        own.put(table, "unseen")
    else:
        own.ddb.delete_table(TableName=table)
    page = own.streams.get_records(ShardIterator=waiting)
    assert (page["Records"], "NextShardIterator" in page) == ([], False)
    for limit in (1, 2, 3, 4):
        found = list(pages_from(own.streams, horizon_of(own, arn), limit))
        assert names([r for p in found for r in p["Records"]]) == ["a", "b", "c"]
        assert "NextShardIterator" not in found[-1]
        assert all("NextShardIterator" in p for p in found[:-1])


def test_a_shard_that_never_had_a_record_ends_at_once_when_closed(own: Own) -> None:
    table, arn = own.table()
    off(own, table)
    page = own.streams.get_records(ShardIterator=horizon_of(own, arn))
    assert (page["Records"], "NextShardIterator" in page) == ([], False)


# --- behaviour: retention


def test_records_can_be_read_for_24_hours(own: Own) -> None:
    table, arn = own.table()
    own.clock.advance(1)
    own.put(table, "a")
    own.clock.advance(1)
    own.put(table, "b")
    own.clock.advance(limits.stream_retention_ms - 1)
    assert names(records_from(own.streams, horizon_of(own, arn))) == ["a", "b"]
    own.clock.advance(1)
    assert names(records_from(own.streams, horizon_of(own, arn))) == ["b"]
    own.clock.advance(1)
    page = own.streams.get_records(ShardIterator=horizon_of(own, arn))
    assert (page["Records"], "NextShardIterator" in page) == ([], True)


def test_a_reader_that_would_miss_a_trimmed_record_is_told(
    own: Own, refused: Callable[..., str]
) -> None:
    """Who had read part of the shard is owed the rest; who begins at the horizon is not."""
    table, arn = own.table()
    own.put(table, "a", "b", "c")
    records = records_from(own.streams, horizon_of(own, arn))
    (shard,) = shards_of(own.streams, arn)
    own.clock.advance(limits.stream_retention_ms)
    after_a = iterator_of(
        own.streams,
        arn,
        shard["ShardId"],
        "AFTER_SEQUENCE_NUMBER",
        records[0]["dynamodb"]["SequenceNumber"],
    )
    after_c = iterator_of(
        own.streams,
        arn,
        shard["ShardId"],
        "AFTER_SEQUENCE_NUMBER",
        records[2]["dynamodb"]["SequenceNumber"],
    )
    part = own.streams.get_records(ShardIterator=horizon_of(own, arn), Limit=1)
    assert names(part["Records"]) == ["a"]
    own.clock.advance(1)
    for owed in (after_a, part["NextShardIterator"]):
        message = refused(TRIMMED, own.streams.get_records, ShardIterator=owed)
        assert message == "The data you are trying to access has been trimmed"
    own.put(table, "d")
    for not_owed in (after_c, horizon_of(own, arn)):
        assert names(records_from(own.streams, not_owed)) == ["d"]


def test_a_reader_that_read_all_there_was_goes_on_after_any_silence(own: Own) -> None:
    """While it keeps its iterator fresh, however old the last record grows."""
    table, arn = own.table()
    own.put(table, "a")
    iterator = own.streams.get_records(ShardIterator=horizon_of(own, arn))["NextShardIterator"]
    for _ in range(2 * 24 * 4):
        own.clock.advance(limits.iterator_life_ms)
        iterator = own.streams.get_records(ShardIterator=iterator)["NextShardIterator"]
    own.put(table, "b")
    assert names(records_from(own.streams, iterator)) == ["b"]


def test_a_closed_shard_whose_records_expired_while_it_was_read_ends(
    own: Own, refused: Callable[..., str]
) -> None:
    table, arn = own.table()
    own.put(table, "a")
    own.clock.advance(limits.iterator_life_ms)
    off(own, table)
    own.clock.advance(limits.stream_retention_ms - limits.iterator_life_ms)
    iterator = horizon_of(own, arn)
    own.clock.advance(limits.iterator_life_ms)
    page = own.streams.get_records(ShardIterator=iterator)
    assert (page["Records"], "NextShardIterator" in page) == ([], False)
