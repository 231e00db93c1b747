"""GetShardIterator: types of members, refusals with their texts, and where each kind begins."""

from collections.abc import Callable
from typing import Any

import pytest

from penstock.base import limits
from wire.clients import iterator_of, number_of, records_from, shards_of, stream_of
from wire.refusal_texts import constraint
from wire.streams.conftest import Own

GET_SHARD_ITERATOR = "DynamoDBStreams_20120810.GetShardIterator"
VALIDATION = "ValidationException"
ARN = "arn:aws:dynamodb:us-east-1:000000000000:table/abc/stream/2026-10-01T00:00:00.000"
SHARD = "shardId-00000001790000000000-0123abcd"
GOOD = {"StreamArn": ARN, "ShardId": SHARD, "ShardIteratorType": "LATEST"}
NUMBER = "100000000000000000000"


def only_shard(streams: Any, arn: str) -> str:
    (shard,) = shards_of(streams, arn)
    identity: str = shard["ShardId"]
    return identity


def names(records: list[dict[str, Any]]) -> list[str]:
    return [record["dynamodb"]["Keys"]["pk"]["S"] for record in records]


# --- serialisation


@pytest.mark.parametrize(
    ("member", "value", "text"),
    [
        ("StreamArn", 5, "NUMBER_VALUE cannot be converted to String"),
        ("ShardId", [], "Unrecognized collection type class java.lang.String"),
        ("ShardIteratorType", {}, "Start of structure or map found where not expected"),
        ("SequenceNumber", 100000000000000000000, "NUMBER_VALUE cannot be converted to String"),
    ],
)
def test_wrong_json_types(rejected: Callable[..., Any], member: str, value: Any, text: str) -> None:
    body = {**GOOD, member: value}
    assert rejected(GET_SHARD_ITERATOR, body) == ("SerializationException", text)


# --- validation


def test_every_required_member_that_is_missing_is_named(rejected: Callable[..., Any]) -> None:
    code, text = rejected(GET_SHARD_ITERATOR, {})
    assert code == VALIDATION
    assert text.startswith("3 validation errors detected: ")
    for member in ("streamArn", "shardId", "shardIteratorType"):
        failed = f"Value null at '{member}' failed to satisfy constraint: Member must not be null"
        assert failed in text


@pytest.mark.parametrize(
    ("changed", "text"),
    [
        (
            {"ShardId": "shardId"},
            constraint("shardId", "shardId", "have length greater than or equal to 28"),
        ),
        (
            {"ShardId": "s" * 66},
            constraint("s" * 66, "shardId", "have length less than or equal to 65"),
        ),
        (
            {"ShardIteratorType": "AT_TIMESTAMP"},
            constraint(
                "AT_TIMESTAMP",
                "shardIteratorType",
                "satisfy enum value set: [AT_SEQUENCE_NUMBER, LATEST, AFTER_SEQUENCE_NUMBER,"
                " TRIM_HORIZON]",
            ),
        ),
        (
            {"SequenceNumber": "1" * 20},
            constraint("1" * 20, "sequenceNumber", "have length greater than or equal to 21"),
        ),
        (
            {"SequenceNumber": "1" * 41},
            constraint("1" * 41, "sequenceNumber", "have length less than or equal to 40"),
        ),
        ({"StreamArn": "x" * 37}, "Invalid StreamArn: " + "x" * 37),
        (
            {"ShardIteratorType": "AT_SEQUENCE_NUMBER"},
            "SequenceNumber is required for ShardIteratorType AT_SEQUENCE_NUMBER",
        ),
        (
            {"ShardIteratorType": "AFTER_SEQUENCE_NUMBER"},
            "SequenceNumber is required for ShardIteratorType AFTER_SEQUENCE_NUMBER",
        ),
        (
            {"SequenceNumber": NUMBER},
            "SequenceNumber must not be specified for ShardIteratorType LATEST",
        ),
        (
            {"ShardIteratorType": "TRIM_HORIZON", "SequenceNumber": NUMBER},
            "SequenceNumber must not be specified for ShardIteratorType TRIM_HORIZON",
        ),
    ],
)
def test_refusals(rejected: Callable[..., Any], changed: dict[str, Any], text: str) -> None:
    assert rejected(GET_SHARD_ITERATOR, {**GOOD, **changed}) == (VALIDATION, text)


@pytest.mark.parametrize("number", ["x" * 21, "-" + "1" * 21, "１" * 21, "1" * 20 + ".", " " * 22])
def test_a_sequence_number_has_digits_only(rejected: Callable[..., Any], number: str) -> None:
    body = {**GOOD, "ShardIteratorType": "AT_SEQUENCE_NUMBER", "SequenceNumber": number}
    code, text = rejected(GET_SHARD_ITERATOR, body)
    assert code == VALIDATION
    assert f"'{number}' at 'sequenceNumber' failed to satisfy constraint" in text


