"""Which parameters go together, AttributesToGet, and KeyConditions bound to a key."""

from typing import Any

import pytest

from penstock.base.errors.api import ApiError
from penstock.items.expressions import KeyRange
from penstock.items.keys import KeyAttribute, KeySchema
from penstock.items.legacy import Parameters

UPDATES = Parameters(
    ("UpdateExpression", "ConditionExpression"),
    ("AttributeUpdates", "Expected", "ConditionalOperator"),
)
QUERIES = Parameters(
    ("FilterExpression", "ProjectionExpression", "KeyConditionExpression"),
    ("AttributesToGet", "QueryFilter", "ConditionalOperator", "KeyConditions"),
)
MIXED = "Can not use both expression and non-expression parameters in the same request: "
PK, SK = KeyAttribute("pk", "S"), KeyAttribute("sk", "N")
TABLE = KeySchema((PK,), (SK,))
A, ONE, FIVE = {"S": "a"}, {"N": "1"}, {"N": "5"}


def compared(operator: str, *operands: Any) -> dict[str, Any]:
    return {"ComparisonOperator": operator, "AttributeValueList": list(operands)}


def text_of(refused: pytest.ExceptionInfo[ApiError]) -> str | None:
    assert refused.value.code == "ValidationException"
    return refused.value.message


def bound(schema: KeySchema, **conditions: Any) -> KeyRange:
    found = QUERIES.prepare({"KeyConditions": conditions}).key_condition
    assert found is not None
    return found.bind(schema)


def refused_bind(schema: KeySchema, **conditions: Any) -> str | None:
    with pytest.raises(ApiError) as refused:
        bound(schema, **conditions)
    return text_of(refused)


# --- styles


@pytest.mark.parametrize(
    ("parameters", "members", "text"),
    [
        (
            UPDATES,
            [
                "ConditionExpression",
                "UpdateExpression",
                "ConditionalOperator",
                "Expected",
                "AttributeUpdates",
            ],
            (
                "Non-expression parameters: {AttributeUpdates, Expected, ConditionalOperator}"
                " Expression parameters: {UpdateExpression, ConditionExpression}"
            ),
        ),
        (
            UPDATES,
            ["Expected", "UpdateExpression"],
            "Non-expression parameters: {Expected} Expression parameters: {UpdateExpression}",
        ),
        (
            QUERIES,
            [
                "KeyConditionExpression",
                "FilterExpression",
                "ProjectionExpression",
                "KeyConditions",
                "ConditionalOperator",
                "QueryFilter",
                "AttributesToGet",
            ],
            (
                "Non-expression parameters: {AttributesToGet, QueryFilter, ConditionalOperator,"
                " KeyConditions} Expression parameters: {ProjectionExpression, FilterExpression,"
                " KeyConditionExpression}"
            ),
        ),
        (
            QUERIES,
            ["KeyConditions", "AttributesToGet", "FilterExpression"],
            (
                "Non-expression parameters: {AttributesToGet}"
                " Expression parameters: {FilterExpression}"
            ),
        ),
    ],
)
def test_both_styles_in_one_request(parameters: Parameters, members: list[str], text: str) -> None:
    """All parameters are listed, in one order whatever that of the request; they may be empty."""
    with pytest.raises(ApiError) as refused:
        parameters.check_style({member: {} for member in members})
    assert text_of(refused) == MIXED + text


@pytest.mark.parametrize(
    "members",
    [
        ["AttributesToGet", "QueryFilter", "ConditionalOperator", "KeyConditions"],
        ["KeyConditions", "FilterExpression", "ProjectionExpression"],
        ["KeyConditionExpression", "FilterExpression"],
        [],
    ],
)
def test_styles_that_go_together(members: list[str]) -> None:
    """Only KeyConditions may stand beside expressions, those that do not stand in their place."""
    QUERIES.check_style({member: {} for member in members})


def test_expressions_and_key_conditions_of_one_query() -> None:
    """What the other expressions are wrong in comes before what KeyConditions are wrong in."""
    request: dict[str, Any] = {
        "KeyConditions": {"pk": compared("EQ", A)},
        "FilterExpression": "n = :n",
        "ExpressionAttributeValues": {":n": ONE},
    }
    prepared = QUERIES.prepare(request)
    assert prepared.filter is not None
    assert prepared.filter.holds({"n": ONE})
    assert prepared.key_condition is not None
    with pytest.raises(ApiError) as refused:
        QUERIES.prepare(request | {"FilterExpression": "((", "KeyConditions": {}})
    assert (text_of(refused) or "").startswith("Invalid FilterExpression: ")


@pytest.mark.parametrize(
    ("member", "text"),
    [
        (
            "ExpressionAttributeNames",
            "ExpressionAttributeNames can only be specified when using expressions",
        ),
        (
            "ExpressionAttributeValues",
            (
                "ExpressionAttributeValues can only be specified when using expressions:"
                " UpdateExpression and ConditionExpression are null"
            ),
        ),
    ],
)
def test_placeholders_are_for_expressions(member: str, text: str) -> None:
    with pytest.raises(ApiError) as refused:
        UPDATES.prepare({"Expected": {"a": {}}, member: {"#a": "a"}})
    assert text_of(refused) == text


# --- AttributesToGet


