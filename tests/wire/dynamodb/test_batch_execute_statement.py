"""BatchExecuteStatement: types of members, refusals with their texts, and what each is answered."""

import uuid
from collections.abc import Callable
from typing import Any

import pytest

from wire import wrong_json
from wire.clients import all_records, stored, stream_of

BATCH = "BatchExecuteStatement"


@pytest.fixture
def run(ddb: Any) -> Callable[..., list[Any]]:
    """Execute statements and return their responses: texts, or whole members of the request."""

    def execute(*statements: Any) -> list[Any]:
        members = [{"Statement": each} if isinstance(each, str) else each for each in statements]
        answer = ddb.batch_execute_statement(Statements=members)
        responses: list[Any] = answer["Responses"]
        return responses

    return execute


@pytest.fixture
def keys() -> list[str]:
    """Partition keys that no other test has."""
    return [f"{uuid.uuid4().hex}-{at}" for at in range(4)]


def error(code: str, message: str, table: str | None = None, **more: Any) -> dict[str, Any]:
    """Return the response to a statement that failed; of a table where its items refused it."""
    named = {} if table is None else {"TableName": table}
    return {"Error": {"Code": code, "Message": message, **more}, **named}


# --- serialisation


@pytest.mark.parametrize(
    ("member", "wrong"),
    [
        ("Statement", wrong_json.STRING),
        ("Parameters", wrong_json.LIST),
        ("ConsistentRead", wrong_json.BOOLEAN),
        ("ReturnValuesOnConditionCheckFailure", wrong_json.STRING),
    ],
)
def test_wrong_json_types_of_a_statement(
    unreadable: Callable[..., str], member: str, wrong: wrong_json.Wrong
) -> None:
    """A member of a wrong JSON type is a SerializationException, each with its text."""
    for value, text in wrong:
        assert unreadable(BATCH, {"Statements": [{"Statement": "x", member: value}]}) == text, value


def test_wrong_json_types_of_members(unreadable: Callable[..., str]) -> None:
    """So is one of the whole request, and of its list."""
    for value, text in wrong_json.LIST:
        assert unreadable(BATCH, {"Statements": value}) == text, value
    for value, text in wrong_json.structure("BatchStatementRequest"):
        assert unreadable(BATCH, {"Statements": [value]}) == text, value
    for value, text in wrong_json.STRING:
        assert unreadable(BATCH, {"ReturnConsumedCapacity": value}) == text, value


# --- validation


def test_every_broken_constraint_is_listed(invalid: Callable[..., str]) -> None:
    """The number of statements and what each of them lacks are judged before any is read."""
    assert invalid(BATCH, {}) == (
        "1 validation error detected: Value null at 'statements' failed to satisfy constraint:"
        " Member must not be null"
    )
    assert invalid(BATCH, {"Statements": []}) == (
        "1 validation error detected: Value '[]' at 'statements' failed to satisfy constraint:"
        " Member must have length greater than or equal to 1"
    )
    assert invalid(BATCH, {"Statements": [{"Statement": "x"}, {"Parameters": []}]}) == (
        "2 validation errors detected: Value null at 'statements.2.member.statement' failed to"
        " satisfy constraint: Member must not be null; Value '[]' at"
        " 'statements.2.member.parameters' failed to satisfy constraint: Member must have length"
        " greater than or equal to 1"
    )
    assert invalid(BATCH, {"Statements": [{"Statement": "x"}] * 26}).endswith(
        "at 'statements' failed to satisfy constraint: Member must have length less than or equal"
        " to 25"
    )


def test_parameters_that_are_no_values(invalid: Callable[..., str]) -> None:
    """A parameter that is no value refuses the whole batch, before any statement is read."""
    request = {"Statements": [{"Statement": "x"}, {"Statement": "x", "Parameters": [{"N": "x"}]}]}
    assert invalid(BATCH, request) == "The parameter cannot be converted to a numeric value: x"


