"""Which keys a WHERE clause confines items to."""

import pytest

from penstock.base.errors.api import ApiError
from penstock.items.expressions import KeyRange
from penstock.items.expressions.paths import Values
from penstock.items.expressions.syntax import Node
from penstock.items.keys import KeyAttribute, KeySchema
from penstock.items.partiql import asks_for_key, is_only_key, key_ranges, single_key, statement
from penstock.items.values import Value

SORTED = KeySchema((KeyAttribute("pk", "S"),), (KeyAttribute("sk", "N"),))
MANY = KeySchema(
    (KeyAttribute("p", "S"), KeyAttribute("q", "S")),
    (KeyAttribute("r", "N"), KeyAttribute("s", "N")),
)
A, B = {"S": "a"}, {"S": "b"}


def where(condition: str, *parameters: Value) -> tuple[Node, Values]:
    """Return the nodes of a condition and its values."""
    parsed = statement(f"SELECT * FROM t WHERE {condition}")
    assert parsed.where is not None
    return parsed.where.node, parsed.bind(parameters)


def number(value: int) -> Value:
    return {"N": str(value)}


@pytest.mark.parametrize(
    ("condition", "ranges"),
    [
        ("pk = 'a'", [KeyRange((A,))]),
        ("'a' = pk AND 1 < sk", [KeyRange((A,), (), ">", number(1))]),
        ("pk = 'a' AND sk = 1", [KeyRange((A,), (number(1),))]),
        ("sk <= 2 AND (pk = 'a')", [KeyRange((A,), (), "<=", number(2))]),
        ("pk = 'a' AND sk BETWEEN 1 AND 2", [KeyRange((A,), (), "BETWEEN", number(1), number(2))]),
        ("pk = 'a' AND v = 1 AND NOT sk = 1", [KeyRange((A,))]),
        ("pk IN ['b', 'a']", [KeyRange((B,)), KeyRange((A,))]),
        ("pk = 'b' OR pk = 'a' AND v = 1", [KeyRange((B,)), KeyRange((A,))]),
        ("pk = 'a' AND sk IN (2, 1)", [KeyRange((A,), (number(2),)), KeyRange((A,), (number(1),))]),
        (
            "pk IN ['a', 'b'] AND (sk = 1 OR sk > 5)",
            [
                KeyRange((A,), (number(1),)),
                KeyRange((A,), (), ">", number(5)),
                KeyRange((B,), (number(1),)),
                KeyRange((B,), (), ">", number(5)),
            ],
        ),
        ("pk = 'a' AND sk > 1 AND sk = 3", [KeyRange((A,), (number(3),))]),
        ("pk = 'a' AND pk = 'b'", [KeyRange((A,))]),
        ("pk = 'a' AND pk <> 'b'", [KeyRange((A,))]),
        ("sk = 1", None),
        ("pk > 'a'", None),
        ("begins_with(pk, 'a')", None),
        ("pk = 'a' OR v = 1", None),
        ("NOT pk = 'a'", None),
        ("pk = v", None),
        ("pk IN ['a', v]", None),
        ("pk.x = 'a'", None),
    ],
)
def test_ranges_of_keys(condition: str, ranges: list[KeyRange] | None) -> None:
    """Equality, IN and OR name partitions; comparisons narrow the sort key; the rest is for later.

    Without a partition everything has to be read (None), as the developer guide says of each form.
    """
    found = key_ranges(SORTED, *where(condition))
    assert (None if found is None else found.ranges) == ranges


def test_ranges_of_keys_of_several_attributes() -> None:
    """All of the partition key is asked for, and the sort key from its first attribute on."""
    assert key_ranges(MANY, *where("p = 'a'")) is None
    for condition, expected, are_all in (
        ("", KeyRange((A, B)), True),
        ("AND r = 1 AND s >= 2", KeyRange((A, B), (number(1),), ">=", number(2)), True),
        ("AND s >= 2", KeyRange((A, B)), False),
        ("AND r > 1 AND s = 2", KeyRange((A, B), (), ">", number(1)), False),
    ):
        found = key_ranges(MANY, *where(f"p = 'a' AND q = 'b' {condition}"))
        assert found == ([expected], are_all)


