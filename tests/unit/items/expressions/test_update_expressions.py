"""What updates make of items, what UPDATED_OLD and UPDATED_NEW show, and what is refused."""

from copy import deepcopy
from typing import Any

import pytest

from expression_requests import refusal_of, update
from penstock.base.errors.api import ApiError
from penstock.items.expressions import prepare
from penstock.items.keys import KeyAttribute, KeySchema

KEY: dict[str, Any] = {"pk": {"S": "k"}}
OLD: dict[str, Any] = KEY | {
    "n": {"N": "5"},
    "s": {"S": "b"},
    "ss": {"SS": ["a", "b"]},
    "l": {"L": [{"S": "a"}, {"S": "b"}, {"S": "c"}]},
    "m": {"M": {"x": {"N": "1"}, "y": {"L": [{"M": {"z": {"S": "q"}, "w": {"S": "r"}}}]}}},
}


def changed(text: str, **placeholders: Any) -> dict[str, Any]:
    """Return the attributes that differ once `text` updated OLD; None stands for a removed one."""
    before = deepcopy(OLD)
    new = update(text, **placeholders).apply(OLD, KEY).new
    assert before == OLD
    return {name: new.get(name) for name in {**OLD, **new} if new.get(name) != OLD.get(name)}


def texts(letters: str) -> dict[str, Any]:
    return {"L": [{"S": letter} for letter in letters]}


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("SET a = :s", {"a": {"S": "b"}}),
        ("SET n = :s", {"n": {"S": "b"}}),
        ("SET a = n, n = :ten", {"a": {"N": "5"}, "n": {"N": "10"}}),
        ("SET n = m.x, m.x = n", {"n": {"N": "1"}, "m": {"M": OLD["m"]["M"] | {"x": OLD["n"]}}}),
        ("SET n = n + :one", {"n": {"N": "6"}}),
        ("SET n = :one - n", {"n": {"N": "-4"}}),
        ("SET n = (n - (m.x))", {"n": {"N": "4"}}),
        ("SET a = if_not_exists(n, :ten)", {"a": {"N": "5"}}),
        ("SET a = if_not_exists(gone, :ten)", {"a": {"N": "10"}}),
        ("SET a = if_not_exists(gone, :one) + if_not_exists(n, :one)", {"a": {"N": "6"}}),
        ("SET a = if_not_exists(gone, if_not_exists(m.q, n))", {"a": {"N": "5"}}),
        ("SET l = list_append(l, :l)", {"l": {"L": [*texts("abc")["L"], {"S": "b"}, {"N": "5"}]}}),
        (
            "SET l = list_append(:l, m.y)",
            {"l": {"L": [{"S": "b"}, {"N": "5"}, *OLD["m"]["M"]["y"]["L"]]}},
        ),
        (
            "SET l = list_append(if_not_exists(gone, :l), :l)",
            {"l": {"L": [{"S": "b"}, {"N": "5"}] * 2}},
        ),
        ("SET l[1] = :a", {"l": texts("aac")}),
        ("SET l[9] = :a", {"l": texts("abca")}),
        ("SET l[9] = :a, l[7] = :s, l[0] = :c", {"l": texts("cbcba")}),
        (
            "SET m.y[0].z = :a",
            {
                "m": {
                    "M": {"x": {"N": "1"}, "y": {"L": [{"M": {"z": {"S": "a"}, "w": {"S": "r"}}}]}}
                }
            },
        ),
        ("REMOVE n, s", {"n": None, "s": None}),
        ("REMOVE gone, m.gone, l[9]", {}),
        ("REMOVE l[0]", {"l": texts("bc")}),
        ("REMOVE l[0], l[2]", {"l": texts("b")}),
        ("REMOVE l[2], l[1], l[0]", {"l": texts("")}),
        ("REMOVE l[0] SET l[1] = :c, l[5] = :a", {"l": texts("cca")}),
        (
            "REMOVE m.y[0].z",
            {"m": {"M": {"x": {"N": "1"}, "y": {"L": [{"M": {"w": {"S": "r"}}}]}}}},
        ),
        ("ADD n :ten", {"n": {"N": "15"}}),
        ("ADD a :ten", {"a": {"N": "10"}}),
        (
            "ADD m.x :ten, m.q :one",
            {"m": {"M": OLD["m"]["M"] | {"x": {"N": "11"}, "q": {"N": "1"}}}},
        ),
        ("ADD ss :ss", {}),
        ("ADD a :ns", {"a": {"NS": ["1", "5"]}}),
        ("DELETE ss :ss", {"ss": None}),
        ("DELETE gone :ss", {}),
        ("DELETE m.gone :ss", {}),
    ],
)
def test_an_update_changes_what_it_says(text: str, result: dict[str, Any]) -> None:
    assert changed(text) == result


