"""ListStreams: types of members, refusals with their texts, and pages of streams by ARN."""

from collections.abc import Callable
from typing import Any

import pytest

from penstock.base import limits
from wire.clients import stream_of
from wire.refusal_texts import constraint
from wire.streams.conftest import Own

LIST_STREAMS = "DynamoDBStreams_20120810.ListStreams"
STREAM_ON = {"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"}


def pages(streams: Any, **request: Any) -> list[dict[str, Any]]:
    """Return all pages of a listing."""
    found = [streams.list_streams(**request)]
    while "LastEvaluatedStreamArn" in found[-1]:
        last = found[-1]["LastEvaluatedStreamArn"]
        found.append(streams.list_streams(**request, ExclusiveStartStreamArn=last))
    return found


def arns(found: list[dict[str, Any]]) -> list[str]:
    return [stream["StreamArn"] for page in found for stream in page["Streams"]]


def switch(ddb: Any, table: str, *, on: bool) -> None:
    specification = STREAM_ON if on else {"StreamEnabled": False}
    ddb.update_table(TableName=table, StreamSpecification=specification)


# --- serialisation


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({"TableName": 5}, "NUMBER_VALUE cannot be converted to String"),
        ({"TableName": {}}, "Start of structure or map found where not expected"),
        ({"Limit": "5"}, "STRING_VALUE cannot be converted to Integer"),
        ({"Limit": True}, "TRUE_VALUE cannot be converted to Integer"),
        (
            {"ExclusiveStartStreamArn": []},
            "Unrecognized collection type class java.lang.String",
        ),
    ],
)
def test_wrong_json_types(rejected: Callable[..., Any], body: dict[str, Any], text: str) -> None:
    assert rejected(LIST_STREAMS, body) == ("SerializationException", text)


# --- validation


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({"Limit": 0}, constraint("0", "limit", "have value greater than or equal to 1")),
        ({"Limit": -1}, constraint("-1", "limit", "have value greater than or equal to 1")),
        ({"Limit": 101}, constraint("101", "limit", "have value less than or equal to 100")),
        (
            {"TableName": "ab"},
            constraint("ab", "tableName", "have length greater than or equal to 3"),
        ),
        (
            {"TableName": "a" * 256},
            constraint("a" * 256, "tableName", "have length less than or equal to 255"),
        ),
        (
            {"TableName": "a/b"},
            constraint("a/b", "tableName", "satisfy regular expression pattern: [a-zA-Z0-9_.-]+"),
        ),
        (
            {"ExclusiveStartStreamArn": "arn"},
            constraint("arn", "exclusiveStartStreamArn", "have length greater than or equal to 37"),
        ),
        ({"ExclusiveStartStreamArn": "x" * 40}, "Invalid StreamArn: " + "x" * 40),
    ],
)
def test_refusals(rejected: Callable[..., Any], body: dict[str, Any], text: str) -> None:
    assert rejected(LIST_STREAMS, body) == ("ValidationException", text)


# --- behaviour


def test_a_table_without_stream_and_one_that_never_was_have_none(
    streams: Any, new_table: Callable[..., str]
) -> None:
    for name in (new_table(), "never-was"):
        answer = streams.list_streams(TableName=name)
        assert answer["Streams"] == []
        assert "LastEvaluatedStreamArn" not in answer


def test_a_stream_is_listed_with_table_and_label(
    ddb: Any, streams: Any, new_table: Callable[..., str]
) -> None:
    name = new_table(view_type="KEYS_ONLY")
    table = ddb.describe_table(TableName=name)["Table"]
    assert streams.list_streams(TableName=name)["Streams"] == [
        {
            "StreamArn": table["LatestStreamArn"],
            "TableName": name,
            "StreamLabel": table["LatestStreamLabel"],
        }
    ]
    assert table["LatestStreamArn"] in arns(pages(streams))


def test_a_table_is_not_listed_with_those_whose_names_begin_alike(
    ddb: Any, streams: Any, table_name: str
) -> None:
    for name in (table_name, table_name + "x"):
        ddb.create_table(
            TableName=name,
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
            StreamSpecification=STREAM_ON,
        )
    listed = streams.list_streams(TableName=table_name)["Streams"]
    assert [stream["TableName"] for stream in listed] == [table_name]
    for name in (table_name, table_name + "x"):
        ddb.delete_table(TableName=name)


def test_every_limit_gives_the_same_streams(
    ddb: Any, streams: Any, new_table: Callable[..., str]
) -> None:
    """A page that is not the last names its own last stream, and the next begins after it."""
    table = new_table(view_type="KEYS_ONLY")
    for _ in range(3):
        switch(ddb, table, on=False)
        switch(ddb, table, on=True)
    whole = arns([streams.list_streams(TableName=table)])
    assert len(whole) == len(set(whole)) == 4
    assert whole == sorted(whole)
    for limit in range(1, 6):
        found = pages(streams, TableName=table, Limit=limit)
        assert arns(found) == whole
        assert len(found) == -(-len(whole) // limit)
        for page in found[:-1]:
            assert len(page["Streams"]) == limit
            assert page["LastEvaluatedStreamArn"] == page["Streams"][-1]["StreamArn"]


def test_listing_goes_on_after_the_stream_of_a_table_that_is_gone(
    ddb: Any, streams: Any, new_table: Callable[..., str]
) -> None:
    tables = sorted(new_table(view_type="KEYS_ONLY") for _ in range(2))
    first, second = (stream_of(ddb, table) for table in tables)
    gone = first.replace("/stream/", "x/stream/")  # between the two, and never was
    for start in (first, gone):
        answer = streams.list_streams(ExclusiveStartStreamArn=start, Limit=1)
        assert arns([answer]) == [second]
    answer = streams.list_streams(TableName=tables[0], ExclusiveStartStreamArn=second)
    assert answer["Streams"] == []


def test_streams_of_a_deleted_table_are_listed_also_under_its_new_self(
    ddb: Any, streams: Any, table_name: str
) -> None:
    made = []
    for _ in range(2):
        ddb.create_table(
            TableName=table_name,
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
            StreamSpecification=STREAM_ON,
        )
        made.append(stream_of(ddb, table_name))
        assert arns([streams.list_streams(TableName=table_name)]) == made
        ddb.delete_table(TableName=table_name)
        assert arns([streams.list_streams(TableName=table_name)]) == made


def test_another_region_lists_its_own_streams_only(
    ddb: Any, make_client: Callable[..., Any], new_table: Callable[..., str]
) -> None:
    table = new_table(view_type="KEYS_ONLY")
    elsewhere = make_client("dynamodbstreams", "eu-west-1")
    assert elsewhere.list_streams(TableName=table)["Streams"] == []
    assert stream_of(ddb, table) not in arns(pages(elsewhere))


def test_a_closed_stream_is_listed_for_24_hours(own: Own) -> None:
    """Streams that have expired leave no gap in a page."""
    table, first = own.table()
    switch(own.ddb, table, on=False)
    own.clock.advance(3600_000)
    switch(own.ddb, table, on=True)
    second = stream_of(own.ddb, table)
    switch(own.ddb, table, on=False)
    switch(own.ddb, table, on=True)
    third = stream_of(own.ddb, table)

    def listed(limit: int = 100) -> list[str]:
        return arns(pages(own.streams, TableName=table, Limit=limit))

    own.clock.advance(limits.stream_retention_ms - 3600_000)
    assert listed() == [first, second, third]
    own.clock.advance(1)
    assert listed() == [second, third]
    own.clock.advance(3600_000)
    assert listed() == listed(1) == [third]
    own.ddb.delete_table(TableName=table)
    assert listed() == [third]
