// Secondary indexes and the time to live: through the client, the document client and ElectroDB.

import assert from "node:assert/strict";
import {
  DescribeTableCommand,
  DescribeTimeToLiveCommand,
  UpdateTableCommand,
  UpdateTimeToLiveCommand,
} from "@aws-sdk/client-dynamodb";
import { PutCommand, QueryCommand, UpdateCommand, paginateScan } from "@aws-sdk/lib-dynamodb";
import { Entity, Service } from "electrodb";
import { check, client, documentClient, failure, withTable } from "./checks.js";

const documents = documentClient();
const text = (name) => ({ AttributeName: name, AttributeType: "S" });
const index = (IndexName, partition, sort) => ({
  IndexName,
  KeySchema: [
    { AttributeName: partition, KeyType: "HASH" },
    { AttributeName: sort, KeyType: "RANGE" },
  ],
  Projection: { ProjectionType: "ALL" },
});

const INDEXED = {
  AttributeDefinitions: ["pk", "sk", "gsi1pk", "gsi1sk", "lsi1sk"].map(text),
  GlobalSecondaryIndexes: [index("gsi1", "gsi1pk", "gsi1sk")],
  LocalSecondaryIndexes: [index("lsi1", "pk", "lsi1sk")],
};

const item = (n) => ({
  pk: "row",
  sk: `s${n}`,
  gsi1pk: n % 2 ? "odd" : "even",
  gsi1sk: `g${9 - n}`,
  lsi1sk: `l${9 - n}`,
});

async function fill(TableName) {
  for (let n = 0; n < 10; n++) {
    await documents.send(new PutCommand({ TableName, Item: item(n) }));
  }
}

const query = (TableName, IndexName, KeyConditionExpression, values, more = {}) =>
  documents.send(
    new QueryCommand({
      TableName,
      IndexName,
      KeyConditionExpression,
      ExpressionAttributeValues: values,
      ...more,
    }),
  );