def test_sets_stay_sorted_by_value_and_lose_only_what_is_deleted() -> None:
    item = {"ns": {"NS": ["-3", "9"]}, "bs": {"BS": ["AA==", "/w=="]}, "ss": {"SS": ["b", "z"]}}
    values = {":ns": {"NS": ["10", "9.5"]}, ":bs": {"BS": ["gA=="]}, ":ss": {"SS": ["z", "q"]}}
    new = update("ADD ns :ns, bs :bs DELETE ss :ss", values=values).apply(item, KEY).new
    assert new == {
        "ns": {"NS": ["-3", "9", "9.5", "10"]},
        "bs": {"BS": ["AA==", "gA==", "/w=="]},
        "ss": {"SS": ["b"]},
    }


def test_an_absent_item_is_made_of_its_key() -> None:
    made = update("SET a = :s ADD n :n").apply(None, KEY)
    assert made.new == KEY | {"a": {"S": "b"}, "n": {"N": "5"}}
    assert made.updated_old(None) == {}
    assert made.updated_new() == {"a": {"S": "b"}, "n": {"N": "5"}}


@pytest.mark.parametrize(
    ("text", "creates"),
    [
        ("SET a = :s", True),
        ("ADD a :n", True),
        ("REMOVE a", False),
        ("DELETE a :ss", False),
        ("REMOVE a SET c = :s", True),
    ],
)
def test_removing_alone_makes_no_item(text: str, creates: bool) -> None:
    assert update(text).creates(None) is creates
    assert update(text).creates(OLD)


@pytest.mark.parametrize(
    ("text", "old", "new"),
    [
        ("SET n = :one", {"n": {"N": "5"}}, {"n": {"N": "1"}}),
        ("SET n = :n", {"n": {"N": "5"}}, {"n": {"N": "5"}}),
        ("SET a = :one", {}, {"a": {"N": "1"}}),
        ("REMOVE n", {"n": {"N": "5"}}, {}),
        ("SET m.x = :ten", {"m": {"M": {"x": {"N": "1"}}}}, {"m": {"M": {"x": {"N": "10"}}}}),
        (
            "SET m.y[0].z = :s, m.x = :ten",
            {"m": {"M": {"x": {"N": "1"}, "y": {"L": [{"M": {"z": {"S": "q"}}}]}}}},
            {"m": {"M": {"x": {"N": "10"}, "y": {"L": [{"M": {"z": {"S": "b"}}}]}}}},
        ),
        ("SET l[2] = :s, l[0] = :c", {"l": texts("ac")}, {"l": texts("cb")}),
        ("SET l[9] = :s", {}, {}),
        ("REMOVE l[0]", {"l": texts("a")}, {}),
        ("ADD n :one", {"n": {"N": "5"}}, {"n": {"N": "6"}}),
        ("DELETE ss :ss", {"ss": {"SS": ["a", "b"]}}, {}),
    ],
)
def test_updated_images_show_only_what_the_update_touched(
    text: str, old: dict[str, Any], new: dict[str, Any]
) -> None:
    updated = update(text).apply(OLD, KEY)
    assert updated.updated_old(OLD) == old
    assert updated.updated_new() == new


def test_a_key_attribute_cannot_be_updated() -> None:
    schema = KeySchema((KeyAttribute("pk", "S"),), (KeyAttribute("sk", "N"),))
    update("SET a = :s").check_keys(schema)
    for text, name in [("SET pk = :s", "pk"), ("REMOVE a, #k", "sk"), ("ADD #k.x :n", "sk")]:
        names = {"#k": "sk"} if "#k" in text else None
        with pytest.raises(ApiError) as refused:
            update(text, names=names).check_keys(schema)
        assert refused.value.message == (
            "One or more parameter values were invalid: "
            f"Cannot update attribute {name}. This attribute is part of the key"
        )


