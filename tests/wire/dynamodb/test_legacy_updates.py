"""AttributeUpdates of UpdateItem: refusals, what it makes of an item, what it returns and records.

What each action makes of each type is shown in tests/unit/items/legacy.
"""

from collections.abc import Callable
from typing import Any

import pytest

from wire import wrong_json
from wire.clients import stored
from wire.refusal_texts import constraint

Item = dict[str, Any]
UPDATE = "UpdateItem"
INVALID = "One or more parameter values were invalid: "
DELETE = {"Action": "DELETE"}


def update(table: str, key: Item, updates: Item, **more: Any) -> dict[str, Any]:
    """Return a request that updates one item."""
    return {"TableName": table, "Key": key, "AttributeUpdates": updates, **more}


def put(value: Item) -> Item:
    return {"Action": "PUT", "Value": value}


def add(value: Item) -> Item:
    return {"Action": "ADD", "Value": value}


def take(value: Item) -> Item:
    return {"Action": "DELETE", "Value": value}


# --- serialisation


def test_wrong_json_types(unreadable: Callable[..., str], plain: str) -> None:
    """Every member of an update has its type, and so has its value."""
    wrong = [
        *[(value, text) for value, text in wrong_json.structure("AttributeValueUpdate")],
        *[({"Action": value}, text) for value, text in wrong_json.STRING],
        *[({"Value": value}, text) for value, text in wrong_json.ATTRIBUTE_VALUE],
    ]
    for value, text in wrong:
        assert unreadable(UPDATE, update(plain, {}, {"a": value})) == text, value
    for value, text in wrong_json.map_of(f"{wrong_json.JAVA}AttributeValueUpdate"):
        assert unreadable(UPDATE, update(plain, {}, value)) == text, value


# --- validation


@pytest.mark.parametrize(
    ("updates", "text"),
    [
        (
            {"a": {"Action": "SET"}},
            constraint(
                "SET",
                "attributeUpdates.a.member.action",
                "satisfy enum value set: [ADD, DELETE, PUT]",
            ),
        ),
        (
            {"a": {"Action": "PUT"}},
            f"{INVALID}Only DELETE action is allowed when no attribute value is specified",
        ),
        ({"a": add({"S": "a"})}, f"{INVALID}ADD action is not supported for the type STRING"),
        (
            {"a": take({"N": "1"})},
            f"{INVALID}DELETE action with value is not supported for the type NUMBER",
        ),
        ({"a": put({"NS": []})}, f"{INVALID}An number set  may not be empty"),
        (
            {"a": {"Action": "DELETE", "Value": {}}},
            (
                "Supplied AttributeValue is empty, must contain exactly one of the supported"
                " datatypes"
            ),
        ),
        ({"": put({"S": "a"})}, "Empty attribute name"),
        (
            {"pk": DELETE},
            f"{INVALID}Cannot update attribute pk. This attribute is part of the key",
        ),
        (
            {"a": DELETE, "pk": put({"S": "a"})},
            f"{INVALID}Cannot update attribute pk. This attribute is part of the key",
        ),
    ],
)
def test_updates_that_are_none(
    invalid: Callable[..., str], ddb: Any, plain: str, key: Item, updates: Item, text: str
) -> None:
    """An update that is none is refused, and makes no item."""
    assert invalid(UPDATE, update(plain, key, updates)) == text
    assert stored(ddb, plain, key) is None


def test_both_styles(invalid: Callable[..., str], plain: str) -> None:
    """All parameters of both styles are listed, before any value is judged."""
    request = update(
        plain,
        {"pk": {"N": "x"}},
        {"a": {}},
        Expected={"a": {}},
        ConditionalOperator="OR",
        UpdateExpression="",
        ConditionExpression="",
    )
    assert invalid(UPDATE, request) == (
        "Can not use both expression and non-expression parameters in the same request:"
        " Non-expression parameters: {AttributeUpdates, Expected, ConditionalOperator}"
        " Expression parameters: {UpdateExpression, ConditionExpression}"
    )


def test_the_order_of_refusals(refusal: Callable[..., tuple[str, str]], plain: str) -> None:
    """Of several mistakes the first is told: put right one by one, they come in this order."""
    request = update("no-such-table", {"pk": {"N": "x"}}, {"pk": {}}, Expected={"a": {}})
    told = [refusal(UPDATE, request)[1]]
    for put_right in (
        {"Key": {"pk": {"N": "1"}}},
        {"Expected": {"a": {"Value": {"S": "never"}}}},
        {"AttributeUpdates": {"pk": DELETE}},
        {"TableName": plain},
        {"AttributeUpdates": {"a": DELETE}},
        {"Key": {"pk": {"S": "never there"}}},
    ):
        request |= put_right
        told.append(refusal(UPDATE, request)[1])
    assert told == [
        "The parameter cannot be converted to a numeric value: x",
        f"{INVALID}Value must be provided when Exists is null for Attribute: a",
        f"{INVALID}Only DELETE action is allowed when no attribute value is specified",
        "Requested resource not found",
        f"{INVALID}Cannot update attribute pk. This attribute is part of the key",
        "The provided key element does not match the schema",
        "The conditional request failed",
    ]


# --- behaviour

