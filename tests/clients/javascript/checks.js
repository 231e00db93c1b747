// The checks of one run: each is a name and a function, and becomes one line of JSON on stdout.
// A check that throws has failed; the others run all the same.

import {
  CreateTableCommand,
  DeleteTableCommand,
  DynamoDBClient,
  waitUntilTableExists,
} from "@aws-sdk/client-dynamodb";
import { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";

const checks = [];
const endpoint = process.argv[2];

export const settings = {
  endpoint,
  region: "us-east-1",
  credentials: { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "secret" },
};
export const client = new DynamoDBClient(settings);
// A document client shares the settings of the one it is made of, so each has one of its own.
export const documentClient = (options) =>
  DynamoDBDocumentClient.from(new DynamoDBClient(settings), options);

/** Register a check; `work` is run by `runAll`. */
export function check(name, work) {
  checks.push({ name, work });
}

/** Run every check in turn and print a line for each. */
export async function runAll() {
  for (const { name, work } of checks) {
    try {
      await work();
      console.log(JSON.stringify({ check: name, ok: true }));
    } catch (error) {
      const told = error instanceof Error ? error.stack : String(error);
      console.log(JSON.stringify({ check: name, ok: false, error: told }));
    }
  }
  client.destroy();
}

/** Return the error that `work` fails with; fail if it does not. */
export async function failure(work) {
  try {
    await work();
  } catch (error) {
    return error;
  }
  throw new Error("nothing was thrown");
}

const KEYS = {
  KeySchema: [
    { AttributeName: "pk", KeyType: "HASH" },
    { AttributeName: "sk", KeyType: "RANGE" },
  ],
  AttributeDefinitions: [
    { AttributeName: "pk", AttributeType: "S" },
    { AttributeName: "sk", AttributeType: "S" },
  ],
  BillingMode: "PAY_PER_REQUEST",
};

/** Give `work` the name of a new table with keys pk and sk, and delete the table in the end. */
export async function withTable(work, more = {}) {
  const TableName = `javascript-${crypto.randomUUID()}`;
  await client.send(new CreateTableCommand({ TableName, ...KEYS, ...more }));
  await waitUntilTableExists({ client, maxWaitTime: 60, minDelay: 1 }, { TableName });
  try {
    await work(TableName);
  } finally {
    await client.send(new DeleteTableCommand({ TableName }));
  }
}
