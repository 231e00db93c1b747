"""Expected and ConditionalOperator of the three writes of one item, and the leases of the KCL.

What each operator says of each type is shown in tests/unit/items/legacy.
"""

from collections.abc import Callable
from typing import Any

import pytest

from wire import wrong_json
from wire.clients import stored
from wire.refusal_texts import constraint

Item = dict[str, Any]
CONDITION_FAILED = "ConditionalCheckFailedException"
WRITES = ["PutItem", "UpdateItem", "DeleteItem"]
OPERATORS = (
    "satisfy enum value set: [IN, NULL, BETWEEN, LT, NOT_CONTAINS, EQ, GT, NOT_NULL, NE, LE,"
    " BEGINS_WITH, GE, CONTAINS]"
)
INVALID = "One or more parameter values were invalid: "


def write(action: str, table: str, key: Item, **more: Any) -> dict[str, Any]:
    """Return a request of one of the three actions that writes the item of a key."""
    return {"TableName": table, "Item" if action == "PutItem" else "Key": key, **more}


# --- serialisation


@pytest.mark.parametrize("action", WRITES)
def test_wrong_json_types(unreadable: Callable[..., str], plain: str, action: str) -> None:
    """Every member of an expectation has its type, and so has every value in it."""
    wrong = [
        *[(value, text) for value, text in wrong_json.structure("ExpectedAttributeValue")],
        *[({"Exists": value}, text) for value, text in wrong_json.BOOLEAN],
        *[({"ComparisonOperator": value}, text) for value, text in wrong_json.STRING],
        *[({"AttributeValueList": value}, text) for value, text in wrong_json.LIST],
        *[({"Value": value}, text) for value, text in wrong_json.ATTRIBUTE_VALUE],
        *[({"AttributeValueList": [value]}, text) for value, text in wrong_json.ATTRIBUTE_VALUE],
    ]
    for value, text in wrong:
        assert unreadable(action, write(action, plain, {}, Expected={"a": value})) == text, value


# --- validation


@pytest.mark.parametrize("action", WRITES)
def test_constraints(invalid: Callable[..., str], plain: str, key: Item, action: str) -> None:
    """The enumerations in the order of AWS, and lists without null."""

    def refused(**more: Any) -> str:
        return invalid(action, write(action, plain, key, **more))

    assert refused(ConditionalOperator="and") == constraint(
        "and", "conditionalOperator", "satisfy enum value set: [OR, AND]"
    )
    assert refused(Expected={"a": {"ComparisonOperator": "="}}) == constraint(
        "=", "expected.a.member.comparisonOperator", OPERATORS
    )
    assert refused(
        Expected={"a": {"ComparisonOperator": "EQ", "AttributeValueList": [{"S": "a"}, None]}}
    ) == constraint(
        "[com.amazonaws.dynamodb.v20120810.AttributeValue, null]",
        "expected.a.member.attributeValueList",
        "satisfy constraint: [Member must not be null]",
    )


@pytest.mark.parametrize("action", WRITES)
@pytest.mark.parametrize(
    ("more", "text"),
    [
        (
            {"Expected": {"a": {}}},
            f"{INVALID}Value must be provided when Exists is null for Attribute: a",
        ),
        (
            {"Expected": {"a": {"Exists": True}}},
            f"{INVALID}Value must be provided when Exists is true for Attribute: a",
        ),
        (
            {"Expected": {"a": {"Exists": False, "Value": {"S": "a"}}}},
            f"{INVALID}Value cannot be used when Exists is false for Attribute: a",
        ),
        (
            {"Expected": {"a": {"ComparisonOperator": "LE", "Value": {"L": []}}}},
            f"{INVALID}ComparisonOperator LE is not valid for L AttributeValue type",
        ),
        (
            {"Expected": {"a": {"Value": {"SS": []}}}},
            f"{INVALID}An string set  may not be empty",
        ),
        (
            {"ConditionalOperator": "AND"},
            "ConditionalOperator cannot be used without Filter or Expected",
        ),
        (
            {"ConditionalOperator": "OR", "Expected": {"a": {"Exists": False}}},
            "ConditionalOperator can only be used when Filter or Expected has two or more elements",
        ),
        (
            {"Expected": {"a": {"Exists": False}}, "ExpressionAttributeNames": {"#a": "a"}},
            "ExpressionAttributeNames can only be specified when using expressions",
        ),
    ],
)
def test_conditions_that_are_none(
    invalid: Callable[..., str],
    ddb: Any,
    plain: str,
    key: Item,
    action: str,
    more: dict[str, Any],
    text: str,
) -> None:
    """A condition that is none is refused before anything is written."""
    assert invalid(action, write(action, plain, key, **more)) == text
    assert stored(ddb, plain, key) is None


