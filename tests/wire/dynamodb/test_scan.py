"""Scan: types of members, refusals with their texts, and pages of a table or of its segments."""

from collections.abc import Callable
from typing import Any

import pytest

from wire.refusal_texts import SELECT_AND_PROJECTION, constraint

SCAN = "DynamoDB_20120810.Scan"
VALIDATION = "ValidationException"
INVALID_START = "The provided starting key is invalid: "


def fill(ddb: Any, table: str, items: list[dict[str, Any]]) -> None:
    """Write items in batches."""
    for start in range(0, len(items), 25):
        puts = [{"PutRequest": {"Item": item}} for item in items[start : start + 25]]
        assert ddb.batch_write_item(RequestItems={table: puts})["UnprocessedItems"] == {}


def pages(ddb: Any, table: str, **more: Any) -> list[dict[str, Any]]:
    """Return all pages of a scan."""
    found = [ddb.scan(TableName=table, **more)]
    while "LastEvaluatedKey" in found[-1]:
        last = found[-1]["LastEvaluatedKey"]
        found.append(ddb.scan(TableName=table, ExclusiveStartKey=last, **more))
    return found


def items_of(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [item for page in found for item in page["Items"]]


@pytest.fixture
def hundred(ddb: Any, new_table: Callable[..., str]) -> str:
    """A table of 100 items in 50 partitions."""
    table = new_table(partition="N", sort="S")
    fill(
        ddb,
        table,
        [
            {"pk": {"N": str(n)}, "sk": {"S": sk}, "third": {"BOOL": n % 3 == 0}}
            for n in range(50)
            for sk in ("a", "b")
        ],
    )
    return table


# --- serialisation


@pytest.mark.parametrize(
    ("member", "value", "text"),
    [
        ("TableName", [], "Unrecognized collection type class java.lang.String"),
        ("Limit", "5", "STRING_VALUE cannot be converted to Integer"),
        ("Segment", False, "FALSE_VALUE cannot be converted to Integer"),
        ("TotalSegments", {}, "Start of structure or map found where not expected"),
        ("ConsistentRead", "yes", "Unexpected token received from parser"),
        ("FilterExpression", 1.5, "DECIMAL_VALUE cannot be converted to String"),
        ("ExclusiveStartKey", 7, "Unexpected field type"),
        (
            "ExclusiveStartKey",
            {"pk": {"B": 7}},
            "only base64-encoded strings are convertible to bytes",
        ),
    ],
)
def test_wrong_json_types_are_refused_before_anything_else(
    rejected: Callable[..., Any], member: str, value: Any, text: str
) -> None:
    body = {"TableName": "x!", "Limit": 0, member: value}
    assert rejected(SCAN, body) == ("SerializationException", text)


# --- validation


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({}, constraint(None, "tableName", "not be null")),
        (
            {"TableName": ""},
            constraint("", "tableName", "have length greater than or equal to 1"),
        ),
        (
            {"TableName": "a!"},
            constraint("a!", "tableName", "satisfy regular expression pattern: [a-zA-Z0-9_.-]+"),
        ),
        (
            {"TableName": "abc", "Limit": 0},
            constraint("0", "limit", "have value greater than or equal to 1"),
        ),
        (
            {"TableName": "abc", "Limit": -1},
            constraint("-1", "limit", "have value greater than or equal to 1"),
        ),
        (
            {"TableName": "abc", "Segment": -1, "TotalSegments": 2},
            constraint("-1", "segment", "have value greater than or equal to 0"),
        ),
        (
            {"TableName": "abc", "Segment": 1_000_000, "TotalSegments": 1_000_000},
            constraint("1000000", "segment", "have value less than or equal to 999999"),
        ),
        (
            {"TableName": "abc", "Segment": 0, "TotalSegments": 0},
            constraint("0", "totalSegments", "have value greater than or equal to 1"),
        ),
        (
            {"TableName": "abc", "Segment": 0, "TotalSegments": 1_000_001},
            constraint("1000001", "totalSegments", "have value less than or equal to 1000000"),
        ),
        (
            {"TableName": "abc", "Segment": 0},
            (
                "The TotalSegments parameter is required but was not present in the request when"
                " Segment parameter is present"
            ),
        ),
        (
            {"TableName": "abc", "TotalSegments": 1},
            (
                "The Segment parameter is required but was not present in the request when"
                " parameter"
                " TotalSegments is present"
            ),
        ),
        (
            {"TableName": "abc", "Segment": 2, "TotalSegments": 2},
            (
                "The Segment parameter is zero-based and must be less than parameter TotalSegments:"
                " Segment: 2 is not less than TotalSegments: 2"
            ),
        ),
        (
            {"TableName": "abc", "ExclusiveStartKey": {"pk": {}}, "Segment": 0},
            INVALID_START + "Supplied AttributeValue is empty, must contain exactly one of the"
            " supported datatypes",
        ),
        (
            {"TableName": "abc", "FilterExpression": "a = :a"},
            (
                "Invalid FilterExpression: An expression attribute value used in expression is not"
                " defined; attribute value: :a"
            ),
        ),
        (
            {"TableName": "abc", "ExpressionAttributeValues": {":a": {"S": "a"}}},
            (
                "ExpressionAttributeValues can only be specified when using expressions:"
                " FilterExpression is null"
            ),
        ),
        (
            {"TableName": "abc", "FilterExpression": "x" * 4097},
            (
                "Invalid FilterExpression: Expression size has exceeded the maximum allowed size;"
                " expression size: 4097"
            ),
        ),
        (
            {"TableName": "abc", "IndexName": "in"},
            (
                "1 validation error detected: Value 'in' at 'indexName' failed to satisfy"
                " constraint: Member must have length greater than or equal to 3"
            ),
        ),
        (
            {"TableName": "abc", "ScanFilter": {}, "ConditionalOperator": "AND"},
            "ConditionalOperator cannot be used without Filter or Expected",
        ),
    ],
)
def test_the_request_is_judged_before_the_table(
    rejected: Callable[..., Any], body: dict[str, Any], text: str
) -> None:
    assert rejected(SCAN, body) == (VALIDATION, text)


