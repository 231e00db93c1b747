"""PartiQL statements: what their texts are read as, and what is told of texts that are none."""

from typing import Any

import pytest

from penstock.base.errors.api import ApiError
from penstock.items.partiql import Delete, Insert, Select, Update, statement
from penstock.items.values import Item, Value


def refusal(text: str, *parameters: Value) -> str:
    """Return the message with which a statement, or its parameters, are refused."""
    with pytest.raises(ApiError) as caught:
        statement(text).bind(parameters)
    assert caught.value.code == "ValidationException"
    return str(caught.value.message)


def holds(condition: str, item: Item, *parameters: Value) -> bool:
    """Say whether a WHERE clause is true of an item."""
    parsed = statement(f"SELECT * FROM t WHERE {condition}")
    found = parsed.condition(parsed.bind(parameters))
    assert found is not None
    return found.holds(item)


def inserted(text: str, *parameters: Value) -> Item:
    """Return the item that a tuple, as it is written, makes."""
    parsed = statement(f"INSERT INTO t VALUE {text}")
    assert isinstance(parsed, Insert)
    return parsed.item(parsed.bind(parameters))


def changed(changes: str, item: Item, *parameters: Value) -> Item:
    """Return what an UPDATE makes of an item."""
    parsed = statement(f"UPDATE t {changes} WHERE pk = 'a'")
    assert isinstance(parsed, Update)
    return parsed.update(parsed.bind(parameters)).apply(item, {}).new


# --- values


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("'text'", {"S": "text"}),
        ("''", {"S": ""}),
        ("'it''s'", {"S": "it's"}),
        ("'--no /* comment */'", {"S": "--no /* comment */"}),
        ("1", {"N": "1"}),
        ("-1.50e2", {"N": "-150"}),
        ("- - 3", {"N": "3"}),
        ("+.5", {"N": "0.5"}),
        ("7.", {"N": "7"}),
        ("true", {"BOOL": True}),
        ("FALSE", {"BOOL": False}),
        ("null", {"NULL": True}),
        ("[]", {"L": []}),
        ("[1, 'a', [null]]", {"L": [{"N": "1"}, {"S": "a"}, {"L": [{"NULL": True}]}]}),
        ("(1)", {"N": "1"}),
        ("(1, 2)", {"L": [{"N": "1"}, {"N": "2"}]}),
        ("<<'b', 'a'>>", {"SS": ["a", "b"]}),
        ("<<10, 9.0>>", {"NS": ["9", "10"]}),
        ("{}", {"M": {}}),
        ("{'x': {'y': <<1>>}}", {"M": {"x": {"M": {"y": {"NS": ["1"]}}}}}),
    ],
)
def test_literals(text: str, value: Value) -> None:
    """Every way of writing a value gives the canonical attribute value."""
    assert inserted(f"{{'a': {text}}}") == {"a": value}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("MISSING", "Unsupported data type: MISSING under key root at 1:26:7"),
        ("b", "Unsupported data type: b under key root at 1:26:1"),
        ("1 + 1", "Unsupported data type: + under key root at 1:28:1"),
        ("[1, b]", "Unsupported data type: b under key root.1 at 1:30:1"),
        ("[?]", "Unsupported data type: Parameter under key root.0 at 1:27:1"),
        ("{'x': ?}", "Unsupported data type: Parameter under key root.x at 1:32:1"),
        ("size(b)", "Unsupported data type: size under key root at 1:26:4"),
        (
            '{"x": 1}',
            (
                "Tuple keys must be of type String. Actual type: VariableReference under root"
                " at 1:27:3"
            ),
        ),
        ("{1: 1}", "Tuple keys must be of type String. Actual type: INT under root at 1:27:1"),
        ("{'x': 1, 'x': 2}", "Duplicate keys in tuple. Key: x under root at 1:35:3"),
        ("{'': 1}", "Path component cannot be an empty string"),
        ("<<>>", "Empty bags are not supported at 1:26:2"),
        (
            "<<1, 'a'>>",
            (
                "Unsupported data type in Bag. DynamoDB only supports either numbers or"
                " strings in bags"
            ),
        ),
        (
            "<<true>>",
            (
                "Unsupported data type in Bag. DynamoDB only supports either numbers or"
                " strings in bags at 1:28:4"
            ),
        ),
        ("<<1, 1.0>>", "Input collection contains duplicates"),
        (
            "1e200",
            (
                "Number overflow. Attempting to store a number with magnitude larger than"
                " supported range"
            ),
        ),
        ("1" * 39, "DynamoDB only supports precision up to 38 digits"),
    ],
)
def test_literals_that_are_no_values(text: str, message: str) -> None:
    """What cannot be stored is refused where it stands, with the way to it."""
    assert refusal(f"INSERT INTO t VALUE {{'a':{text}}}").replace("root.a", "root") == message


