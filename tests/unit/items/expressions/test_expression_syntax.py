"""What is wrong with the text of an expression is said as DynamoDB says it."""

import pytest
from hypothesis import given as for_all
from hypothesis import settings
from hypothesis import strategies as st

from expression_requests import condition, given, refusal_of
from penstock.base.errors.api import ApiError
from penstock.items.expressions import prepare
from penstock.items.expressions.parse import parsed
from penstock.items.expressions.reserved import RESERVED_WORDS, is_reserved

OPERAND_COUNT = "Incorrect number of operands for operator or function; operator or function: "
MISUSED = "The function is not allowed to be used this way in an expression; function: "

KINDS = [
    "ConditionExpression",
    "FilterExpression",
    "KeyConditionExpression",
    "UpdateExpression",
    "ProjectionExpression",
]


@pytest.mark.parametrize("kind", KINDS)
def test_an_expression_of_nothing_is_empty_and_one_of_spaces_has_no_token(kind: str) -> None:
    assert refusal_of(kind, "") == "The expression can not be empty;"
    assert refusal_of(kind, " \t\n") == 'Syntax error; token: "<EOF>", near: " \t\n"'


@pytest.mark.parametrize(
    ("kind", "text", "token", "near"),
    [
        ("ConditionExpression", "a", "<EOF>", "a"),
        ("ConditionExpression", "attribute_exists(id) AND NOT #h", "<EOF>", "#h"),
        ("ConditionExpression", "a-b", "-", "a-b"),
        ("ConditionExpression", "a = b )", ")", "b )"),
        ("ConditionExpression", "(a = b", "<EOF>", "b"),
        ("ConditionExpression", "a == b", "=", "== b"),
        ("ConditionExpression", "a = b = c", "=", "b = c"),
        ("ConditionExpression", "a = 5", "5", "= 5"),
        ("ConditionExpression", "a = 'x'", "'", "= 'x"),
        ("ConditionExpression", "a.#", "#", ".#"),
        ("ConditionExpression", "a[:i] = b", ":i", "[:i]"),
        ("ConditionExpression", "a[01] = b", "1", "01]"),
        ("ConditionExpression", "a[00] = b", "0", "00]"),
        ("ConditionExpression", "a BETWEEN b OR c", "OR", "b OR c"),
        ("ConditionExpression", "a IN ()", ")", "()"),
        ("ConditionExpression", "é = b", "é", "é ="),
        ("FilterExpression", "_type = b", "_", "_type"),
        ("FilterExpression", "tenant:abc-1", ":abc", "tenant:abc-"),
        ("KeyConditionExpression", "size()", ")", "()"),
        ("UpdateExpression", "SET", "<EOF>", "SET"),
        ("UpdateExpression", "SET  REMOVE #Options", "REMOVE", "SET  REMOVE #Options"),
        ("UpdateExpression", "INVALID SYNTAX HERE", "INVALID", "INVALID SYNTAX"),
        ("UpdateExpression", "ADD hits : incr", ":", "hits : incr"),
        ("UpdateExpression", "set _some = b", "_", "set _some"),
        ("UpdateExpression", "SET a = b,", "<EOF>", ","),
        ("UpdateExpression", "SET a = b,  ", "<EOF>", ",  "),
        ("ConditionExpression", "a = b ) ", ")", "b ) "),
        ("UpdateExpression", "SET a = b + c + d", "+", "c + d"),
        ("UpdateExpression", "ADD a b", "b", "a b"),
        ("UpdateExpression", "SET a <> b", "<>", "a <> b"),
        ("UpdateExpression", "REMOVE a = b", "=", "a = b"),
        ("ProjectionExpression", "!!!", "!", "!!"),
        ("ProjectionExpression", "a, #, b", "#", ", #,"),
        ("ProjectionExpression", "a b", "b", "a b"),
        ("ProjectionExpression", "a[0", "<EOF>", "0"),
        ("ProjectionExpression", "a.", "<EOF>", "."),
        ("ProjectionExpression", ":v", ":v", ":v"),
    ],
)
def test_a_syntax_error_shows_its_token_between_its_neighbours(
    kind: str, text: str, token: str, near: str
) -> None:
    assert refusal_of(kind, text) == f'Syntax error; token: "{token}", near: "{near}"'


@pytest.mark.parametrize(
    "text",
    [
        "((a = b))",
        "a = ((b))",
        "((size(a))) > b",
        "c = d AND ((a = b))",
        "((a = b) )",
        "NOT ((a = b))",
        "((attribute_exists(a)))",
    ],
)
def test_parentheses_right_inside_parentheses_are_redundant(text: str) -> None:
    for kind in ("ConditionExpression", "FilterExpression", "KeyConditionExpression"):
        assert refusal_of(kind, text) == "The expression has redundant parentheses;"


