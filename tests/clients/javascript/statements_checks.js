// PartiQL through the client and the document client.

import assert from "node:assert/strict";
import { ConditionalCheckFailedException, DuplicateItemException } from "@aws-sdk/client-dynamodb";
import {
  BatchExecuteStatementCommand,
  ExecuteStatementCommand,
  ExecuteTransactionCommand,
  GetCommand,
  PutCommand,
} from "@aws-sdk/lib-dynamodb";
import { check, documentClient, failure, withTable } from "./checks.js";

const documents = documentClient();

const execute = (Statement, Parameters, more = {}) =>
  documents.send(new ExecuteStatementCommand({ Statement, Parameters, ...more }));

const withRows = (work) =>
  withTable(async (table) => {
    for (let n = 0; n < 10; n++) {
      const Item = { pk: "row", sk: `s${n}`, n, tags: new Set(["a", `t${n}`]) };
      await documents.send(new PutCommand({ TableName: table, Item }));
    }
    await work(table);
  });

check("statements: one inserts, selects, updates and deletes with JavaScript's values", () =>
  withRows(async (table) => {
    const value = { deep: [1, null, { bytes: Uint8Array.from([0, 255]) }], tags: new Set(["x"]) };
    await execute(`INSERT INTO "${table}" VALUE {'pk': ?, 'sk': ?, 'v': ?}`, ["a", "1", value]);
    const where = "WHERE pk = ? AND sk = ?";
    const select = `SELECT * FROM "${table}" ${where}`;
    const found = await execute(select, ["a", "1"], { ConsistentRead: true });
    assert.deepEqual(found.Items, [{ pk: "a", sk: "1", v: value }]);
    const updated = await execute(
      `UPDATE "${table}" SET n = n + ? REMOVE tags ${where} RETURNING ALL NEW *`,
      [10, "row", "s3"],
    );
    assert.deepEqual(updated.Items, [{ pk: "row", sk: "s3", n: 13 }]);
    await execute(`DELETE FROM "${table}" ${where}`, ["row", "s3"]);
    assert.deepEqual((await execute(select, ["row", "s3"])).Items, []);
  }),
);

check("statements: pages are followed by their token", () =>
  withRows(async (table) => {
    const seen = [];
    let NextToken;
    do {
      const page = await execute(
        `SELECT n FROM "${table}" WHERE pk = 'row' AND n BETWEEN ? AND ?`,
        [2, 8],
        { Limit: 4, NextToken },
      );
      seen.push(...page.Items.map(({ n }) => n));
      ({ NextToken } = page);
    } while (NextToken !== undefined);
    assert.deepEqual(seen, [2, 3, 4, 5, 6, 7, 8]);
  }),
);

check("statements: what fails is an exception of its own", () =>
  withRows(async (table) => {
    const twice = await failure(() =>
      execute(`INSERT INTO "${table}" VALUE {'pk': 'row', 'sk': 's1'}`),
    );
    assert.ok(twice instanceof DuplicateItemException);
    const missing = await failure(() =>
      execute(`UPDATE "${table}" SET n = 1 WHERE pk = 'nobody' AND sk = 's1'`),
    );
    assert.ok(missing instanceof ConditionalCheckFailedException);
    const nonsense = await failure(() => execute("SELEKT everything"));
    assert.equal(nonsense.name, "ValidationException");
  }),
);

check("statements: batches answer each, transactions all or nothing", () =>
  withRows(async (table) => {
    const Statement = `SELECT n FROM "${table}" WHERE pk = ? AND sk = ?`;
    const { Responses } = await documents.send(
      new BatchExecuteStatementCommand({
        Statements: ["s2", "s99"].map((sk) => ({ Statement, Parameters: ["row", sk] })),
      }),
    );
    assert.deepEqual(Responses.map(({ Item }) => Item?.n), [2, undefined]);
    const update = `UPDATE "${table}" SET n = ? WHERE pk = ? AND sk = ?`;
    const both = (insertedKey) =>
      documents.send(
        new ExecuteTransactionCommand({
          TransactStatements: [
            { Statement: update, Parameters: [100, "row", "s1"] },
            {
              Statement: `INSERT INTO "${table}" VALUE {'pk': 'row', 'sk': ?}`,
              Parameters: [insertedKey],
            },
          ],
        }),
      );
    const numberOf = async () =>
      (await documents.send(new GetCommand({ TableName: table, Key: { pk: "row", sk: "s1" } })))
        .Item.n;
    const cancelled = await failure(() => both("s2"));
    assert.equal(cancelled.name, "TransactionCanceledException");
    assert.deepEqual(cancelled.CancellationReasons.map(({ Code }) => Code), [
      "None",
      "DuplicateItem",
    ]);
    assert.equal(await numberOf(), 1);
    await both("s20");
    assert.equal(await numberOf(), 100);
  }),
);
