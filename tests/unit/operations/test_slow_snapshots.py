"""What others do while a snapshot waits, and whoever asked for it must not miss."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from penstock.base import limits
from penstock.base.errors.api import ApiError
from penstock.base.ids import Entropy
from penstock.base.wait import Wait
from penstock.items.keys import item_key_for_lookup
from penstock.operations.control import drain, expire_iterators
from penstock.operations.control.controls import Controls
from penstock.operations.dynamodb import delete_table, put_item
from penstock.operations.dynamodb_streams import get_records, get_shard_iterator
from penstock.operations.operation import Context, Services
from penstock.storage.fibers import Fiber
from penstock.streams.stream import Shard, find_stream, shards_of
from penstock.streams.trimming import Trimming
from penstock.tables.descriptor import Table
from penstock.tables.lineage import roll_shards, trim_shards
from penstock.testing.clock import FakeClock
from penstock.wire.sigv4 import Caller
from slow_snapshots import SlowSnapshots
from unit.tables.tables_in_memory import NAME, REGION, make_table, tables_over

SOON_SECONDS = 10
"""Under the longest wait, which is what a missed event would cost."""


class Server:
    """The operations over an engine whose snapshots wait, and a table with a stream."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.engine = SlowSnapshots(self.clock, rehearse=True)
        self.tables = tables_over(self.engine, self.clock)
        make_table(self.tables)
        self.controls = Controls(self.clock, Entropy(1))
        self.services = Services(self.tables, 4, controls=self.controls)

    def context(self, wait: Wait | None = None) -> Context:
        return Context(self.services, Caller(REGION, "AKIDEXAMPLE", wait=wait))

    def table(self) -> Table:
        table = self.tables.find(REGION, NAME)
        assert table is not None
        return table

    def shards(self) -> list[Shard]:
        opened = self.table().descriptor.stream
        assert opened is not None
        stream = self.tables.read(lambda reader: find_stream(reader, opened.arn))
        assert stream is not None
        return self.tables.read(lambda reader: shards_of(reader, stream))

    async def iterator(self) -> str:
        """Return an iterator at the tip of the first partition's shard."""
        opened = self.table().descriptor.stream
        assert opened is not None
        shard = next(each.id for each in self.shards() if each.number == opened.shards[0])
        asked = {"StreamArn": opened.arn, "ShardId": shard, "ShardIteratorType": "LATEST"}
        answer = await get_shard_iterator.run(self.context(), asked)
        text: str = answer["ShardIterator"]
        return text

    def reading(self, iterator: str) -> "asyncio.Task[dict[str, Any]]":
        """Return a read under way, to be held for as long as may be."""
        wait = Wait(str(limits.get_records_wait_ms_max).encode())
        request = {"ShardIterator": iterator}
        return asyncio.create_task(Fiber(get_records.run(self.context(wait), request)))

    async def held(self) -> "asyncio.Future[None]":
        """Return the hold of the next snapshot, which has taken its view by then."""
        hold = self.engine.hold_next()
        while self.engine._held is not None:
            await asyncio.sleep(0)
        await turns()
        return hold


async def turns() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


def run(work: Callable[[Server], Awaitable[None]]) -> None:
    """Run a test with a server of its own, in a fiber."""
    server = Server()

    async def limited() -> None:
        async with asyncio.timeout(SOON_SECONDS):
            await work(server)

    asyncio.run(Fiber(limited()))


@pytest.mark.parametrize("looks", [1, 2])
def test_the_end_of_a_shard_ends_a_read_that_was_looking(looks: int) -> None:
    """It closed after the first look's view, or the second's, and before that returned."""

    async def work(server: Server) -> None:
        reading = server.reading(await server.iterator())
        hold = await server.held()
        if looks == 2:
            hold.set_result(None)
            hold = await server.held()
        await roll_shards(server.tables, REGION, NAME)
        hold.set_result(None)
        assert await reading == {"Records": []}
        assert not server.engine._watchers

    run(work)


@pytest.mark.parametrize("looks", [1, 2])
def test_an_iterator_made_to_expire_ends_a_read_that_was_looking(looks: int) -> None:
    async def work(server: Server) -> None:
        iterator = await server.iterator()
        reading = server.reading(iterator)
        hold = await server.held()
        if looks == 2:
            hold.set_result(None)
            hold = await server.held()
        await expire_iterators.run(server.context(), {"ShardIterator": iterator})
        hold.set_result(None)
        with pytest.raises(ApiError) as caught:
            await reading
        assert caught.value.code == "ExpiredIteratorException"
        assert not server.engine._watchers

    run(work)


def test_a_record_written_while_a_read_was_looking_is_read() -> None:
    async def work(server: Server) -> None:
        reading = server.reading(await server.iterator())
        hold = await server.held()
        name = next(name for name in map(str, range(100)) if _is_first(server.table(), name))
        await put_item.run(server.context(), {"TableName": NAME, "Item": {"pk": {"S": name}}})
        hold.set_result(None)
        assert len((await reading)["Records"]) == 1

    run(work)


def _is_first(table: Table, name: str) -> bool:
    """Say whether an item of that name is in the first partition."""
    key = item_key_for_lookup(table.schema, {"pk": {"S": name}})
    return table.partition_of(key) is table.partitions[0]


def test_what_a_consumer_reads_while_drain_looks_ends_it() -> None:
    async def work(server: Server) -> None:
        await put_item.run(server.context(), {"TableName": NAME, "Item": {"pk": {"S": "a"}}})
        request = {"TableName": NAME, "Consumer": "me", "SecondsMax": 300}
        draining: asyncio.Task[Any] = asyncio.create_task(
            Fiber(drain.run(server.context(), request))
        )
        (await server.held()).set_result(None)  # what is owed
        hold = await server.held()  # what of it is not read yet
        opened = server.table().descriptor.stream
        assert opened is not None
        for shard in server.shards():
            server.controls.progress.note("me", opened.arn, shard.id, 2**62)
        hold.set_result(None)
        assert await draining == {}

    run(work)


def test_a_table_that_changes_while_its_shards_are_looked_for_is_looked_at_again() -> None:
    """The second of two rolls at once takes the children of the first."""

    async def work(server: Server) -> None:
        rolling: asyncio.Task[Any] = asyncio.create_task(
            Fiber(roll_shards(server.tables, REGION, NAME))
        )
        hold = await server.held()
        first = await roll_shards(server.tables, REGION, NAME)
        await trim_shards(server.tables, REGION, NAME)
        hold.set_result(None)
        second = await rolling
        assert {each.parent.id for each in second} == {
            child.id for each in first for child in each.children
        }

    run(work)


def test_a_table_whose_stream_has_gone_meanwhile_is_looked_at_again() -> None:
    async def work(server: Server) -> None:
        rolling: asyncio.Task[Any] = asyncio.create_task(
            Fiber(roll_shards(server.tables, REGION, NAME))
        )
        hold = await server.held()
        await delete_table.run(server.context(), {"TableName": NAME})
        server.clock.advance(limits.stream_retention_ms + limits.iterator_life_ms + 1)
        await Trimming(server.engine, server.clock).run()
        hold.set_result(None)
        with pytest.raises(ApiError) as caught:
            await rolling
        assert caught.value.code == "ResourceNotFoundException"

    run(work)
