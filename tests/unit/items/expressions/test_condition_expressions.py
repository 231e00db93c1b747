"""What conditions say of items, and which values they refuse."""

import pytest

from expression_requests import condition, given, refusal_of
from penstock.base.errors.api import ApiError
from penstock.items.expressions import prepare
from penstock.items.values import Item

ITEM: Item = {
    "s": {"S": "b"},
    "longer": {"S": "abcb"},
    "n": {"N": "5"},
    "b": {"B": "YmI="},  # bb
    "long_b": {"B": "YWJiYQ=="},  # abba
    "t": {"BOOL": True},
    "nothing": {"NULL": True},
    "ss": {"SS": ["a", "b"]},
    "ns": {"NS": ["1", "5"]},
    "bs": {"BS": ["YmI="]},
    "l": {"L": [{"S": "b"}, {"N": "5"}, {"L": []}]},
    "m": {"M": {"x": {"N": "5"}, "deep": {"L": [{"M": {"y": {"S": "b"}}}]}}},
    "blank": {"S": ""},
}


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("s = :s", True),
        ("s = :n", False),
        ("s <> :n", True),
        ("s <> :s", False),
        ("ss = :ss", True),
        ("m.x = n", True),
        ("m.deep[0].y = s", True),
        ("l[1] = n", True),
        ("l[7] = n", False),
        ("l.x = n", False),
        ("m[0] = n", False),
        ("s.x = n", False),
        ("absent = :s", False),
        ("absent <> :s", True),
        (":s <> absent", True),
        ("absent = gone", False),
        ("absent <> gone", True),
        ("nothing = :null", True),
        ("t = :t", True),
        (":one < :ten", True),
    ],
)
def test_equality(text: str, holds: bool) -> None:
    assert condition(text).holds(ITEM) is holds


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("n < :ten", True),
        ("n <= :n", True),
        ("n < :n", False),
        ("n > :one", True),
        ("n >= :n", True),
        (":ten > n", True),
        ("s > :a", True),
        ("s < :c", True),
        ("s >= :s", True),
        ("b <= :b", True),
        ("long_b < b", True),
        ("n < :s", False),
        ("n >= :s", False),
        ("t < s", False),
        ("ss <= ns", False),
        ("absent < :n", False),
        ("absent >= :n", False),
        ("blank < s", True),
    ],
)
def test_order_is_by_value_within_one_type_of_three(text: str, holds: bool) -> None:
    assert condition(text).holds(ITEM) is holds


def test_text_is_ordered_by_code_points_and_numbers_by_all_their_digits() -> None:
    text = condition("a < b")
    assert text.holds({"a": {"S": "\uffee"}, "b": {"S": "\U0001f600"}})
    assert not text.holds({"a": {"S": "a"}, "b": {"S": "B"}})
    digits = "9" * 37
    assert text.holds({"a": {"N": digits + "8"}, "b": {"N": digits + "9"}})
    assert text.holds({"a": {"N": "-10"}, "b": {"N": "-9.5"}})


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("n BETWEEN :one AND :ten", True),
        ("n BETWEEN :n AND :n", True),
        ("n BETWEEN m.x AND l[1]", True),
        ("s BETWEEN :a AND :c", True),
        ("s BETWEEN :c AND absent", False),
        ("n BETWEEN s AND :ten", False),
        ("absent BETWEEN :one AND :ten", False),
        ("s IN (:n, :s)", True),
        ("s IN (m.x, m.deep[0].y)", True),
        ("s IN (:n)", False),
        ("absent IN (gone)", False),
        ("l[0] IN (:s)", True),
    ],
)
def test_between_and_in(text: str, holds: bool) -> None:
    assert condition(text).holds(ITEM) is holds


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("attribute_exists(s)", True),
        ("attribute_exists(nothing)", True),
        ("attribute_exists(m.x)", True),
        ("attribute_exists(m.z)", False),
        ("attribute_exists(l[2])", True),
        ("attribute_exists(l[3])", False),
        ("attribute_not_exists(absent)", True),
        ("attribute_not_exists(s)", False),
        ("begins_with(longer, :a)", True),
        ("begins_with(longer, :s)", False),
        ("begins_with(long_b, :b)", False),
        ("begins_with(b, :b)", True),
        ("begins_with(n, :s)", False),
        ("begins_with(absent, :s)", False),
        ("begins_with(s, absent)", False),
        ("begins_with(:s, s)", True),
        ("begins_with(longer, blank)", True),
        ("contains(longer, :s)", True),
        ("contains(longer, :n)", False),
        ("contains(s, longer)", False),
        ("contains(long_b, :b)", True),
        ("contains(ss, :s)", True),
        ("contains(ss, :c)", False),
        ("contains(ss, :n)", False),
        ("contains(ns, :n)", True),
        ("contains(bs, :b)", True),
        ("contains(l, :n)", True),
        ("contains(l, :a)", False),
        ("contains(:ss, s)", True),
        ("contains(n, :n)", False),
        ("contains(m, s)", False),
        ("contains(absent, :s)", False),
        ("contains(s, absent)", False),
    ],
)
def test_functions(text: str, holds: bool) -> None:
    assert condition(text).holds(ITEM) is holds


