// @aws-sdk/client-dynamodb: attribute values as they are on the wire, errors, pages and waiters.

import assert from "node:assert/strict";
import {
  BatchGetItemCommand,
  BatchWriteItemCommand,
  ConditionalCheckFailedException,
  CreateTableCommand,
  DeleteItemCommand,
  DeleteTableCommand,
  DescribeTableCommand,
  DynamoDB,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  ResourceInUseException,
  ResourceNotFoundException,
  ScanCommand,
  UpdateItemCommand,
  paginateListTables,
  paginateQuery,
  paginateScan,
  waitUntilTableNotExists,
} from "@aws-sdk/client-dynamodb";
import { check, client, failure, settings, withTable } from "./checks.js";

const ITEM = {
  pk: { S: "a" },
  sk: { S: "1" },
  text: { S: "é水" },
  empty: { S: "" },
  number: { N: "-12.5" },
  digits: { N: "1.2345678901234567890123456789012345678" },
  binary: { B: Uint8Array.from([0, 255]) },
  yes: { BOOL: true },
  nothing: { NULL: true },
  texts: { SS: ["x", "y"] },
  numbers: { NS: ["1", "2.5"] },
  binaries: { BS: [Uint8Array.from([1]), Uint8Array.from([2])] },
  list: { L: [{ S: "s" }, { L: [{ NULL: true }] }] },
  map: { M: { inner: { M: {} } } },
};

const row = (number) => ({ pk: { S: "row" }, sk: { S: String(number).padStart(3, "0") } });

async function fill(TableName, count) {
  for (let from = 0; from < count; from += 25) {
    const numbers = Array.from({ length: Math.min(25, count - from) }, (_, n) => from + n);
    const puts = numbers.map((n) => ({ PutRequest: { Item: { ...row(n), n: { N: String(n) } } } }));
    const answer = await client.send(
      new BatchWriteItemCommand({ RequestItems: { [TableName]: puts } }),
    );
    assert.deepEqual(answer.UnprocessedItems, {});
  }
}

check("client: every attribute value comes back as it went", () =>
  withTable(async (TableName) => {
    await client.send(new PutItemCommand({ TableName, Item: ITEM }));
    const Key = { pk: ITEM.pk, sk: ITEM.sk };
    const { Item } = await client.send(
      new GetItemCommand({ TableName, Key, ConsistentRead: true }),
    );
    assert.deepEqual(Item, ITEM);
  }),
);

check("client: an answer carries the id of its request and passes the check of its bytes", async () => {
  const { $metadata } = await new DynamoDB(settings).listTables({ Limit: 1 });
  assert.equal($metadata.httpStatusCode, 200);
  assert.match($metadata.requestId, /^[0-9A-Z]{52}$/);
  assert.equal($metadata.attempts, 1);
});

check("client: a table is described with dates and numbers", () =>
  withTable(async (TableName) => {
    const { Table } = await client.send(new DescribeTableCommand({ TableName }));
    assert.equal(Table.TableStatus, "ACTIVE");
    assert.ok(Table.CreationDateTime instanceof Date);
    assert.ok(Math.abs(Date.now() - Table.CreationDateTime.getTime()) < 600_000);
    assert.equal(Table.ItemCount, 0);
    const again = { ...Table, TableName, BillingMode: "PAY_PER_REQUEST" };
    const { KeySchema, AttributeDefinitions, BillingMode } = again;
    const error = await failure(() =>
      client.send(
        new CreateTableCommand({ TableName, KeySchema, AttributeDefinitions, BillingMode }),
      ),
    );
    assert.ok(error instanceof ResourceInUseException);
  }),
);

check("client: a deleted table is waited for, and then not found", async () => {
  const TableName = `javascript-${crypto.randomUUID()}`;
  await client.send(
    new CreateTableCommand({
      TableName,
      KeySchema: [{ AttributeName: "pk", KeyType: "HASH" }],
      AttributeDefinitions: [{ AttributeName: "pk", AttributeType: "N" }],
      ProvisionedThroughput: { ReadCapacityUnits: 1, WriteCapacityUnits: 1 },
    }),
  );
  await client.send(new DeleteTableCommand({ TableName }));
  await waitUntilTableNotExists({ client, maxWaitTime: 60, minDelay: 1 }, { TableName });
  const error = await failure(() =>
    client.send(new GetItemCommand({ TableName, Key: { pk: { N: "1" } } })),
  );
  assert.ok(error instanceof ResourceNotFoundException);
  assert.equal(error.message, "Requested resource not found");
  assert.equal(error.$metadata.httpStatusCode, 400);
  assert.equal(error.$fault, "client");
});

check("client: a refused condition is an exception of its own that shows the item", () =>
  withTable(async (TableName) => {
    await client.send(new PutItemCommand({ TableName, Item: ITEM }));
    const error = await failure(() =>
      client.send(
        new PutItemCommand({
          TableName,
          Item: ITEM,
          ConditionExpression: "attribute_not_exists(pk)",
          ReturnValuesOnConditionCheckFailure: "ALL_OLD",
        }),
      ),
    );
    assert.ok(error instanceof ConditionalCheckFailedException);
    assert.equal(error.message, "The conditional request failed");
    assert.deepEqual(error.Item, ITEM);
  }),
);

