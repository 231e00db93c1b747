"""GetRecords that waits: for a durable record, for the shard's end, and never for longer."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from penstock.base import limits
from penstock.base.errors.api import ApiError
from penstock.base.ids import Entropy
from penstock.base.wait import Wait
from penstock.operations.control import expire_iterators, move_clock
from penstock.operations.control.controls import Controls
from penstock.operations.control.faults import Kind, Terms
from penstock.operations.dynamodb import put_item, update_table
from penstock.operations.dynamodb_streams import get_records, get_shard_iterator
from penstock.operations.operation import Context, Services
from penstock.streams.readers import Readers
from penstock.streams.sequence import stamp_of_sequence
from penstock.streams.stream import find_stream, shards_of
from penstock.tables.lineage import roll_shards, split_shard
from penstock.testing.clock import FakeClock
from penstock.testing.held_flusher import HeldFlusher
from penstock.wire.sigv4 import Caller
from unit.tables.tables_in_memory import NAME, REGION, tables_in_memory

Page = dict[str, Any]
LONG = str(limits.get_records_wait_ms_max)
SOON_SECONDS = 15
"""Under the longest wait, and long enough on a machine with much to do."""


class Store:
    """A table with a stream of four shards, and a reader at the tip of each."""

    def __init__(self, *, controls: bool = False, throttling: bool = False) -> None:
        self.clock = FakeClock()
        self.flusher = HeldFlusher()
        self.tables = tables_in_memory(self.clock, self.flusher)
        self.readers = Readers(throttling=throttling)
        self.services = Services(
            self.tables,
            4,
            readers=self.readers,
            controls=Controls(self.clock, Entropy(1)) if controls else None,
        )
        table = self.tables.find(REGION, NAME)
        assert table is not None
        assert table.descriptor.stream is not None
        self.arn = table.descriptor.stream.arn

    def context(self, wait: Wait | None = None) -> Context:
        return Context(self.services, Caller(REGION, "AKIDEXAMPLE", wait=wait))

    @property
    def watched(self) -> int:
        """How many logs are watched."""
        return len(self.tables.engine._watchers)  # type: ignore[attr-defined]

    async def iterators(self, kind: str = "LATEST") -> list[str]:
        stream = self.tables.read(lambda reader: find_stream(reader, self.arn))
        assert stream is not None
        shards = self.tables.read(lambda reader: shards_of(reader, stream))
        asked = [
            {"StreamArn": self.arn, "ShardId": shard.id, "ShardIteratorType": kind}
            for shard in shards
        ]
        answers = [await get_shard_iterator.run(self.context(), each) for each in asked]
        return [answer["ShardIterator"] for answer in answers]

    def read(
        self, iterator: str, wait: Wait | str | None = None, limit: int = 1000
    ) -> Awaitable[Page]:
        if isinstance(wait, str):
            wait = Wait(wait.encode())
        return get_records.run(self.context(wait), {"ShardIterator": iterator, "Limit": limit})

    async def begun(self, *iterators: str, wait: str = LONG) -> "list[asyncio.Task[Page]]":
        """Return reads under way which all wait."""
        reads = [asyncio.ensure_future(self.read(each, wait)) for each in iterators]
        await turns()
        assert not any(read.done() for read in reads)
        assert self.watched == len(iterators)
        return reads

    async def put(self, name: str = "a") -> None:
        await put_item.run(self.context(), {"TableName": NAME, "Item": {"pk": {"S": name}}})


async def turns(count: int = 20) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


def run(work: Callable[[Store], Awaitable[None]], **settings: bool) -> None:
    """Run a test with a store of its own."""
    store = Store(**settings)

    async def limited() -> None:
        async with asyncio.timeout(SOON_SECONDS):
            await work(store)

    asyncio.run(limited())


async def code_of(read: Awaitable[Page]) -> str:
    with pytest.raises(ApiError) as caught:
        await read
    return caught.value.code


def test_the_answer_is_held_until_a_record_is_durable() -> None:
    """Only that shard's; what is written and not yet on disk answers nobody."""

    async def work(store: Store) -> None:
        reads = await store.begun(*await store.iterators())
        store.flusher.hold = True
        putting = asyncio.ensure_future(store.put())
        await store.flusher.came()
        await turns()
        assert not any(read.done() for read in reads)
        store.flusher.release()
        await putting
        await turns()
        (answered,) = [read for read in reads if read.done()]
        (record,) = answered.result()["Records"]
        assert b'"S":"a"' in bytes(record)
        assert store.watched == 3
        again = await store.read(answered.result()["NextShardIterator"])
        assert again["Records"] == []
        for read in reads:
            read.cancel()
        await turns()
        assert store.watched == 0

    run(work)