PATH = "The document path provided in the update expression is invalid for update"
OPERAND = "An operand in the update expression has an incorrect data type"
MISSING = "The provided expression refers to an attribute that does not exist in the item"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("SET gone.x = :s", PATH),
        ("SET n.x = :s", PATH),
        ("SET m[0] = :s", PATH),
        ("SET l.x = :s", PATH),
        ("SET l[9].x = :s", PATH),
        ("SET m.gone.x = :s", PATH),
        ("REMOVE gone.x", PATH),
        ("REMOVE n[0]", PATH),
        ("ADD gone.x :n", PATH),
        ("DELETE gone.x :ss", PATH),
        ("SET a = gone", MISSING),
        ("SET a = gone + :one", MISSING),
        ("SET a = :one + l[9]", MISSING),
        ("SET a = list_append(gone, :l)", MISSING),
        ("SET a = if_not_exists(gone, m.gone)", MISSING),
        ("SET a = s + :one", OPERAND),
        ("SET a = :one - ss", OPERAND),
        ("SET a = list_append(:l, n)", OPERAND),
        ("ADD s :n", OPERAND),
        ("ADD n :ss", OPERAND),
        ("ADD ss :ns", OPERAND),
        ("DELETE n :ss", OPERAND),
        ("DELETE ss :ns", OPERAND),
    ],
)
def test_an_update_that_the_item_does_not_allow_is_refused(text: str, message: str) -> None:
    with pytest.raises(ApiError) as refused:
        update(text).apply(OLD, KEY)
    assert refused.value.code == "ValidationException"
    assert refused.value.message == message


def test_a_list_that_no_item_can_hold_is_not_made() -> None:
    """Each element takes a byte, so more of them than an item has bytes are refused uncounted."""
    old = KEY | {"a": {"L": [{"S": ""}] * 204_801}}
    with pytest.raises(ApiError) as caught:
        update("SET b = list_append(a, a)").apply(old, KEY)
    assert caught.value.message == "Item size to update has exceeded the maximum allowed size"


def test_arithmetic_out_of_range_is_an_overflow() -> None:
    largest = {"n": {"N": "9" * 38 + "0" * 88}}
    for text in ["SET n = n + :big", "ADD n :big"]:
        with pytest.raises(ApiError, match="Number overflow"):
            update(text, values={":big": largest["n"]}).apply(largest, KEY)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("SET a = b SET c = d", 'The "SET" section can only be used once in an update expression;'),
        (
            "remove a set c = d Remove e",
            'The "REMOVE" section can only be used once in an update expression;',
        ),
        (
            "SET a = size(b)",
            "The function is not allowed in an update expression; function: size",
        ),
        ("SET a = foo(b)", "Invalid function name; function: foo"),
        (
            "SET a = if_not_exists(:s, b)",
            "Operator or function requires a document path; operator or function: if_not_exists",
        ),
        (
            "SET a = list_append(b)",
            "Incorrect number of operands for operator or function; "  # noqa: ISC004
            "operator or function: list_append, number of operands: 1",
        ),
    ],
)
def test_an_update_that_no_item_allows_is_refused(text: str, message: str) -> None:
    assert refusal_of("UpdateExpression", text) == message


@pytest.mark.parametrize(
    ("text", "how", "one", "two"),
    [
        ("SET a = b, a = c", "overlap", "[a]", "[a]"),
        ("SET a = b REMOVE a.nested.hello", "overlap", "[a]", "[a, nested, hello]"),
        ("SET a.b[1].c = d ADD a.b :n", "overlap", "[a, b, [1], c]", "[a, b]"),
        ("REMOVE l[1], l[1]", "overlap", "[l, [1]]", "[l, [1]]"),
        ("SET a.b = c, a[1] = d", "conflict", "[a, b]", "[a, [1]]"),
        ("SET x = y, a[1].c = c, a[1][2] = d", "conflict", "[a, [1], c]", "[a, [1], [2]]"),
        ("SET a.b.c = x, a.b.d = y REMOVE a.b[0]", "conflict", "[a, b, c]", "[a, b, [0]]"),
    ],
)
def test_paths_must_not_get_in_each_others_way(text: str, how: str, one: str, two: str) -> None:
    assert refusal_of("UpdateExpression", text) == (
        f"Two document paths {how} with each other; must remove or rewrite one of these paths; "
        f"path one: {one}, path two: {two}"
    )


