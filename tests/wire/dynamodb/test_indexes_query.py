"""Query of indexes: what may be asked of them, in which order it is judged, and what comes back.

Where DynamoDB Local 2.6.1 answers otherwise, the tests follow AWS: it has texts of its own for
consistent reads and starting keys, and takes a query for a key that is too large.
"""

from collections.abc import Callable
from typing import Any

import pytest

from wire.indexed_tables import MANY, index, item, make_indexed, put_all, value_of

QUERY = "DynamoDB_20120810.Query"
VALIDATION = "ValidationException"
INVALID = "One or more parameter values were invalid: "
NESTED = (
    "Key attributes must be scalars; list random access '[]' and map lookup '.' are not allowed: "
)
NewTable = Callable[..., str]
Refused = Callable[..., str]


def ask(ddb: Any, table: str, name: str, condition: str, **more: Any) -> dict[str, Any]:
    """Query an index; the values of placeholders are under `values`, by their names."""
    values = {f":{key}": value_of(value) for key, value in more.pop("values", {}).items()}
    answer: dict[str, Any] = ddb.query(
        TableName=table,
        IndexName=name,
        KeyConditionExpression=condition,
        ExpressionAttributeValues=values,
        **more,
    )
    return answer


def every_page(ddb: Any, table: str, name: str, condition: str, **more: Any) -> list[Any]:
    """Return the items of all pages of a query."""
    found: list[Any] = []
    while True:
        page = ask(ddb, table, name, condition, **more)
        found += page["Items"]
        if "LastEvaluatedKey" not in page:
            return found
        more["ExclusiveStartKey"] = page["LastEvaluatedKey"]


