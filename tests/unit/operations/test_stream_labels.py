"""The label of a stream that another node took after it was found free."""

import asyncio
from typing import Any

import pytest

from penstock.operations.dynamodb import create_table
from penstock.operations.operation import Context, Services
from penstock.storage.waist import Reader
from penstock.streams.stream import Stream, find_stream
from penstock.tables.catalog import delete_table
from penstock.testing.clock import FakeClock
from penstock.wire.sigv4 import Caller
from unit.tables.tables_in_memory import NAME, REGION, tables_in_memory

REQUEST = {
    "TableName": NAME,
    "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
    "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
    "BillingMode": "PAY_PER_REQUEST",
    "StreamSpecification": {"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"},
}


def test_a_table_is_made_with_the_next_label_where_its_own_was_taken(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A table of that name was made and deleted between the look and the transaction."""
    tables = tables_in_memory(FakeClock())
    context = Context(Services(tables, 4), Caller(REGION, "AKIDEXAMPLE"))
    looked: list[str] = []

    def look(reader: Reader, arn: str) -> Stream | None:
        looked.append(arn)
        return None if len(looked) <= 2 else find_stream(reader, arn)  # a view is rehearsed

    async def check() -> dict[str, Any]:
        table = tables.table(REGION, NAME)
        now_ms = tables.clock.now_ms()
        await tables.engine.transact(
            lambda txn: delete_table(txn, table, None, now_ms), locks=table.locks
        )
        monkeypatch.setattr(create_table, "find_stream", look)
        return await create_table.run(context, REQUEST)

    described = asyncio.run(check())["TableDescription"]
    taken, free = looked[0], looked[-1]
    assert looked == [taken] * 4 + [free] * 2
    assert taken < free == described["LatestStreamArn"]
    kept = [tables.read(lambda reader, arn=arn: find_stream(reader, arn)) for arn in (taken, free)]  # type: ignore[misc]
    assert [stream is not None and stream.closed_ms is None for stream in kept] == [False, True]
