// ElectroDB: entities over one table, with composite keys that it makes itself.

import assert from "node:assert/strict";
import { Entity } from "electrodb";
import { check, documentClient, failure, withTable } from "./checks.js";

const documents = documentClient();

const bookIn = (table) =>
  new Entity(
    {
      model: { entity: "book", version: "1", service: "library" },
      attributes: {
        author: { type: "string", required: true },
        title: { type: "string", required: true },
        pages: { type: "number" },
        genres: { type: "set", items: "string" },
        notes: { type: "list", items: { type: "string" } },
        printed: { type: "map", properties: { place: { type: "string" } } },
        state: { type: ["new", "read"], default: () => "new" },
      },
      indexes: {
        books: {
          pk: { field: "pk", composite: ["author"] },
          sk: { field: "sk", composite: ["title"] },
        },
      },
    },
    { client: documents, table },
  );

const withBooks = (work) => withTable((table) => work(bookIn(table)));

check("electrodb: an entity is created once, read, patched and removed", () =>
  withBooks(async (books) => {
    const key = { author: "le guin", title: "the dispossessed" };
    const item = { ...key, genres: ["utopia"], notes: ["one"], printed: { place: "new york" } };
    const { data } = await books.create(item).go();
    assert.deepEqual(data, { ...item, state: "new" });
    const again = await failure(() => books.create(item).go());
    assert.match(again.message, /The conditional request failed/);
    const patched = await books
      .patch(key)
      .set({ state: "read" })
      .add({ pages: 341, genres: ["anarchism"] })
      .append({ notes: ["two"] })
      .data((attributes, { set }) => set(attributes.printed.place, "london"))
      .where(({ state }, { eq }) => eq(state, "new"))
      .go({ response: "all_new" });
    assert.deepEqual(patched.data.notes, ["one", "two"]);
    assert.deepEqual(patched.data.genres.toSorted(), ["anarchism", "utopia"]);
    assert.deepEqual(patched.data.printed, { place: "london" });
    assert.equal(patched.data.pages, 341);
    assert.deepEqual((await books.get(key).go()).data, patched.data);
    await books.remove(key).go();
    assert.equal((await books.get(key).go()).data, null);
    await failure(() => books.patch(key).set({ pages: 1 }).go());
  }),
);

check("electrodb: an upsert makes what is not there and changes what is", () =>
  withBooks(async (books) => {
    const key = { author: "lem", title: "solaris" };
    await books.upsert({ ...key, pages: 204 }).go();
    const { data } = await books.upsert({ ...key, state: "read" }).go({ response: "all_new" });
    assert.equal(data.state, "read");
    assert.equal((await books.get(key).go()).data.pages, 204);
  }),
);

check("electrodb: many books are put, queried by their beginning, filtered, paged and read", () =>
  withBooks(async (books) => {
    const all = Array.from({ length: 40 }, (_, n) => ({
      author: "pratchett",
      title: `discworld-${String(n).padStart(2, "0")}`,
      pages: 300 + n,
    }));
    assert.deepEqual((await books.put(all).go({ concurrency: 2 })).unprocessed, []);
    const begun = await books.query
      .books({ author: "pratchett" })
      .begins({ title: "discworld-1" })
      .go();
    assert.equal(begun.data.length, 10);
    const between = await books.query
      .books({ author: "pratchett" })
      .between({ title: "discworld-05" }, { title: "discworld-07" })
      .go({ order: "desc" });
    assert.deepEqual(between.data.map(({ pages }) => pages), [307, 306, 305]);
    const thick = await books.query
      .books({ author: "pratchett" })
      .where(({ pages }, { gte }) => gte(pages, 338))
      .go({ attributes: ["title"] });
    assert.deepEqual(thick.data, [{ title: "discworld-38" }, { title: "discworld-39" }]);
    const first = await books.query.books({ author: "pratchett" }).go({ limit: 15 });
    assert.equal(first.data.length, 15);
    const rest = await books.query
      .books({ author: "pratchett" })
      .go({ cursor: first.cursor, pages: "all" });
    assert.equal(rest.data.length, 25);
    assert.equal(rest.cursor, null);
    const got = await books.get([all[3], all[5], { author: "nobody", title: "x" }]).go();
    assert.deepEqual(got.data.map(({ pages }) => pages).toSorted(), [303, 305]);
    assert.equal((await books.scan.go({ pages: "all" })).data.length, 40);
    await books.delete(all.slice(0, 30)).go();
    assert.equal((await books.scan.go({ pages: "all" })).data.length, 10);
  }),
);