@pytest.fixture
def table(ddb: Any, new_table: NewTable) -> str:
    """Ten items of two partitions in two groups, half of them with what `some` needs."""
    name = make_indexed(new_table)
    items = [
        item("p" if n < 7 else "q", n, g="a" if n < 8 else "b", h=n // 3, l=f"l{9 - n}", y="y" * 99)
        for n in range(10)
    ]
    for each in items[::2]:
        each |= {"b": {"B": b"b"}, "x": {"S": "x"}}
    put_all(ddb, name, items)
    return name


def numbers(answer: dict[str, Any] | list[Any]) -> list[int]:
    """Return the sort keys of what came back."""
    items = answer["Items"] if isinstance(answer, dict) else answer
    return [int(each["sk"]["N"]) for each in items]


# --- serialisation


def test_an_index_is_named_by_a_text(rejected: Callable[..., Any]) -> None:
    text = "NUMBER_VALUE cannot be converted to String"
    assert rejected(QUERY, {"IndexName": 5}) == ("SerializationException", text)


# --- validation


@pytest.mark.parametrize(
    ("name", "constraint"),
    [
        ("no", "length greater than or equal to 3"),
        ("n" * 256, "length less than or equal to 255"),
        ("no!", "satisfy regular expression pattern: [a-zA-Z0-9_.-]+"),
    ],
)
def test_the_name_is_judged_with_the_shape(
    rejected: Callable[..., Any], name: str, constraint: str
) -> None:
    must = "Member must" if constraint.startswith("satisfy") else "Member must have"
    assert rejected(QUERY, {"TableName": "abc", "IndexName": name}) == (
        VALIDATION,
        (
            f"1 validation error detected: Value '{name}' at 'indexName' failed to satisfy"
            f" constraint: {must} {constraint}"
        ),
    )


A = {"a": "a"}
REFUSALS: list[tuple[str, str, dict[str, Any], str]] = [
    ("nope", "g = :a", A, "The table does not have the specified index: nope"),
    ("keys", "h = :a", {"a": 1}, "Query condition missed key schema element: g"),
    ("keys", "g = :a AND pk = :a", A, "Query condition missed key schema element: h"),
    ("all", "g = :a AND h = :h", {**A, "h": 1}, "Query key condition not supported"),
    ("keys", "g > :a", A, "Query key condition not supported"),
    (
        "keys",
        "g = :a AND h = :h AND pk = :a",
        {**A, "h": 1},
        "Conditions can be of length 1 or 2 only",
    ),
    (
        "keys",
        "g = :a",
        {"a": 1},
        INVALID + "Condition parameter type does not match schema type",
    ),
    (
        "keys",
        "g = :a",
        {"a": ""},
        (
            "One or more parameter values are not valid. A value specified for a secondary index"
            " key is not supported. The AttributeValue for a key attribute cannot contain an empty"
            " string value. IndexName: keys, IndexKey: g"
        ),
    ),
    (
        "all",
        "g = :a",
        {"a": "x" * 2049},
        INVALID + "Size of hashkey has exceeded the maximum size limit of2048 bytes",
    ),
    (
        "local-keys",
        "pk = :a AND begins_with(l, :l)",
        {**A, "l": "x" * 1025},
        INVALID + "Aggregated size of all range keys has exceeded the size limit of 1024 bytes",
    ),
]


def test_key_conditions_are_judged_by_the_key_of_the_index(
    ddb: Any, refused: Refused, new_table: NewTable
) -> None:
    table = make_indexed(new_table)
    for name, condition, values, text in REFUSALS:
        message = refused(
            VALIDATION, ask, ddb=ddb, table=table, name=name, condition=condition, values=values
        )
        assert message == text, (name, condition)


UNPROJECTED: list[tuple[str, dict[str, Any], str]] = [
    (
        "keys",
        {"Select": "ALL_ATTRIBUTES"},
        INVALID + "Select type ALL_ATTRIBUTES is not supported for global secondary index keys"
        " because its projection type is not ALL",
    ),
    (
        "keys",
        {"ProjectionExpression": "y.z, pk, #x", "ExpressionAttributeNames": {"#x": "x"}},
        INVALID + "Global secondary index keys does not project [x, y]",
    ),
    (
        "keys",
        {"FilterExpression": "attribute_exists(y) OR attribute_exists(w[1]) OR sk = :one"},
        INVALID + "Secondary index keys does not project one or more filter attributes: [w, y]",
    ),
    (
        "local-some",
        {"FilterExpression": "y = :a AND sk = :one", "Select": "ALL_ATTRIBUTES"},
        INVALID + "Secondary index local-some does not project one or more filter attributes: [y]",
    ),
    (
        "keys",
        {"ConsistentRead": True},
        "Consistent reads are not supported on global secondary indexes",
    ),
    (
        "keys",
        {"FilterExpression": "attribute_exists(h) OR sk = :one"},
        "Filter Expression can only contain non-primary key attributes: Primary key attribute: h",
    ),
    ("all", {"ProjectionExpression": "y, pk.z"}, f"{NESTED}Key: pk"),
    ("all", {"ProjectionExpression": "h[0]"}, f"{NESTED}IndexKey: h"),
    ("all", {"FilterExpression": "size(h.x) = :one"}, f"{NESTED}IndexKey: h"),
]


def test_an_index_gives_what_it_holds(ddb: Any, refused: Refused, new_table: NewTable) -> None:
    """A global index refuses to give more; no index can be filtered by what it does not hold."""
    table = make_indexed(new_table)
    for name, more, text in UNPROJECTED:
        values = {"a": "a"} | ({"one": 1} if ":one" in str(more) else {})
        condition = "pk = :a" if name.startswith("local") else "g = :a"
        message = refused(
            VALIDATION,
            ask,
            ddb=ddb,
            table=table,
            name=name,
            condition=condition,
            values=values,
            **more,
        )
        assert message == text, (name, more)


def test_the_order_in_which_a_query_is_judged(
    ddb: Any, refused: Refused, new_table: NewTable
) -> None:
    """Each of these has all the mistakes that are left, and is told of the first."""
    wrong: dict[str, Any] = {
        "ddb": ddb,
        "table": "no-such-table",
        "name": "nope",
        "condition": "x = :a",
        "values": {"a": 1},
        "ConsistentRead": True,
        "Select": "ALL_ATTRIBUTES",
        "ExclusiveStartKey": {},
        "FilterExpression": "attribute_exists(g) OR attribute_exists(y)",
    }

    def told() -> str:
        code = "ResourceNotFoundException" if wrong["table"] == "no-such-table" else VALIDATION
        return refused(code, ask, **wrong)

    assert told() == "Requested resource not found"
    wrong["table"] = make_indexed(new_table)
    assert told() == "The table does not have the specified index: nope"
    wrong["name"] = "keys"
    assert told() == "Consistent reads are not supported on global secondary indexes"
    del wrong["ConsistentRead"]
    assert told() == "The provided starting key is invalid"
    del wrong["ExclusiveStartKey"]
    assert told() == "Query condition missed key schema element: g"
    wrong["condition"] = "g = :a"
    assert told() == INVALID + "Condition parameter type does not match schema type"
    wrong["values"] = {"a": "a"}
    assert told().startswith("Filter Expression can only contain non-primary key attributes")
    wrong["FilterExpression"] = "attribute_exists(y)"
    assert told().startswith(INVALID + "Secondary index keys does not project one or more filter")
    del wrong["FilterExpression"]
    assert told().startswith(INVALID + "Select type ALL_ATTRIBUTES is not supported")
    del wrong["Select"]
    assert ask(**wrong)["Items"] == []


WHOLE = {"g": {"S": "a"}, "h": {"N": "1"}, "pk": {"S": "p"}, "sk": {"N": "3"}}


@pytest.mark.parametrize(
    ("start", "text"),
    [
        *(
            ({k: v for k, v in WHOLE.items() if k != gone}, "The provided starting key is invalid")
            for gone in WHOLE
        ),
        ({**WHOLE, "x": {"S": "x"}}, "The provided starting key is invalid"),
        ({**WHOLE, "h": {"S": "1"}}, "The provided key element does not match the schema"),
        ({**WHOLE, "sk": {"S": "1"}}, "The provided key element does not match the schema"),
        (
            {**WHOLE, "g": {"S": "b"}},
            "The provided starting key is outside query boundaries based on provided conditions",
        ),
    ],
)
def test_a_starting_key_has_the_attributes_of_both_keys(
    ddb: Any, refused: Refused, new_table: NewTable, start: dict[str, Any], text: str
) -> None:
    message = refused(
        VALIDATION,
        ask,
        ddb=ddb,
        table=make_indexed(new_table),
        name="keys",
        condition="g = :a",
        values={"a": "a"},
        ExclusiveStartKey=start,
    )
    assert message == text


def test_a_starting_key_has_to_lie_in_the_range(ddb: Any, refused: Refused, table: str) -> None:
    asked: dict[str, Any] = {
        "ddb": ddb,
        "table": table,
        "name": "keys",
        "values": {"a": "a", "h": 1},
    }
    for condition in ("g = :a AND h > :h", "g = :a AND h < :h"):
        text = refused(VALIDATION, ask, **asked, condition=condition, ExclusiveStartKey=WHOLE)
        assert text == "The provided starting key does not match the range key predicate"
    page = ask(**asked, condition="g = :a AND h = :h", ExclusiveStartKey=WHOLE)
    assert set(numbers(page)) <= {3, 4, 5}


# --- behaviour: order and pages


def test_items_come_in_the_order_of_the_index(ddb: Any, table: str) -> None:
    """Local indexes order a partition anew; global ones gather items of any partition."""
    p, a = {"values": {"p": "p"}}, {"values": {"a": "a"}}
    assert numbers(ask(ddb, table, "local-keys", "pk = :p", **p)) == [6, 5, 4, 3, 2, 1, 0]
    backward = ask(ddb, table, "local-keys", "pk = :p", **p, ScanIndexForward=False)
    assert numbers(backward) == [0, 1, 2, 3, 4, 5, 6]
    found = ask(ddb, table, "keys", "g = :a", **a)
    assert [each["h"]["N"] for each in found["Items"]] == ["0", "0", "0", "1", "1", "1", "2", "2"]
    assert sorted(numbers(found)) == list(range(8))
    ranged = ask(
        ddb, table, "keys", "g = :a AND h BETWEEN :l AND :u", values={"a": "a", "l": 1, "u": 2}
    )
    assert sorted(numbers(ranged)) == [3, 4, 5, 6, 7]
    assert sorted(numbers(ask(ddb, table, "some", "b = :b", values={"b": b"b"}))) == [0, 2, 4, 6, 8]


@pytest.mark.parametrize("forward", [True, False])
@pytest.mark.parametrize(
    ("name", "condition"), [("keys", "g = :v"), ("all", "g = :v"), ("local-some", "pk = :v")]
)
def test_every_limit_gives_the_same_items(
    ddb: Any, table: str, name: str, condition: str, forward: bool
) -> None:
    """Also where many items have the same key in the index."""
    asked: dict[str, Any] = {"values": {"v": "p" if condition.startswith("pk") else "a"}}
    asked["ScanIndexForward"] = forward
    whole = ask(ddb, table, name, condition, **asked)["Items"]
    for limit in range(1, 9):
        assert every_page(ddb, table, name, condition, Limit=limit, **asked) == whole
    reverse = every_page(
        ddb, table, name, condition, Limit=2, **{**asked, "ScanIndexForward": not forward}
    )
    assert reverse == whole[::-1]


def test_a_last_evaluated_key_has_the_attributes_of_both_keys(ddb: Any, table: str) -> None:
    page = ask(ddb, table, "keys", "g = :a", values={"a": "a"}, Limit=1, Select="COUNT")
    assert page["LastEvaluatedKey"].keys() == {"g", "h", "pk", "sk"}
    assert (page["Count"], page["ScannedCount"], "Items" in page) == (1, 1, False)
    page = ask(ddb, table, "local-keys", "pk = :p", values={"p": "p"}, Limit=1)
    assert page["LastEvaluatedKey"] == page["Items"][0]


def test_a_page_is_measured_by_what_the_index_holds(ddb: Any, new_table: NewTable) -> None:
    """1 MB of entries, whatever the items have: one index pages them, another does not."""
    table = make_indexed(new_table)
    for n in range(12):
        ddb.put_item(TableName=table, Item=item("p", n, g="a", h=n, l="l", y="y" * 100_000))
    found = ask(ddb, table, "keys", "g = :a", values={"a": "a"})
    assert ("LastEvaluatedKey" in found, found["Count"]) == (False, 12)
    found = ask(ddb, table, "all", "g = :a", values={"a": "a"}, Select="COUNT")
    assert ("LastEvaluatedKey" in found, found["Count"]) == (True, 11)


# --- behaviour: what comes back


def test_what_an_index_answers_with(ddb: Any, table: str) -> None:
    keys = {"pk", "sk", "g", "h"}
    (plain,) = ask(ddb, table, "keys", "g = :a", values={"a": "a"}, Limit=1)["Items"]
    assert plain.keys() == keys
    for select in ("ALL_PROJECTED_ATTRIBUTES", "ALL_ATTRIBUTES"):
        (whole,) = ask(ddb, table, "all", "g = :a", values={"a": "a"}, Limit=1, Select=select)[
            "Items"
        ]
        assert whole.keys() >= {*keys, "y", "l"}
    (some,) = ask(
        ddb, table, "some", "b = :b", values={"b": b"b"}, Limit=1, ProjectionExpression="x, sk"
    )["Items"]
    assert some.keys() == {"x", "sk"}
    (local,) = ask(ddb, table, "local-some", "pk = :p", values={"p": "q"}, Limit=1)["Items"]
    assert local.keys() <= {"pk", "sk", "h", "x"}


def test_a_filter_sees_what_the_index_holds(ddb: Any, table: str) -> None:
    """Attributes of the table's own key too, which are not in the key of the index."""
    page = ask(ddb, table, "keys", "g = :a", values={"a": "a", "n": 5}, FilterExpression="sk >= :n")
    assert (sorted(numbers(page)), page["ScannedCount"]) == ([5, 6, 7], 8)


def test_a_local_index_reads_the_rest_from_the_table(ddb: Any, table: str) -> None:
    """All attributes, or those that a projection names; each item read costs its table."""
    asked: dict[str, Any] = {"values": {"p": "p"}, "ReturnConsumedCapacity": "INDEXES"}
    whole = ask(ddb, table, "local-keys", "pk = :p", Select="ALL_ATTRIBUTES", **asked)
    assert all("y" in each for each in whole["Items"])
    assert numbers(whole) == [6, 5, 4, 3, 2, 1, 0]
    assert whole["ConsumedCapacity"] == {
        "TableName": table,
        "CapacityUnits": 4.0,
        "Table": {"CapacityUnits": 3.5},
        "LocalSecondaryIndexes": {"local-keys": {"CapacityUnits": 0.5}},
    }
    part = ask(
        ddb, table, "local-keys", "pk = :p", ProjectionExpression="y", Limit=2,
        ConsistentRead=True, **asked,
    )  # fmt: skip
    assert part["Items"] == [{"y": {"S": "y" * 99}}] * 2
    assert part["ConsumedCapacity"]["CapacityUnits"] == 3.0
    assert part["LastEvaluatedKey"].keys() == {"pk", "sk", "l"}
    held = ask(ddb, table, "local-some", "pk = :p", ProjectionExpression="x, sk", **asked)
    assert held["ConsumedCapacity"]["Table"] == {"CapacityUnits": 0.0}


def test_capacity_of_an_index_is_that_of_its_entries(ddb: Any, table: str) -> None:
    asked: dict[str, Any] = {"values": {"a": "a"}, "ReturnConsumedCapacity": "INDEXES"}
    page = ask(ddb, table, "keys", "g = :a", **asked)
    assert page["ConsumedCapacity"] == {
        "TableName": table,
        "CapacityUnits": 0.5,
        "Table": {"CapacityUnits": 0.0},
        "GlobalSecondaryIndexes": {"keys": {"CapacityUnits": 0.5}},
    }
    nothing = ask(ddb, table, "all", "g = :a", **{**asked, "values": {"a": "none"}})
    assert nothing["ConsumedCapacity"]["CapacityUnits"] == 0.5
    total = ask(ddb, table, "keys", "g = :a", **{**asked, "ReturnConsumedCapacity": "TOTAL"})
    assert total["ConsumedCapacity"] == {"TableName": table, "CapacityUnits": 0.5}


# --- behaviour: keys of several attributes


@pytest.fixture
def many(ddb: Any, new_table: NewTable) -> str:
    """Items with every combination of a few values of the key's attributes."""
    name = make_indexed(new_table, [], [MANY, index("two", ["g", "h"], [], "KEYS_ONLY")])
    combined = [
        (g, b, h, last) for g in "ab" for b in (b"1", b"2") for h in (-1, 10) for last in "xyz"
    ]
    put_all(
        ddb,
        name,
        [item("p", n, g=g, b=b, h=h, l=last) for n, (g, b, h, last) in enumerate(combined)],
    )
    return name


@pytest.mark.parametrize(
    ("condition", "values", "wanted"),
    [
        ("", {}, [(-1, "x"), (-1, "y"), (-1, "z"), (10, "x"), (10, "y"), (10, "z")]),
        (" AND h = :h", {"h": 10}, [(10, "x"), (10, "y"), (10, "z")]),
        (" AND h < :h", {"h": 10}, [(-1, "x"), (-1, "y"), (-1, "z")]),
        (" AND h = :h AND l > :l", {"h": 10, "l": "x"}, [(10, "y"), (10, "z")]),
        (" AND l = :l AND h = :h", {"h": -1, "l": "y"}, [(-1, "y")]),
        (" AND h = :h AND begins_with(l, :l)", {"h": -1, "l": "z"}, [(-1, "z")]),
    ],
)
def test_a_key_of_several_attributes(
    ddb: Any, many: str, condition: str, values: dict[str, Any], wanted: list[Any]
) -> None:
    """All of the partition's are asked for; of the sort key as many as wished, from the left."""
    asked = {"values": {"g": "a", "b": b"1", **values}}
    for limit in (1, 2, 100):
        found = every_page(ddb, many, "many", f"g = :g AND b = :b{condition}", Limit=limit, **asked)
        assert [(int(each["h"]["N"]), each["l"]["S"]) for each in found] == wanted
        assert all((each["g"], each["b"]) == ({"S": "a"}, {"B": b"1"}) for each in found)


def test_conditions_on_a_key_of_several_attributes(ddb: Any, refused: Refused, many: str) -> None:
    """AWS developer guide, 2025-11: no gap, and a range only on the last one asked for."""
    for condition, text in [
        ("g = :g", "Query condition missed key schema element: b"),
        ("g = :g AND b > :b", "Query key condition not supported"),
        ("g = :g AND b = :b AND l = :g", "Query condition missed key schema element: h"),
        ("g = :g AND b = :b AND h > :h AND l = :g", "Query key condition not supported"),
    ]:
        values = {"g": "a", "b": b"1", "h": 1}
        used = {name: value for name, value in values.items() if f":{name}" in condition}
        message = refused(
            VALIDATION, ask, ddb=ddb, table=many, name="many", condition=condition, values=used
        )
        assert message == text


def test_legacy_conditions_ask_for_a_key_of_several_attributes_too(
    ddb: Any, refused: Refused, many: str
) -> None:
    """Though the developer guide knows none: ScyllaDB issue 31393, measured on AWS, 2026-08."""

    def conditions(**asked: Any) -> dict[str, Any]:
        return {
            name: {"ComparisonOperator": "EQ", "AttributeValueList": [value_of(value)]}
            for name, value in asked.items()
        }

    asked = {"TableName": many, "IndexName": "many"}
    whole = conditions(g="a", b=b"1", h=10)
    found = ddb.query(**asked, KeyConditions=whole, AttributesToGet=["l"])["Items"]
    assert found == [{"l": {"S": each}} for each in "xyz"]
    whole["h"]["ComparisonOperator"] = "LT"
    assert ddb.query(**asked, KeyConditions=whole, Select="COUNT")["Count"] == 3
    text = "Query condition missed key schema element: b"
    assert refused(VALIDATION, ddb.query, **asked, KeyConditions=conditions(g="a", h=1)) == text
    two = {**asked, "IndexName": "two", "KeyConditions": conditions(g="a", h=10)}
    text = INVALID + "Global secondary index two does not project [l]"
    assert refused(VALIDATION, ddb.query, **two, AttributesToGet=["l"]) == text


def test_two_attributes_without_a_sort_key(ddb: Any, many: str) -> None:
    found = ask(ddb, many, "two", "g = :g AND h = :h", values={"g": "b", "h": 10}, Limit=4)
    assert found["LastEvaluatedKey"].keys() == {"g", "h", "pk", "sk"}
    rest = ask(
        ddb, many, "two", "g = :g AND h = :h", values={"g": "b", "h": 10},
        ExclusiveStartKey=found["LastEvaluatedKey"],
    )  # fmt: skip
    assert len({*numbers(found), *numbers(rest)}) == 6
    assert "LastEvaluatedKey" not in rest