@pytest.mark.parametrize("action", WRITES)
def test_both_styles(invalid: Callable[..., str], plain: str, action: str) -> None:
    """Both styles in one request are told before any value is judged, wherever they stand.

    DynamoDB Local judges what is in Expected first.
    """
    mixed = {"Expected": {"a": {}}, "ConditionalOperator": "OR", "ConditionExpression": "(("}
    assert invalid(action, write(action, plain, {"pk": {"N": "x"}}, **mixed)) == (
        "Can not use both expression and non-expression parameters in the same request:"
        " Non-expression parameters: {Expected, ConditionalOperator}"
        " Expression parameters: {ConditionExpression}"
    )


@pytest.mark.parametrize("action", WRITES)
def test_the_order_of_refusals(
    refusal: Callable[..., tuple[str, str]], plain: str, action: str
) -> None:
    """Of several mistakes the first is told: put right one by one, they come in this order."""
    member = "Item" if action == "PutItem" else "Key"
    request = write(
        action,
        "no-such-table",
        {"pk": {"N": "x"}},
        Expected={"pk": {"ComparisonOperator": "="}},
        ConditionExpression="(",
    )
    told = [refusal(action, request)[1]]
    put_right: list[dict[str, Any]] = [
        {"Expected": {"pk": {"Exists": True}}},
        {"ConditionExpression": None},
        {member: {"pk": {"N": "1"}}},
        {"Expected": {"pk": {"Exists": True, "Value": {"S": "never"}}}},
        {"TableName": plain},
        {member: {"pk": {"S": "never there"}}},
    ]
    for each in put_right:
        request |= each
        told.append(refusal(action, request)[1])
    assert [text.split(":")[0] for text in told[:-2]] == [
        "1 validation error detected",
        "Can not use both expression and non-expression parameters in the same request",
        "The parameter cannot be converted to a numeric value",
        "One or more parameter values were invalid",
        "Requested resource not found",
    ]
    assert told[-1] == "The conditional request failed"


# --- behaviour


@pytest.mark.parametrize("action", WRITES)
def test_a_write_is_done_where_its_expectation_holds(
    refusal: Callable[..., tuple[str, str]],
    raw: Callable[..., Any],
    ddb: Any,
    plain: str,
    key: Item,
    action: str,
) -> None:
    """What is expected of an item, and of none; a refused write changes nothing."""
    item = {**key, "n": {"N": "5"}, "s": {"S": "text"}}
    expects = [
        ({"n": {"Value": {"N": "5.0"}}}, True),
        ({"n": {"Value": {"N": "6"}}}, False),
        ({"n": {"Value": {"N": "5"}, "Exists": True}, "x": {"Exists": False}}, True),
        ({"n": {"Value": {"N": "5"}}, "s": {"Exists": False}}, False),
        ({"s": {"ComparisonOperator": "BEGINS_WITH", "AttributeValueList": [{"S": "te"}]}}, True),
        ({"pk": {"Exists": False}}, False),
        ({"pk": {"ComparisonOperator": "NOT_NULL"}}, True),
        ({}, True),
    ]
    for expected, holds in expects:
        ddb.put_item(TableName=plain, Item=item)
        request = write(action, plain, key, Expected=expected)
        if holds:
            assert raw(f"DynamoDB_20120810.{action}", request).status == 200, expected
        else:
            assert refusal(action, request) == (CONDITION_FAILED, "The conditional request failed")
            assert stored(ddb, plain, key) == item