def test_a_page_with_records_is_not_held() -> None:
    async def work(store: Store) -> None:
        await store.put()
        pages = [
            await store.read(each, LONG if filled else None)
            for each in await store.iterators("TRIM_HORIZON")
            for filled in [len((await store.read(each))["Records"])]
        ]
        assert sorted(len(page["Records"]) for page in pages) == [0, 0, 0, 1]

    run(work)


def test_the_answer_is_empty_when_the_time_is_over() -> None:
    async def work(store: Store) -> None:
        iterator, *_ = await store.iterators()
        loop = asyncio.get_running_loop()
        began = loop.time()
        page = await store.read(iterator, "50")
        assert loop.time() - began >= 0.049
        assert page["Records"] == []
        assert page["NextShardIterator"] != iterator
        assert store.watched == 0

    run(work)


def test_a_call_beyond_those_that_may_wait_is_answered_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(limits, "held_reads_max", 1)

    async def work(store: Store) -> None:
        first, second, *_ = await store.iterators()
        (held,) = await store.begun(first)
        assert (await store.read(second, LONG))["Records"] == []
        held.cancel()
        await asyncio.gather(held, return_exceptions=True)
        (held,) = await store.begun(second)  # the place of the one that has ended
        held.cancel()

    run(work)


@pytest.mark.parametrize("closing", ["roll", "split", "disable"])
def test_the_end_of_a_shard_ends_the_wait(closing: str) -> None:
    """The reader is told of it at once: without NextShardIterator it goes on to the children."""

    async def work(store: Store) -> None:
        reads = await store.begun(*await store.iterators())
        if closing == "roll":
            await roll_shards(store.tables, REGION, NAME)
        elif closing == "split":
            await split_shard(store.tables, REGION, NAME)
        else:
            off = {"TableName": NAME, "StreamSpecification": {"StreamEnabled": False}}
            await update_table.run(store.context(), off)
        await turns()
        ended = [read.result() for read in reads if read.done()]
        assert ended == [{"Records": []}] * (1 if closing == "split" else 4)
        for read in reads:
            read.cancel()

    run(work)


def test_a_wait_that_is_ended_is_answered_as_ever() -> None:
    """Whether it is ended while it waits or before."""

    async def work(store: Store) -> None:
        iterator, *_ = await store.iterators()
        wait = Wait(LONG.encode())
        read = asyncio.ensure_future(store.read(iterator, wait))
        await turns()
        assert not read.done()
        wait.end()
        page = await read
        assert page["Records"] == []
        assert "NextShardIterator" in page
        over = Wait(LONG.encode(), is_over=True)
        assert (await store.read(page["NextShardIterator"], over))["Records"] == []
        await turns()
        assert store.watched == 0

    run(work)


def test_waking_for_nothing_does_not_end_the_wait() -> None:
    async def work(store: Store) -> None:
        iterator, *_ = await store.iterators()
        wait = Wait(LONG.encode())
        read = asyncio.ensure_future(store.read(iterator, wait))
        for _ in range(3):
            await turns()
            wait.wake()
        await turns()
        assert not read.done()
        assert store.watched == 1
        wait.end()
        await read

    run(work)


@pytest.mark.parametrize(
    "asked", ["", "-1", "1.5", "20001", "100000", "1e3", "soon", "5,5", " 5", "٣", "0x10"]
)
def test_what_is_no_wait_is_refused(asked: str) -> None:
    async def work(store: Store) -> None:
        iterator, *_ = await store.iterators()
        with pytest.raises(ApiError, match=re.escape("from 0 to 20000")) as caught:
            await store.read(iterator, asked)
        assert caught.value.code == "ValidationException"

    run(work)


@pytest.mark.parametrize("asked", ["0", "00000", None])
def test_no_wait_is_no_wait(asked: str | None) -> None:
    async def work(store: Store) -> None:
        iterator, *_ = await store.iterators()
        reading = asyncio.ensure_future(store.read(iterator, asked))
        await asyncio.sleep(0)
        assert reading.done()
        assert reading.result()["Records"] == []

    run(work)


def test_the_longest_wait_is_taken() -> None:
    async def work(store: Store) -> None:
        (read,) = await store.begun((await store.iterators())[0], wait="20000")
        read.cancel()

    run(work)


# --- readers


def test_a_call_that_waits_is_one_call_of_a_reader_that_reads_all_the_while() -> None:
    async def work(store: Store) -> None:
        iterator, *_ = await store.iterators()
        wait = Wait(LONG.encode())
        read = asyncio.ensure_future(store.read(iterator, wait))
        await turns()
        store.clock.advance(int(limits.reader_window_ms) * 4)
        (shown,) = store.readers.shown(store.clock.elapsed_ms())
        assert (shown["Readers"], shown["Calls"], shown["Records"]) == (1, 1, 0)
        wait.end()
        await read
        store.clock.advance(int(limits.reader_window_ms) + 1)
        (shown,) = store.readers.shown(store.clock.elapsed_ms())
        assert (shown["Readers"], shown["Calls"], shown["Records"]) == (0, 1, 0)

    run(work)


