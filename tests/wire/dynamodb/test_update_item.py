"""UpdateItem: types of members, refusals with their texts and order, and what is updated."""

import time
from collections.abc import Callable
from typing import Any

import pytest

from wire import wrong_json
from wire.clients import stored

UPDATE = "UpdateItem"
CONDITION_FAILED = "ConditionalCheckFailedException"
MISMATCH = "The provided key element does not match the schema"
WRONG_OPERAND = "An operand in the update expression has an incorrect data type"
WRONG_PATH = "The document path provided in the update expression is invalid for update"
NO_ATTRIBUTE = "The provided expression refers to an attribute that does not exist in the item"
OVERFLOW = (
    "Number overflow. Attempting to store a number with magnitude larger than supported range"
)
UNDERFLOW = (
    "Number underflow. Attempting to store a number with magnitude smaller than supported range"
)
TOO_DEEP = (
    "Nesting Levels have exceeded supported limits: Attributes in the item have nested levels"
    " beyond supported limit"
)
ITEM_BYTES_MAX = 409_600
Item = dict[str, Any]


def update(table: str, key: Item, expression: str | None = None, **more: Any) -> Item:
    """Return a request that updates one item; `values` and `names` are without their marks."""
    request = {"TableName": table, "Key": key}
    if expression is not None:
        request["UpdateExpression"] = expression
    for member, mark, given in (
        ("ExpressionAttributeValues", ":", more.pop("values", {})),
        ("ExpressionAttributeNames", "#", more.pop("names", {})),
    ):
        if given:
            request[member] = {mark + name: value for name, value in given.items()}
    return request | more


def number(value: object) -> Item:
    """Return a number as an attribute value."""
    return {"N": str(value)}


def numbers(*values: object) -> Item:
    """Return a list of numbers as an attribute value."""
    return {"L": [number(value) for value in values]}


def given(ddb: Any, table: str, key: Item, attributes: Item) -> None:
    """Store an item of a key and other attributes."""
    ddb.put_item(TableName=table, Item={**key, **attributes})


# --- serialisation


@pytest.mark.parametrize(
    ("member", "wrong"),
    [
        ("TableName", wrong_json.STRING),
        ("Key", wrong_json.ATTRIBUTE_MAP),
        ("UpdateExpression", wrong_json.STRING),
        ("ConditionExpression", wrong_json.STRING),
        ("ExpressionAttributeNames", wrong_json.NAME_MAP),
        ("ExpressionAttributeValues", wrong_json.ATTRIBUTE_MAP),
        ("ReturnValues", wrong_json.STRING),
        ("ReturnConsumedCapacity", wrong_json.STRING),
        ("ReturnItemCollectionMetrics", wrong_json.STRING),
        ("ReturnValuesOnConditionCheckFailure", wrong_json.STRING),
        ("ConditionalOperator", wrong_json.STRING),
        ("Expected", wrong_json.map_of(f"{wrong_json.JAVA}ExpectedAttributeValue")),
        ("AttributeUpdates", wrong_json.map_of(f"{wrong_json.JAVA}AttributeValueUpdate")),
    ],
)
def test_wrong_json_types_of_members(
    unreadable: Callable[..., str], plain: str, member: str, wrong: wrong_json.Wrong
) -> None:
    """A member of a wrong JSON type is a SerializationException, each with its text."""
    for value, text in wrong:
        assert unreadable(UPDATE, update(plain, {}, **{member: value})) == text, value


def test_wrong_json_types_inside_attribute_values(
    unreadable: Callable[..., str], plain: str
) -> None:
    """So is a value of a key or of an expression, however deep it is wrong."""
    for value, text in wrong_json.ATTRIBUTE_VALUE:
        assert unreadable(UPDATE, update(plain, {"pk": value})) == text, value
        assert unreadable(UPDATE, update(plain, {}, "SET a = :a", values={"a": value})) == text


# --- validation


def test_what_is_missing_is_listed(invalid: Callable[..., str]) -> None:
    """All of it is told in one error."""
    assert invalid(UPDATE, {}) == (
        "2 validation errors detected: Value null at 'tableName' failed to satisfy constraint:"
        " Member must not be null; Value null at 'key' failed to satisfy constraint: Member must"
        " not be null"
    )