@pytest.mark.parametrize(
    ("attribute", "size"),
    [("s", 1), ("blank", 0), ("long_b", 4), ("ss", 2), ("ns", 2), ("bs", 1), ("l", 3), ("m", 2)],
)
def test_size_counts_what_a_value_is_made_of(attribute: str, size: int) -> None:
    values = {":size": {"N": str(size)}}
    assert condition(f"size({attribute}) = :size", values=values).holds(ITEM)


@pytest.mark.parametrize("attribute", ["n", "t", "nothing", "absent"])
def test_what_has_no_size_compares_as_absent(attribute: str) -> None:
    assert not condition(f"size({attribute}) >= :one").holds(ITEM)
    assert condition(f"size({attribute}) <> :one").holds(ITEM)


def test_the_size_of_text_is_in_utf_16_units() -> None:
    values = {":four": {"N": "4"}}
    assert condition("size(a) = :four", values=values).holds({"a": {"S": "aé\U0001f600"}})


@pytest.mark.parametrize(
    ("attribute", "type_name"),
    [
        ("s", "S"),
        ("n", "N"),
        ("b", "B"),
        ("t", "BOOL"),
        ("nothing", "NULL"),
        ("ss", "SS"),
        ("ns", "NS"),
        ("bs", "BS"),
        ("l", "L"),
        ("m", "M"),
    ],
)
def test_attribute_type_knows_every_type(attribute: str, type_name: str) -> None:
    text = f"attribute_type({attribute}, :type)"
    assert condition(text, values={":type": {"S": type_name}}).holds(ITEM)
    other = "S" if type_name != "S" else "N"
    assert not condition(text, values={":type": {"S": other}}).holds(ITEM)
    assert not condition(text, values={":type": {"S": type_name}}).holds({})


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("NOT s = :n", True),
        ("NOT absent = :s", True),
        ("NOT NOT s = :s", True),
        ("NOT (s = :s AND n = :n)", False),
        ("s = :s OR n = :s AND n = :s", True),
        ("(s = :s OR n = :s) AND n = :s", False),
        ("NOT s = :n AND n = :n", True),
        ("NOT s = :s OR n = :n", True),
        ("s = :s AND n BETWEEN :one AND :ten AND t = :t", True),
    ],
)
def test_not_binds_before_and_and_and_before_or(text: str, holds: bool) -> None:
    assert condition(text).holds(ITEM) is holds


def test_an_item_that_does_not_exist_has_no_attributes() -> None:
    assert condition("attribute_not_exists(s)").holds(None)
    assert condition("s <> :s").holds(None)
    assert not condition("s = :s").holds(None)


def test_a_name_with_a_dot_is_one_attribute_behind_a_placeholder() -> None:
    item: Item = {"a.b": {"S": "b"}, "a": {"M": {"b": {"S": "c"}}}}
    assert condition("#x = :s", names={"#x": "a.b"}).holds(item)
    assert condition("a.#x = :c", names={"#x": "b"}).holds(item)


