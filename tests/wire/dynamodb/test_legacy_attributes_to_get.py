"""AttributesToGet of GetItem and BatchGetItem: refusals, and what is told of an item."""

from collections.abc import Callable
from typing import Any

import pytest

from wire import wrong_json
from wire.refusal_texts import constraint

Item = dict[str, Any]
ITEM: Item = {
    "a": {"S": "a"},
    "m": {"M": {"x": {"N": "1"}}},
    "m.x": {"S": "a dot in a name"},
    "size": {"N": "2"},
}


def body(action: str, table: str, *keys: Item, **more: Any) -> dict[str, Any]:
    """Return a request for the items of keys, of one table."""
    if action == "GetItem":
        return {"TableName": table, "Key": keys[0], **more}
    return {"RequestItems": {table: {"Keys": list(keys), **more}}}


def test_wrong_json_types(unreadable: Callable[..., str], plain: str, key: Item) -> None:
    """It is a list of texts, for a batch too."""
    for value, text in wrong_json.LIST:
        request = body("BatchGetItem", plain, key, AttributesToGet=value)
        assert unreadable("BatchGetItem", request) == text, value
    for value, text in wrong_json.STRING:
        for action in ("GetItem", "BatchGetItem"):
            assert unreadable(action, body(action, plain, key, AttributesToGet=[value])) == text


@pytest.mark.parametrize("action", ["GetItem", "BatchGetItem"])
def test_refusals(invalid: Callable[..., str], plain: str, key: Item, action: str) -> None:
    """Names that are no names, and both styles, which come before what a key is wrong in."""

    def refused(key: Item, **more: Any) -> str:
        return invalid(action, body(action, plain, key, **more))

    path = "" if action == "GetItem" else f"requestItems.{plain}.member."
    assert refused(key, AttributesToGet=[]) == constraint(
        "[]", f"{path}attributesToGet", "have length greater than or equal to 1"
    )
    assert refused(key, AttributesToGet=["a", "b", "b", "a"]) == (
        "One or more parameter values were invalid: Duplicate value in attribute name: b"
    )
    assert refused(key, AttributesToGet=[""]) == "Empty attribute name"
    assert refused(key, AttributesToGet=["a"], ExpressionAttributeNames={"#a": "a"}) == (
        "ExpressionAttributeNames can only be specified when using expressions"
    )
    wrong_key = {"pk": {"N": "x"}}
    assert refused(wrong_key, AttributesToGet=["a", "a"], ProjectionExpression="(") == (
        "Can not use both expression and non-expression parameters in the same request:"
        " Non-expression parameters: {AttributesToGet} Expression parameters:"
        " {ProjectionExpression}"
    )
    assert refused(wrong_key, AttributesToGet=["a", "a"]) == (
        "The parameter cannot be converted to a numeric value: x"
    )


def test_a_batch_has_one_style_for_all_its_tables(invalid: Callable[..., str]) -> None:
    """Also where each table has its own (dynoxide 0.11.3, on AWS)."""
    keys = {"Keys": [{"pk": {"S": "a"}}]}
    asked = {
        "abc": {**keys, "ProjectionExpression": "a"},
        "def": {**keys, "AttributesToGet": ["a"]},
    }
    assert invalid("BatchGetItem", {"RequestItems": asked}) == (
        "Can not use both expression and non-expression parameters in the same request:"
        " Non-expression parameters: {AttributesToGet} Expression parameters:"
        " {ProjectionExpression}"
    )


@pytest.mark.parametrize(
    ("names", "told"),
    [
        (["a"], ["a"]),
        (["m"], ["m"]),
        (["m.x", "m.y"], ["m.x"]),
        (["size", "pk"], ["size", "pk"]),
        (["never", "a[0]"], []),
    ],
)
def test_whole_attributes_are_told_by_their_names(
    ddb: Any, plain: str, key: Item, names: list[str], told: list[str]
) -> None:
    """A dot is part of a name, and so is a reserved word; an item without any of them is empty."""
    item = {**ITEM, **key}
    ddb.put_item(TableName=plain, Item=item)
    shown = {name: item[name] for name in told}
    request = body("GetItem", plain, key, AttributesToGet=names)
    assert ddb.get_item(**request)["Item"] == shown
    request = body("BatchGetItem", plain, key, AttributesToGet=names)
    assert ddb.batch_get_item(**request)["Responses"] == {plain: [shown]}


def test_an_absent_item_has_nothing_to_tell(ddb: Any, plain: str, key: Item) -> None:
    assert "Item" not in ddb.get_item(**body("GetItem", plain, key, AttributesToGet=["a"]))
    request = body("BatchGetItem", plain, key, AttributesToGet=["a"])
    assert ddb.batch_get_item(**request)["Responses"] == {plain: []}