@pytest.mark.parametrize(
    ("condition", "are_all"),
    [
        ("pk = 'a'", True),
        ("'a' = pk AND sk = 1", True),
        ("pk = 'a' AND begins_with(sk, ?)", True),
        ("pk = 'a' AND sk BETWEEN 1 AND 2", True),
        ("pk = 'a' AND v = 1", False),
        ("pk = 'a' AND pk = 'a'", False),
        ("pk = 'a' AND sk > 1 AND sk < 3", False),
        ("pk = 'a' AND sk <> 1", False),
        ("pk = 'a' AND sk IN [1]", False),
        ("pk = 'a' OR pk = 'b'", False),
        ("pk = 'a' AND NOT sk = 1", False),
        ("pk = 'a' AND sk = v", False),
    ],
)
def test_a_range_that_is_the_condition(condition: str, are_all: bool) -> None:
    """A condition of one range and nothing else need not be asked again of what is in the range."""
    schema = KeySchema((KeyAttribute("pk", "S"),), (KeyAttribute("sk", "S"),))
    parameters = [{"S": "x"}] if "?" in condition else []
    texts = condition.replace("1", "'1'").replace("2", "'2'").replace("3", "'3'")
    found = key_ranges(schema, *where(texts, *parameters))
    assert found is not None
    assert found.are_all is are_all


def test_too_many_partitions() -> None:
    """A SELECT names at most 50 partitions; AWS developer guide, 2026-10."""
    listed = [f"'{at}'" for at in range(51)]
    node, values = where(f"pk IN [{', '.join(listed[:50])}]")
    found = key_ranges(SORTED, node, values)
    assert found is not None
    assert len(found.ranges) == 50
    with pytest.raises(ApiError, match="number of operands: 51"):
        key_ranges(SORTED, *where(f"pk IN [{', '.join(listed)}]"))


def test_values_that_are_no_keys() -> None:
    """A value of another type than the key attribute's, or an empty one, is refused."""
    for condition, message in (
        (
            "pk = 1",
            "Key attribute's data type should match its data type in table's schema: Key pk",
        ),
        (
            "pk = 'a' AND sk > 'x'",
            "Key attribute's data type should match its data type in table's schema: Key sk",
        ),
        (
            "pk = ''",
            (
                "One or more parameter values are not valid. The AttributeValue for a key"
                " attribute cannot contain an empty string value. Key: pk"
            ),
        ),
    ):
        with pytest.raises(ApiError) as caught:
            key_ranges(SORTED, *where(condition))
        assert caught.value.message == message


@pytest.mark.parametrize(
    "condition",
    [
        "pk = 'a' AND sk = 1",
        "1 = sk AND (pk = 'a' AND v > 1)",
        "pk = 'a' AND sk = 1 AND sk = 1.0",
        "(pk = 'a' OR v = 1) AND pk = 'a' AND sk = 1",
        "pk = 'a' AND sk = 1 AND sk > 5",
    ],
)
def test_a_single_key(condition: str) -> None:
    """A write's key is what WHERE demands by equality, whatever else it demands."""
    assert single_key(SORTED, *where(condition)) == {"pk": A, "sk": number(1)}


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        ("pk = 'a'", "Where clause does not contain a mandatory equality on all key attributes"),
        (
            "pk = 'a' AND sk > 1",
            "Where clause does not contain a mandatory equality on all key attributes",
        ),
        (
            "pk IN ['a'] AND sk = 1",
            "Where clause does not contain a mandatory equality on all key attributes",
        ),
        (
            "pk = 'a' AND sk = 1 OR pk = 'a' AND sk = 1",
            "Where clause does not contain a mandatory equality on all key attributes",
        ),
        (
            "pk = 'a' AND sk = 1 AND sk = 2",
            (
                "Multiple conditions on same key sk. Only single item"
                " Update/Insert/Delete are supported"
            ),
        ),
        (
            "pk = 'a' AND sk = 'x'",
            "Key attribute's data type should match its data type in table's schema: Key sk",
        ),
    ],
)
def test_no_single_key(condition: str, message: str) -> None:
    """A write that does not say which item, or says two, is refused."""
    with pytest.raises(ApiError) as caught:
        single_key(SORTED, *where(condition))
    assert caught.value.message == message


def test_no_condition_is_no_key() -> None:
    """A write without WHERE says no key."""
    with pytest.raises(ApiError, match="mandatory equality"):
        single_key(SORTED, None, {})
    assert not is_only_key(SORTED, None, {})
    assert not asks_for_key(SORTED, None, {})


@pytest.mark.parametrize(
    ("condition", "asks", "only"),
    [
        ("pk = 'a' AND sk = 1", True, True),
        ("pk = 'a' AND sk = 1 AND v = 1", True, False),
        ("pk = 'a' AND sk = 1 AND sk = 1", True, False),
        ("pk = 'a' AND sk > 1", False, False),
        ("pk = 'a'", False, False),
    ],
)
def test_what_is_asked_beside_the_key(condition: str, asks: bool, only: bool) -> None:
    """Batches and transactions tell a key alone from a key with a condition."""
    node, values = where(condition)
    assert asks_for_key(SORTED, node, values) is asks
    assert is_only_key(SORTED, node, values) is only
