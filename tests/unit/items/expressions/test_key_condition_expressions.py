"""What key conditions read, and which are refused."""

from typing import Any

import pytest

from expression_requests import key_condition, refusal_of
from penstock.base.errors.api import ApiError
from penstock.items.expressions import KeyCondition, KeyRange, KeyTerm
from penstock.items.keys import KeyAttribute, KeySchema

SIMPLE = KeySchema((KeyAttribute("pk", "S"),))
BOTH = KeySchema((KeyAttribute("pk", "S"),), (KeyAttribute("sk", "N"),))
TEXTS = KeySchema((KeyAttribute("pk", "S"),), (KeyAttribute("sk", "S"),))

S, N = {"S": "b"}, {"N": "5"}


@pytest.mark.parametrize(
    ("text", "range_"),
    [
        ("pk = :s", KeyRange((S,))),
        (":s = pk", KeyRange((S,))),
        ("(pk = :s)", KeyRange((S,))),
        ("pk = :s AND sk = :n", KeyRange((S,), (N,))),
        ("sk < :n and pk = :s", KeyRange((S,), (), "<", N)),
        ("(pk = :s) AND (sk <= :n)", KeyRange((S,), (), "<=", N)),
        ("((pk = :s) AND (sk > :n))", KeyRange((S,), (), ">", N)),
        ("pk = :s AND sk >= :n", KeyRange((S,), (), ">=", N)),
        ("pk = :s AND :n <= sk", KeyRange((S,), (), ">=", N)),
        ("pk = :s AND :n > sk", KeyRange((S,), (), "<", N)),
        ("pk = :s AND sk BETWEEN :one AND :n", KeyRange((S,), (), "BETWEEN", {"N": "1"}, N)),
    ],
)
def test_a_key_condition_names_a_partition_and_maybe_a_range(text: str, range_: KeyRange) -> None:
    assert key_condition(text).bind(BOTH) == range_


def test_begins_with_is_for_text_and_binary() -> None:
    condition = key_condition("pk = :s AND begins_with(sk, :a)")
    assert condition.bind(TEXTS) == KeyRange((S,), (), "begins_with", {"S": "a"})
    message = refusal_of("KeyConditionExpression", "pk = :s AND begins_with(sk, :n)")
    assert message == (
        "Incorrect operand type for operator or function; "
        "operator or function: begins_with, operand type: N"
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("pk = :s OR sk = :n", "Invalid operator used in KeyConditionExpression: OR"),
        ("NOT pk = :s", "Invalid operator used in KeyConditionExpression: NOT"),
        ("pk <> :s", "Invalid operator used in KeyConditionExpression: <>"),
        ("pk IN (:s)", "Invalid operator used in KeyConditionExpression: IN"),
        (
            "pk = :s AND contains(sk, :a)",
            "Invalid operator used in KeyConditionExpression: contains",
        ),
        (
            "attribute_exists(pk)",
            "Invalid operator used in KeyConditionExpression: attribute_exists",
        ),
        ("size(pk) = :n", "KeyConditionExpressions cannot contain nested operations"),
        ("pk.x = :s", "KeyConditionExpressions cannot have conditions on nested attributes"),
        (
            "pk = :s AND begins_with(sk[0], :a)",
            "KeyConditionExpressions cannot have conditions on nested attributes",
        ),
        (
            "pk = sk",
            "Invalid condition in KeyConditionExpression: "  # noqa: ISC004
            "Multiple attribute names used in one condition",
        ),
        (":s = :a", "Invalid condition in KeyConditionExpression: No key attribute specified"),
        (
            ":n BETWEEN sk AND :ten",
            "Invalid condition in KeyConditionExpression: "  # noqa: ISC004
            "BETWEEN operator must have the key attribute as its first operand",
        ),
        (
            "pk = :s AND sk > :one AND sk < :n",
            "KeyConditionExpressions must only contain one condition per key",
        ),
        (
            "pk = :s AND sk BETWEEN :n AND :one",
            "The BETWEEN operator requires upper bound to be greater than or equal to lower "  # noqa: ISC004
            "bound; lower bound operand: AttributeValue: {N:5}, "
            "upper bound operand: AttributeValue: {N:1}",
        ),
    ],
)
def test_a_key_condition_has_few_forms(text: str, message: str) -> None:
    assert refusal_of("KeyConditionExpression", text) == message


INVALID = "One or more parameter values were invalid: "
EMPTY = (
    "One or more parameter values are not valid. "
    "The AttributeValue for a key attribute cannot contain an empty "
)


@pytest.mark.parametrize(
    ("text", "schema", "message"),
    [
        ("sk = :n", BOTH, "Query condition missed key schema element: pk"),
        ("x = :s", SIMPLE, "Query condition missed key schema element: pk"),
        ("pk = :s AND x = :n", BOTH, "Query condition missed key schema element: sk"),
        ("pk = :s AND x = :n", SIMPLE, "Query key condition not supported"),
        ("pk > :s", BOTH, "Query key condition not supported"),
        ("begins_with(pk, :s) AND sk = :n", BOTH, "Query key condition not supported"),
        ("pk = :s AND sk = :n AND x = :n", BOTH, "Conditions can be of length 1 or 2 only"),
        ("pk = :n", BOTH, INVALID + "Condition parameter type does not match schema type"),
        (
            "pk = :s AND sk > :a",
            BOTH,
            INVALID + "Condition parameter type does not match schema type",
        ),
    ],
)
def test_a_key_condition_must_fit_the_key(text: str, schema: KeySchema, message: str) -> None:
    with pytest.raises(ApiError) as refused:
        key_condition(text).bind(schema)
    assert refused.value.code == "ValidationException"
    assert refused.value.message == message