@pytest.mark.parametrize(
    ("select", "projection", "text"),
    SELECT_AND_PROJECTION,
)
def test_select_has_to_go_with_the_projection(
    rejected: Callable[..., Any], select: str, projection: str | None, text: str
) -> None:
    body = {"TableName": "abc", "Select": select, "ProjectionExpression": projection}
    assert rejected(SCAN, body) == (VALIDATION, text)


def test_unknown_table(ddb: Any, refused: Callable[..., str]) -> None:
    message = refused("ResourceNotFoundException", ddb.scan, TableName="no-such-table")
    assert message == "Requested resource not found"


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ({}, "The provided key element does not match the schema"),
        ({"pk": {"N": "1"}}, "The provided key element does not match the schema"),
        (
            {"pk": {"N": "1"}, "sk": {"N": "1"}},
            "The provided key element does not match the schema",
        ),
        (
            {"pk": {"N": "1"}, "sk": {"S": "a"}, "x": {"S": "a"}},
            "The provided key element does not match the schema",
        ),
        (
            {"pk": {"N": "1"}, "sk": {"S": ""}},
            (
                "One or more parameter values are not valid. The AttributeValue for a key attribute"
                " cannot contain an empty string value. Key: sk"
            ),
        ),
    ],
)
def test_starting_keys_that_are_none(
    ddb: Any,
    refused: Callable[..., str],
    new_table: Callable[..., str],
    key: dict[str, Any],
    text: str,
) -> None:
    table = new_table(partition="N", sort="S")
    message = refused(VALIDATION, ddb.scan, TableName=table, ExclusiveStartKey=key)
    assert message == INVALID_START + text


