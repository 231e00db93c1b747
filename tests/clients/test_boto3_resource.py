"""boto3's resource layer: Table objects, conditions as objects, batches, pages and waiters."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from boto3.dynamodb.conditions import Attr, ConditionBase, Key
from boto3.dynamodb.types import Binary
from botocore.exceptions import ClientError, WaiterError

ITEM = {
    "pk": "a",
    "sk": Decimal(1),
    "string": "é水",
    "empty": "",
    "number": Decimal("-12.5"),
    "digits": Decimal("1.2345678901234567890123456789012345678"),
    "smallest": Decimal("1E-100"),
    "largest": Decimal(10**38 - 1),
    "binary": Binary(b"\x00\xff"),
    "yes": True,
    "no": False,
    "nothing": None,
    "strings": {"x", "y"},
    "numbers": {Decimal(1), Decimal("2.5")},
    "binaries": {Binary(b"1"), Binary(b"2")},
    "list": ["s", Decimal(3), [None, {"deep": {"deeper": b"\x01"}}]],
    "map": {"inner": {"list": [], "map": {}}},
}


def rows(count: int) -> list[dict[str, Any]]:
    """Return items of one partition whose sort keys count up from 0."""
    return [
        {"pk": "row", "sk": n, "name": f"name-{n:03}", "parity": "odd" if n % 2 else "even"}
        for n in range(count)
    ]


def fill(table: Any, items: list[dict[str, Any]]) -> None:
    with table.batch_writer() as batch:
        for item in items:
            batch.put_item(Item=item)


def sort_keys(answer: dict[str, Any]) -> list[int]:
    return [int(item["sk"]) for item in answer["Items"]]


# --- tables


def test_a_table_object_tells_what_the_table_is(resource: Any, table: Any) -> None:
    again = resource.Table(table.name)
    again.load()
    assert again.table_status == "ACTIVE"
    assert again.table_arn.endswith(f":table/{table.name}")
    assert again.key_schema == [
        {"AttributeName": "pk", "KeyType": "HASH"},
        {"AttributeName": "sk", "KeyType": "RANGE"},
    ]
    assert again.item_count == 0
    assert again.billing_mode_summary["BillingMode"] == "PAY_PER_REQUEST"
    assert again.creation_date_time.tzinfo is not None


def test_a_deleted_table_is_waited_for(resource: Any, table_name: str) -> None:
    made = resource.create_table(
        TableName=table_name,
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        ProvisionedThroughput={"ReadCapacityUnits": 5, "WriteCapacityUnits": 6},
    )
    made.wait_until_exists()
    made.reload()
    assert made.provisioned_throughput["WriteCapacityUnits"] == 6
    made.delete()
    made.wait_until_not_exists()
    with pytest.raises(resource.meta.client.exceptions.ResourceNotFoundException):
        made.load()


def test_a_waiter_gives_up_on_a_table_that_nobody_makes(client: Any, table_name: str) -> None:
    waiter = client.get_waiter("table_exists")
    with pytest.raises(WaiterError, match="Max attempts"):
        waiter.wait(TableName=table_name, WaiterConfig={"Delay": 0, "MaxAttempts": 2})


def test_all_tables_are_listed_through_as_many_pages_as_it_takes(
    resource: Any, client: Any, make_table: Callable[..., Any]
) -> None:
    names = {make_table().name for _ in range(3)}
    assert names <= {table.name for table in resource.tables.all()}
    assert len(list(resource.tables.limit(2))) == 2
    pages = client.get_paginator("list_tables").paginate(PaginationConfig={"PageSize": 1})
    listed = [name for page in pages for name in page["TableNames"]]
    assert names <= set(listed)
    assert listed == sorted(listed)


# --- items


def test_python_types_come_back_as_they_went(table: Any) -> None:
    table.put_item(Item=ITEM)
    got = table.get_item(Key={"pk": "a", "sk": 1}, ConsistentRead=True)["Item"]
    assert got == ITEM
    assert type(got["number"]) is Decimal
    assert type(got["binary"]) is Binary


def test_a_float_is_refused_by_the_client_before_it_is_sent(table: Any) -> None:
    with pytest.raises(TypeError, match="Float"):
        table.put_item(Item={"pk": "a", "sk": 1, "f": 0.5})


def test_an_update_changes_every_kind_of_value(table: Any) -> None:
    table.put_item(Item={"pk": "a", "sk": 1, "list": [1], "set": {"x", "y"}, "gone": 1, "n": 5})
    answer = table.update_item(
        Key={"pk": "a", "sk": 1},
        UpdateExpression="SET #list = list_append(#list, :more), fresh = if_not_exists(fresh, :f), "
        "m1 = :f REMOVE gone ADD n :one, hits :one DELETE #set :x",
        ExpressionAttributeNames={"#list": "list", "#set": "set"},
        ExpressionAttributeValues={":more": [2, 3], ":f": "new", ":one": 1, ":x": {"x"}},
        ReturnValues="ALL_NEW",
    )
    assert answer["Attributes"] == {
        "pk": "a",
        "sk": 1,
        "list": [1, 2, 3],
        "set": {"y"},
        "n": 6,
        "hits": 1,
        "fresh": "new",
        "m1": "new",
    }
    old = table.delete_item(Key={"pk": "a", "sk": 1}, ReturnValues="ALL_OLD")["Attributes"]
    assert old == answer["Attributes"]
    assert "Item" not in table.get_item(Key={"pk": "a", "sk": 1})


def test_a_refused_condition_is_an_exception_of_its_own_that_shows_the_item(table: Any) -> None:
    item = {"pk": "a", "sk": 1, "version": 3}
    table.put_item(Item=item, ConditionExpression=Attr("pk").not_exists())
    refusal = table.meta.client.exceptions.ConditionalCheckFailedException
    with pytest.raises(refusal) as caught:
        table.put_item(
            Item={**item, "version": 4},
            ConditionExpression=Attr("version").lt(3) | Attr("pk").not_exists(),
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
        )
    assert caught.value.response["Error"]["Message"] == "The conditional request failed"
    shown = caught.value.response["Item"]  # boto3 leaves what an error holds in its own form
    assert shown == {"pk": {"S": "a"}, "sk": {"N": "1"}, "version": {"N": "3"}}
    with pytest.raises(refusal):
        table.delete_item(Key={"pk": "b", "sk": 1}, ConditionExpression=Attr("pk").exists())


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (Attr("n").eq(2), {2}),
        (Attr("n").ne(2), {0, 1, 3}),
        (Attr("n").lt(1), {0}),
        (Attr("n").lte(1), {0, 1}),
        (Attr("n").gt(2), {3}),
        (Attr("n").gte(2), {2, 3}),
        (Attr("n").between(1, 2), {1, 2}),
        (Attr("n").is_in([0, 3, 99]), {0, 3}),
        (Attr("s").begins_with("aa"), {2, 3}),
        (Attr("s").contains("aaa"), {3}),
        (Attr("tags").contains("even"), {0, 2}),
        (Attr("s").size().gt(1), {2, 3}),
        (Attr("even").exists(), {0, 2}),
        (Attr("even").not_exists(), {1, 3}),
        (Attr("n").attribute_type("N"), {0, 1, 2, 3}),
        (Attr("map.list[1]").eq(3), {3}),
        (~Attr("n").eq(2) & (Attr("n").eq(1) | Attr("n").eq(2)), {1}),
        (Attr("sk").eq(Attr("n")) & Attr("s").ne(None), {0, 1, 2, 3}),
    ],
    ids=lambda value: value.expression_operator if isinstance(value, ConditionBase) else "",
)
def test_every_condition_object_filters(
    table: Any, condition: ConditionBase, expected: set[int]
) -> None:
    for n in range(4):
        item: dict[str, Any] = {"pk": "a", "sk": n, "n": n, "s": "a" * n, "map": {"list": [0, n]}}
        item["tags"] = {"even" if n % 2 == 0 else "odd", "any"}
        table.put_item(Item={**item, **({"even": None} if n % 2 == 0 else {})})
    assert set(sort_keys(table.scan(FilterExpression=condition))) == expected


# --- batches


def test_a_batch_writer_sends_as_many_batches_as_it_takes(table: Any) -> None:
    fill(table, rows(120))
    with table.batch_writer(overwrite_by_pkeys=["pk", "sk"]) as batch:
        for n in range(0, 120, 2):
            batch.put_item(Item={"pk": "row", "sk": n, "name": "first"})
            batch.delete_item(Key={"pk": "row", "sk": n})
        batch.put_item(Item={"pk": "row", "sk": 1, "name": "first"})
        batch.put_item(Item={"pk": "row", "sk": 1, "name": "last"})
    left = table.query(KeyConditionExpression=Key("pk").eq("row"))
    assert sort_keys(left) == list(range(1, 120, 2))
    assert left["Items"][0]["name"] == "last"


def test_a_batch_with_the_same_key_twice_is_refused_as_the_client_sent_it(table: Any) -> None:
    with pytest.raises(ClientError, match="contains duplicates"), table.batch_writer() as batch:
        batch.put_item(Item={"pk": "a", "sk": 1})
        batch.delete_item(Key={"pk": "a", "sk": 1})


def test_a_batch_get_reads_from_several_tables(
    resource: Any, make_table: Callable[..., Any]
) -> None:
    one, two = make_table(), make_table()
    fill(one, rows(3))
    fill(two, rows(3))
    keys = [{"pk": "row", "sk": n} for n in (0, 2, 9)]
    names = {"#n": "name"}
    got = resource.batch_get_item(
        RequestItems={
            one.name: {"Keys": keys},
            two.name: {
                "Keys": keys,
                "ProjectionExpression": "sk, #n",
                "ExpressionAttributeNames": names,
            },
        }
    )
    assert got["UnprocessedKeys"] == {}
    assert sorted(item["sk"] for item in got["Responses"][one.name]) == [0, 2]
    assert sorted(item["name"] for item in got["Responses"][two.name]) == ["name-000", "name-002"]
    assert all(set(item) == {"sk", "name"} for item in got["Responses"][two.name])


# --- queries and scans


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (Key("pk").eq("row"), list(range(10))),
        (Key("pk").eq("row") & Key("sk").eq(3), [3]),
        (Key("pk").eq("row") & Key("sk").lt(3), [0, 1, 2]),
        (Key("pk").eq("row") & Key("sk").lte(3), [0, 1, 2, 3]),
        (Key("pk").eq("row") & Key("sk").gt(7), [8, 9]),
        (Key("pk").eq("row") & Key("sk").gte(7), [7, 8, 9]),
        (Key("pk").eq("row") & Key("sk").between(3, 5), [3, 4, 5]),
        (Key("pk").eq("nobody"), []),
    ],
)
def test_every_key_condition_finds_its_range(
    table: Any, condition: ConditionBase, expected: list[int]
) -> None:
    fill(table, rows(10))
    assert sort_keys(table.query(KeyConditionExpression=condition)) == expected
    backward = table.query(KeyConditionExpression=condition, ScanIndexForward=False)
    assert sort_keys(backward) == expected[::-1]


def test_a_sort_key_of_text_is_found_by_its_beginning(make_table: Callable[..., Any]) -> None:
    table = make_table(
        AttributeDefinitions=[
            {"AttributeName": "pk", "AttributeType": "B"},
            {"AttributeName": "sk", "AttributeType": "S"},
        ]
    )
    for sort in ("2026-10-01#a", "2026-10-01#b", "2026-11-01#a"):
        table.put_item(Item={"pk": b"k", "sk": sort})
    found = table.query(
        KeyConditionExpression=Key("pk").eq(b"k") & Key("sk").begins_with("2026-10")
    )
    assert [item["sk"] for item in found["Items"]] == ["2026-10-01#a", "2026-10-01#b"]


def test_the_pages_of_a_query_are_followed_by_hand(table: Any) -> None:
    fill(table, rows(10))
    request = {
        "KeyConditionExpression": Key("pk").eq("row"),
        "FilterExpression": Attr("parity").eq("odd"),
        "ProjectionExpression": "sk",
        "Limit": 4,
    }
    answer = table.query(**request)
    assert (answer["Count"], answer["ScannedCount"]) == (2, 4)
    seen = sort_keys(answer)
    while "LastEvaluatedKey" in answer:
        answer = table.query(**request, ExclusiveStartKey=answer["LastEvaluatedKey"])
        seen += sort_keys(answer)
    assert seen == [1, 3, 5, 7, 9]
    counted = table.query(KeyConditionExpression=Key("pk").eq("row"), Select="COUNT")
    assert counted["Count"] == 10
    assert "Items" not in counted


@pytest.mark.parametrize("action", ["query", "scan"])
def test_a_paginator_goes_on_where_it_stopped(
    client: Any, make_table: Callable[..., Any], action: str
) -> None:
    """The keys are text: boto3 makes no token of a Decimal."""
    table = make_table(
        AttributeDefinitions=[
            {"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")
        ]
    )
    fill(table, [{"pk": "row", "sk": str(n)} for n in range(10)])
    more = {"KeyConditionExpression": Key("pk").eq("row")} if action == "query" else {}
    paginator = client.get_paginator(action)
    first = paginator.paginate(
        TableName=table.name, **more, PaginationConfig={"PageSize": 2, "MaxItems": 5}
    ).build_full_result()
    assert sort_keys(first) == [0, 1, 2, 3, 4]
    rest = paginator.paginate(
        TableName=table.name, **more, PaginationConfig={"StartingToken": first["NextToken"]}
    ).build_full_result()
    assert sort_keys(rest) == [5, 6, 7, 8, 9]
    assert "NextToken" not in rest


def test_the_segments_of_a_scan_are_the_table(table: Any) -> None:
    fill(table, [{"pk": f"p{n}", "sk": n} for n in range(40)])
    found = [table.scan(Segment=n, TotalSegments=4) for n in range(4)]
    assert sorted(sort for answer in found for sort in sort_keys(answer)) == list(range(40))
    consumed = table.scan(ConsistentRead=True, ReturnConsumedCapacity="TOTAL")["ConsumedCapacity"]
    assert consumed["TableName"] == table.name
    assert consumed["CapacityUnits"] > 0
