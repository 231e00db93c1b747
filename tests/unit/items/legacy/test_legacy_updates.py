"""AttributeUpdates: what each action makes of each type, and which updates are none."""

from typing import Any

import pytest

from penstock.base.errors.api import ApiError
from penstock.items.expressions import Update
from penstock.items.keys import KeyAttribute, KeySchema
from penstock.items.legacy import Parameters

UPDATES = Parameters(
    ("UpdateExpression", "ConditionExpression"),
    ("AttributeUpdates", "Expected", "ConditionalOperator"),
)
KEY = {"pk": {"S": "k"}}
INVALID = "One or more parameter values were invalid: "
VALUES: dict[str, dict[str, Any]] = {
    "STRING": {"S": "b"},
    "NUMBER": {"N": "5"},
    "BINARY": {"B": "YmI="},
    "STRING_SET": {"SS": ["b", "a"]},
    "NUMBER_SET": {"NS": ["5", "1"]},
    "BINARY_SET": {"BS": ["YmI="]},
    "LIST": {"L": [{"S": "b"}]},
    "MAP": {"M": {"x": {"N": "5"}}},
    "BOOLEAN": {"BOOL": True},
    "NULL": {"NULL": True},
}
SETS = {"STRING_SET", "NUMBER_SET", "BINARY_SET"}
ADDABLE = SETS | {"NUMBER", "LIST"}


def update(**updates: Any) -> Update:
    found = UPDATES.prepare({"AttributeUpdates": updates}).update
    assert found is not None
    return found


def changed(old: dict[str, Any] | None, **updates: Any) -> dict[str, Any]:
    """Return the item without its key after an update."""
    item = update(**updates).apply(None if old is None else KEY | old, KEY).new
    assert item["pk"] == KEY["pk"]
    return {name: value for name, value in item.items() if name != "pk"}


def refusal(**request: Any) -> str | None:
    with pytest.raises(ApiError) as refused:
        UPDATES.prepare(request)
    assert refused.value.code == "ValidationException"
    return refused.value.message


@pytest.mark.parametrize("kind", VALUES)
def test_put_replaces_whatever_is_there(kind: str) -> None:
    """PUT is also meant where no action is given; values arrive canonical."""
    value = {k: sorted(v) if kind in SETS else v for k, v in VALUES[kind].items()}
    for action in ({}, {"Action": "PUT"}):
        before: list[Any] = [None, {}, {"a": {"S": "old"}}, {"a": {"L": []}}]
        for old in before:
            assert changed(old, a={"Value": VALUES[kind], **action}) == {"a": value}


@pytest.mark.parametrize(
    ("old", "given", "new"),
    [
        ({"N": "5"}, {"N": "-7.50"}, {"N": "-2.5"}),
        ({"SS": ["a", "c"]}, {"SS": ["b", "a"]}, {"SS": ["a", "b", "c"]}),
        ({"NS": ["2"]}, {"NS": ["10", "2.0"]}, {"NS": ["2", "10"]}),
        ({"BS": ["YmI="]}, {"BS": ["YQ=="]}, {"BS": ["YQ==", "YmI="]}),
        (
            {"L": [{"S": "b"}]},
            {"L": [{"S": "b"}, {"N": "1"}]},
            {"L": [{"S": "b"}] * 2 + [{"N": "1"}]},
        ),
        (None, {"N": "3"}, {"N": "3"}),
        (None, {"SS": ["b", "a"]}, {"SS": ["a", "b"]}),
        (None, {"L": [{"S": "b"}]}, {"L": [{"S": "b"}]}),
    ],
)
def test_add_sums_unites_and_appends(old: Any, given: Any, new: Any) -> None:
    """A list is appended to, which an expression's ADD cannot do; what is absent is as given."""
    before = {} if old is None else {"a": old}
    assert changed(before, a={"Action": "ADD", "Value": given}) == {"a": new}
    if old is None:
        assert changed(None, a={"Action": "ADD", "Value": given}) == {"a": new}


@pytest.mark.parametrize(
    ("old", "given", "new"),
    [
        ({"SS": ["a", "b", "c"]}, {"SS": ["c", "a", "x"]}, {"a": {"SS": ["b"]}}),
        ({"NS": ["1", "2"]}, {"NS": ["2.0"]}, {"a": {"NS": ["1"]}}),
        ({"BS": ["YmI="]}, {"BS": ["YmI="]}, {}),
        (None, {"SS": ["a"]}, {}),
    ],
)
def test_delete_takes_members_out_of_sets(old: Any, given: Any, new: Any) -> None:
    """A set without members goes."""
    before = {} if old is None else {"a": old}
    assert changed(before, a={"Action": "DELETE", "Value": given}) == new


