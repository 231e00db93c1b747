"""KeyConditions, QueryFilter, ScanFilter and AttributesToGet of Query and Scan.

What each operator says of each type, and what binds to which key, is shown in
tests/unit/items/legacy.
"""

from collections.abc import Callable
from typing import Any

import pytest

from wire import wrong_json
from wire.refusal_texts import constraint

Item = dict[str, Any]
INVALID = "One or more parameter values were invalid: "
OPERATORS = (
    "satisfy enum value set: [IN, NULL, BETWEEN, LT, NOT_CONTAINS, EQ, GT, NOT_NULL, NE, LE,"
    " BEGINS_WITH, GE, CONTAINS]"
)
MEMBERS = [("Query", "KeyConditions"), ("Query", "QueryFilter"), ("Scan", "ScanFilter")]
NO_KEY = (
    "Either the KeyConditions or KeyConditionExpression parameter must be specified in the request."
)


def compared(operator: str, *operands: Item) -> Item:
    return {"ComparisonOperator": operator, "AttributeValueList": list(operands)}


def number(value: int) -> Item:
    return {"N": str(value)}


@pytest.fixture
def partition(ddb: Any, sorted_table: str, key: Item) -> Item:
    """The key condition of a partition of `sorted_table` that holds `sk` 1 to 5."""
    for n in range(1, 6):
        item = {**key, "sk": number(n), "parity": {"S": "odd" if n % 2 else "even"}}
        if n > 3:
            item["tall"] = {"BOOL": True}
        ddb.put_item(TableName=sorted_table, Item=item)
    return {"pk": compared("EQ", key["pk"])}


def found(answer: Any) -> list[int]:
    """Return the sort keys of the items of an answer."""
    return [int(item["sk"]["N"]) for item in answer["Items"]]


# --- serialisation


@pytest.mark.parametrize(("action", "member"), MEMBERS)
def test_wrong_json_types(unreadable: Callable[..., str], action: str, member: str) -> None:
    """Every member of a condition has its type, and so has every value in it."""
    wrong = [
        *wrong_json.structure("Condition"),
        *[({"ComparisonOperator": value}, text) for value, text in wrong_json.STRING],
        *[({"AttributeValueList": value}, text) for value, text in wrong_json.LIST],
        *[({"AttributeValueList": [value]}, text) for value, text in wrong_json.ATTRIBUTE_VALUE],
    ]
    for value, text in wrong:
        assert unreadable(action, {"TableName": "abc", member: {"a": value}}) == text, value
    for value, text in wrong_json.map_of(f"{wrong_json.JAVA}Condition"):
        assert unreadable(action, {"TableName": "abc", member: value}) == text, value


# --- validation


@pytest.mark.parametrize(("action", "member"), MEMBERS)
def test_constraints(invalid: Callable[..., str], action: str, member: str) -> None:
    """A condition has an operator, which is one of 13."""
    path = f"{member[0].lower()}{member[1:]}.a.member"
    for given, shown, rule in (
        ({}, None, "not be null"),
        ({"ComparisonOperator": "="}, "=", OPERATORS),
    ):
        request = {"TableName": "abc", member: {"a": given}}
        told = constraint(shown, f"{path}.comparisonOperator", rule)
        assert invalid(action, request) == told


@pytest.mark.parametrize(("action", "member"), MEMBERS)
@pytest.mark.parametrize(
    ("condition", "text"),
    [
        (
            {"ComparisonOperator": "EQ"},
            f"{INVALID}Invalid number of argument(s) for the EQ ComparisonOperator",
        ),
        (
            compared("BETWEEN", number(1)),
            f"{INVALID}Invalid number of argument(s) for the BETWEEN ComparisonOperator",
        ),
        (
            compared("GT", {"SS": ["a"]}),
            f"{INVALID}ComparisonOperator GT is not valid for SS AttributeValue type",
        ),
        (
            compared("BETWEEN", number(1), {"S": "a"}),
            f"{INVALID}AttributeValues inside AttributeValueList must be of same type",
        ),
        (
            compared("BETWEEN", number(2), number(1)),
            (
                "The BETWEEN condition was provided a range where the lower bound is greater than"
                " the upper bound"
            ),
        ),
        (compared("EQ", {"N": "x"}), "The parameter cannot be converted to a numeric value: x"),
    ],
)
def test_conditions_that_are_none(
    invalid: Callable[..., str], action: str, member: str, condition: Item, text: str
) -> None:
    """Whatever table they are meant for."""
    assert invalid(action, {"TableName": "no-such-table", member: {"a": condition}}) == text