def test_of_broken_constraints_the_first_is_told(invalid: Callable[..., str], key: Item) -> None:
    """As some regions do, other than for PutItem (dynoxide 0.11.3, on AWS)."""
    names = ["ReturnConsumedCapacity", "ReturnItemCollectionMetrics", "ReturnValues"]
    request = {"TableName": "a;", "Key": key, **dict.fromkeys(names, "ALL")}
    assert invalid(UPDATE, request) == (
        "1 validation error detected: Value 'a;' at 'tableName' failed to satisfy constraint:"
        " Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+"
    )
    assert invalid(UPDATE, request | {"TableName": "abc"}) == (
        "1 validation error detected: Value 'ALL' at 'returnValues' failed to satisfy constraint:"
        " Member must satisfy enum value set: [ALL_NEW, UPDATED_OLD, ALL_OLD, NONE, UPDATED_NEW]"
    )


@pytest.mark.parametrize(
    "key", [{}, {"pk": {"N": "1"}}, {"sk": {"S": "a"}}, {"pk": {"S": "a"}, "sk": {"S": "a"}}]
)
def test_keys_that_do_not_match_the_schema(
    invalid: Callable[..., str], plain: str, key: Item
) -> None:
    """A key has exactly the attributes of the table's, each of its type."""
    assert invalid(UPDATE, update(plain, key)) == MISMATCH


def test_values_that_are_none(invalid: Callable[..., str], plain: str, key: Item) -> None:
    """Values that break a rule are refused with its text, in a key and in an expression."""
    for value, text in wrong_json.NOT_VALUES:
        assert invalid(UPDATE, update(plain, {"pk": value})) == text, value
        request = update(plain, key, "SET a = :a", values={"a": value})
        assert invalid(UPDATE, request) == (
            f"ExpressionAttributeValues contains invalid value: {text} for key :a"
        ), value


@pytest.mark.parametrize(
    ("expression", "values", "text"),
    [
        ("", {}, "The expression can not be empty;"),
        ("SET a", {}, 'Syntax error; token: "<EOF>", near: "a"'),
        ("PUT a = b", {}, 'Syntax error; token: "PUT", near: "PUT a"'),
        ("SET a = :a,", {"a": number(1)}, 'Syntax error; token: "<EOF>", near: ","'),
        (
            "SET a = :a SET b = :a",
            {"a": number(1)},
            'The "SET" section can only be used once in an update expression;',
        ),
        (
            "SET status = :a",
            {"a": number(1)},
            "Attribute name is a reserved keyword; reserved keyword: status",
        ),
        (
            "SET a = :a, a = :a",
            {"a": number(1)},
            (
                "Two document paths overlap with each other; must remove or rewrite one of these"
                " paths; path one: [a], path two: [a]"
            ),
        ),
        (
            "SET a.b = :a REMOVE a.b.c",
            {"a": number(1)},
            (
                "Two document paths overlap with each other; must remove or rewrite one of these"
                " paths; path one: [a, b], path two: [a, b, c]"
            ),
        ),
        (
            "SET a.b = :a, a[0] = :a",
            {"a": number(1)},
            (
                "Two document paths conflict with each other; must remove or rewrite one of these"
                " paths; path one: [a, b], path two: [a, [0]]"
            ),
        ),
        (
            "SET a = :b",
            {},
            "An expression attribute value used in expression is not defined; attribute value: :b",
        ),
        (
            "SET #a = :a",
            {"a": number(1)},
            (
                "An expression attribute name used in the document path is not defined; attribute"
                " name: #a"
            ),
        ),
        ("SET a = no(:a)", {"a": number(1)}, "Invalid function name; function: no"),
        (
            "SET a = size(b)",
            {},
            "The function is not allowed in an update expression; function: size",
        ),
        (
            "SET a = if_not_exists(a)",
            {},
            (
                "Incorrect number of operands for operator or function; operator or function:"
                " if_not_exists, number of operands: 1"
            ),
        ),
        (
            "SET a = if_not_exists(:a, :a)",
            {"a": number(1)},
            "Operator or function requires a document path; operator or function: if_not_exists",
        ),
        (
            "SET a = list_append(a, :a)",
            {"a": number(1)},
            (
                "Incorrect operand type for operator or function; operator or function:"
                " list_append, operand type: N"
            ),
        ),
        (
            "SET a = a + :a",
            {"a": {"S": "1"}},
            (
                "Incorrect operand type for operator or function; operator or function: +, operand"
                " type: S"
            ),
        ),
        (
            "ADD a :a",
            {"a": {"S": "1"}},
            (
                "Incorrect operand type for operator or function; operator: ADD, operand type:"
                " STRING, typeSet: ALLOWED_FOR_ADD_OPERAND"
            ),
        ),
        (
            "ADD a :a",
            {"a": {"L": []}},
            (
                "Incorrect operand type for operator or function; operator: ADD, operand type:"
                " LIST, typeSet: ALLOWED_FOR_ADD_OPERAND"
            ),
        ),
        (
            "DELETE a :a",
            {"a": number(1)},
            (
                "Incorrect operand type for operator or function; operator: DELETE, operand type:"
                " NUMBER, typeSet: ALLOWED_FOR_DELETE_OPERAND"
            ),
        ),
    ],
)
def test_expressions_that_are_none(
    invalid: Callable[..., str], plain: str, key: Item, expression: str, values: Item, text: str
) -> None:
    """An expression is judged before anything is looked up."""
    for table in (plain, "no-such-table"):
        request = update(table, key, expression, values=values)
        assert invalid(UPDATE, request) == f"Invalid UpdateExpression: {text}"


