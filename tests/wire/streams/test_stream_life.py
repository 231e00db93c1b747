"""The life of a stream: its states, its end, its successors, and the shards that follow shards.

The servers are of this process, with a clock that the test moves, so these tests do not run against
another URL.
"""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pytest

from penstock.testing.clock import FakeClock
from penstock.testing.server import RunningServer
from wire.clients import (
    connect,
    iterator_of,
    number_of,
    pages_from,
    records_by_shard,
    records_from,
    shards_of,
)

DELAY_MS = 1000
HOUR_MS = 3600_000
DAY_MS = 24 * HOUR_MS
ON = {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}
OFF = {"StreamEnabled": False}
IN_USE = "Attempt to change a resource which is still in use: "

Refused = Callable[..., str]


class World(NamedTuple):
    """A server of this process, its clock, and clients."""

    server: RunningServer
    clock: FakeClock
    ddb: Any
    streams: Any

    def pass_ms(self, ms: int) -> None:
        """Let time pass, and what is due happen: twice, as one job may leave work to another."""
        self.clock.advance(ms)
        self.server.catch_up()
        self.server.catch_up()

    def create(self, name: str, stream: dict[str, Any] | None = ON) -> dict[str, Any]:
        """Make a table, and return its description as CreateTable gave it."""
        more = {} if stream is None else {"StreamSpecification": stream}
        created: dict[str, Any] = self.ddb.create_table(
            TableName=name,
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
            **more,
        )["TableDescription"]
        return created

    def switch(self, name: str, stream: dict[str, Any]) -> dict[str, Any]:
        """Switch the stream on or off, and return the table's description."""
        updated: dict[str, Any] = self.ddb.update_table(TableName=name, StreamSpecification=stream)[
            "TableDescription"
        ]
        return updated

    def put(self, name: str, *values: str) -> None:
        """Give one item one value after the other."""
        for value in values:
            self.ddb.put_item(TableName=name, Item={"pk": {"S": "a"}, "v": {"S": value}})

    def status(self, arn: str) -> str:
        """Return the state of a stream."""
        described = self.streams.describe_stream(StreamArn=arn)["StreamDescription"]
        status: str = described["StreamStatus"]
        return status

    def values(self, arn: str) -> list[str]:
        """Return the values of all records of a stream, parents before children."""
        by_shard = records_by_shard(self.streams, arn)
        return [
            record["dynamodb"]["NewImage"]["v"]["S"]
            for shard in shards_of(self.streams, arn)
            for record in by_shard[shard["ShardId"]]
        ]

    def listed(self, name: str) -> list[str]:
        """Return the ARNs of the streams that are listed for a table."""
        listed = self.streams.list_streams(TableName=name)["Streams"]
        return [stream["StreamArn"] for stream in listed]


def _world(**settings: Any) -> Iterator[World]:
    clock = FakeClock()
    with RunningServer(clock=clock, shards=2, **settings) as server:
        ddb, streams = (connect(server.url, name) for name in ("dynamodb", "dynamodbstreams"))
        yield World(server, clock, ddb, streams)


@pytest.fixture
def slow() -> Iterator[World]:
    """A server whose tables and streams take a second for every change."""
    yield from _world(table_delay_ms=DELAY_MS)


@pytest.fixture
def quick() -> Iterator[World]:
    """A server where all changes hold at once."""
    yield from _world()


# --- states


def test_a_stream_is_enabling_while_its_table_is_created(slow: World, table_name: str) -> None:
    arn = slow.create(table_name)["LatestStreamArn"]
    assert slow.status(arn) == "ENABLING"
    assert len(shards_of(slow.streams, arn)) == 2, "its shards are there from the beginning"
    slow.clock.advance(DELAY_MS - 1)
    assert slow.status(arn) == "ENABLING"
    slow.clock.advance(1)
    assert slow.status(arn) == "ENABLED"