def test_delete_without_a_value_takes_the_attribute() -> None:
    assert changed({"a": {"L": []}, "b": {"S": "b"}}, a={"Action": "DELETE"}) == {"b": {"S": "b"}}
    assert changed({"b": {"S": "b"}}, a={"Action": "DELETE"}) == {"b": {"S": "b"}}


@pytest.mark.parametrize("action", ["ADD", "DELETE"])
def test_values_of_other_types_than_the_attribute(action: str) -> None:
    """Every other type is a mismatch, with a text that expressions do not have."""
    for given_kind in ADDABLE if action == "ADD" else SETS:
        updating = update(a={"Action": action, "Value": VALUES[given_kind]})
        for kind, value in VALUES.items():
            if kind == given_kind:
                continue
            with pytest.raises(ApiError) as refused:
                updating.apply(KEY | {"a": value}, KEY)
            assert refused.value.message == "Type mismatch for attribute to update"


@pytest.mark.parametrize("kind", VALUES)
def test_values_that_an_action_cannot_take(kind: str) -> None:
    """The types are told by their long names (dynamodb-document-js-sdk issue 20 quotes AWS)."""
    for action, accepted, words in (
        ("ADD", ADDABLE, "ADD action"),
        ("DELETE", SETS, "DELETE action with value"),
    ):
        request = {"AttributeUpdates": {"a": {"Action": action, "Value": VALUES[kind]}}}
        if kind in accepted:
            assert UPDATES.prepare(request).update is not None
        else:
            assert refusal(**request) == f"{INVALID}{words} is not supported for the type {kind}"


@pytest.mark.parametrize("given", [{}, {"Action": "PUT"}, {"Action": "ADD"}])
def test_only_delete_goes_without_a_value(given: dict[str, Any]) -> None:
    assert refusal(AttributeUpdates={"a": given}) == (
        f"{INVALID}Only DELETE action is allowed when no attribute value is specified"
    )


def test_mistakes_are_told_in_the_order_of_the_request() -> None:
    """Each attribute is judged whole: name, value, action; Expected comes before all."""
    no_value, no_number = {"Action": "ADD"}, {"Value": {"N": "x"}}
    assert refusal(AttributeUpdates={"": no_value}) == "Empty attribute name"
    assert (refusal(AttributeUpdates={"a": no_value, "b": no_number}) or "").startswith(INVALID)
    assert refusal(AttributeUpdates={"b": no_number, "a": no_value}) == (
        "The parameter cannot be converted to a numeric value: x"
    )
    assert refusal(AttributeUpdates={"b": no_number}, Expected={"c": {}}) == (
        f"{INVALID}Value must be provided when Exists is null for Attribute: c"
    )


def test_which_updates_make_an_item() -> None:
    """PUT and ADD do; DELETE alone has nothing to delete it from (developer guide)."""
    delete = {"Action": "DELETE"}
    from_set = {"Action": "DELETE", "Value": {"SS": ["a"]}}
    assert not update(a=delete, b=from_set).creates(None)
    assert update(a=delete).creates(KEY)
    assert update(a=delete, b={"Value": {"N": "1"}}).creates(None)
    assert update(a=delete, b={"Action": "ADD", "Value": {"N": "1"}}).creates(None)
    assert UPDATES.prepare({"AttributeUpdates": {}}).update is None


def test_keys_are_not_updated() -> None:
    schema = KeySchema((KeyAttribute("pk", "S"),), (KeyAttribute("sk", "N"),))
    for given in ({"Action": "DELETE"}, {"Value": {"S": "k"}}):
        with pytest.raises(ApiError) as refused:
            update(a={"Action": "DELETE"}, sk=given).check_keys(schema)
        assert refused.value.message == (
            f"{INVALID}Cannot update attribute sk. This attribute is part of the key"
        )
    update(a={"Action": "DELETE"}).check_keys(schema)


def test_what_was_and_what_is_updated() -> None:
    """UPDATED_OLD and UPDATED_NEW tell only the attributes that are named, whole."""
    old: dict[str, Any] = KEY | {
        "n": {"N": "1"},
        "s": {"SS": ["a", "b"]},
        "d": {"S": "d"},
        "other": {"S": "o"},
    }
    updated = update(
        n={"Action": "ADD", "Value": {"N": "2"}},
        s={"Action": "DELETE", "Value": {"SS": ["a"]}},
        d={"Action": "DELETE"},
        new={"Value": {"S": "new"}},
        never={"Action": "DELETE"},
    ).apply(old, KEY)
    assert updated.updated_old(old) == {name: old[name] for name in ("n", "s", "d")}
    assert updated.updated_new() == {"n": {"N": "3"}, "s": {"SS": ["b"]}, "new": {"S": "new"}}
