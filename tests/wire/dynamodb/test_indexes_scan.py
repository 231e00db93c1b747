"""Scan of indexes: sparse ones, pages and segments of them, and what may be asked.

Where DynamoDB Local 2.6.1 answers otherwise, the tests follow AWS, or the rules that AWS has for
Query: it lets a scan be filtered by what its index does not hold, charges a local index for whole
items, and puts all that it has into the last segments.
"""

from collections.abc import Callable
from typing import Any

import pytest

from wire.indexed_tables import MANY, item, make_indexed, put_all

VALIDATION = "ValidationException"
INVALID = "One or more parameter values were invalid: "
NewTable = Callable[..., str]
Refused = Callable[..., str]


@pytest.fixture
def table(ddb: Any, new_table: NewTable) -> str:
    """Forty items, of which each tenth has all key attributes of the indexes."""
    name = make_indexed(new_table)
    items = [item(f"p{n % 4}", n, y="y" * 50) for n in range(40)]
    for n, each in enumerate(items):
        each.update({"g": {"S": f"g{n % 3}"}} if n % 2 else {"h": {"N": "1"}})
    for n, each in enumerate(items[::10]):
        each |= {"g": {"S": f"g{n}0"}, "b": {"B": b"b"}, "l": {"S": "l"}, "x": {"S": "x"}}
    put_all(ddb, name, items)
    return name


def every_page(ddb: Any, **asked: Any) -> list[Any]:
    """Return the items of all pages of a scan."""
    found: list[Any] = []
    while True:
        page = ddb.scan(**asked)
        found += page["Items"]
        assert page["ScannedCount"] <= asked.get("Limit", 1000)
        if "LastEvaluatedKey" not in page:
            return found
        asked["ExclusiveStartKey"] = page["LastEvaluatedKey"]


def numbers(items: list[Any]) -> list[int]:
    """Return the sort keys of items in their order."""
    return sorted(int(each["sk"]["N"]) for each in items)


WANTED = {
    "keys": range(0, 40, 10),
    "all": [n for n in range(40) if n % 2 or n % 10 == 0],
    "some": range(0, 40, 10),
    "local-keys": range(0, 40, 10),
    "local-some": range(0, 40, 2),
}


@pytest.mark.parametrize("name", WANTED)
def test_an_index_has_the_items_that_have_its_key(ddb: Any, table: str, name: str) -> None:
    """Every page size and every division into segments gives each of them once."""
    wanted = sorted(WANTED[name])
    whole = every_page(ddb, TableName=table, IndexName=name)
    assert numbers(whole) == wanted
    for limit in (1, 3, 100):
        assert every_page(ddb, TableName=table, IndexName=name, Limit=limit) == whole
    for segments in (1, 2, 7):
        found = [
            each
            for segment in range(segments)
            for each in every_page(
                ddb,
                TableName=table,
                IndexName=name,
                Segment=segment,
                TotalSegments=segments,
                Limit=2,
            )
        ]
        assert found == whole


def test_what_a_scan_of_an_index_answers_with(ddb: Any, table: str) -> None:
    """What it holds; the attributes of its key are the first to be projected."""
    answered = {
        name: {key for each in ddb.scan(TableName=table, IndexName=name)["Items"] for key in each}
        for name in WANTED
    }
    assert answered == {
        "keys": {"pk", "sk", "g", "h"},
        "all": {"pk", "sk", "g", "h", "b", "l", "x", "y"},
        "some": {"pk", "sk", "b", "g", "x"},
        "local-keys": {"pk", "sk", "l"},
        "local-some": {"pk", "sk", "h", "x"},
    }


def test_a_scan_reads_the_rest_for_a_local_index(ddb: Any, table: str) -> None:
    asked = {"TableName": table, "IndexName": "local-keys", "ReturnConsumedCapacity": "INDEXES"}
    page = ddb.scan(**asked, ProjectionExpression="y", ConsistentRead=True)
    assert page["Items"] == [{"y": {"S": "y" * 50}}] * 4
    assert page["ConsumedCapacity"] == {
        "TableName": table,
        "CapacityUnits": 5.0,
        "Table": {"CapacityUnits": 4.0},
        "LocalSecondaryIndexes": {"local-keys": {"CapacityUnits": 1.0}},
    }