def test_places_are_told_by_line() -> None:
    """The place of an error counts lines, also those inside texts and comments."""
    text = "INSERT INTO t -- a comment\nVALUE {'a': 'two\nlines',\n 'b': <<>>}"
    assert refusal(text) == "Empty bags are not supported at 4:7:2"


# --- parameters


def test_parameters_stand_for_values() -> None:
    """Parameters are taken in the order of the text, wherever a value can stand."""
    text, number = {"S": "x"}, {"N": "2"}
    assert inserted("{'a': ?, 'b': ?}", text, number) == {"a": text, "b": number}
    assert changed("SET a = a + ? SET b = ?", {"a": number}, number, text) == {
        "a": {"N": "4"},
        "b": text,
    }
    assert holds("a = ? AND b IN [?, ?]", {"a": text, "b": number}, text, text, number)


@pytest.mark.parametrize("parameters", [(), ({"S": "a"}, {"S": "b"})])
def test_the_number_of_parameters(parameters: tuple[Value, ...]) -> None:
    """There are as many parameters as places for them.

    DynamoDB Local takes more than there are places; we ignore nothing that is given.
    """
    assert refusal("DELETE FROM t WHERE pk = ?", *parameters) == (
        "Number of parameters in request and statement don't match."
    )


# --- conditions


ITEM: Item = {
    "n": {"N": "5"},
    "s": {"S": "text"},
    "l": {"L": [{"N": "1"}, {"M": {"x": {"S": "y"}}}]},
    "ss": {"SS": ["a", "b"]},
    "null": {"NULL": True},
    "Odd name": {"N": "1"},
}


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("n = 5", True),
        ("5.0 = n", True),
        ("n <> 5", False),
        ("n != 4", True),
        ("n > 4 AND n <= 5", True),
        ("4 > n", False),
        ("n = 4 OR n = 5 AND s = 'text'", True),
        ("(n = 4 OR n = 5) AND s = 'x'", False),
        ("NOT n = 5", False),
        ("NOT (NOT n = 5)", True),
        ("n BETWEEN 1 AND 5 AND s = 'text'", True),
        ("n NOT BETWEEN 1 AND 5", False),
        ("n IN [1, 5]", True),
        ("n IN (1, 5)", True),
        ("n NOT IN (1)", True),
        ("begins_with(s, 'te')", True),
        ("BEGINS_WITH(s, 'x')", False),
        ("begins_with(s, 'te') = true", True),
        ("false = begins_with(s, 'te')", False),
        ("begins_with(s, 'te') <> false", True),
        ("contains(ss, 'a')", True),
        ("attribute_type(ss, 'SS')", True),
        ("size(ss) = 2", True),
        ("SIZE(s) BETWEEN 1 AND 4", True),
        ("absent IS MISSING", True),
        ("absent IS NOT MISSING", False),
        ("null IS NULL", True),
        ('"null" IS NULL', True),
        ("absent IS NULL", False),
        ("s IS NOT NULL", True),
        ('"null" = NULL', True),
        ("absent <> 1", True),
        ("l[1].x = 'y'", True),
        ("l[1]['x'] = 'y'", True),
        ('"Odd name" = 1', True),
        ("ss = <<'b', 'a'>>", True),
        ("l = [1, {'x': 'y'}]", True),
        ("S = 'text'", False),
    ],
)
def test_conditions(condition: str, expected: bool) -> None:
    """Operators, functions and paths mean what they mean in expressions; names keep their case."""
    assert holds(condition, ITEM) is expected


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        ("n", "WHERE clause must contain an expression that resolves to a boolean"),
        ("TRUE", "WHERE clause must contain an expression that resolves to a boolean"),
        ("size(s)", "WHERE clause must contain an expression that resolves to a boolean"),
        ("(n = 1) = (n = 2)", "WHERE clause must contain an expression that resolves to a boolean"),
        ("n = MISSING", "MISSING must be compared using IS operator"),
        ("n LIKE 'a'", "Unsupported operator in Condition Expression. Operator: like"),
        ("n = 1 + 1", "Unsupported operator in Condition Expression. Operator: +"),
        ("n = a * 2", "Unsupported operator in Condition Expression. Operator: *"),
        ("n || 'a' = 'b'", "Unsupported operator in Condition Expression. Operator: ||"),
        ("foo(n)", "Unrecognized function: foo"),
        (
            "n IN []",
            (
                "IN operator must have a left hand argument of type Variable Reference and"
                " right hand argument of type Seq with at least one member"
            ),
        ),
        (
            "n IN 1",
            (
                "IN operator must have a left hand argument of type Variable Reference and"
                " right hand argument of type Seq with at least one member"
            ),
        ),
        (
            "n IN [" + ",".join(map(str, range(101))) + "]",
            "The IN operator is provided with too many operands; number of operands: 101",
        ),
        (
            "n = n",
            (
                "The first operand must be distinct from the remaining operands for this operator"
                " or function; operator: =, first operand: [n]"
            ),
        ),
        (
            "n > TRUE",
            (
                "Incorrect operand type for operator or function; operator or function: >,"
                " operand type: BOOL"
            ),
        ),
        (
            "begins_with(n, 1)",
            (
                "Incorrect operand type for operator or function; operator or"
                " function: begins_with, operand type: N"
            ),
        ),
        (
            "contains(n)",
            (
                "Incorrect number of operands for operator or function; operator or"
                " function: contains, number of operands: 1"
            ),
        ),
        (
            "n = -s",
            (
                "Incorrect number of operands for operator or function; operator or function:"
                " -, number of operands: 1"
            ),
        ),
        (
            "n BETWEEN 5 AND 1",
            (
                "The BETWEEN operator requires upper bound to be greater than or"
                " equal to lower bound; lower bound operand: AttributeValue: {N:5},"
                " upper bound operand: AttributeValue: {N:1}"
            ),
        ),
        ("l.* = 1", "Changing item's hierarchy while reading isn't supported"),
    ],
)
def test_conditions_that_are_none(condition: str, message: str) -> None:
    """A condition is refused with the text of expressions, without the name of an expression."""
    assert refusal(f"SELECT * FROM t WHERE {condition}") == message


