"""Many transactions at once: money moves between accounts, and none is made or lost on the way."""

import random
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from botocore.exceptions import ClientError

from penstock.testing.checkers import wrong_fold
from wire.clients import REGION, Record, connect

ACCOUNTS = [f"account {n}" for n in range(6)]
MONEY_EACH = 10
HANDS = 8
TRANSFERS_EACH = 25
ATTEMPTS_MAX = 1000
Item = dict[str, Any]


def key_of(account: str) -> Item:
    return {"pk": {"S": account}}


def change(table: str, account: str, sign: str, amount: int, **more: Any) -> Item:
    """Return the Update that adds to an account, or takes from it."""
    return {
        "Update": {
            "TableName": table,
            "Key": key_of(account),
            "UpdateExpression": f"SET money = money {sign} :amount",
            "ExpressionAttributeValues": {":amount": {"N": str(amount)}},
            **more,
        }
    }


def codes_of(error: ClientError) -> list[str]:
    """Return the codes of a cancelled transaction's reasons."""
    answer: Any = error.response
    assert answer["Error"]["Code"] == "TransactionCanceledException", answer
    return [reason["Code"] for reason in answer["CancellationReasons"]]


def until_no_conflict(ask: Callable[[], Any]) -> Any:
    """Return what `ask` returns, None where a condition does not hold, asking anew at conflicts."""
    for _ in range(ATTEMPTS_MAX):
        try:
            return ask()
        except ClientError as error:
            codes = codes_of(error)
            if "TransactionConflict" not in codes:
                assert "ConditionalCheckFailed" in codes
                return None
    raise AssertionError("there was a conflict each time")


class Hand:
    """Moves money at random; what it was told is noted in `moved`, by the item that tells of it."""

    def __init__(self, ddb: Any, table: str, number: int) -> None:
        self._ddb, self._table, self._number = ddb, table, number
        self._chance = random.Random(number)
        self.moved: dict[str, int] = {}

    def work(self) -> None:
        for n in range(TRANSFERS_EACH):
            self._transfer(f"transfer {self._number} {n}")

    def _transfer(self, name: str) -> None:
        """Move money if there is enough, tell of it in an item, while a third account is there."""
        giver, taker, third = self._chance.sample(ACCOUNTS, 3)
        amount = self._chance.randint(1, MONEY_EACH)
        enough = {"ConditionExpression": "money >= :amount"}
        there = {"TableName": self._table, "Key": key_of(third)}
        told = {"TableName": self._table, "Item": {**key_of(name), "amount": {"N": str(amount)}}}
        actions = [
            change(self._table, giver, "-", amount, **enough),
            change(self._table, taker, "+", amount),
            {"ConditionCheck": {**there, "ConditionExpression": "attribute_exists(money)"}},
            {"Put": {**told, "ConditionExpression": "attribute_not_exists(pk)"}},
        ]
        if until_no_conflict(lambda: self._ddb.transact_write_items(TransactItems=actions)):
            self.moved[name] = amount


def sums_seen(ddb: Any, table: str, done: threading.Event) -> set[int]:
    """Return the sums of all accounts that transactions read until `done`."""
    gets = [{"Get": {"TableName": table, "Key": key_of(account)}} for account in ACCOUNTS]
    sums = set()
    while not done.is_set():
        try:
            found = ddb.transact_get_items(TransactItems=gets)["Responses"]
        except ClientError as error:
            assert set(codes_of(error)) <= {"None", "TransactionConflict"}
        else:
            sums.add(sum(int(each["Item"]["money"]["N"]) for each in found))
    return sums


def test_money_is_neither_made_nor_lost(
    ddb: Any,
    endpoint: str,
    new_table: Callable[..., str],
    read_stream: Callable[[str], list[Record]],
) -> None:
    """The sum is kept, also in every read meanwhile; what was told is there, and nothing else.

    The records, one for each item changed, fold to the table.
    """
    table = new_table(view_type="NEW_AND_OLD_IMAGES")
    for account in ACCOUNTS:
        ddb.put_item(TableName=table, Item={**key_of(account), "money": {"N": str(MONEY_EACH)}})
    hands = [Hand(connect(endpoint, "dynamodb", REGION), table, n) for n in range(HANDS)]
    done = threading.Event()
    with ThreadPoolExecutor(HANDS + 1) as pool:
        reading = pool.submit(sums_seen, connect(endpoint, "dynamodb", REGION), table, done)
        try:
            for ended in [pool.submit(hand.work) for hand in hands]:
                ended.result()
        finally:
            done.set()
        assert reading.result() <= {len(ACCOUNTS) * MONEY_EACH}
    items = ddb.scan(TableName=table, ConsistentRead=True)["Items"]
    moneys = [int(item["money"]["N"]) for item in items if "money" in item]
    assert len(moneys) == len(ACCOUNTS)
    assert min(moneys) >= 0
    assert sum(moneys) == len(ACCOUNTS) * MONEY_EACH
    moved = {item["pk"]["S"]: int(item["amount"]["N"]) for item in items if "amount" in item}
    assert moved == {name: amount for hand in hands for name, amount in hand.moved.items()}
    records = read_stream(table)
    assert len(records) == len(ACCOUNTS) + 3 * len(moved)
    assert wrong_fold(records, items, ["pk"]) == []
