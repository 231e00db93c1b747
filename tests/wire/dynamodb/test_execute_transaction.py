"""ExecuteTransaction: types of members, refusals with their texts, reads, writes, cancellation."""

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from wire import wrong_json
from wire.clients import all_records, stored, stream_of

TRANSACTION = "ExecuteTransaction"


def request_of(*statements: Any, **more: Any) -> dict[str, Any]:
    """Return a request of statements: texts, or whole members of the request."""
    members = [{"Statement": each} if isinstance(each, str) else each for each in statements]
    return {"TransactStatements": members, **more}


@pytest.fixture
def run(ddb: Any) -> Callable[..., list[Any]]:
    """Execute statements and return their responses."""

    def execute(*statements: Any, **more: Any) -> list[Any]:
        answer = ddb.execute_transaction(**request_of(*statements, **more))
        responses: list[Any] = answer["Responses"]
        return responses

    return execute


@pytest.fixture
def cancelled(ddb: Any) -> Callable[..., list[Any]]:
    """Execute statements that must be cancelled, and return the reasons."""

    def execute(*statements: Any) -> list[Any]:
        with pytest.raises(ClientError) as caught:
            ddb.execute_transaction(**request_of(*statements))
        answer = caught.value.response
        reasons: list[Any] = answer["CancellationReasons"]
        codes = ", ".join(reason["Code"] for reason in reasons)
        assert answer["Error"] == {
            "Code": "TransactionCanceledException",
            "Message": (
                "Transaction cancelled, please refer cancellation reasons for specific reasons"
                f" [{codes}]"
            ),
        }
        return reasons

    return execute


@pytest.fixture
def keys() -> list[str]:
    """Partition keys that no other test has."""
    return [f"{uuid.uuid4().hex}-{at}" for at in range(4)]


# --- serialisation


@pytest.mark.parametrize(
    ("member", "wrong"),
    [
        ("Statement", wrong_json.STRING),
        ("Parameters", wrong_json.LIST),
        ("ReturnValuesOnConditionCheckFailure", wrong_json.STRING),
    ],
)
def test_wrong_json_types_of_a_statement(
    unreadable: Callable[..., str], member: str, wrong: wrong_json.Wrong
) -> None:
    """A member of a wrong JSON type is a SerializationException, each with its text."""
    for value, text in wrong:
        request = {"TransactStatements": [{"Statement": "x", member: value}]}
        assert unreadable(TRANSACTION, request) == text, value


def test_wrong_json_types_of_members(unreadable: Callable[..., str]) -> None:
    """So is one of the whole request, and of its list."""
    for value, text in wrong_json.LIST:
        assert unreadable(TRANSACTION, {"TransactStatements": value}) == text, value
    for value, text in wrong_json.structure("ParameterizedStatement"):
        assert unreadable(TRANSACTION, {"TransactStatements": [value]}) == text, value
    for member in ("ReturnConsumedCapacity", "ClientRequestToken"):
        for value, text in wrong_json.STRING:
            assert unreadable(TRANSACTION, {member: value}) == text, value


# --- validation


def test_every_broken_constraint_is_listed(invalid: Callable[..., str]) -> None:
    """The number of statements, what each of them lacks, and the token are judged together."""
    assert invalid(TRANSACTION, {}) == (
        "1 validation error detected: Value null at 'transactStatements' failed to satisfy"
        " constraint: Member must not be null"
    )
    assert invalid(TRANSACTION, {"TransactStatements": [{}], "ClientRequestToken": "x" * 37}) == (
        "2 validation errors detected: Value null at 'transactStatements.1.member.statement' failed"
        " to satisfy constraint: Member must not be null; Value"
        f" '{'x' * 37}' at 'clientRequestToken' failed to satisfy constraint: Member must have"
        " length less than or equal to 36"
    )
    assert invalid(TRANSACTION, request_of(*["x"] * 101)).endswith(
        "at 'transactStatements' failed to satisfy constraint: Member must have length less than or"
        " equal to 100"
    )