def test_reads_and_writes(invalid: Callable[..., str], plain: str) -> None:
    """A batch reads or writes, and not both."""
    select = f"SELECT * FROM \"{plain}\" WHERE pk = 'a'"
    for write in (
        f"INSERT INTO \"{plain}\" VALUE {{'pk': 'b'}}",
        f"UPDATE \"{plain}\" SET a = 1 WHERE pk = 'b'",
        f"DELETE FROM \"{plain}\" WHERE pk = 'b'",
    ):
        request = {"Statements": [{"Statement": select}, {"Statement": write}]}
        assert invalid(BATCH, request) == (
            "Read and write requests together in the same batch is not supported."
        )


def test_two_statements_about_one_item(
    ddb: Any, invalid: Callable[..., str], plain: str, key: dict[str, Any]
) -> None:
    """An item is named once; nothing is written where it is not."""
    text = key["pk"]["S"]
    insert = f"INSERT INTO \"{plain}\" VALUE {{'pk': '{text}'}}"
    select = f"SELECT * FROM \"{plain}\" WHERE pk = '{text}'"
    delete = f"DELETE FROM \"{plain}\" WHERE pk = '{text}'"
    for pair in ((insert, delete), (select, select)):
        request = {"Statements": [{"Statement": each} for each in pair]}
        assert invalid(BATCH, request) == "Provided list of item keys contains duplicates"
    assert stored(ddb, plain, key) is None


# --- behaviour


def test_reads(run: Callable[..., Any], ddb: Any, plain: str, keys: list[str]) -> None:
    """Each SELECT is answered with its item, with what it shows of it, or with nothing."""
    items = [{"pk": {"S": each}, "a": {"N": "1"}} for each in keys[:2]]
    for item in items:
        ddb.put_item(TableName=plain, Item=item)
    select = f'SELECT * FROM "{plain}" WHERE pk ='
    assert run(
        f"{select} '{keys[0]}'",
        {
            "Statement": f'SELECT a FROM "{plain}" WHERE pk = ?',
            "Parameters": [items[1]["pk"]],
            "ConsistentRead": True,
        },
        f"{select} '{keys[2]}'",
    ) == [
        {"TableName": plain, "Item": items[0]},
        {"TableName": plain, "Item": {"a": {"N": "1"}}},
        {"TableName": plain},
    ]


def test_reads_that_are_refused(run: Callable[..., Any], plain: str, sorted_table: str) -> None:
    """Each statement is judged for itself; a SELECT asks for one item by its key, and no more.

    DynamoDB Local takes an index where the table's own key is asked; AWS does not (2026-09).
    """
    single = error("ValidationError", "Only single item select is supported")
    assert run(
        "SELECT * FROM none WHERE pk = 'a'",
        "SELEC",
        f'SELECT * FROM "{plain}"',
        f"SELECT * FROM \"{plain}\" WHERE pk IN ['a']",
        f"SELECT * FROM \"{plain}\" WHERE pk = 'a' AND b = 1",
        f"SELECT * FROM \"{sorted_table}\" WHERE pk = 'a'",
        f'SELECT * FROM "{plain}"."index" WHERE pk = \'a\'',
        f'SELECT * FROM "{plain}" WHERE pk = 1',
        f'SELECT * FROM "{plain}" WHERE pk = ?',
        f"EXISTS(SELECT * FROM \"{plain}\" WHERE pk = 'a')",
    ) == [
        error("ResourceNotFound", "Requested resource not found"),
        error(
            "ValidationError",
            "Statement wasn't well formed, can't be processed: Expected data manipulation",
        ),
        *[single] * 5,
        error(
            "ValidationError",
            "Key attribute's data type should match its data type in table's schema: Key pk",
        ),
        error("ValidationError", "Number of parameters in request and statement don't match."),
        error("ValidationError", "EXISTS can only be used in ExecuteTransaction write requests."),
    ]