def test_an_absent_item_has_no_attributes(
    refused: Callable[..., str], ddb: Any, plain: str, key: Item
) -> None:
    """Exists false holds of an item that is not there: put if absent."""
    only_new = {"TableName": plain, "Item": key, "Expected": {"pk": {"Exists": False}}}
    ddb.put_item(**only_new)
    refused(CONDITION_FAILED, ddb.put_item, **only_new)


def test_or_needs_one_and_and_needs_all(
    refused: Callable[..., str], ddb: Any, plain: str, key: Item
) -> None:
    """Without ConditionalOperator all expectations have to hold."""
    ddb.put_item(TableName=plain, Item={**key, "n": {"N": "5"}})
    request = {
        "TableName": plain,
        "Key": key,
        "Expected": {"n": {"Value": {"N": "5"}}, "x": {"Value": {"N": "5"}}},
    }
    refused(CONDITION_FAILED, ddb.delete_item, **request)
    refused(CONDITION_FAILED, ddb.delete_item, **request, ConditionalOperator="AND")
    ddb.delete_item(**request, ConditionalOperator="OR")
    assert stored(ddb, plain, key) is None


@pytest.mark.parametrize("action", WRITES)
def test_the_item_of_a_failed_expectation(
    raw: Callable[..., Any], ddb: Any, plain: str, key: Item, action: str
) -> None:
    """ALL_OLD adds the item that failed it, where there is one."""
    request = write(action, plain, key, Expected={"n": {"Value": {"N": "1"}}})
    request["ReturnValuesOnConditionCheckFailure"] = "ALL_OLD"
    target = f"DynamoDB_20120810.{action}"
    assert "Item" not in raw(target, request).json
    ddb.put_item(TableName=plain, Item={**key, "n": {"N": "2"}})
    assert raw(target, request).json["Item"] == {**key, "n": {"N": "2"}}


def text(value: str) -> Item:
    return {"S": value}


ABSENT: Item = {"Exists": False}
COUNTED: Item = {"leaseCounter": {"Action": "ADD", "Value": {"N": "1"}}}
NEW_LEASE: Item = {"leaseCounter": {"N": "0"}, "checkpoint": text("TRIM_HORIZON")}