def test_what_refuses_the_whole_request(
    invalid: Callable[..., str], plain: str, sorted_table: str
) -> None:
    """A statement that is none, or that no transaction can have, refuses the whole request."""
    insert = f"INSERT INTO \"{plain}\" VALUE {{'pk': 'new'}}"
    select = f"SELECT * FROM \"{plain}\" WHERE pk = 'a'"
    place = "Validation failed in TransactStatements"
    one_item = "Select statements within ExecuteTransaction must specify the primary key in the"
    mixed = (
        "ExecuteTransaction API does not support both read and write operations in the same"
        " request."
    )
    bare_exists = "EXISTS() must contain a single item read with additional condition"
    for statements, text in (
        (
            (insert, "UPDAT"),
            "Statement wasn't well formed, can't be processed: Expected data manipulation",
        ),
        (
            (insert, f'DELETE FROM "{plain}" WHERE pk = ?'),
            "Number of parameters in request and statement don't match.",
        ),
        ((select, insert), mixed),
        ((select, f"EXISTS(SELECT * FROM \"{plain}\" WHERE pk = 'b' AND a = 1)"), mixed),
        (
            (insert, f"UPDATE \"{plain}\" SET a = 1 WHERE pk = 'b' RETURNING ALL NEW *"),
            f"{place}[1]: RETURNING clause is not supported in ExecuteTransaction.",
        ),
        (
            (f'SELECT * FROM "{plain}"."index" WHERE pk = \'a\'',),
            f"{place}[0]: Reads on indices are not supported within transactions.",
        ),
        ((select, f"SELECT * FROM \"{sorted_table}\" WHERE pk = 'a'"), f"{place}[1]: {one_item}"),
        ((f"{select} AND a = 1",), f"{place}[0]: {one_item}"),
        (
            (insert, f"EXISTS(SELECT * FROM \"{plain}\" WHERE pk = 'b')"),
            f"{place}[1]: {bare_exists}",
        ),
        (
            (insert, f"EXISTS(SELECT * FROM \"{sorted_table}\" WHERE pk = 'b' AND a = 1)"),
            f"{place}[1]: {bare_exists}",
        ),
        (
            (insert, f"DELETE FROM \"{plain}\" WHERE pk = 'new'"),
            "Transaction request cannot include multiple operations on one item",
        ),
        (
            (select, select),
            "Transaction request cannot include multiple operations on one item",
        ),
    ):
        assert invalid(TRANSACTION, request_of(*statements)).startswith(text)


def test_the_size_of_a_transaction(invalid: Callable[..., str], plain: str) -> None:
    """Statements and parameters have at most 4 MB together."""
    large = {
        "Statement": f"INSERT INTO \"{plain}\" VALUE {{'pk': ?, 'a': ?}}",
        "Parameters": [{"S": "x"}, {"S": "x" * 400_000}],
    }
    assert invalid(TRANSACTION, request_of(*[large] * 11)).startswith(
        "Transaction payload size cannot exceed 4MB. Payload Size: 44"
    )


def test_a_table_that_is_not_there(ddb: Any, refused: Callable[..., str], plain: str) -> None:
    """An unknown table refuses the whole request."""
    for statements in (
        (f"INSERT INTO \"{plain}\" VALUE {{'pk': 'new'}}", "DELETE FROM none WHERE pk = 'a'"),
        ("SELECT * FROM none WHERE pk = 'a'",),
    ):
        text = refused(
            "ResourceNotFoundException", ddb.execute_transaction, **request_of(*statements)
        )
        assert text == "Requested resource not found"


# --- behaviour


def test_reads(run: Callable[..., Any], ddb: Any, plain: str, keys: list[str]) -> None:
    """Reads are answered in their order, with nothing for an item that is not there."""
    items = [{"pk": {"S": each}, "a": {"N": "1"}} for each in keys[:2]]
    for item in items:
        ddb.put_item(TableName=plain, Item=item)
    assert run(
        f"SELECT a FROM \"{plain}\" WHERE pk = '{keys[1]}'",
        f"SELECT * FROM \"{plain}\" WHERE pk = '{keys[2]}'",
        {"Statement": f'SELECT * FROM "{plain}" WHERE pk = ?', "Parameters": [items[0]["pk"]]},
    ) == [{"Item": {"a": {"N": "1"}}}, {}, {"Item": items[0]}]