def test_placeholders_that_nothing_uses(invalid: Callable[..., str], plain: str, key: Item) -> None:
    """Names and values are used, or refused."""
    request = update(plain, key, "REMOVE a", values={"u": number(1)})
    assert invalid(UPDATE, request) == (
        "Value provided in ExpressionAttributeValues unused in expressions: keys: {:u}"
    )
    request = update(plain, key, "REMOVE a", names={"u": "u"})
    assert invalid(UPDATE, request) == (
        "Value provided in ExpressionAttributeNames unused in expressions: keys: {#u}"
    )
    assert invalid(UPDATE, update(plain, key, values={"u": number(1)})) == (
        "ExpressionAttributeValues can only be specified when using expressions: UpdateExpression"
        " and ConditionExpression are null"
    )


@pytest.mark.parametrize("expression", ["SET pk = :a", "REMOVE pk", "ADD pk :n", "SET pk.a = :a"])
def test_keys_are_not_updated(
    invalid: Callable[..., str], plain: str, key: Item, expression: str
) -> None:
    """No action may touch an attribute of the key, not even to what it is."""
    values = {
        mark: v for mark, v in (("a", key["pk"]), ("n", number(1))) if f":{mark}" in expression
    }
    assert invalid(UPDATE, update(plain, key, expression, values=values)) == (
        "One or more parameter values were invalid: Cannot update attribute pk. This attribute is"
        " part of the key"
    )


def test_the_order_of_refusals(
    refusal: Callable[..., tuple[str, str]], plain: str, key: Item
) -> None:
    """Of several mistakes the first is told: put right one by one, they come in this order."""
    request = update(
        "no;table",
        {"pk": {"N": "x"}},
        "SET a = :a",
        values={"a": {"N": "y"}},
        ConditionExpression="(",
        ReturnValues="x",
    )
    told = [refusal(UPDATE, request)[1]]
    for put_right in (
        {"TableName": "no-such-table", "ReturnValues": "NONE"},
        {"Key": {"pk": {"N": "1"}}},
        {"ExpressionAttributeValues": {":b": number(1)}},
        {"UpdateExpression": "SET a = b + :b"},
        {"ConditionExpression": "attribute_exists(pk)"},
        {"TableName": plain},
        {"Key": key},
        {"ConditionExpression": "attribute_not_exists(pk)"},
    ):
        request |= put_right
        told.append(refusal(UPDATE, request)[1])
    assert [text.split(":")[0] for text in told] == [
        "1 validation error detected",
        "The parameter cannot be converted to a numeric value",
        "ExpressionAttributeValues contains invalid value",
        "Invalid UpdateExpression",
        "Invalid ConditionExpression",
        "Requested resource not found",
        MISMATCH,
        "The conditional request failed",
        NO_ATTRIBUTE,
    ]


