"""ListTables: types of members, refusals with their texts, and pages of names in byte order."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from wire import wrong_json

LIST = "ListTables"
REGION = "eu-north-1"  # where no other test makes tables
NAMES = ["-_-", "A.1", "A.10", "A.2", "Zoo", "___", "a-b", "a.b", "a1b", "a_b", "aab", "zoo"]


@pytest.fixture(scope="module")
def elsewhere(make_client: Callable[..., Any]) -> Iterator[Any]:
    """A client of a region with a dozen tables."""
    client = make_client("dynamodb", REGION)
    before = client.list_tables()["TableNames"]
    for name in sorted(NAMES, key=len):
        client.create_table(
            TableName=name,
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
    assert before == []
    yield client
    for name in NAMES:
        client.get_waiter("table_exists").wait(TableName=name)
        client.delete_table(TableName=name)


# --- serialisation


@pytest.mark.parametrize(
    ("member", "wrong"),
    [("ExclusiveStartTableName", wrong_json.STRING), ("Limit", wrong_json.INTEGER)],
)
def test_wrong_json_types_of_members(
    unreadable: Callable[..., str], member: str, wrong: wrong_json.Wrong
) -> None:
    """A member of a wrong JSON type is a SerializationException, each with its text."""
    for value, text in wrong:
        assert unreadable(LIST, {member: value}) == text, value


# --- validation


@pytest.mark.parametrize(
    ("limit", "constraint"),
    [
        (0, "greater than or equal to 1"),
        (-1, "greater than or equal to 1"),
        (101, "less than or equal to 100"),
        (10**20, "less than or equal to 100"),
    ],
)
def test_limits(invalid: Callable[..., str], limit: int, constraint: str) -> None:
    """A page has from 1 to 100 names."""
    assert invalid(LIST, {"Limit": limit}) == (
        f"1 validation error detected: Value '{limit}' at 'limit' failed to satisfy constraint:"
        f" Member must have value {constraint}"
    )


def test_every_broken_constraint_is_listed(invalid: Callable[..., str]) -> None:
    """A starting name has the form of a name."""
    start = "Value 'a;' at 'exclusiveStartTableName' failed to satisfy constraint: Member must"
    assert invalid(LIST, {"ExclusiveStartTableName": "a;", "Limit": 0}) == (
        f"3 validation errors detected: {start} satisfy regular expression pattern:"
        f" [a-zA-Z0-9_.-]+; {start} have length greater than or equal to 3; Value '0' at 'limit'"
        " failed to satisfy constraint: Member must have value greater than or equal to 1"
    )


# --- behaviour


def test_all_names_in_byte_order(elsewhere: Any) -> None:
    """Names come as their bytes are ordered; a last page names no last table."""
    answer = elsewhere.list_tables()
    assert answer["TableNames"] == NAMES
    assert "LastEvaluatedTableName" not in answer


@pytest.mark.parametrize("limit", [1, 5, 6, 11, 12, 13, 100])
def test_pages(elsewhere: Any, limit: int) -> None:
    """Pages of any size hold every name once; only a page with more behind it names its last."""
    found: list[str] = []
    start: dict[str, str] = {}
    while True:
        answer = elsewhere.list_tables(Limit=limit, **start)
        assert len(answer["TableNames"]) <= limit
        found += answer["TableNames"]
        if "LastEvaluatedTableName" not in answer:
            break
        assert answer["LastEvaluatedTableName"] == answer["TableNames"][-1]
        start = {"ExclusiveStartTableName": answer["LastEvaluatedTableName"]}
    assert found == NAMES


@pytest.mark.parametrize(
    ("start", "first"), [("A.1", "A.10"), ("A.11", "A.2"), ("AAA", "Zoo"), ("zoo", None)]
)
def test_starting_names_need_not_exist(elsewhere: Any, start: str, first: str | None) -> None:
    """A page begins above its starting name, whether or not there is such a table."""
    expected = NAMES[NAMES.index(first) :] if first else []
    assert elsewhere.list_tables(ExclusiveStartTableName=start)["TableNames"] == expected


def test_tables_come_and_go(ddb: Any, new_table: Callable[..., str], table_name: str) -> None:
    """A table is listed from its creation to its deletion, in its own region only."""
    start = {"ExclusiveStartTableName": table_name, "Limit": 1}
    assert new_table() in ddb.list_tables(**start)["TableNames"]


def test_other_regions_are_not_shown(elsewhere: Any, ddb: Any) -> None:
    """The tables of a region are its own."""
    assert "zoo" not in ddb.list_tables(ExclusiveStartTableName="zon")["TableNames"]
    assert "zoo" in elsewhere.list_tables(ExclusiveStartTableName="zon")["TableNames"]
