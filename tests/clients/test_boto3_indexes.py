"""boto3's resource layer on global and local secondary indexes."""

from collections.abc import Callable
from typing import Any

import pytest
from boto3.dynamodb.conditions import Attr, Key
from botocore.exceptions import ClientError


def keys(partition: str, sort: str | None = None) -> list[dict[str, str]]:
    named = [{"AttributeName": partition, "KeyType": "HASH"}]
    return named + ([{"AttributeName": sort, "KeyType": "RANGE"}] if sort else [])


def defined(**types: str) -> list[dict[str, str]]:
    return [{"AttributeName": name, "AttributeType": kind} for name, kind in types.items()]


GLOBAL = [
    {
        "IndexName": "by-status",
        "KeySchema": keys("status", "placed"),
        "Projection": {"ProjectionType": "ALL"},
    },
    {
        "IndexName": "unpaid",
        "KeySchema": keys("unpaid"),
        "Projection": {"ProjectionType": "KEYS_ONLY"},
    },
]
LOCAL = [
    {
        "IndexName": "by-total",
        "KeySchema": keys("pk", "total"),
        "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["status"]},
    }
]


def order(number: int, **more: Any) -> dict[str, Any]:
    status = "shipped" if number % 3 == 0 else "placed"
    item = {"pk": "customer", "sk": number, "status": status, "placed": f"2026-10-{number + 1:02}"}
    return {**item, "total": 100 - number, "note": f"note {number}", **more}


@pytest.fixture
def orders(make_table: Callable[..., Any]) -> Any:
    """A table of twelve orders with two global indexes and a local one."""
    table = make_table(
        AttributeDefinitions=defined(pk="S", sk="N", status="S", placed="S", unpaid="S", total="N"),
        GlobalSecondaryIndexes=GLOBAL,
        LocalSecondaryIndexes=LOCAL,
    )
    with table.batch_writer() as batch:
        for number in range(12):
            batch.put_item(Item=order(number, **({"unpaid": "yes"} if number < 2 else {})))
    return table


def sort_keys(answer: dict[str, Any]) -> list[int]:
    return [int(item["sk"]) for item in answer["Items"]]


def test_a_table_object_tells_of_its_indexes(orders: Any) -> None:
    orders.reload()
    indexes = {index["IndexName"]: index for index in orders.global_secondary_indexes}
    assert set(indexes) == {"by-status", "unpaid"}
    assert indexes["by-status"]["IndexStatus"] == "ACTIVE"
    assert indexes["by-status"]["IndexArn"] == f"{orders.table_arn}/index/by-status"
    assert indexes["unpaid"]["KeySchema"] == keys("unpaid")
    (local,) = orders.local_secondary_indexes
    assert local["Projection"] == LOCAL[0]["Projection"]


def test_a_global_index_is_queried_by_its_own_keys(orders: Any) -> None:
    shipped = Key("status").eq("shipped")
    found = orders.query(IndexName="by-status", KeyConditionExpression=shipped)
    assert sort_keys(found) == [0, 3, 6, 9]
    assert found["Items"][1] == order(3)
    late = shipped & Key("placed").gt("2026-10-05")
    backward = orders.query(
        IndexName="by-status",
        KeyConditionExpression=late,
        FilterExpression=Attr("total").lt(94),
        ScanIndexForward=False,
    )
    assert sort_keys(backward) == [9]
    assert backward["ScannedCount"] == 2


def test_a_sparse_index_holds_what_has_its_key_and_only_keys(orders: Any) -> None:
    found = orders.query(IndexName="unpaid", KeyConditionExpression=Key("unpaid").eq("yes"))
    assert {int(item["sk"]) for item in found["Items"]} == {0, 1}
    assert all(set(item) == {"pk", "sk", "unpaid"} for item in found["Items"])
    orders.update_item(Key={"pk": "customer", "sk": 0}, UpdateExpression="REMOVE unpaid")
    orders.put_item(Item=order(7, unpaid="yes"))
    orders.delete_item(Key={"pk": "customer", "sk": 1})
    assert sort_keys(orders.scan(IndexName="unpaid")) == [7]


def test_an_item_moves_in_an_index_when_its_index_key_changes(orders: Any) -> None:
    orders.update_item(
        Key={"pk": "customer", "sk": 1},
        UpdateExpression="SET #status = :shipped",
        ExpressionAttributeNames={"#status": "status"},
        ExpressionAttributeValues={":shipped": "shipped"},
    )

    def of_status(status: str) -> list[int]:
        condition = Key("status").eq(status)
        return sort_keys(orders.query(IndexName="by-status", KeyConditionExpression=condition))

    assert of_status("shipped") == [0, 1, 3, 6, 9]
    assert 1 not in of_status("placed")