async function until(condition) {
  const deadline = Date.now() + 60_000;
  while (!(await condition())) {
    assert.ok(Date.now() < deadline, "it never came");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

check("indexes: a table's indexes are described, and queried in their own order", () =>
  withTable(async (TableName) => {
    const { Table } = await client.send(new DescribeTableCommand({ TableName }));
    assert.equal(Table.GlobalSecondaryIndexes[0].IndexStatus, "ACTIVE");
    assert.equal(Table.LocalSecondaryIndexes[0].IndexName, "lsi1");
    await fill(TableName);
    const odd = await query(TableName, "gsi1", "gsi1pk = :odd", { ":odd": "odd" });
    assert.deepEqual(odd.Items, [9, 7, 5, 3, 1].map(item));
    const local = await query(
      TableName,
      "lsi1",
      "pk = :pk AND lsi1sk < :end",
      { ":pk": "row", ":end": "l2" },
      { ConsistentRead: true },
    );
    assert.deepEqual(local.Items, [9, 8].map(item));
    const refused = await failure(() =>
      query(TableName, "gsi1", "gsi1pk = :odd", { ":odd": "odd" }, { ConsistentRead: true }),
    );
    assert.match(refused.message, /Consistent reads are not supported on global secondary/);
  }, INDEXED),
);

check("indexes: items come, move and go with their index keys, and scans are paged", () =>
  withTable(async (TableName) => {
    await fill(TableName);
    const update = (n, UpdateExpression, values) =>
      documents.send(
        new UpdateCommand({
          TableName,
          Key: { pk: "row", sk: `s${n}` },
          UpdateExpression,
          ExpressionAttributeValues: values,
        }),
      );
    await update(1, "SET gsi1pk = :even", { ":even": "even" });
    await update(2, "REMOVE gsi1sk");
    const even = await query(TableName, "gsi1", "gsi1pk = :even", { ":even": "even" });
    assert.deepEqual(even.Items.map(({ sk }) => sk), ["s8", "s6", "s4", "s1", "s0"]);
    let scanned = 0;
    const scan = { TableName, IndexName: "gsi1" };
    for await (const page of paginateScan({ client: documents, pageSize: 4 }, scan)) {
      scanned += page.Count;
    }
    assert.equal(scanned, 9);
  }, INDEXED),
);

check("indexes: one is added to a full table, and taken away", () =>
  withTable(async (TableName) => {
    await fill(TableName);
    const added = index("gsi2", "gsi1sk", "pk");
    await client.send(
      new UpdateTableCommand({
        TableName,
        AttributeDefinitions: [text("gsi1sk"), text("pk")],
        GlobalSecondaryIndexUpdates: [{ Create: added }],
      }),
    );
    const names = async (status) => {
      const { Table } = await client.send(new DescribeTableCommand({ TableName }));
      const indexes = Table.GlobalSecondaryIndexes ?? [];
      return indexes.filter((each) => each.IndexStatus === status).map((each) => each.IndexName);
    };
    await until(async () => (await names("ACTIVE")).includes("gsi2"));
    const { Items } = await query(TableName, "gsi2", "gsi1sk = :g", { ":g": "g5" });
    assert.deepEqual(Items, [item(4)]);
    await client.send(
      new UpdateTableCommand({
        TableName,
        GlobalSecondaryIndexUpdates: [{ Delete: { IndexName: "gsi2" } }],
      }),
    );
    await until(async () => {
      const { Table } = await client.send(new DescribeTableCommand({ TableName }));
      return Table.GlobalSecondaryIndexes.length === 1;
    });
  }, INDEXED),
);

check("indexes: a time to live is turned on and told", () =>
  withTable(async (TableName) => {
    const off = await client.send(new DescribeTimeToLiveCommand({ TableName }));
    assert.deepEqual(off.TimeToLiveDescription, { TimeToLiveStatus: "DISABLED" });
    const TimeToLiveSpecification = { Enabled: true, AttributeName: "ends" };
    const answer = await client.send(
      new UpdateTimeToLiveCommand({ TableName, TimeToLiveSpecification }),
    );
    assert.deepEqual(answer.TimeToLiveSpecification, TimeToLiveSpecification);
    const on = await client.send(new DescribeTimeToLiveCommand({ TableName }));
    assert.equal(on.TimeToLiveDescription.AttributeName, "ends");
  }),
);

const employees = {
  model: { entity: "employee", version: "1", service: "office" },
  attributes: {
    id: { type: "string", required: true },
    team: { type: "string", required: true },
    name: { type: "string" },
    since: { type: "string" },
  },
  indexes: {
    employee: { pk: { field: "pk", composite: ["id"] }, sk: { field: "sk", composite: [] } },
    team: {
      index: "gsi1",
      collection: "members",
      pk: { field: "gsi1pk", composite: ["team"] },
      sk: { field: "gsi1sk", composite: ["since"] },
    },
  },
};

const tasks = {
  model: { entity: "task", version: "1", service: "office" },
  attributes: {
    id: { type: "string", required: true },
    team: { type: "string", required: true },
    due: { type: "string" },
  },
  indexes: {
    task: { pk: { field: "pk", composite: ["id"] }, sk: { field: "sk", composite: [] } },
    team: {
      index: "gsi1",
      collection: "members",
      pk: { field: "gsi1pk", composite: ["team"] },
      sk: { field: "gsi1sk", composite: ["due"] },
    },
  },
};

check("indexes: ElectroDB queries entities and collections of them by a global index", () =>
  withTable(async (table) => {
    const office = new Service(
      {
        employees: new Entity(employees, { client: documents, table }),
        tasks: new Entity(tasks, { client: documents, table }),
      },
      { client: documents, table },
    );
    const since = (n) => `2026-0${n}-01`;
    const people = [1, 2, 3].map((n) => ({ id: `p${n}`, team: "red", name: "x", since: since(n) }));
    await office.entities.employees.put([...people, { ...people[0], id: "p4", team: "blue" }]).go();
    await office.entities.tasks.put([{ id: "t1", team: "red", due: "2026-05-01" }]).go();
    const early = await office.entities.employees.query
      .team({ team: "red" })
      .lte({ since: since(2) })
      .go();
    assert.deepEqual(early.data.map(({ id }) => id), ["p1", "p2"]);
    const members = await office.collections.members({ team: "red" }).go();
    assert.equal(members.data.employees.length, 3);
    assert.deepEqual(members.data.tasks, [{ id: "t1", team: "red", due: "2026-05-01" }]);
    await office.entities.employees.patch({ id: "p1" }).set({ team: "blue", since: since(9) }).go();
    const blue = await office.entities.employees.query.team({ team: "blue" }).go();
    assert.deepEqual(blue.data.map(({ id }) => id), ["p4", "p1"]);
    const first = await office.entities.employees.query.team({ team: "blue" }).go({ count: 1 });
    assert.deepEqual(first.data.map(({ id }) => id), ["p4"]);
    const rest = await office.entities.employees.query
      .team({ team: "blue" })
      .go({ cursor: first.cursor });
    assert.deepEqual(rest.data.map(({ id }) => id), ["p1"]);
  }, {
    AttributeDefinitions: ["pk", "sk", "gsi1pk", "gsi1sk"].map(text),
    GlobalSecondaryIndexes: INDEXED.GlobalSecondaryIndexes,
  }),
);