def test_switching_on_and_off_and_on(slow: World, table_name: str) -> None:
    """Each state lasts as long as the table's own; changes are taken from the answer on."""
    slow.create(table_name, stream=None)
    slow.clock.advance(DELAY_MS)
    first = slow.switch(table_name, ON)
    arn = first["LatestStreamArn"]
    assert (first["TableStatus"], slow.status(arn)) == ("UPDATING", "ENABLING")
    slow.put(table_name, "1")
    slow.clock.advance(DELAY_MS)
    assert slow.status(arn) == "ENABLED"
    off = slow.switch(table_name, OFF)
    assert (off["LatestStreamArn"], slow.status(arn)) == (arn, "DISABLING")
    assert all(
        "EndingSequenceNumber" in s["SequenceNumberRange"] for s in shards_of(slow.streams, arn)
    )
    slow.put(table_name, "not in any stream")
    slow.clock.advance(DELAY_MS - 1)
    assert slow.status(arn) == "DISABLING"
    slow.clock.advance(1)
    assert slow.status(arn) == "DISABLED"
    shown = slow.ddb.describe_table(TableName=table_name)["Table"]
    assert "StreamSpecification" not in shown
    assert shown["LatestStreamArn"] == arn
    again = slow.switch(table_name, ON)["LatestStreamArn"]
    assert again != arn
    slow.put(table_name, "2")
    assert (slow.values(arn), slow.values(again)) == (["1"], ["2"])
    assert slow.ddb.describe_table(TableName=table_name)["Table"]["LatestStreamArn"] == again
    assert slow.listed(table_name) == [arn, again]


@pytest.mark.parametrize("change", ["enabled", "disabled"])
def test_a_table_whose_stream_is_changing_takes_what_aws_lets_it(
    slow: World, table_name: str, refused: Refused, change: str
) -> None:
    slow.create(table_name, ON if change == "disabled" else None)
    slow.clock.advance(DELAY_MS)
    table_arn = slow.switch(table_name, OFF if change == "disabled" else ON)["TableArn"]
    assert refused("ResourceInUseException", slow.ddb.delete_table, TableName=table_name) == (
        IN_USE + "Cannot delete table while stream is being enabled/disabled."
    )
    for request in (
        {"TableClass": "STANDARD_INFREQUENT_ACCESS"},
        {"OnDemandThroughput": {"MaxReadRequestUnits": 5, "MaxWriteRequestUnits": 5}},
        {"StreamSpecification": ON if change == "disabled" else OFF},
    ):
        refused("ResourceInUseException", slow.ddb.update_table, TableName=table_name, **request)
    slow.ddb.update_table(TableName=table_name, DeletionProtectionEnabled=True)
    slow.ddb.tag_resource(ResourceArn=table_arn, Tags=[{"Key": "a", "Value": "b"}])
    slow.ddb.update_time_to_live(
        TableName=table_name, TimeToLiveSpecification={"Enabled": True, "AttributeName": "ends"}
    )
    slow.put(table_name, "1")


def test_without_a_delay_a_stream_is_enabled_or_disabled(quick: World, table_name: str) -> None:
    arn = quick.create(table_name)["LatestStreamArn"]
    assert quick.status(arn) == "ENABLED"
    quick.switch(table_name, OFF)
    assert quick.status(arn) == "DISABLED"


# --- the end, and what comes after it


def test_the_stream_of_a_deleted_table(slow: World, table_name: str) -> None:
    """DISABLING at once, DISABLED later; readable and listed, also under the table's new self."""
    first = slow.create(table_name)["LatestStreamArn"]
    slow.clock.advance(DELAY_MS)
    slow.put(table_name, "1", "2")
    slow.ddb.delete_table(TableName=table_name)
    assert slow.status(first) == "DISABLING"
    slow.clock.advance(DELAY_MS)
    assert slow.status(first) == "DISABLED"
    second = slow.create(table_name)["LatestStreamArn"]
    slow.clock.advance(DELAY_MS)
    slow.put(table_name, "3")
    assert slow.listed(table_name) == [first, second]
    assert (slow.values(first), slow.values(second)) == (["1", "2"], ["3"])


def test_a_disabled_stream_is_readable_for_its_24_hours_to_the_millisecond(
    quick: World, table_name: str, refused: Refused
) -> None:
    arn = quick.create(table_name)["LatestStreamArn"]
    quick.put(table_name, "1")
    quick.switch(table_name, OFF)
    quick.pass_ms(DAY_MS)
    assert quick.values(arn) == ["1"]
    quick.pass_ms(1)
    text = refused("ResourceNotFoundException", quick.streams.describe_stream, StreamArn=arn)
    assert text == f"Requested resource not found: Stream: {arn} not found"
    assert quick.listed(table_name) == []
    assert quick.ddb.describe_table(TableName=table_name)["Table"]["LatestStreamArn"] == arn


# --- shards that follow shards


