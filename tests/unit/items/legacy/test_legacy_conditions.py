"""Expected, QueryFilter and ScanFilter: what each operator says, and which conditions are none."""

from typing import Any

import pytest

from penstock.base.errors.api import ApiError
from penstock.items.expressions import Condition
from penstock.items.legacy import Parameters

WRITES = Parameters(("ConditionExpression",), ("Expected", "ConditionalOperator"))
SCANS = Parameters(
    ("FilterExpression", "ProjectionExpression"),
    ("AttributesToGet", "ScanFilter", "ConditionalOperator"),
)
INVALID = "One or more parameter values were invalid: "

OPERANDS: dict[str, Any] = {
    "S": {"S": "b"},
    "S-first": {"S": "a"},
    "S-empty": {"S": ""},
    "N": {"N": "5"},
    "N-more": {"N": "10"},
    "N-less": {"N": "1"},
    "B": {"B": "YmI="},
    "B-start": {"B": "Yg=="},
    "SS": {"SS": ["b", "a"]},
    "SS-part": {"SS": ["a"]},
    "NS": {"NS": ["1", "5.0"]},
    "BS": {"BS": ["YmI="]},
    "L": {"L": [{"S": "b"}, {"N": "5"}, {"NULL": True}]},
    "M": {"M": {"x": {"N": "5"}}},
    "M-empty": {"M": {}},
    "BOOL": {"BOOL": True},
    "BOOL-no": {"BOOL": False},
    "NULL": {"NULL": True},
}
ITEM: dict[str, Any] = {
    "S": {"S": "b"},
    "N": {"N": "5"},
    "B": {"B": "YmI="},
    "SS": {"SS": ["a", "b"]},
    "NS": {"NS": ["1", "5"]},
    "BS": {"BS": ["YmI="]},
    "L": {"L": [{"S": "b"}, {"N": "5"}, {"NULL": True}]},
    "M": {"M": {"x": {"N": "5"}}},
    "BOOL": {"BOOL": True},
    "NULL": {"NULL": True},
}
ORDERED = {name for name in OPERANDS if name[0] in "SNB" and name[:2] not in {"SS", "NS", "BS"}} - {
    "BOOL",
    "BOOL-no",
    "NULL",
}
SCALARS = ORDERED | {"BOOL", "BOOL-no", "NULL"}


def compared(operator: str, *operands: Any) -> dict[str, Any]:
    return {"ComparisonOperator": operator, "AttributeValueList": list(operands)}


def scan_filter(conditions: dict[str, Any], **more: Any) -> Condition:
    found = SCANS.prepare({"ScanFilter": conditions, **more}).filter
    assert found is not None
    return found


def expected(conditions: dict[str, Any], **more: Any) -> Condition:
    found = WRITES.prepare({"Expected": conditions, **more}).condition
    assert found is not None
    return found


def refusal(parameters: Parameters, **request: Any) -> str | None:
    with pytest.raises(ApiError) as refused:
        parameters.prepare(request)
    assert refused.value.code == "ValidationException"
    return refused.value.message


def true_of(operator: str, attribute: str, operands: set[str]) -> set[str]:
    """Return the operands for which the operator is true of an attribute of the item."""
    return {
        name
        for name in operands
        if scan_filter({attribute: compared(operator, OPERANDS[name])}).holds(ITEM)
    }


# --- what the operators say, as DynamoDB Local does (2026-11)


@pytest.mark.parametrize("attribute", ITEM)
def test_eq_and_ne_ask_for_type_and_value(attribute: str) -> None:
    """Only the same value of the same type is equal; every other one is not."""
    operands = set(OPERANDS)
    assert true_of("EQ", attribute, operands) == {attribute}
    assert true_of("NE", attribute, operands) == operands - {attribute}


def test_an_absent_attribute_equals_nothing_and_is_unlike_everything() -> None:
    operands = set(OPERANDS)
    assert true_of("EQ", "absent", operands) == set()
    assert true_of("NE", "absent", operands) == operands


