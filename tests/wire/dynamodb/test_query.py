"""Query: types of members, refusals with their texts, and pages of one partition in key order."""

import itertools
import operator
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from wire.refusal_texts import SELECT_AND_PROJECTION

QUERY = "DynamoDB_20120810.Query"
VALIDATION = "ValidationException"
INVALID_KEY_CONDITION = "Invalid KeyConditionExpression: "

TEXTS = ["A", "Z", "a", "a\x00", "a!", "aa", "ab", "b", "é", "ﾮ", "\U0001f600"]
NUMBERS = ["-9" + "9" * 37 + "e88", "-1e125", "-100", "-99.5", "-1", "-0.001", "-1e-130", "0"]
NUMBERS += ["1e-130", "0.5", "1", "1.5", "9", "10", "99.99", "100", "12345678901234567890", "1e125"]
BINARIES = [b"\x00", b"\x00\x00", b"\x01", b"a", b"a\x00", b"\x7f", b"\x80", b"\xff", b"\xff\x00"]
BINARIES += [b"\xff\xff"]
MEANINGS: dict[str, Callable[[Any], Any]] = {"S": str.encode, "N": Decimal, "B": bytes}
SORTED: dict[str, list[Any]] = {
    "S": sorted(TEXTS, key=str.encode),
    "N": sorted(NUMBERS, key=Decimal),
    "B": sorted(BINARIES),
}
COMPARED: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def fill(ddb: Any, table: str, items: list[dict[str, Any]]) -> None:
    """Write items in batches."""
    for start in range(0, len(items), 25):
        puts = [{"PutRequest": {"Item": item}} for item in items[start : start + 25]]
        answer = ddb.batch_write_item(RequestItems={table: puts})
        assert answer["UnprocessedItems"] == {}


def of_partition(name: str, kind: str, values: list[Any]) -> list[dict[str, Any]]:
    """Return an item of partition `name` for each sort key."""
    return [{"pk": {"S": name}, "sk": {kind: value}} for value in values]


def ask(ddb: Any, table: str, condition: str = "pk = :p", **more: Any) -> dict[str, Any]:
    """Query a partition named p, with further values under `values`."""
    values = {":p": {"S": "p"}, **more.pop("values", {})}
    answer: dict[str, Any] = ddb.query(
        TableName=table,
        KeyConditionExpression=condition,
        ExpressionAttributeValues=values,
        **more,
    )
    return answer


def sort_keys(answer: dict[str, Any], kind: str) -> list[Any]:
    return [item["sk"][kind] for item in answer["Items"]]


@pytest.fixture
def numbered(ddb: Any, new_table: Callable[..., str]) -> str:
    """A table whose partition p has the sort keys 0 to 9, beside neighbours."""
    table = new_table(sort="N")
    items = of_partition("p", "N", [str(n) for n in range(10)])
    items += of_partition("o", "N", ["3"]) + of_partition("pp", "N", ["4"])
    for item in items:
        item["even"] = {"BOOL": int(item["sk"]["N"]) % 2 == 0}
        item["doc"] = {"M": {"list": {"L": [{"S": "first"}, {"S": "second"}]}, "x": {"N": "1"}}}
    fill(ddb, table, items)
    return table


# --- serialisation


@pytest.mark.parametrize(
    ("member", "value", "text"),
    [
        ("TableName", 5, "NUMBER_VALUE cannot be converted to String"),
        ("Limit", "5", "STRING_VALUE cannot be converted to Integer"),
        ("Limit", True, "TRUE_VALUE cannot be converted to Integer"),
        ("ScanIndexForward", "true", "Unexpected token received from parser"),
        ("ConsistentRead", 1, "NUMBER_VALUE cannot be converted to Boolean"),
        ("KeyConditionExpression", {}, "Start of structure or map found where not expected"),
        ("Select", [], "Unrecognized collection type class java.lang.String"),
        ("ExclusiveStartKey", "x", "Unexpected field type"),
        ("ExclusiveStartKey", {"pk": "x"}, "Unexpected field type"),
        ("ExclusiveStartKey", {"pk": {"S": 1}}, "NUMBER_VALUE cannot be converted to String"),
        (
            "ExpressionAttributeValues",
            {":p": {"N": 1}},
            "NUMBER_VALUE cannot be converted to String",
        ),
        (
            "ExpressionAttributeNames",
            [],
            "Unrecognized collection type java.util.Map<java.lang.String, java.lang.String>",
        ),
    ],
)
def test_wrong_json_types_are_refused_before_anything_else(
    rejected: Callable[..., Any], member: str, value: Any, text: str
) -> None:
    body = {"TableName": "x!", "Limit": 0, member: value}
    assert rejected(QUERY, body) == ("SerializationException", text)