@pytest.mark.parametrize(
    "text",
    [
        "(a = b)",
        "(a) = (b)",
        "(size(a)) > b",
        "((size(a)) > b)",
        "(attribute_exists(a))",
        "((a = b) AND (c = d))",
        "NOT (a = b)",
        "a IN ((b), c)",
        "a IN ((b))",
        "attribute_exists((a))",
        "a BETWEEN (b) AND (c)",
        "(a BETWEEN b AND c) AND (d) = e",
    ],
)
def test_single_parentheses_may_stand_around_conditions_and_operands(text: str) -> None:
    assert given("ConditionExpression", text).condition is not None


def test_redundant_parentheses_are_refused_in_updates_too() -> None:
    assert given("UpdateExpression", "SET a = (b + c), d = (e) - (f)").update is not None
    message = refusal_of("UpdateExpression", "SET a = ((b + c))")
    assert message == "The expression has redundant parentheses;"


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("ConditionExpression", "size({}) < b"),
        ("KeyConditionExpression", "{} = b"),
        ("UpdateExpression", "SET b = {}"),
        ("UpdateExpression", "SET b = c REMOVE {}"),
        ("ProjectionExpression", "b, {}"),
    ],
)
def test_a_path_has_at_most_32_names_and_indexes(kind: str, text: str) -> None:
    """As DynamoDB Local counts what the developer guide limits."""
    for path in ("a.b" + "[0]" * 31, "#a" + ".b" * 32):
        assert refusal_of(kind, text.format(path)) == (
            "The document path has too many nesting levels; nesting levels: 33"
        )
    assert parsed(kind, text.format("a" + ".b" * 31))


def test_a_reserved_word_is_told_before_a_path_that_is_too_long() -> None:
    assert refusal_of("ProjectionExpression", "a" + ".b" * 32 + ", status") == (
        "Attribute name is a reserved keyword; reserved keyword: status"
    )


def test_keywords_have_any_case_and_functions_one() -> None:
    text = "Not a = b aNd c = d oR e betWeen f and g or h In (i)"
    assert given("ConditionExpression", text).condition is not None
    assert given("UpdateExpression", "set a = b remove c Add d :n delete e :ss").update is not None
    message = refusal_of("ConditionExpression", "Attribute_Exists(a)")
    assert message == "Invalid function name; function: Attribute_Exists"


def test_the_reserved_words_are_the_573_of_the_developer_guide() -> None:
    assert len(RESERVED_WORDS) == 573
    assert {"ABORT", "STATUS", "NAME", "FLATTERN", "INNTER", "ZONE"} <= RESERVED_WORDS
    assert not is_reserved("REMOVE")
    assert is_reserved("sTaTuS")


@pytest.mark.parametrize("word", ["status", "Name", "TTL", "size"])
def test_a_reserved_word_is_no_attribute_name_in_any_expression(word: str) -> None:
    for kind, text in [
        ("ConditionExpression", f"{word} = b"),
        ("KeyConditionExpression", f"b = {word}"),
        ("UpdateExpression", f"SET a = {word}"),
        ("ProjectionExpression", f"a.{word}"),
        ("FilterExpression", f"attribute_exists({word})"),
    ]:
        message = refusal_of(kind, text)
        assert message == f"Attribute name is a reserved keyword; reserved keyword: {word}"


def test_a_reserved_word_may_stand_behind_a_placeholder_or_be_a_function() -> None:
    assert condition("#s = b AND size(c) > d", names={"#s": "status"}).holds(None) is False


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("foo(a)", "Invalid function name; function: foo"),
        ("a = foo(b)", "Invalid function name; function: foo"),
        (
            "attribute_exists(a, b)",
            OPERAND_COUNT + "attribute_exists, number of operands: 2",
        ),
        (
            "size(a, b) = c",
            OPERAND_COUNT + "size, number of operands: 2",
        ),
        (
            "size(a)",
            MISUSED + "size",
        ),
        (
            "contains(a, b) = c",
            MISUSED + "contains",
        ),
        (
            "NOT size(a)",
            MISUSED + "size",
        ),
        (
            "begins_with(a, attribute_exists(b))",
            MISUSED + "attribute_exists",
        ),
        (
            "if_not_exists(a, b) = c",
            "The function is not allowed in a condition expression; function: if_not_exists",
        ),
        (
            "attribute_exists(:v)",
            "Operator or function requires a document path; operator or function: attribute_exists",
        ),
        (
            "a IN (" + ",".join(["b"] * 101) + ")",
            "The IN operator is provided with too many operands; number of operands: 101",
        ),
        (
            "a[4294967295] = b",
            "List index is not within the allowable range; index: [4294967295]",
        ),
    ],
)
def test_a_condition_that_no_values_could_save_is_refused(text: str, message: str) -> None:
    assert refusal_of("ConditionExpression", text) == message


