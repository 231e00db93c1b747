"""What each action does while a transaction is under way, written and not yet durable."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from penstock.base.errors.api import ApiError
from penstock.operations.dynamodb import (
    batch_get_item,
    batch_write_item,
    delete_item,
    get_item,
    put_item,
    query,
    scan,
    transact_get_items,
    transact_write_items,
    update_item,
)
from penstock.operations.operation import Context, Services
from penstock.tables.transaction import transact
from penstock.testing.clock import FakeClock
from penstock.testing.held_flusher import HeldFlusher
from penstock.wire.sigv4 import Caller
from unit.tables.tables_in_memory import NAME, REGION, check, put, tables_in_memory

Item = dict[str, Any]
HELD, CHECKED, FREE = ({"pk": {"S": name}} for name in ("held", "checked", "free"))
CONFLICT = {"Code": "TransactionConflict", "Message": "Transaction is ongoing for the item"}


class Meeting:
    """A store with a transaction under way that puts `held` and checks `checked`."""

    def __init__(self) -> None:
        self.flusher = HeldFlusher()
        self.tables = tables_in_memory(FakeClock(), self.flusher)
        caller = Caller(REGION, "AKIDEXAMPLE")
        self.context = Context(Services(self.tables, 4), caller)

    def run(self, work: Callable[[], Awaitable[None]]) -> None:
        """Run `work` while the transaction is under way, and let it end."""

        async def meet() -> None:
            self.flusher.hold = True
            actions = [put("held"), check("checked", there=False)]
            under_way = asyncio.ensure_future(transact(self.tables, REGION, actions))
            await self.flusher.came()
            await work()
            self.release()
            await under_way

        asyncio.run(meet())

    def release(self) -> None:
        """Make durable what is held, and hold nothing any more."""
        self.flusher.hold = False
        self.flusher.release()

    async def ask(self, action: Any, **request: Any) -> Item:
        """Ask for an action, by its shape as any client does."""
        answer: Item = await action.run(self.context, action.SHAPE.request(request))
        return answer

    async def refusal(self, action: Any, **request: Any) -> ApiError:
        """Ask for what must be refused."""
        with pytest.raises(ApiError) as caught:
            await self.ask(action, **request)
        return caught.value


@pytest.mark.parametrize("key", [HELD, CHECKED])
def test_plain_writes_are_refused(key: Item) -> None:
    """PutItem, UpdateItem and DeleteItem of its items, changed or checked."""
    meeting = Meeting()

    async def work() -> None:
        for action, member in ((put_item, "Item"), (update_item, "Key"), (delete_item, "Key")):
            error = await meeting.refusal(action, TableName=NAME, **{member: key})
            assert error.body() == {
                "__type": "com.amazonaws.dynamodb.v20120810#TransactionConflictException",
                "message": "Transaction is ongoing for the item",
            }

    meeting.run(work)


def test_other_transactions_are_cancelled() -> None:
    """Reads and writes: with the reason at each of its items, and no condition is judged."""
    meeting = Meeting()
    failing = "attribute_exists(pk)"

    async def work() -> None:
        checks = [
            {"ConditionCheck": {"TableName": NAME, "Key": key, "ConditionExpression": failing}}
            for key in (FREE, CHECKED, HELD)
        ]
        gets = [{"Get": {"TableName": NAME, "Key": key}} for key in (FREE, CHECKED, HELD)]
        for action, asked in ((transact_write_items, checks), (transact_get_items, gets)):
            error = await meeting.refusal(action, TransactItems=asked)
            assert error.code == "TransactionCanceledException"
            assert error.members["CancellationReasons"] == [{"Code": "None"}, CONFLICT, CONFLICT]

    meeting.run(work)


def test_a_batch_leaves_its_items_unprocessed() -> None:
    """As they were asked for, under the name that was given; the others are written."""
    meeting = Meeting()
    arn = meeting.tables.table(REGION, NAME).descriptor.arn
    put_free = {"PutRequest": {"Item": FREE}}
    left = {
        NAME: [{"PutRequest": {"Item": {**HELD, "n": {"N": "1.0"}}}}],
        arn: [{"DeleteRequest": {"Key": CHECKED}}],
    }
    asked = {NAME: [put_free, *left[NAME]], arn: left[arn]}

    async def work() -> None:
        batch = asyncio.ensure_future(
            meeting.ask(batch_write_item, RequestItems=asked, ReturnConsumedCapacity="TOTAL")
        )
        await asyncio.sleep(0)
        meeting.release()
        assert await batch == {
            "UnprocessedItems": left,
            "ConsumedCapacity": [{"TableName": NAME, "CapacityUnits": 1.0}],
        }
        assert await meeting.ask(get_item, TableName=NAME, Key=FREE) != {}

    meeting.run(work)


def test_reads_are_never_blocked() -> None:
    """They show what is durable, which is before the transaction."""
    meeting = Meeting()

    async def work() -> None:
        assert await meeting.ask(get_item, TableName=NAME, Key=HELD) == {}
        keys = {NAME: {"Keys": [HELD, CHECKED]}}
        batch = await meeting.ask(batch_get_item, RequestItems=keys)
        assert batch["Responses"] == {NAME: []}
        assert (await meeting.ask(scan, TableName=NAME))["Count"] == 0
        asked = {
            "KeyConditionExpression": "pk = :p",
            "ExpressionAttributeValues": {":p": HELD["pk"]},
        }
        assert (await meeting.ask(query, TableName=NAME, **asked))["Count"] == 0

    meeting.run(work)
