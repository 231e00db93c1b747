"""Placeholders are checked against the request: their form, what they stand for, and their use."""

from typing import Any

import pytest

from penstock.base.errors.api import ApiError
from penstock.items.expressions import Prepared, prepare

NAMES = "ExpressionAttributeNames"
VALUES = "ExpressionAttributeValues"


def refusal_of(request: dict[str, Any], *kinds: str) -> str | None:
    with pytest.raises(ApiError) as refused:
        prepare(request, kinds)
    assert refused.value.code == "ValidationException"
    return refused.value.message


def test_a_request_without_expressions_and_placeholders_is_prepared_to_nothing() -> None:
    assert prepare({"Item": {}}, ("ConditionExpression",)) == Prepared()


def test_names_need_an_expression() -> None:
    message = refusal_of({NAMES: {"#a": "a"}}, "ConditionExpression")
    assert message == f"{NAMES} can only be specified when using expressions"


@pytest.mark.parametrize(
    ("kinds", "missing"),
    [
        (("ConditionExpression",), "ConditionExpression is null"),
        (("FilterExpression", "ProjectionExpression"), "FilterExpression is null"),
        (
            ("UpdateExpression", "ConditionExpression"),
            "UpdateExpression and ConditionExpression are null",
        ),
        (
            ("FilterExpression", "ProjectionExpression", "KeyConditionExpression"),
            "FilterExpression and KeyConditionExpression are null",
        ),
    ],
)
def test_values_need_an_expression_that_can_use_them(kinds: tuple[str, ...], missing: str) -> None:
    message = f"{VALUES} can only be specified when using expressions: {missing}"
    assert refusal_of({VALUES: {":v": {"S": "x"}}}, *kinds) == message
    if "ProjectionExpression" in kinds:
        request = {VALUES: {":v": {"S": "x"}}, "ProjectionExpression": "a"}
        assert refusal_of(request, *kinds) == message


@pytest.mark.parametrize("member", [NAMES, VALUES])
def test_a_map_of_placeholders_is_not_empty(member: str) -> None:
    request = {member: {}, "ConditionExpression": "a = b"}
    assert refusal_of(request, "ConditionExpression") == f"{member} must not be empty"


@pytest.mark.parametrize("key", ["a", "#", "#a-b", "##a", "#a.b", "#é", ":a", "#a "])
def test_a_name_placeholder_is_a_number_sign_and_letters_digits_or_underscores(key: str) -> None:
    request = {NAMES: {key: "a"}, "ConditionExpression": "a = b"}
    message = f'{NAMES} contains invalid key: Syntax error; key: "{key}"'
    assert refusal_of(request, "ConditionExpression") == message


@pytest.mark.parametrize("key", ["v", ":", ":a-b", "::v", "#v"])
def test_a_value_placeholder_is_a_colon_and_letters_digits_or_underscores(key: str) -> None:
    request = {VALUES: {key: {"S": "x"}}, "ConditionExpression": "a = b"}
    message = f'{VALUES} contains invalid key: Syntax error; key: "{key}"'
    assert refusal_of(request, "ConditionExpression") == message


def test_a_placeholder_has_at_most_255_bytes_and_its_length_is_judged_first() -> None:
    long = "#" + "-" * 255
    request = {NAMES: {long: "a"}, "ConditionExpression": "a = b"}
    assert refusal_of(request, "ConditionExpression") == (
        f"{NAMES} contains invalid key: The expression attribute map contains a key that is too"
        " long;"
    )
    longest = "#" + "a" * 254
    fine = {NAMES: {longest: "a"}, "ConditionExpression": f"{longest} = b"}
    assert prepare(fine, ("ConditionExpression",)).condition is not None


@pytest.mark.parametrize("member", [NAMES, VALUES])
def test_an_empty_placeholder_has_a_text_of_its_own(member: str) -> None:
    request = {member: {"": "a"}, "ConditionExpression": "a = b"}
    assert refusal_of(request, "ConditionExpression") == (
        f"{member} contains invalid key: The expression attribute map contains an empty key;"
    )


def test_all_placeholders_are_judged_before_what_they_stand_for() -> None:
    """As DynamoDB Local does, and as ExtendDB pull request 201 says of AWS."""
    request: dict[str, Any] = {"ConditionExpression": "a = b"}
    assert refusal_of(request | {NAMES: {"#a": "", "b": "x"}}, "ConditionExpression") == (
        f'{NAMES} contains invalid key: Syntax error; key: "b"'
    )
    values = {":a": {"N": "x"}, "b": {"S": "x"}}
    assert refusal_of(request | {VALUES: values}, "ConditionExpression") == (
        f'{VALUES} contains invalid key: Syntax error; key: "b"'
    )