@pytest.mark.parametrize(
    ("action", "body", "text"),
    [
        ("Query", {"QueryFilter": {"a": compared("NULL")}}, NO_KEY),
        ("Query", {"KeyConditions": {}}, "Conditions can be of length 1 or 2 only"),
        (
            "Query",
            {"KeyConditions": {"pk": compared("EQ", number(1))}, "ConditionalOperator": "AND"},
            "ConditionalOperator cannot be used without Filter or Expected",
        ),
        (
            "Scan",
            {"ScanFilter": {"a": compared("NULL")}, "ConditionalOperator": "OR"},
            "ConditionalOperator can only be used when Filter or Expected has two or more elements",
        ),
        (
            "Scan",
            {"AttributesToGet": ["a", "a"]},
            f"{INVALID}Duplicate value in attribute name: a",
        ),
        (
            "Scan",
            {"AttributesToGet": []},
            constraint("[]", "attributesToGet", "have length greater than or equal to 1"),
        ),
        (
            "Query",
            {
                "KeyConditions": {"pk": compared("EQ", number(1))},
                "ExpressionAttributeValues": {":a": number(1)},
            },
            (
                "ExpressionAttributeValues can only be specified when using expressions:"
                " FilterExpression and KeyConditionExpression are null"
            ),
        ),
    ],
)
def test_requests_that_are_none(
    invalid: Callable[..., str], action: str, body: Item, text: str
) -> None:
    """Told without a table."""
    assert invalid(action, {"TableName": "no-such-table", **body}) == text


ALL_OF_QUERY = {
    "AttributesToGet": ["a"],
    "QueryFilter": {"a": compared("EQ")},
    "ConditionalOperator": "AND",
    "KeyConditions": {},
}


@pytest.mark.parametrize(
    ("action", "body", "legacy", "expressions"),
    [
        (
            "Query",
            ALL_OF_QUERY | {"KeyConditionExpression": "(", "FilterExpression": "("},
            "AttributesToGet, QueryFilter, ConditionalOperator, KeyConditions",
            "FilterExpression, KeyConditionExpression",
        ),
        (
            "Query",
            ALL_OF_QUERY | {"ProjectionExpression": "("},
            "AttributesToGet, QueryFilter, ConditionalOperator",
            "ProjectionExpression",
        ),
        (
            "Query",
            {"QueryFilter": {}, "KeyConditionExpression": "pk = :p"},
            "QueryFilter",
            "KeyConditionExpression",
        ),
        (
            "Scan",
            {
                "ScanFilter": {},
                "ConditionalOperator": "OR",
                "AttributesToGet": ["a"],
                "FilterExpression": "(",
                "ProjectionExpression": "(",
            },
            "AttributesToGet, ScanFilter, ConditionalOperator",
            "ProjectionExpression, FilterExpression",
        ),
    ],
)
def test_both_styles(
    invalid: Callable[..., str], action: str, body: Item, legacy: str, expressions: str
) -> None:
    """All are listed in AWS's order, before any of them or Select is judged."""
    request = {"TableName": "abc", "Select": "COUNT", **body}
    assert invalid(action, request) == (
        "Can not use both expression and non-expression parameters in the same request:"
        f" Non-expression parameters: {{{legacy}}} Expression parameters: {{{expressions}}}"
    )


@pytest.mark.parametrize(
    ("action", "opening"), [("Query", "1 validation error detected: "), ("Scan", "")]
)
def test_select_has_to_go_with_the_attributes_to_get(
    invalid: Callable[..., str], action: str, opening: str
) -> None:
    """As with a projection, by their own name."""
    for select, wanted in (
        ("COUNT", "only the Count"),
        ("ALL_ATTRIBUTES", "ALL_ATTRIBUTES"),
        ("ALL_PROJECTED_ATTRIBUTES", "ALL_PROJECTED_ATTRIBUTES"),
    ):
        request = {"TableName": "abc", "Select": select, "AttributesToGet": ["a"]}
        assert invalid(action, request) == (
            f"{opening}Cannot specify the AttributesToGet when choosing to get {wanted}"
        )


