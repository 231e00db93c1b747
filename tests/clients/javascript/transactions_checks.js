// Transactions through the client, the document client and ElectroDB's services.

import assert from "node:assert/strict";
import {
  IdempotentParameterMismatchException,
  TransactGetItemsCommand,
  TransactWriteItemsCommand,
  TransactionCanceledException,
} from "@aws-sdk/client-dynamodb";
import { GetCommand, TransactGetCommand, TransactWriteCommand } from "@aws-sdk/lib-dynamodb";
import { Entity, Service } from "electrodb";
import { check, client, documentClient, failure, withTable } from "./checks.js";

const documents = documentClient();
const account = (number) => ({ pk: "account", sk: String(number) });

const put = (TableName, number, balance) => ({
  Put: { TableName, Item: { ...account(number), balance } },
});

const add = (TableName, number, amount) => ({
  Update: {
    TableName,
    Key: account(number),
    UpdateExpression: "ADD balance :amount",
    ConditionExpression: "balance >= :least",
    ExpressionAttributeValues: { ":amount": amount, ":least": Math.max(0, -amount) },
    ReturnValuesOnConditionCheckFailure: "ALL_OLD",
  },
});

async function balanceOf(TableName, number) {
  const { Item } = await documents.send(
    new GetCommand({ TableName, Key: account(number), ConsistentRead: true }),
  );
  return Item.balance;
}

check("transactions: all is written and read back in order, with nothing for what is not there", () =>
  withTable(async (TableName) => {
    await documents.send(
      new TransactWriteCommand({ TransactItems: [put(TableName, 1, 100), put(TableName, 2, 0)] }),
    );
    const { Responses } = await documents.send(
      new TransactGetCommand({
        TransactItems: [2, 3, 1].map((n) => ({ Get: { TableName, Key: account(n) } })),
      }),
    );
    assert.deepEqual(Responses.map(({ Item }) => Item?.balance), [0, undefined, 100]);
    const low = await client.send(
      new TransactGetItemsCommand({
        TransactItems: [{ Get: { TableName, Key: { pk: { S: "account" }, sk: { S: "1" } } } }],
        ReturnConsumedCapacity: "TOTAL",
      }),
    );
    assert.deepEqual(low.Responses[0].Item.balance, { N: "100" });
    assert.equal(low.ConsumedCapacity[0].CapacityUnits, 2);
  }),
);

check("transactions: a cancelled one is an exception with the reason of each action", () =>
  withTable(async (TableName) => {
    await documents.send(
      new TransactWriteCommand({ TransactItems: [put(TableName, 1, 100), put(TableName, 2, 0)] }),
    );
    const error = await failure(() =>
      documents.send(
        new TransactWriteCommand({
          TransactItems: [add(TableName, 1, 500), add(TableName, 2, -500)],
        }),
      ),
    );
    assert.ok(error instanceof TransactionCanceledException);
    assert.match(error.message, /\[None, ConditionalCheckFailed\]$/);
    const [none, refused] = error.CancellationReasons;
    assert.deepEqual(none, { Code: "None" });
    assert.equal(refused.Code, "ConditionalCheckFailed");
    // Of an error, some versions of the document client leave the item as it is on the wire.
    assert.equal(Number(refused.Item.balance.N ?? refused.Item.balance), 0);
    assert.equal(await balanceOf(TableName, 1), 100);
  }),
);

check("transactions: a token makes a repeated one harmless, and another's is a mismatch", () =>
  withTable(async (TableName) => {
    await documents.send(
      new TransactWriteCommand({ TransactItems: [put(TableName, 1, 100), put(TableName, 2, 50)] }),
    );
    const move = (amount) =>
      documents.send(
        new TransactWriteCommand({
          TransactItems: [add(TableName, 1, amount), add(TableName, 2, -amount)],
          ClientRequestToken: `once-${TableName.slice(-12)}`,
        }),
      );
    await move(30);
    await move(30);
    assert.equal(await balanceOf(TableName, 1), 130);
    assert.equal(await balanceOf(TableName, 2), 20);
    assert.ok((await failure(() => move(1))) instanceof IdempotentParameterMismatchException);
  }),
);

check("transactions: the same item twice is refused before anything is done", () =>
  withTable(async (TableName) => {
    const Delete = { TableName, Key: { pk: { S: "a" }, sk: { S: "1" } } };
    const error = await failure(() =>
      client.send(new TransactWriteItemsCommand({ TransactItems: [{ Delete }, { Delete }] })),
    );
    assert.equal(error.name, "ValidationException");
    assert.match(error.message, /multiple operations on one item/);
  }),
);

const entityIn = (table, entity, attributes) =>
  new Entity(
    {
      model: { entity, version: "1", service: "bank" },
      attributes: { id: { type: "string", required: true }, ...attributes },
      indexes: {
        byId: { pk: { field: "pk", composite: ["id"] }, sk: { field: "sk", composite: [] } },
      },
    },
    { client: documents, table },
  );

check("transactions: a service of ElectroDB writes and reads entities as one", () =>
  withTable(async (table) => {
    const accounts = entityIn(table, "account", { balance: { type: "number" } });
    const transfers = entityIn(table, "transfer", { amount: { type: "number" } });
    const bank = new Service({ accounts, transfers }, { client: documents, table });
    await accounts.put([{ id: "ann", balance: 100 }, { id: "bob", balance: 0 }]).go();
    const move = (id, amount) =>
      bank.transaction
        .write(({ accounts, transfers }) => [
          transfers.create({ id, amount }).commit(),
          accounts
            .patch({ id: "ann" })
            .subtract({ balance: amount })
            .where(({ balance }, { gte }) => gte(balance, amount))
            .commit(),
          accounts.patch({ id: "bob" }).add({ balance: amount }).commit(),
        ])
        .go();
    assert.equal((await move("t1", 30)).canceled, false);
    const again = await move("t1", 30);
    assert.equal(again.canceled, true);
    assert.deepEqual(
      again.data.map(({ rejected, code }) => [rejected, code]),
      [
        [true, "ConditionalCheckFailed"],
        [false, "None"],
        [false, "None"],
      ],
    );
    assert.equal((await move("t2", 1000)).data[1].rejected, true);
    const read = await bank.transaction
      .get(({ accounts, transfers }) => [
        accounts.get({ id: "ann" }).commit(),
        transfers.get({ id: "t1" }).commit(),
        transfers.get({ id: "t2" }).commit(),
      ])
      .go();
    assert.deepEqual(
      read.data.map(({ item }) => item),
      [{ id: "ann", balance: 70 }, { id: "t1", amount: 30 }, null],
    );
  }),
);