# --- SELECT


def test_columns_show_paths_by_their_last_name() -> None:
    """A column is named by the last name of its path and the indexes behind it."""
    parsed = statement('SELECT n, l[1].x, l[0], "Odd name", absent FROM t')
    assert isinstance(parsed, Select)
    assert parsed.row(ITEM) == {
        "n": {"N": "5"},
        "x": {"S": "y"},
        "l[0]": {"N": "1"},
        "Odd name": {"N": "1"},
    }


def test_the_parts_of_a_select() -> None:
    """Table, index, order and the number of parameters are read off the text."""
    parsed = statement('select * from "a.b"."i-1" where x = ? order by x desc, y;')
    assert isinstance(parsed, Select)
    assert (parsed.table, parsed.index, parsed.columns) == ("a.b", "i-1", None)
    assert parsed.order == (("x", True), ("y", False))
    assert parsed.parameters == 1
    assert not parsed.is_exists


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("SELECT * FROM t AS x", "Aliasing is not supported"),
        ("SELECT * FROM t x", "Aliasing is not supported"),
        ("SELECT a AS b FROM t", "Aliasing is not supported"),
        ("SELECT * FROM t, u", "Only select from a single table or index is supported."),
        ("SELECT * FROM 't'", "Unexpected from source"),
        ("SELECT * FROM t[0]", "Unexpected from source"),
        ("SELECT * FROM a.b.c", "A path may contain at most 2 components in the FROM clause"),
        ("SELECT VALUE a FROM t", "Select projection doesn't support value or pivot keywords"),
        ("SELECT DISTINCT a FROM t", "Unsupported token in expression: DISTINCT"),
        ("SELECT COUNT(*) FROM t", "Unexpected path component at 1:8:5"),
        ("SELECT a + 1 FROM t", "Unexpected path component at 1:10:1"),
        ("SELECT m.* FROM t", "Changing item's hierarchy while reading isn't supported"),
        ("SELECT a.x, b.x FROM t", "Duplicate identifiers in select clause: x"),
        (
            "SELECT a, a.x FROM t",
            (
                "Two document paths overlap with each other; must remove or"
                " rewrite one of these paths; path one: [a], path two: [a, x]"
            ),
        ),
        ("SELECT * FROM t LIMIT 1", "Unsupported clause: LIMIT at 1:23:1"),
        ("SELECT * FROM t GROUP BY a", "Unsupported clause: GROUP BY"),
        ("SELECT * FROM t HAVING a", "Unsupported clause: HAVING at 1:24:1"),
        (
            "SELECT * FROM t ORDER BY a",
            "Must have WHERE clause in the statement when using ORDER BY clause.",
        ),
    ],
)
def test_selects_that_dynamodb_does_not_have(text: str, message: str) -> None:
    """What SQL has and DynamoDB has not is refused by name."""
    assert refusal(text) == message