@pytest.mark.parametrize(
    ("operator", "found"),
    [
        ("LE", {"S": {"S"}, "N": {"N", "N-more"}, "B": {"B"}}),
        ("LT", {"N": {"N-more"}}),
        ("GE", {"S": {"S", "S-first", "S-empty"}, "N": {"N", "N-less"}, "B": {"B", "B-start"}}),
        ("GT", {"S": {"S-first", "S-empty"}, "N": {"N-less"}, "B": {"B-start"}}),
        ("IN", {"S": {"S"}, "N": {"N"}, "B": {"B"}}),
    ],
)
def test_order_is_asked_of_scalars_of_one_type(operator: str, found: dict[str, set[str]]) -> None:
    """Whatever is of another type, no scalar, or absent is in no order and in no list."""
    for attribute in (*ITEM, "absent"):
        assert true_of(operator, attribute, ORDERED) == found.get(attribute, set()), attribute


def test_between_includes_its_bounds() -> None:
    for low, high, holds in (("1", "5", True), ("5", "5", True), ("5", "9", True), ("6", "9", 0)):
        condition = scan_filter({"N": compared("BETWEEN", {"N": low}, {"N": high})})
        assert condition.holds(ITEM) == bool(holds)
    for attribute in ("S", "absent", "L"):
        condition = scan_filter({attribute: compared("BETWEEN", {"N": "1"}, {"N": "9"})})
        assert not condition.holds(ITEM)


def test_in_finds_one_of_many() -> None:
    many = [{"N": str(n)} for n in range(150)]
    assert scan_filter({"N": compared("IN", *many)}).holds(ITEM)
    assert not scan_filter({"N": compared("IN", *many[6:])}).holds(ITEM)


@pytest.mark.parametrize("attribute", ITEM)
def test_null_asks_for_absence_and_not_for_the_type(attribute: str) -> None:
    """An attribute of type NULL is there."""
    assert scan_filter({attribute: compared("NOT_NULL")}).holds(ITEM)
    assert not scan_filter({attribute: compared("NULL")}).holds(ITEM)
    assert not scan_filter({"absent": compared("NOT_NULL")}).holds(ITEM)
    assert scan_filter({"absent": {"ComparisonOperator": "NULL"}}).holds(ITEM)


CONTAINED = {
    "S": {"S", "S-empty"},
    "B": {"B", "B-start"},
    "SS": {"S", "S-first"},
    "NS": {"N", "N-less"},
    "BS": {"B"},
    "L": {"S", "N", "NULL"},
}


@pytest.mark.parametrize("attribute", ITEM)
def test_contains_and_its_contrary(attribute: str) -> None:
    """NOT_CONTAINS is also true of what cannot contain anything, if it is there."""
    contained = CONTAINED.get(attribute, set())
    assert true_of("CONTAINS", attribute, SCALARS) == contained
    assert true_of("NOT_CONTAINS", attribute, SCALARS) == SCALARS - contained


def test_an_absent_attribute_neither_contains_nor_not() -> None:
    """Unlike NOT contains() of an expression."""
    assert true_of("CONTAINS", "absent", SCALARS) == set()
    assert true_of("NOT_CONTAINS", "absent", SCALARS) == set()


def test_begins_with_text_and_binary() -> None:
    operands = {"S", "S-first", "S-empty", "B", "B-start"}
    assert true_of("BEGINS_WITH", "S", operands) == {"S", "S-empty"}
    assert true_of("BEGINS_WITH", "B", operands) == {"B", "B-start"}
    for attribute in ("N", "SS", "L", "absent"):
        assert true_of("BEGINS_WITH", attribute, operands) == set()


# --- Expected


def test_expected_by_value_and_by_absence() -> None:
    """Value alone and with Exists asks for equality, Exists false for absence, also of the item."""
    for more in ({}, {"Exists": True}):
        assert expected({"L": {"Value": OPERANDS["L"], **more}}).holds(ITEM)
        assert not expected({"L": {"Value": {"L": []}, **more}}).holds(ITEM)
        assert not expected({"L": {"Value": OPERANDS["L"], **more}}).holds(None)
    absent = expected({"a": {"Exists": False}})
    assert absent.holds(ITEM)
    assert absent.holds(None)
    assert not absent.holds({"a": {"NULL": True}})


def test_expected_by_operator_takes_a_value_or_a_list() -> None:
    """AWS takes Value beside an operator, though the documentation has it otherwise."""
    assert expected({"N": {"ComparisonOperator": "GT", "Value": {"N": "4"}}}).holds(ITEM)
    assert expected({"N": compared("GT", {"N": "4"})}).holds(ITEM)
    assert expected({"N": {"ComparisonOperator": "NOT_NULL"}}).holds(ITEM)