@pytest.fixture
def lease_update(raw: Callable[..., Any], plain: str, key: Item) -> Callable[..., Any]:
    """Update the lease of `key` as the Kinesis Client Library does: `lease_update(what, where)`."""

    def send(updates: Item, expected: Item, returned: str = "ALL_NEW") -> Any:
        request = {
            "TableName": plain,
            "Key": key,
            "AttributeUpdates": updates,
            "Expected": expected,
            "ReturnValues": returned,
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
        return raw("DynamoDB_20120810.UpdateItem", request).json

    return send


def failed_with(answer: Any) -> Any:
    """Return the item that is told with a failed condition."""
    assert answer["__type"].endswith(CONDITION_FAILED)
    return answer["Item"]


def test_a_lease_is_made_once_and_taken_once(
    refused: Callable[..., str],
    ddb: Any,
    plain: str,
    key: Item,
    lease_update: Callable[..., Any],
) -> None:
    """Who comes too late is told the lease as it is."""
    create = {"TableName": plain, "Item": {**key, **NEW_LEASE}, "Expected": {"pk": ABSENT}}
    ddb.put_item(**create)
    refused(CONDITION_FAILED, ddb.put_item, **create)
    take = {
        "leaseOwner": {"Action": "PUT", "Value": text("one")},
        "checkpointOwner": {"Action": "DELETE"},
        "ownerSwitchesSinceCheckpoint": {"Action": "ADD", "Value": {"N": "1"}},
        **COUNTED,
    }
    free = {"leaseOwner": ABSENT, "pk": {"Value": key["pk"]}}
    taken = {
        **key,
        **NEW_LEASE,
        "leaseCounter": {"N": "1"},
        "leaseOwner": text("one"),
        "ownerSwitchesSinceCheckpoint": {"N": "1"},
    }
    assert lease_update(take, free) == {"Attributes": taken}
    assert failed_with(lease_update(take, free)) == taken


def test_a_lease_is_renewed_until_it_is_handed_over(
    ddb: Any, plain: str, key: Item, lease_update: Callable[..., Any]
) -> None:
    """A worker renews by the counter that it saw last, while nobody else is to have the lease."""
    ddb.put_item(TableName=plain, Item={**key, **NEW_LEASE, "leaseOwner": text("one")})
    renew = {**COUNTED, "throughputKBps": {"Action": "PUT", "Value": {"N": "1.5"}}}
    held = {"leaseCounter": {"Value": {"N": "0"}}, "checkpointOwner": ABSENT}
    assert lease_update(renew, held, "UPDATED_NEW") == {
        "Attributes": {"leaseCounter": {"N": "1"}, "throughputKBps": {"N": "1.5"}}
    }
    assert failed_with(lease_update(renew, held))["leaseCounter"] == {"N": "1"}
    hand_over = {
        "checkpointOwner": {"Action": "PUT", "Value": text("one")},
        "leaseOwner": {"Action": "PUT", "Value": text("two")},
    }
    owned = {"leaseOwner": {"Value": text("one")}, "checkpointOwner": ABSENT}
    assert lease_update(hand_over, owned)["Attributes"]["leaseOwner"] == text("two")
    seen = {"leaseCounter": {"Value": {"N": "1"}}, "checkpointOwner": ABSENT}
    assert failed_with(lease_update(renew, seen))["checkpointOwner"] == text("one")


def test_the_last_checkpoint_of_a_lease(
    ddb: Any, plain: str, key: Item, lease_update: Callable[..., Any]
) -> None:
    """Attributes are put and deleted in one update; what is deleted need not be there."""
    ddb.put_item(TableName=plain, Item={**key, **NEW_LEASE, "leaseOwner": text("one")})
    checkpoint = {
        "checkpoint": {"Action": "PUT", "Value": text("SHARD_END")},
        "childShardIds": {"Action": "PUT", "Value": {"SS": ["shardId-3", "shardId-2"]}},
        "ownerSwitchesSinceCheckpoint": {"Action": "PUT", "Value": {"N": "0"}},
        "pendingCheckpoint": {"Action": "DELETE"},
        "leaseOwner": {"Action": "DELETE"},
    }
    counted = {"leaseCounter": {"Value": {"N": "0"}}}
    assert lease_update(checkpoint, counted, "NONE") == {}
    assert stored(ddb, plain, key) == {
        **key,
        "leaseCounter": {"N": "0"},
        "checkpoint": text("SHARD_END"),
        "childShardIds": {"SS": ["shardId-2", "shardId-3"]},
        "ownerSwitchesSinceCheckpoint": {"N": "0"},
    }


def test_an_expectation_alone_makes_a_lease_of_none(
    refused: Callable[..., str], ddb: Any, plain: str, key: Item
) -> None:
    """Exists false is true of an absent item; only an expected key keeps an update from making it,
    which is why the library adds one.
    """
    request = {
        "TableName": plain,
        "Key": key,
        "AttributeUpdates": {"leaseOwner": {"Action": "PUT", "Value": text("one")}},
    }
    only_free = {"leaseOwner": {"Exists": False}}
    with_key = {**only_free, "pk": {"Value": key["pk"]}}
    refused(CONDITION_FAILED, ddb.update_item, **request, Expected=with_key)
    ddb.update_item(**request, Expected=only_free)
    assert stored(ddb, plain, key) == {**key, "leaseOwner": text("one")}