def test_shards_roll_every_four_hours(quick: World, table_name: str) -> None:
    arn = quick.create(table_name)["LatestStreamArn"]
    quick.put(table_name, "0")
    parents = {shard["ShardId"]: shard for shard in shards_of(quick.streams, arn)}
    quick.pass_ms(4 * HOUR_MS - 1)
    assert len(shards_of(quick.streams, arn)) == 2
    quick.pass_ms(1)
    quick.put(table_name, "1")
    shards = shards_of(quick.streams, arn)
    assert [shard["ShardId"] for shard in shards] == sorted(shard["ShardId"] for shard in shards)
    children = shards[2:]
    assert {shard["ParentShardId"] for shard in children} == parents.keys()
    for child in children:
        (parent,) = [s for s in shards if s["ShardId"] == child["ParentShardId"]]
        end = int(parent["SequenceNumberRange"]["EndingSequenceNumber"])
        assert end < int(child["SequenceNumberRange"]["StartingSequenceNumber"])
        assert "EndingSequenceNumber" not in child["SequenceNumberRange"]
    assert quick.values(arn) == ["0", "1"]


def test_expired_parents_go_and_their_children_name_them_still(
    quick: World, table_name: str, refused: Refused
) -> None:
    arn = quick.create(table_name)["LatestStreamArn"]
    quick.pass_ms(4 * HOUR_MS)
    old = shards_of(quick.streams, arn)
    quick.clock.advance(DAY_MS + 1)
    shards = shards_of(quick.streams, arn)
    assert [shard["ShardId"] for shard in shards] == [shard["ShardId"] for shard in old[2:]]
    assert {s["ParentShardId"] for s in shards} == {s["ShardId"] for s in old[:2]}
    for shard in old[:2]:
        text = refused(
            "ResourceNotFoundException",
            quick.streams.get_shard_iterator,
            StreamArn=arn,
            ShardId=shard["ShardId"],
            ShardIteratorType="TRIM_HORIZON",
        )
        assert text == "Requested resource not found: Shard does not exist"


def test_children_are_there_when_their_parent_ends(quick: World, table_name: str) -> None:
    """Whoever is told of a shard's end by a missing iterator finds its children at once."""
    arn = quick.create(table_name)["LatestStreamArn"]
    quick.put(table_name, "0", "1")
    iterators = {
        shard["ShardId"]: iterator_of(quick.streams, arn, shard["ShardId"], "TRIM_HORIZON")
        for shard in shards_of(quick.streams, arn)
    }
    quick.pass_ms(4 * HOUR_MS)
    quick.clock.set(quick.clock.now_ms() - 4 * HOUR_MS)  # the iterators live on
    for shard_id, iterator in iterators.items():
        pages = list(pages_from(quick.streams, iterator, 1))
        assert all("NextShardIterator" in page for page in pages[:-1])
        assert "NextShardIterator" not in pages[-1]
        children = quick.streams.describe_stream(
            StreamArn=arn, ShardFilter={"Type": "CHILD_SHARDS", "ShardId": shard_id}
        )["StreamDescription"]["Shards"]
        assert [child["ParentShardId"] for child in children] == [shard_id]
        grandchildren = quick.streams.describe_stream(
            StreamArn=arn, ShardFilter={"Type": "CHILD_SHARDS", "ShardId": children[0]["ShardId"]}
        )["StreamDescription"]["Shards"]
        assert grandchildren == []


def test_a_lineage_is_described_in_pages(quick: World, table_name: str) -> None:
    arn = quick.create(table_name)["LatestStreamArn"]
    for _ in range(4):
        quick.pass_ms(4 * HOUR_MS)
    whole = shards_of(quick.streams, arn)
    assert len(whole) == 10
    for limit in range(1, 11):
        paged: list[dict[str, Any]] = []
        after: dict[str, str] = {}
        while True:
            page = quick.streams.describe_stream(StreamArn=arn, Limit=limit, **after)[
                "StreamDescription"
            ]
            paged += page["Shards"]
            if "LastEvaluatedShardId" not in page:
                break
            assert page["LastEvaluatedShardId"] == page["Shards"][-1]["ShardId"]
            after = {"ExclusiveStartShardId": page["LastEvaluatedShardId"]}
        assert paged == whole


def test_shards_that_expire_between_two_pages_end_no_list(quick: World, table_name: str) -> None:
    """The shard that the second page begins after is in the list no more."""
    arn = quick.create(table_name)["LatestStreamArn"]
    quick.pass_ms(4 * HOUR_MS)
    whole = [shard["ShardId"] for shard in shards_of(quick.streams, arn)]
    quick.pass_ms(DAY_MS)
    page = quick.streams.describe_stream(StreamArn=arn, Limit=1)["StreamDescription"]
    assert page["LastEvaluatedShardId"] == whole[0]
    quick.pass_ms(1)
    rest = quick.streams.describe_stream(
        StreamArn=arn, ExclusiveStartShardId=page["LastEvaluatedShardId"]
    )["StreamDescription"]["Shards"]
    assert [shard["ShardId"] for shard in rest][:2] == whole[2:]


