"""Reading a stream at another endpoint: a server with test controls, and one that is not ours."""

import asyncio
import itertools
import json
from collections.abc import Callable, Coroutine, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from penstock.base import limits
from penstock.base.clock import SystemClock
from penstock.consumers.events import sequence_number_of
from penstock.consumers.remote_source import Position, RemoteSource
from penstock.consumers.source import (
    SourceGone,
    SourcePage,
    SourceRecord,
    SourceUnavailable,
)
from penstock.testing.local_server import LocalServer

T = TypeVar("T")
SECONDS_MAX = 30.0
_names = (f"table-{number}" for number in itertools.count())


@pytest.fixture(scope="module")
def server() -> Iterator[LocalServer]:
    """A server of ours, whose streams have one shard."""
    with LocalServer(shards=1) as running:
        yield running


class Table:
    """A table with a stream at a server, and the source that reads it."""

    def __init__(self, server: LocalServer) -> None:
        self.name = next(_names)
        self.control = server.control
        self.tables = server.client()
        made = self.tables.create_table(
            TableName=self.name,
            KeySchema=[
                {"AttributeName": "sk", "KeyType": "RANGE"},
                {"AttributeName": "pk", "KeyType": "HASH"},
            ][::-1],
            AttributeDefinitions=[
                {"AttributeName": "pk", "AttributeType": "S"},
                {"AttributeName": "sk", "AttributeType": "N"},
            ],
            BillingMode="PAY_PER_REQUEST",
            StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
        )
        self.arn = made["TableDescription"]["LatestStreamArn"]
        retries = {"total_max_attempts": 1}
        self.client = server.client("dynamodbstreams", consumer="poll", retries=retries)
        self.source = RemoteSource(self.client, self.arn, SystemClock())

    def put(self, *numbers: int, **more: Any) -> None:
        for number in numbers:
            key = {"pk": {"S": "a"}, "sk": {"N": str(number)}}
            self.tables.put_item(TableName=self.name, Item=key | more)


def run(table: Table, work: Callable[[RemoteSource], Coroutine[Any, Any, T]]) -> T:
    async def limited() -> T:
        async with asyncio.timeout(SECONDS_MAX):
            return await work(table.source)

    try:
        return asyncio.run(limited())
    finally:
        table.source.close()


def numbers(page: SourcePage) -> list[int]:
    """Return the sort keys of the records of a page, which tell them apart."""
    return [int(_key(record)["sk"]["N"]) for record in page.records]


def _key(record: SourceRecord) -> dict[str, dict[str, str]]:
    keys: dict[str, dict[str, str]] = json.loads(record.data)["dynamodb"]["Keys"]
    return keys


async def read_all(source: RemoteSource, shard: str, position: str | None) -> list[int]:
    """Return what there is from a position on, to the tip or the end."""
    found: list[int] = []
    while position is not None:
        page = await source.read(shard, position, 3)
        found += numbers(page)
        if page.at_tip:
            break
        position = page.next
    return found


def test_records_are_as_a_function_gets_them(server: LocalServer) -> None:
    """Bytes in base64, the time with a fraction, the stream's ARN: the rest as it is there."""
    table = Table(server)
    values = {
        "b": {"B": b"\x00\xff"},
        "bs": {"BS": [b"1"]},
        "m": {"M": {"x": {"L": [{"B": b"2"}]}}},
    }
    table.put(1, **values)

    async def work(source: RemoteSource) -> SourceRecord:
        (shard,) = await source.shards()
        (record,) = (await source.read(shard.id, "trim", 10)).records
        return record

    record = run(table, work)
    event = json.loads(record.data)
    assert set(event) == {
        *("eventID", "eventName", "eventVersion", "eventSource", "awsRegion", "dynamodb"),
        "eventSourceARN",
    }
    assert event["eventSourceARN"] == table.arn
    assert (event["eventName"], event["eventVersion"]) == ("INSERT", "1.1")
    change = event["dynamodb"]
    assert isinstance(change["ApproximateCreationDateTime"], float)
    assert record.created_ms == int(change["ApproximateCreationDateTime"] * 1000)
    assert record.sequence_number == change["SequenceNumber"]
    assert change["NewImage"] == {
        "pk": {"S": "a"},
        "sk": {"N": "1"},
        "b": {"B": "AP8="},
        "bs": {"BS": ["MQ=="]},
        "m": {"M": {"x": {"L": [{"B": "Mg=="}]}}},
    }
    assert table.source.partition_key == "pk"
    assert sequence_number_of(record.data) == record.sequence_number


