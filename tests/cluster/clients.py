"""Clients of the tables on the machines: what they write, and what is there afterwards."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from penstock.testing.checkers import Write

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodbstreams import DynamoDBStreamsClient

KEY, MARK = "pk", "v"
WRITERS = 4
SERVER_ERRORS_FROM = 500


class Client:
    """The two services at one address."""

    def __init__(self, url: str, authority: str | None, *, attempts: int = 4) -> None:
        common: dict[str, Any] = {
            "endpoint_url": url,
            "verify": authority,
            "region_name": "us-east-1",
            "aws_access_key_id": "cluster",
            "aws_secret_access_key": "cluster",
            "config": Config(
                retries={"total_max_attempts": attempts, "mode": "standard"},
                connect_timeout=5,
                read_timeout=30,
                max_pool_connections=WRITERS * 2,
            ),
        }
        self.tables: DynamoDBClient = boto3.client("dynamodb", **common)
        self.streams: DynamoDBStreamsClient = boto3.client("dynamodbstreams", **common)

    def create_table(self, name: str) -> None:
        """Make a table with a stream."""
        self.tables.create_table(
            TableName=name,
            KeySchema=[{"AttributeName": KEY, "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": KEY, "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
            StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
        )

    def put(self, table: str, key: str) -> None:
        """Put an item whose mark is its key."""
        self.tables.put_item(TableName=table, Item={KEY: {"S": key}, MARK: {"S": key}})

    def has(self, table: str, key: str) -> bool:
        """Say whether an item is there."""
        return "Item" in self.tables.get_item(TableName=table, Key={KEY: {"S": key}})

    def items(self, table: str) -> list[dict[str, Any]]:
        """Return the items of a table."""
        pages = self.tables.get_paginator("scan").paginate(TableName=table, ConsistentRead=True)
        return [item for page in pages for item in page["Items"]]

    def arn(self, table: str) -> str:
        """Return the ARN of a table's stream."""
        return self.tables.describe_table(TableName=table)["Table"]["LatestStreamArn"]

    def iterators(self, table: str, kind: Any = "TRIM_HORIZON") -> list[str]:
        """Return an iterator for each shard of a table's stream."""
        arn = self.arn(table)
        shards = self.streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]
        return [
            self.streams.get_shard_iterator(
                StreamArn=arn, ShardId=shard["ShardId"], ShardIteratorType=kind
            )["ShardIterator"]
            for shard in shards
        ]

    def read(self, iterators: list[str]) -> list[dict[str, Any]]:
        """Return the records from these iterators on, up to where there is none."""
        return [record for iterator in iterators for record in self._from(iterator)]

    def _from(self, iterator: str | None) -> Iterator[dict[str, Any]]:
        while iterator is not None:
            page = self.streams.get_records(ShardIterator=iterator)
            yield from page["Records"]  # type: ignore[misc]  # a TypedDict is a dict
            iterator = page.get("NextShardIterator") if page["Records"] else None


class Load:
    """Writers that put one new item after the other, and note what they were told.

    An answer that asks to try again, or none, is a `failure`: the writer then puts the same item
    again. Anything else ends it, and stands in `wrong`.
    """

    def __init__(self, client: Client, table: str) -> None:
        self.writes: list[Write] = []
        self.failures: list[str] = []
        self.wrong: list[str] = []
        self._client = client
        self._table = table
        self._stop = threading.Event()

    @property
    def count(self) -> int:
        """How many writes were acknowledged."""
        return len(self.writes)

    def _run(self, number: int) -> None:
        at = 0
        while not self._stop.is_set():
            key, began = f"writer-{number}-{at}", time.monotonic()
            while not self._put(key):
                if self._stop.is_set():
                    break
            else:
                image = {KEY: {"S": key}}
                self.writes.append(Write(image, key, began, time.monotonic()))
            at += 1

    def _put(self, key: str) -> bool:
        try:
            self._client.put(self._table, key)
        except ClientError as error:
            status = error.response["ResponseMetadata"]["HTTPStatusCode"]
            if status < SERVER_ERRORS_FROM:
                self.wrong.append(str(error))
                self._stop.set()
            self.failures.append(str(error))
        except BotoCoreError as error:
            self.failures.append(str(error))
        else:
            return True
        return False

    @contextmanager
    def running(self) -> Iterator["Load"]:
        """Write while the context lasts."""
        threads = [
            threading.Thread(target=self._run, args=(number,), daemon=True)
            for number in range(WRITERS)
        ]
        for thread in threads:
            thread.start()
        try:
            yield self
        finally:
            self._stop.set()
            for thread in threads:
                thread.join()