# --- validation


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (
            {},
            (
                "1 validation error detected: Value null at 'tableName' failed to satisfy"
                " constraint:"
                " Member must not be null"
            ),
        ),
        (
            {"TableName": "abc", "Select": "ALL"},
            (
                "1 validation error detected: Value 'ALL' at 'select' failed to satisfy constraint:"
                " Member must satisfy enum value set: [SPECIFIC_ATTRIBUTES, COUNT, ALL_ATTRIBUTES,"
                " ALL_PROJECTED_ATTRIBUTES]"
            ),
        ),
        (
            {"TableName": "abc", "ReturnConsumedCapacity": "ALL"},
            (
                "1 validation error detected: Value 'ALL' at 'returnConsumedCapacity' failed to"
                " satisfy"
                " constraint: Member must satisfy enum value set: [INDEXES, TOTAL, NONE]"
            ),
        ),
        (
            {"TableName": "abc", "Limit": 0},
            (
                "1 validation error detected: Value at 'Limit' failed to satisfy constraint: Member"
                " must have value greater than or equal to 1"
            ),
        ),
        (
            {"TableName": "abc"},
            (
                "Either the KeyConditions or KeyConditionExpression parameter must be specified in"
                " the"
                " request."
            ),
        ),
        (
            {"TableName": "abc", "KeyConditionExpression": ""},
            INVALID_KEY_CONDITION + "The expression can not be empty;",
        ),
        (
            {"TableName": "abc", "ExpressionAttributeNames": {"#a": "a"}},
            "ExpressionAttributeNames can only be specified when using expressions",
        ),
        (
            {"TableName": "abc", "IndexName": "in", "KeyConditionExpression": "pk = :p"},
            (
                "1 validation error detected: Value 'in' at 'indexName' failed to satisfy"
                " constraint: Member must have length greater than or equal to 3"
            ),
        ),
        (
            {"TableName": "abc", "KeyConditions": {}},
            "Conditions can be of length 1 or 2 only",
        ),
    ],
)
def test_the_request_is_judged_before_the_table(
    rejected: Callable[..., Any], body: dict[str, Any], text: str
) -> None:
    assert rejected(QUERY, body) == (VALIDATION, text)


def test_broken_constraints_are_counted_and_listed_together(rejected: Callable[..., Any]) -> None:
    code, text = rejected(QUERY, {"Select": "ALL", "ReturnConsumedCapacity": "ALL"})
    assert code == VALIDATION
    assert text.startswith("3 validation errors detected: Value null at 'tableName' failed")
    assert text.count("; Value 'ALL' at '") == 2


@pytest.mark.parametrize(
    ("select", "projection", "text"),
    SELECT_AND_PROJECTION,
)
def test_select_has_to_go_with_the_projection(
    ddb: Any, refused: Callable[..., str], select: str, projection: str | None, text: str
) -> None:
    more = {} if projection is None else {"ProjectionExpression": projection}
    message = refused(
        VALIDATION,
        ddb.query,
        TableName="no-such-table",
        KeyConditionExpression="pk = :p",
        ExpressionAttributeValues={":p": {"S": "p"}},
        Select=select,
        **more,
    )
    assert message == f"1 validation error detected: {text}"


def test_unknown_table_comes_after_the_expressions(ddb: Any, refused: Callable[..., str]) -> None:
    message = refused("ResourceNotFoundException", ask, ddb=ddb, table="no-such-table")
    assert message == "Requested resource not found"
    message = refused(VALIDATION, ask, ddb=ddb, table="no-such-table", condition="pk == :p")
    assert message == INVALID_KEY_CONDITION + 'Syntax error; token: "=", near: "== :p"'


