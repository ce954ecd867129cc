import assert from "node:assert/strict";
import { type Section, section } from "../case.js";
import { readTexts, record } from "../expect.js";

/** Calls with many keys. */
export const batches: Section = section("batches", {
  "reads in the order of the keys, also a key that occurs twice": async ({ storage, key }) => {
    await storage.writeMany([record(key("a"), "A"), record(key("b"), "B")]);
    const found = await readTexts(storage, key("b"), key("none"), key("a"), key("b"));
    assert.deepEqual(found, ["B", undefined, "A", "B"]);
  },

  "returns undefined for a missing key": async ({ storage, key }) => {
    assert.deepEqual(await readTexts(storage, key("none")), [undefined]);
  },

  "does nothing for an empty batch": async ({ storage }) => {
    assert.deepEqual([...(await storage.readMany([]))], []);
    assert.equal(await storage.writeMany([]), undefined);
    assert.equal(await storage.removeMany([]), 0);
  },

  "stores the last of two records with the same key": async ({ storage, key }) => {
    await storage.writeMany([
      record(key("twice"), "first"),
      record(key("other"), "O"),
      record(key("twice"), "last"),
    ]);
    assert.deepEqual(await readTexts(storage, key("twice"), key("other")), ["last", "O"]);
  },

  "replaces the old value": async ({ storage, key }) => {
    await storage.writeMany([record(key("a"), "a longer value than the next")]);
    await storage.writeMany([record(key("a"), "short")]);
    assert.deepEqual(await readTexts(storage, key("a")), ["short"]);
  },

  "stores, reads and removes 2,000 records in one batch": async ({ storage, key }) => {
    const names = Array.from({ length: 2000 }, (_, index) => key(`many:${index}`));
    await storage.writeMany(names.map((name) => record(name, `value of ${name}`)));
    const backwards = names.toReversed();
    const found = await readTexts(storage, ...backwards);
    assert.deepEqual(
      found,
      backwards.map((name) => `value of ${name}`),
    );
    assert.equal(await storage.removeMany(names), 2000);
  },

  "shows one client the writes and removals of another": async (trial) => {
    const [one, other] = [await trial.connected(), await trial.connected()];
    await one.writeMany([record(trial.key("a"), "A")]);
    const seen = await readTexts(other, trial.key("a"));
    assert.deepEqual(seen, ["A"], "expected the storages of create() to be clients of the same data");
    assert.equal(await other.removeMany([trial.key("a")]), 1);
    assert.deepEqual(await readTexts(one, trial.key("a")), [undefined]);
  },
});