def test_a_starting_key_of_another_segment(
    ddb: Any, refused: Callable[..., str], hundred: str
) -> None:
    of_first = ddb.scan(TableName=hundred, Segment=0, TotalSegments=2, Limit=1)["LastEvaluatedKey"]
    message = refused(
        VALIDATION,
        ddb.scan,
        TableName=hundred,
        Segment=1,
        TotalSegments=2,
        ExclusiveStartKey=of_first,
    )
    assert message == (
        INVALID_START + "Invalid ExclusiveStartKey. Please use ExclusiveStartKey with correct"
        " Segment. TotalSegments: 2 Segment: 1"
    )


@pytest.mark.parametrize("member", ["ProjectionExpression", "FilterExpression"])
def test_no_part_of_a_key_attribute_can_be_read(
    ddb: Any, refused: Callable[..., str], new_table: Callable[..., str], member: str
) -> None:
    table = new_table(sort="N")
    for path in ("pk.x", "pk[0]", "sk.x.y"):
        text = f"attribute_exists({path})" if member == "FilterExpression" else f"a, {path}"
        message = refused(VALIDATION, ddb.scan, TableName=table, **{member: text})
        assert message == (
            "Key attributes must be scalars; list random access '[]' and map lookup '.' are not"
            f" allowed: Key: {path[:2]}"
        )


# --- behaviour


def test_an_empty_table_has_an_empty_answer(ddb: Any, new_table: Callable[..., str]) -> None:
    answer = ddb.scan(TableName=new_table(), ReturnConsumedCapacity="TOTAL")
    assert (answer["Items"], answer["Count"], answer["ScannedCount"]) == ([], 0, 0)
    assert "LastEvaluatedKey" not in answer
    assert answer["ConsumedCapacity"]["CapacityUnits"] == 0.5