@pytest.mark.parametrize(
    ("type_", "noun"),
    [("S", "string"), ("B", "binary")],
)
def test_a_key_is_never_empty(type_: Any, noun: str) -> None:
    schema = KeySchema((KeyAttribute("pk", type_),), (KeyAttribute("sk", type_),))
    empty, full = {type_: ""}, {type_: "YmI="}
    for partition, sort, name in [(empty, full, "pk"), (full, empty, "sk")]:
        condition = key_condition("pk = :p AND sk = :s", values={":p": partition, ":s": sort})
        with pytest.raises(ApiError) as refused:
            condition.bind(schema)
        assert refused.value.message == f"{EMPTY}{noun} value. Key: {name}"


def test_an_empty_key_of_an_index_is_told_with_the_index() -> None:
    condition = key_condition("pk = :s AND sk = :e", values={":s": S, ":e": {"S": ""}})
    with pytest.raises(ApiError) as refused:
        condition.bind(TEXTS, "by-pk")
    assert (refused.value.message or "").endswith("IndexName: by-pk, IndexKey: sk")


def test_names_of_keys_may_stand_behind_placeholders() -> None:
    condition = key_condition("#p = :s AND #s > :n", names={"#p": "pk", "#s": "sk"})
    assert condition.bind(BOTH) == KeyRange((S,), (), ">", N)


# --- keys of several attributes

MANY = KeySchema(
    (KeyAttribute("a", "S"), KeyAttribute("b", "N")),
    (KeyAttribute("c", "S"), KeyAttribute("d", "N"), KeyAttribute("e", "S")),
)
MANY_VALUES: dict[str, Any] = {
    ":a": {"S": "a"},
    ":b": {"N": "2"},
    ":c": {"S": "c"},
    ":d": {"N": "4"},
    ":e": {"S": "e"},
    ":f": {"S": "f"},
}
PARTITION = (MANY_VALUES[":a"], MANY_VALUES[":b"])
C, D, E, F = (MANY_VALUES[name] for name in (":c", ":d", ":e", ":f"))


def many(text: str) -> KeyRange:
    """Return what a condition asks of a key of many attributes."""
    used = {name: value for name, value in MANY_VALUES.items() if name in text}
    return key_condition(text, values=used).bind(MANY)


@pytest.mark.parametrize(
    ("text", "range_"),
    [
        ("a = :a AND b = :b", KeyRange(PARTITION)),
        ("b = :b AND a = :a", KeyRange(PARTITION)),
        ("a = :a AND b = :b AND c = :c", KeyRange(PARTITION, (C,))),
        ("d = :d AND a = :a AND c = :c AND b = :b", KeyRange(PARTITION, (C, D))),
        ("a = :a AND b = :b AND c > :c", KeyRange(PARTITION, (), ">", C)),
        ("a = :a AND b = :b AND :d >= d AND c = :c", KeyRange(PARTITION, (C,), "<=", D)),
        (
            "a = :a AND b = :b AND c = :c AND d = :d AND e BETWEEN :e AND :f",
            KeyRange(PARTITION, (C, D), "BETWEEN", E, F),
        ),
        (
            "a = :a AND b = :b AND c = :c AND d = :d AND begins_with(e, :e)",
            KeyRange(PARTITION, (C, D), "begins_with", E),
        ),
    ],
)
def test_sort_attributes_are_asked_for_from_left_to_right(text: str, range_: KeyRange) -> None:
    """Every partition attribute equals its value; only the last sort attribute may be in a range.

    Fact: AWS developer guide, keys of several attributes, 2025-11.
    """
    assert many(text) == range_


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a = :a", "Query condition missed key schema element: b"),
        ("b = :b AND c = :c", "Query condition missed key schema element: a"),
        ("a = :a AND b = :b AND d = :d", "Query condition missed key schema element: c"),
        (
            "a = :a AND b = :b AND c = :c AND e = :e",
            "Query condition missed key schema element: d",
        ),
        ("a = :a AND b = :b AND x = :c", "Query condition missed key schema element: c"),
        ("a = :a AND b > :b", "Query key condition not supported"),
        ("a = :a AND b = :b AND c > :c AND d = :d", "Query key condition not supported"),
        (
            "a = :a AND b = :b AND begins_with(c, :c) AND d = :d",
            "Query key condition not supported",
        ),
        (
            "a = :a AND b = :b AND c = :d",
            INVALID + "Condition parameter type does not match schema type",
        ),
        (
            "a = :a AND b = :b AND c = :c AND d = :d AND e = :e AND x = :f",
            "Query key condition not supported",
        ),
    ],
)
def test_a_condition_skips_no_attribute_of_a_key(text: str, message: str) -> None:
    with pytest.raises(ApiError) as refused:
        many(text)
    assert refused.value.message == message


def test_terms_without_a_text_make_the_same_condition() -> None:
    """As the legacy parameters and PartiQL have them."""
    terms = {
        "sk": KeyTerm("BETWEEN", ({"N": "1"}, {"N": "5"})),
        "pk": KeyTerm("=", (S,)),
    }
    assert KeyCondition(terms).bind(BOTH) == KeyRange((S,), (), "BETWEEN", {"N": "1"}, N)
