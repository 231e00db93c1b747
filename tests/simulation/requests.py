"""Random writes: the request, and the attempts that it makes."""

from dataclasses import dataclass
from random import Random
from typing import Any

import msgspec

from simulation.ledger import EXPIRES, KEY, MARK, Attempt, Item, Ledger

KEYS = tuple("abcdefgh")
EXPIRES_IN_SECONDS_MAX = 3 * 3600
REFUSALS = frozenset(
    {
        "ConditionalCheckFailedException",
        "TransactionCanceledException",
        "TransactionConflictException",
        "TransactionInProgressException",
    }
)
"""What a write may be refused with."""


@dataclass
class Request:
    """A request that writes, and what it attempts; one attempt for each item in its order."""

    action: str
    body: dict[str, Any]
    attempts: list[Attempt]
    made_ms: int
    """The earliest time by the clock at which it may have been made: its token lives from then."""
    is_repeated: bool = False

    def take_answer(self, answer: dict[str, Any]) -> list[Attempt]:
        """Return the attempts that the answer says were made, and note what they replaced."""
        if self.body.get("ReturnValues") == "ALL_OLD":
            (attempt,) = self.attempts
            attempt.told = True
            attempt.replaced = _mark_in(answer)
        left = answer.get("UnprocessedItems", {})
        unprocessed = {_key_of(each) for each in next(iter(left.values()), ())}
        return [each for each in self.attempts if each.item[1] not in unprocessed]

    @property
    def token(self) -> str | None:
        """The token of a transaction that can be sent again."""
        found: str | None = self.body.get("ClientRequestToken")
        return found

    def __str__(self) -> str:
        named = self.action if self.token is None else f"{self.action} {self.token}"
        return f"{named} ({', '.join(map(str, self.attempts))})"


class Requests:
    """Makes requests; `random` decides what of."""

    def __init__(self, random: Random, ledger: Ledger) -> None:
        self._random = random
        self._ledger = ledger
        self._marks = 0
        self._tokens = 0

    def make(self, table: str, step: int, snapshot: int, now_ms: int) -> Request:
        """Return a new request to `table`."""
        kind = self._random.choices(
            (self._put, self._update, self._delete, self._batch, self._transact),
            (6, 5, 3, 2, 3),
        )[0]
        return kind(_Making(table, step, snapshot, now_ms))

    def _put(self, making: "_Making") -> Request:
        attempt = self._attempt(making, self._key())
        body = {"TableName": making.table, "Item": self._item(making, attempt)}
        return Request("PutItem", body | self._told() | self._condition(), [attempt], making.now_ms)

    def _update(self, making: "_Making") -> Request:
        attempt = self._attempt(making, self._key())
        body = {"TableName": making.table, **_update_of(attempt)}
        return Request("UpdateItem", body | self._told(), [attempt], making.now_ms)

    def _delete(self, making: "_Making") -> Request:
        attempt = self._attempt(making, self._key(), deletes=True)
        body = {"TableName": making.table, "Key": _key(attempt)}
        return Request(
            "DeleteItem", body | self._told() | self._condition(), [attempt], making.now_ms
        )

    def _batch(self, making: "_Making") -> Request:
        attempts, elements = [], []
        for key in self._random.sample(KEYS, self._random.randint(2, 4)):
            attempt = self._attempt(making, key, deletes=self._random.random() < 0.3)
            attempts.append(attempt)
            if attempt.mark is None:
                elements.append({"DeleteRequest": {"Key": _key(attempt)}})
            else:
                elements.append({"PutRequest": {"Item": self._item(making, attempt)}})
        return Request(
            "BatchWriteItem", {"RequestItems": {making.table: elements}}, attempts, making.now_ms
        )

    def _transact(self, making: "_Making") -> Request:
        attempts, actions = [], []
        for key in self._random.sample(KEYS, self._random.randint(2, 3)):
            attempt = self._attempt(making, key, deletes=self._random.random() < 0.3)
            attempts.append(attempt)
            actions.append(self._action(making, attempt))
        body: dict[str, Any] = {"TransactItems": actions}
        if self._random.random() < 0.5:
            self._tokens += 1
            body["ClientRequestToken"] = f"t{self._tokens}"
        return Request("TransactWriteItems", body, attempts, making.now_ms)

    def _action(self, making: "_Making", attempt: Attempt) -> dict[str, Any]:
        table = {"TableName": making.table}
        if attempt.mark is None:
            return {"Delete": {**table, "Key": _key(attempt), **self._condition()}}
        if self._random.random() < 0.5:
            return {"Update": {**table, **_update_of(attempt)}}
        return {"Put": {**table, "Item": self._item(making, attempt), **self._condition()}}

    def _attempt(self, making: "_Making", key: str, *, deletes: bool = False) -> Attempt:
        mark = None
        if not deletes:
            self._marks += 1
            mark = f"w{self._marks}"
        item: Item = (making.table, key)
        return self._ledger.begin(item, mark, making.step, making.snapshot)

    def _key(self) -> str:
        return self._random.choice(KEYS)

    def _item(self, making: "_Making", attempt: Attempt) -> dict[str, Any]:
        item: dict[str, Any] = {**_key(attempt), MARK: {"S": attempt.mark}}
        if self._random.random() < 0.3:
            expires = making.now_ms // 1000 + self._random.randint(1, EXPIRES_IN_SECONDS_MAX)
            item[EXPIRES] = {"N": str(expires)}
        return item

    def _told(self) -> dict[str, Any]:
        return {"ReturnValues": "ALL_OLD"} if self._random.random() < 0.5 else {}

    def _condition(self) -> dict[str, Any]:
        if self._random.random() < 0.7:
            return {}
        wanted = self._random.choice(("attribute_exists", "attribute_not_exists"))
        return {"ConditionExpression": f"{wanted}({KEY})"}


@dataclass(frozen=True)
class _Making:
    """What the requests of one moment share."""

    table: str
    step: int
    snapshot: int
    now_ms: int


def _update_of(attempt: Attempt) -> dict[str, Any]:
    return {
        "Key": _key(attempt),
        "UpdateExpression": f"SET {MARK} = :mark ADD n :one",
        "ExpressionAttributeValues": {":mark": {"S": attempt.mark}, ":one": {"N": "1"}},
    }


def _key(attempt: Attempt) -> dict[str, Any]:
    return {KEY: {"S": attempt.item[1]}}


def _key_of(element: dict[str, Any]) -> str:
    """Return the key of an element of a batch."""
    item = (
        element["PutRequest"]["Item"]
        if "PutRequest" in element
        else element["DeleteRequest"]["Key"]
    )
    key: str = item[KEY]["S"]
    return key


def _mark_in(answer: dict[str, Any]) -> str | None:
    """Return the mark of the item in an answer, None where it has none."""

    if "Attributes" not in answer:
        return None
    attributes = answer["Attributes"]
    if isinstance(attributes, msgspec.Raw):
        attributes = msgspec.json.decode(attributes)
    mark: str = attributes[MARK]["S"]
    return mark