# --- changes


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ("SET a = 1", {"a": {"N": "1"}}),
        ("SET a = 1, b = 'x' SET c = n", {"a": {"N": "1"}, "b": {"S": "x"}, "c": {"N": "5"}}),
        ("SET n = n + 1", {"n": {"N": "6"}}),
        ("SET n = 10 - n - 1", {"n": {"N": "4"}}),
        ("SET n = n + (1 - 2)", {"n": {"N": "4"}}),
        ("SET l[0] = 'z'", {"l": {"L": [{"S": "z"}, {"M": {"x": {"S": "y"}}}]}}),
        ("SET l[1].x = null REMOVE l[0]", {"l": {"L": [{"M": {"x": {"NULL": True}}}]}}),
        ("SET a = list_append([2], l)", {"a": {"L": [{"N": "2"}, *ITEM["l"]["L"]]}}),
        ("SET ss = set_add(ss, <<'c'>>)", {"ss": {"SS": ["a", "b", "c"]}}),
        ("SET ss = SET_DELETE(ss, <<'a', 'z'>>)", {"ss": {"SS": ["b"]}}),
        ("SET fresh = set_add(fresh, <<1>>)", {"fresh": {"NS": ["1"]}}),
        ("SET a = if_not_exists(a, 7)", {"a": {"N": "7"}}),
    ],
)
def test_changes(changes: str, expected: Item) -> None:
    """SET and REMOVE do what update expressions do; SET_ADD and SET_DELETE are ADD and DELETE."""
    assert changed(changes, ITEM) == {**ITEM, **expected}


def test_removing() -> None:
    """REMOVE takes one path, and there may be several; so an emptied set goes."""
    without = changed("REMOVE n REMOVE s SET ss = set_delete(ss, <<'a', 'b'>>)", ITEM)
    assert without.keys() == ITEM.keys() - {"n", "s", "ss"}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ("SET a = b * 2", "Unsupported operator in Update Expression. Operator: *"),
        ("SET a = foo(b)", "Unrecognized function: foo"),
        ("SET a = size(b)", "The function is not allowed in an update expression; function: size"),
        ("SET a = MISSING", "MISSING must be compared using IS operator"),
        (
            "SET a = set_add(b, <<1>>)",
            "The first argument to SET_ADD must equal the assignment value at 1:18:7",
        ),
        (
            "SET a = set_add(a, 1)",
            "The second argument to SET_ADD must be a value with type SET at 1:26:1",
        ),
        (
            "SET a = list_append(a, 1)",
            (
                "Incorrect operand type for operator or function; operator or"
                " function: list_append, operand type: N"
            ),
        ),
        (
            "SET a = 1 SET a = 2",
            (
                "Two document paths overlap with each other; must remove or rewrite"
                " one of these paths; path one: [a], path two: [a]"
            ),
        ),
    ],
)
def test_changes_that_are_none(changes: str, message: str) -> None:
    """A change that cannot be made is refused with the text of expressions, without their name."""
    assert refusal(f"UPDATE t {changes} WHERE pk = 'a'") == message


def test_a_parameter_of_set_add_is_a_set() -> None:
    """A parameter is judged when it is known; ADD of an expression would take a number too."""
    text = "UPDATE t SET a = set_add(a, ?) WHERE pk = 'a'"
    assert refusal(text, {"N": "1"}) == (
        "The second argument to SET_ADD must be a value with type SET at 1:26:1"
    )


# --- RETURNING


@pytest.mark.parametrize(
    ("clause", "asked"),
    [
        ("", "NONE"),
        ("RETURNING ALL OLD *", "ALL_OLD"),
        ("returning all new *", "ALL_NEW"),
        ("RETURNING MODIFIED OLD *", "UPDATED_OLD"),
        ("RETURNING MODIFIED NEW *", "UPDATED_NEW"),
    ],
)
def test_returning(clause: str, asked: str) -> None:
    """RETURNING is UpdateItem's ReturnValues."""
    parsed = statement(f"UPDATE t SET a = 1 WHERE pk = 'a' {clause}")
    assert isinstance(parsed, Update)
    assert parsed.returning == asked


