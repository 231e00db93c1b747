"""Consumers of the tests of faults and progress: boto3 clients that read one shard page by page."""

import uuid
from typing import Any

from wire.clients import connect, iterator_of, stream_of
from wire.control.conftest import Controlled

Record = dict[str, Any]


class Consumer:
    """Reads one shard, of a table that has only one unless another is named, from its start."""

    def __init__(self, server: Controlled, table: str, shard_id: str | None = None) -> None:
        self.name = f"consumer-{uuid.uuid4().hex[:8]}"
        self.shard_id = shard_id or server.shards(table)[0]["ShardId"]
        self._streams = connect(server.url, "dynamodbstreams", application=self.name)
        self._arn = stream_of(server.ddb, table)
        self.iterator: str | None = None
        self.begin()

    def begin(self, kind: str = "TRIM_HORIZON") -> None:
        """Take a new iterator."""
        self.iterator = iterator_of(self._streams, self._arn, self.shard_id, kind)

    def read(self, limit: int = 1000) -> list[str]:
        """Read a page, and return the keys of its records; goes on from there the next time."""
        page = self._streams.get_records(ShardIterator=self.iterator, Limit=limit)
        self.iterator = page.get("NextShardIterator")
        return [record["dynamodb"]["Keys"]["pk"]["S"] for record in page["Records"]]

    def fails(self) -> str:
        """Read a page, which must fail, and return the error's code."""
        try:
            self._streams.get_records(ShardIterator=self.iterator)
        except self._streams.exceptions.ClientError as error:
            return str(error.response["Error"]["Code"])
        raise AssertionError("a page was read")


def closed_shard(server: Controlled, table: str, *names: str) -> str:
    """Put items of these names, close the shard that has the first of them; return its id."""
    server.put(table, *names)
    for shard_id, iterator in server.iterators(table).items():
        if server.streams.get_records(ShardIterator=iterator)["Records"]:
            server.call("RollShards", TableName=table, ShardId=shard_id)
            return shard_id
    raise AssertionError("no shard has a record")