def test_conditions_are_joined_by_and_unless_or_is_asked_for() -> None:
    one_of_two = {"N": {"Value": {"N": "5"}}, "S": {"Value": {"S": "x"}}}
    assert not expected(one_of_two).holds(ITEM)
    assert not expected(one_of_two, ConditionalOperator="AND").holds(ITEM)
    assert expected(one_of_two, ConditionalOperator="OR").holds(ITEM)
    both = {"N": {"Value": {"N": "5"}}, "absent": {"Exists": False}}
    assert expected(both).holds(ITEM)
    none = {"N": {"Value": {"N": "6"}}, "S": {"Exists": False}}
    assert not expected(none, ConditionalOperator="OR").holds(ITEM)


def test_no_conditions_are_no_condition() -> None:
    assert WRITES.prepare({"Expected": {}}).condition is None
    assert SCANS.prepare({"ScanFilter": {}}).filter is None


def test_attributes_are_named_whole() -> None:
    """A name with a dot is a name, and the condition reads no part of anything."""
    condition = expected({"M.x": {"Exists": False}, "M": {"Value": OPERANDS["M"]}})
    assert condition.holds(ITEM)
    assert condition.names == {"M.x", "M"}
    assert condition.nested == frozenset()


# --- refusals


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({}, "Value must be provided when Exists is null for Attribute: a"),
        ({"Exists": True}, "Value must be provided when Exists is true for Attribute: a"),
        (
            {"Exists": False, "Value": {"N": "x"}},
            "Value cannot be used when Exists is false for Attribute: a",
        ),
        (
            {"Exists": False, "AttributeValueList": [{"N": "x"}]},
            "AttributeValueList can only be used with a ComparisonOperator for Attribute: a",
        ),
        (
            {"AttributeValueList": []},
            "AttributeValueList can only be used with a ComparisonOperator for Attribute: a",
        ),
        (
            {"Value": {"N": "5"}, "AttributeValueList": [{"N": "5"}]},
            "Value and AttributeValueList cannot be used together for Attribute: a",
        ),
        (
            {"Value": {"N": "5"}, **compared("EQ", {"N": "5"})},
            "Value and AttributeValueList cannot be used together for Attribute: a",
        ),
        (
            {"Exists": True, "Value": {"N": "5"}, **compared("EQ", {"N": "5"})},
            "Exists and ComparisonOperator cannot be used together for Attribute: a",
        ),
        (
            {"ComparisonOperator": "IN"},
            (
                "Value or AttributeValueList must be used with ComparisonOperator: IN for"
                " Attribute: a"
            ),
        ),
        (
            {"ComparisonOperator": "NULL", "Value": {"N": "5"}},
            "Invalid number of argument(s) for the NULL ComparisonOperator",
        ),
        (
            {"ComparisonOperator": "BETWEEN", "Value": {"N": "5"}},
            "Invalid number of argument(s) for the BETWEEN ComparisonOperator",
        ),
    ],
)
def test_expectations_that_are_none(given: dict[str, Any], text: str) -> None:
    """What Expected may hold together, each with its text; the values themselves come later."""
    assert refusal(WRITES, Expected={"a": given}) == INVALID + text


COUNTS = {
    "EQ": {1},
    "NE": {1},
    "LE": {1},
    "LT": {1},
    "GE": {1},
    "GT": {1},
    "CONTAINS": {1},
    "NOT_CONTAINS": {1},
    "BEGINS_WITH": {1},
    "IN": {1, 2, 3},
    "BETWEEN": {2},
    "NULL": {0},
    "NOT_NULL": {0},
}


@pytest.mark.parametrize("operator", COUNTS)
def test_how_many_values_an_operator_takes(operator: str) -> None:
    """Every other number is refused, as is a missing list where one value is wanted."""
    values = [{"S": letter} for letter in "abc"]
    for count in range(4):
        request = {"ScanFilter": {"a": compared(operator, *values[:count])}}
        if count in COUNTS[operator]:
            assert SCANS.prepare(request).filter is not None
        else:
            assert refusal(SCANS, **request) == (
                f"{INVALID}Invalid number of argument(s) for the {operator} ComparisonOperator"
            )