def test_writes(run: Callable[..., Any], ddb: Any, plain: str, keys: list[str]) -> None:
    """Each write is made or refused for itself, with a code of the service's own enumeration."""
    items = [{"pk": {"S": each}, "a": {"N": "1"}} for each in keys]
    for item in items[1:]:
        ddb.put_item(TableName=plain, Item=item)
    update = f'UPDATE "{plain}" SET a = 2 WHERE pk ='
    assert run(
        f"INSERT INTO \"{plain}\" VALUE {{'pk': '{keys[0]}', 'a': 1}}",
        f"INSERT INTO \"{plain}\" VALUE {{'pk': '{keys[1]}'}}",
        f"{update} '{keys[2]}' RETURNING ALL OLD *",
        {
            "Statement": f"{update} '{keys[3]}' AND a > 1",
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        },
        f"{update} 'none'",
        f'UPDATE "{plain}" SET a = 2',
        "DELETE FROM none WHERE pk = 'a'",
    ) == [
        {"TableName": plain},
        error("DuplicateItem", "Duplicate primary key exists in table", plain),
        {"TableName": plain, "Item": items[2]},
        error("ConditionalCheckFailed", "The conditional request failed", plain, Item=items[3]),
        error("ConditionalCheckFailed", "The conditional request failed", plain),
        error(
            "ValidationError",
            "Where clause does not contain a mandatory equality on all key attributes",
        ),
        error("ResourceNotFound", "Requested resource not found"),
    ]
    found = [stored(ddb, plain, {"pk": item["pk"]}) for item in items]
    assert found == [items[0], items[1], {**items[2], "a": {"N": "2"}}, items[3]]


def test_what_an_item_refuses(
    run: Callable[..., Any], ddb: Any, plain: str, key: dict[str, Any]
) -> None:
    """An update that its item cannot take is that statement's error, and names the table."""
    ddb.put_item(TableName=plain, Item={**key, "s": {"S": "x"}})
    statement = f'UPDATE "{plain}" SET s = s + 1 WHERE pk = ?'
    assert run({"Statement": statement, "Parameters": [key["pk"]]}) == [
        error(
            "ValidationError",
            "An operand in the update expression has an incorrect data type",
            plain,
        )
    ]


def test_records(ddb: Any, streams: Any, new_table: Callable[..., str]) -> None:
    """Every write leaves the record of the item's action; what is refused leaves none."""
    table = new_table(view_type="NEW_IMAGE")
    statements = [
        *[f"INSERT INTO \"{table}\" VALUE {{'pk': 'p{at}'}}" for at in range(24)],
        f"UPDATE \"{table}\" SET a = 1 WHERE pk = 'none'",
    ]
    ddb.batch_execute_statement(Statements=[{"Statement": each} for each in statements])
    records = all_records(streams, stream_of(ddb, table))
    assert sorted(record["dynamodb"]["Keys"]["pk"]["S"] for record in records) == sorted(
        f"p{at}" for at in range(24)
    )
    assert {record["eventName"] for record in records} == {"INSERT"}


def test_capacity(ddb: Any, plain: str, sorted_table: str, keys: list[str]) -> None:
    """What the statements consume is told by table; DynamoDB Local does not tell."""
    statements = [
        f"INSERT INTO \"{plain}\" VALUE {{'pk': '{keys[0]}'}}",
        f"INSERT INTO \"{sorted_table}\" VALUE {{'pk': '{keys[1]}', 'sk': 1}}",
        f"DELETE FROM \"{plain}\" WHERE pk = '{keys[2]}'",
    ]
    told = ddb.batch_execute_statement(
        Statements=[{"Statement": each} for each in statements], ReturnConsumedCapacity="TOTAL"
    )["ConsumedCapacity"]
    assert told == [
        {"TableName": plain, "CapacityUnits": 2},
        {"TableName": sorted_table, "CapacityUnits": 1},
    ]
    select = f"SELECT * FROM \"{plain}\" WHERE pk = '{keys[0]}'"
    for consistent, units in ((False, 0.5), (True, 1)):
        told = ddb.batch_execute_statement(
            Statements=[{"Statement": select, "ConsistentRead": consistent}],
            ReturnConsumedCapacity="INDEXES",
        )["ConsumedCapacity"]
        assert told == [
            {"TableName": plain, "CapacityUnits": units, "Table": {"CapacityUnits": units}}
        ]
