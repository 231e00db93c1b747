"""Shapes: JSON of a wrong type ends the reading, broken constraints are gathered into one text."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.base import limits
from penstock.base.errors.api import ApiError
from penstock.wire.shapes import (
    AttributeMap,
    Boolean,
    Failures,
    Integer,
    ListOf,
    MapOf,
    Member,
    Shape,
    String,
    Structure,
    demanded,
    later,
    required,
)

STRUCTURE = "Start of structure or map found where not expected"
FIELD = "Unexpected field type"
STRING_MAP = MapOf(String(), "java.lang.String")

json_values: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=8,
)


def failures_of(shape: Shape, value: Any) -> list[str]:
    failures = Failures()
    shape.read(value, "place", failures)
    assert failures.count == len(failures.listed)
    return failures.listed


def refusal(shape: Structure, body: dict[str, Any]) -> tuple[str, str | None]:
    with pytest.raises(ApiError) as caught:
        shape.request(body)
    return caught.value.code, caught.value.message


# --- types


@pytest.mark.parametrize(
    ("shape", "value", "text"),
    [
        (String(), 1, "NUMBER_VALUE cannot be converted to String"),
        (String(), 1.5, "DECIMAL_VALUE cannot be converted to String"),
        (String(), True, "TRUE_VALUE cannot be converted to String"),
        (String(), False, "FALSE_VALUE cannot be converted to String"),
        (String(), [], "Unrecognized collection type class java.lang.String"),
        (String(), {}, STRUCTURE),
        (Integer(), "1", "STRING_VALUE cannot be converted to Integer"),
        (Integer(), True, "TRUE_VALUE cannot be converted to Integer"),
        (Integer(java_type="Long"), "1", "STRING_VALUE cannot be converted to Long"),
        (Integer(java_type="Long"), [], "Unrecognized collection type class java.lang.Long"),
        (Boolean(), "true", "Unexpected token received from parser"),
        (Boolean(), 0, "NUMBER_VALUE cannot be converted to Boolean"),
        (Boolean(), {}, STRUCTURE),
        (ListOf(String()), "a", FIELD),
        (ListOf(String()), {}, STRUCTURE),
        (ListOf(String()), ["a", 1], "NUMBER_VALUE cannot be converted to String"),
        (STRING_MAP, "a", FIELD),
        (
            STRING_MAP,
            [],
            "Unrecognized collection type java.util.Map<java.lang.String, java.lang.String>",
        ),
        (STRING_MAP, {"a": 1}, "NUMBER_VALUE cannot be converted to String"),
        (Structure("Thing"), 1, FIELD),
        (
            Structure("Thing"),
            [],
            "Unrecognized collection type class com.amazonaws.dynamodb.v20120810.Thing",
        ),
        (Structure("Thing", Name=String()), {"Name": {}}, STRUCTURE),
        (AttributeMap(), "a", FIELD),
        (AttributeMap(), {"a": {"S": 1}}, "NUMBER_VALUE cannot be converted to String"),
    ],
)
def test_a_wrong_json_type_is_a_serialization_error(shape: Shape, value: Any, text: str) -> None:
    with pytest.raises(ApiError) as caught:
        shape.read(value, "place", Failures())
    assert (caught.value.code, caught.value.message) == ("SerializationException", text)


@pytest.mark.parametrize(
    ("given", "taken"), [(5, 5), (5.0, 5), (5.9, 5), (-0.5, 0), (1e20, 10**20)]
)
def test_a_number_is_cut_to_a_whole_one(given: float, taken: int) -> None:
    assert Integer().read(given, "place", Failures()) == taken


# --- constraints


@pytest.mark.parametrize(
    ("shape", "value", "constraints"),
    [
        (String(3, 5), "ab", ["have length greater than or equal to 3"]),
        (String(3, 5), "abcdef", ["have length less than or equal to 5"]),
        (String(3, 5), "abc", []),
        (String(3, 5), "\U0001f600" * 3, []),
        (String(pattern="[a-z]+"), "a1", ["satisfy regular expression pattern: [a-z]+"]),
        (String(pattern="[a-z]+"), "a\n", ["satisfy regular expression pattern: [a-z]+"]),
        (
            String(3, 5, pattern="[a-z]+"),
            "1",
            [
                "satisfy regular expression pattern: [a-z]+",
                "have length greater than or equal to 3",
            ],
        ),
        (String(1, pattern="[a-z]+"), "", ["have length greater than or equal to 1"]),
        (String(pattern="[a-z]+", spared="arn:"), "arn:1", []),
        (String(pattern="[a-z]+"), "", []),
        (
            String(pattern="[a-z]+", empty_is_matched=True),
            "",
            ["satisfy regular expression pattern: [a-z]+"],
        ),
        (String(values=("A", "B")), "a", ["satisfy enum value set: [A, B]"]),
        (String(values=("A", "B")), "B", []),
        (Integer(1, 9), 0, ["have value greater than or equal to 1"]),
        (Integer(1, 9), 10, ["have value less than or equal to 9"]),
        (Integer(1, 9), 9, []),
    ],
)
def test_constraints_of_scalars(shape: Shape, value: Any, constraints: list[str]) -> None:
    assert failures_of(shape, value) == [
        f"Value '{value}' at 'place' failed to satisfy constraint: Member must {constraint}"
        for constraint in constraints
    ]


def test_constraints_of_members_name_their_places() -> None:
    shape = Structure(
        "Thing",
        Names=ListOf(String(2)),
        Map=STRING_MAP,
        Inner=Structure("Inner", Value=required(Integer(1))),
    )
    failures = Failures()
    shape.read({"Names": ["ab", "c"], "Inner": {}}, "outer", failures)
    assert failures.listed == [
        (
            "Value 'c' at 'outer.names.2.member' failed to satisfy constraint: Member must have"
            " length"
            " greater than or equal to 2"
        ),
        "Value null at 'outer.inner.value' failed to satisfy constraint: Member must not be null",
    ]


def test_a_collections_length_comes_before_what_its_members_break_and_shows_it_whole() -> None:
    shape = ListOf(Structure("Pair", First=String(), Second=Integer(1)), high=1)
    assert failures_of(shape, [{"First": "a"}, {"Second": 0}]) == [
        (
            "Value '[Pair(first=a, second=null), Pair(first=null, second=0)]' at 'place' failed to"
            " satisfy constraint: Member must have length less than or equal to 1"
        ),
        (
            "Value '0' at 'place.2.member.second' failed to satisfy constraint: Member must have"
            " value"
            " greater than or equal to 1"
        ),
    ]


def test_null_is_no_member_of_a_list_and_no_value_of_a_map() -> None:
    assert failures_of(ListOf(String()), ["a", None]) == [
        (
            "Value '[a, null]' at 'place' failed to satisfy constraint: Member must satisfy"
            " constraint:"
            " [Member must not be null]"
        )
    ]
    assert failures_of(STRING_MAP, {"a": "b", "c": None}) == [
        (
            "Value '{a=b, c=null}' at 'place' failed to satisfy constraint: Map value must satisfy"
            " constraint: [Member must not be null]"
        )
    ]


def test_lengths_of_a_maps_lists_are_a_constraint_on_the_map() -> None:
    shape = MapOf(ListOf(Boolean()), "java.util.List", lengths=(1, 2))
    assert failures_of(shape, {"a": [True], "b": [False, True]}) == []
    assert failures_of(shape, {"a": []}) == [
        (
            "Value '{a=[]}' at 'place' failed to satisfy constraint: Map value must satisfy"
            " constraint:"
            " [Member must have length less than or equal to 2, Member must have length greater"
            " than or"
            " equal to 1]"
        )
    ]


def test_long_lists_and_maps_are_looked_at_in_part_and_shown_in_part() -> None:
    """Beyond what any action takes nothing is read, and a text does not grow with its value."""
    many = limits.request_members_max + 1
    for shape, value in (
        (ListOf(Boolean(), high=5), [True] * many),
        (ListOf(Boolean(), high=5), [True] * (many - 1) + ["no boolean"]),
        (
            MapOf(ListOf(Boolean()), "java.util.List", lengths=(1, 1)),
            {str(n): [] for n in range(many)},
        ),
    ):
        failures = Failures()
        read = shape.read(value, "place", failures)
        assert len(read) == many - 1
        assert failures.count == 1
        assert len(failures.listed[0]) < 2_000


# --- whole requests


def test_a_request_keeps_its_known_members_and_drops_nulls_and_strangers() -> None:
    shape = Structure("Input", Name=String(), Count=Integer(), Flag=Boolean())
    body = {"Name": "a", "Count": None, "Flag": False, "Stranger": {"x": 1}, "name": 7}
    assert shape.request(body) == {"Name": "a", "Flag": False}


def test_broken_constraints_make_one_error_that_lists_ten_of_them() -> None:
    shape = Structure("Input", **{f"M{n}": required(String()) for n in range(12)})
    one = Structure("Input", Name=required(String()))
    null = "Value null at '{}' failed to satisfy constraint: Member must not be null"
    assert refusal(one, {}) == (
        "ValidationException",
        "1 validation error detected: " + null.format("name"),
    )
    listed = "; ".join(null.format(f"m{n}") for n in range(limits.validation_errors_listed_max))
    assert refusal(shape, {}) == (
        "ValidationException",
        "12 validation errors detected: " + listed,
    )


def test_the_order_of_refusals() -> None:
    """Types of all members, then a demanded one, then constraints, then what comes later."""
    shape = Structure(
        "Input",
        Name=demanded(String()),
        Size=Integer(1),
        Coming=later("the coming", String()),
        Last=String(),
    )
    everything: dict[str, Any] = {"Size": 0, "Coming": "x", "Last": 5}
    assert refusal(shape, everything) == (
        "SerializationException",
        "NUMBER_VALUE cannot be converted to String",
    )
    everything["Last"] = "5"
    assert refusal(shape, everything) == (
        "ValidationException",
        "The parameter 'Name' is required but was not present in the request",
    )
    everything["Name"] = "a"
    assert refusal(shape, everything) == (
        "ValidationException",
        (
            "1 validation error detected: Value '0' at 'size' failed to satisfy constraint: Member"
            " must"
            " have value greater than or equal to 1"
        ),
    )
    everything["Size"] = 1
    assert refusal(shape, everything) == (
        "ValidationException",
        "the coming is not supported by this release of Penstock",
    )
    assert shape.request({"Name": "a", "Coming": None}) == {"Name": "a"}


_ANY_MEMBERS: dict[str, Shape | Member] = {
    "S": required(String(1, 3, pattern="[a-z]+", values=("a", "b"))),
    "N": Integer(0, 9),
    "B": Boolean(),
    "L": ListOf(Structure("Pair", A=required(String(2)), M=STRING_MAP), low=1, high=2),
    "M": MapOf(ListOf(Integer(1), low=1), "java.util.List", lengths=(1, 1)),
    "V": AttributeMap(),
}
_ANY_SHAPE = Structure("Input", **_ANY_MEMBERS)
_JUDGED_SHAPE = Structure("Input", **_ANY_MEMBERS, Coming=later("the coming", String()))


@given(st.dictionaries(st.sampled_from("SNBLMV"), json_values))
def test_any_json_is_read_or_refused_with_an_api_error(body: dict[str, Any]) -> None:
    try:
        request = _ANY_SHAPE.request(body)
    except ApiError as error:
        assert error.code in {"SerializationException", "ValidationException"}
        assert error.status == 400
    else:
        assert request.keys() == {name for name, value in body.items() if value is not None}


def outcome(read: Callable[[dict[str, Any]], Any], body: dict[str, Any]) -> Any:
    try:
        return read(body)
    except ApiError as error:
        return error.code, error.message


plausible_pairs = st.fixed_dictionaries(
    {}, optional={"A": st.text("ab", max_size=3) | st.none(), "M": json_values, "X": json_values}
)
plausible_requests = st.fixed_dictionaries(
    {},
    optional={
        "S": st.sampled_from(["a", "b", "", "c", "ab", 1, None]),
        "N": st.integers(-1, 10) | json_values,
        "B": st.booleans() | json_values,
        "L": st.lists(plausible_pairs | json_values, max_size=3) | json_values,
        "M": st.dictionaries(st.text(max_size=1), st.lists(st.integers(0, 2), max_size=2))
        | json_values,
        "V": st.dictionaries(st.text(max_size=1), st.just({"S": "x"}) | json_values, max_size=2),
    },
)


@given(plausible_requests | st.dictionaries(st.sampled_from("SNBLMV"), json_values))
def test_a_request_is_read_as_it_comes_just_as_in_the_order_of_the_model(
    body: dict[str, Any],
) -> None:
    """Also by a shape that always reads in that order, because one of its members comes later."""
    assert outcome(_ANY_SHAPE.request, body) == outcome(_JUDGED_SHAPE.request, body)
