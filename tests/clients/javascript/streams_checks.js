// @aws-sdk/client-dynamodb-streams: a table's stream from its description to its records.

import assert from "node:assert/strict";
import {
  DescribeTableCommand,
  DeleteItemCommand,
  PutItemCommand,
  UpdateItemCommand,
} from "@aws-sdk/client-dynamodb";
import {
  DescribeStreamCommand,
  DynamoDBStreamsClient,
  GetRecordsCommand,
  GetShardIteratorCommand,
  ListStreamsCommand,
} from "@aws-sdk/client-dynamodb-streams";
import { check, client, failure, settings, withTable } from "./checks.js";

const streams = new DynamoDBStreamsClient(settings);
const STREAMED = {
  StreamSpecification: { StreamEnabled: true, StreamViewType: "NEW_AND_OLD_IMAGES" },
};

async function recordsOf(StreamArn) {
  const { StreamDescription } = await streams.send(new DescribeStreamCommand({ StreamArn }));
  const records = [];
  for (const { ShardId } of StreamDescription.Shards) {
    let { ShardIterator } = await streams.send(
      new GetShardIteratorCommand({ StreamArn, ShardId, ShardIteratorType: "TRIM_HORIZON" }),
    );
    for (let count = 1; count > 0; ) {
      const page = await streams.send(new GetRecordsCommand({ ShardIterator }));
      count = page.Records.length;
      records.push(...page.Records);
      ShardIterator = page.NextShardIterator;
    }
  }
  return records;
}

check("streams: the changes of an item are read in order, with both images", () =>
  withTable(async (TableName) => {
    const Key = { pk: { S: "a" }, sk: { S: "1" } };
    const bytes = Uint8Array.from([0, 255]);
    await client.send(new PutItemCommand({ TableName, Item: { ...Key, b: { B: bytes } } }));
    await client.send(
      new UpdateItemCommand({
        TableName,
        Key,
        UpdateExpression: "SET n = :n",
        ExpressionAttributeValues: { ":n": { N: "1" } },
      }),
    );
    await client.send(new DeleteItemCommand({ TableName, Key }));
    const { Table } = await client.send(new DescribeTableCommand({ TableName }));
    const records = await recordsOf(Table.LatestStreamArn);
    assert.deepEqual(records.map(({ eventName }) => eventName), ["INSERT", "MODIFY", "REMOVE"]);
    const [inserted, modified, removed] = records.map(({ dynamodb }) => dynamodb);
    assert.deepEqual(inserted.Keys, Key);
    assert.deepEqual(inserted.NewImage, { ...Key, b: { B: bytes } });
    assert.equal(inserted.OldImage, undefined);
    assert.deepEqual(modified.OldImage, inserted.NewImage);
    assert.deepEqual(removed.OldImage, modified.NewImage);
    assert.ok(inserted.ApproximateCreationDateTime instanceof Date);
    assert.equal(new Set(records.map(({ eventID }) => eventID)).size, 3);
    assert.ok(records.every(({ awsRegion }) => awsRegion === "us-east-1"));
  }, STREAMED),
);

check("streams: the streams of a table are listed, and an unknown one is not found", () =>
  withTable(async (TableName) => {
    const { Streams } = await streams.send(new ListStreamsCommand({ TableName }));
    assert.equal(Streams.length, 1);
    assert.equal(Streams[0].TableName, TableName);
    const { StreamDescription } = await streams.send(
      new DescribeStreamCommand({ StreamArn: Streams[0].StreamArn, Limit: 1 }),
    );
    assert.equal(StreamDescription.StreamViewType, "NEW_AND_OLD_IMAGES");
    assert.equal(StreamDescription.Shards.length, 1);
    const StreamArn = Streams[0].StreamArn.replace(/[^/]+$/, "2020-01-01T00:00:00.000");
    const error = await failure(() => streams.send(new DescribeStreamCommand({ StreamArn })));
    assert.equal(error.name, "ResourceNotFoundException");
  }, STREAMED),
);