# --- behaviour: what an expression does


@pytest.mark.parametrize(
    ("old", "expression", "values", "new"),
    [
        ({}, "SET a = :a", {"a": {"S": "new"}}, {"a": {"S": "new"}}),
        ({"a": {"S": "old"}}, "SET a = :a", {"a": number("1.0")}, {"a": number(1)}),
        (
            {"a": number(1), "b": number(2)},
            "SET a = b, b = a",
            {},
            {"a": number(2), "b": number(1)},
        ),
        ({"a": number("0.1")}, "SET a = a + :b", {"b": number("0.2")}, {"a": number("0.3")}),
        ({"a": number(1)}, "SET a = a - :b", {"b": number("1e2")}, {"a": number(-99)}),
        ({}, "SET a = :a - :b", {"a": number(3), "b": number(3)}, {"a": number(0)}),
        ({"a": number(1)}, "SET b = a + a", {}, {"a": number(1), "b": number(2)}),
        ({"a": number(1)}, "SET a = if_not_exists(a, :a)", {"a": number(9)}, {"a": number(1)}),
        ({}, "SET a = if_not_exists(a, :a)", {"a": number(9)}, {"a": number(9)}),
        (
            {"b": number(5)},
            "SET a = if_not_exists(a, b) + :a",
            {"a": number(1)},
            {"a": number(6), "b": number(5)},
        ),
        ({"l": numbers(1)}, "SET l = list_append(l, :l)", {"l": numbers(2)}, {"l": numbers(1, 2)}),
        ({"l": numbers(1)}, "SET l = list_append(:l, l)", {"l": numbers(2)}, {"l": numbers(2, 1)}),
        ({"l": numbers(1)}, "SET l = list_append(l, l)", {}, {"l": numbers(1, 1)}),
        (
            {},
            "SET l = list_append(if_not_exists(l, :e), :l)",
            {"e": numbers(), "l": numbers(1)},
            {"l": numbers(1)},
        ),
        (
            {"m": {"M": {"x": number(1)}}},
            "SET m.x = :a, m.y = m.x",
            {"a": number(2)},
            {"m": {"M": {"x": number(2), "y": number(1)}}},
        ),
        (
            {"m": {"M": {"l": {"L": [{"M": {}}]}}}},
            "SET m.l[0].z = :a",
            {"a": number(1)},
            {"m": {"M": {"l": {"L": [{"M": {"z": number(1)}}]}}}},
        ),
        ({"l": numbers(1, 2)}, "SET l[0] = :a", {"a": number(9)}, {"l": numbers(9, 2)}),
        ({"l": numbers(1, 2)}, "SET l[9] = :a", {"a": number(9)}, {"l": numbers(1, 2, 9)}),
        (
            {"l": numbers(1)},
            "SET l[7] = :b, l[5] = :a",
            {"a": number(5), "b": number(7)},
            {"l": numbers(1, 5, 7)},
        ),
        (
            {"l": numbers(1, 2, 3)},
            "SET l[1] = l[0], l[0] = l[2]",
            {},
            {"l": numbers(3, 1, 3)},
        ),
        ({"a": number(1), "b": number(2)}, "REMOVE a", {}, {"b": number(2)}),
        ({"b": number(2)}, "REMOVE a, c", {}, {"b": number(2)}),
        (
            {"m": {"M": {"x": number(1), "y": number(2)}}},
            "REMOVE m.x, m.z",
            {},
            {"m": {"M": {"y": number(2)}}},
        ),
        ({"m": {"M": {"x": number(1)}}}, "REMOVE m.x", {}, {"m": {"M": {}}}),
        ({"l": numbers(0, 1, 2, 3)}, "REMOVE l[0], l[2]", {}, {"l": numbers(1, 3)}),
        ({"l": numbers(0)}, "REMOVE l[5]", {}, {"l": numbers(0)}),
        (
            {"l": numbers(0, 1, 2)},
            "REMOVE l[0] SET l[2] = :a",
            {"a": number(9)},
            {"l": numbers(1, 9)},
        ),
        ({}, "ADD a :a", {"a": number(5)}, {"a": number(5)}),
        ({"a": number(5)}, "ADD a :a", {"a": number("-5.50")}, {"a": number("-0.5")}),
        ({}, "ADD a :a", {"a": {"SS": ["b", "a"]}}, {"a": {"SS": ["a", "b"]}}),
        (
            {"a": {"NS": ["1", "10"]}},
            "ADD a :a",
            {"a": {"NS": ["1.0", "2"]}},
            {"a": {"NS": ["1", "2", "10"]}},
        ),
        (
            {"a": {"BS": [b"b"]}},
            "ADD a :a",
            {"a": {"BS": [b"a"]}},
            {"a": {"BS": [b"a", b"b"]}},
        ),
        (
            {"m": {"M": {"n": number(1)}}},
            "ADD m.n :a, m.s :s",
            {"a": number(1), "s": {"SS": ["a"]}},
            {"m": {"M": {"n": number(2), "s": {"SS": ["a"]}}}},
        ),
        (
            {"a": {"SS": ["a", "b", "c"]}},
            "DELETE a :a",
            {"a": {"SS": ["b", "z"]}},
            {"a": {"SS": ["a", "c"]}},
        ),
        (
            {"a": {"NS": ["1"]}, "b": number(1)},
            "DELETE a :a",
            {"a": {"NS": ["1.0"]}},
            {"b": number(1)},
        ),
        ({"b": number(1)}, "DELETE a :a", {"a": {"SS": ["b"]}}, {"b": number(1)}),
        (
            {"a": number(1), "b": number(2), "c": {"SS": ["x", "y"]}},
            "SET d = a REMOVE a ADD b :n DELETE c :s",
            {"n": number(1), "s": {"SS": ["x"]}},
            {"b": number(3), "c": {"SS": ["y"]}, "d": number(1)},
        ),
    ],
)
def test_what_expressions_do(
    ddb: Any, plain: str, key: Item, old: Item, expression: str, values: Item, new: Item
) -> None:
    """From an old item and an expression to the new item; every operand is read from the old."""
    given(ddb, plain, key, old)
    answer = ddb.update_item(
        **update(plain, key, expression, values=values, ReturnValues="ALL_NEW")
    )
    assert answer["Attributes"] == {**key, **new}
    assert stored(ddb, plain, key) == {**key, **new}