def test_the_largest_list_index_and_the_longest_in_are_accepted() -> None:
    assert given("ConditionExpression", "a[4294967294] = b").condition is not None
    many = ",".join(f"b{i}" for i in range(100))
    assert given("ConditionExpression", f"a IN ({many})").condition is not None


def test_300_operators_are_accepted_and_more_are_not() -> None:
    accepted = " AND ".join(["a=b"] * 150)  # 150 comparators and 149 ANDs
    assert given("ConditionExpression", f"NOT {accepted}").condition is not None
    assert (
        refusal_of("ConditionExpression", f"{accepted} AND c=d")
        == "The expression contains too many operators; operator count: 301"
    )
    betweens = " OR ".join(["a BETWEEN b AND c"] * 150)
    assert given("ConditionExpression", betweens).condition is not None


@pytest.mark.parametrize("kind", KINDS)
def test_an_expression_of_more_than_4_kb_is_refused_before_it_is_read(kind: str) -> None:
    text = "(" * 4097
    size = " expression size: 4097" if kind == "FilterExpression" else ""
    message = refusal_of(kind, text)
    assert message == f"Expression size has exceeded the maximum allowed size;{size}"
    assert "too long" not in refusal_of(kind, "é" * 2048)  # 4096 bytes


def test_only_the_filter_of_a_scan_is_told_its_size() -> None:
    request = {"FilterExpression": "é" * 2049, "KeyConditionExpression": "a = :v"}
    with pytest.raises(ApiError, match=r"maximum allowed size;$"):
        prepare(request, ("FilterExpression", "KeyConditionExpression"))


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("ConditionExpression", "(" * 4096),
        ("ConditionExpression", "(" * 2040 + "a=b" + ")" * 2040),
        ("ConditionExpression", "NOT " * 1000 + "a=b"),
        ("ConditionExpression", "NOT (" * 600 + "a=b" + ")" * 600),
        ("ConditionExpression", "size(" * 400 + "a" + ")" * 400 + "=b"),
        ("ConditionExpression", "(a=b AND NOT " * 100 + "a=b" + ")" * 100),
        ("ConditionExpression", "(a=b OR " * 120 + "(a=b AND c=d)" + ")" * 120),
        ("UpdateExpression", "SET a=" + "list_append(b," * 260 + "b" + ")" * 260),
        ("UpdateExpression", "SET a=" + "if_not_exists(b," * 230 + "b" + ")" * 230),
        ("UpdateExpression", "SET a=" + "(" * 2000),
        ("UpdateExpression", "SET " + "a." * 1000 + "b=c"),
        ("ProjectionExpression", "a" + "[0]" * 1300),
        ("ProjectionExpression", "a" + ".b" * 2000),
        ("KeyConditionExpression", "(a=b AND " * 140 + "c=d" + ")" * 140),
    ],
)
def test_deep_expressions_end_in_an_answer_not_in_a_recursion_error(kind: str, text: str) -> None:
    """Whatever can be nested is tried as deep as 4 KB allow, and run on an item."""
    try:
        prepared = prepare({kind: text}, (kind,))
        if prepared.condition:
            prepared.condition.holds({"a": {"S": "x"}})
        if prepared.update:
            prepared.update.apply({"b": {"L": []}}, {})
        if prepared.projection:
            prepared.projection.apply({"a": {"L": []}})
    except ApiError as error:
        assert error.code == "ValidationException"


TOKENS = """
    a b #n :v :w . , ( ) [ ] 0 7 = <> < <= + - AND OR NOT BETWEEN IN SET REMOVE ADD DELETE size
    attribute_exists begins_with contains attribute_type if_not_exists list_append foo _ status !
    é a.b a[1] (a) size(a) (size(a)) a=:v
"""
WORDS = st.sampled_from(TOKENS.split())


@settings(max_examples=300)
@for_all(
    kind=st.sampled_from(KINDS),
    text=st.lists(WORDS, max_size=14).map(" ".join) | st.text(max_size=30),
)
def test_any_text_is_answered_or_refused(kind: str, text: str) -> None:
    request = {
        kind: text,
        "ExpressionAttributeNames": {"#n": "n"},
        "ExpressionAttributeValues": {":v": {"N": "1"}, ":w": {"S": "x"}},
    }
    try:
        prepare(request, (kind,))
    except ApiError as error:
        assert error.code == "ValidationException"