P = {":p": {"S": "p"}}
KEY_CONDITION_ERRORS = [
    ("sk = :n", {":n": {"N": "1"}}, "Query condition missed key schema element: pk"),
    (
        "pk = :p AND even = :e",
        {**P, ":e": {"BOOL": True}},
        "Query condition missed key schema element: sk",
    ),
    ("pk > :p", P, "Query key condition not supported"),
    ("begins_with(pk, :p)", P, "Query key condition not supported"),
    (
        "pk = :p AND sk = :n AND even = :n",
        {**P, ":n": {"N": "1"}},
        "Conditions can be of length 1 or 2 only",
    ),
    (
        "pk = :n",
        {":n": {"N": "1"}},
        (
            "One or more parameter values were invalid: Condition parameter type does not match"
            " schema type"
        ),
    ),
    *(
        (
            "pk = :long",
            {":long": {"S": "x" * size}},
            (
                "One or more parameter values were invalid: Size of hashkey has exceeded the"
                " maximum size limit of2048 bytes"
            ),
        )
        for size in (2049, 65_536)
    ),
    (
        "pk = :p AND sk BETWEEN :n AND :p",
        {**P, ":n": {"N": "1"}},
        INVALID_KEY_CONDITION + "The BETWEEN operator requires same data type for lower and upper"
        " bounds; lower bound operand: AttributeValue: {N:1}, upper bound operand: AttributeValue:"
        " {S:p}",
    ),
    (
        "pk = :p AND sk BETWEEN :n AND :m",
        {**P, ":n": {"N": "2"}, ":m": {"N": "1"}},
        INVALID_KEY_CONDITION + "The BETWEEN operator requires upper bound to be greater than or"
        " equal to lower bound; lower bound operand: AttributeValue: {N:2}, upper bound operand:"
        " AttributeValue: {N:1}",
    ),
    (
        "pk = :p AND begins_with(sk, :n)",
        {**P, ":n": {"N": "1"}},
        INVALID_KEY_CONDITION + "Incorrect operand type for operator or function; operator or"
        " function: begins_with, operand type: N",
    ),
    (
        "pk = :p OR sk = :p",
        P,
        INVALID_KEY_CONDITION + "Invalid operator used in KeyConditionExpression: OR",
    ),
    (
        "NOT pk = :p",
        P,
        INVALID_KEY_CONDITION + "Invalid operator used in KeyConditionExpression: NOT",
    ),
    ("pk <> :p", P, INVALID_KEY_CONDITION + "Invalid operator used in KeyConditionExpression: <>"),
    (
        "pk IN (:p)",
        P,
        INVALID_KEY_CONDITION + "Invalid operator used in KeyConditionExpression: IN",
    ),
    (
        "pk = :p AND contains(sk, :p)",
        P,
        INVALID_KEY_CONDITION + "Invalid operator used in KeyConditionExpression: contains",
    ),
    (
        "pk = :p AND pk = :p",
        P,
        INVALID_KEY_CONDITION + "KeyConditionExpressions must only contain one condition per key",
    ),
    (
        "pk = sk",
        None,
        INVALID_KEY_CONDITION + "Invalid condition in KeyConditionExpression: Multiple"
        " attribute names used in one condition",
    ),
    (
        "pk.x = :p",
        P,
        INVALID_KEY_CONDITION
        + "KeyConditionExpressions cannot have conditions on nested attributes",
    ),
    (
        "size(pk) = :p",
        {":p": {"N": "1"}},
        INVALID_KEY_CONDITION + "KeyConditionExpressions cannot contain nested operations",
    ),
    (
        "pk = :p",
        {":p": {"S": ""}},
        (
            "One or more parameter values are not valid. The AttributeValue for a key attribute"
            " cannot"
            " contain an empty string value. Key: pk"
        ),
    ),
    (
        "pk = :q",
        P,
        INVALID_KEY_CONDITION + "An expression attribute value used in expression is not defined;"
        " attribute value: :q",
    ),
    (
        "pk = :p",
        {**P, ":q": {"S": "q"}},
        "Value provided in ExpressionAttributeValues unused in expressions: keys: {:q}",
    ),
    (
        "hash = :p",
        P,
        INVALID_KEY_CONDITION + "Attribute name is a reserved keyword; reserved keyword: hash",
    ),
]


def test_key_conditions_that_no_query_can_follow(
    ddb: Any, refused: Callable[..., str], new_table: Callable[..., str]
) -> None:
    table = new_table(sort="N")
    for condition, values, text in KEY_CONDITION_ERRORS:
        more = {} if values is None else {"ExpressionAttributeValues": values}
        message = refused(
            VALIDATION, ddb.query, TableName=table, KeyConditionExpression=condition, **more
        )
        assert message == text, condition