def test_a_local_index_sorts_a_partition_anew_and_can_be_read_consistently(orders: Any) -> None:
    condition = Key("pk").eq("customer") & Key("total").between(90, 95)
    found = orders.query(
        IndexName="by-total", KeyConditionExpression=condition, ConsistentRead=True
    )
    assert sort_keys(found) == [10, 9, 8, 7, 6, 5]
    assert set(found["Items"][0]) == {"pk", "sk", "total", "status"}
    whole = orders.query(
        IndexName="by-total", KeyConditionExpression=condition, Select="ALL_ATTRIBUTES"
    )
    assert whole["Items"][0] == order(10)


def test_pages_of_an_index_go_on_after_a_key_of_index_and_table(orders: Any) -> None:
    request = {
        "IndexName": "by-status",
        "KeyConditionExpression": Key("status").eq("placed"),
        "Limit": 3,
    }
    answer = orders.query(**request)
    assert set(answer["LastEvaluatedKey"]) == {"pk", "sk", "status", "placed"}
    seen = sort_keys(answer)
    while "LastEvaluatedKey" in answer:
        answer = orders.query(**request, ExclusiveStartKey=answer["LastEvaluatedKey"])
        seen += sort_keys(answer)
    assert seen == [1, 2, 4, 5, 7, 8, 10, 11]


def test_a_scan_of_an_index_is_paged_by_the_paginator(client: Any, orders: Any) -> None:
    pages = client.get_paginator("scan").paginate(
        TableName=orders.name, IndexName="by-status", PaginationConfig={"PageSize": 5}
    )
    assert sorted(sort for page in pages for sort in sort_keys(page)) == list(range(12))


def test_what_a_global_index_cannot_do_is_refused(orders: Any) -> None:
    condition = Key("status").eq("shipped")
    with pytest.raises(ClientError, match="Consistent reads are not supported on global"):
        orders.query(IndexName="by-status", KeyConditionExpression=condition, ConsistentRead=True)
    with pytest.raises(ClientError, match="ALL_ATTRIBUTES"):
        orders.query(
            IndexName="unpaid",
            KeyConditionExpression=Key("unpaid").eq("yes"),
            Select="ALL_ATTRIBUTES",
        )
    with pytest.raises(ClientError, match="The table does not have the specified index: none"):
        orders.query(IndexName="none", KeyConditionExpression=condition)
    with pytest.raises(ClientError, match="Type mismatch for Index Key"):
        orders.put_item(Item=order(1, total="much"))


def test_capacity_and_collections_are_told_for_each_index(orders: Any) -> None:
    answer = orders.put_item(
        Item=order(20), ReturnConsumedCapacity="INDEXES", ReturnItemCollectionMetrics="SIZE"
    )
    consumed = answer["ConsumedCapacity"]
    assert consumed["Table"]["CapacityUnits"] == 1
    assert set(consumed["GlobalSecondaryIndexes"]) == {"by-status"}
    assert set(consumed["LocalSecondaryIndexes"]) == {"by-total"}
    assert answer["ItemCollectionMetrics"]["ItemCollectionKey"] == {"pk": "customer"}
    assert len(answer["ItemCollectionMetrics"]["SizeEstimateRangeGB"]) == 2
    read = orders.query(
        IndexName="by-status",
        KeyConditionExpression=Key("status").eq("shipped"),
        ReturnConsumedCapacity="TOTAL",
    )
    assert read["ConsumedCapacity"]["CapacityUnits"] == 0.5


def test_an_index_is_added_to_a_full_table_and_taken_away_again(
    orders: Any, wait_for: Callable[..., None]
) -> None:
    def states() -> dict[str, str]:
        orders.reload()
        indexes = orders.global_secondary_indexes or []
        return {index["IndexName"]: index["IndexStatus"] for index in indexes}

    added = {
        "IndexName": "by-note",
        "KeySchema": keys("note"),
        "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["total"]},
    }
    orders.update(
        AttributeDefinitions=defined(note="S"), GlobalSecondaryIndexUpdates=[{"Create": added}]
    )
    assert states()["by-note"] in {"CREATING", "ACTIVE"}
    wait_for(lambda: states()["by-note"] == "ACTIVE", "the index is active")
    condition = Key("note").eq("note 5")
    (found,) = orders.query(IndexName="by-note", KeyConditionExpression=condition)["Items"]
    assert found == {"pk": "customer", "sk": 5, "note": "note 5", "total": 95}
    orders.update(GlobalSecondaryIndexUpdates=[{"Delete": {"IndexName": "by-note"}}])
    wait_for(lambda: "by-note" not in states(), "the index is gone")
    with pytest.raises(ClientError, match="does not have the specified index"):
        orders.query(IndexName="by-note", KeyConditionExpression=condition)