@pytest.mark.parametrize(
    ("conditions", "text"),
    [
        (
            {"sk": compared("EQ", number(1))},
            "Query condition missed key schema element: pk",
        ),
        (
            {"pk": compared("EQ", {"S": "a"}), "a": compared("EQ", number(1))},
            "Query condition missed key schema element: sk",
        ),
        ({"pk": compared("GT", {"S": "a"})}, "Query key condition not supported"),
        (
            {"pk": compared("EQ", {"S": "a"}), "sk": compared("NE", number(1))},
            "Attempted conditional constraint is not an indexable operation",
        ),
        (
            {"pk": compared("EQ", {"S": "a"}), "sk": compared("EQ", {"S": "a"})},
            f"{INVALID}Condition parameter type does not match schema type",
        ),
        (
            {name: compared("EQ", {"S": "a"}) for name in ("pk", "sk", "a")},
            "Conditions can be of length 1 or 2 only",
        ),
    ],
)
def test_conditions_that_the_key_does_not_take(
    invalid: Callable[..., str], sorted_table: str, conditions: Item, text: str
) -> None:
    """Told once the table is known."""
    assert invalid("Query", {"TableName": sorted_table, "KeyConditions": conditions}) == text


def test_a_query_filters_by_no_key(
    invalid: Callable[..., str], sorted_table: str, partition: Item
) -> None:
    """A scan does."""
    for name, value in (("pk", {"S": "a"}), ("sk", number(1))):
        request = {
            "TableName": sorted_table,
            "KeyConditions": partition,
            "QueryFilter": {name: compared("EQ", value)},
        }
        assert invalid("Query", request) == (
            "QueryFilter can only contain non-primary key attributes: Primary key attribute:"
            f" {name}"
        )


# --- behaviour


@pytest.mark.parametrize(
    ("condition", "numbers"),
    [
        (None, [1, 2, 3, 4, 5]),
        (compared("EQ", number(3)), [3]),
        (compared("LT", number(3)), [1, 2]),
        (compared("LE", number(3)), [1, 2, 3]),
        (compared("GT", number(3)), [4, 5]),
        (compared("GE", {"N": "3.0"}), [3, 4, 5]),
        (compared("BETWEEN", number(2), number(4)), [2, 3, 4]),
    ],
)
def test_key_conditions_choose_a_range(
    ddb: Any, sorted_table: str, partition: Item, condition: Item | None, numbers: list[int]
) -> None:
    """In the order of the sort key or backwards, and page by page."""
    conditions = partition if condition is None else {**partition, "sk": condition}
    request = {"TableName": sorted_table, "KeyConditions": conditions}
    assert found(ddb.query(**request)) == numbers
    assert found(ddb.query(**request, ScanIndexForward=False)) == numbers[::-1]
    page = ddb.query(**request, Limit=1)
    assert found(page) == numbers[:1]
    rest = ddb.query(**request, ExclusiveStartKey=page["LastEvaluatedKey"])
    assert found(rest) == numbers[1:]


def test_text_that_begins_with_another(ddb: Any, new_table: Callable[..., str]) -> None:
    table = new_table(sort="S")
    for name in ("a", "ab", "abc", "b"):
        ddb.put_item(TableName=table, Item={"pk": {"S": "p"}, "sk": {"S": name}})
    answer = ddb.query(
        TableName=table,
        KeyConditions={
            "sk": compared("BEGINS_WITH", {"S": "ab"}),
            "pk": compared("EQ", {"S": "p"}),
        },
    )
    assert [item["sk"]["S"] for item in answer["Items"]] == ["ab", "abc"]


def test_query_filters(ddb: Any, sorted_table: str, partition: Item) -> None:
    """What is filtered out is counted as scanned; conditions are joined as asked."""
    even, tall = compared("EQ", {"S": "even"}), compared("NOT_NULL")
    request = {"TableName": sorted_table, "KeyConditions": partition}
    answer = ddb.query(**request, QueryFilter={"parity": even})
    assert found(answer) == [2, 4]
    assert (answer["Count"], answer["ScannedCount"]) == (2, 5)
    both = {"parity": even, "tall": tall}
    assert found(ddb.query(**request, QueryFilter=both)) == [4]
    assert found(ddb.query(**request, QueryFilter=both, ConditionalOperator="OR")) == [2, 4, 5]
    assert found(ddb.query(**request, QueryFilter={})) == [1, 2, 3, 4, 5]
    counted = ddb.query(**request, QueryFilter=both, Select="COUNT")
    assert (counted["Count"], "Items" in counted) == (1, False)


def test_key_conditions_go_with_a_filter_expression(
    ddb: Any, sorted_table: str, partition: Item
) -> None:
    """And with a projection expression: of the legacy parameters only they do."""
    answer = ddb.query(
        TableName=sorted_table,
        KeyConditions=partition,
        FilterExpression="attribute_exists(tall)",
        ProjectionExpression="sk",
    )
    assert answer["Items"] == [{"sk": number(4)}, {"sk": number(5)}]