@pytest.mark.parametrize(
    ("expression", "values", "text"),
    [
        ("SET a = none", {}, NO_ATTRIBUTE),
        ("SET a = none + :a", {"a": number(1)}, NO_ATTRIBUTE),
        ("SET a = n + s", {}, WRONG_OPERAND),
        ("SET a = list_append(l, s)", {}, WRONG_OPERAND),
        ("SET none.x = :a", {"a": number(1)}, WRONG_PATH),
        ("SET s.x = :a", {"a": number(1)}, WRONG_PATH),
        ("SET l.x = :a", {"a": number(1)}, WRONG_PATH),
        ("SET m[0] = :a", {"a": number(1)}, WRONG_PATH),
        ("SET none[0] = :a", {"a": number(1)}, WRONG_PATH),
        ("SET m.none.x = :a", {"a": number(1)}, WRONG_PATH),
        ("REMOVE none.x", {}, WRONG_PATH),
        ("ADD s :a", {"a": number(1)}, WRONG_OPERAND),
        ("ADD n :a", {"a": {"SS": ["a"]}}, WRONG_OPERAND),
        ("ADD ss :a", {"a": {"NS": ["1"]}}, WRONG_OPERAND),
        ("DELETE ss :a", {"a": {"NS": ["1"]}}, WRONG_OPERAND),
        ("DELETE n :a", {"a": {"NS": ["1"]}}, WRONG_OPERAND),
        ("SET a = big + big", {}, OVERFLOW),
        ("ADD big :a", {"a": number("9e125")}, OVERFLOW),
        ("ADD tiny :a", {"a": number("-1.1e-130")}, UNDERFLOW),
        ("SET a = n + :a", {"a": number("1e-38")}, OVERFLOW),
    ],
)
def test_what_cannot_be_done(
    invalid: Callable[..., str],
    ddb: Any,
    plain: str,
    key: Item,
    expression: str,
    values: Item,
    text: str,
) -> None:
    """What an item cannot answer is a ValidationException, and the item stays as it is."""
    old = {
        "n": number(1),
        "s": {"S": "text"},
        "ss": {"SS": ["a"]},
        "l": numbers(1),
        "m": {"M": {"x": number(1)}},
        "big": number("9e125"),
        "tiny": number("1e-130"),
    }
    given(ddb, plain, key, old)
    before = stored(ddb, plain, key)
    expression = expression.replace("none", "nowhere")
    assert invalid(UPDATE, update(plain, key, expression, values=values)) == text
    assert stored(ddb, plain, key) == before