def test_returning_of_a_delete() -> None:
    """DELETE returns the old item and nothing else; AWS, 2026-07."""
    parsed = statement("DELETE FROM t WHERE pk = 'a' RETURNING ALL OLD *")
    assert isinstance(parsed, Delete)
    assert parsed.returning == "ALL_OLD"
    for clause in ("ALL NEW", "MODIFIED OLD", "MODIFIED NEW"):
        assert refusal(f"DELETE FROM t WHERE pk = 'a' RETURNING {clause} *") == (
            f"Invalid returning clause: RETURNING {clause} *. Only RETURNING ALL OLD * is allowed"
            " in DELETE statements."
        )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "INSERT INTO t VALUE {'a': 1} RETURNING ALL OLD *",
            "RETURNING is not supported in INSERT",
        ),
        (
            "UPDATE t SET a = 1 WHERE b = 1 RETURNING ALL OLD a",
            "Expected '*' after ( MODIFIED | ALL ) ( NEW | OLD ) in RETURNING clause",
        ),
        (
            "UPDATE t SET a = 1 WHERE b = 1 RETURNING ALL OLD *, ALL NEW *",
            "Invalid syntax with multiple returning elements in RETURNING clause",
        ),
        (
            "INSERT INTO t.i VALUE {'a': 1}",
            ("FROM clause may only contain a single table name in data manipulation statements"),
        ),
        ("UPDATE t.i SET a = 1 WHERE b = 1", "This operation is not supported on an index"),
        ("DELETE FROM t.i WHERE b = 1", "This operation is not supported on an index"),
        (
            "INSERT INTO t VALUE 'a'",
            (
                "Unsupported format in item expression. Please use struct"
                " format {...} to express item values for insert statement. at"
                " 1:21:3"
            ),
        ),
    ],
)
def test_writes_that_dynamodb_does_not_have(text: str, message: str) -> None:
    """What a write cannot say is refused by name."""
    assert refusal(text) == message


# --- texts that are no statements


@pytest.mark.parametrize(
    ("text", "detail"),
    [
        (" ", "Expected data manipulation"),
        ("FOO", "Expected data manipulation"),
        ("CREATE TABLE t", "Expected data manipulation"),
        ("UPDATE a-b SET x = 1 WHERE y = 1", "Expected data manipulation"),
        ("UPDATE t WHERE a = 1", "Expected data manipulation"),
        ("INSERT INTO t (a, b) VALUES (?, ?)", "Unexpected keyword"),
        ("INSERT INTO t VALUES (1)", "Unexpected keyword"),
        ("SELECT FROM t", "Unexpected keyword"),
        ("SELECT date FROM t", "Unexpected keyword"),
        ("SELECT a FROM t WHERE user = 1", "Unexpected keyword"),
        ("SELECT a FROM t WHERE", "Unexpected term"),
        ("SELECT a FROM t WHERE a = 'x", "Unexpected term"),
        ("SELECT a FROM t WHERE (a = 1", "Unexpected term"),
        ("SELECT a FROM t WHERE a == 1", "Unexpected term"),
        ("SELECT a[1.5] FROM t", "Unexpected term"),
        ("SELECT a[99999999999] FROM t", "Unexpected term"),
        ("SELECT a FROM t; SELECT a FROM t", "Unexpected keyword"),
        ("SELECT a, * FROM t", "Unexpected term"),
        ("DELETE t WHERE a = 1", "Unexpected term"),
        ("SELECT @ FROM t", "Unexpected term"),
    ],
)
def test_texts_that_are_no_statements(text: str, detail: str) -> None:
    """A text that is no statement says so; AWS tells the kind of what stands in the way."""
    assert refusal(text) == f"Statement wasn't well formed, can't be processed: {detail}"


def test_keywords_are_names_in_quotation_marks() -> None:
    """Any name may stand in double quotation marks, doubled ones inside included."""
    parsed = statement('SELECT "date", "a""b" FROM "select"')
    assert isinstance(parsed, Select)
    assert parsed.table == "select"
    assert parsed.columns is not None
    assert [column.name for column in parsed.columns] == ["date", 'a"b']


@pytest.mark.parametrize("text", ["(" * 4000, "[" * 4000, "NOT " * 2000, "- " * 4000])
def test_statements_as_deep_as_their_length_allows(text: str) -> None:
    """What is nested as deep as the text is long is refused like any other, not with a bug."""
    assert refusal(f"SELECT * FROM t WHERE a = {text}")


def test_the_number_of_operators() -> None:
    """A statement has at most 300 operators, as an expression."""
    most = " AND ".join(["a = 1"] * 150)
    assert holds(most, {"a": {"N": "1"}})
    assert refusal(f"SELECT * FROM t WHERE {most} AND a = 1") == (
        "The expression contains too many operators; operator count: 301"
    )


def test_a_statement_is_parsed_once() -> None:
    """What depends on the text alone is kept, for short texts and for long ones."""
    for text in ("SELECT a FROM t", f"SELECT a FROM t WHERE b = '{'x' * 600}'"):
        first: Any = statement(text)
        assert statement(text) is first
