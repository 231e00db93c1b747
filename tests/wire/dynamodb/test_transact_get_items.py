"""TransactGetItems: types of members, refusals with their texts and order, and what is got."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from wire import wrong_json
from wire.refusal_texts import constraint

TRANSACT = "TransactGetItems"
NONE = {"Code": "None"}
Item = dict[str, Any]


def get(table: str, key: Item | str, **more: Any) -> Item:
    keys = {"pk": {"S": key}} if isinstance(key, str) else key
    return {"Get": {"TableName": table, "Key": keys, **more}}


def transaction(*actions: Item, **more: Any) -> Item:
    return {"TransactItems": list(actions), **more}


# --- serialisation


@pytest.mark.parametrize(
    ("member", "wrong"),
    [("TransactItems", wrong_json.LIST), ("ReturnConsumedCapacity", wrong_json.STRING)],
)
def test_wrong_json_types_of_members(
    unreadable: Callable[..., str], member: str, wrong: wrong_json.Wrong
) -> None:
    """A member of a wrong JSON type is a SerializationException, each with its text."""
    for value, text in wrong:
        assert unreadable(TRANSACT, {member: value}) == text, value


@pytest.mark.parametrize(
    ("member", "wrong"),
    [
        ("TableName", wrong_json.STRING),
        ("Key", wrong_json.ATTRIBUTE_MAP),
        ("ProjectionExpression", wrong_json.STRING),
        ("ExpressionAttributeNames", wrong_json.NAME_MAP),
    ],
)
def test_wrong_json_types_of_an_action(
    unreadable: Callable[..., str], member: str, wrong: wrong_json.Wrong
) -> None:
    """So is a member of an action."""
    for value, text in wrong:
        assert unreadable(TRANSACT, transaction({"Get": {member: value}})) == text, value


def test_wrong_json_types_further_in(unreadable: Callable[..., str]) -> None:
    """So is an action, and the value of a key."""
    for value, text in wrong_json.structure("Get"):
        assert unreadable(TRANSACT, transaction({"Get": value})) == text, value
    for value, text in wrong_json.ATTRIBUTE_VALUE:
        assert unreadable(TRANSACT, transaction(get("abc", {"pk": value}))) == text, value


# --- validation


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({}, constraint(None, "transactItems", "not be null")),
        (
            transaction(),
            constraint("[]", "transactItems", "have length greater than or equal to 1"),
        ),
        (transaction({}), constraint(None, "transactItems.1.member.get", "not be null")),
        (
            transaction({"Get": {"TableName": "abc"}}),
            constraint(None, "transactItems.1.member.get.key", "not be null"),
        ),
        (
            transaction(get("abc", "a"), ReturnConsumedCapacity="x"),
            constraint(
                "x",
                "returnConsumedCapacity",
                "satisfy enum value set: [INDEXES, TOTAL, NONE]",
            ),
        ),
        (
            transaction(get("none", "a"), get("none", "b", ProjectionExpression="a,,")),
            'Invalid ProjectionExpression: Syntax error; token: ",", near: ",,"',
        ),
        (
            transaction(get("none", {"pk": {"N": "x"}})),
            "The parameter cannot be converted to a numeric value: x",
        ),
    ],
)
def test_requests_that_no_table_could_take(
    invalid: Callable[..., str], body: Item, text: str
) -> None:
    """What is wrong without a table refuses the request, whether or not there is a table."""
    assert invalid(TRANSACT, body) == text


def test_more_than_100_actions(invalid: Callable[..., str]) -> None:
    text = invalid(TRANSACT, transaction(*(get("abc", str(n)) for n in range(101))))
    assert text.startswith("1 validation error detected: Value '[TransactGetItem(get=Get(")
    assert text.endswith(
        "' at 'transactItems' failed to satisfy constraint: Member must have length less than or"
        " equal to 100"
    )


def test_tables_that_are_not_there(refused: Callable[..., str], ddb: Any, plain: str) -> None:
    """One is enough, and comes before two actions on one item and before what keys are."""
    actions = [get(plain, "a"), get(plain, "a"), get(plain, {"a": {"S": "b"}}), get("none", "a")]
    text = refused("ResourceNotFoundException", ddb.transact_get_items, TransactItems=actions)
    assert text == "Requested resource not found"


def test_two_actions_on_one_item(invalid: Callable[..., str], plain: str) -> None:
    """Before keys that do not fit."""
    actions = [get(plain, {"a": {"S": "b"}}), get(plain, "a"), get(plain, "a")]
    assert invalid(TRANSACT, transaction(*actions)) == (
        "Transaction request cannot include multiple operations on one item"
    )


def test_keys_that_do_not_fit_cancel(ddb: Any, plain: str) -> None:
    """The first one is told, as the reason of its action (AWS, 2026-04)."""
    wrong = [get(plain, {"a": {"S": "b"}}), get(plain, {"pk": {"N": "1"}})]
    with pytest.raises(ClientError) as caught:
        ddb.transact_get_items(**transaction(get(plain, "a"), *wrong))
    answer: Any = caught.value.response
    assert answer["Error"] == {
        "Code": "TransactionCanceledException",
        "Message": (
            "Transaction cancelled, please refer cancellation reasons for specific reasons [None,"
            " ValidationError, None]"
        ),
    }
    assert answer["CancellationReasons"] == [
        NONE,
        {
            "Code": "ValidationError",
            "Message": "The provided key element does not match the schema",
        },
        NONE,
    ]


def test_empty_keys_and_parts_of_keys(invalid: Callable[..., str], plain: str) -> None:
    """They are errors of the request."""
    assert invalid(TRANSACT, transaction(get(plain, {"a": {"S": "b"}}), get(plain, ""))) == (
        "One or more parameter values are not valid. The AttributeValue for a key attribute cannot"
        " contain an empty string value. Key: pk"
    )
    assert invalid(TRANSACT, transaction(get(plain, "a", ProjectionExpression="pk.a"))) == (
        "Key attributes must be scalars; list random access '[]' and map lookup '.' are not"
        " allowed: Key: pk"
    )


# --- behaviour


def test_items_come_in_the_order_of_the_actions(
    ddb: Any, plain: str, sorted_table: str, key: Item
) -> None:
    """Of several tables, one by its ARN, whole or in part; an absent one has nothing."""
    item = {**key, "a": {"S": "x"}, "b": {"L": [{"N": "1"}, {"N": "2"}]}}
    sorted_item = {**key, "sk": {"N": "1"}, "a": {"S": "y"}}
    sorted_key = {name: sorted_item[name] for name in ("pk", "sk")}
    ddb.put_item(TableName=plain, Item=item)
    ddb.put_item(TableName=sorted_table, Item=sorted_item)
    arn = ddb.describe_table(TableName=sorted_table)["Table"]["TableArn"]
    other = {**sorted_key, "sk": {"N": "2"}}
    answer = ddb.transact_get_items(
        **transaction(
            get(arn, sorted_key, ProjectionExpression="a, nowhere"),
            get(sorted_table, other),
            get(
                plain,
                key,
                ProjectionExpression="#b[1]",
                ExpressionAttributeNames={"#b": "b"},
            ),
        )
    )
    assert answer["Responses"] == [
        {"Item": {"a": {"S": "y"}}},
        {},
        {"Item": {"b": {"L": [{"N": "2"}]}}},
    ]
    assert "ConsumedCapacity" not in answer
    assert ddb.transact_get_items(**transaction(get(plain, key)))["Responses"] == [{"Item": item}]
    none = transaction(get(plain, key, ProjectionExpression="nowhere"))
    assert ddb.transact_get_items(**none)["Responses"] == [{}]


def test_names_that_no_projection_could_use_are_taken(ddb: Any, plain: str, key: Item) -> None:
    """Of a transaction, other than of GetItem (ExtendDB pull request 169, on AWS)."""
    ddb.put_item(TableName=plain, Item=key)
    named = transaction(get(plain, key, ExpressionAttributeNames={"#a": "a"}))
    assert ddb.transact_get_items(**named)["Responses"] == [{"Item": key}]


def test_a_hundred_actions(ddb: Any, plain: str, key: Item) -> None:
    names = [f"{key['pk']['S']}-{n}" for n in range(100)]
    ddb.put_item(TableName=plain, Item={"pk": {"S": names[99]}})
    responses = ddb.transact_get_items(**transaction(*(get(plain, name) for name in names)))
    assert responses["Responses"] == [{}] * 99 + [{"Item": {"pk": {"S": names[99]}}}]


def test_more_than_4_mb(ddb: Any, plain: str, key: Item, invalid: Callable[..., str]) -> None:
    """The items that are read are no more together, whatever is shown of them."""
    names = [f"{key['pk']['S']}-{n:02}" for n in range(11)]
    for name in names:
        ddb.put_item(TableName=plain, Item={"pk": {"S": name}, "v": {"S": "x" * 400_000}})
    gets = [get(plain, name, ProjectionExpression="pk") for name in names]
    assert len(ddb.transact_get_items(**transaction(*gets[:10]))["Responses"]) == 10
    size = 11 * (2 + len(names[0]) + 1 + 400_000)
    assert invalid(TRANSACT, transaction(*gets)) == f"Payload in response is too large.{size}"
    for name in names:
        ddb.delete_item(TableName=plain, Key={"pk": {"S": name}})


def test_consumed_capacity(ddb: Any, plain: str, sorted_table: str, key: Item) -> None:
    """Two units for each 4 KB of each item, also of one that is absent (AWS, 2026-06)."""
    ddb.put_item(TableName=plain, Item={**key, "a": {"S": "x" * 5000}})
    request = transaction(
        get(plain, key), get(plain, "none"), get(sorted_table, {**key, "sk": {"N": "1"}})
    )
    told = {}
    for asked in ("TOTAL", "INDEXES"):
        answer = ddb.transact_get_items(**request, ReturnConsumedCapacity=asked)
        told[asked] = {each["TableName"]: each for each in answer["ConsumedCapacity"]}
    of_plain = {"CapacityUnits": 6.0, "ReadCapacityUnits": 6.0}
    of_sorted = {"CapacityUnits": 2.0, "ReadCapacityUnits": 2.0}
    assert told["TOTAL"] == {
        plain: {"TableName": plain, **of_plain},
        sorted_table: {"TableName": sorted_table, **of_sorted},
    }
    assert told["INDEXES"] == {
        plain: {"TableName": plain, **of_plain, "Table": of_plain},
        sorted_table: {"TableName": sorted_table, **of_sorted, "Table": of_sorted},
    }