def test_pages_follow_one_another_and_positions_can_be_stored(server: LocalServer) -> None:
    """Another source goes on at a position: behind a page, or behind a record within one."""
    table = Table(server)
    table.put(*range(7))

    async def work(source: RemoteSource) -> tuple[str, str, str]:
        (shard,) = await source.shards()
        begun = await source.begin(shard.id, "TRIM_HORIZON", 0)
        assert begun is not None
        page = await source.read(shard.id, begun, 3)
        assert (numbers(page), page.at_tip, page.trimmed) == ([0, 1, 2], False, False)
        assert page.next is not None
        assert numbers(await source.read(shard.id, page.next, 3)) == [3, 4, 5]
        assert numbers(await source.read(shard.id, page.next, 2)) == [3, 4], "it may be read again"
        return shard.id, page.next, source.after(page.records[0])

    shard, behind_page, behind_record = run(table, work)
    again = Table.__new__(Table)
    again.source = RemoteSource(table.client, table.arn, SystemClock())

    async def go_on(source: RemoteSource) -> None:
        assert await read_all(source, shard, behind_page) == [3, 4, 5, 6]
        assert await read_all(source, shard, behind_record) == [1, 2, 3, 4, 5, 6]

    run(again, go_on)


def test_parents_and_children_of_a_split(server: LocalServer) -> None:
    """The parent ends; its children name it."""
    table = Table(server)
    table.put(1, 2)
    split = table.control.split(table.name)
    table.put(3)

    async def work(source: RemoteSource) -> None:
        shards = {shard.id: shard for shard in await source.shards()}
        assert set(shards) == {split.parent, *split.children}
        assert shards[split.parent].is_closed
        assert [shards[child].parent for child in split.children] == [split.parent] * 2
        page = await source.read(split.parent, "trim", 10)
        assert (numbers(page), page.next, page.at_tip) == ([1, 2], None, True)
        found = [await read_all(source, child, "trim") for child in split.children]
        assert sorted(found) == [[], [3]]

    run(table, work)


def test_latest_is_the_moment_it_was_fixed(server: LocalServer) -> None:
    """What is in the stream then is left out, what comes is read: also in shards born later."""
    table = Table(server)
    table.control.roll(table.name)
    table.put(1)

    async def work(source: RemoteSource) -> None:
        now_ms = table.control.now_ms()
        await source.fix_latest(now_ms)
        closed, opened = await source.shards()
        assert await source.begin(closed.id, "LATEST", now_ms) is None
        position = await source.begin(opened.id, "LATEST", now_ms)
        table.put(2)
        assert await read_all(source, opened.id, position) == [2]
        table.control.roll(table.name)
        table.put(3)
        born = (await source.shards())[-1]
        assert await read_all(source, born.id, await source.begin(born.id, "LATEST", now_ms)) == [3]

    run(table, work)


def test_latest_means_the_same_after_a_restart(server: LocalServer) -> None:
    """No iterator is left, so what is older is left out by its time; in several pages too."""
    table = Table(server)
    table.put(1, 2, 3, 4, 5)
    table.control.advance(2000)
    now_ms = table.control.now_ms()
    table.put(6)

    async def work(source: RemoteSource) -> None:
        (shard,) = await source.shards()
        position = await source.begin(shard.id, "LATEST", now_ms)
        assert position == f"since:{now_ms // 1000}"
        page = await source.read(shard.id, position, 3)
        assert (numbers(page), page.at_tip) == ([], False)
        assert page.next is not None
        assert page.next.startswith(f"since:{now_ms // 1000}:after:")
        assert await read_all(source, shard.id, page.next) == [6]
        table.put(7)
        last = (await source.read(shard.id, page.next, 10)).next
        assert last is not None
        assert last.startswith("after:")

    run(table, work)


def test_an_iterator_that_expires_is_taken_anew(server: LocalServer) -> None:
    table = Table(server)
    table.put(1)

    async def work(source: RemoteSource) -> None:
        (shard,) = await source.shards()
        page = await source.read(shard.id, "trim", 10)
        table.put(2)
        table.control.expire_iterators(table.name)
        assert page.next is not None
        assert numbers(await source.read(shard.id, page.next, 10)) == [2]

    run(table, work)