def test_a_condition_says_which_attributes_it_reads() -> None:
    text = "attribute_exists(m.x) AND (#n > :n OR contains(l[0], s)) AND size(b) = :n"
    names = {"#n": "n"}
    prepared = given("FilterExpression", text, names=names, values={":n": {"N": "5"}})
    assert prepared.filter is not None
    assert prepared.filter.names == {"m", "n", "l", "s", "b"}


@pytest.mark.parametrize(
    ("text", "operation"),
    [
        ("a = a", "="),
        ("a.b[1] <> a.b[1]", "<>"),
        ("a <= a", "<="),
        ("contains(a, a)", "contains"),
        ("begins_with(a, a)", "begins_with"),
        ("a BETWEEN :n AND a", "BETWEEN"),
        ("a IN (b, a)", "IN"),
    ],
)
def test_the_first_operand_stands_once(text: str, operation: str) -> None:
    path = "[a, b, [1]]" if ".b[1]" in text else "[a]"
    assert refusal_of("ConditionExpression", text) == (
        "The first operand must be distinct from the remaining operands for this operator or "
        f"function; operator: {operation}, first operand: {path}"
    )


def test_two_placeholders_for_one_name_are_one_operand() -> None:
    message = refusal_of("ConditionExpression", "#a = #b", names={"#a": "data", "#b": "data"})
    assert message.endswith("operator: =, first operand: [data]")


@pytest.mark.parametrize(
    ("text", "operation", "found"),
    [
        ("begins_with(a, :n)", "begins_with", "N"),
        ("begins_with(:l, a)", "begins_with", "L"),
        ("a < :t", "<", "BOOL"),
        (":ss >= a", ">=", "SS"),
        ("a BETWEEN :m AND :m", "BETWEEN", "M"),
        ("size(:n) = a", "size", "N"),
        ("contains(:n, a)", "contains", "N"),
        ("begins_with(a, size(b))", "begins_with", "N"),
        ("begins_with(size(b), :s)", "begins_with", "N"),
        ("size(size(a)) = :n", "size", "N"),
        ("contains(size(a), b)", "contains", "N"),
        ("attribute_type(a, :n)", "attribute_type", "N"),
        ("attribute_type(a, size(b))", "attribute_type", "N"),
        ("attribute_type(a, b)", "attribute_type", "{NS,SS,L,BS,N,M,B,BOOL,NULL,S}"),
    ],
)
def test_a_value_of_a_type_that_an_operation_cannot_take_is_refused(
    text: str, operation: str, found: str
) -> None:
    assert refusal_of("ConditionExpression", text) == (
        "Incorrect operand type for operator or function; "
        f"operator or function: {operation}, operand type: {found}"
    )


def test_the_type_that_attribute_type_asks_for_exists() -> None:
    values = {":x": {"S": "Number"}}
    message = refusal_of("ConditionExpression", "attribute_type(a, :x)", values=values)
    assert message == (
        "Invalid attribute type name found; type: Number, "
        "valid types: {B,NULL,SS,BOOL,L,BS,N,NS,S,M}"
    )


def test_the_bounds_of_between_are_of_one_type_and_in_order() -> None:
    assert refusal_of("ConditionExpression", "a BETWEEN :n AND :one") == (
        "The BETWEEN operator requires upper bound to be greater than or equal to lower bound; "
        "lower bound operand: AttributeValue: {N:5}, upper bound operand: AttributeValue: {N:1}"
    )
    assert refusal_of("ConditionExpression", "a BETWEEN :s AND :n") == (
        "The BETWEEN operator requires same data type for lower and upper bounds; "
        "lower bound operand: AttributeValue: {S:b}, upper bound operand: AttributeValue: {N:5}"
    )


def test_values_are_checked_on_every_request_also_when_the_text_is_known() -> None:
    text = "a BETWEEN :low AND :high"
    bounds = {":low": {"N": "1"}, ":high": {"N": "2"}}
    assert condition(text, values=bounds).holds({"a": {"N": "1.5"}})
    request = {
        "ConditionExpression": text,
        "ExpressionAttributeValues": {":low": {"N": "3"}, ":high": {"N": "2"}},
    }
    with pytest.raises(ApiError, match="requires upper bound"):
        prepare(request, ("ConditionExpression",))