def test_neighbouring_paths_do_not_overlap() -> None:
    paths = "a.b.c, a.b.d, l[0], l[1].x, l[1].y, ab"
    assert update(f"REMOVE {paths}").creates(None) is False


def test_two_names_for_one_attribute_overlap() -> None:
    message = refusal_of("UpdateExpression", "SET #a = b, #b = c", names={"#a": "x", "#b": "x"})
    assert message.startswith("Two document paths overlap")


@pytest.mark.parametrize(
    ("text", "detail"),
    [
        ("ADD a :s", "operator: ADD, operand type: STRING, typeSet: ALLOWED_FOR_ADD_OPERAND"),
        ("ADD a :l", "operator: ADD, operand type: LIST, typeSet: ALLOWED_FOR_ADD_OPERAND"),
        ("ADD a :m", "operator: ADD, operand type: MAP, typeSet: ALLOWED_FOR_ADD_OPERAND"),
        (
            "DELETE a :n",
            "operator: DELETE, operand type: NUMBER, typeSet: ALLOWED_FOR_DELETE_OPERAND",
        ),
        (
            "DELETE a :t",
            "operator: DELETE, operand type: BOOLEAN, typeSet: ALLOWED_FOR_DELETE_OPERAND",
        ),
        ("SET a = b + :s", "operator or function: +, operand type: S"),
        ("SET a = :l - b", "operator or function: -, operand type: L"),
        ("SET a = list_append(b, :m)", "operator or function: list_append, operand type: M"),
    ],
)
def test_a_value_of_a_type_that_an_update_cannot_take_is_refused(text: str, detail: str) -> None:
    message = refusal_of("UpdateExpression", text)
    assert message == f"Incorrect operand type for operator or function; {detail}"


@pytest.mark.parametrize(
    "operand",
    [
        "list_append(list_append(a, :l), :l)",
        "list_append(:l, list_append(a, :l))",
        "if_not_exists(a, list_append(b, :l))",
        "list_append(a, :l) + :n",
        "n - list_append(a, :l)",
    ],
)
def test_list_append_is_all_that_a_set_assigns(operand: str) -> None:
    """DynamoDB Local, 2026-11, takes it nowhere else; if_not_exists goes inside it."""
    assert refusal_of("UpdateExpression", f"SET a = {operand}") == (
        "The function is not allowed to be used this way in an expression; function: list_append"
    )


@pytest.mark.parametrize(
    ("operand", "path"),
    [
        ("if_not_exists(a, a)", "[a]"),
        ("if_not_exists(m.x[0], m.x[0]) + :n", "[m, x, [0]]"),
        ("list_append(if_not_exists(a, a), :l)", "[a]"),
    ],
)
def test_if_not_exists_falls_back_on_something_else(operand: str, path: str) -> None:
    assert refusal_of("UpdateExpression", f"SET b = {operand}") == (
        "The first operand must be distinct from the remaining operands for this operator or"
        f" function; operator: if_not_exists, first operand: {path}"
    )


def test_a_part_of_a_key_is_not_read() -> None:
    """Keys are scalars, so that such a path could lead to nothing, in any place of an operand."""
    schema = KeySchema((KeyAttribute("pk", "S"),))
    for operand in ("pk.x", "pk[0]", "if_not_exists(pk.x, :n)", "list_append(pk[0], :l)"):
        with pytest.raises(ApiError) as refused:
            update(f"SET a = {operand}").check_keys(schema)
        assert refused.value.message == (
            "Key attributes must be scalars; list random access '[]' and map lookup '.' are not"
            " allowed: Key: pk"
        )
    update("SET a = pk, b = m.pk, c = pkx.y").check_keys(schema)


def test_a_request_may_have_an_update_and_a_condition() -> None:
    request = {
        "UpdateExpression": "SET #n = #n + :one",
        "ConditionExpression": "#n < :ten",
        "ExpressionAttributeNames": {"#n": "n"},
        "ExpressionAttributeValues": {":one": {"N": "1"}, ":ten": {"N": "10"}},
    }
    prepared = prepare(request, ("UpdateExpression", "ConditionExpression"))
    assert prepared.condition is not None
    assert prepared.update is not None
    assert prepared.condition.holds(OLD)
    assert prepared.update.apply(OLD, KEY).new["n"] == {"N": "6"}
