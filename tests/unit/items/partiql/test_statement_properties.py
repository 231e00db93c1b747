"""What holds of every text as a PartiQL statement, and of every item and its keys."""

from typing import Any

import botocore.session
import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.base.errors import partiql
from penstock.base.errors.api import ApiError
from penstock.items.keys import KeyAttribute, KeySchema, key_part_bytes
from penstock.items.partiql import Select, is_only_key, key_ranges, single_key, statement
from penstock.items.values import Item, Value

_WORDS = """
    SELECT INSERT INTO UPDATE DELETE EXISTS FROM VALUE WHERE SET REMOVE ORDER BY DESC RETURNING ALL
    MODIFIED OLD NEW AND OR NOT IN BETWEEN IS NULL MISSING LIKE LIMIT AS true t pk sk a b size
    contains begins_with set_add list_append foo
"""
WORDS = _WORDS.split()
SIGNS = ["*", "?", ",", ".", ";", "=", "<>", "<=", ">", "(", ")", "[", "]", "{", "}", "<<", ">>"]
VALUES = ["1", "-2.5e3", "'x'", '"q"', "''", "0", ":", "+", "-", "||", "/", "--", "/*", "@", "`"]
GOOD = [
    'SELECT a, m.x[0] FROM "t"."i" WHERE pk = \'a\' AND sk IN [1, 2] ORDER BY sk DESC',
    "SELECT * FROM t WHERE (pk = ? OR pk = 'b') AND NOT contains(a, 'x') AND b IS NOT MISSING",
    "INSERT INTO t VALUE {'pk': ?, 'a': [1, <<2, 3>>, {'x': null}]}",
    "UPDATE t SET a = a + 1, b = list_append(b, [1]) REMOVE c[0] WHERE pk = 'a' AND sk = 1",
    "UPDATE t SET s = set_add(s, ?) WHERE pk = 'a' AND sk = 1 RETURNING MODIFIED NEW *",
    "DELETE FROM t WHERE pk = 'a' AND sk = 1 AND size(s) BETWEEN 1 AND ? RETURNING ALL OLD *",
    "EXISTS(SELECT * FROM t WHERE pk = 'a' AND sk = 1 AND a <> 2)",
]
SCHEMA = KeySchema((KeyAttribute("pk", "S"),), (KeyAttribute("sk", "N"),))

soup = st.lists(st.sampled_from(WORDS + SIGNS + VALUES), max_size=25).map(" ".join)


@st.composite
def spoiled(draw: st.DrawFn) -> str:
    """A good statement with a part of it replaced by something else."""
    text = draw(st.sampled_from(GOOD))
    at = draw(st.integers(0, len(text)))
    until = draw(st.integers(at, min(len(text), at + 8)))
    return text[:at] + draw(soup | st.text(max_size=3)) + text[until:]


@given(spoiled() | soup | st.text(max_size=60), st.lists(st.sampled_from([{"N": "1"}, {"S": "a"}])))
def test_a_text_is_a_statement_or_is_refused(text: str, parameters: list[Value]) -> None:
    """No text and no parameters end in anything but a statement or a ValidationException."""
    try:
        parsed = statement(text)
        values = parsed.bind(parameters)
        if parsed.where is not None:
            key_ranges(SCHEMA, parsed.where.node, values)
            is_only_key(SCHEMA, parsed.where.node, values)
            single_key(SCHEMA, parsed.where.node, values)
    except ApiError as error:
        assert error.code == "ValidationException"


keys = st.fixed_dictionaries({"pk": st.sampled_from("ab"), "sk": st.integers(0, 4)})
terms = st.one_of(
    st.builds("pk = '{}'".format, st.sampled_from("ab")),
    st.just("pk IN ['a', 'b']"),
    st.builds("sk {} {}".format, st.sampled_from(["=", "<", "<=", ">", ">="]), st.integers(0, 4)),
    st.builds("{} > sk".format, st.integers(0, 4)),
    st.builds("sk BETWEEN {0} AND 4".format, st.integers(0, 4)),
    st.builds("sk IN [{}, {}]".format, st.integers(0, 4), st.integers(0, 4)),
    st.just("NOT v = 1"),
)
conditions = st.recursive(
    terms,
    lambda inner: st.builds("({} {} {})".format, inner, st.sampled_from(["AND", "OR"]), inner),
    max_leaves=6,
)


@given(conditions, keys)
def test_what_holds_for_an_item_is_where_it_is_read(condition: str, key: dict[str, object]) -> None:
    """An item for which WHERE holds is in one of its ranges, and where that is all, the reverse."""
    parsed = statement(f"SELECT * FROM t WHERE {condition}")
    assert isinstance(parsed, Select)
    assert parsed.where is not None
    values = parsed.bind([])
    item: Item = {"pk": {"S": str(key["pk"])}, "sk": {"N": str(key["sk"])}}
    where = parsed.condition(values)
    assert where is not None
    found = key_ranges(SCHEMA, parsed.where.node, values)
    if found is None:
        return
    inside = any(
        each.partition == (item["pk"],)
        and all(item["sk"] == value for value in each.equal)
        and is_in_range(item["sk"], each.operator, each.low, each.high)
        for each in found.ranges
    )
    if where.holds(item):
        assert inside
    elif found.are_all:
        assert not inside


def is_in_range(value: Value, operator: str | None, low: Value | None, high: Value | None) -> bool:
    """Say whether a sort key is in a range of keys, by its bytes."""
    if operator is None:
        return True
    assert low is not None
    at, bottom = key_part_bytes(value), key_part_bytes(low)
    if operator == "BETWEEN":
        assert high is not None
        return bottom <= at <= key_part_bytes(high)
    return {"<": at < bottom, "<=": at <= bottom, ">": at > bottom, ">=": at >= bottom}[operator]


def test_codes_of_a_batch() -> None:
    """Every code of the service's enumeration has its error, but for what needs permissions."""
    model: Any = botocore.session.get_session().get_service_model("dynamodb")
    codes = set(model.shape_for("BatchStatementErrorCodeEnum").enum)
    assert set(partiql.STATEMENT_CODES.values()) == codes - {"AccessDenied"}


@pytest.mark.parametrize("code", ["TransactionCanceledException", "IncompleteSignatureException"])
def test_errors_that_are_no_statements(code: str) -> None:
    """An error that no single statement can have fails the whole batch."""
    assert partiql.of_statement(ApiError(code, "")) is None