def test_an_unknown_stream_and_an_unknown_shard(
    ddb: Any, streams: Any, refused: Callable[..., str], new_table: Callable[..., str]
) -> None:
    code = "ResourceNotFoundException"
    message = refused(code, streams.get_shard_iterator, **GOOD)
    assert message == f"Requested resource not found: Stream: {ARN} not found"
    arn = stream_of(ddb, new_table(view_type="KEYS_ONLY"))
    other = stream_of(ddb, new_table(view_type="KEYS_ONLY"))
    of_other = shards_of(streams, other)[0]["ShardId"]
    for shard in (SHARD, "x" * 28, of_other):
        message = refused(
            code,
            streams.get_shard_iterator,
            StreamArn=arn,
            ShardId=shard,
            ShardIteratorType="TRIM_HORIZON",
        )
        assert message == "Requested resource not found: Shard does not exist"


def test_another_regions_stream_is_not_found(
    ddb: Any,
    make_client: Callable[..., Any],
    refused: Callable[..., str],
    new_table: Callable[..., str],
) -> None:
    arn = stream_of(ddb, new_table(view_type="KEYS_ONLY"))
    elsewhere = make_client("dynamodbstreams", "eu-west-1")
    message = refused(
        "ResourceNotFoundException",
        elsewhere.get_shard_iterator,
        StreamArn=arn,
        ShardId=SHARD,
        ShardIteratorType="LATEST",
    )
    assert message == f"Requested resource not found: Stream: {arn} not found"


def test_sequence_numbers_that_the_shard_never_gave_out(
    own: Own, refused: Callable[..., str]
) -> None:
    table, arn = own.table()
    own.put(table, "a")
    (shard,) = shards_of(own.streams, arn)
    iterator = iterator_of(own.streams, arn, shard["ShardId"], "TRIM_HORIZON")
    (record,) = records_from(own.streams, iterator)
    before = int(shard["SequenceNumberRange"]["StartingSequenceNumber"]) - 1
    for number in (before, number_of(record) + 1, 10**20, 10**39, 10**40 - 1):
        for kind in ("AT_SEQUENCE_NUMBER", "AFTER_SEQUENCE_NUMBER"):
            message = refused(
                VALIDATION,
                own.streams.get_shard_iterator,
                StreamArn=arn,
                ShardId=shard["ShardId"],
                ShardIteratorType=kind,
                SequenceNumber=str(number),
            )
            assert message == f"Invalid SequenceNumber: {number}"


# --- behaviour


def test_an_iterator_names_its_stream_and_no_two_are_the_same(
    ddb: Any, streams: Any, new_table: Callable[..., str]
) -> None:
    arn = stream_of(ddb, new_table(view_type="KEYS_ONLY"))
    shard = shards_of(streams, arn)[0]["ShardId"]
    iterators = [iterator_of(streams, arn, shard, "TRIM_HORIZON") for _ in range(10)]
    assert len(set(iterators)) == 10
    for iterator in iterators:
        assert iterator.startswith(f"{arn}|1|")
        assert len(iterator) <= limits.iterator_chars_max


def test_the_longest_name_makes_an_iterator_that_can_be_sent(own: Own) -> None:
    name = "n" * limits.table_name_chars_max
    own.ddb.create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"},
    )
    arn = stream_of(own.ddb, name)
    iterator = iterator_of(own.streams, arn, only_shard(own.streams, arn), "TRIM_HORIZON")
    assert own.streams.get_records(ShardIterator=iterator)["Records"] == []


def test_where_each_kind_begins(own: Own) -> None:
    table, arn = own.table()
    shard = only_shard(own.streams, arn)
    early = iterator_of(own.streams, arn, shard, "LATEST")
    own.put(table, "a", "b", "c")
    everything = records_from(own.streams, iterator_of(own.streams, arn, shard, "TRIM_HORIZON"))
    assert names(everything) == ["a", "b", "c"]
    latest = iterator_of(own.streams, arn, shard, "LATEST")
    assert records_from(own.streams, latest) == []
    numbers = [record["dynamodb"]["SequenceNumber"] for record in everything]
    for place, number in enumerate(numbers):
        at = iterator_of(own.streams, arn, shard, "AT_SEQUENCE_NUMBER", number)
        assert records_from(own.streams, at) == everything[place:]
        after = iterator_of(own.streams, arn, shard, "AFTER_SEQUENCE_NUMBER", number)
        assert records_from(own.streams, after) == everything[place + 1 :]
    own.put(table, "d")
    assert names(records_from(own.streams, latest)) == ["d"]
    assert names(records_from(own.streams, early)) == ["a", "b", "c", "d"]