@pytest.mark.parametrize(
    "condition", ["sk = :s", "sk > :s", "sk BETWEEN :a AND :s", "begins_with(sk, :s)"]
)
def test_a_sort_key_is_looked_for_within_its_size(
    ddb: Any, refused: Callable[..., str], new_table: Callable[..., str], condition: str
) -> None:
    """No sort key has more than 1,024 bytes, so a condition that compares with one is refused."""
    values = {":p": {"S": "p"}, ":s": {"S": "s" * 1024}}
    if ":a" in condition:
        values[":a"] = {"S": "a"}
    asked = {
        "TableName": new_table(sort="S"),
        "KeyConditionExpression": f"pk = :p AND {condition}",
        "ExpressionAttributeValues": values,
    }
    assert ddb.query(**asked)["Items"] == []
    values[":s"] = {"S": "s" * 1025}
    assert refused(VALIDATION, ddb.query, **asked) == (
        "One or more parameter values were invalid: Aggregated size of all range keys has exceeded"
        " the size limit of 1024 bytes"
    )


def test_a_second_condition_on_a_table_without_sort_key(
    ddb: Any, refused: Callable[..., str], new_table: Callable[..., str]
) -> None:
    message = refused(VALIDATION, ask, ddb=ddb, table=new_table(), condition="pk = :p AND sk = :p")
    assert message == "Query key condition not supported"


def test_a_filter_may_not_name_a_key_attribute(
    ddb: Any, refused: Callable[..., str], new_table: Callable[..., str]
) -> None:
    table = new_table(sort="N")
    for name in ("pk", "sk"):
        message = refused(
            VALIDATION, ask, ddb=ddb, table=table, FilterExpression=f"a = :p OR {name} = :p"
        )
        assert message == (
            "Filter Expression can only contain non-primary key attributes: Primary key attribute:"
            f" {name}"
        )


def test_no_part_of_a_key_attribute_can_be_read(
    ddb: Any, refused: Callable[..., str], new_table: Callable[..., str]
) -> None:
    """A projection of one is refused as such; a filter names a key attribute, and that is told."""
    table = new_table(sort="N")
    for path in ("pk.x", "pk[0]", "sk.x.y"):
        message = refused(VALIDATION, ask, ddb=ddb, table=table, ProjectionExpression=f"a, {path}")
        assert message == (
            "Key attributes must be scalars; list random access '[]' and map lookup '.' are not"
            f" allowed: Key: {path[:2]}"
        )
    condition = "attribute_exists(pk.x)"
    message = refused(VALIDATION, ask, ddb=ddb, table=table, FilterExpression=condition)
    assert message.startswith("Filter Expression can only contain non-primary key attributes")


def start(pk: str, sk: str) -> dict[str, Any]:
    return {"pk": {"S": pk}, "sk": {"N": sk}}


@pytest.mark.parametrize(
    ("condition", "key", "text"),
    [
        ("pk = :p", {}, "The provided starting key is invalid"),
        ("pk = :p", {"pk": {"S": "p"}}, "The provided starting key is invalid"),
        ("pk = :p", {**start("p", "1"), "x": {"S": "x"}}, "The provided starting key is invalid"),
        ("pk = :p", {"pk": {"S": "p"}, "ks": {"N": "1"}}, "The provided starting key is invalid"),
        (
            "pk = :p",
            {"pk": {"S": "p"}, "sk": {"S": "1"}},
            "The provided key element does not match the schema",
        ),
        (
            "pk = :p",
            {"pk": {"S": "p"}, "sk": {}},
            (
                "The provided starting key is invalid: Supplied AttributeValue is empty, must"
                " contain"
                " exactly one of the supported datatypes"
            ),
        ),
        (
            "pk = :p",
            {"pk": {"S": "p"}, "sk": {"N": "one"}},
            (
                "The provided starting key is invalid: The parameter cannot be converted to a"
                " numeric"
                " value: one"
            ),
        ),
        (
            "pk = :p",
            start("q", "1"),
            "The provided starting key is outside query boundaries based on provided conditions",
        ),
        (
            "pk = :p AND sk > :n",
            start("p", "5"),
            "The provided starting key does not match the range key predicate",
        ),
        (
            "pk = :p AND sk > :n",
            start("q", "5"),
            "The provided starting key does not match the range key predicate",
        ),
        (
            "pk = :p AND sk > :n",
            start("q", "6"),
            "The query can return at most one row and cannot be restarted",
        ),
    ],
)
def test_starting_keys_that_are_none(
    ddb: Any,
    refused: Callable[..., str],
    new_table: Callable[..., str],
    condition: str,
    key: dict[str, Any],
    text: str,
) -> None:
    values = {":n": {"N": "5"}} if ":n" in condition else {}
    message = refused(
        VALIDATION,
        ask,
        ddb=ddb,
        table=new_table(sort="N"),
        condition=condition,
        values=values,
        ExclusiveStartKey=key,
    )
    assert message == text


