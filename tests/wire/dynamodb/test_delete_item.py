"""DeleteItem: types of members, refusals with their texts and order, and what is deleted."""

from collections.abc import Callable
from typing import Any

import pytest

from wire import wrong_json
from wire.clients import stored

DELETE = "DeleteItem"
CONDITION_FAILED = "ConditionalCheckFailedException"
MISMATCH = "The provided key element does not match the schema"


def delete(table: str, key: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Return a request that deletes one item."""
    return {"TableName": table, "Key": key, **more}


# --- serialisation


@pytest.mark.parametrize(
    ("member", "wrong"),
    [
        ("TableName", wrong_json.STRING),
        ("Key", wrong_json.ATTRIBUTE_MAP),
        ("ReturnValues", wrong_json.STRING),
        ("ReturnConsumedCapacity", wrong_json.STRING),
        ("ReturnItemCollectionMetrics", wrong_json.STRING),
        ("ReturnValuesOnConditionCheckFailure", wrong_json.STRING),
        ("ConditionExpression", wrong_json.STRING),
        ("ExpressionAttributeNames", wrong_json.NAME_MAP),
        ("ExpressionAttributeValues", wrong_json.ATTRIBUTE_MAP),
        ("ConditionalOperator", wrong_json.STRING),
        ("Expected", wrong_json.map_of(f"{wrong_json.JAVA}ExpectedAttributeValue")),
    ],
)
def test_wrong_json_types_of_members(
    unreadable: Callable[..., str], plain: str, member: str, wrong: wrong_json.Wrong
) -> None:
    """A member of a wrong JSON type is a SerializationException, each with its text."""
    for value, text in wrong:
        assert unreadable(DELETE, delete(plain, {}, **{member: value})) == text, value


def test_wrong_json_types_inside_attribute_values(
    unreadable: Callable[..., str], plain: str
) -> None:
    """So is a value of a key or of a condition, however deep it is wrong."""
    for value, text in wrong_json.ATTRIBUTE_VALUE:
        assert unreadable(DELETE, delete(plain, {"pk": value})) == text, value
        values = {":a": value}
        assert unreadable(DELETE, delete(plain, {}, ExpressionAttributeValues=values)) == text


# --- validation


def test_every_broken_constraint_is_listed(invalid: Callable[..., str]) -> None:
    """What is missing and what is wrong is told in one error."""
    assert invalid(DELETE, {"ReturnValues": "all_old"}) == (
        "3 validation errors detected: Value null at 'tableName' failed to satisfy constraint:"
        " Member must not be null; Value null at 'key' failed to satisfy constraint: Member must"
        " not be null; Value 'all_old' at 'returnValues' failed to satisfy constraint: Member must"
        " satisfy enum value set: [ALL_NEW, UPDATED_OLD, ALL_OLD, NONE, UPDATED_NEW]"
    )


@pytest.mark.parametrize(
    "key",
    [
        {},
        {"pk": {"N": "1"}},
        {"PK": {"S": "a"}},
        {"pk": {"S": "a"}, "more": {"S": "a"}},
        {"pk": {"L": [{"S": "a"}]}},
    ],
)
def test_keys_that_do_not_match_the_schema(
    invalid: Callable[..., str], plain: str, key: dict[str, Any]
) -> None:
    """A key has exactly the attributes of the table's, each of its type."""
    assert invalid(DELETE, delete(plain, key)) == MISMATCH


def test_values_that_no_key_can_have(invalid: Callable[..., str], plain: str) -> None:
    """Values of keys that are empty, too large, or no values at all."""
    assert invalid(DELETE, delete(plain, {"pk": {"S": ""}})) == (
        "One or more parameter values are not valid. The AttributeValue for a key attribute cannot"
        " contain an empty string value. Key: pk"
    )
    assert invalid(DELETE, delete(plain, {"pk": {"S": "a" * 2049}})) == (
        "One or more parameter values were invalid: Size of hashkey has exceeded the maximum size"
        " limit of2048 bytes"
    )
    for value, text in wrong_json.NOT_VALUES:
        assert invalid(DELETE, delete(plain, {"pk": value})) == text, value


def test_return_values_that_delete_does_not_have(
    invalid: Callable[..., str], plain: str, key: dict[str, Any]
) -> None:
    """Delete knows two ReturnValues of the five."""
    for asked in ("ALL_NEW", "UPDATED_OLD", "UPDATED_NEW"):
        assert invalid(DELETE, delete(plain, key, ReturnValues=asked)) == (
            "ReturnValues can only be ALL_OLD or NONE"
        )


def test_the_order_of_refusals(refusal: Callable[..., tuple[str, str]], plain: str) -> None:
    """Of several mistakes the first is told: put right one by one, they come in this order."""
    request = delete("no;table", {"pk": {"N": "x"}}, ReturnValues="x", ConditionExpression="(")
    told = [refusal(DELETE, request)[1]]
    for put_right in (
        {"TableName": "no-such-table", "ReturnValues": "ALL_NEW"},
        {"Key": {"pk": {"N": "1"}}},
        {"ReturnValues": "NONE"},
        {"ConditionExpression": "attribute_exists(pk)"},
        {"TableName": plain},
        {"Key": {"pk": {"S": "never there"}}},
    ):
        request |= put_right
        told.append(refusal(DELETE, request)[1])
    assert [text.split(":")[0] for text in told] == [
        "2 validation errors detected",
        "The parameter cannot be converted to a numeric value",
        "ReturnValues can only be ALL_OLD or NONE",
        "Invalid ConditionExpression",
        "Requested resource not found",
        MISMATCH,
        "The conditional request failed",
    ]


# --- behaviour


def test_delete_and_what_it_returns(ddb: Any, plain: str, key: dict[str, Any]) -> None:
    """ALL_OLD shows what was deleted, if there was anything; deleting nothing is no error."""
    item = {**key, "n": {"NS": ["2", "10", "1"]}}
    shown = {**key, "n": {"NS": ["1", "2", "10"]}}
    ddb.put_item(TableName=plain, Item=item)
    assert ddb.delete_item(**delete(plain, key, ReturnValues="ALL_OLD"))["Attributes"] == shown
    assert stored(ddb, plain, key) is None
    for asked in ("ALL_OLD", "NONE"):
        assert "Attributes" not in ddb.delete_item(**delete(plain, key, ReturnValues=asked))
    ddb.put_item(TableName=plain, Item=item)
    assert ddb.delete_item(**delete(plain, key)).keys() == {"ResponseMetadata"}


def test_only_the_item_of_the_key_goes(ddb: Any, sorted_table: str, key: dict[str, Any]) -> None:
    """Neighbours of the same partition stay."""
    keys = [{**key, "sk": {"N": str(n)}} for n in range(3)]
    for each in keys:
        ddb.put_item(TableName=sorted_table, Item=each)
    ddb.delete_item(**delete(sorted_table, keys[1]))
    assert [stored(ddb, sorted_table, each) for each in keys] == [keys[0], None, keys[2]]


def test_conditions(refused: Callable[..., str], ddb: Any, plain: str, key: dict[str, Any]) -> None:
    """The item goes only where the condition holds; an absent item has no attributes."""
    condition = {
        "ConditionExpression": "#n > :two",
        "ExpressionAttributeNames": {"#n": "n"},
        "ExpressionAttributeValues": {":two": {"N": "2"}},
    }
    request = delete(plain, key, **condition)
    assert refused(CONDITION_FAILED, ddb.delete_item, **request) == "The conditional request failed"
    ddb.put_item(TableName=plain, Item={**key, "n": {"N": "2"}})
    refused(CONDITION_FAILED, ddb.delete_item, **request)
    assert stored(ddb, plain, key) is not None
    ddb.put_item(TableName=plain, Item={**key, "n": {"N": "2.1"}})
    ddb.delete_item(**request)
    assert stored(ddb, plain, key) is None
    ddb.delete_item(**delete(plain, key, ConditionExpression="attribute_not_exists(pk)"))


def test_return_values_on_condition_check_failure(
    raw: Callable[..., Any], ddb: Any, plain: str, key: dict[str, Any]
) -> None:
    """ALL_OLD adds the item that failed the condition, where there is one."""
    request = delete(plain, key, ConditionExpression="n = pk")
    request["ReturnValuesOnConditionCheckFailure"] = "ALL_OLD"
    assert "Item" not in raw("DynamoDB_20120810.DeleteItem", request).json
    ddb.put_item(TableName=plain, Item={**key, "n": {"N": "1"}})
    assert raw("DynamoDB_20120810.DeleteItem", request).json["Item"] == {**key, "n": {"N": "1"}}
    request["ReturnValuesOnConditionCheckFailure"] = "NONE"
    assert "Item" not in raw("DynamoDB_20120810.DeleteItem", request).json


def test_consumed_capacity(ddb: Any, plain: str, key: dict[str, Any]) -> None:
    """A delete costs whole KB of what it deletes, and 1 where there is nothing."""
    fixed = len("pk") + len(key["pk"]["S"]) + len("a")
    for size, units in ((0, 1.0), (1024, 1.0), (1025, 2.0), (0, 1.0)):
        if size:
            ddb.put_item(TableName=plain, Item={**key, "a": {"S": "x" * (size - fixed)}})
        answer = ddb.delete_item(**delete(plain, key, ReturnConsumedCapacity="INDEXES"))
        assert answer["ConsumedCapacity"] == {
            "TableName": plain,
            "CapacityUnits": units,
            "Table": {"CapacityUnits": units},
        }
    assert "ConsumedCapacity" not in ddb.delete_item(**delete(plain, key))


def test_a_table_is_found_by_its_arn(ddb: Any, plain: str, key: dict[str, Any]) -> None:
    """The ARN stands for the name."""
    arn = ddb.describe_table(TableName=plain)["Table"]["TableArn"]
    ddb.put_item(TableName=plain, Item=key)
    assert ddb.delete_item(**delete(arn, key, ReturnValues="ALL_OLD"))["Attributes"] == key