def test_names_of_any_kind(ddb: Any, plain: str, key: Item) -> None:
    """A placeholder stands for one name, with dots, spaces, marks or reserved words in it."""
    names = {"a": "a.b", "b": "status", "c": "\U0001f600 :x [0]"}
    request = update(
        plain, key, "SET #a = :v, #b = :v, #c = :v", names=names, values={"v": number(1)}
    )
    ddb.update_item(**request)
    assert stored(ddb, plain, key) == {**key, **{name: number(1) for name in names.values()}}


# --- behaviour: items that come, stay or do not come


@pytest.mark.parametrize(
    ("expression", "values", "new"),
    [
        (None, {}, {}),
        ("SET a = :a", {"a": number(1)}, {"a": number(1)}),
        ("ADD a :a", {"a": number(1)}, {"a": number(1)}),
        ("SET a = if_not_exists(b, :a) REMOVE c", {"a": number(1)}, {"a": number(1)}),
        ("REMOVE a", {}, None),
        ("DELETE a :a", {"a": {"SS": ["a"]}}, None),
    ],
)
def test_an_item_that_is_not_there(
    ddb: Any, plain: str, key: Item, expression: str | None, values: Item, new: Item | None
) -> None:
    """SET, ADD and a key alone make the item; REMOVE and DELETE alone make nothing."""
    asked = update(plain, key, expression, values=values, ReturnValues="ALL_NEW")
    expected = None if new is None else {**key, **new}
    assert ddb.update_item(**asked).get("Attributes") == expected
    assert stored(ddb, plain, key) == expected


@pytest.mark.parametrize(
    ("expression", "values"),
    [
        ("REMOVE m.x", {}),
        ("REMOVE a, l[0]", {}),
        ("DELETE m.s :a", {"a": {"SS": ["a"]}}),
        ("SET m.x = :a", {"a": number(1)}),
    ],
)
def test_paths_into_an_item_that_is_not_there(
    invalid: Callable[..., str],
    ddb: Any,
    plain: str,
    key: Item,
    expression: str,
    values: Item,
) -> None:
    """Paths must have their parents, also where the update could make no item."""
    assert invalid(UPDATE, update(plain, key, expression, values=values)) == WRONG_PATH
    assert stored(ddb, plain, key) is None


def test_a_key_alone_changes_nothing_that_is_there(ddb: Any, plain: str, key: Item) -> None:
    """Without an expression an item stays as it is."""
    given(ddb, plain, key, {"a": number(1)})
    answer = ddb.update_item(**update(plain, key, ReturnValues="ALL_NEW"))
    assert answer["Attributes"] == stored(ddb, plain, key) == {**key, "a": number(1)}


def test_conditions(refused: Callable[..., str], ddb: Any, plain: str, key: Item) -> None:
    """A condition is judged by the old item, before the update; the two share placeholders."""
    on = update(
        plain,
        key,
        "SET #a = #a + :one",
        names={"a": "a"},
        values={"one": number(1)},
        ConditionExpression="#a <= :one",
    )
    assert refused(CONDITION_FAILED, ddb.update_item, **on) == "The conditional request failed"
    assert stored(ddb, plain, key) is None
    given(ddb, plain, key, {"a": number(1)})
    ddb.update_item(**on)
    assert refused(CONDITION_FAILED, ddb.update_item, **on) == "The conditional request failed"
    assert stored(ddb, plain, key) == {**key, "a": number(2)}
    for condition in ("attribute_exists(pk)", "attribute_not_exists(nowhere)"):
        ddb.update_item(**update(plain, key, ConditionExpression=condition))


