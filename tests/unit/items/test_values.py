"""Attribute values: JSON types, the rules of values, and the canonical form."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from item_strategies import items, meaning, values
from penstock.base.errors.api import ApiError
from penstock.items.canonical import decode_item, encode_item
from penstock.items.keys import key_part_bytes
from penstock.items.sizes import item_bytes, value_bytes
from penstock.items.values import (
    binary,
    canonical_item,
    canonical_value,
    check_types,
)

KINDS = ["S", "N", "B", "BOOL", "NULL", "SS", "NS", "BS", "L", "M"]
EMPTY = "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes"
SEVERAL = (
    "Supplied AttributeValue has more than one datatypes set, "
    "must contain exactly one of the supported datatypes"
)
INVALID = "One or more parameter values were invalid: "
TOO_DEEP = (
    "Nesting Levels have exceeded supported limits: "
    "Attributes in the item have nested levels beyond supported limit"
)
NAME_TOO_LARGE = (
    "1 validation error detected: Attribute name is too large, must be less than 65536 bytes"
)
STRUCTURE = "Start of structure or map found where not expected"


def refusal_of_types(raw: Any) -> str | None:
    """Return the text with which `check_types` refuses a value."""
    with pytest.raises(ApiError) as caught:
        check_types(raw)
    assert caught.value.code == "SerializationException"
    return caught.value.message


def refusal(raw: Any) -> str | None:
    """Return the text with which a value of the right types is refused."""
    check_types(raw)
    with pytest.raises(ApiError) as caught:
        canonical_value(raw)
    assert caught.value.code == "ValidationException"
    return caught.value.message


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        ({"S": 5}, "NUMBER_VALUE cannot be converted to String"),
        ({"N": 5}, "NUMBER_VALUE cannot be converted to String"),
        ({"N": -(2**40)}, "NUMBER_VALUE cannot be converted to String"),
        ({"S": 5.5}, "DECIMAL_VALUE cannot be converted to String"),
        ({"S": True}, "TRUE_VALUE cannot be converted to String"),
        ({"S": False}, "FALSE_VALUE cannot be converted to String"),
        ({"S": []}, "Unrecognized collection type class java.lang.String"),
        ({"S": {}}, STRUCTURE),
        ({"BOOL": "true"}, "Unexpected token received from parser"),
        ({"NULL": "true"}, "Unexpected token received from parser"),
        ({"BOOL": 1}, "NUMBER_VALUE cannot be converted to Boolean"),
        ({"BOOL": 1.5}, "DECIMAL_VALUE cannot be converted to Boolean"),
        ({"NULL": []}, "Unrecognized collection type class java.lang.Boolean"),
        ({"BOOL": {}}, STRUCTURE),
        ({"SS": "a"}, "Unexpected field type"),
        ({"SS": {}}, STRUCTURE),
        ({"NS": [5]}, "NUMBER_VALUE cannot be converted to String"),
        ({"SS": ["a", True]}, "TRUE_VALUE cannot be converted to String"),
        ({"L": "a"}, "Unexpected field type"),
        ({"L": {}}, STRUCTURE),
        ({"L": ["a"]}, "Unexpected field type"),
        ({"L": [{"S": 5}]}, "NUMBER_VALUE cannot be converted to String"),
        ({"M": "a"}, "Unexpected field type"),
        ({"M": []}, "Start of list found where not expected"),
        ({"M": {"a": 5}}, "Unexpected field type"),
        ({"M": {"a": {"L": [{"BOOL": 1}]}}}, "NUMBER_VALUE cannot be converted to Boolean"),
        ("a", "Unexpected field type"),
        (5, "Unexpected field type"),
        (
            [],
            "Unrecognized collection type class com.amazonaws.dynamodb.v20120810.AttributeValue",
        ),
    ],
)
def test_wrong_json_types_are_serialization_errors(raw: Any, message: str) -> None:
    """A wrong JSON type is told apart before any rule of values is looked at."""
    assert refusal_of_types(raw) == message


@pytest.mark.parametrize(
    ("encoded", "message"),
    [
        ("a", "Base64 encoded length is expected a multiple of 4 bytes but found: 1"),
        ("abcde", "Base64 encoded length is expected a multiple of 4 bytes but found: 5"),
        ("ab-_", "Invalid Base64 character: '-'"),
        ("ab c", "Invalid Base64 character: ' '"),
        ("abcé", "Invalid Base64 character: 'é'"),
        ("a=bc", "Invalid Base64 character: '='"),
        ("====", "Invalid Base64 character: '='"),
        ("ab==abcd", "Invalid Base64 character: '='"),
        ("abc\n", "Invalid Base64 character: '\n'"),
        ("AB==", "Invalid last non-pad Base64 character dectected"),
        ("AAB=", "Invalid last non-pad Base64 character dectected"),
    ],
)
@pytest.mark.parametrize("wrap", [lambda text: {"B": text}, lambda text: {"BS": [text]}])
def test_bad_base64_is_a_serialization_error(encoded: str, message: str, wrap: Any) -> None:
    """Only the one canonical base64 text of some bytes is binary."""
    assert refusal_of_types(wrap(encoded)) == message


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (5, "only base64-encoded strings are convertible to bytes"),
        (True, "only base64-encoded strings are convertible to bytes"),
        ([], "Unrecognized collection type class java.nio.ByteBuffer"),
        ({}, STRUCTURE),
    ],
)
def test_binary_must_be_text(content: Any, message: str) -> None:
    """Binary arrives as a JSON string and nothing else."""
    assert refusal_of_types({"B": content}) == message


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        ({}, EMPTY),
        (None, EMPTY),
        ({"X": 1}, EMPTY),
        ({"s": "a"}, EMPTY),
        ({"S": None}, EMPTY),
        ({"L": [None]}, EMPTY),
        ({"L": [{}]}, EMPTY),
        ({"M": {"a": {}}}, EMPTY),
        ({"S": "a", "N": "1"}, SEVERAL),
        ({"M": {"a": {"S": "a", "BOOL": False}}}, SEVERAL),
        ({"S": "a", "N": "x"}, "The parameter cannot be converted to a numeric value: x"),
        ({"N": ""}, "The parameter cannot be converted to a numeric value"),
        ({"NULL": False}, INVALID + "Null attribute value types must have the value of true"),
        ({"SS": []}, INVALID + "An string set  may not be empty"),
        ({"NS": []}, INVALID + "An number set  may not be empty"),
        ({"BS": []}, INVALID + "Binary sets should not be empty"),
        ({"SS": ["a", "a"]}, INVALID + "Input collection [a, a] contains duplicates."),
        ({"SS": ["b", "a", "b"]}, INVALID + "Input collection [b, a, b] contains duplicates."),
        ({"BS": ["YQ==", "YQ=="]}, INVALID + "Input collection [YQ==, YQ==] contains duplicates."),
        ({"NS": ["1", "1"]}, "Input collection contains duplicates"),
        ({"NS": ["1000", "1e3"]}, "Input collection contains duplicates"),
        ({"NS": ["1", "NaN"]}, "The parameter cannot be converted to a numeric value: NaN"),
        (
            {"SS": ["a", None]},
            INVALID + "An string set may not have a null string as a member",
        ),
        ({"NS": ["1", None]}, INVALID + "A set must not contain null"),
        ({"BS": ["AA==", None]}, INVALID + "A set must not contain null"),
        ({"M": {"": {"S": "a"}}}, "Empty attribute name"),
        ({"M": {"a" * 65_536: {"S": "a"}}}, NAME_TOO_LARGE),
        ({"M": {"é" * 32_768: {"S": "a"}}}, NAME_TOO_LARGE),
    ],
    ids=lambda value: str(value)[:40],
)
def test_broken_rules_of_values_are_validation_errors(raw: Any, message: str) -> None:
    """Each rule has its exact text, at the top and deep inside alike."""
    assert refusal(raw) == message
    assert refusal({"L": [{"S": "x"}, {"M": {"a": raw}}]}) == message


@pytest.mark.parametrize(
    ("raw", "canonical"),
    [
        ({"S": ""}, {"S": ""}),
        ({"B": ""}, {"B": ""}),
        ({"N": "1e3"}, {"N": "1000"}),
        ({"NULL": True}, {"NULL": True}),
        ({"BOOL": False}, {"BOOL": False}),
        ({"L": []}, {"L": []}),
        ({"M": {}}, {"M": {}}),
        ({"S": "a", "X": 1, "N": None}, {"S": "a"}),
        ({"SS": ["b", "", "a", "\U0001f600", "\uffee"]}, {"SS": ["", "a", "b", "\uffee", "😀"]}),
        ({"NS": ["10", "9.0", "-1", ".5"]}, {"NS": ["-1", "0.5", "9", "10"]}),
        ({"BS": ["/w==", "AA==", "AP8="]}, {"BS": ["AA==", "AP8=", "/w=="]}),
        ({"L": [{"N": "1.0"}, {"S": "a"}]}, {"L": [{"N": "1"}, {"S": "a"}]}),
        ({"M": {"b": {"NS": ["2", "1"]}}}, {"M": {"b": {"NS": ["1", "2"]}}}),
    ],
)
def test_the_canonical_form_of_a_value(raw: Any, canonical: Any) -> None:
    """Numbers are plain, sets are sorted, and what has no value is dropped."""
    check_types(raw)
    assert canonical_value(raw) == canonical


def nested(levels: int, leaf: Any) -> Any:
    """Return `leaf` inside `levels` lists and maps in turn."""
    value = leaf
    for level in range(levels):
        value = {"L": [value]} if level % 2 else {"M": {"a": value}}
    return value


def test_values_nest_thirty_two_levels() -> None:
    """31 containers around a scalar are accepted and 32 are not, as measured on AWS."""
    deepest = nested(31, {"S": "x"})
    assert canonical_value(deepest) == deepest
    assert refusal(nested(32, {"S": "x"})) == TOO_DEEP
    assert refusal(nested(32, {"L": []})) == TOO_DEEP


def test_very_deep_json_exhausts_nothing() -> None:
    """Neither walk goes deeper than values may nest."""
    assert refusal(nested(100_000, {"S": 5})) == TOO_DEEP


def test_the_longest_attribute_names() -> None:
    """A name may have 65,535 bytes of UTF-8."""
    for name in ("a" * 65_535, "é" * 32_767, "\U0001f600" * 16_383):
        assert canonical_item({name: {"S": "x"}}) == {name: {"S": "x"}}


def test_binary_is_the_bytes() -> None:
    """Base64 text stands for bytes."""
    assert binary("AP8=") == b"\x00\xff"
    assert binary("") == b""


@given(values)
def test_the_canonical_form_keeps_the_meaning_and_is_its_own(raw: Any) -> None:
    """Making a value canonical changes its spelling only, and once."""
    check_types(raw)
    canonical = canonical_value(raw)
    assert meaning(canonical) == meaning(raw)
    assert canonical_value(canonical) == canonical


@given(items)
def test_the_canonical_form_leaves_its_input_alone(raw: Any) -> None:
    """The JSON of a request is never changed: others may still hold it."""
    before = encode_item(raw)
    canonical_item(raw)
    assert encode_item(raw) == before


json_scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5)
    | st.sampled_from(["", "1", "1e3", "1.50", "-0", "1e999", "NaN", "AA==", "AB==", "YWJj"])
)
members = st.sampled_from(KINDS) | st.sampled_from(["X", "", "s"])
anything = st.recursive(
    json_scalars,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(members, inner, max_size=2)
        | st.fixed_dictionaries({}, optional=dict.fromkeys(("S", "L", "M", "NS", "BS"), inner))
    ),
    max_leaves=12,
)


@given(anything | st.dictionaries(members, anything, min_size=1, max_size=1))
def test_any_json_is_a_value_or_an_api_error(raw: Any) -> None:
    """Whatever JSON arrives, nothing but ApiError comes out, and a value works everywhere."""
    try:
        check_types(raw)
        value = canonical_value(raw)
    except ApiError as error:
        assert error.code in {"SerializationException", "ValidationException"}
        return
    ((kind, _),) = value.items()
    assert value_bytes(value) >= 0
    assert decode_item(encode_item({"a": value})) == {"a": value}
    assert item_bytes({"a": value}) == value_bytes(value) + 1
    if kind in {"S", "N", "B"}:
        assert isinstance(key_part_bytes(value), bytes)