def test_scan_filters(ddb: Any, sorted_table: str, partition: Item) -> None:
    """Also by the key; items without the attribute are unlike every value."""
    of_partition = partition["pk"]
    small = {"pk": of_partition, "tall": compared("NE", {"BOOL": True})}
    assert found(ddb.scan(TableName=sorted_table, ScanFilter=small)) == [1, 2, 3]
    chosen = {"pk": of_partition, "sk": compared("IN", number(2), number(5), number(9))}
    assert found(ddb.scan(TableName=sorted_table, ScanFilter=chosen)) == [2, 5]
    mixed = {"pk": of_partition, "parity": compared("BEGINS_WITH", {"S": "o"})}
    assert found(ddb.scan(TableName=sorted_table, ScanFilter=mixed)) == [1, 3, 5]


def test_attributes_to_get(ddb: Any, sorted_table: str, partition: Item) -> None:
    """Only those that an item has; Select may say the same once more."""
    for select in ({}, {"Select": "SPECIFIC_ATTRIBUTES"}):
        answer = ddb.query(
            TableName=sorted_table,
            KeyConditions={**partition, "sk": compared("GE", number(3))},
            AttributesToGet=["tall", "sk", "never"],
            **select,
        )
        tall = {"tall": {"BOOL": True}}
        assert answer["Items"] == [
            {"sk": number(3)},
            {"sk": number(4), **tall},
            {"sk": number(5), **tall},
        ]
    answer = ddb.scan(TableName=sorted_table, ScanFilter=partition, AttributesToGet=["parity"])
    assert answer["Items"] == [{"parity": {"S": "odd" if n % 2 else "even"}} for n in range(1, 6)]


def test_the_tables_of_the_kinesis_client_library_are_scanned_by_entity(
    ddb: Any, plain: str, key: Item
) -> None:
    """Its scans in segments find each item once."""
    ddb.put_item(TableName=plain, Item={**key, "entityType": {"S": f"LEASE-{key['pk']['S']}"}})
    wanted = {"entityType": compared("EQ", {"S": f"LEASE-{key['pk']['S']}"})}
    pages = [
        ddb.scan(TableName=plain, ScanFilter=wanted, Segment=segment, TotalSegments=3)
        for segment in range(3)
    ]
    assert [item["pk"] for page in pages for item in page["Items"]] == [key["pk"]]


def test_indexes(ddb: Any, invalid: Callable[..., str], new_table: Callable[..., str]) -> None:
    """They are read as a table is, also by a key of several attributes, and filtered by no key."""
    kinds = {"pk": "S", "color": "S", "size": "N"}
    table = new_table(
        AttributeDefinitions=[
            {"AttributeName": name, "AttributeType": kind} for name, kind in kinds.items()
        ],
        GlobalSecondaryIndexes=[
            {
                "IndexName": name,
                "KeySchema": [
                    {"AttributeName": "color", "KeyType": "HASH"},
                    {"AttributeName": "size", "KeyType": second},
                ],
                "Projection": {"ProjectionType": "ALL"},
            }
            for name, second in (("by-size", "RANGE"), ("by-both", "HASH"))
        ],
    )
    for n in range(6):
        color = {} if n == 0 else {"color": {"S": "red" if n % 2 else "blue"}}
        item = {"pk": {"S": f"item-{n}"}, "size": number(n), "n": number(n), **color}
        ddb.put_item(TableName=table, Item=item)
    red = {"color": compared("EQ", {"S": "red"})}
    by_size = {"TableName": table, "IndexName": "by-size"}

    def numbers(answer: Any) -> list[int]:
        return [int(item["n"]["N"]) for item in answer["Items"]]

    above = {**red, "size": compared("GT", number(1))}
    assert numbers(ddb.query(**by_size, KeyConditions=above)) == [3, 5]
    assert numbers(
        ddb.query(**by_size, KeyConditions=red, QueryFilter={"n": compared("NE", number(3))})
    ) == [1, 5]
    both = {**red, "size": compared("EQ", number(3))}
    assert numbers(ddb.query(TableName=table, IndexName="by-both", KeyConditions=both)) == [3]
    assert sorted(numbers(ddb.scan(**by_size, ScanFilter=red))) == [1, 3, 5]
    request = {**by_size, "KeyConditions": red, "QueryFilter": {"size": compared("NOT_NULL")}}
    assert invalid("Query", request) == (
        "QueryFilter can only contain non-primary key attributes: Primary key attribute: size"
    )
    alone = {"TableName": table, "IndexName": "by-both", "KeyConditions": red}
    assert invalid("Query", alone) == "Query condition missed key schema element: size"