def test_an_expired_iterator_of_latest_loses_nothing(server: LocalServer) -> None:
    table = Table(server)
    table.control.advance(2000)

    async def work(source: RemoteSource) -> None:
        now_ms = table.control.now_ms()
        await source.fix_latest(now_ms)
        table.put(1)
        table.control.expire_iterators(table.name)
        (shard,) = await source.shards()
        assert await read_all(source, shard.id, await source.begin(shard.id, "LATEST", now_ms)) == [
            1
        ]

    run(table, work)


def test_what_was_trimmed_is_told_and_reading_goes_on_at_the_horizon(server: LocalServer) -> None:
    table = Table(server)
    table.put(1)

    async def work(source: RemoteSource) -> None:
        (shard,) = await source.shards()
        position = (await source.read(shard.id, "trim", 10)).next
        assert position is not None
        table.put(2)
        table.control.trim(table.name)
        table.put(3)
        page = await source.read(shard.id, position, 10)
        assert (numbers(page), page.trimmed) == ([3], True)
        assert page.next is not None
        table.put(4)
        page = await source.read(shard.id, page.next, 10)
        assert (numbers(page), page.trimmed) == ([4], False)

    run(table, work)


def test_what_was_trimmed_is_told_to_who_comes_with_a_stored_position(server: LocalServer) -> None:
    table = Table(server)
    table.put(1, 2)
    (described,) = table.client.describe_stream(StreamArn=table.arn)["StreamDescription"]["Shards"]
    first = described["SequenceNumberRange"]["StartingSequenceNumber"]
    table.control.trim(table.name)
    table.put(3)

    async def work(source: RemoteSource) -> SourcePage:
        number = str(int(first) + 1)
        begun = await source.read(described["ShardId"], "trim", 10)
        assert (numbers(begun), begun.trimmed) == ([3], False)
        return await source.read(described["ShardId"], f"after:{number}", 10)

    page = run(table, work)
    assert (numbers(page), page.trimmed) == ([3], True)


def test_a_wait_at_a_server_of_ours_hears_of_a_change_at_once(server: LocalServer) -> None:
    """One call is held by the server, and its answer is what is read next: no other is made."""
    table = Table(server)

    async def work(source: RemoteSource) -> None:
        (shard,) = await source.shards()
        page = await source.read(shard.id, "trim", 10)
        assert page.at_tip
        assert page.next is not None
        waiting = asyncio.create_task(source.wait(shard.id, page.next, SECONDS_MAX))
        calls = count_calls(table.client, "GetRecords")
        while not calls:
            await asyncio.sleep(0.001)
        table.put(1)
        await waiting
        assert numbers(await source.read(shard.id, page.next, 10)) == [1]
        assert [call.get("X-Penstock-Wait-Ms") for call in calls] == [b"10000"]

    run(table, work)


def test_what_a_held_read_found_is_given_in_pages_as_they_are_asked_for(
    server: LocalServer,
) -> None:
    table = Table(server)

    async def work(source: RemoteSource) -> None:
        (shard,) = await source.shards()
        position = (await source.read(shard.id, "trim", 10)).next
        assert position is not None
        table.put(1, 2, 3)
        await source.wait(shard.id, position, SECONDS_MAX)
        page = await source.read(shard.id, position, 2)
        assert numbers(page) == [1, 2]
        assert await read_all(source, shard.id, page.next) == [3]

    run(table, work)


def test_a_wait_that_is_given_up_keeps_what_comes(server: LocalServer) -> None:
    table = Table(server)

    async def work(source: RemoteSource) -> None:
        (shard,) = await source.shards()
        position = (await source.read(shard.id, "trim", 10)).next
        assert position is not None
        waiting = asyncio.create_task(source.wait(shard.id, position, SECONDS_MAX))
        calls = count_calls(table.client, "GetRecords")
        while not calls:
            await asyncio.sleep(0.001)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        table.put(1)
        await source.wait(shard.id, position, SECONDS_MAX)
        assert numbers(await source.read(shard.id, position, 10)) == [1]
        assert len(calls) == 1

    run(table, work)