# --- behaviour: order and operators


@pytest.mark.parametrize("kind", ["S", "N", "B"])
def test_every_operator_at_every_boundary_in_both_directions(
    ddb: Any, new_table: Callable[..., str], kind: str
) -> None:
    """The keys that come back are those for which the operator holds, in the order of values."""
    table = new_table(sort=kind)
    everything = SORTED[kind]
    fill(ddb, table, of_partition("p", kind, everything) + of_partition("q", kind, everything))
    meaning = MEANINGS[kind]
    for sign, holds in COMPARED.items():
        for bound in everything:
            answer = ask(ddb, table, f"pk = :p AND sk {sign} :b", values={":b": {kind: bound}})
            got = [meaning(value) for value in sort_keys(answer, kind)]
            wanted = [meaning(v) for v in everything if holds(meaning(v), meaning(bound))]
            assert got == wanted, (sign, bound)
    for low, high in itertools.combinations_with_replacement(everything[::2], 2):
        answer = ask(
            ddb,
            table,
            "pk = :p AND sk BETWEEN :l AND :h",
            values={":l": {kind: low}, ":h": {kind: high}},
            ScanIndexForward=False,
        )
        got = [meaning(value) for value in sort_keys(answer, kind)]
        wanted = [meaning(v) for v in everything if meaning(low) <= meaning(v) <= meaning(high)]
        assert got == wanted[::-1], (low, high)


def test_bounds_that_no_item_has_and_mirrored_operands(ddb: Any, numbered: str) -> None:
    def keys(condition: str, **bounds: str) -> list[str]:
        values = {f":{name}": {"N": number} for name, number in bounds.items()}
        return sort_keys(ask(ddb, numbered, condition, values=values), "N")

    assert keys("pk = :p AND sk > :a", a="7.5") == ["8", "9"]
    assert keys("sk < :a AND pk = :p", a="1.0000000001") == ["0", "1"]
    assert keys(":p = pk AND :a >= sk", a="1") == ["0", "1"]
    assert keys("(pk = :p) AND (:a < sk)", a="8") == ["9"]
    assert keys("pk = :p AND sk BETWEEN :a AND :b", a="2.5", b="4.5") == ["3", "4"]
    assert keys("pk = :p AND sk > :a", a="9") == []
    assert keys("pk = :p AND sk < :a", a="-1e100") == []


@pytest.mark.parametrize(
    ("kind", "prefix", "wanted"),
    [
        ("S", "a", ["a", "a\x00", "a!", "aa", "ab"]),
        ("S", "a\x00", ["a\x00"]),
        ("S", "\U0001f600", ["\U0001f600"]),
        ("S", "zz", []),
        ("B", b"\xff", [b"\xff", b"\xff\x00", b"\xff\xff"]),
        ("B", b"\xff\xff", [b"\xff\xff"]),
        ("B", b"\x00", [b"\x00", b"\x00\x00"]),
    ],
)
def test_begins_with(
    ddb: Any, new_table: Callable[..., str], kind: str, prefix: Any, wanted: list[Any]
) -> None:
    table = new_table(sort=kind)
    fill(ddb, table, of_partition("p", kind, SORTED[kind]))
    condition, values = "pk = :p AND begins_with(sk, :b)", {":b": {kind: prefix}}
    assert sort_keys(ask(ddb, table, condition, values=values), kind) == wanted
    backward = ask(ddb, table, condition, values=values, ScanIndexForward=False)
    assert sort_keys(backward, kind) == wanted[::-1]