@pytest.mark.parametrize(
    ("operator", "accepted"),
    [
        *[(operator, set(ITEM)) for operator in ("EQ", "NE")],
        *[(operator, {"S", "N", "B"}) for operator in ("LE", "LT", "GE", "GT", "IN", "BETWEEN")],
        *[(operator, {"S", "N", "B", "BOOL", "NULL"}) for operator in ("CONTAINS", "NOT_CONTAINS")],
        ("BEGINS_WITH", {"S", "B"}),
    ],
)
def test_which_types_an_operator_takes(operator: str, accepted: set[str]) -> None:
    for kind, value in ITEM.items():
        values = [value] * (2 if operator == "BETWEEN" else 1)
        request = {"ScanFilter": {"a": compared(operator, *values)}}
        if kind in accepted:
            assert SCANS.prepare(request).filter is not None
        else:
            assert refusal(SCANS, **request) == (
                f"{INVALID}ComparisonOperator {operator} is not valid for {kind} AttributeValue"
                " type"
            )


@pytest.mark.parametrize(
    ("condition", "text"),
    [
        (
            compared("BETWEEN", {"N": "1"}, {"S": "a"}),
            f"{INVALID}AttributeValues inside AttributeValueList must be of same type",
        ),
        (
            compared("IN", {"N": "1"}, {"S": "a"}, {"L": []}),
            f"{INVALID}AttributeValues inside AttributeValueList must be of same type",
        ),
        (
            compared("IN", {"N": "1"}, {"L": []}, {"S": "a"}),
            f"{INVALID}ComparisonOperator IN is not valid for L AttributeValue type",
        ),
        (
            compared("IN", {"N": "1"}, {"S": "a"}),
            f"{INVALID}AttributeValues inside AttributeValueList must be of same type",
        ),
        (
            compared("BETWEEN", {"N": "10"}, {"N": "9"}),
            (
                "The BETWEEN condition was provided a range where the lower bound is greater than"
                " the upper bound"
            ),
        ),
        (
            compared("LE", {"L": []}, {"N": "x"}),
            "The parameter cannot be converted to a numeric value: x",
        ),
        (
            compared("LE", {"L": []}, {"L": []}),
            f"{INVALID}Invalid number of argument(s) for the LE ComparisonOperator",
        ),
    ],
)
def test_values_are_judged_before_their_number_types_and_order(
    condition: dict[str, Any], text: str
) -> None:
    assert refusal(SCANS, ScanFilter={"a": condition}) == text
    assert refusal(WRITES, Expected={"a": condition}) == text


def test_each_condition_is_judged_whole_in_the_order_of_the_request() -> None:
    wrong_type, no_value = compared("LE", {"L": []}), compared("LE", {"N": "x"})
    first = refusal(SCANS, ScanFilter={"b": wrong_type, "a": no_value})
    assert first == f"{INVALID}ComparisonOperator LE is not valid for L AttributeValue type"
    second = refusal(SCANS, ScanFilter={"a": no_value, "b": wrong_type})
    assert second == "The parameter cannot be converted to a numeric value: x"


@pytest.mark.parametrize("name", ["", "a" * 65_536])
def test_names_that_no_attribute_has(name: str) -> None:
    for member in ("Expected", "ScanFilter"):
        parameters = WRITES if member == "Expected" else SCANS
        text = refusal(parameters, **{member: {name: compared("NULL")}})
        assert text is not None
        assert text.startswith("1 validation error detected: Attribute" if name else "Empty")


def test_a_conditional_operator_needs_two_conditions() -> None:
    """The conditions themselves come first (texts: AWS, 2026-07)."""
    without = "ConditionalOperator cannot be used without Filter or Expected"
    assert refusal(WRITES, ConditionalOperator="OR") == without
    assert refusal(WRITES, ConditionalOperator="OR", Expected={}) == without
    assert refusal(SCANS, ConditionalOperator="AND", AttributesToGet=["a", "a"]) == without
    assert refusal(WRITES, ConditionalOperator="AND", Expected={"a": {"Exists": False}}) == (
        "ConditionalOperator can only be used when Filter or Expected has two or more elements"
    )
    assert refusal(WRITES, ConditionalOperator="AND", Expected={"a": {}}) == (
        f"{INVALID}Value must be provided when Exists is null for Attribute: a"
    )