def test_return_values_on_condition_check_failure(
    raw: Callable[..., Any], ddb: Any, plain: str, key: Item
) -> None:
    """ALL_OLD adds the item that failed the condition, where there is one."""
    request = update(plain, key, "REMOVE a", ConditionExpression="attribute_exists(b)")
    request["ReturnValuesOnConditionCheckFailure"] = "ALL_OLD"
    assert "Item" not in raw("DynamoDB_20120810.UpdateItem", request).json
    given(ddb, plain, key, {"a": number(1)})
    answer = raw("DynamoDB_20120810.UpdateItem", request).json
    assert answer["Item"] == {**key, "a": number(1)}
    request["ReturnValuesOnConditionCheckFailure"] = "NONE"
    assert "Item" not in raw("DynamoDB_20120810.UpdateItem", request).json


# --- behaviour: what is told


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        (None, None),
        ("NONE", None),
        ("ALL_OLD", {"pk": None, "a": number(1), "b": number(2), "m": {"M": {"x": number(3)}}}),
        ("UPDATED_OLD", {"a": number(1), "b": number(2), "m": {"M": {"x": number(3)}}}),
        (
            "ALL_NEW",
            {
                "pk": None,
                "a": number(9),
                "c": number(9),
                "m": {"M": {"x": number(3), "y": number(9)}},
            },
        ),
        ("UPDATED_NEW", {"a": number(9), "c": number(9), "m": {"M": {"y": number(9)}}}),
    ],
)
def test_return_values(
    ddb: Any, plain: str, key: Item, asked: str | None, told: Item | None
) -> None:
    """UPDATED_* show only what the paths of the actions lead to, before or after."""
    given(ddb, plain, key, {"a": number(1), "b": number(2), "m": {"M": {"x": number(3)}}})
    expression = "SET a = :v, c = :v, m.y = :v REMOVE b"
    if asked == "UPDATED_OLD":
        expression = "SET a = :v, c = :v, m.x = :v REMOVE b"
    request = update(plain, key, expression, values={"v": number(9)})
    answer = ddb.update_item(**request, **({"ReturnValues": asked} if asked else {}))
    expected = told and (told | key if "pk" in told else told)
    assert answer.get("Attributes") == expected


@pytest.mark.parametrize(
    ("old", "expression", "asked", "told"),
    [
        (None, "SET a = :v", "ALL_OLD", None),
        (None, "SET a = :v", "UPDATED_OLD", None),
        (None, "SET a = :v", "UPDATED_NEW", {"a": number(9)}),
        ({"a": number(1)}, "REMOVE a", "UPDATED_NEW", None),
        ({"a": number(1)}, "REMOVE a", "UPDATED_OLD", {"a": number(1)}),
        ({"a": number(1)}, "REMOVE b", "UPDATED_OLD", None),
        ({"a": number(9)}, "SET a = :v", "UPDATED_NEW", {"a": number(9)}),
        ({"a": number(9)}, "SET a = :v", "UPDATED_OLD", {"a": number(9)}),
        ({"a": number(1)}, "ADD a :v", "UPDATED_NEW", {"a": number(10)}),
        ({"l": numbers(1, 2, 3)}, "SET l[1] = :v", "UPDATED_NEW", {"l": numbers(9)}),
        ({"l": numbers(1, 2, 3)}, "SET l[1] = :v", "UPDATED_OLD", {"l": numbers(2)}),
        ({"a": number(1)}, None, "UPDATED_NEW", None),
        ({"a": number(1)}, None, "UPDATED_OLD", None),
    ],
)
def test_return_values_of_corners(
    ddb: Any,
    plain: str,
    key: Item,
    old: Item | None,
    expression: str | None,
    asked: str,
    told: Item | None,
) -> None:
    """Where there is nothing to tell, Attributes is not there."""
    if old is not None:
        given(ddb, plain, key, old)
    values = {"v": number(9)} if expression and ":v" in expression else {}
    request = update(plain, key, expression, values=values, ReturnValues=asked)
    assert ddb.update_item(**request).get("Attributes") == told