def test_a_wait_ends_by_its_time(server: LocalServer) -> None:
    table = Table(server)

    async def work(source: RemoteSource) -> None:
        (shard,) = await source.shards()
        position = (await source.read(shard.id, "trim", 10)).next
        assert position is not None
        await source.wait(shard.id, position, 0.05)
        assert (await source.read(shard.id, position, 10)).records == []

    run(table, work)


def count_calls(client: Any, operation: str) -> list[Mapping[str, Any]]:
    """Return a list that gets the headers of each call from now on."""
    calls: list[Mapping[str, Any]] = []

    def note(request: Any, **_: Any) -> None:
        calls.append(dict(request.headers))

    client.meta.events.register(f"before-send.dynamodb-streams.{operation}", note)
    return calls


def test_throttled_reads_are_unavailable_and_tried_again_later(server: LocalServer) -> None:
    table = Table(server)
    table.put(1)
    table.control.fault("throttle", table=table.name, calls=2)

    async def work(source: RemoteSource) -> None:
        (shard,) = await source.shards()
        for _ in range(2):
            with pytest.raises(SourceUnavailable, match=r"^LimitExceededException: "):
                await source.read(shard.id, "trim", 10)
        assert numbers(await source.read(shard.id, "trim", 10)) == [1]

    run(table, work)


def test_a_stream_that_is_not_there_is_gone(server: LocalServer) -> None:
    table = Table(server)
    table.source = RemoteSource(table.client, table.arn + "9", SystemClock())

    async def work(source: RemoteSource) -> None:
        with pytest.raises(SourceGone, match=r"^ResourceNotFoundException: "):
            await source.shards()
        with pytest.raises(SourceGone):
            await source.read("shardId-00000001790000000123-0a1b2c3d", "trim", 10)

    run(table, work)


def test_a_shard_that_is_not_there_is_at_its_end(server: LocalServer) -> None:
    """It left the list after its day: whatever was in it is gone, and the stream goes on."""
    table = Table(server)

    async def work(source: RemoteSource) -> SourcePage:
        return await source.read("shardId-00000001790000000123-0a1b2c3d", "after:1" + "0" * 20, 10)

    assert run(table, work) == SourcePage((), None, at_tip=True, trimmed=True)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "latest",
        "trimafter:1",
        "since:1:",
        "since:1after:2",
        "after:",
        "after:x",
        "since:1:after:",
        "since:",
    ],
)
def test_a_text_that_is_no_position_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no position of a shard"):
        Position.of(text)


@pytest.mark.parametrize("text", ["trim", "after:123", "since:9", "since:9:after:123"])
def test_a_position_is_the_same_text_again(text: str) -> None:
    assert str(Position.of(text)) == text


# --- an endpoint that is not ours


class _Events:
    def register(self, *_: Any) -> None:
        pass


class Elsewhere:
    """A client of a server that is not ours: two shards on two pages; it answers as it is told."""

    def __init__(self, *answers: Mapping[str, Any] | Exception) -> None:
        self.meta = self
        self.events = _Events()
        self.server = "Another"
        self.answers = list(answers)
        self.asked: list[Mapping[str, Any]] = []

    def describe_stream(self, **parameters: Any) -> dict[str, Any]:
        shard = {"ShardId": "s-2", "SequenceNumberRange": {"StartingSequenceNumber": "1"}}
        description: dict[str, Any] = {"Shards": [shard]}
        if "ExclusiveStartShardId" in parameters:
            assert parameters["ExclusiveStartShardId"] == "s-2"
            shard["ShardId"], shard["ParentShardId"] = "s-1", "s-0"
        else:
            description["LastEvaluatedShardId"] = "s-2"
        return {"StreamDescription": description}

    def get_shard_iterator(self, **parameters: Any) -> dict[str, Any]:
        self.asked.append(parameters)
        headers = {"HTTPHeaders": {"server": self.server}}
        return {"ShardIterator": f"it-{len(self.asked)}", "ResponseMetadata": headers}

    def get_records(self, **parameters: Any) -> Mapping[str, Any]:
        self.asked.append(parameters)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def elsewhere(client: Elsewhere) -> RemoteSource:
    return RemoteSource(client, "arn:of:a:stream", SystemClock())


def record(number: int, **more: Any) -> dict[str, Any]:
    created = datetime.fromtimestamp(1_700_000_000 + number, UTC)
    change = {"Keys": {}, "SequenceNumber": str(number), "ApproximateCreationDateTime": created}
    return {"eventName": "REMOVE", "dynamodb": change, **more}