def test_placeholders_of_digits_and_underscores_are_fine() -> None:
    request = {
        "ConditionExpression": "#0 = :0 AND #_a = :_a",
        NAMES: {"#0": "a", "#_a": "b"},
        VALUES: {":0": {"S": "x"}, ":_a": {"S": "y"}},
    }
    condition = prepare(request, ("ConditionExpression",)).condition
    assert condition is not None
    assert condition.holds({"a": {"S": "x"}, "b": {"S": "y"}})


def test_an_attribute_name_is_neither_empty_nor_above_64_kb() -> None:
    request = {NAMES: {"#a": ""}, "ConditionExpression": "#a = b"}
    message = f"{NAMES} contains invalid value: Empty attribute name for key #a"
    assert refusal_of(request, "ConditionExpression") == message
    request[NAMES] = {"#a": "é" * 32768}
    assert refusal_of(request, "ConditionExpression") == (
        "1 validation error detected: Attribute name is too large, must be less than 65536 bytes"
    )
    request[NAMES] = {"#a": "a" * 65535}
    assert prepare(request, ("ConditionExpression",)).condition is not None


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        ({"N": "x"}, "The parameter cannot be converted to a numeric value: x"),
        ({"SS": []}, "One or more parameter values were invalid: An string set  may not be empty"),
        (
            {},
            "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes",
        ),
    ],
)
def test_a_value_is_checked_even_where_nothing_uses_it(raw: dict[str, Any], why: str) -> None:
    request = {VALUES: {":v": raw}, "ConditionExpression": "a = b"}
    message = f"{VALUES} contains invalid value: {why} for key :v"
    assert refusal_of(request, "ConditionExpression") == message


def test_values_are_compared_in_their_canonical_form() -> None:
    request = {"ConditionExpression": "a = :v", VALUES: {":v": {"N": "1.50e1"}}}
    condition = prepare(request, ("ConditionExpression",)).condition
    assert condition is not None
    assert condition.holds({"a": {"N": "15"}})


def test_a_placeholder_that_the_request_does_not_define_is_named() -> None:
    request: dict[str, Any] = {"UpdateExpression": "SET #a = :v"}
    assert refusal_of(request, "UpdateExpression") == (
        "Invalid UpdateExpression: An expression attribute name used in the document path is not "
        "defined; attribute name: #a"
    )
    request[NAMES] = {"#a": "a"}
    assert refusal_of(request, "UpdateExpression") == (
        "Invalid UpdateExpression: An expression attribute value used in expression is not "
        "defined; attribute value: :v"
    )


def test_placeholders_that_no_expression_uses_are_listed_names_first() -> None:
    request: dict[str, Any] = {
        "UpdateExpression": "SET #a = :v",
        "ConditionExpression": "#b = :w",
        NAMES: {"#a": "a", "#b": "b", "#u": "u", "#x": "x"},
        VALUES: {":v": {"S": "x"}, ":w": {"S": "y"}, ":u": {"S": "z"}},
    }
    kinds = ("UpdateExpression", "ConditionExpression")
    assert (
        refusal_of(request, *kinds)
        == f"Value provided in {NAMES} unused in expressions: keys: {{#u, #x}}"
    )
    del request[NAMES]["#u"], request[NAMES]["#x"]
    assert (
        refusal_of(request, *kinds)
        == f"Value provided in {VALUES} unused in expressions: keys: {{:u}}"
    )
    del request[VALUES][":u"]
    assert prepare(request, kinds).update is not None


def test_expressions_are_checked_in_the_order_of_the_operation() -> None:
    request = {"UpdateExpression": "", "ConditionExpression": "a ="}
    first = refusal_of(request, "UpdateExpression", "ConditionExpression")
    assert first == "Invalid UpdateExpression: The expression can not be empty;"
    first = refusal_of(request, "ConditionExpression", "UpdateExpression")
    assert first is not None
    assert first.startswith("Invalid ConditionExpression: Syntax error")


def test_one_text_with_other_names_and_values_is_another_expression() -> None:
    """What is kept of a text must not leak from one request into the next."""
    kinds = ("ConditionExpression",)
    item = {"a": {"S": "x"}, "b": {"S": "y"}}
    for name, value, holds in [("a", "x", True), ("b", "x", False), ("b", "y", True)]:
        request = {
            "ConditionExpression": "#n = :v",
            NAMES: {"#n": name},
            VALUES: {":v": {"S": value}},
        }
        condition = prepare(request, kinds).condition
        assert condition is not None
        assert condition.holds(item) is holds
        assert condition.names == {name}