@pytest.mark.parametrize(
    ("kind", "names"),
    [("S", ["a", "ab", "b"]), ("N", ["1", "10", "1e1"]), ("B", [b"a", b"a\x00", b"\xff"])],
)
def test_partitions_whose_keys_begin_alike_stay_apart(
    ddb: Any, new_table: Callable[..., str], kind: str, names: list[Any]
) -> None:
    table = new_table(partition=kind, sort="S")
    fill(
        ddb,
        table,
        [{"pk": {kind: name}, "sk": {"S": str(n)}} for n, name in enumerate(names)],
    )
    for n, name in enumerate(names):
        answer = ddb.query(
            TableName=table,
            KeyConditionExpression="pk = :p",
            ExpressionAttributeValues={":p": {kind: name}},
        )
        same = kind == "N" and name in {"10", "1e1"}  # one key, spelled in two ways
        assert sort_keys(answer, "S") == (["1", "2"] if same else [str(n)])


def test_a_table_without_sort_key_has_one_item_to_a_query(
    ddb: Any, new_table: Callable[..., str]
) -> None:
    table = new_table()
    fill(ddb, table, [{"pk": {"S": name}} for name in ("p", "pp", "o")])
    answer = ask(ddb, table)
    assert (answer["Items"], answer["Count"]) == ([{"pk": {"S": "p"}}], 1)
    assert "LastEvaluatedKey" not in answer
    answer = ask(ddb, table, ExclusiveStartKey={"pk": {"S": "p"}})
    assert (answer["Items"], answer["Count"], answer["ScannedCount"]) == ([], 0, 0)


def test_an_empty_partition_has_an_empty_answer(ddb: Any, new_table: Callable[..., str]) -> None:
    answer = ask(ddb, new_table(sort="S"), ReturnConsumedCapacity="TOTAL")
    assert (answer["Items"], answer["Count"], answer["ScannedCount"]) == ([], 0, 0)
    assert "LastEvaluatedKey" not in answer
    assert answer["ConsumedCapacity"]["CapacityUnits"] == 0.5


# --- behaviour: pages


@pytest.mark.parametrize("forward", [True, False])
def test_every_limit_gives_the_same_items(ddb: Any, numbered: str, forward: bool) -> None:
    """A page that reached its Limit names its last key, also where nothing follows."""
    whole = ask(ddb, numbered, ScanIndexForward=forward)["Items"]
    for limit in range(1, 12):
        items: list[Any] = []
        more: dict[str, Any] = {}
        while True:
            page = ask(ddb, numbered, ScanIndexForward=forward, Limit=limit, **more)
            items += page["Items"]
            assert ("LastEvaluatedKey" in page) == (page["ScannedCount"] == limit)
            if "LastEvaluatedKey" not in page:
                break
            last = page["Items"][-1]
            assert page["LastEvaluatedKey"] == {"pk": last["pk"], "sk": last["sk"]}
            more = {"ExclusiveStartKey": page["LastEvaluatedKey"]}
        assert items == whole, limit


def test_paging_in_a_range_of_sort_keys(ddb: Any, numbered: str) -> None:
    found: list[Any] = []
    more: dict[str, Any] = {}
    while True:
        page = ask(
            ddb,
            numbered,
            "pk = :p AND sk BETWEEN :a AND :b",
            values={":a": {"N": "2"}, ":b": {"N": "6"}},
            ScanIndexForward=False,
            Limit=2,
            **more,
        )
        found += sort_keys(page, "N")
        if "LastEvaluatedKey" not in page:
            break
        more = {"ExclusiveStartKey": page["LastEvaluatedKey"]}
    assert found == ["6", "5", "4", "3", "2"]


def test_a_starting_key_need_not_exist(ddb: Any, numbered: str) -> None:
    between = {"pk": {"S": "p"}, "sk": {"N": "6.5"}}
    assert sort_keys(ask(ddb, numbered, ExclusiveStartKey=between), "N") == ["7", "8", "9"]
    backward = ask(ddb, numbered, ExclusiveStartKey=between, ScanIndexForward=False, Limit=2)
    assert sort_keys(backward, "N") == ["6", "5"]


