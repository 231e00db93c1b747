"""boto3's resource layer in transactions, with Python's types: all or nothing, reasons, tokens."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

KEY = {"pk": "account", "sk": 1}


def put(table: Any, sort: int, **attributes: Any) -> dict[str, Any]:
    item = {"pk": "account", "sk": sort, **attributes}
    return {"Put": {"TableName": table.name, "Item": item}}


def add(table: Any, sort: int, amount: int) -> dict[str, Any]:
    """Return the change of a balance that stays 0 or more."""
    return {
        "Update": {
            "TableName": table.name,
            "Key": {"pk": "account", "sk": sort},
            "UpdateExpression": "ADD balance :amount",
            "ConditionExpression": "balance >= :least",
            "ExpressionAttributeValues": {":amount": amount, ":least": max(0, -amount)},
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
    }


def balances(table: Any) -> list[int]:
    return [int(item["balance"]) for item in table.scan(ConsistentRead=True)["Items"]]


def test_a_transaction_over_two_tables_takes_and_gives_python_types(
    client: Any, make_table: Callable[..., Any]
) -> None:
    one, two = make_table(), make_table()
    values = {"price": Decimal("1.5"), "tags": {"a", "b"}, "map": {"list": [b"\x00", None]}}
    gone = {"TableName": two.name, "Key": {"pk": "account", "sk": 2}}
    two.put_item(Item={"pk": "account", "sk": 2})
    client.transact_write_items(
        TransactItems=[
            put(one, 1, **values),
            put(one, 2, **values),
            {"Delete": {**gone, "ConditionExpression": "attribute_exists(pk)"}},
            {
                "ConditionCheck": {
                    "TableName": two.name,
                    "Key": {"pk": "nobody", "sk": 0},
                    "ConditionExpression": "attribute_not_exists(pk)",
                }
            },
        ]
    )
    answer = client.transact_get_items(
        TransactItems=[
            {"Get": {"TableName": one.name, "Key": KEY}},
            {"Get": gone},
            {
                "Get": {
                    "TableName": one.name,
                    "Key": {"pk": "account", "sk": 2},
                    "ProjectionExpression": "price, #map.#list[1]",
                    "ExpressionAttributeNames": {"#map": "map", "#list": "list"},
                }
            },
        ]
    )
    assert answer["Responses"] == [
        {"Item": {**KEY, **values}},
        {},
        {"Item": {"price": Decimal("1.5"), "map": {"list": [None]}}},
    ]


def test_a_cancelled_transaction_tells_why_of_each_action_and_changes_nothing(
    client: Any, table: Any
) -> None:
    client.transact_write_items(TransactItems=[put(table, n, balance=100) for n in (1, 2)])
    with pytest.raises(client.exceptions.TransactionCanceledException) as caught:
        client.transact_write_items(TransactItems=[add(table, 1, 500), add(table, 2, -500)])
    assert caught.value.response["Error"]["Message"] == (
        "Transaction cancelled, please refer cancellation reasons for specific reasons "
        "[None, ConditionalCheckFailed]"
    )
    none, refused = caught.value.response["CancellationReasons"]
    assert none == {"Code": "None"}
    assert refused["Code"] == "ConditionalCheckFailed"
    assert refused["Message"] == "The conditional request failed"
    assert refused["Item"]["balance"] == {"N": "100"}
    assert balances(table) == [100, 100]


def test_a_token_makes_a_repeated_transaction_harmless(client: Any, table: Any) -> None:
    """boto3 makes one for each call; an application that repeats calls gives its own."""
    client.transact_write_items(TransactItems=[put(table, n, balance=100) for n in (1, 2)])
    moved = [add(table, 1, 30), add(table, 2, -30)]
    for _ in range(3):
        client.transact_write_items(TransactItems=moved, ClientRequestToken="one-transfer")
    assert balances(table) == [130, 70]
    with pytest.raises(client.exceptions.IdempotentParameterMismatchException):
        client.transact_write_items(
            TransactItems=[add(table, 1, 1), add(table, 2, -1)], ClientRequestToken="one-transfer"
        )
    client.transact_write_items(TransactItems=moved)
    client.transact_write_items(TransactItems=moved)
    assert balances(table) == [190, 10]


def test_a_hundred_actions_are_one_transaction(client: Any, table: Any) -> None:
    client.transact_write_items(TransactItems=[put(table, n, balance=n) for n in range(100)])
    gets = [
        {"Get": {"TableName": table.name, "Key": {"pk": "account", "sk": n}}} for n in range(100)
    ]
    answer = client.transact_get_items(TransactItems=gets, ReturnConsumedCapacity="TOTAL")
    assert [int(each["Item"]["balance"]) for each in answer["Responses"]] == list(range(100))
    (consumed,) = answer["ConsumedCapacity"]
    assert consumed["CapacityUnits"] == 200  # each is read twice