def test_consumed_capacity(ddb: Any, plain: str, key: Item) -> None:
    """An update costs whole KB of the larger of the old and the new item, at least 1."""
    fixed = len("pk") + len(key["pk"]["S"]) + len("a")
    for size, units in ((0, 1.0), (1024, 1.0), (1025, 2.0), (100, 2.0), (100, 1.0)):
        value = {"S": "x" * max(0, size - fixed)}
        request = update(plain, key, "SET a = :a", values={"a": value})
        answer = ddb.update_item(**request, ReturnConsumedCapacity="INDEXES")
        assert answer["ConsumedCapacity"] == {
            "TableName": plain,
            "CapacityUnits": units,
            "Table": {"CapacityUnits": units},
        }
    nothing = update(plain, {"pk": {"S": "never"}}, "REMOVE a", ReturnConsumedCapacity="TOTAL")
    assert ddb.update_item(**nothing)["ConsumedCapacity"]["CapacityUnits"] == 1.0


# --- behaviour: limits


def test_the_size_of_an_item_to_the_byte(
    refused: Callable[..., str], ddb: Any, plain: str, key: Item
) -> None:
    """An update may take an item to 409,600 bytes and not to one more."""
    room = ITEM_BYTES_MAX - len("pk") - len(key["pk"]["S"]) - len("a")
    ddb.update_item(**update(plain, key, "SET a = :a", values={"a": {"S": "x" * room}}))
    for expression, values in (
        ("SET a = :a", {"a": {"S": "x" * (room + 1)}}),
        ("SET b = :a", {"a": {"S": ""}}),
        ("ADD n :a", {"a": number(1)}),
    ):
        request = update(plain, key, expression, values=values)
        assert refused("ValidationException", ddb.update_item, **request) == (
            "Item size to update has exceeded the maximum allowed size"
        )
    assert len(stored(ddb, plain, key)["a"]["S"]) == room


def test_many_copies_of_a_large_value_are_refused_at_once(
    refused: Callable[..., str], ddb: Any, plain: str, key: Item
) -> None:
    """An update of 4 KB that would make an item of 100 MB costs no more than one that is done."""
    values = {"a": {"L": [{"NULL": True}] * 100_000}}
    copies = ", ".join(f"b{number} = a" for number in range(400))
    done_seconds, refused_seconds = [], []
    for _ in range(3):  # of some, the quickest says what it costs: a busy machine only adds
        before = time.monotonic()
        ddb.update_item(**update(plain, key, "SET a = :a", values=values))
        done_seconds.append(time.monotonic() - before)
        before = time.monotonic()
        assert refused(
            "ValidationException", ddb.update_item, **update(plain, key, f"SET {copies}")
        ) == ("Item size to update has exceeded the maximum allowed size")
        refused_seconds.append(time.monotonic() - before)
    assert min(refused_seconds) < 5 * min(done_seconds)  # counting them all took 30 s


def test_nesting_to_the_level(invalid: Callable[..., str], ddb: Any, plain: str, key: Item) -> None:
    """A value of an update stands in 31 maps at most, also where it is put below itself."""
    values = {"a": wrong_json.nested(31)}
    ddb.update_item(**update(plain, key, "SET a = :a", values=values))
    assert stored(ddb, plain, key) == {**key, **values}
    request = update(plain, key, "SET a = :a", values={"a": wrong_json.nested(32)})
    assert invalid(UPDATE, request) == (
        f"ExpressionAttributeValues contains invalid value: {TOO_DEEP} for key :a"
    )
    assert invalid(UPDATE, update(plain, key, "SET a.b = a")) == TOO_DEEP
    assert stored(ddb, plain, key) == {**key, **values}


def test_a_number_key_is_found_by_value(ddb: Any, sorted_table: str, key: Item) -> None:
    """However a number is spelt, it names one item."""
    for spelling in ("10", "1e1", "010.0"):
        one = {**key, "sk": number(spelling)}
        ddb.update_item(**update(sorted_table, one, "ADD n :one", values={"one": number(1)}))
    assert stored(ddb, sorted_table, {**key, "sk": number(10)})["n"] == number(3)


def test_a_table_is_found_by_its_arn(ddb: Any, plain: str, key: Item) -> None:
    """The ARN stands for the name."""
    arn = ddb.describe_table(TableName=plain)["Table"]["TableArn"]
    ddb.update_item(**update(arn, key))
    assert stored(ddb, plain, key) == key