check("client: what is no good is a ValidationException with its message", () =>
  withTable(async (TableName) => {
    const error = await failure(() =>
      client.send(new PutItemCommand({ TableName, Item: { pk: { S: "a" } } })),
    );
    assert.equal(error.name, "ValidationException");
    assert.match(error.message, /Missing the key sk in the item/);
  }),
);

check("client: an update returns what it changed", () =>
  withTable(async (TableName) => {
    const Key = row(1);
    const update = (UpdateExpression, ReturnValues, ExpressionAttributeValues) =>
      client.send(
        new UpdateItemCommand({
          TableName,
          Key,
          UpdateExpression,
          ReturnValues,
          ExpressionAttributeValues,
        }),
      );
    const first = await update("SET a = :a ADD hits :one", "UPDATED_NEW", {
      ":a": { L: [{ N: "1" }] },
      ":one": { N: "1" },
    });
    assert.deepEqual(first.Attributes, { a: { L: [{ N: "1" }] }, hits: { N: "1" } });
    const second = await update("SET a[0] = :two REMOVE hits", "ALL_OLD", { ":two": { N: "2" } });
    assert.deepEqual(second.Attributes, { ...Key, ...first.Attributes });
    const gone = await client.send(
      new DeleteItemCommand({ TableName, Key, ReturnValues: "ALL_OLD" }),
    );
    assert.deepEqual(gone.Attributes, { ...Key, a: { L: [{ N: "2" }] } });
  }),
);

check("client: batches write, read and name what is missing by leaving it out", () =>
  withTable(async (TableName) => {
    await fill(TableName, 60);
    const Keys = [0, 30, 59, 99].map(row);
    const { Responses, UnprocessedKeys } = await client.send(
      new BatchGetItemCommand({ RequestItems: { [TableName]: { Keys } } }),
    );
    assert.deepEqual(UnprocessedKeys, {});
    const numbers = Responses[TableName].map((item) => Number(item.n.N));
    assert.deepEqual(numbers.sort((a, b) => a - b), [0, 30, 59]);
  }),
);

check("client: paginators follow queries, scans and lists of tables to their end", () =>
  withTable(async (TableName) => {
    await fill(TableName, 30);
    const query = {
      TableName,
      KeyConditionExpression: "pk = :pk AND sk >= :from",
      ExpressionAttributeValues: { ":pk": { S: "row" }, ":from": { S: "010" } },
    };
    const seen = [];
    for await (const page of paginateQuery({ client, pageSize: 7 }, query)) {
      assert.ok(page.Items.length <= 7);
      seen.push(...page.Items.map((item) => Number(item.n.N)));
    }
    assert.deepEqual(seen, Array.from({ length: 20 }, (_, n) => n + 10));
    let scanned = 0;
    for await (const page of paginateScan({ client, pageSize: 7 }, { TableName })) {
      scanned += page.Count;
    }
    assert.equal(scanned, 30);
    const names = [];
    for await (const page of paginateListTables({ client, pageSize: 1 }, {})) {
      names.push(...page.TableNames);
    }
    assert.ok(names.includes(TableName));
  }),
);

check("client: filters, projections, counts and capacity are answered", () =>
  withTable(async (TableName) => {
    await fill(TableName, 10);
    const filtered = await client.send(
      new ScanCommand({
        TableName,
        FilterExpression: "#n BETWEEN :low AND :high",
        ProjectionExpression: "#n",
        ExpressionAttributeNames: { "#n": "n" },
        ExpressionAttributeValues: { ":low": { N: "3" }, ":high": { N: "4" } },
        ReturnConsumedCapacity: "TOTAL",
      }),
    );
    assert.deepEqual(filtered.Items.map((item) => item.n.N).sort(), ["3", "4"]);
    assert.equal(filtered.ScannedCount, 10);
    assert.equal(filtered.ConsumedCapacity.CapacityUnits, 0.5);
    const counted = await client.send(
      new QueryCommand({
        TableName,
        KeyConditionExpression: "pk = :pk",
        ExpressionAttributeValues: { ":pk": { S: "row" } },
        Select: "COUNT",
        ScanIndexForward: false,
      }),
    );
    assert.equal(counted.Count, 10);
    assert.equal(counted.Items, undefined);
  }),
);

check("client: many requests at once on few connections are all answered", () =>
  withTable(async (TableName) => {
    const numbers = Array.from({ length: 200 }, (_, n) => n);
    await Promise.all(
      numbers.map((n) =>
        client.send(new PutItemCommand({ TableName, Item: { ...row(n), n: { N: String(n) } } })),
      ),
    );
    const found = await Promise.all(
      numbers.map((n) => client.send(new GetItemCommand({ TableName, Key: row(n) }))),
    );
    assert.deepEqual(found.map(({ Item }) => Number(Item.n.N)), numbers);
  }),
);
