"""Clients of a server under test, and how its items and streams are read through them."""

from collections.abc import Iterator
from typing import Any

import boto3
from botocore.config import Config

from wire.nodes import take_turns

REGION = "us-east-1"
_CONFIG = Config(retries={"total_max_attempts": 1}, parameter_validation=False)

Record = dict[str, Any]


def connect(
    endpoint: str, service: str, region: str = REGION, application: str | None = None
) -> Any:
    """Return a boto3 client that neither retries nor checks parameters.

    `application` is the id under which it names itself to the server. Where the endpoint is several
    nodes, each request goes to the next one.
    """
    named: dict[str, Any] = {"user_agent_appid": application}  # which the stubs do not know
    make_any: Any = boto3.client  # any service, not one that the stubs name
    client = make_any(
        service,
        endpoint_url=endpoint,
        region_name=region,
        aws_access_key_id="AKIDEXAMPLE",
        aws_secret_access_key="secret",
        config=_CONFIG.merge(Config(**named)),
    )
    take_turns(client, endpoint)
    return client


def stored(ddb: Any, table: str, key: dict[str, Any]) -> Any:
    """Return the item of a key, None where there is none."""
    return ddb.get_item(TableName=table, Key=key, ConsistentRead=True).get("Item")


def stream_of(ddb: Any, table: str) -> str:
    """Return the ARN of a table's latest stream."""
    arn: str = ddb.describe_table(TableName=table)["Table"]["LatestStreamArn"]
    return arn


def shards_of(streams: Any, arn: str) -> list[dict[str, Any]]:
    """Return the shards of a stream."""
    shards: list[dict[str, Any]] = streams.describe_stream(StreamArn=arn)["StreamDescription"][
        "Shards"
    ]
    return shards


def iterator_of(streams: Any, arn: str, shard: str, kind: str, number: str | None = None) -> str:
    """Return a new iterator."""
    by_number = {} if number is None else {"SequenceNumber": number}
    answer = streams.get_shard_iterator(
        StreamArn=arn, ShardId=shard, ShardIteratorType=kind, **by_number
    )
    iterator: str = answer["ShardIterator"]
    return iterator


def pages_from(
    streams: Any, iterator: str | None, limit: int | None = None
) -> Iterator[dict[str, Any]]:
    """Yield the pages from an iterator on, up to the shard's end or the first empty page."""
    while iterator is not None:
        page = streams.get_records(
            ShardIterator=iterator, **({} if limit is None else {"Limit": limit})
        )
        yield page
        iterator = page.get("NextShardIterator") if page["Records"] else None


def records_from(streams: Any, iterator: str, limit: int | None = None) -> list[Record]:
    """Return all records from an iterator on."""
    return [record for page in pages_from(streams, iterator, limit) for record in page["Records"]]


def records_by_shard(streams: Any, arn: str) -> dict[str, list[Record]]:
    """Return what each shard of a stream holds, by the shard's id."""
    return {
        shard["ShardId"]: records_from(
            streams, iterator_of(streams, arn, shard["ShardId"], "TRIM_HORIZON")
        )
        for shard in shards_of(streams, arn)
    }


def all_records(streams: Any, arn: str) -> list[Record]:
    """Return all records of a stream, shard by shard."""
    return [record for records in records_by_shard(streams, arn).values() for record in records]


def number_of(record: Record) -> int:
    """Return a record's sequence number."""
    return int(record["dynamodb"]["SequenceNumber"])