def test_writes(run: Callable[..., Any], ddb: Any, plain: str, keys: list[str]) -> None:
    """All writes are made, and none is answered with an item."""
    items = [{"pk": {"S": each}, "a": {"N": "1"}} for each in keys]
    for item in items[1:]:
        ddb.put_item(TableName=plain, Item=item)
    assert (
        run(
            {
                "Statement": f"INSERT INTO \"{plain}\" VALUE {{'pk': ?, 'a': 1}}",
                "Parameters": [items[0]["pk"]],
            },
            f"UPDATE \"{plain}\" SET a = a + 1 WHERE pk = '{keys[1]}'",
            f"DELETE FROM \"{plain}\" WHERE pk = '{keys[2]}'",
            f"EXISTS(SELECT * FROM \"{plain}\" WHERE pk = '{keys[3]}' AND a = 1)",
        )
        == []
    )
    found = [stored(ddb, plain, {"pk": item["pk"]}) for item in items]
    assert found == [items[0], {**items[1], "a": {"N": "2"}}, None, items[3]]


def test_reasons(cancelled: Callable[..., Any], ddb: Any, plain: str, keys: list[str]) -> None:
    """Every statement that fails on its item tells its reason, and nothing is written.

    DynamoDB Local calls a duplicate a ValidationError; the API reference has a code of its own.
    """
    item = {"pk": {"S": keys[0]}, "a": {"N": "1"}}
    ddb.put_item(TableName=plain, Item=item)
    failed = {"Code": "ConditionalCheckFailed", "Message": "The conditional request failed"}
    assert cancelled(
        f"INSERT INTO \"{plain}\" VALUE {{'pk': '{keys[1]}'}}",
        f"INSERT INTO \"{plain}\" VALUE {{'pk': '{keys[0]}'}}",
        f"UPDATE \"{plain}\" SET a = 1 WHERE pk = '{keys[2]}'",
        f"DELETE FROM \"{plain}\" WHERE pk = '{keys[3]}' AND a = 1",
    ) == [
        {"Code": "None"},
        {"Code": "DuplicateItem", "Message": "Duplicate primary key exists in table"},
        failed,
        {"Code": "None"},
    ]
    for statement in (
        f"UPDATE \"{plain}\" SET a = 3 WHERE pk = '{keys[0]}' AND a > 1",
        f"DELETE FROM \"{plain}\" WHERE pk = '{keys[0]}' AND a > 1",
        f"EXISTS(SELECT * FROM \"{plain}\" WHERE pk = '{keys[0]}' AND a > 1)",
    ):
        told = {"Statement": statement, "ReturnValuesOnConditionCheckFailure": "ALL_OLD"}
        insert = f"INSERT INTO \"{plain}\" VALUE {{'pk': '{keys[1]}'}}"
        assert cancelled(insert, statement) == [{"Code": "None"}, failed]
        assert cancelled(told, insert) == [{**failed, "Item": item}, {"Code": "None"}]
    assert stored(ddb, plain, {"pk": {"S": keys[1]}}) is None
    assert stored(ddb, plain, {"pk": {"S": keys[0]}}) == item


def test_an_item_that_is_not_there_does_not_exist(
    cancelled: Callable[..., Any], plain: str, keys: list[str]
) -> None:
    """EXISTS asks for an item, whatever its condition says of one that is not there."""
    exists = f"EXISTS(SELECT * FROM \"{plain}\" WHERE pk = '{keys[0]}' AND a IS MISSING)"
    (reason,) = cancelled(exists)
    assert reason["Code"] == "ConditionalCheckFailed"