def test_a_filter_may_name_a_key_attribute_in_a_scan(ddb: Any, table: str) -> None:
    """Of the index or of the table: only a query's filter may not."""
    page = ddb.scan(
        TableName=table,
        IndexName="keys",
        FilterExpression="g = :g OR sk = :n",
        ExpressionAttributeValues={":g": {"S": "g10"}, ":n": {"N": "30"}},
    )
    assert (numbers(page["Items"]), page["ScannedCount"]) == ([10, 30], 4)


def test_a_key_of_several_attributes_is_scanned_too(ddb: Any, new_table: NewTable) -> None:
    """Items that lack any one of the four are not in the index."""
    table = make_indexed(new_table, [], [MANY])
    whole = {"g": "g", "b": b"b", "h": 1, "l": "l"}
    items = [item("p", n, **whole) for n in range(5)]
    items += [
        item("q", n, **{name: value for name, value in whole.items() if name != gone})
        for n, gone in enumerate(whole)
    ]
    put_all(ddb, table, items)
    found = every_page(ddb, TableName=table, IndexName="many", Limit=2)
    assert [(each["pk"], each["sk"]["N"]) for each in found] == [
        ({"S": "p"}, str(n)) for n in range(5)
    ]


def refusals(table: str) -> list[tuple[dict[str, Any], str]]:
    """Return requests that are refused, each with its text."""
    start = {"g": {"S": "g"}, "h": {"N": "1"}, "pk": {"S": "p"}}
    mismatch = "The provided key element does not match the schema"
    return [
        ({"IndexName": "nope"}, "The table does not have the specified index: nope"),
        (
            {"IndexName": "keys", "ConsistentRead": True},
            "Consistent reads are not supported on global secondary indexes",
        ),
        (
            {"IndexName": "keys", "Select": "ALL_ATTRIBUTES"},
            INVALID + "Select type ALL_ATTRIBUTES is not supported for global secondary index keys"
            " because its projection type is not ALL",
        ),
        (
            {"IndexName": "some", "ProjectionExpression": "x, y"},
            INVALID + "Global secondary index some does not project [y]",
        ),
        (
            {"IndexName": "some", "FilterExpression": "attribute_exists(y)"},
            INVALID + "Secondary index some does not project one or more filter attributes: [y]",
        ),
        (
            {"IndexName": "some", "ProjectionExpression": "g[0]"},
            (
                "Key attributes must be scalars; list random access '[]' and map lookup '.' are not"
                " allowed: IndexKey: g"
            ),
        ),
        (
            {"Select": "ALL_PROJECTED_ATTRIBUTES"},
            "ALL_PROJECTED_ATTRIBUTES can be used only when Querying using an IndexName",
        ),
        *(
            (
                {"IndexName": "keys", "ExclusiveStartKey": wrong},
                f"The provided starting key is invalid: {mismatch}",
            )
            for wrong in (start, {**start, "sk": {"S": "1"}}, {**start, "ks": {"N": "1"}})
        ),
    ]


def test_scans_that_are_refused(ddb: Any, refused: Refused, new_table: NewTable) -> None:
    table = make_indexed(new_table)
    for asked, text in refusals(table):
        assert refused(VALIDATION, ddb.scan, TableName=table, **asked) == text, asked


def test_a_starting_key_lies_in_its_segment(ddb: Any, refused: Refused, table: str) -> None:
    """By the hash of the index's partition key, which is not the table's."""
    asked = {"TableName": table, "IndexName": "keys", "TotalSegments": 2}
    first = ddb.scan(**asked, Segment=0)["Items"]
    start = ddb.scan(TableName=table, IndexName="keys", Limit=1)["LastEvaluatedKey"]
    assert start.keys() == {"g", "h", "pk", "sk"}
    right = 0 if any(each["sk"] == start["sk"] for each in first) else 1
    ddb.scan(**asked, Segment=right, ExclusiveStartKey=start)
    assert refused(VALIDATION, ddb.scan, **asked, Segment=1 - right, ExclusiveStartKey=start) == (
        "The provided starting key is invalid: Invalid ExclusiveStartKey. Please use"
        f" ExclusiveStartKey with correct Segment. TotalSegments: 2 Segment: {1 - right}"
    )