def test_a_page_ends_with_the_item_that_passes_1_mb(
    ddb: Any, new_table: Callable[..., str]
) -> None:
    """Bytes looked at are counted, also those that the filter or the projection leaves out."""
    table = new_table(sort="N")
    items = of_partition("p", "N", [str(n) for n in range(12)])
    for item in items:
        item["body"] = {"B": b"x" * 99_990}
    for start_at in range(0, 12, 6):  # below the 16 MB of a request with base64 to spare
        fill(ddb, table, items[start_at : start_at + 6])
    for more in ({"ProjectionExpression": "sk"}, {"Select": "COUNT"}):
        page = ask(ddb, table, ReturnConsumedCapacity="TOTAL", **more)
        assert (page["Count"], page["ScannedCount"]) == (11, 11)
        assert page["LastEvaluatedKey"] == {"pk": {"S": "p"}, "sk": {"N": "10"}}
        size = sum(2 + 1 + 2 + (1 if n == 0 else 2) + 4 + 99_990 for n in range(11))
        assert page["ConsumedCapacity"]["CapacityUnits"] == -(-size // 4096) / 2
        rest = ask(ddb, table, ExclusiveStartKey=page["LastEvaluatedKey"], **more)
        assert (rest["Count"], "LastEvaluatedKey" in rest) == (1, False)
    page = ask(ddb, table, FilterExpression="attribute_not_exists(body)")
    assert (page["Items"], page["Count"], page["ScannedCount"]) == ([], 0, 11)
    assert page["LastEvaluatedKey"]["sk"] == {"N": "10"}


# --- behaviour: what comes back


def test_a_filter_drops_items_and_not_the_count_of_those_looked_at(ddb: Any, numbered: str) -> None:
    page = ask(ddb, numbered, FilterExpression="even = :t", values={":t": {"BOOL": True}}, Limit=5)
    assert sort_keys(page, "N") == ["0", "2", "4"]
    assert (page["Count"], page["ScannedCount"]) == (3, 5)
    assert page["LastEvaluatedKey"] == {"pk": {"S": "p"}, "sk": {"N": "4"}}


def test_select_count_answers_without_items(ddb: Any, numbered: str) -> None:
    page = ask(ddb, numbered, Select="COUNT")
    assert (page["Count"], page["ScannedCount"], "Items" in page) == (10, 10, False)


def test_select_all_and_specific_attributes(ddb: Any, numbered: str) -> None:
    one: dict[str, Any] = {"condition": "pk = :p AND sk = :n", "values": {":n": {"N": "4.0"}}}
    plain = ask(ddb, numbered, **one)["Items"]
    assert ask(ddb, numbered, **one, Select="ALL_ATTRIBUTES")["Items"] == plain
    assert plain[0].keys() == {"pk", "sk", "even", "doc"}
    more: dict[str, Any]
    for more in ({}, {"Select": "SPECIFIC_ATTRIBUTES"}):
        (item,) = ask(
            ddb,
            numbered,
            **one,
            **more,
            ProjectionExpression="#d.#l[1], sk, absent",
            ExpressionAttributeNames={"#d": "doc", "#l": "list"},
        )["Items"]
        assert item == {"sk": {"N": "4"}, "doc": {"M": {"list": {"L": [{"S": "second"}]}}}}


def test_capacity_sums_bytes_before_it_rounds(ddb: Any, new_table: Callable[..., str]) -> None:
    table = new_table(sort="N")
    items = of_partition("p", "N", [str(n) for n in range(1, 7)])
    for item in items:
        item["body"] = {"S": "x" * (2048 - 2 - 1 - 2 - 2 - 4)}  # with its keys: 2 KB
    fill(ddb, table, items)

    def units(**more: Any) -> dict[str, Any]:
        capacity: dict[str, Any] = ask(ddb, table, **more)["ConsumedCapacity"]
        return capacity

    total = {"TableName": table, "CapacityUnits": 1.5}
    assert units(ReturnConsumedCapacity="TOTAL") == total
    assert units(ReturnConsumedCapacity="INDEXES") == {**total, "Table": {"CapacityUnits": 1.5}}
    assert units(ReturnConsumedCapacity="TOTAL", ConsistentRead=True)["CapacityUnits"] == 3.0
    assert units(ReturnConsumedCapacity="TOTAL", Limit=2)["CapacityUnits"] == 0.5
    assert units(ReturnConsumedCapacity="TOTAL", Limit=3)["CapacityUnits"] == 1.0
    assert "ConsumedCapacity" not in ask(ddb, table, ReturnConsumedCapacity="NONE")


def test_a_table_is_also_found_by_its_arn(ddb: Any, numbered: str) -> None:
    arn = ddb.describe_table(TableName=numbered)["Table"]["TableArn"]
    page = ask(ddb, arn, Limit=1, ReturnConsumedCapacity="TOTAL")
    assert sort_keys(page, "N") == ["0"]
    assert page["ConsumedCapacity"]["TableName"] == numbered