def test_an_items_numbers_rise_over_the_generations(quick: World, table_name: str) -> None:
    arn = quick.create(table_name)["LatestStreamArn"]
    for value in range(5):
        quick.put(table_name, str(value))
        quick.pass_ms(4 * HOUR_MS)
    assert quick.values(arn) == [str(value) for value in range(5)]
    numbers = [
        number_of(record)
        for records in records_by_shard(quick.streams, arn).values()
        for record in records
    ]
    assert numbers == sorted(set(numbers))


def test_resuming_after_a_number_of_a_closed_parent(quick: World, table_name: str) -> None:
    arn = quick.create(table_name)["LatestStreamArn"]
    quick.put(table_name, "0", "1")
    by_shard = records_by_shard(quick.streams, arn)
    (shard_id, (first, last)) = next(each for each in by_shard.items() if each[1])
    quick.pass_ms(4 * HOUR_MS)
    for record, left in ((first, [last]), (last, [])):
        number = record["dynamodb"]["SequenceNumber"]
        iterator = iterator_of(quick.streams, arn, shard_id, "AFTER_SEQUENCE_NUMBER", number)
        assert records_from(quick.streams, iterator) == left


# --- retention


def test_24_hours_and_a_second_trim_everything(
    quick: World, table_name: str, refused: Refused
) -> None:
    arn = quick.create(table_name)["LatestStreamArn"]
    quick.put(table_name, "0", "1")
    by_shard = records_by_shard(quick.streams, arn)
    (shard_id, (first, _)) = next(each for each in by_shard.items() if each[1])
    quick.pass_ms(DAY_MS + 1000)
    assert quick.values(arn) == []
    assert shard_id not in {shard["ShardId"] for shard in shards_of(quick.streams, arn)}
    quick.put(table_name, "2")
    assert quick.values(arn) == ["2"]
    refused(
        "ResourceNotFoundException",
        quick.streams.get_shard_iterator,
        StreamArn=arn,
        ShardId=shard_id,
        ShardIteratorType="AFTER_SEQUENCE_NUMBER",
        SequenceNumber=first["dynamodb"]["SequenceNumber"],
    )


# --- local indexes that include attributes


def local_index(projection: dict[str, Any]) -> dict[str, Any]:
    """Return what CreateTable needs for a table with a local index of that projection."""
    keys = [{"AttributeName": "pk", "KeyType": "HASH"}]
    return {
        "KeySchema": [*keys, {"AttributeName": "sk", "KeyType": "RANGE"}],
        "AttributeDefinitions": [
            {"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk", "by")
        ],
        "BillingMode": "PAY_PER_REQUEST",
        "LocalSecondaryIndexes": [
            {
                "IndexName": "idx",
                "KeySchema": [*keys, {"AttributeName": "by", "KeyType": "RANGE"}],
                "Projection": projection,
            }
        ],
    }


INCLUDED = local_index({"ProjectionType": "INCLUDE", "NonKeyAttributes": ["a"]})
RULE = (
    "One or more parameter values were invalid: A table whose local secondary index projects"
    " non-key attributes (INCLUDE) can have no stream: IndexName: idx (a server started with"
    " --lsi-stream-rule aws allows it, as AWS does)"
)


def test_no_stream_beside_a_local_index_that_includes_attributes(
    quick: World, table_name: str, refused: Refused
) -> None:
    request = {"TableName": table_name, **INCLUDED}
    told = refused("ValidationException", quick.ddb.create_table, **request, StreamSpecification=ON)
    assert told == RULE
    quick.ddb.create_table(**request)
    told = refused(
        "ValidationException",
        quick.ddb.update_table,
        TableName=table_name,
        StreamSpecification=ON,
    )
    assert told == RULE
    assert "LatestStreamArn" not in quick.ddb.describe_table(TableName=table_name)["Table"]


@pytest.mark.parametrize("projection", ["ALL", "KEYS_ONLY"])
def test_other_projections_of_local_indexes_have_streams(
    quick: World, table_name: str, projection: str
) -> None:
    request = {"TableName": table_name, **local_index({"ProjectionType": projection})}
    quick.ddb.create_table(**request, StreamSpecification=ON)
    quick.switch(table_name, OFF)
    assert "StreamSpecification" in quick.switch(table_name, ON)


def test_the_rule_of_aws_allows_every_projection(table_name: str) -> None:
    for world in _world(lsi_stream_rule="aws"):
        world.ddb.create_table(TableName=table_name, **INCLUDED, StreamSpecification=ON)
        world.switch(table_name, OFF)
        assert "StreamSpecification" in world.switch(table_name, ON)