def test_attributes_to_get_are_whole_attributes() -> None:
    """A name is taken as it is: it is no path, and may be a reserved word."""
    projection = QUERIES.prepare({"AttributesToGet": ["a", "m.x", "l[0]", "size"]}).projection
    assert projection is not None
    item: dict[str, Any] = {
        "a": ONE,
        "b": ONE,
        "m": {"M": {"x": ONE}},
        "m.x": A,
        "l": {"L": [A]},
        "size": A,
    }
    assert projection.apply(item) == {"a": ONE, "m.x": A, "size": A}
    assert projection.names == {"a", "m.x", "l[0]", "size"}
    assert projection.nested == frozenset()


@pytest.mark.parametrize(
    ("names", "text"),
    [
        (
            ["a", "b", "b", "a"],
            "One or more parameter values were invalid: Duplicate value in attribute name: b",
        ),
        (["a", ""], "Empty attribute name"),
    ],
)
def test_attributes_that_cannot_be_asked_for(names: list[str], text: str) -> None:
    with pytest.raises(ApiError) as refused:
        QUERIES.prepare({"AttributesToGet": names})
    assert text_of(refused) == text


# --- KeyConditions


@pytest.mark.parametrize(
    ("condition", "asked"),
    [
        (compared("EQ", FIVE), KeyRange((A,), (FIVE,))),
        (compared("LT", FIVE), KeyRange((A,), (), "<", FIVE)),
        (compared("LE", FIVE), KeyRange((A,), (), "<=", FIVE)),
        (compared("GT", FIVE), KeyRange((A,), (), ">", FIVE)),
        (compared("GE", {"N": "5.0"}), KeyRange((A,), (), ">=", FIVE)),
        (compared("BETWEEN", ONE, FIVE), KeyRange((A,), (), "BETWEEN", ONE, FIVE)),
    ],
)
def test_key_conditions_become_ranges(condition: dict[str, Any], asked: KeyRange) -> None:
    """The order in which a request names the attributes of a key does not matter."""
    assert bound(TABLE, pk=compared("EQ", A), sk=condition) == asked
    assert bound(TABLE, sk=condition, pk=compared("EQ", A)) == asked


def test_a_partition_alone_and_the_beginning_of_a_sort_key() -> None:
    assert bound(TABLE, pk=compared("EQ", A)) == KeyRange((A,))
    texts = KeySchema((PK,), (KeyAttribute("sk", "S"),))
    begins = KeyRange((A,), (), "begins_with", A)
    assert bound(texts, pk=compared("EQ", A), sk=compared("BEGINS_WITH", A)) == begins


def test_keys_of_several_attributes() -> None:
    """AWS takes KeyConditions for them, as ScyllaDB's tests saw in 2026-09."""
    schema = KeySchema((PK, KeyAttribute("pk2", "N")), (SK, KeyAttribute("sk2", "S")))
    equal = {"pk": compared("EQ", A), "pk2": compared("EQ", ONE), "sk": compared("EQ", FIVE)}
    assert bound(schema, **equal, sk2=compared("GT", A)) == KeyRange((A, ONE), (FIVE,), ">", A)
    assert refused_bind(schema, **equal, sk2=compared("NE", A)) == (
        "Attempted conditional constraint is not an indexable operation"
    )


UNINDEXABLE = {
    "NE": [FIVE],
    "IN": [FIVE],
    "NULL": [],
    "NOT_NULL": [],
    "CONTAINS": [FIVE],
    "NOT_CONTAINS": [FIVE],
}


@pytest.mark.parametrize("operator", UNINDEXABLE)
def test_operators_that_choose_no_range(operator: str) -> None:
    """Such an operator is refused where its attribute stands, after what else the key misses."""
    condition = compared(operator, *UNINDEXABLE[operator])
    unsupported = "Query key condition not supported"
    missed = "Query condition missed key schema element: "
    assert refused_bind(TABLE, pk=compared("EQ", A), sk=condition) == (
        "Attempted conditional constraint is not an indexable operation"
    )
    assert refused_bind(TABLE, pk=condition) == unsupported
    assert refused_bind(TABLE, pk=condition, sk=compared("EQ", FIVE)) == unsupported
    assert refused_bind(TABLE, pk=condition, sk=condition) == unsupported
    assert refused_bind(TABLE, sk=condition) == f"{missed}pk"
    assert refused_bind(TABLE, pk=compared("EQ", A), other=condition) == f"{missed}sk"
    alone = KeySchema((PK,))
    assert refused_bind(alone, pk=compared("EQ", A), sk=condition) == unsupported


def test_refusals_of_the_key() -> None:
    """What an expression is refused for with its table is refused with the same texts."""
    equal = compared("EQ", A)
    assert refused_bind(TABLE, pk=compared("GT", A)) == "Query key condition not supported"
    assert refused_bind(TABLE, pk=equal, sk=equal) == (
        "One or more parameter values were invalid: Condition parameter type does not match schema"
        " type"
    )
    assert refused_bind(TABLE, pk=compared("EQ", {"S": ""})) == (
        "One or more parameter values are not valid. The AttributeValue for a key attribute cannot"
        " contain an empty string value. Key: pk"
    )
    assert refused_bind(TABLE, pk=equal, sk=equal, more=equal) == (
        "Conditions can be of length 1 or 2 only"
    )


def test_refusals_before_the_key_is_known() -> None:
    """No condition at all, and conditions that no filter may have either."""
    assert refused_bind(TABLE) == "Conditions can be of length 1 or 2 only"
    assert refused_bind(TABLE, pk=compared("EQ")) == (
        "One or more parameter values were invalid: Invalid number of argument(s) for the EQ"
        " ComparisonOperator"
    )
    assert refused_bind(TABLE, **{"": compared("EQ", A)}) == "Empty attribute name"