@pytest.mark.parametrize(
    ("statement", "text"),
    [
        (
            "INSERT INTO {} VALUE {{'pk': 1}}",
            "Key attribute's data type should match its data type in table's schema: Key pk",
        ),
        ("INSERT INTO {} VALUE {{'a': 1}}", "Key attribute should be present in the item: Key pk"),
        (
            "UPDATE {} SET a = 1 WHERE a = 1",
            "Where clause does not contain a mandatory equality on all key attributes",
        ),
        (
            "UPDATE {} SET pk = 'x' WHERE pk = 'a'",
            (
                "One or more parameter values were invalid: Cannot update attribute pk. This"
                " attribute is part of the key"
            ),
        ),
    ],
)
def test_what_a_table_refuses(
    cancelled: Callable[..., Any], plain: str, keys: list[str], statement: str, text: str
) -> None:
    """A statement that does not fit its table cancels the transaction, before any condition."""
    fails = f"UPDATE \"{plain}\" SET a = 1 WHERE pk = '{keys[0]}'"
    assert cancelled(fails, statement.format(f'"{plain}"')) == [
        {"Code": "None"},
        {"Code": "ValidationError", "Message": text},
    ]


def test_a_token_makes_a_request_once(
    run: Callable[..., Any], ddb: Any, refused: Callable[..., str], plain: str, keys: list[str]
) -> None:
    """A repeated request with its token writes nothing and is a success; another one is refused."""
    ddb.put_item(TableName=plain, Item={"pk": {"S": keys[0]}, "n": {"N": "1"}})
    update = f"UPDATE \"{plain}\" SET n = n + ? WHERE pk = '{keys[0]}'"
    token = uuid.uuid4().hex
    for _ in range(3):
        one = {"Statement": update, "Parameters": [{"N": "1"}]}
        assert run(one, ClientRequestToken=token) == []
    assert stored(ddb, plain, {"pk": {"S": keys[0]}})["n"] == {"N": "2"}
    two = {"Statement": update, "Parameters": [{"N": "2"}]}
    refused(
        "IdempotentParameterMismatchException",
        ddb.execute_transaction,
        **request_of(two, ClientRequestToken=token),
    )


def test_records(
    run: Callable[..., Any],
    cancelled: Callable[..., Any],
    ddb: Any,
    streams: Any,
    new_table: Callable[..., str],
) -> None:
    """Every write leaves its record once; a cancelled transaction and a repeated one leave none."""
    table = new_table(view_type="NEW_AND_OLD_IMAGES")
    ddb.put_item(TableName=table, Item={"pk": {"S": "kept"}, "n": {"N": "1"}})
    statements = (
        f"INSERT INTO \"{table}\" VALUE {{'pk': 'a'}}",
        f"EXISTS(SELECT * FROM \"{table}\" WHERE pk = 'kept' AND n = 1)",
        f"UPDATE \"{table}\" SET n = n + 0 WHERE pk = 'b'",
    )
    cancelled(*statements)
    ddb.put_item(TableName=table, Item={"pk": {"S": "b"}, "n": {"N": "1"}})
    for _ in range(2):
        run(*statements, ClientRequestToken="once")
    written = sorted(
        record["dynamodb"]["Keys"]["pk"]["S"]
        for record in all_records(streams, stream_of(ddb, table))
    )
    assert written == ["a", "b", "kept"]


def test_capacity(ddb: Any, plain: str, sorted_table: str, keys: list[str]) -> None:
    """A transaction costs twice what its statements would cost alone, told by table."""
    told = ddb.execute_transaction(
        **request_of(
            f"INSERT INTO \"{plain}\" VALUE {{'pk': '{keys[0]}'}}",
            f"DELETE FROM \"{sorted_table}\" WHERE pk = '{keys[0]}' AND sk = 1",
            ReturnConsumedCapacity="TOTAL",
        )
    )["ConsumedCapacity"]
    assert told == [
        {"TableName": plain, "CapacityUnits": 2, "WriteCapacityUnits": 2},
        {"TableName": sorted_table, "CapacityUnits": 2, "WriteCapacityUnits": 2},
    ]
    told = ddb.execute_transaction(
        **request_of(
            f"SELECT * FROM \"{plain}\" WHERE pk = '{keys[0]}'", ReturnConsumedCapacity="TOTAL"
        )
    )["ConsumedCapacity"]
    assert told == [{"TableName": plain, "CapacityUnits": 2, "ReadCapacityUnits": 2}]