def test_every_limit_gives_the_same_items(ddb: Any, hundred: str) -> None:
    """A page that reached its Limit names its last key, also where nothing follows."""
    whole = ddb.scan(TableName=hundred)["Items"]
    assert {(item["pk"]["N"], item["sk"]["S"]) for item in whole} == {
        (str(n), sk) for n in range(50) for sk in ("a", "b")
    }
    for limit in (3, 10, 32, 33, 99, 100, 101):
        found = pages(ddb, hundred, Limit=limit)
        assert items_of(found) == whole
        assert [page["ScannedCount"] for page in found] == [limit] * (100 // limit) + [100 % limit]


def test_items_of_a_partition_stand_together_in_order(ddb: Any, hundred: str) -> None:
    whole = [(item["pk"]["N"], item["sk"]["S"]) for item in ddb.scan(TableName=hundred)["Items"]]
    for first, second in zip(whole[::2], whole[1::2], strict=True):
        assert (first[0], first[1], second[1]) == (second[0], "a", "b")


@pytest.mark.parametrize("total", [1, 2, 3, 4, 5, 7, 16, 33])
def test_segments_together_are_the_table(ddb: Any, hundred: str, total: int) -> None:
    """Every item is in exactly one segment, and the segments in their order are the whole scan."""
    found = [
        item
        for segment in range(total)
        for item in items_of(
            pages(ddb, hundred, Segment=segment, TotalSegments=total, Limit=100 // total + 1)
        )
    ]
    assert found == ddb.scan(TableName=hundred)["Items"]


def test_the_largest_number_of_segments(ddb: Any, new_table: Callable[..., str]) -> None:
    """An item is in one segment of a million: it is found by halving the part that holds it."""
    table, total, segment = new_table(), 1_000_000, 0
    ddb.put_item(TableName=table, Item={"pk": {"S": "only"}})

    def holds(segment: int, total: int) -> bool:
        count = ddb.scan(TableName=table, Segment=segment, TotalSegments=total)["Count"]
        return bool(count)

    parts = 1
    for factor in (2, 2, 2, 2, 2, 2, 5, 5, 5, 5, 5, 5):
        parts *= factor
        inside = [n for n in range(segment * factor, (segment + 1) * factor) if holds(n, parts)]
        assert len(inside) == 1
        segment = inside[0]
    assert parts == total
    assert not holds((segment + 1) % total, total)


def test_a_filter_drops_items_and_not_the_count_of_those_looked_at(ddb: Any, hundred: str) -> None:
    found = pages(
        ddb,
        hundred,
        Limit=30,
        FilterExpression="third = :t",
        ExpressionAttributeValues={":t": {"BOOL": True}},
    )
    assert [page["ScannedCount"] for page in found] == [30, 30, 30, 10]
    assert sum(page["Count"] for page in found) == len(items_of(found)) == 34
    assert {item["pk"]["N"] for item in items_of(found)} == {str(n) for n in range(0, 50, 3)}


def test_a_filter_may_name_key_attributes(ddb: Any, hundred: str) -> None:
    answer = ddb.scan(
        TableName=hundred,
        FilterExpression="sk = :b AND pk BETWEEN :l AND :h",
        ExpressionAttributeValues={":b": {"S": "b"}, ":l": {"N": "9.5"}, ":h": {"N": "12"}},
        ProjectionExpression="pk",
    )
    assert sorted(item["pk"]["N"] for item in answer["Items"]) == ["10", "11", "12"]
    assert all(item.keys() == {"pk"} for item in answer["Items"])


def test_select_count_answers_without_items(ddb: Any, hundred: str) -> None:
    page = ddb.scan(TableName=hundred, Select="COUNT")
    assert (page["Count"], page["ScannedCount"], "Items" in page) == (100, 100, False)


def test_a_page_ends_with_the_item_that_passes_1_mb(
    ddb: Any, new_table: Callable[..., str]
) -> None:
    table = new_table(partition="N")
    for n in range(4):
        ddb.put_item(TableName=table, Item={"pk": {"N": str(n)}, "b": {"B": b"x" * 400_000}})
    for more in ({}, {"Limit": 4}, {"FilterExpression": "attribute_exists(b)"}):
        found = pages(ddb, table, ReturnConsumedCapacity="TOTAL", **more)
        assert [page["Count"] for page in found] == [3, 1]
        units = [page["ConsumedCapacity"]["CapacityUnits"] for page in found]
        assert units == [146.5, 49.0]
    consistent = ddb.scan(TableName=table, ConsistentRead=True, ReturnConsumedCapacity="INDEXES")
    assert consistent["ConsumedCapacity"] == {
        "TableName": table,
        "CapacityUnits": 293.0,
        "Table": {"CapacityUnits": 293.0},
    }


def test_a_starting_key_need_not_exist(ddb: Any, hundred: str) -> None:
    """A scan goes on at the place that the key would have."""
    whole = ddb.scan(TableName=hundred)["Items"]
    between = {"pk": whole[20]["pk"], "sk": {"S": "aa"}}
    assert ddb.scan(TableName=hundred, ExclusiveStartKey=between)["Items"] == whole[21:]


def test_a_table_is_also_found_by_its_arn(ddb: Any, hundred: str) -> None:
    arn = ddb.describe_table(TableName=hundred)["Table"]["TableArn"]
    answer = ddb.scan(TableName=arn, Select="COUNT", ReturnConsumedCapacity="TOTAL")
    assert answer["Count"] == 100
    assert answer["ConsumedCapacity"]["TableName"] == hundred


def test_another_regions_table_of_the_same_name_is_another(
    make_client: Callable[..., Any], refused: Callable[..., str], hundred: str
) -> None:
    elsewhere = make_client("dynamodb", "eu-west-1")
    message = refused("ResourceNotFoundException", elsewhere.scan, TableName=hundred)
    assert message == "Requested resource not found"