def test_the_records_that_end_a_wait_are_counted_once() -> None:
    async def work(store: Store) -> None:
        reads = await store.begun(*await store.iterators())
        await store.put()
        await turns()
        shown = store.readers.shown(store.clock.elapsed_ms())
        assert [each["Calls"] for each in shown] == [1] * 4
        assert sum(each["Records"] for each in shown) == 1
        for read in reads:
            read.cancel()

    run(work)


def test_a_third_reader_is_refused_without_waiting_while_two_wait() -> None:
    async def work(store: Store) -> None:
        places = [(await store.iterators())[0] for _ in range(3)]
        reads = [asyncio.ensure_future(store.read(each, LONG)) for each in places[:2]]
        await turns()
        store.clock.advance(int(limits.reader_window_ms) * 4)
        assert await code_of(store.read(places[2], LONG)) == "LimitExceededException"
        for read in reads:
            read.cancel()

    run(work, throttling=True)


# --- test controls


def test_what_was_read_before_is_known_while_the_reader_waits() -> None:
    """Else a test that drains would wait as long as the reader does."""

    async def work(store: Store) -> None:
        await store.put()
        for each in await store.iterators("TRIM_HORIZON"):
            page = await store.read(each)
            if page["Records"]:
                (record,) = page["Records"]
                break
        read = asyncio.ensure_future(store.read(page["NextShardIterator"], LONG))
        await turns()
        assert store.services.controls is not None
        rows, _ = store.services.controls.progress.shown("", 10)
        numbers = [row["ReadTo"] for row in rows if row["ReadTo"].encode() in bytes(record)]
        assert len(numbers) == 1
        assert stamp_of_sequence(numbers[0]) is not None
        read.cancel()

    run(work, controls=True)


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("throttle", "LimitExceededException"),
        ("expired", "ExpiredIteratorException"),
        ("trimmed", "TrimmedDataAccessException"),
    ],
)
def test_a_fault_that_needs_no_records_fires_before_the_wait(kind: Kind, code: str) -> None:
    """And once: a fault that comes while a read waits is for the next one."""

    async def work(store: Store) -> None:
        controls = store.services.controls
        assert controls is not None
        controls.faults.put(Terms(kind, calls=1))
        iterators = await store.iterators()
        assert await code_of(store.read(iterators[0], LONG)) == code
        reads = await store.begun(*iterators)
        controls.faults.put(Terms(kind, calls=9))
        await store.put()
        await turns()
        (answered,) = [read for read in reads if read.done()]
        assert len(answered.result()["Records"]) == 1
        assert await code_of(store.read(answered.result()["NextShardIterator"], LONG)) == code
        for read in reads:
            read.cancel()

    run(work, controls=True)


@pytest.mark.parametrize(("kind", "records"), [("fewer", 0), ("repeat", 1)])
def test_a_fault_of_records_fires_when_they_have_come(kind: Kind, records: int) -> None:
    """The answer is not held a second time; the next one has the record again."""

    async def work(store: Store) -> None:
        assert store.services.controls is not None
        store.services.controls.faults.put(Terms(kind, calls=1))
        reads = await store.begun(*await store.iterators())
        await store.put()
        await turns()
        (answered,) = [read for read in reads if read.done()]
        assert len(answered.result()["Records"]) == records
        again = await store.read(answered.result()["NextShardIterator"], LONG)
        assert len(again["Records"]) == 1
        for read in reads:
            read.cancel()

    run(work, controls=True)


@pytest.mark.parametrize("way", ["time", "one", "all"])
def test_an_iterator_that_expires_while_it_waits_is_told_of_at_once(way: str) -> None:
    """By moving the clock, or by the control for it."""

    async def work(store: Store) -> None:
        iterator, *_ = await store.iterators()
        (read,) = await store.begun(iterator)
        if way == "time":
            past = {"Milliseconds": limits.iterator_life_ms + 1}
            await move_clock.run(store.context(), past)
        elif way == "one":
            await expire_iterators.run(store.context(), {"ShardIterator": iterator})
        else:
            await expire_iterators.run(store.context(), {"TableName": NAME})
        assert await code_of(read) == "ExpiredIteratorException"
        await turns()
        assert store.watched == 0
        assert store.services.controls is not None
        assert not store.services.controls.waits

    run(work, controls=True)


def test_moving_the_clock_a_little_lets_a_read_wait_on() -> None:
    async def work(store: Store) -> None:
        (read,) = await store.begun((await store.iterators())[0])
        await move_clock.run(store.context(), {"Milliseconds": 60_000})
        await turns()
        assert not read.done()
        read.cancel()

    run(work, controls=True)
