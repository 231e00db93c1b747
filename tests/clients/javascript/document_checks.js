// @aws-sdk/lib-dynamodb: JavaScript's own values instead of attribute values.

import assert from "node:assert/strict";
import {
  BatchGetCommand,
  BatchWriteCommand,
  DeleteCommand,
  GetCommand,
  NumberValue,
  PutCommand,
  QueryCommand,
  UpdateCommand,
  paginateQuery,
  paginateScan,
} from "@aws-sdk/lib-dynamodb";
import { check, documentClient, failure, withTable } from "./checks.js";

const documents = documentClient({ marshallOptions: { removeUndefinedValues: true } });
const exact = documentClient({ unmarshallOptions: { wrapNumbers: true } });

const key = (number) => ({ pk: "row", sk: String(number).padStart(3, "0") });

async function fill(TableName, count) {
  for (let from = 0; from < count; from += 25) {
    const numbers = Array.from({ length: Math.min(25, count - from) }, (_, n) => from + n);
    const puts = numbers.map((n) => ({ PutRequest: { Item: { ...key(n), n } } }));
    await documents.send(new BatchWriteCommand({ RequestItems: { [TableName]: puts } }));
  }
}

check("documents: values of JavaScript come back as they went", () =>
  withTable(async (TableName) => {
    const Item = {
      pk: "a",
      sk: "1",
      text: "é水",
      number: -12.5,
      yes: false,
      nothing: null,
      bytes: Uint8Array.from([0, 255]),
      texts: new Set(["x", "y"]),
      numbers: new Set([1, 2.5]),
      list: ["s", 1, [null, { deep: [] }]],
      map: { inner: { deeper: 1 } },
    };
    await documents.send(new PutCommand({ TableName, Item: { ...Item, left: undefined } }));
    const got = await documents.send(new GetCommand({ TableName, Key: { pk: "a", sk: "1" } }));
    assert.deepEqual(got.Item, Item);
  }),
);

check("documents: a number that JavaScript cannot hold keeps its digits", () =>
  withTable(async (TableName) => {
    const n = NumberValue.from("123456789012345678901234567890.12345678");
    await exact.send(new PutCommand({ TableName, Item: { ...key(1), n, big: 2n ** 100n } }));
    const { Item } = await exact.send(new GetCommand({ TableName, Key: key(1) }));
    assert.equal(Item.n.value, "123456789012345678901234567890.12345678");
    assert.equal(Item.big.toBigInt(), 2n ** 100n);
    const error = await failure(() =>
      documents.send(new GetCommand({ TableName, Key: key(1) })),
    );
    assert.match(error.message, /can't be converted/);
  }),
);

check("documents: updates are given and return values", () =>
  withTable(async (TableName) => {
    const update = (UpdateExpression, ExpressionAttributeValues, ConditionExpression) =>
      documents.send(
        new UpdateCommand({
          TableName,
          Key: key(1),
          UpdateExpression,
          ConditionExpression,
          ExpressionAttributeValues,
          ReturnValues: "ALL_NEW",
        }),
      );
    await update("SET tags = :tags, notes = :notes, n = :n", {
      ":tags": new Set(["a", "b"]),
      ":notes": [1],
      ":n": 5,
    });
    const { Attributes } = await update(
      "SET notes = list_append(notes, :more), n = n - :one DELETE tags :gone",
      { ":more": [{ deep: true }], ":one": 1, ":gone": new Set(["a"]) },
      "n > :one",
    );
    assert.deepEqual(Attributes, {
      ...key(1),
      tags: new Set(["b"]),
      notes: [1, { deep: true }],
      n: 4,
    });
    const refused = await failure(() => update("SET n = :one", { ":one": 1 }, "n < :one"));
    assert.equal(refused.name, "ConditionalCheckFailedException");
    const old = await documents.send(
      new DeleteCommand({ TableName, Key: key(1), ReturnValues: "ALL_OLD" }),
    );
    assert.deepEqual(old.Attributes, Attributes);
  }),
);

check("documents: batches and pages", () =>
  withTable(async (TableName) => {
    await fill(TableName, 60);
    const { Responses } = await documents.send(
      new BatchGetCommand({ RequestItems: { [TableName]: { Keys: [key(1), key(59), key(60)] } } }),
    );
    assert.deepEqual(Responses[TableName].map(({ n }) => n).sort(), [1, 59]);
    const query = {
      TableName,
      KeyConditionExpression: "pk = :pk AND begins_with(sk, :tens)",
      FilterExpression: "n <> :not",
      ExpressionAttributeValues: { ":pk": "row", ":tens": "03", ":not": 35 },
    };
    const seen = [];
    for await (const page of paginateQuery({ client: documents, pageSize: 3 }, query)) {
      seen.push(...page.Items.map(({ n }) => n));
    }
    assert.deepEqual(seen, [30, 31, 32, 33, 34, 36, 37, 38, 39]);
    let scanned = 0;
    for await (const page of paginateScan({ client: documents, pageSize: 25 }, { TableName })) {
      scanned += page.Items.length;
    }
    assert.equal(scanned, 60);
    const backward = await documents.send(
      new QueryCommand({
        TableName,
        KeyConditionExpression: "pk = :pk",
        ExpressionAttributeValues: { ":pk": "row" },
        ScanIndexForward: false,
        Limit: 2,
      }),
    );
    assert.deepEqual(backward.Items.map(({ n }) => n), [59, 58]);
    assert.deepEqual(backward.LastEvaluatedKey, key(58));
  }),
);
