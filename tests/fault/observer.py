"""What the fault tests ask a server: a table with a stream, all its items, all its records."""

from collections.abc import Iterator
from typing import Any

from fault.raw_client import RawClient

KEY, MARK = "pk", "v"


def create_table(client: RawClient, name: str, *, streamed: bool = True) -> None:
    """Create a table with the key `pk`, and a stream of both images unless told otherwise."""
    stream = {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}
    client.call(
        "CreateTable",
        TableName=name,
        KeySchema=[{"AttributeName": KEY, "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": KEY, "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
        **({"StreamSpecification": stream} if streamed else {}),
    )


def stream_arn(client: RawClient, table: str) -> str:
    """Return the ARN of a table's stream."""
    arn: str = client.call("DescribeTable", TableName=table)["Table"]["LatestStreamArn"]
    return arn


def all_shards(client: RawClient, arn: str) -> list[dict[str, Any]]:
    """Return the shards of a stream as DescribeStream tells them, of all pages."""
    shards: list[dict[str, Any]] = []
    start: dict[str, Any] = {}
    while True:
        page = client.call("DescribeStream", StreamArn=arn, **start)["StreamDescription"]
        shards += page["Shards"]
        if "LastEvaluatedShardId" not in page:
            return shards
        start = {"ExclusiveStartShardId": page["LastEvaluatedShardId"]}


def shard_ids(client: RawClient, arn: str) -> list[str]:
    """Return the ids of a stream's shards."""
    return [shard["ShardId"] for shard in all_shards(client, arn)]


def first_iterator(client: RawClient, arn: str, shard_id: str) -> str:
    """Return an iterator at the oldest record of a shard."""
    answer = client.call(
        "GetShardIterator", StreamArn=arn, ShardId=shard_id, ShardIteratorType="TRIM_HORIZON"
    )
    iterator: str = answer["ShardIterator"]
    return iterator


def all_records(client: RawClient, table: str) -> dict[str, list[dict[str, Any]]]:
    """Return the records of a table's stream that there are now, by shard."""
    arn = stream_arn(client, table)
    return {shard: list(_records(client, arn, shard)) for shard in shard_ids(client, arn)}


def _records(client: RawClient, arn: str, shard_id: str) -> Iterator[dict[str, Any]]:
    iterator: str | None = first_iterator(client, arn, shard_id)
    while iterator is not None:
        page = client.call("GetRecords", ShardIterator=iterator)
        yield from page["Records"]
        iterator = page.get("NextShardIterator") if page["Records"] else None


def all_items(client: RawClient, table: str) -> list[dict[str, Any]]:
    """Return the items of a table."""
    items: list[dict[str, Any]] = []
    start: dict[str, Any] = {}
    while True:
        page = client.call("Scan", TableName=table, ConsistentRead=True, **start)
        items += page["Items"]
        if "LastEvaluatedKey" not in page:
            return items
        start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}
