"""PartiQL through boto3's resource layer, with Python's types as parameters."""

from decimal import Decimal
from typing import Any

import pytest
from botocore.exceptions import ClientError


@pytest.fixture
def rows(table: Any) -> Any:
    """A table of ten items of one partition."""
    with table.batch_writer() as batch:
        for n in range(10):
            batch.put_item(Item={"pk": "row", "sk": n, "name": f"name-{n}", "tags": {"a", str(n)}})
    return table


def test_a_statement_takes_and_gives_python_types(client: Any, table: Any) -> None:
    client.execute_statement(
        Statement=f"INSERT INTO \"{table.name}\" VALUE {{'pk': ?, 'sk': ?, 'v': ?}}",
        Parameters=["a", 1, {"price": Decimal("1.5"), "tags": {"x"}, "raw": b"\x00", "no": None}],
    )
    select = f'SELECT * FROM "{table.name}" WHERE pk = ? AND sk = ?'
    answer = client.execute_statement(Statement=select, Parameters=["a", 1], ConsistentRead=True)
    assert answer["Items"] == [
        {
            "pk": "a",
            "sk": 1,
            "v": {"price": Decimal("1.5"), "tags": {"x"}, "raw": b"\x00", "no": None},
        }
    ]


def test_statements_update_and_delete_and_return_what_was(client: Any, rows: Any) -> None:
    where = "WHERE pk = 'row' AND sk = ?"
    updated = client.execute_statement(
        Statement=f'UPDATE "{rows.name}" SET name = ? REMOVE tags {where} RETURNING ALL NEW *',
        Parameters=["changed", 3],
    )
    assert updated["Items"] == [{"pk": "row", "sk": 3, "name": "changed"}]
    deleted = client.execute_statement(
        Statement=f'DELETE FROM "{rows.name}" {where} RETURNING ALL OLD *', Parameters=[3]
    )
    assert deleted["Items"] == updated["Items"]
    assert "Item" not in rows.get_item(Key={"pk": "row", "sk": 3})


def test_the_pages_of_a_statement_are_followed_by_its_token(client: Any, rows: Any) -> None:
    request = {
        "Statement": f"SELECT sk FROM \"{rows.name}\" WHERE pk = ? AND begins_with(name, 'name')",
        "Parameters": ["row"],
        "Limit": 4,
    }
    answer = client.execute_statement(**request)
    seen = [int(item["sk"]) for item in answer["Items"]]
    while "NextToken" in answer:
        answer = client.execute_statement(**request, NextToken=answer["NextToken"])
        seen += [int(item["sk"]) for item in answer["Items"]]
    assert seen == list(range(10))


def test_statements_that_fail_are_exceptions_of_their_own(client: Any, rows: Any) -> None:
    insert = f"INSERT INTO \"{rows.name}\" VALUE {{'pk': 'row', 'sk': 1}}"
    with pytest.raises(client.exceptions.DuplicateItemException):
        client.execute_statement(Statement=insert)
    with pytest.raises(client.exceptions.ConditionalCheckFailedException):
        client.execute_statement(
            Statement=f"UPDATE \"{rows.name}\" SET n = 1 WHERE pk = 'nobody' AND sk = 1"
        )
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        client.execute_statement(Statement="SELECT * FROM \"nowhere\" WHERE pk = 'a'")
    with pytest.raises(ClientError) as caught:
        client.execute_statement(Statement="SELEKT everything")
    assert caught.value.response["Error"]["Code"] == "ValidationException"


def test_a_batch_of_statements_answers_each(client: Any, rows: Any) -> None:
    select = f'SELECT name FROM "{rows.name}" WHERE pk = ? AND sk = ?'
    answer = client.batch_execute_statement(
        Statements=[
            {"Statement": select, "Parameters": ["row", 2]},
            {"Statement": select, "Parameters": ["row", 99]},
            {"Statement": 'SELECT name FROM "nowhere" WHERE pk = ?', "Parameters": ["row"]},
        ]
    )
    found, missing, refused = answer["Responses"]
    assert found["Item"] == {"name": "name-2"}
    assert "Item" not in missing
    assert "Error" in refused


def test_a_transaction_of_statements_is_done_whole_or_not(client: Any, rows: Any) -> None:
    update = f'UPDATE "{rows.name}" SET name = ? WHERE pk = ? AND sk = ?'
    insert = f"INSERT INTO \"{rows.name}\" VALUE {{'pk': 'row', 'sk': ?}}"
    with pytest.raises(client.exceptions.TransactionCanceledException) as caught:
        client.execute_transaction(
            TransactStatements=[
                {"Statement": update, "Parameters": ["lost", "row", 1]},
                {"Statement": insert, "Parameters": [2]},
            ]
        )
    codes = [reason["Code"] for reason in caught.value.response["CancellationReasons"]]
    assert codes == ["None", "DuplicateItem"]
    client.execute_transaction(
        TransactStatements=[
            {"Statement": update, "Parameters": ["kept", "row", 1]},
            {"Statement": insert, "Parameters": [20]},
        ]
    )
    select = f'SELECT * FROM "{rows.name}" WHERE pk = ? AND sk = ?'
    answer = client.execute_transaction(
        TransactStatements=[
            {"Statement": select, "Parameters": ["row", sort]} for sort in (1, 2, 20)
        ]
    )
    assert [response["Item"].get("name") for response in answer["Responses"]] == [
        "kept",
        "name-2",
        None,
    ]