def test_the_starting_number_is_a_place_before_everything(own: Own) -> None:
    table, arn = own.table()
    own.put(table, "a", "b")
    (shard,) = shards_of(own.streams, arn)
    start = shard["SequenceNumberRange"]["StartingSequenceNumber"]
    for kind in ("AT_SEQUENCE_NUMBER", "AFTER_SEQUENCE_NUMBER"):
        iterator = iterator_of(own.streams, arn, shard["ShardId"], kind, start)
        assert names(records_from(own.streams, iterator)) == ["a", "b"]


def test_a_number_may_have_leading_zeros(own: Own) -> None:
    table, arn = own.table()
    own.put(table, "a", "b")
    shard = only_shard(own.streams, arn)
    first, _ = records_from(own.streams, iterator_of(own.streams, arn, shard, "TRIM_HORIZON"))
    number = first["dynamodb"]["SequenceNumber"].zfill(40)
    iterator = iterator_of(own.streams, arn, shard, "AFTER_SEQUENCE_NUMBER", number)
    assert names(records_from(own.streams, iterator)) == ["b"]


def test_every_kind_in_a_closed_shard(own: Own) -> None:
    """LATEST and AFTER the last number are the end of the shard at once."""
    table, arn = own.table()
    own.put(table, "a", "b")
    own.ddb.update_table(TableName=table, StreamSpecification={"StreamEnabled": False})
    (shard,) = shards_of(own.streams, arn)
    end = shard["SequenceNumberRange"]["EndingSequenceNumber"]

    def page(kind: str, number: str | None = None) -> dict[str, Any]:
        iterator = iterator_of(own.streams, arn, shard["ShardId"], kind, number)
        answer: dict[str, Any] = own.streams.get_records(ShardIterator=iterator)
        return answer

    for kind, number, wanted in (
        ("TRIM_HORIZON", None, ["a", "b"]),
        ("AT_SEQUENCE_NUMBER", end, ["b"]),
        ("AFTER_SEQUENCE_NUMBER", end, []),
        ("LATEST", None, []),
    ):
        answer = page(kind, number)
        assert names(answer["Records"]) == wanted
        assert "NextShardIterator" not in answer


def test_numbers_past_the_horizon_are_trimmed(own: Own, refused: Callable[..., str]) -> None:
    """A record can be read for exactly 24 hours; its shard's start is a place all the same."""
    table, arn = own.table()
    own.clock.advance(1000)
    own.put(table, "a")
    own.clock.advance(1000)
    own.put(table, "b")
    (shard,) = shards_of(own.streams, arn)
    horizon = iterator_of(own.streams, arn, shard["ShardId"], "TRIM_HORIZON")
    first, second = records_from(own.streams, horizon)
    own.clock.advance(limits.stream_retention_ms - 1000)
    number = first["dynamodb"]["SequenceNumber"]
    at = iterator_of(own.streams, arn, shard["ShardId"], "AT_SEQUENCE_NUMBER", number)
    assert records_from(own.streams, at) == [first, second]
    own.clock.advance(1)
    for kind in ("AT_SEQUENCE_NUMBER", "AFTER_SEQUENCE_NUMBER"):
        message = refused(
            "TrimmedDataAccessException",
            own.streams.get_shard_iterator,
            StreamArn=arn,
            ShardId=shard["ShardId"],
            ShardIteratorType=kind,
            SequenceNumber=number,
        )
        assert message == "The data you are trying to access has been trimmed"
    start = shard["SequenceNumberRange"]["StartingSequenceNumber"]
    for iterator in (
        iterator_of(own.streams, arn, shard["ShardId"], "TRIM_HORIZON"),
        iterator_of(own.streams, arn, shard["ShardId"], "AT_SEQUENCE_NUMBER", start),
    ):
        assert records_from(own.streams, iterator) == [second]


def test_an_expired_shard_does_not_exist(own: Own, refused: Callable[..., str]) -> None:
    table, arn = own.table()
    own.put(table, "a")
    shard = only_shard(own.streams, arn)
    own.clock.advance(1000)
    own.ddb.update_table(TableName=table, StreamSpecification={"StreamEnabled": False})
    own.clock.advance(limits.stream_retention_ms - 999)
    message = refused(
        "ResourceNotFoundException",
        own.streams.get_shard_iterator,
        StreamArn=arn,
        ShardId=shard,
        ShardIteratorType="TRIM_HORIZON",
    )
    assert message == "Requested resource not found: Shard does not exist"
