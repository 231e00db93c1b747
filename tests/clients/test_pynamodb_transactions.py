"""PynamoDB's TransactWrite and TransactGet over models of two tables."""

from collections.abc import Callable
from typing import Any

import pytest
from pynamodb.attributes import NumberAttribute, UnicodeAttribute, VersionAttribute
from pynamodb.connection import Connection
from pynamodb.exceptions import DoesNotExist, TransactWriteError
from pynamodb.models import Model
from pynamodb.transactions import TransactGet, TransactWrite


class Account(Model):
    """What somebody has; not less than nothing."""

    pk = UnicodeAttribute(hash_key=True)
    balance = NumberAttribute(default=0)
    version = VersionAttribute()


class Transfer(Model):
    """What was moved."""

    pk = UnicodeAttribute(hash_key=True)
    amount = NumberAttribute()


@pytest.fixture
def connection(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> Connection:
    """The connection that a transaction is given."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    return Connection(region="us-east-1", host=endpoint)


@pytest.fixture
def models(made: Callable[[type[Model]], Any]) -> tuple[Any, Any]:
    """Accounts of ann (100) and bob (0), and transfers."""
    accounts, transfers = made(Account), made(Transfer)
    accounts("ann", balance=100).save()
    accounts("bob").save()
    return accounts, transfers


def move(connection: Connection, models: tuple[Any, Any], name: str, amount: int) -> None:
    accounts, transfers = models
    with TransactWrite(connection=connection) as transaction:
        transaction.save(transfers(name, amount=amount), condition=transfers.pk.does_not_exist())
        transaction.update(
            accounts("ann", version=1),
            actions=[accounts.balance.add(-amount)],
            condition=accounts.balance >= amount,
        )
        transaction.update(accounts("bob", version=1), actions=[accounts.balance.add(amount)])


def test_a_transaction_writes_all_and_counts_versions(
    connection: Connection, models: tuple[Any, Any]
) -> None:
    move(connection, models, "t1", 30)
    accounts, transfers = models
    with TransactGet(connection=connection) as transaction:
        ann = transaction.get(accounts, "ann")
        moved = transaction.get(transfers, "t1")
        nobody = transaction.get(accounts, "nobody")
    assert (ann.get().balance, ann.get().version, moved.get().amount) == (70, 2, 30)
    with pytest.raises(DoesNotExist):
        nobody.get()


def test_a_cancelled_transaction_names_the_reason_of_each_action(
    connection: Connection, models: tuple[Any, Any]
) -> None:
    accounts, transfers = models
    with pytest.raises(TransactWriteError) as caught:
        move(connection, models, "t1", 1000)
    assert caught.value.cause_response_code == "TransactionCanceledException"
    reasons = [reason and reason.code for reason in caught.value.cancellation_reasons]
    assert reasons == [None, "ConditionalCheckFailed", None]
    assert [accounts.get(name).balance for name in ("ann", "bob")] == [100, 0]
    assert transfers.count() == 0


def test_a_transaction_checks_and_deletes_and_repeats_under_a_token(
    connection: Connection, models: tuple[Any, Any]
) -> None:
    accounts, transfers = models
    for _ in range(2):
        with TransactWrite(connection=connection, client_request_token="once") as transaction:
            transaction.condition_check(accounts, "ann", condition=accounts.balance == 100)
            transaction.update(transfers("t"), actions=[transfers.amount.add(1)])
    assert transfers.get("t").amount == 1
    with TransactWrite(connection=connection) as transaction:
        transaction.delete(transfers("t"), condition=transfers.amount == 1)
    assert transfers.count() == 0