def test_shards_come_from_all_pages_in_order() -> None:
    shards = asyncio.run(elsewhere(Elsewhere()).shards())
    assert [tuple(shard) for shard in shards] == [("s-1", "s-0", False), ("s-2", None, False)]


def test_an_empty_page_before_the_tip_moves_the_iterator_and_not_the_position() -> None:
    """AWS answers so where a shard has gaps."""
    client = Elsewhere(
        {"Records": [], "NextShardIterator": "later"},
        {"Records": [record(7)], "NextShardIterator": "last"},
    )

    async def work(source: RemoteSource) -> None:
        page = await source.read("s", "after:5", 100)
        assert (page.next, page.at_tip) == ("after:5", True)
        page = await source.read("s", "after:5", 100)
        assert (page.next, page.at_tip) == ("after:7", False)

    asyncio.run(work(elsewhere(client)))
    assert [asked.get("ShardIterator") for asked in client.asked] == [None, "it-1", "later"]


def test_no_more_is_asked_for_than_the_api_gives() -> None:
    client = Elsewhere({"Records": [], "NextShardIterator": "x"})
    asyncio.run(elsewhere(client).read("s", "trim", 10_000))
    assert client.asked[-1]["Limit"] == limits.get_records_max


def test_small_batches_take_no_more_calls_than_large_ones() -> None:
    """A server gives some calls a second: with two records in each nobody would keep up."""
    client = Elsewhere({"Records": [record(number) for number in range(5)]})

    async def work(source: RemoteSource) -> list[list[str]]:
        pages, position = [], "trim"
        while True:
            page = await source.read("s", position, 2)
            pages.append([each.sequence_number for each in page.records])
            if page.next is None:
                return pages
            position = page.next

    assert asyncio.run(work(elsewhere(client))) == [["0", "1"], ["2", "3"], ["4"]]
    assert sum("Limit" in asked for asked in client.asked) == 1


def test_who_deleted_an_expired_item_is_told_as_lambda_does() -> None:
    identity = {"PrincipalId": "dynamodb.amazonaws.com", "Type": "Service"}
    client = Elsewhere({"Records": [record(1, userIdentity=identity)]})
    page = asyncio.run(elsewhere(client).read("s", "trim", 10))
    assert json.loads(page.records[0].data)["userIdentity"] == {
        "type": "Service",
        "principalId": "dynamodb.amazonaws.com",
    }
    assert page.next is None


def test_a_server_that_is_not_ours_is_polled_four_times_a_second() -> None:
    client = Elsewhere({"Records": [], "NextShardIterator": "x"})
    clock = SystemClock()

    async def work(source: RemoteSource) -> float:
        await source.read("s", "trim", 10)
        read_ms = source._place("s").read_ms
        await source.wait("s", "trim", SECONDS_MAX)
        return clock.elapsed_ms() - read_ms

    assert asyncio.run(work(elsewhere(client))) >= limits.remote_poll_ms - 2
    assert sum("Limit" in asked for asked in client.asked) == 1, "no read is held"


def test_a_server_of_ours_that_holds_no_more_reads_is_polled_as_others_are() -> None:
    """It answers at once, and is not asked again at once."""
    empty = {"Records": [], "NextShardIterator": "x"}
    client, clock = Elsewhere(*[empty] * 3), SystemClock()
    client.server = "Penstock"

    async def work(source: RemoteSource) -> float:
        await source.read("s", "trim", 10)
        began_ms = clock.elapsed_ms()
        for _ in range(2):
            await source.wait("s", "trim", SECONDS_MAX)
            assert (await source.read("s", "trim", 10)).at_tip
        return clock.elapsed_ms() - began_ms

    assert asyncio.run(work(elsewhere(client))) >= 2 * limits.remote_poll_ms - 5
    assert client.answers == []


@pytest.mark.parametrize(
    ("failure", "told"),
    [
        (
            ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "GetRecords"),
            "AccessDenied: no",
        ),
        (EndpointConnectionError(endpoint_url="http://h"), "Could not connect"),
    ],
)
def test_what_cannot_be_read_now_is_unavailable(failure: Exception, told: str) -> None:
    with pytest.raises(SourceUnavailable, match=told):
        asyncio.run(elsewhere(Elsewhere(failure)).read("s", "trim", 10))