OLD: Item = {
    "n": {"N": "1"},
    "s": {"SS": ["a", "b"]},
    "l": {"L": [{"S": "x"}]},
    "d": {"S": "gone"},
    "p": {"S": "old"},
    "other": {"BOOL": True},
}
UPDATES: Item = {
    "n": add({"N": "2"}),
    "s": take({"SS": ["a", "z"]}),
    "l": add({"L": [{"N": "1"}]}),
    "d": DELETE,
    "p": {"Value": {"S": "new"}},
    "a.b": put({"NULL": True}),
    "never": DELETE,
}
UPDATED: Item = {
    "n": {"N": "3"},
    "s": {"SS": ["b"]},
    "l": {"L": [{"S": "x"}, {"N": "1"}]},
    "p": {"S": "new"},
    "a.b": {"NULL": True},
}


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ("NONE", None),
        ("ALL_OLD", OLD),
        ("ALL_NEW", {**UPDATED, "other": OLD["other"]}),
        ("UPDATED_OLD", {name: OLD[name] for name in ("n", "s", "l", "d", "p")}),
        ("UPDATED_NEW", UPDATED),
    ],
)
def test_all_actions_at_once_and_what_they_return(
    ddb: Any, plain: str, key: Item, asked: str, told: Item | None
) -> None:
    """What is returned has the key where it is the whole item."""
    ddb.put_item(TableName=plain, Item={**key, **OLD})
    answer = ddb.update_item(**update(plain, key, UPDATES, ReturnValues=asked))
    whole = key if asked.startswith("ALL") else {}
    assert answer.get("Attributes") == (None if told is None else {**told, **whole})
    assert stored(ddb, plain, key) == {**key, **UPDATED, "other": OLD["other"]}


def test_put_and_add_make_an_item(ddb: Any, plain: str, key: Item) -> None:
    """There is nothing to return of what was not there."""
    updates = {"n": add({"N": "2"}), "p": put({"S": "p"}), "d": DELETE, "s": take({"SS": ["a"]})}
    asked = update(plain, key, updates, ReturnValues="UPDATED_OLD")
    assert "Attributes" not in ddb.update_item(**asked)
    assert stored(ddb, plain, key) == {**key, "n": {"N": "2"}, "p": {"S": "p"}}


def test_delete_alone_makes_no_item(ddb: Any, plain: str, key: Item) -> None:
    """Nothing happens, as the developer guide has it; DynamoDB Local makes an item of the key."""
    request = update(plain, key, {"d": DELETE, "s": take({"SS": ["a"]})}, ReturnValues="ALL_NEW")
    assert "Attributes" not in ddb.update_item(**request)
    assert stored(ddb, plain, key) is None


def test_no_updates_make_an_item_of_the_key(ddb: Any, plain: str, key: Item) -> None:
    """An empty AttributeUpdates is as none."""
    assert ddb.update_item(**update(plain, key, {}, ReturnValues="ALL_NEW"))["Attributes"] == key
    assert stored(ddb, plain, key) == key


@pytest.mark.parametrize("given", [add({"N": "1"}), add({"L": []}), take({"SS": ["a"]})])
def test_values_of_another_type_than_the_attribute(
    refused: Callable[..., str], ddb: Any, plain: str, key: Item, given: Item
) -> None:
    """The text is that of the legacy parameter; nothing of the update is done."""
    item = {**key, "a": {"NS": ["1"]}}
    ddb.put_item(TableName=plain, Item=item)
    request = update(plain, key, {"b": put({"S": "b"}), "a": given})
    assert refused("ValidationException", ddb.update_item, **request) == (
        "Type mismatch for attribute to update"
    )
    assert stored(ddb, plain, key) == item


def test_limits_of_items_and_numbers(
    refused: Callable[..., str], ddb: Any, plain: str, key: Item
) -> None:
    """A number beyond its range and an item above 400 KB are refused, as with expressions."""
    ddb.put_item(TableName=plain, Item={**key, "n": {"N": "9" * 38}})
    too_precise = update(plain, key, {"n": add({"N": "0.1"})})
    assert refused("ValidationException", ddb.update_item, **too_precise).startswith(
        "Number overflow."
    )
    too_large = update(plain, key, {"a": put({"S": "x" * 409_600})})
    assert refused("ValidationException", ddb.update_item, **too_large) == (
        "Item size to update has exceeded the maximum allowed size"
    )


def test_an_update_is_recorded_where_it_changes_something(
    ddb: Any, new_table: Callable[..., str], read_stream: Callable[[str], list[Item]]
) -> None:
    """An update to what is there already leaves no record."""
    table = new_table(view_type="NEW_AND_OLD_IMAGES")
    key = {"pk": {"S": "a"}}
    for updates in ({"n": add({"N": "1"})}, {"n": put({"N": "1"})}, {"n": DELETE, "m": DELETE}):
        ddb.update_item(**update(table, key, updates))
    told = [(each["eventName"], each["dynamodb"]) for each in read_stream(table)]
    images = [(name, data.get("OldImage"), data.get("NewImage")) for name, data in told]
    assert images == [
        ("INSERT", None, {**key, "n": {"N": "1"}}),
        ("MODIFY", {**key, "n": {"N": "1"}}, key),
    ]
