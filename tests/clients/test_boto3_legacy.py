"""boto3's resource layer as applications from before expressions use it."""

from typing import Any

import pytest


@pytest.fixture
def leases(table: Any) -> Any:
    """A table of five items, as code that keeps leases would have written them."""
    for n in range(5):
        table.put_item(
            Item={"pk": "lease", "sk": n, "owner": f"o{n % 2}", "round": n, "past": {"a", "b"}},
            Expected={"pk": {"Exists": False}},
        )
    return table


def test_an_item_is_changed_only_where_it_is_as_expected(leases: Any) -> None:
    answer = leases.update_item(
        Key={"pk": "lease", "sk": 1},
        AttributeUpdates={
            "owner": {"Value": "new", "Action": "PUT"},
            "round": {"Value": 10, "Action": "ADD"},
            "past": {"Value": {"a"}, "Action": "DELETE"},
        },
        Expected={
            "owner": {"Value": "o1"},
            "round": {"ComparisonOperator": "BETWEEN", "AttributeValueList": [1, 2]},
        },
        ReturnValues="UPDATED_NEW",
    )
    assert answer["Attributes"] == {"owner": "new", "round": 11, "past": {"b"}}
    refusal = leases.meta.client.exceptions.ConditionalCheckFailedException
    with pytest.raises(refusal):
        leases.delete_item(
            Key={"pk": "lease", "sk": 1},
            Expected={
                "owner": {"Value": "somebody"},
                "round": {"ComparisonOperator": "LT", "AttributeValueList": [5]},
            },
            ConditionalOperator="OR",
        )
    with pytest.raises(refusal):
        leases.put_item(Item={"pk": "lease", "sk": 1}, Expected={"pk": {"Exists": False}})


def test_conditions_find_keys_and_filter_what_was_found(leases: Any) -> None:
    found = leases.query(
        KeyConditions={
            "pk": {"ComparisonOperator": "EQ", "AttributeValueList": ["lease"]},
            "sk": {"ComparisonOperator": "GE", "AttributeValueList": [1]},
        },
        QueryFilter={"owner": {"ComparisonOperator": "EQ", "AttributeValueList": ["o1"]}},
        AttributesToGet=["sk", "round"],
        ScanIndexForward=False,
    )
    assert found["Items"] == [{"sk": 3, "round": 3}, {"sk": 1, "round": 1}]
    assert found["ScannedCount"] == 4
    scanned = leases.scan(
        ScanFilter={
            "past": {"ComparisonOperator": "CONTAINS", "AttributeValueList": ["a"]},
            "round": {"ComparisonOperator": "IN", "AttributeValueList": [0, 4, 9]},
        }
    )
    assert sorted(int(item["sk"]) for item in scanned["Items"]) == [0, 4]
    got = leases.get_item(Key={"pk": "lease", "sk": 2}, AttributesToGet=["owner"])
    assert got["Item"] == {"owner": "o0"}
